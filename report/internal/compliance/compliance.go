// Package compliance is what formats share of frameworks: order and words.
package compliance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

var order = []string{bulwark.StatusFail, bulwark.StatusManual, bulwark.StatusPass, bulwark.StatusNA}

// Sorted gives the controls of a framework, those that failed first and the worst of them
// before the others; within a status as the framework has them.
func Sorted(f *bulwark.Framework) []*bulwark.Control {
	list := make([]*bulwark.Control, len(f.Controls))
	for i := range f.Controls {
		list[i] = &f.Controls[i]
	}
	slices.SortStableFunc(list, func(a, b *bulwark.Control) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status)), cmp.Compare(b.Severity, a.Severity))
	})
	return list
}

// Percent is a score as people read it.
func Percent(s bulwark.Score) string {
	if s.Percent == nil {
		return "-"
	}
	return strconv.Itoa(*s.Percent) + " %"
}

// Words tells a score.
func Words(s bulwark.Score) string {
	if s.Percent == nil {
		return "no score | " + Counts(s)
	}
	return Percent(s) + " | " + Counts(s)
}

// Counts says how many controls have which status.
func Counts(s bulwark.Score) string {
	return fmt.Sprintf("%d passed, %d failed, %d manual, %d not applicable", s.Passed, s.Failed, s.Manual, s.NotApplicable)
}

// Section is what a section is called.
func Section(s bulwark.FrameworkSection) string {
	if s.ID == "" || strings.EqualFold(s.ID, s.Title) || s.ID[0] < '0' || s.ID[0] > '9' {
		return s.Title
	}
	return s.ID + " " + s.Title
}

// Seen is what was seen of a control, on one line: what is worst of it and how many more there are,
// or why it is as it is.
func Seen(c *bulwark.Control) string {
	s := c.Reason
	if c.Status == bulwark.StatusFail && len(c.Evidence) > 0 {
		s, _, _ = strings.Cut(c.Evidence[0], ": ")
		if c.Findings > 1 {
			s += fmt.Sprintf(" (+%d)", c.Findings-1)
		}
	}
	if s == "" {
		s = strings.Join(c.Evidence, "; ")
	}
	return s
}
