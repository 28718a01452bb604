package advisory

import (
	"slices"

	"bulwark/advisory/internal/osv"
	"bulwark/advisory/internal/version"
)

// Versions are placed among the distinct versions that a package's events name, its
// ranks: rank i itself is position 2i+1, what lies below it and above rank i-1 is
// position 2i. An interval is a half-open range of positions.
type interval struct{ lo, hi int }

// forever is the end of an interval that nothing closes.
const forever = 1 << 30

// uncovered drops the enumerated versions that a range covers: asking for one of
// those finds the range.
func uncovered(o *version.Order, ranges []osv.Range, versions []string) []string {
	ranks, ok := ranksOf(o, ranges)
	if !ok || len(ranges) == 0 {
		return versions
	}
	var all []interval
	for _, r := range ranges {
		all = append(all, intervals(o, r, ranks)...)
	}
	return slices.DeleteFunc(versions, func(v string) bool {
		return o.Valid(v) && inside(all, position(o, ranks, v))
	})
}

func inside(list []interval, pos int) bool {
	for _, i := range list {
		if pos >= i.lo && pos < i.hi {
			return true
		}
	}
	return false
}

// ranksOf lists the distinct versions of all events, the oldest first; equal versions
// are told by the one that sorts first as text. It fails when one cannot be ordered.
func ranksOf(o *version.Order, ranges []osv.Range) ([]string, bool) {
	var all []string
	for _, r := range ranges {
		for _, e := range r.Events {
			v := e.Introduced + e.Fixed + e.LastAffected + e.Limit
			if e.Introduced == "0" || e.Limit == "*" {
				continue
			}
			if !o.Valid(v) {
				return nil, false
			}
			all = append(all, v)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.SortStableFunc(all, o.Compare)
	return slices.CompactFunc(all, func(a, b string) bool { return o.Compare(a, b) == 0 }), true
}

// position places a valid version.
func position(o *version.Order, ranks []string, v string) int {
	i, found := slices.BinarySearchFunc(ranks, v, o.Compare)
	if found {
		return 2*i + 1
	}
	return 2 * i
}

// intervals turns a range into intervals. At one version an end and a beginning
// cancel out: [introduced a, fixed b, introduced b, fixed c] is [a, c), and
// [introduced a, fixed a] is nothing.
func intervals(o *version.Order, r osv.Range, ranks []string) []interval {
	type edge struct {
		at    int
		begin bool
	}
	var edges []edge
	limit := -1
	for _, e := range r.Events {
		switch {
		case e.Introduced == "0":
			edges = append(edges, edge{0, true})
		case e.Introduced != "":
			edges = append(edges, edge{position(o, ranks, e.Introduced), true})
		case e.Fixed != "":
			edges = append(edges, edge{position(o, ranks, e.Fixed), false})
		case e.LastAffected != "":
			edges = append(edges, edge{position(o, ranks, e.LastAffected) + 1, false})
		case e.Limit == "*":
			limit = forever
		default:
			limit = max(limit, position(o, ranks, e.Limit))
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at - b.at })
	var out []interval
	open := -1
	for len(edges) > 0 {
		at, begins, ends := edges[0].at, false, false
		for len(edges) > 0 && edges[0].at == at {
			begins, ends = begins || edges[0].begin, ends || !edges[0].begin
			edges = edges[1:]
		}
		switch {
		case begins == ends:
		case begins && open < 0:
			open = at
		case ends && open >= 0:
			out = append(out, interval{open, at})
			open = -1
		}
	}
	if open >= 0 {
		out = append(out, interval{open, forever})
	}
	return limited(out, limit)
}

// limited cuts intervals off at the limit; below zero there is none.
func limited(list []interval, limit int) []interval {
	if limit < 0 {
		return list
	}
	var out []interval
	for _, i := range list {
		if i.hi = min(i.hi, limit); i.lo < i.hi {
			out = append(out, i)
		}
	}
	return out
}

// union sorts intervals and joins those that touch.
func union(list []interval) []interval {
	slices.SortFunc(list, func(a, b interval) int { return a.lo - b.lo })
	out := list[:0]
	for _, i := range list {
		if n := len(out); n > 0 && i.lo <= out[n-1].hi {
			out[n-1].hi = max(out[n-1].hi, i.hi)
			continue
		}
		out = append(out, i)
	}
	return out
}

// hasLimit tells whether an end of the range may be a limit, which fixes nothing.
func hasLimit(r osv.Range) bool {
	return slices.ContainsFunc(r.Events, func(e osv.Event) bool { return e.Limit != "" && e.Limit != "*" })
}
