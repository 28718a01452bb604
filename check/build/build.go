// Package build judges CI: GitHub's workflows and actions, and GitLab's pipelines.
//
// Each file is judged by itself, but for versions in comments, which are compared across
// the project. What needs to ask GitHub is not looked for: whether a commit belongs to the
// repository that names it (impostor commits), whether a tag and a branch share a name,
// whether the version in a comment is that of the commit, who made an action. Nor is what
// only the settings of the project tell: protected variables and branches, the default
// rights of the token, who may start a run. Actions with known vulnerabilities are found
// by check/vuln: extract/buildfile lists them as packages.
package build

import (
	"context"
	"fmt"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/check/internal/misconfig"
)

const name = "check/build"

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
)

// Check judges CI files.
type Check struct{}

// New returns the check.
func New() *Check { return &Check{} }

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "CI workflows: injection, untrusted code with secrets, unpinned actions.", Version: 2}
}

// Check emits what is wrong with each CI file. A file that cannot be read, in whole or in
// part, is a note that makes the run incomplete.
func (*Check) Check(ctx context.Context, _ *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	known, shared := names{}, misconfig.Gather{}
	for i := range inv.Documents {
		d := &inv.Documents[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		found := misconfig.Gather{Data: d.Data}
		b := base{doc: d, emit: found.Add, known: known, shared: &shared}
		var err error
		switch d.Kind {
		case "github-workflow", "github-action":
			err = b.github()
		case "gitlab-ci":
			err = b.gitlab()
		case "dependabot":
			err = b.dependabot()
		}
		found.Emit(emit)
		if err != nil {
			emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: d.Path, Text: err.Error(), Incomplete: true}})
		}
	}
	shared.Emit(emit)
	return nil
}

// base is a file while it is judged.
type base struct {
	doc   *bulwark.Document
	emit  func(*bulwark.Finding)
	known names
	// shared are findings about what several files have.
	shared *misconfig.Gather
}

// finding is one about a place in the file. Subject and what say what it is about, for
// its key: no line does.
func (b *base) finding(r *Rule, subject, what string, line int, evidence string, args ...any) *bulwark.Finding {
	f := r.Finding(misconfig.Clean(subject), b.doc.Path+"#"+what, fmt.Sprintf(evidence, args...))
	f.Path, f.Layer, f.Line = b.doc.Path, b.doc.Layer, line
	return f
}

// anywhere adds one about a thing that is the same problem in every file of the project.
func (b *base) anywhere(r *Rule, subject string, line int, evidence string, args ...any) {
	f := r.Finding(misconfig.Clean(subject), "", fmt.Sprintf(evidence, args...))
	f.Path, f.Layer, f.Line = b.doc.Path, b.doc.Layer, line
	b.shared.Add(f)
}

// swapped gives a finding the patch that puts another value in the place of one.
func (b *base) swapped(f *bulwark.Finding, n workflow.Node, with string) *bulwark.Finding {
	f.Fix.Patch = misconfig.Swap(b.doc.Path, b.doc.Data, n, with)
	return f
}

// untidy makes a finding one of hygiene.
func untidy(r *Rule, f *bulwark.Finding) *bulwark.Finding {
	r.Rate(f, low)
	f.Tags = append(f.Tags, misconfig.Hygiene)
	return f
}

func (b *base) github() error {
	w, err := workflow.Parse(b.doc.Data)
	h := &hub{base: b, Workflow: w}
	h.whole()
	for _, j := range w.Jobs {
		h.job(j)
	}
	if err != nil {
		return err
	}
	return w.Err()
}
