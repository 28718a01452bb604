package framework

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// mostEvidence is how many lines one control tells.
const mostEvidence = 20

// Evaluate holds what was found of one target against a framework. A control fails when a
// finding that no exception covers speaks against it. It passes when its rules ran to their
// end over what it needs and found nothing; silence for any other reason is manual, or not
// applicable where there is nothing that it speaks of.
//
// The score is the share of controls that passed among those that passed or failed, each of
// the same weight.
func Evaluate(d *Definition, f *Facts, findings []bulwark.Finding) bulwark.Framework {
	out := bulwark.Framework{ID: d.ID, Title: d.Title, Version: d.Version, Asset: f.Asset}
	e := evaluation{facts: f, byRule: map[string][]*bulwark.Finding{}}
	for i := range findings {
		e.byRule[findings[i].Rule] = append(e.byRule[findings[i].Rule], &findings[i])
	}
	for i := range d.Sections {
		s := bulwark.FrameworkSection{ID: d.Sections[i].ID, Title: d.Sections[i].Title}
		for j := range d.Sections[i].Controls {
			c := e.judge(&d.Sections[i].Controls[j])
			c.Section = s.ID
			s.Score.Count(c.Status)
			out.Score.Count(c.Status)
			out.Controls = append(out.Controls, c)
		}
		out.Sections = append(out.Sections, s)
	}
	return out
}

// evaluation is one target against one framework.
type evaluation struct {
	facts  *Facts
	byRule map[string][]*bulwark.Finding
}

func (e *evaluation) judge(c *Control) bulwark.Control {
	out := bulwark.Control{ID: c.ID, Title: c.Title, Why: c.Why, ByHand: c.Hand, Rules: slices.Clone(c.Rules)}
	byTag := e.tagged(c)
	for id := range byTag {
		if !c.names(id) {
			out.Rules = append(out.Rules, id)
		}
	}
	slices.Sort(out.Rules)
	e.against(c, byTag, &out)
	if out.Findings > 0 {
		out.Status = bulwark.StatusFail
		out.Reason = count(out.Findings, "finding speaks", "findings speak") + " against it"
		if out.Excepted > 0 {
			out.Reason += ", and " + strconv.Itoa(out.Excepted) + " more are excepted"
		}
		return out
	}
	out.Status, out.Reason = e.silent(c, out.Rules)
	if out.Status == bulwark.StatusPass {
		out.Evidence = append(out.Evidence, e.lookedAt(c)...)
	}
	if out.Excepted > 0 {
		out.Reason = strings.TrimPrefix(out.Reason+"; ", "; ") + count(out.Excepted, "finding is excepted", "findings are excepted")
	}
	return out
}

// tagged are the rules that ran and have the control's tag.
func (e *evaluation) tagged(c *Control) map[string]bool {
	m := map[string]bool{}
	for i := range e.facts.Rules {
		if r := &e.facts.Rules[i]; c.Tag != "" && slices.Contains(r.Tags, c.Tag) {
			m[r.ID] = true
		}
	}
	return m
}

