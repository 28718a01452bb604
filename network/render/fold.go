package render

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/network"
)

// namer names workloads that are alike.
type namer struct {
	e    *network.Engine
	size map[string]int // how many workloads a namespace has
	all  int
}

func newNamer(e *network.Engine, classes [][]int) *namer {
	n := &namer{e: e, size: map[string]int{}}
	seen := map[string]bool{}
	for _, class := range classes {
		for _, i := range class {
			if name := e.Endpoints[i].String(); !seen[name] {
				seen[name] = true
				n.size[e.Endpoints[i].Namespace]++
				n.all++
			}
		}
	}
	return n
}

// name is what a class is called: a workload by its name, all of a namespace "shop/* (12
// workloads)", everything "all 300 workloads", others after the first of them. Members are
// the names of all, sorted.
func (n *namer) name(class []int) (string, []string) {
	var members, spaces []string
	count := map[string]int{}
	for _, i := range class {
		name := n.e.Endpoints[i].String()
		if slices.Contains(members[max(0, len(members)-8):], name) { // they are sorted by name
			continue
		}
		members = append(members, name)
		space := n.e.Endpoints[i].Namespace
		if count[space]++; count[space] == 1 {
			spaces = append(spaces, space)
		}
	}
	slices.Sort(members)
	members = slices.Compact(members)
	switch {
	case len(members) == 1:
		return members[0], members
	case len(members) == n.all:
		return fmt.Sprintf("all %d workloads", n.all), members
	case len(spaces) > 4 || slices.ContainsFunc(spaces, func(s string) bool { return count[s] != n.size[s] }):
		return fmt.Sprintf("%s and %d alike", members[0], len(members)-1), members
	}
	return fmt.Sprintf("%s/* (%d workloads)", strings.Join(spaces, "/*, "), len(members)), members
}
