package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"bulwark"
	"bulwark/internal/patch"
)

// pathsOf is what the command tells.
type pathsOf struct {
	Findings []bulwark.Finding `json:"findings"`
	Notes    []bulwark.Note    `json:"notes"`
	Paths    []pathOf          `json:"paths"`
	Cut      struct {
		Paths, Bound int
		Minimal      bool
		Remedies     []bulwark.Remedy
		Open         []pathOf
	} `json:"cut"`
}

type pathOf struct {
	From, To string
	Risk     int
	Steps    []stepOf
}

type stepOf struct{ Edge, To string }

func tellPaths(t *testing.T, args ...string) (p pathsOf) {
	t.Helper()
	out, _ := run(t, append([]string{"paths", "-f", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFixesCutAllPaths makes the changes that are proposed, in a copy of clusters that were
// made to be attacked, and of those that show one edge each: where a change has a patch by
// that, else as --what-if has it made. No critical path is left but those that are told of as
// ones that nothing cuts.
func TestFixesCutAllPaths(t *testing.T) {
	for _, name := range []string{"kubernetes-goat", "badpods", "k8s-examples"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := filepath.Join("..", "..", "..", "shared", "data", "manifests", name)
			if _, err := os.Stat(from); err != nil {
				t.Skipf("no manifests: %v", err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			if n := mendAll(t, dir); n == 0 {
				t.Error("there is no path")
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "test", "paths", "testdata", "*", "pass.yaml"))
	if err != nil || len(files) < 70 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var with atomic.Int32
	t.Run("edges", func(t *testing.T) {
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
				t.Parallel()
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				content = bytes.ReplaceAll(content, []byte("(PASSWORD)"), []byte("correct"+"-horse"))
				if err := os.WriteFile(filepath.Join(dir, "objects.yaml"), content, 0o600); err != nil {
					t.Fatal(err)
				}
				if mendAll(t, dir) > 0 {
					with.Add(1)
				}
			})
		}
	})
	if with.Load() < 50 {
		t.Errorf("%d folders have paths, want most", with.Load())
	}
}

// mendAll makes all changes in a folder, and gives how many paths there were.
func mendAll(t *testing.T, dir string) int {
	t.Helper()
	before := tellPaths(t, dir)
	args := []string{dir}
	left := apply(t, dir, before.Cut.Remedies)
	for _, r := range left {
		args = append(args, "--what-if", r.ID)
		if len(strings.Fields(r.Text)) < 2 || r.Text == r.ID {
			t.Errorf("change %s has no patch, and says only %q", r.ID, r.Text)
		}
	}
	after := tellPaths(t, args...)
	for _, p := range after.Paths {
		t.Errorf("left: %s -> %s by %v", p.From, p.To, p.Steps)
	}
	if len(after.Cut.Open) > len(before.Cut.Open) {
		t.Errorf("%d goals are open, %d were before", len(after.Cut.Open), len(before.Cut.Open))
	}
	t.Logf("%d paths; %d changes, of which %d have no patch; at least %d are needed", len(before.Paths), len(before.Cut.Remedies), len(left), before.Cut.Bound)
	for _, p := range before.Cut.Open {
		t.Logf("nothing cuts %s -> %s by %v", p.From, p.To, p.Steps)
	}
	return len(before.Paths) + len(before.Cut.Open)
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
