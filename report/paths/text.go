package paths

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark"
	"bulwark/graph"
	"bulwark/report/internal/text"
)

// mostChokes and mostAlso bound what text says of many.
const (
	mostChokes = 5
	mostAlso   = 3
)

func writeText(w io.Writer, a *Answer) error {
	t := &texts{Answer: a, x: a.index()}
	if a.Reach {
		t.reach()
	} else {
		t.head()
		t.paths()
		t.changes()
		t.chokes()
		t.open()
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type texts struct {
	*Answer
	x *index
	b strings.Builder
}

func (t *texts) line(format string, args ...any) {
	format, blank := strings.CutPrefix(format, "\n")
	if blank {
		t.b.WriteByte('\n')
	}
	t.b.WriteString(strings.TrimRight(text.Clean(fmt.Sprintf(format, args...)), " ") + "\n")
}

// headline says all in a sentence.
func (a *Answer) headline() string {
	ends := fmt.Sprintf("from %s to %s", plural(a.Starts, "entry point"), plural(a.Goals, "goal"))
	if len(a.Cut.Paths)+len(a.Cut.Uncut) == 0 {
		return "No path leads " + ends + "."
	}
	if len(a.Cut.Remedies) == 0 {
		return fmt.Sprintf("%s %s, and no change that is known cuts them.", plural(len(a.Cut.Uncut), "critical path"), ends)
	}
	s := fmt.Sprintf("%s %s; %s (%s).", plural(len(a.Cut.Paths), "critical path"), ends, cuts(len(a.Cut.Remedies)), minimal(&a.Cut))
	if n := len(a.Cut.Open); n > 0 {
		s += fmt.Sprintf(" %s stay open whatever is done.", plural(n, "goal"))
	}
	return s
}

func cuts(n int) string {
	if n == 1 {
		return "1 change cuts them all"
	}
	return fmt.Sprintf("%d changes cut them all", n)
}

func (t *texts) head() {
	for _, r := range t.WhatIf {
		what, at := t.x.remedy(r.ID)
		if at != "" {
			what += " (" + at + ")"
		}
		t.line("With: %s", what)
	}
	if len(t.WhatIf) > 0 {
		t.line("of %s %d are left.", plural(t.Before, "critical path"), len(t.Cut.Paths)+len(t.Cut.Uncut))
	}
	t.line("%s", t.headline())
}

func (t *texts) paths() {
	list := families(t.Paths)
	for i, k := range list {
		if i == t.Most {
			t.line("\n... and %s of paths more (--most)", plural(len(list)-i, "kind"))
			break
		}
		t.path(&k)
	}
}

func (t *texts) path(k *kin) {
	t.line("\nrisk %3d  %s -> %s", Risk(k.Likelihood), title(k.From()), title(k.To()))
	if n := len(k.also); n > 0 {
		names := make([]string, 0, mostAlso)
		for _, v := range k.also[:min(n, mostAlso)] {
			names = append(names, title(v))
		}
		more := ""
		if n > mostAlso {
			more = fmt.Sprintf(" and %d more", n-mostAlso)
		}
		t.line("          the same from %s%s", strings.Join(names, ", "), more)
	}
	for _, s := range k.steps {
		chance := ""
		if s.Likelihood < 1 {
			chance = fmt.Sprintf(" %.0f%%", 100*s.Likelihood)
		}
		t.line("  %s%s", s.Edge, chance)
		at := where(s.Place)
		if at != "" {
			at = " (" + at + ")"
		}
		t.line("    -> %s: %s%s", title(s.To), s.Text, at)
		if len(s.Remedies) > 0 {
			what, _ := t.x.remedy(s.Remedies[0])
			t.line("       fix: %s", what)
		}
	}
}

func (t *texts) changes() {
	c := &t.Cut
	if len(c.Remedies) == 0 {
		return
	}
	t.line("\nChange first, what cuts most paths (%s):", minimal(c))
	most := max(2*t.Most, 20)
	for i, r := range c.Remedies {
		if i == most {
			t.line("... and %s more (--most, -f json)", plural(len(c.Remedies)-i, "change"))
			return
		}
		what, at := t.x.remedy(r.ID)
		t.line("%3d. %s", i+1, what)
		if at != "" {
			at += ": "
		}
		t.line("     %s%s", at, worth(c, i))
	}
}

// worth says how many paths a change cuts.
func worth(c *graph.Cut, i int) string {
	if c.Removes[i] == 0 {
		return "cuts what would be the next best way when those above are made"
	}
	return fmt.Sprintf("cuts %d alone, %d of %d with those above", c.Removes[i], c.Together[i], len(c.Paths))
}

func (t *texts) chokes() {
	list := t.telling()
	if len(list) == 0 {
		return
	}
	t.line("\nChoke points, which every way to some goals passes:")
	for _, c := range list[:min(len(list), mostChokes)] {
		by := ""
		if c.Step != nil {
			by = ", by " + c.Step.Type + " from " + title(c.Step.From)
		}
		t.line("  %s stands before %s%s", title(c.Vertex), plural(c.Goals, "goal"), by)
	}
}

// telling are choke points that say more than the path to one goal does.
func (a *Answer) telling() []graph.Choke {
	return slices.DeleteFunc(slices.Clone(a.Chokes), func(c graph.Choke) bool { return c.Goals < 2 })
}

func (t *texts) open() {
	for i := range t.Cut.Uncut {
		p := &t.Cut.Uncut[i]
		if i == max(t.Most, 1) {
			t.line("\n... and %s more that nothing cuts", plural(len(t.Cut.Uncut)-i, "path"))
			return
		}
		t.line("\nNothing that is known cuts this path:")
		t.path(&kin{Path: p, steps: steps(p)})
	}
}

// reach lists what can be reached, by kind.
func (t *texts) reach() {
	kind, n := "", map[string]int{}
	for i := range t.Paths {
		n[kindOf(t.Paths[i].To())]++
	}
	t.line("%s can be reached from %s.", plural(len(t.Paths), "thing"), plural(t.Starts, "place"))
	shown := 0
	for i := range t.Paths {
		p := &t.Paths[i]
		if k := kindOf(p.To()); k != kind {
			kind, shown = k, 0
			t.line("\n%s: %d", kind, n[kind])
		}
		if shown++; shown > max(t.Most, 1) {
			if shown == max(t.Most, 1)+1 {
				t.line("  ... and %d more (--most)", n[kind]-shown+1)
			}
			continue
		}
		t.line("  %3d%%  %s", Risk(p.Likelihood), title(p.To()))
		var by []string
		for _, s := range steps(p) {
			by = append(by, s.Edge+" "+title(s.To))
		}
		t.line("        by %s", strings.Join(by, " > "))
	}
}

func kindOf(v bulwark.VertexID) string {
	k, _, _ := strings.Cut(string(v), ":")
	return k
}
