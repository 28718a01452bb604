package secret

import (
	"crypto/sha256"

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
