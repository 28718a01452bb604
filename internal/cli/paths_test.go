package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bulwark"
	"bulwark/internal/patch"
)

// pathsOf is what the command tells.
type pathsOf struct {
	Findings []bulwark.Finding `json:"findings"`
	Paths    []struct {
		From, To string
		Risk     int
		Steps    []struct{ Edge string }
	} `json:"paths"`
	Cut struct {
		Paths, Bound int
		Minimal      bool
		Remedies     []bulwark.Remedy
		Open         []json.RawMessage
	} `json:"cut"`
}

func tellPaths(t *testing.T, args ...string) (p pathsOf) {
	t.Helper()
	out, _ := run(t, append([]string{"paths", "-f", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFixesCutAllPaths makes the changes that are proposed, in a copy of clusters that were
// made to be attacked: where a change has a patch by that, else as --what-if has it made.
func TestFixesCutAllPaths(t *testing.T) {
	for _, name := range []string{"kubernetes-goat", "badpods"} {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join("..", "..", "..", "shared", "data", "manifests", name)
			if _, err := os.Stat(from); err != nil {
				t.Skipf("no manifests: %v", err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			before := tellPaths(t, dir)
			if len(before.Paths) == 0 || len(before.Cut.Remedies) == 0 {
				t.Fatalf("%d paths, %d changes", len(before.Paths), len(before.Cut.Remedies))
			}
			t.Logf("%d paths, %d changes, at least %d", len(before.Paths), len(before.Cut.Remedies), before.Cut.Bound)
			args := []string{dir}
			for _, r := range apply(t, dir, before.Cut.Remedies) {
				args = append(args, "--what-if", r.ID)
			}
			after := tellPaths(t, args...)
			for _, p := range after.Paths {
				t.Errorf("left: %s -> %s by %v", p.From, p.To, p.Steps)
			}
			if len(after.Cut.Open) != len(before.Cut.Open) {
				t.Errorf("%d goals are open, %d were before", len(after.Cut.Open), len(before.Cut.Open))
			}
		})
	}
}

// apply makes the patches that changes have, and gives the changes that have none.
func apply(t *testing.T, dir string, remedies []bulwark.Remedy) (left []bulwark.Remedy) {
	t.Helper()
	todo := remedies
	for len(todo) > 0 { // those that touch the same lines are made one after the other
		var patches []bulwark.Patch
		for _, r := range todo {
			if r.Fix == nil || r.Fix.Patch == nil || r.Fix.Patch.Format != "unified-diff" {
				left = append(left, r)
				continue
			}
			patches = append(patches, *r.Fix.Patch)
		}
		files, _ := patch.Join(patches)
		made := 0
		for i := range files {
			name := filepath.Join(dir, files[i].Name)
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if content, err = files[i].Apply(content); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			made++
		}
		todo = slices.DeleteFunc(slices.Clone(todo), func(r bulwark.Remedy) bool {
			return r.Fix == nil || r.Fix.Patch == nil || slices.ContainsFunc(files, func(f patch.File) bool {
				return f.Name == r.Fix.Patch.File && f.Has(r.Fix.Patch)
			})
		})
		if made == 0 {
			return append(left, todo...)
		}
	}
	return left
}
