package paths

import (
	"fmt"
	"strings"

	"bulwark/graph"
)

// alike are changes that follow each other in the list, do the same to several objects, and
// are worth the same.
type alike struct {
	first   int // in Cut.Remedies
	changes []change
	// cuts is how many paths each removes alone, and together what they and those before them
	// do. spare ones remove none that is left: they are for what would be the next best way.
	cuts, together int
	spare          bool
}

// alike folds the list of changes.
func (a *Answer) alike(x *index) []alike {
	var list []alike
	before := 0
	for i, r := range a.Cut.Remedies {
		one, together := x.remedy(r.ID), a.Cut.Together[i]
		next := alike{i, []change{one}, a.Cut.Removes[i], together, together == before}
		before = together
		if n := len(list) - 1; n >= 0 && one.object != "" && list[n].spare == next.spare && list[n].changes[0].what == one.what && (next.spare || list[n].cuts == next.cuts) {
			list[n].changes, list[n].together = append(list[n].changes, one), together
			continue
		}
		list = append(list, next)
	}
	return list
}

// numbers are those in the list: "3", or "3-18".
func (l *alike) numbers() string {
	if len(l.changes) == 1 {
		return fmt.Sprint(l.first + 1)
	}
	return fmt.Sprintf("%d-%d", l.first+1, l.first+len(l.changes))
}

// what is the change, and the object where it is one.
func (l *alike) what() string {
	if len(l.changes) == 1 {
		return l.changes[0].placed()
	}
	return l.changes[0].what
}

// objects names some of those that have to be changed, where they are several.
func (l *alike) objects(most int) string {
	if len(l.changes) == 1 {
		return ""
	}
	var names []string
	for _, c := range l.changes[:min(len(l.changes), most)] {
		names = append(names, c.object+bracketed(c.at))
	}
	s := strings.Join(names, ", ")
	if n := len(l.changes) - most; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// worth says how many paths they cut.
func (l *alike) worth(c *graph.Cut) string {
	each := ""
	if len(l.changes) > 1 {
		each = " each"
	}
	s := "cuts " + plural(l.cuts, "path") + each
	if l.first > 0 {
		s += fmt.Sprintf("; with those above %d of %d", l.together, len(c.Paths))
	}
	return s
}

func (t *texts) changes() {
	list := t.alike(t.x)
	if len(list) == 0 {
		return
	}
	t.line("\nChange first, what takes most risk away:")
	next, shown := false, 0
	for i := range list {
		l := &list[i]
		if shown == t.Most {
			t.line("  ... and %s more (--most)", plural(len(t.Cut.Remedies)-l.first, "change"))
			return
		}
		shown++
		if l.spare && !next {
			next = true
			t.line("Then, since these would be the next best ways:")
		}
		t.line("%3s. %s", l.numbers(), l.what())
		if objects := l.objects(mostAlso); objects != "" {
			t.line("     %s", objects)
		}
		if !l.spare {
			t.line("     %s", l.worth(&t.Cut))
		}
	}
}
