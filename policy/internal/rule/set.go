package rule

import (
	"strings"

	"bulwark"
	"bulwark/kube"
)

// Set is many rules, found by the ids that they name. It is a [bulwark.Policy].
type Set struct {
	byID map[string][]*Rule // literal ids, upper case
	rest []*Rule
	n    int
}

var _ bulwark.Policy = (*Set)(nil)

// Add puts rules into the set.
func (s *Set) Add(rules ...Rule) {
	for i := range rules {
		s.n++
		s.index(&rules[i])
	}
}

func (s *Set) index(r *Rule) {
	for _, id := range r.IDs {
		if !literal(id) {
			s.rest = append(s.rest, r)
			return
		}
	}
	if len(r.IDs) == 0 {
		s.rest = append(s.rest, r)
		return
	}
	if s.byID == nil {
		s.byID = map[string][]*Rule{}
	}
	for _, id := range r.IDs {
		id = strings.ToUpper(id)
		s.byID[id] = append(s.byID[id], r)
	}
}

// Len is the number of rules.
func (s *Set) Len() int { return s.n }

// Apply sets the exception of the rule that covers the finding; of several the one
// stated last decides, and of those stated at once the first. An exception that
// the finding has already stays.
func (s *Set) Apply(a *bulwark.Asset, f *bulwark.Finding) { s.ApplyIn(a, f, nil) }

// ApplyIn is Apply for a finding of a target that declares objects.
func (s *Set) ApplyIn(a *bulwark.Asset, f *bulwark.Finding, objects *kube.Set) {
	if f.Exception != nil {
		return
	}
	var best *Rule
	consider := func(rules []*Rule) {
		for _, r := range rules {
			if (best == nil || r.Stated.After(best.Stated)) && r.covers(a, f, objects) {
				best = r
			}
		}
	}
	for id := range idsOf(f) {
		consider(s.byID[id])
	}
	consider(s.rest)
	if best != nil && best.Exempt {
		best.used = true
		e := best.Exception
		f.Exception = &e
	}
}

// Unused gives the rules that covered no finding of those that they were applied to.
func (s *Set) Unused() []*Rule {
	seen := map[*Rule]bool{}
	var list []*Rule
	add := func(rules []*Rule) {
		for _, r := range rules {
			if !r.used && !seen[r] {
				seen[r] = true
				list = append(list, r)
			}
		}
	}
	for _, rules := range s.byID {
		add(rules)
	}
	add(s.rest)
	return list
}
