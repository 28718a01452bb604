package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
	"bulwark/internal/near"
	"bulwark/scan"
)

// entryLikelihood is the chance that an attacker comes to hold a pod which he is supposed to
// begin in: by a flaw of the program, or of what it is made of, that nobody knows of.
const entryLikelihood = 0.3

// builds is who runs builds that deploy what others wrote; how likely somebody gets into one is its relations'
// matter.
const builds = "identity:CI runner"

// question makes one of --from and --to. reach is true where it is asked what can be reached
// at all.
func (p *attack) question(g *graph.Graph) (q graph.Question, reach bool, err error) {
	q = defaultQuestion(g, p.namespace)
	if p.namespace != "" && len(q.Starts) == 0 {
		return q, false, &exit{code: exitFailed, err: fmt.Errorf("--namespace %s: no workload runs there: %w", p.namespace, bulwark.ErrNotFound), hint: "workloads run in " + strings.Join(namespaces(g), ", ")}
	}
	if len(p.from) > 0 {
		if q.Starts, err = vertices(g, "--from", p.from); err != nil {
			return q, false, err
		}
		if len(p.to) == 0 {
			return q, true, nil
		}
	}
	if len(p.to) > 0 {
		q.Goals, err = vertices(g, "--to", p.to)
		if len(p.from) == 0 { // nobody begins at what he is after
			goals := map[bulwark.VertexID]bool{}
			for _, e := range q.Goals {
				goals[e.Vertex] = true
			}
			q.Starts = slices.DeleteFunc(q.Starts, func(e graph.End) bool { return goals[e.Vertex] })
		}
		q.Goals = withContainers(g, q)
	}
	return q, false, err
}

// withContainers adds to workloads that are goals their containers: whoever holds one of several
// holds part of the pod, which is enough.
func withContainers(g *graph.Graph, q graph.Question) []graph.End {
	wanted := map[string]bool{}
	for _, e := range q.Goals {
		if kind, name, _ := strings.Cut(string(e.Vertex), ":"); kind == "workload" {
			wanted[name] = true
		}
	}
	for _, e := range q.Starts { // whoever begins in the pod is there
		_, name, _ := strings.Cut(string(e.Vertex), ":")
		delete(wanted, name)
	}
	list := q.Goals
	for _, v := range g.Vertices() {
		kind, name, _ := strings.Cut(string(v), ":")
		if at := strings.LastIndexByte(name, '/'); kind == "container" && at > 0 && wanted[name[:at]] {
			list = append(list, graph.End{Vertex: v, Class: "workload"})
		}
	}
	return list
}

// defaultQuestion asks from where attackers may begin, for what is worth taking.
func defaultQuestion(g *graph.Graph, namespace string) (q graph.Question) {
	for _, v := range g.Vertices() {
		kind, ns := kindOf(v), namespaceOf(v)
		switch kind {
		case "internet":
			if namespace == "" {
				q.Starts = append(q.Starts, graph.End{Vertex: v})
			}
		case "identity":
			if namespace == "" && v == builds {
				q.Starts = append(q.Starts, graph.End{Vertex: v})
			}
		case "workload":
			if namespace == "" && ns != "kube-system" || namespace != "" && ns == namespace {
				q.Starts = append(q.Starts, graph.End{Vertex: v, Side: ns, Likelihood: entryLikelihood})
			}
		case "node", "cluster-admin", "cloud":
			q.Goals = append(q.Goals, graph.End{Vertex: v, Final: kind == "cluster-admin"})
		case "secret":
			q.Goals = append(q.Goals, graph.End{Vertex: v, Side: ns})
		}
	}
	return q
}

// rankByPaths has a scan raise and lower the risk of findings by where they lie on paths.
func rankByPaths(s *scan.Scanner) {
	g := graph.New()
	s.Relaters, s.Relations = all.Relaters(), g
	s.Rank = func(findings []bulwark.Finding) []bulwark.Finding { return weigh(findings, g, defaultQuestion(g, "")) }
}

