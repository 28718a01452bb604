// Package vex says what a finding's exception, and what is known of its use, mean in
// the words of VEX. It claims no more than was said: a person who accepts a problem
// does not say that the product is not affected.
package vex

import (
	"strings"

	"bulwark"
)

// Status is what a statement about a vulnerability says.
type Status int

// The statuses.
const (
	Affected    Status = iota
	Accepted           // affected, and somebody decided to live with it
	NotAffected        // somebody said so
	NotLinked          // the vulnerable code is not in the binary
	Fixed              // somebody said so
	Unrated            // affected by version, and nobody has rated it yet
)

// Of is the status of a vulnerability.
func Of(f *bulwark.Finding) Status {
	switch {
	case f.Exception != nil:
		return ofReason(f.Exception.Reason)
	case f.InUse != nil && !*f.InUse && strings.HasPrefix(f.Subject, "pkg:golang/"):
		return NotLinked
	case f.Severity == bulwark.SeverityUnknown && (f.Vulnerability == nil || len(f.Vulnerability.Fixed) == 0):
		return Unrated
	}
	return Affected
}

// ofReason reads a reason as people and VEX documents begin it.
func ofReason(reason string) Status {
	reason = strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(reason))
	for _, start := range []string{"not affected", "not reachable", "unreachable", "not used", "not present", "not exploitable", "false positive",
		"component not present", "vulnerable code", "inline mitigation", "code not "} {
		if strings.HasPrefix(reason, start) {
			return NotAffected
		}
	}
	for _, start := range []string{"fixed", "resolved"} {
		if strings.HasPrefix(reason, start) {
			return Fixed
		}
	}
	return Accepted
}

// Words is an exception in one sentence.
func Words(e *bulwark.Exception) string {
	s := e.Reason
	if e.Owner != "" {
		s += " (" + e.Owner
		if e.Expires != "" {
			s += ", until " + e.Expires
		}
		return s + ")"
	}
	if e.Expires != "" {
		s += " (until " + e.Expires + ")"
	}
	return s
}
