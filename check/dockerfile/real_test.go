package dockerfile

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bulwark"
)

// TestRealFiles judges real Dockerfiles: every one is parsed. With -v it prints how often
// each rule fires, and the sample of 50 findings that docs/accuracy.md speaks of.
func TestRealFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "dockerfiles", "*.Dockerfile"))
	if len(files) == 0 {
		t.Skip("SKIPPED, there is no shared/data/dockerfiles beside the repository")
	}
	inv := &bulwark.Inventory{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		inv.Documents = append(inv.Documents, bulwark.Document{Kind: "dockerfile", Path: filepath.Base(name), Data: data})
	}
	var findings []*bulwark.Finding
	counts := map[string]int{}
	err := New(Options{}).Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Note != nil {
			t.Errorf("%s: %s", r.Note.Path, r.Note.Text)
			return
		}
		findings = append(findings, r.Finding)
		kind := r.Finding.Rule + " " + r.Finding.Severity.String()
		if slices.Contains(r.Finding.Tags, "hygiene") {
			kind += " hygiene"
		}
		counts[kind]++
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%4d %s", counts[kind], kind)
	}
	random := rand.New(rand.NewPCG(50, 195))
	for _, hygiene := range []bool{false, true} {
		some := slices.Collect(func(yield func(*bulwark.Finding) bool) {
			for _, f := range findings {
				if slices.Contains(f.Tags, "hygiene") == hygiene && !yield(f) {
					return
				}
			}
		})
		t.Logf("%d findings, hygiene %v", len(some), hygiene)
		random.Shuffle(len(some), func(a, b int) { some[a], some[b] = some[b], some[a] })
		for _, f := range some[:min(len(some), 50)] {
			t.Logf("%s:%d %s %s [%s] %q", f.Path, f.Line, f.Rule, f.Severity, f.Subject, f.Evidence[0])
		}
	}
}