// namespaces are those in which workloads run; of many the first.
func namespaces(g *graph.Graph) []string {
	var list []string
	for _, v := range g.Vertices() {
		if kindOf(v) == "workload" {
			list = append(list, namespaceOf(v))
		}
	}
	if len(list) == 0 {
		return []string{"no namespace: there are none"}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if n := len(list) - mostSimilar; n > 0 {
		list = append(list[:mostSimilar], fmt.Sprint("and ", n, " more"))
	}
	return list
}

// mostSimilar bounds what a hint lists, and mostNear of what may be meant.
const (
	mostSimilar = 10
	mostNear    = 3
)

func kindOf(v bulwark.VertexID) string {
	kind, _, _ := strings.Cut(string(v), ":")
	return kind
}

// namespaceOf is the first part of a name that has several: "workload:shop/Deployment/cart".
func namespaceOf(v bulwark.VertexID) string {
	_, name, _ := strings.Cut(string(v), ":")
	ns, _, _ := strings.Cut(name, "/")
	return ns
}

// vertices are those that a flag names.
func vertices(g *graph.Graph, flag string, names []string) ([]graph.End, error) {
	var list []graph.End
	for _, text := range names {
		found := meant(g.Vertices(), text)
		if len(found) == 0 {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("%s %s: nothing here is called so: %w", flag, text, bulwark.ErrNotFound), hint: similar(g, text)}
		}
		for _, v := range found {
			list = append(list, graph.End{Vertex: v})
		}
	}
	return list, nil
}

// matching are vertices that a text means: by name, by kind, as a glob, or else by a part of
// the name.
func matching(all []bulwark.VertexID, text string) (found []bulwark.VertexID) {
	pick := func(is func(bulwark.VertexID) bool) bool {
		for _, v := range all {
			if !graph.Grouping(v) && is(v) {
				found = append(found, v)
			}
		}
		return len(found) > 0
	}
	kind, name, named := strings.Cut(text, ":")
	if named && kind == "namespace" {
		pick(func(v bulwark.VertexID) bool {
			k := kindOf(v)
			return (k == "workload" || k == "account") && namespaceOf(v) == name
		})
		return found
	}
	if pick(func(v bulwark.VertexID) bool { return string(v) == text }) ||
		!named && pick(func(v bulwark.VertexID) bool { return kindOf(v) == text }) ||
		pick(func(v bulwark.VertexID) bool { return wild(text, string(v)) }) {
		return found
	}
	if !named {
		kind, name = "", text
	}
	pick(func(v bulwark.VertexID) bool {
		_, whole, _ := strings.Cut(string(v), ":")
		return (kind == "" || kindOf(v) == kind) && (strings.HasSuffix(whole, "/"+name) || slices.Contains(strings.Split(whole, "/"), name))
	})
	return found
}

// wild tells whether a text is what a pattern says, in which "*" stands for anything.
func wild(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

// similar names a few vertices for whoever named one that there is not.
func similar(g *graph.Graph, text string) string {
	kind, name, named := strings.Cut(text, ":")
	switch {
	case named && kind == "namespace":
		return "workloads run in " + strings.Join(namespaces(g), ", ")
	case bulwark.VertexID(text) == builds:
		return "nobody here who may deploy is called as a CI runner is; name who it is: --from account:NAMESPACE/NAME or --from 'identity:User NAME'"
	}
	var names, like, kinds, near []string
	for _, v := range g.Vertices() {
		if graph.Grouping(v) {
			continue
		}
		if nearly(v, text) {
			near = append(near, string(v))
		}
		if kindOf(v) == kind && kind != string(v) {
			names = append(names, string(v))
		}
		if part := cmp.Or(name, text); len(part) > 2 && strings.Contains(strings.ToLower(string(v)), strings.ToLower(part)) {
			like = append(like, string(v))
		}
		kinds = append(kinds, kindOf(v))
	}
	if len(like) > 0 {
		names = like
	}
	slices.Sort(names)
	if slices.Sort(near); len(like) == 0 && len(near) > 0 {
		return "did you mean " + strings.Join(near[:min(len(near), mostNear)], " or ") + "?"
	}
	if n := len(names); n > mostSimilar {
		names = append(names[:mostSimilar], fmt.Sprint("and ", n-mostSimilar, " more"))
	}
	if len(names) > 0 {
		return "there are " + strings.Join(names, ", ")
	}
	slices.Sort(kinds)
	return "say KIND:NAME, or a part of the name; kinds here are " + strings.Join(slices.Compact(kinds), " ")
}

// nearly tells whether a text is the name of a vertex, or the last part of it, but for a slip.
func nearly(v bulwark.VertexID, text string) bool {
	last := func(s string) string { return s[strings.LastIndexAny(s, ":/")+1:] }
	for _, one := range append([]string{text}, spelled(text)...) {
		if one != "" && near.Is(one, string(v)) {
			return true
		}
	}
	kind, _, named := strings.Cut(text, ":")
	return (!named || kind == kindOf(v)) && near.Is(last(text), last(string(v)))
}
