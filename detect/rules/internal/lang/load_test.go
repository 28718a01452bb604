package lang

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTry(t *testing.T) {
	for _, f := range []string{"falco_rules.yaml"} {
		data, err := os.ReadFile(filepath.Join("/work/shared/data/falco", f))
		if err != nil {
			t.Skip(err)
		}
		s := Load([]File{{f, data}})
		for _, p := range s.Problems {
			t.Log(s.Place(p.Pos), p.Warning, p.Rule, p.Text)
		}
		t.Log(len(s.Rules), len(s.Macros), len(s.Lists), len(s.Plugins))
		for _, r := range s.Rules[:3] {
			t.Log(s.Place(r.Pos), s.Place(r.ConditionPos), s.Place(r.Condition.Where()), r.Name, r.Priority, r.Tags)
			for _, p := range r.Output.Pieces {
				t.Logf("%s %q %v", s.Place(p.Pos), p.Text, p.Term != nil)
			}
		}
	}
}
