package yara

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

const minerRule = `
rule Miner : linux high {
  meta:
    description = "Miner that speaks stratum"
    author = "A. Person"
    reference = "https://rules.example/miner"
    score = 80
  strings:
    $pool = "stratum+tcp://" ascii wide
    $code = { de ad ?? be ef }
  condition: any of them
}
`

// write makes files in a fresh folder, by their names.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// scan feeds a file in pieces.
func scan(t *testing.T, in *Inspector, name string, data []byte, piece int) bulwark.Facts {
	t.Helper()
	info := &bulwark.FileInfo{Size: int64(len(data)), Mode: 0o755}
	info.SetPath(name)
	s := in.Begin(info)
	if s == nil {
		t.Fatalf("%s is not wanted", name)
	}
	for p := range slices.Chunk(data, piece) {
		if _, err := s.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	facts, err := s.Close()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return facts
}

func TestFinding(t *testing.T) {
	dir := write(t, map[string]string{"miner.yar": minerRule, "notes.txt": "no rules"})
	in := New(Options{Paths: []string{dir}})
	data := append(bytes.Repeat([]byte{0}, 300_000), "pool=stratum+tcp://a.example:3333 \xde\xad\x1b\xbe\xef"...)
	facts := scan(t, in, "opt/x", data, 4096)
	if len(facts.Findings) != 1 {
		t.Fatalf("findings: %+v", facts.Findings)
	}
	f := facts.Findings[0]
	if f.Kind != bulwark.KindMalware || f.Rule != "yara/Miner" || f.Title != "Miner that speaks stratum" || f.Severity != bulwark.SeverityHigh || f.Path != "" {
		t.Errorf("finding: %+v", f)
	}
	evidence := strings.Join(f.Evidence, "\n")
	for _, want := range []string{`$pool at 0x493e5: "stratum+tcp://"`, "$code at 0x49402: de ad 1b be ef", "by A. Person"} {
		if !strings.Contains(evidence, want) {
			t.Errorf("no %q in the evidence:\n%s", want, evidence)
		}
	}
	if !slices.Contains(f.Tags, "yara:linux") || !slices.Contains(f.References, "https://rules.example/miner") {
		t.Errorf("tags %q, references %q", f.Tags, f.References)
	}
	if got := scan(t, in, "opt/clean", []byte("stratum of rock"), 4096); len(got.Findings) > 0 {
		t.Errorf("a clean file: %+v", got.Findings)
	}
}

func TestKeyIsOfWhatWasFound(t *testing.T) {
	in := New(Options{Paths: []string{write(t, map[string]string{"a.yara": minerRule})}})
	key := func(name, text string) string { return scan(t, in, name, []byte(text), 10).Findings[0].Key }
	a, b, c := key("a", "stratum+tcp://x"), key("b/c", "moved stratum+tcp://x"), key("a", "\xde\xad\x00\xbe\xef")
	if a != b || a == c {
		t.Errorf("keys %s, %s, %s: the same find in two files has one key, another find another", a, b, c)
	}
}

func TestVersionFollowsRules(t *testing.T) {
	dir := write(t, map[string]string{"a.yar": `include "sub/b.yar"`, "sub/b.yar": minerRule})
	version := func() int { return New(Options{Paths: []string{filepath.Join(dir, "a.yar")}}).Info().Version }
	before := version()
	if before != version() {
		t.Error("the version changes by itself")
	}
	if err := os.WriteFile(filepath.Join(dir, "sub/b.yar"), []byte(minerRule+"// more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if before == version() {
		t.Error("an included file changed, and the version did not")
	}
}

func TestIncludeStaysBeside(t *testing.T) {
	dir := write(t, map[string]string{
		"in/a.yar":     "include \"sub/b.yar\"\ninclude \"../out.yar\"\ninclude \"/etc/passwd\"\ninclude \"none.yar\"\ninclude \"a.yar\"",
		"in/sub/b.yar": `include "c.yar"`, "in/sub/c.yar": minerRule, "out.yar": "rule Out { condition: true }",
	})
	r, err := Load(filepath.Join(dir, "in/a.yar"))
	if err != nil {
		t.Fatal(err)
	}
	if rules := r.Rules(); len(rules) != 1 || rules[0].Name != "Miner" || rules[0].Severity != bulwark.SeverityHigh {
		t.Errorf("rules: %+v", rules)
	}
	var text []string
	for _, p := range r.Problems() {
		text = append(text, p.String())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"out.yar", "/etc/passwd", "none.yar", "each other"} {
		if !strings.Contains(all, want) {
			t.Errorf("no problem tells of %q:\n%.2000s", want, all)
		}
	}
}

func TestIncludeFromNamedFolder(t *testing.T) {
	dir := write(t, map[string]string{
		"rules/global/base.yara": "private rule Base { condition: filesize > 2 }",
		"rules/a/one.yara":       "include \"rules/global/base.yara\"\nrule One { condition: Base }",
		"rules/b/two.yara":       "include \"global/base.yara\"\nrule Two { condition: Base }",
	})
	in := New(Options{Paths: []string{filepath.Join(dir, "rules")}})
	if facts := scan(t, in, "x", []byte("abc"), 10); len(facts.Findings) != 2 {
		t.Errorf("findings: %+v", facts.Findings)
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("no such file: %v", err)
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("empty folder: %v", err)
	}
}

func TestCheckTellsProblems(t *testing.T) {
	dir := write(t, map[string]string{"a.yar": "rule good { condition: true }\nrule bad {\n condition: nothing\n}\nimport \"pe\"\nrule windows { condition: pe.is_dll() }\nrule broken { condition: and }\n"})
	var notes []string
	err := New(Options{Paths: []string{dir}}).Check().Check(t.Context(), nil, nil, func(r bulwark.Record) { notes = append(notes, r.Note.Text) })
	all := strings.Join(notes, "\n")
	if err != nil || len(notes) != 3 {
		t.Errorf("%v, notes:\n%s", err, all)
	}
	for _, want := range []string{`a.yar:3:13: rule bad: "nothing" is not defined`, "a.yar:6:27: rule windows: module pe is for Windows", "a.yar:7:26: rule broken: syntax error"} {
		if !strings.Contains(all, want) {
			t.Errorf("no note %q in:\n%s", want, all)
		}
	}
}

func TestSeverity(t *testing.T) {
	for meta, want := range map[string]bulwark.Severity{
		``:                          bulwark.SeverityHigh,
		`severity = "Critical"`:     bulwark.SeverityCritical,
		`severity = 100`:            bulwark.SeverityCritical,
		`score = 75`:                bulwark.SeverityHigh,
		`score = "50"`:              bulwark.SeverityMedium,
		`threat_level = 3`:          bulwark.SeverityLow,
		`severity = "made up"`:      bulwark.SeverityHigh,
		`severity = "informational`: bulwark.SeverityUnknown, // no rule
	} {
		text := "rule r { meta: a = 1 " + meta + " condition: true }"
		r, err := Load(filepath.Join(write(t, map[string]string{"a.yar": text}), "a.yar"))
		if err != nil {
			t.Fatal(err)
		}
		got := bulwark.SeverityUnknown
		for _, x := range r.Rules() {
			got = x.Severity
		}
		if got != want {
			t.Errorf("%s: %v, want %v", meta, got, want)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	in := New(Options{Paths: []string{write(t, map[string]string{"a.yar": minerRule})}})
	done := make(chan int)
	for range 4 {
		go func() {
			n := 0
			for range 50 {
				n += len(scan(t, in, "x", []byte("a stratum+tcp:// b"), 3).Findings)
			}
			done <- n
		}()
	}
	for range 4 {
		if n := <-done; n != 50 {
			t.Errorf("%d findings, want 50", n)
		}
	}
}
