package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// stable is upstream's file of stable rules, which stands beside the repository where it is developed.
func stable(t testing.TB) File {
	t.Helper()
	for _, dir := range []string{"../../../shared", "../../../../shared"} {
		file := filepath.Join(dir, "data", "falco", "falco_rules.yaml")
		if data, err := os.ReadFile(file); err == nil {
			return File{Name: "falco_rules.yaml", Data: data}
		}
	}
	t.Skip("upstream's rules are not beside the repository")
	return File{}
}

// upstream are all of upstream's files that stand there.
func upstream(t testing.TB) []File {
	t.Helper()
	var list []File
	for _, dir := range []string{"../../../shared", "../../../../shared"} {
		names, _ := filepath.Glob(filepath.Join(dir, "data", "falco", "*.yaml"))
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, File{Name: filepath.Base(name), Data: data})
		}
	}
	if len(list) == 0 {
		t.Skip("upstream's rules are not beside the repository")
	}
	return list
}

func TestStableFile(t *testing.T) {
	d, problems := New(Options{Files: []File{stable(t)}})
	for _, p := range problems {
		t.Error(p.String())
	}
	if d.Len() != 25 {
		t.Errorf("%d rules run, want 25", d.Len())
	}
	want := d.Interest()
	for _, k := range bulwark.Kinds() {
		whole := len(want[k]) == 1 && empty(&want[k][0])
		if may := slices.Contains(stableWhole, k.String()); whole && !may {
			t.Errorf("all events of %s are asked for", k)
		}
	}
	for _, name := range []string{"sendto", "sendmsg", "close", "read", "write"} {
		if want[named(name)] != nil {
			t.Errorf("%s is asked for, and no rule can match one", name)
		}
	}
	for _, w := range want[kindOpenat] {
		if len(w.Paths) == 0 && !w.Climbs {
			t.Errorf("opens are asked for whatever their paths are: %+v", w)
		}
	}
}

// stableWhole are the kinds of which upstream's stable rules have to see all.
var stableWhole = []string{"execve", "execveat", "link", "linkat", "symlink", "symlinkat", "ptrace"}

// TestEmptyFieldsAreDocumented: what no event ever has is in the table of docs/falco-rules.md.
func TestEmptyFieldsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/falco-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(data), "## Fields that are always empty")
	table, _, _ = strings.Cut(table, "\n## ")
	var told []string
	for i, part := range strings.Split(table, "`") {
		if i%2 == 1 {
			told = append(told, part)
		}
	}
	for _, f := range allFields.list {
		g, err := f.bind("1")
		if err != nil || g.has == nil || slices.ContainsFunc(bulwark.Kinds(), g.has) {
			continue
		}
		if !slices.ContainsFunc(told, func(p string) bool { return globMatch(p, f.Name, false) }) {
			t.Errorf("%s is always empty, and the docs do not say so", f.Name)
		}
	}
	for _, p := range told {
		if !slices.ContainsFunc(allFields.list, func(f *Field) bool { return globMatch(p, f.Name, false) }) && p != "<NA>" && p != "engine" && p != "poll" {
			t.Errorf("there is no field %s", p)
		}
	}
}
