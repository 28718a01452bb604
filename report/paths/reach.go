package paths

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/graph"
)

// inOrder is in which order kinds of what can be reached are told: what attackers are after
// first.
var inOrder = []string{"cluster-admin", "node", "cloud", "secret", "identity", "account", "workload", "container", "volume", "configmap", "image", "registry", "permission", "endpoint"}

// reached are the paths to what can be reached, without what goes without saying: the
// containers of pods that are, and the pod of a container that is alone in it.
func (a *Answer) reached() []graph.Path {
	list := slices.DeleteFunc(slices.Clone(a.Paths), func(p graph.Path) bool {
		list := steps(&p)
		last := list[len(list)-1]
		return last.Likelihood == 1 && len(last.Remedies) == 0 && (last.Edge == "CONTAINER_ATTACH" || last.Edge == "MEMBER_OF" && kindOf(last.From) == "container")
	})
	rank := func(p *graph.Path) int {
		if n := slices.Index(inOrder, kindOf(p.To())); n >= 0 {
			return n
		}
		return len(inOrder)
	}
	slices.SortStableFunc(list, func(a, b graph.Path) int { return rank(&a) - rank(&b) })
	return list
}

// reachline says it in a sentence.
func (a *Answer) reachline(list []graph.Path) string {
	starts := map[bulwark.VertexID]bool{}
	for i := range list {
		starts[list[i].From()] = true
	}
	from := plural(a.Starts, "place")
	if len(starts) == 1 && a.Starts == 1 {
		from = title(list[0].From())
	}
	return fmt.Sprintf("%s can be reached from %s.", plural(len(list), "thing"), from)
}

// reach lists what can be reached, by kind.
func (t *texts) reach() {
	list := t.reached()
	n := map[string]int{}
	for i := range list {
		n[kindOf(list[i].To())]++
	}
	t.line("%s", t.reachline(list))
	if n["cluster-admin"] > 0 {
		t.line("Whoever is cluster-admin holds everything else as well: what can be reached by that alone is not listed.")
	}
	kind, shown := "", 0
	for i := range list {
		p := &list[i]
		if k := kindOf(p.To()); k != kind {
			kind, shown = k, 0
			t.line("\n%s: %d", kind, n[kind])
		}
		if shown++; shown > t.Most {
			if shown == t.Most+1 {
				t.line("  ... and %d more (--most)", n[kind]-t.Most)
			}
			continue
		}
		t.line("  %3d%%  %s", Risk(p.Likelihood), title(p.To()))
		t.line("        %s", chain(p))
	}
}

// chain is a path in a line: what is passed, and how.
func chain(p *graph.Path) string {
	var b strings.Builder
	list := trimmed(steps(p))
	for i, s := range list {
		b.WriteString("by " + s.Edge)
		if i+1 < len(list) {
			b.WriteString(" to " + title(s.To) + ", ")
		}
	}
	return b.String()
}
