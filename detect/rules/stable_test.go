package rules

import (
	"os"
	"path/filepath"
	"testing"
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

func TestStableFile(t *testing.T) {
	d, problems := New(Options{Files: []File{stable(t)}})
	for _, p := range problems {
		t.Error(p.String())
	}
	if d.Len() != 25 {
		t.Errorf("%d rules run, want 25", d.Len())
	}
	want := d.Interest()
	for k, w := range want {
		t.Log(k, len(w), w)
	}
	for k, b := range d.buckets {
		if len(b) > 0 && want[d.rules[0].kinds.list()[0]] == nil {
			t.Error(k)
		}
	}
}
