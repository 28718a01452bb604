package detecttest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"

	"bulwark"
	"bulwark/detect/internal/family"
)

// Case is a scene and what a family must say of it.
type Case struct {
	Name string
	// Fires is the rule, without its family, that must be told of it; "": nothing must.
	Fires string
	// Also are rules that may be told, too.
	Also []string
	Do   func(*Scene)
}

// Twins gives a rule both of its cases: one that fires, and a benign one.
type Twins struct {
	Rule   string
	Also   []string
	Attack func(*Scene)
	Benign func(*Scene)
}

// Run plays cases to a family, each once with all events and once with those alone that meet the family's interest:
// it must say the same. Every rule must have an attack and a benign twin, and none may be told of what nodes and
// containers do all day.
func Run(t *testing.T, fresh func() *family.Family, twins []Twins, more ...Case) {
	t.Helper()
	name := strings.TrimPrefix(fresh().Info().Name, "detect/")
	have := map[string]bool{}
	for _, w := range twins {
		have[name+"/"+w.Rule] = true
		play(t, fresh, name, Case{Name: w.Rule + " attack", Fires: w.Rule, Also: w.Also, Do: w.Attack})
		play(t, fresh, name, Case{Name: w.Rule + " benign", Do: w.Benign})
	}
	for _, c := range append(more, days...) {
		play(t, fresh, name, c)
	}
	for _, r := range fresh().Rules() {
		if !have[r.ID] {
			t.Errorf("%s has no case", r.ID)
		}
		if r.Title == "" || len(r.Reason) < 60 || len(r.FalsePositives) < 10 || r.Severity == bulwark.SeverityUnknown {
			t.Errorf("%s is not argued", r.ID)
		}
		if r.Fix == "" || len(r.References) == 0 {
			t.Errorf("%s says not what to do, or where to read more", r.ID)
		}
		if !slices.ContainsFunc(r.Tags, func(s string) bool { return strings.HasPrefix(s, "attack:T") }) {
			t.Errorf("%s has no technique", r.ID)
		}
	}
}

func play(t *testing.T, fresh func() *family.Family, name string, c Case) {
	t.Helper()
	t.Run(c.Name, func(t *testing.T) {
		d := fresh()
		s := NewScene(d, nil)
		c.Do(s)
		judge(t, name, c, s.Findings)
		d = fresh()
		less := NewScene(d, d.Interest())
		c.Do(less)
		if got, want := rules(less.Findings), rules(s.Findings); !slices.Equal(got, want) {
			t.Errorf("with the interest alone (%d of %d events) it says %v, with all %v", less.Passed, s.Passed, got, want)
		}
	})
}

func judge(t *testing.T, name string, c Case, list []bulwark.Finding) {
	t.Helper()
	fired := false
	for _, f := range list {
		rule := strings.TrimPrefix(f.Rule, name+"/")
		switch {
		case rule == c.Fires:
			fired = true
		case !slices.Contains(c.Also, rule):
			t.Errorf("%s must not be told: %q", f.Rule, f.Evidence)
		}
		if f.Kind != bulwark.KindRuntime || len(f.Evidence) == 0 || len(f.Tags) == 0 || f.Fix == nil || f.Fix.Text == "" || f.Title == "" || f.Time.IsZero() {
			t.Errorf("%s lacks something: %+v", f.Rule, f)
		}
		for _, line := range append(f.Evidence, f.Path) {
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("%s shows control characters: %q", f.Rule, line)
			}
		}
	}
	if c.Fires != "" && !fired {
		t.Errorf("%s/%s must be told; told: %v", name, c.Fires, rules(list))
	}
	if c.Fires != "" && len(list) > 3 {
		t.Errorf("%d findings of one thing: %v", len(list), rules(list))
	}
	if fired && testing.Verbose() {
		for _, f := range list {
			t.Logf("%s %s: %s\n\t%s", f.Severity, f.Rule, f.Title, strings.Join(f.Evidence, "\n\t"))
		}
	}
}

func rules(list []bulwark.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Rule)
	}
	return out
}

// Admits tells whether an event meets an interest, as the contract says it.
func Admits(want bulwark.Interest, e *bulwark.Event) bool {
	return slices.ContainsFunc(want[e.Kind], func(w bulwark.Where) bool { return admits(&w, e) })
}

func admits(w *bulwark.Where, e *bulwark.Event) bool {
	is := func(t bulwark.Tri, v bool) bool { return t == bulwark.Either || (t == bulwark.Yes) == v }
	flags, _ := e.Arg("flags")
	opens := slices.Contains([]string{"open", "openat", "openat2", "creat"}, e.Kind.String())
	switch {
	case !is(w.Container, e.Process != nil && e.Process.Container != nil), !is(w.Failed, e.Result < 0):
		return false
	case w.Write != bulwark.Either && !is(w.Write, opens && (flags.Num&3 != 0 || e.Kind.String() == "creat")):
		return false
	case len(w.Ports) != 0 && !slices.Contains(w.Ports, e.FD.Remote.Port()):
		return false
	case len(w.EitherPort) != 0 && !slices.Contains(w.EitherPort, e.FD.Remote.Port()) && !slices.Contains(w.EitherPort, e.FD.Local.Port()):
		return false
	}
	if data, _ := e.Arg("data"); len(w.First) != 0 && !slices.ContainsFunc(w.First, func(b byte) bool { return bytes.HasPrefix(data.Text, []byte{b}) }) {
		return false
	}
	for _, f := range w.Flags {
		if e.Args[f.Param].Num&f.Any == 0 {
			return false
		}
	}
	for i, n := range w.Nets {
		if n.Contains(e.FD.Remote.Addr()) {
			break
		}
		if i == len(w.Nets)-1 {
			return false
		}
	}
	if w.Climbs && !hasPath(&bulwark.PathMatch{By: bulwark.PathHas, Text: "../"}, &bulwark.Event{Kind: e.Kind, Args: e.Args}) {
		return false
	}
	return len(w.Paths) == 0 || slices.ContainsFunc(w.Paths, func(m bulwark.PathMatch) bool { return hasPath(&m, e) })
}

func hasPath(m *bulwark.PathMatch, e *bulwark.Event) bool {
	if family.Matches(m, e.FD.Name) && len(e.FD.Name) != 0 {
		return true
	}
	for i, p := range e.Kind.Params() {
		if p.Type == bulwark.ParamPath && len(e.Args[i].Text) != 0 && family.Matches(m, e.Args[i].Text) {
			return true
		}
	}
	return false
}
