package gitleaks

import (
	"os"
	"testing"
)

func TestScratch(t *testing.T) {
	f := os.Getenv("GL")
	data, _ := os.ReadFile(f)
	got, err := Load(f, data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(got.Rules), len(got.Allow), got.UseDefault, got.Disabled)
	for _, p := range got.Problems {
		t.Log("PROBLEM", p)
	}
	for _, p := range got.Notes {
		t.Log("NOTE", p)
	}
	if os.Getenv("V") != "" {
		for _, r := range got.Rules {
			t.Logf("%s %d %d %v %q", r.ID, r.Before, r.After, r.FoldCase, r.Anchors)
		}
	}
}
