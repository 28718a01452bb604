package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestConformance has, in testdata/conformance.txt, at least one case of every field and operator: the event's name in
// scenes, + where the condition holds and - where it does not, and the condition.
func TestConformance(t *testing.T) {
	data, err := os.ReadFile("testdata/conformance.txt")
	if err != nil {
		t.Fatal(err)
	}
	events := scenes()
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 3)
		e := events[f[0]]
		if len(f) != 3 || e == nil || f[1] != "+" && f[1] != "-" {
			t.Fatalf("line %d: %q is no case", i+1, line)
		}
		if matches(t, f[2], e) != (f[1] == "+") {
			t.Errorf("line %d: %s: %s: want %s", i+1, f[0], f[2], f[1])
		}
	}
	everything(t, string(data))
}

// everything tells which fields and operators have no case.
func everything(t *testing.T, text string) {
	t.Helper()
	words := map[string]bool{}
	for _, w := range regexp.MustCompile(`[a-zA-Z0-9_.]+|[<>!=]+`).FindAllString(text, -1) {
		words[w] = true
		if f, _, ok := lookup(w); ok {
			words[f.Name] = true
		}
	}
	for _, f := range Fields("") {
		if !words[f.Name] {
			t.Errorf("field %s has no case", f.Name)
		}
		if f.Doc == "" || f.Type == "" {
			t.Errorf("field %s is not described", f.Name)
		}
	}
	for _, op := range strings.Fields("exists < <= > >= = == != bcontains bstartswith contains endswith glob icontains iglob startswith regex oneof anyof allof in intersects pmatch tolower toupper b64 basename len join concat getopt val") {
		if !words[op] {
			t.Errorf("operator %s has no case", op)
		}
	}
}
