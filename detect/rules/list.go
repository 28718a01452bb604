package rules

import (
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// Listed is a rule of a file as people are told of it, whether it is run or not.
type Listed struct {
	bulwark.Rule
	Name      string `json:"name"`
	Priority  string `json:"priority"`
	Source    string `json:"source"`
	Condition string `json:"condition"` // as it is written, without exceptions
	// Exceptions are those of the rule and those that were appended.
	Exceptions []Exception `json:"exceptions,omitempty"`
	Output     string      `json:"output"`
	Enabled    bool        `json:"enabled"`
	File       string      `json:"file"`
	Line       int         `json:"line"`
}

// Exception is when a rule does not hold.
type Exception struct {
	Name      string `json:"name"`
	Condition string `json:"condition,omitempty"` // with the items of lists in place of their names; "": it has no values
}

// maxException bounds what is told of one: its lists may be very long.
const maxException = 10000

// List tells of the rules that files have, in their order, with their tags as they are written there. What is wrong with rules is told by [Validate].
func List(files ...File) []Listed {
	var in []lang.File
	for _, f := range files {
		in = append(in, lang.File{Name: f.Name, Data: f.Data})
	}
	set := lang.Load(in)
	list := make([]Listed, 0, len(set.Rules))
	for _, r := range set.Rules {
		x := &rule{Rule: r, slug: slug(r.Name), tags: r.Tags}
		list = append(list, Listed{
			Rule: x.about(), Name: r.Name, Priority: priorityNames[r.Priority], Source: r.Source, Condition: strings.Join(strings.Fields(r.Text), " "), Exceptions: exceptions(r.Exceptions),
			Output: written(&r.Output), Enabled: r.Enabled, File: set.Files[r.Pos.File], Line: int(r.Pos.Line),
		})
	}
	return list
}

func exceptions(of []lang.Exception) (list []Exception) {
	for _, e := range of {
		x := Exception{Name: e.Name}
		if e.Expr != nil {
			x.Condition = lang.Print(e.Expr, false, maxException)
		}
		list = append(list, x)
	}
	return list
}

// written is an output as rules have it.
func written(o *lang.Output) string {
	var b strings.Builder
	for _, p := range o.Pieces {
		if p.Term != nil {
			b.WriteByte('%')
		}
		b.WriteString(p.Text)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// about is what people are told of the rule.
func (r *rule) about() bulwark.Rule {
	return bulwark.Rule{ID: "falco/" + r.slug, Title: visible(r.Name), Severity: severity(r.Priority), Reason: visible(strings.Join(strings.Fields(r.Desc), " ")), Tags: r.tags}
}
