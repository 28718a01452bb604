package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/cli"
	"bulwark/kube"
)

// run is bulwark with a cache of its own.
func run(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main(append(args, "--cache-dir", t.TempDir()), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%q exits with %d: %s", args, code, errs.String())
	}
	return out.String(), errs.String()
}

// TestFixCorpora mends real manifests, and those that the rules are held to: what had a patch
// is not found any more, every object is there as before but for what was mended, and so is
// every comment.
func TestFixCorpora(t *testing.T) {
	for name, dir := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			if name != "cases" { // they are many
				prints(t, dir)
			}
			fixes(t, dir)
		})
	}
}

func corpora(t *testing.T) map[string]string {
	list := map[string]string{"cases": cases(t)}
	shared := filepath.Join("..", "..", "..", "shared", "data", "manifests")
	entries, err := os.ReadDir(shared)
	if err != nil {
		t.Logf("no corpora of real manifests: %v", err)
	}
	for _, e := range entries {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(shared, e.Name()))); err != nil {
			t.Fatal(err)
		}
		list[e.Name()] = dir
	}
	return list
}

// cases writes the cases of all rules as files of one folder.
func cases(t *testing.T) string {
	dir := t.TempDir()
	files, err := filepath.Glob("../../check/*/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		var b strings.Builder
		flush := func() {
			to := filepath.Join(dir, fmt.Sprintf("%s-%s-%d.yaml", filepath.Base(filepath.Dir(filepath.Dir(file))), strings.TrimSuffix(filepath.Base(file), ".yaml"), n))
			if err := os.WriteFile(to, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			b.Reset()
			n++
		}
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "# fail") || strings.HasPrefix(line, "# pass") {
				flush()
			}
			b.WriteString(line)
		}
		flush()
	}
	return dir
}

func fixes(t *testing.T, dir string) {
	before := readYAML(t, dir)
	had := patched(t, dir)
	_, stderr := run(t, "fix", dir, "--hygiene", "--write")
	after := readYAML(t, dir)
	for _, f := range patched(t, dir) {
		t.Errorf("still found, with a patch: %s %s:%d %s\n%s", f.Rule, f.Path, f.Line, f.Subject, f.Fix.Patch.Text)
	}
	if strings.Contains(stderr, "did not mend") || strings.Contains(stderr, "left out") {
		t.Errorf("%s", stderr)
	}
	lost, edited := 0, 0
	for name, old := range before {
		lost += compare(t, name, old, after[name])
		if !bytes.Equal(old, after[name]) {
			edited++
		}
	}
	t.Logf("%d findings with a patch; %d of %d files changed, %d comments behind values gone with them", len(had), edited, len(before), lost)
}

// prints tries what fix prints, and that it changes nothing.
func prints(t *testing.T, dir string) {
	before := readYAML(t, dir)
	printed, _ := run(t, "fix", dir, "--hygiene")
	if after := readYAML(t, dir); !maps.EqualFunc(before, after, bytes.Equal) {
		t.Error("without --write files are changed")
	}
	plus, minus := 0, 0
	for line := range strings.Lines(printed) {
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		case line[0] == '+':
			plus++
		case line[0] == '-':
			minus++
		}
	}
	t.Logf("%d lines new, %d gone", plus, minus)
}

// patched are the findings with a patch that fix makes.
func patched(t *testing.T, dir string) []bulwark.Finding {
	t.Helper()
	out, _ := run(t, "scan", dir, "--hygiene", "--only", "misconfig,exposure", "-f", "json")
	var r bulwark.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(r.Findings, func(f bulwark.Finding) bool {
		return f.Fix == nil || f.Fix.Patch == nil || f.Fix.Patch.Format != "unified-diff"
	})
}

func readYAML(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// compare holds a file that was mended to what it was.
func compare(t *testing.T, name string, old, now []byte) (lost int) {
	t.Helper()
	whole := func(data []byte) (list []string, behind int) {
		for line := range strings.Lines(string(data)) {
			if text := strings.TrimSpace(line); strings.HasPrefix(text, "#") {
				list = append(list, text)
			} else if strings.Contains(text, " #") {
				behind++
			}
		}
		return list, behind
	}
	a, behind := whole(old)
	b, still := whole(now)
	if !slices.Equal(a, b) {
		t.Errorf("%s: %d lines of comments become %d", name, len(a), len(b))
	}
	if filepath.Ext(name) != ".yaml" && filepath.Ext(name) != ".yml" {
		return behind - still
	}
	was, is := kube.ParseYAML(old), kube.ParseYAML(now)
	for n := len(is) - 1; n >= len(was) && is[n].Root.Get("kind").Text() == "NetworkPolicy"; n-- {
		is = is[:n] // a default deny, which is written behind all others
	}
	if len(was) != len(is) {
		t.Errorf("%s: %d documents become %d", name, len(was), len(is))
		return 0
	}
	for i := range was {
		if (was[i].Err == nil) != (is[i].Err == nil) {
			t.Errorf("%s: %v becomes %v", name, was[i].Err, is[i].Err)
		}
		for _, path := range gone(was[i].Root, is[i].Root, "") {
			if !mayGo(path) {
				t.Errorf("%s: %s is gone", name, path)
			}
		}
	}
	return behind - still
}

// gone lists the fields of one state that are not in another.
func gone(a, b *kube.Node, at string) (list []string) {
	for name, v := range a.Fields() {
		if !b.Has(name) {
			list = append(list, at+"."+name)
			continue
		}
		list = append(list, gone(v, b.Get(name), at+"."+name)...)
	}
	if a.Len() == b.Len() {
		for i, v := range a.Items() {
			list = append(list, gone(v, b.Item(i), at+"[]")...)
		}
	}
	return list
}

// mayGo tells whether a field is one that rules take out: what gives a container something,
// or tells it something it need not know. What names a thing never goes.
func mayGo(path string) bool {
	for _, never := range []string{".name", ".image", ".kind", ".apiVersion", ".metadata", ".containers", ".template", ".selector", ".command", ".args", ".labels"} {
		if strings.HasSuffix(path, never) {
			return false
		}
	}
	return true
}
