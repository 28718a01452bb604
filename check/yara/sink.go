package yara

import (
	"errors"
	"fmt"
	"sync"

	"bulwark"
	engine "bulwark/check/internal/yara"
)

// sink takes one file.
type sink struct {
	*engine.Scanner
	free *sync.Pool
}

// Close gives a finding for every rule that matched, and an error about what could not
// be judged.
func (s *sink) Close() (bulwark.Facts, error) {
	found, notes := s.Finish()
	s.free.Put(s.Scanner)
	var facts bulwark.Facts
	for i := range found {
		facts.Findings = append(facts.Findings, finding(&found[i]))
	}
	var errs []error
	for _, n := range notes {
		errs = append(errs, fmt.Errorf("%s: %w", n, bulwark.ErrLimit))
	}
	return facts, errors.Join(errs...)
}
