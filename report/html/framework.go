package html

import (
	"strings"

	"bulwark"
	"bulwark/report/internal/compliance"
	"bulwark/report/internal/text"
)

// frameworkView is how a target stands against a framework.
type frameworkView struct {
	Title, Asset   string
	Percent, Words string
	Parts          []part // of the bar, as statuses
	Sections       []sectionView
}

// sectionView is a section with its controls, those that failed first.
type sectionView struct {
	Title, Percent string
	Passed, Failed int
	Manual, NA     int
	Controls       []controlView
}

type controlView struct {
	ID, Title, Status, Severity string
	Seen, Why, Reason, ByHand   string
	Evidence                    []string
	Rules                       string
}

func frameworksOf(r *bulwark.Report) []frameworkView {
	var list []frameworkView
	for i := range r.Frameworks {
		list = append(list, frameworkOf(&r.Frameworks[i]))
	}
	return list
}

func frameworkOf(f *bulwark.Framework) frameworkView {
	v := frameworkView{Title: text.Clean(strings.TrimSpace(f.Title + " " + f.Version)), Asset: text.Clean(string(f.Asset)), Percent: compliance.Percent(f.Score), Words: compliance.Counts(f.Score)}
	if f.Score.Percent == nil {
		v.Percent = "no score"
	}
	v.Parts = partsOf(f.Score)
	sorted := compliance.Sorted(f)
	for _, s := range f.Sections {
		one := sectionView{Title: text.Clean(compliance.Section(s)), Percent: compliance.Percent(s.Score), Passed: s.Score.Passed, Failed: s.Score.Failed, Manual: s.Score.Manual, NA: s.Score.NotApplicable}
		for _, c := range sorted {
			if c.Section == s.ID {
				one.Controls = append(one.Controls, controlOf(c))
			}
		}
		v.Sections = append(v.Sections, one)
	}
	return v
}

func partsOf(s bulwark.Score) []part {
	all := s.Passed + s.Failed + s.Manual + s.NotApplicable
	var parts []part
	x := 0
	for _, one := range []struct {
		class string
		n     int
	}{{"fail", s.Failed}, {"manual", s.Manual}, {"pass", s.Passed}, {"na", s.NotApplicable}} {
		if one.n > 0 {
			w := one.n * fullWidth / all
			parts = append(parts, part{Class: one.class, X: x, Width: w})
			x += w
		}
	}
	return parts
}

func controlOf(c *bulwark.Control) controlView {
	v := controlView{ID: text.Clean(c.ID), Title: text.Clean(c.Title), Status: c.Status, Seen: text.Clean(compliance.Seen(c)), Why: text.Clean(c.Why), Reason: text.Clean(c.Reason), ByHand: text.Clean(c.ByHand),
		Rules: text.Clean(strings.Join(c.Rules, ", "))}
	if c.Status == bulwark.StatusFail {
		v.Severity = c.Severity.String()
	}
	for _, e := range c.Evidence {
		v.Evidence = append(v.Evidence, text.Clean(e))
	}
	return v
}