// against gathers the findings that speak against a control, the worst first.
func (e *evaluation) against(c *Control, byTag map[string]bool, out *bulwark.Control) {
	var list []*bulwark.Finding
	for rule, findings := range e.byRule {
		if !c.names(rule) && !byTag[rule] && (c.Tag == "" || len(findings) == 0 || !slices.Contains(findings[0].Tags, c.Tag)) {
			continue
		}
		for _, f := range findings {
			switch {
			case c.Only != "" && !tagged(f, c.Only) || c.Except != "" && tagged(f, c.Except):
			case f.Exception != nil:
				out.Excepted++
			default:
				list = append(list, f)
			}
		}
	}
	slices.SortFunc(list, func(a, b *bulwark.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Key, b.Key))
	})
	out.Findings = len(list)
	for i, f := range list {
		if i == mostEvidence {
			out.Evidence = append(out.Evidence, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		out.Severity = max(out.Severity, f.Severity)
		out.Evidence, out.Keys = append(out.Evidence, line(f)), append(out.Keys, f.Key)
	}
}

// tagged tells whether a finding has a tag like glob.
func tagged(f *bulwark.Finding, glob string) bool {
	return slices.ContainsFunc(f.Tags, func(tag string) bool { return match(glob, tag) })
}

// line tells of a finding: what, in which file, and what is wrong with it.
func line(f *bulwark.Finding) string {
	s := f.Subject
	if f.Path != "" {
		s += " (" + f.Path
		if f.Line > 0 {
			s += ":" + strconv.Itoa(f.Line)
		}
		s += ")"
	}
	s += ": " + f.Title
	if len(f.Evidence) > 0 {
		s += ": " + f.Evidence[0]
	}
	return s
}

// silent says what it means that nothing speaks against a control.
func (e *evaluation) silent(c *Control, rules []string) (status, reason string) {
	if len(rules) == 0 {
		return bulwark.StatusManual, "no rule sees it"
	}
	if why := e.facts.unlisted(c.Needs); why != "" {
		return bulwark.StatusManual, why
	}
	if len(e.lookedAt(c)) == 0 {
		return e.absent(c)
	}
	if what := e.blind(c, rules); what != "" {
		return bulwark.StatusManual, what
	}
	if why := e.notRun(c, rules); why != "" {
		return bulwark.StatusManual, why
	}
	if strings.HasPrefix(c.Only, "component:") && e.facts.Doubts != "" {
		return bulwark.StatusManual, "the rules found nothing, and not all was judged: " + e.facts.Doubts
	}
	if e.facts.Unread != "" {
		return bulwark.StatusManual, "the rules found nothing, and not everything could be read: " + e.facts.Unread
	}
	if c.Manual {
		return bulwark.StatusManual, "the rules found nothing, and see only a part of it"
	}
	return bulwark.StatusPass, ""
}

// absent is when there is nothing of what the control speaks of: it is set up elsewhere, or
// there is none.
func (e *evaluation) absent(c *Control) (status, reason string) {
	for _, need := range c.Needs {
		kind, name, ok := strings.Cut(need, ":")
		switch {
		case need == "engine" || kind == "docker" && e.facts.Seen["engine"] > 0:
			return bulwark.StatusManual, cmp.Or(map[string]string{"engine": noEngine}[need], "the settings of Docker on this machine were not read")
		case kind == "docker":
			return bulwark.StatusNA, "no Docker is among what was looked at"
		case ok && kind == "component":
			return bulwark.StatusManual, "the command line of " + name + " is not among what was looked at"
		case ok:
			return bulwark.StatusManual, "no " + name + " is among what was looked at"
		}
	}
	switch {
	case slices.Contains(c.Needs, "image") && e.facts.Seen["workload"] > 0:
		return bulwark.StatusManual, "the images were not looked at"
	case slices.Contains(c.Needs, "version") || slices.Contains(c.Needs, "cluster"):
		return bulwark.StatusManual, "a running cluster tells; this is none"
	}
	return bulwark.StatusNA, "no " + strings.Join(c.Needs, ", no ") + " is among what was looked at"
}

// notRun says why the silence of a control's rules means nothing; "" when it does.
func (e *evaluation) notRun(c *Control, rules []string) string {
	for _, glob := range rules {
		for _, rule := range slices.Sorted(maps.Keys(e.facts.Failed)) {
			if match(glob, rule) {
				return rule + " did not look at everything: " + e.facts.Failed[rule]
			}
		}
		if !slices.ContainsFunc(e.facts.Rules, func(r bulwark.Rule) bool { return match(glob, r.ID) }) {
			return glob + " did not run"
		}
	}
	return ""
}

// lookedAt counts what the control needs; empty when there is nothing of it.
func (e *evaluation) lookedAt(c *Control) []string {
	if len(c.Needs) == 0 {
		return []string{"everything was looked at"}
	}
	var list []string
	for _, need := range c.Needs {
		n := e.facts.Seen[need]
		if n == 0 {
			continue
		}
		name := need
		if _, rest, ok := strings.Cut(need, ":"); ok {
			name = rest
		}
		list = append(list, counted(n, name))
	}
	if len(list) == 0 {
		return nil
	}
	text := "looked at " + strings.Join(list, ", ")
	if len(e.facts.Namespaces) > 0 {
		text += " in " + strings.Join(e.facts.Namespaces, ", ")
	}
	return []string{text}
}

// counted is a number of things of a kind: "12 workloads".
func counted(n int, kind string) string {
	switch kind {
	case "version":
		return "the versions"
	case "cluster":
		return "the cluster"
	case "image":
		return "the image"
	case "engine", "docker":
		return "the engine"
	case "files":
		return "the engine's files"
	case "workload":
		return count(n, "workload", "workloads")
	}
	return strconv.Itoa(n) + " " + kind
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
