// Package found looks up findings by rule and object, for the relations that they make.
package found

import "bulwark"

// Findings are those of a target, by rule and subject.
type Findings struct {
	by map[[2]string]*bulwark.Finding
}

// New makes the index. A finding with an exception makes no relation less: an attacker does
// not care.
func New(findings []bulwark.Finding) *Findings {
	f := &Findings{make(map[[2]string]*bulwark.Finding, len(findings))}
	for i := range findings {
		f.by[[2]string{findings[i].Rule, findings[i].Subject}] = &findings[i]
	}
	return f
}

// Because gives a relation the findings of some rules about an object as its reason, and
// their fixes as remedies. Rules that found nothing add nothing.
func (f *Findings) Because(r *bulwark.Relation, subject string, rules ...string) {
	for _, rule := range rules {
		if found := f.by[[2]string{rule, subject}]; found != nil {
			r.Because = append(r.Because, found.Key)
			if found.Fix != nil {
				r.Remedies = append(r.Remedies, bulwark.RemedyOf(found))
			}
			if r.Place == nil && found.Path != "" {
				r.Place = &bulwark.Place{Path: found.Path, Line: found.Line}
			}
		}
	}
}
