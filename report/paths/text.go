package paths

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark/graph"
	"bulwark/report/internal/text"
)

// mostChokes and mostAlso bound what text says of many.
const (
	mostChokes = 5
	mostAlso   = 3
)

func writeText(w io.Writer, a *Answer) error {
	t := &texts{Answer: a, x: a.index(), number: map[string]int{}}
	for i, r := range a.Cut.Remedies {
		t.number[r.ID] = i + 1
	}
	if a.Reach {
		t.reach()
	} else {
		t.head()
		t.changes()
		t.paths()
		t.chokes()
		t.open()
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type texts struct {
	*Answer
	x      *index
	number map[string]int // of a change in the list
	b      strings.Builder
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
		return fmt.Sprintf("%s %s, and no change that is known cuts %s.", plural(len(a.Cut.Uncut), "critical path"), ends, them(len(a.Cut.Uncut)))
	}
	s := fmt.Sprintf("%s %s; %s (%s).", plural(len(a.Cut.Paths), "critical path"), ends, cuts(len(a.Cut.Remedies), len(a.Cut.Paths)), minimal(&a.Cut))
	if n := len(a.Cut.Open); n == 1 {
		s += " 1 goal stays open whatever is done."
	} else if n > 1 {
		s += fmt.Sprintf(" %d goals stay open whatever is done.", n)
	}
	return s
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func cuts(changes, paths int) string {
	all := "them all"
	if paths == 1 {
		all = "it"
	}
	if changes == 1 {
		return "1 change cuts " + all
	}
	return fmt.Sprintf("%d changes cut %s", changes, all)
}

func (t *texts) head() {
	for _, r := range t.WhatIf {
		t.line("With this made: %s", t.x.remedy(r.ID).placed())
	}
	if len(t.WhatIf) > 0 {
		left := len(t.Cut.Paths) + len(t.Cut.Uncut)
		t.line("%d of %s are left.", left, plural(t.Before, "critical path"))
	}
	t.line("%s", t.headline())
}

// placed is the change with its place.
func (c change) placed() string {
	if c.at == "" {
		return c.String()
	}
	return c.String() + " (" + c.at + ")"
}

func (t *texts) paths() {
	list := families(t.Paths)
	if critical := len(t.Cut.Paths) + len(t.Cut.Uncut); critical > 0 && len(t.Paths) > critical {
		t.line("\nAll %d ways, the likeliest first:", len(t.Paths))
	}
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
	if k.again > 0 {
		t.line("          %s like it", plural(k.again, "other way"))
	}
	for _, s := range k.steps {
		t.line("  -> %s: %s%s  %s", title(s.To), s.Text, bracketed(where(s.Place)), t.marks(&s))
	}
}

// marks are a step's type, its likelihood where it is not certain, and which changes of the
// list remove it.
func (t *texts) marks(s *step) string {
	mark := s.Edge
	if s.Likelihood < 1 {
		mark += fmt.Sprintf(" %.0f%%", 100*s.Likelihood)
	}
	var by []string
	for _, id := range s.Remedies {
		if n := t.number[id]; n > 0 {
			by = append(by, fmt.Sprint(n))
		}
	}
	if len(by) > 0 {
		mark += ", cut by change " + strings.Join(by, " or ")
	}
	return "[" + mark + "]"
}

func bracketed(at string) string {
	if at == "" {
		return ""
	}
	return " (" + at + ")"
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
		t.path(&kin{Path: p, steps: trimmed(steps(p))})
	}
}
