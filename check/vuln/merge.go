package vuln

import (
	"cmp"
	"slices"
	"strings"

	"bulwark/advisory"
)

// group is the records that are one vulnerability: the lead, and those that name it.
type group struct {
	lead   *advisory.Hit
	others []*advisory.Hit
}

// merge puts hits that are the same vulnerability together. Two records are the same
// only when one names the other: as an alias, or as its only upstream. A record that
// covers several CVEs joins only records that cover the very same ones, so a DSA on five
// CVEs is a finding of its own beside the five. Being the same is not passed
// on: each member and the lead name each other, because databases list ids of rather
// different problems as aliases of one collective record.
//
// A distribution's records lead, then CVE, then the others, and of those an
// ecosystem's own before GHSA. Groups come in the order of their leads.
func merge(hits []advisory.Hit, distribution bool) []group {
	order := make([]*advisory.Hit, len(hits))
	for i := range hits {
		order[i] = &hits[i]
	}
	slices.SortFunc(order, func(a, b *advisory.Hit) int {
		return cmp.Or(cmp.Compare(rank(a, distribution), rank(b, distribution)), strings.Compare(a.ID, b.ID))
	})
	order = slices.CompactFunc(order, func(a, b *advisory.Hit) bool { return a.ID == b.ID })
	links := link(order)
	groups := make([]group, 0, len(order))
	taken := make([]bool, len(order))
	for i, hit := range order {
		if taken[i] {
			continue
		}
		g := group{lead: hit}
		for _, j := range links[i] {
			if !taken[j] {
				taken[j] = true
				g.others = append(g.others, order[j])
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func rank(h *advisory.Hit, distribution bool) int {
	switch {
	case strings.HasPrefix(h.ID, "CVE-"):
		return 1
	case distribution:
		return 0
	case strings.HasPrefix(h.ID, "GHSA-"):
		return 3
	}
	return 2
}

// link maps each record to the later ones that are the same. Most ids that records
// name are of no record at hand, which their first letters tell: then there is nothing to
// look up.
func link(order []*advisory.Hit) map[int][]int {
	var families []string
	for _, h := range order {
		if f := family(h.ID); !slices.Contains(families, f) {
			families = append(families, f)
		}
	}
	var index map[string]int
	var links map[int][]int
	for i, h := range order {
		for _, id := range same(h) {
			if !slices.Contains(families, family(id)) {
				continue
			}
			if index == nil {
				index = indexByID(order)
			}
			j, ok := index[id]
			if !ok || i == j || !compatible(h, order[j]) {
				continue
			}
			if links == nil {
				links = map[int][]int{}
			}
			a, b := min(i, j), max(i, j)
			if !slices.Contains(links[a], b) {
				links[a] = append(links[a], b)
			}
		}
	}
	for _, l := range links {
		slices.Sort(l)
	}
	return links
}

func indexByID(order []*advisory.Hit) map[string]int {
	index := make(map[string]int, len(order))
	for i, h := range order {
		index[h.ID] = i
	}
	return index
}

// same gives the ids of records that h says it is.
func same(h *advisory.Hit) []string {
	if len(h.Upstream) != 1 {
		return h.Aliases
	}
	if len(h.Aliases) == 0 {
		return h.Upstream
	}
	return slices.Concat(h.Aliases, h.Upstream)
}

// family is what ids of one database begin with.
func family(id string) string {
	i := strings.IndexByte(id, '-')
	return id[:max(i, 0)]
}

// compatible tells whether two records may be one: neither covers several CVEs, or both
// cover the same ones.
func compatible(a, b *advisory.Hit) bool {
	ca, cb := covered(a), covered(b)
	if len(ca) <= 1 && len(cb) <= 1 {
		return true
	}
	return slices.Equal(ca, cb)
}

// covered are the CVEs that a record is about, by its own words.
func covered(h *advisory.Hit) []string {
	var cves []string
	for _, ids := range [][]string{{h.ID}, h.Aliases, h.Upstream} {
		for _, id := range ids {
			if strings.HasPrefix(id, "CVE-") {
				cves = append(cves, id)
			}
		}
	}
	slices.Sort(cves)
	return slices.Compact(cves)
}
