// Package yara is an engine for the part of the YARA language that rules for Linux and
// containers use. It needs no library and no memory beyond a window of the file, unless
// rules ask for functions of the whole file, which see files of up to 64 MB.
//
// Strings are found by their atoms, short runs of bytes that every match holds: one pass
// of internal/match finds all atoms of all rules, and package pattern verifies around
// them. A condition is evaluated when the file has ended, and only when it can hold: most
// conditions are false as long as none of their strings is found, which is known when
// they are compiled.
//
// What differs from libyara: an expression is matched within 4,096 bytes of its atom in
// either direction (libyara has the same bound in other places); matches of a string are
// kept up to 100,000 (libyara: 1,000,000), and the scan says when there were more; a
// string of which a condition only asks whether it is there is not looked for any
// further once it was found a few times.
package yara

import (
	"fmt"

	"bulwark/check/internal/yara/syntax"
)

// Problem is a rule that is refused, or a source that could not be read.
type Problem struct {
	File         string
	Line, Column int
	Rule         string // empty when it concerns no single rule
	Reason       string
}

func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Line == 0 {
		s = p.File + ": "
	}
	if p.Rule != "" {
		s += "rule " + p.Rule + ": "
	}
	return s + p.Reason
}

// Source is the text of rules. Rules of different sources may have equal names, and a
// global rule concerns its own source alone.
type Source struct {
	Name string
	Text string
	// Include gives the text of a file that the source includes; nil refuses them.
	Include func(name string) (string, error)
}

// Rule is a rule that was compiled.
type Rule struct {
	Name, File      string
	Line            int
	Tags            []string
	Meta            []syntax.Meta
	Global, Private bool

	space     int // its namespace
	index     int
	strings   []int // in Rules.strings
	condition node
	guard     guard
	// idle is true when the condition is false as long as no string of the rule is found.
	idle bool
}

// Rules is rules made ready; any number of scanners use it at once.
type Rules struct {
	rules   []*Rule
	strings []*text
	finder  finder
	// always are the rules that may match files without any of their strings.
	always []*Rule
	// whole is true when a rule asks for more than the head of files.
	whole bool
	// spaces is how many namespaces there are.
	spaces int
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// All lists the rules, in the order of their sources.
func (r *Rules) All() []*Rule { return r.rules }

// Whole tells whether a rule asks for functions of whole files, which are kept in memory
// up to [WholeFile].
func (r *Rules) Whole() bool { return r.whole }
