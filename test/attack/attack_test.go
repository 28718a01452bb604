// Package attack holds the program to attacks in manifests of which the answer is known: each
// folder of testdata has one, with the findings that must come of it, and a twin that looks
// like it and is harmless.
package attack

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/cli"
)

// scan gives what the program finds in a file with its default flags.
func scan(t *testing.T, target string, flags ...string) []bulwark.Finding {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{"scan", target, "-f", "jsonl", "--offline", "--no-cache", "--cache-dir", t.TempDir(), "--now", "2026-01-01T00:00:00Z"}, flags...)
	if code := cli.Main(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("scan %s: exit %d: %s", target, code, errs.String())
	}
	var list []bulwark.Finding
	for line := range bytes.Lines(out.Bytes()) {
		var r bulwark.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("scan %s: %v", target, err)
		}
		if r.Finding != nil {
			list = append(list, *r.Finding)
		}
	}
	return list
}

// want is one line "# want: RULE SEVERITY [TAG]" of a manifest: a finding of the rule that is
// at least that bad.
type want struct {
	rule, tag string
	severity  bulwark.Severity
}

func wants(t *testing.T, file string) []want {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []want
	for line := range strings.Lines(string(b)) {
		words, ok := strings.CutPrefix(strings.TrimSpace(line), "# want: ")
		if !ok {
			continue
		}
		f := append(strings.Fields(words), "")
		w := want{rule: f[0], tag: f[2]}
		if err := w.severity.UnmarshalText([]byte(f[1])); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		t.Fatalf("%s says not what must be found", file)
	}
	return list
}

func (w want) met(f bulwark.Finding) bool {
	return f.Rule == w.rule && f.Severity >= w.severity && (w.tag == "" || slices.Contains(f.Tags, w.tag))
}

// TestAttacks holds that every attack is named, and that of no twin anything is said that is
// medium or above.
func TestAttacks(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/manifest.yaml")
	if err != nil || len(folders) < 60 {
		t.Fatalf("%d attacks: %v", len(folders), err)
	}
	for _, file := range folders {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			list := scan(t, file)
			for _, w := range wants(t, file) {
				if !slices.ContainsFunc(list, w.met) {
					t.Errorf("no %s of %s %s among\n%s", w.rule, w.severity, w.tag, tell(list))
				}
			}
			harmless := slices.DeleteFunc(scan(t, filepath.Join(dir, "twin.yaml")), func(f bulwark.Finding) bool { return f.Severity < bulwark.SeverityMedium })
			if len(harmless) > 0 {
				t.Errorf("the twin is harmless, but\n%s", tell(harmless))
			}
		})
	}
}

func tell(list []bulwark.Finding) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString("  " + f.Severity.String() + " " + f.Rule + " " + f.Subject + ": " + strings.Join(f.Evidence, "; ") + "\n")
	}
	return b.String()
}
