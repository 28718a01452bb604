// Package found looks up findings by rule and object, for the relations that they make.
package found

import (
	"slices"
	"strings"

	"bulwark"
)

// Findings are those of a target, by rule and subject.
type Findings struct {
	by map[[2]string][]*bulwark.Finding
	of map[string][]*bulwark.Finding // by subject
}

// New makes the index. A finding with an exception makes no relation less: an attacker does
// not care.
func New(findings []bulwark.Finding) *Findings {
	f := &Findings{make(map[[2]string][]*bulwark.Finding, len(findings)), map[string][]*bulwark.Finding{}}
	for i := range findings {
		g := &findings[i]
		key := [2]string{g.Rule, g.Subject}
		f.by[key] = append(f.by[key], g)
		f.of[g.Subject] = append(f.of[g.Subject], g)
	}
	return f
}

// Because gives a relation the findings of some rules about an object as its reason, and
// their fixes as remedies. Rules that found nothing add nothing. Where a rule has several
// findings about the object, which are different problems, the last of them counts; ask
// [Findings.Of] to tell them apart.
func (f *Findings) Because(r *bulwark.Relation, subject string, rules ...string) {
	for _, rule := range rules {
		if list := f.by[[2]string{rule, subject}]; len(list) > 0 {
			Add(r, list[len(list)-1])
		}
	}
}

// Of gives the findings of a rule about an object.
func (f *Findings) Of(subject, rule string) []*bulwark.Finding {
	return f.by[[2]string{rule, subject}]
}

// Line is a line of the evidence of a finding.
type Line struct {
	Text string
	Of   *bulwark.Finding
}

// Lines are those about an object, of rules whose id begins so, that have a text in them.
func (f *Findings) Lines(subject, rule, has string) (list []Line) {
	for _, g := range f.of[subject] {
		if !strings.HasPrefix(g.Rule, rule) {
			continue
		}
		for _, line := range g.Evidence {
			if strings.Contains(line, has) {
				list = append(list, Line{line, g})
			}
		}
	}
	return list
}

// Like gives the finding about an object of a rule whose id begins so, that has a line of
// evidence which begins with one text and has the other in it; nil when there is none.
func (f *Findings) Like(subject, rule, begins, has string) *bulwark.Finding {
	for _, g := range f.of[subject] {
		if strings.HasPrefix(g.Rule, rule) && slices.ContainsFunc(g.Evidence, func(line string) bool {
			return strings.HasPrefix(line, begins) && strings.Contains(line, has)
		}) {
			return g
		}
	}
	return nil
}

// Add gives a relation a finding as a reason, and its fix as a remedy. A nil finding adds
// nothing.
func Add(r *bulwark.Relation, g *bulwark.Finding) {
	if g == nil {
		return
	}
	r.Because = append(r.Because, g.Key)
	if g.Fix != nil {
		r.Remedies = append(r.Remedies, bulwark.RemedyOf(g))
	}
	if r.Place == nil && g.Path != "" {
		r.Place = &bulwark.Place{Path: g.Path, Line: g.Line}
	}
}
