package secret

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/gitleaks"
)

// RuleSet is rules that a user brings.
type RuleSet struct {
	// Name is the file that they are from.
	Name string
	// Problems say which rules of the file cannot be taken, and why.
	Problems []Problem
	file     *gitleaks.File
	sum      [sha256.Size]byte
}

// Problem is why a rule cannot be taken.
type Problem struct {
	Line, Column int // 1 is the first; 0: not known
	Rule         string
	Text         string
}

// Len is how many rules were taken.
func (s *RuleSet) Len() int { return len(s.file.Rules) }

var _ bulwark.Ruler = (*Check)(nil)

// Rules lists the built-in rules, and what is made of several findings. Those of a user are
// in the user's file.
func (*Check) Rules() []bulwark.Rule {
	known, err := builtin()
	if err != nil {
		return nil // a test reads them all
	}
	list := []bulwark.Rule{pairRule}
	for _, r := range known {
		tags := r.Tags
		if r.Personal {
			tags = append(slices.Clip(tags), personalTag)
		}
		list = append(list, bulwark.Rule{ID: family + r.ID, Title: r.Title, Severity: r.Severity, Reason: r.Reason, FalsePositives: r.FalsePositives, Tags: tags})
	}
	slices.SortFunc(list, func(a, b bulwark.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Names are the ids of the rules that were taken.
func (s *RuleSet) Names() []string {
	names := make([]string, len(s.file.Rules))
	for i, r := range s.file.Rules {
		names[i] = r.ID
	}
	return names
}

// Inspector looks for what the rules of the set describe, and for nothing else.
func (s *RuleSet) Inspector() *Inspector {
	return &Inspector{engine: sync.OnceValues(func() (*engine, error) { return build(s.file.Apply(nil), time.Time{}), nil })}
}
