// Package dockerfile judges Dockerfiles: what a build takes in without knowing what it is,
// what it leaves behind in the image, and whom the image runs as.
//
// Each rule says in its data why it is there, what argues for its severity, and when it is
// wrong. Hygiene rules are what linters look for: nothing is open to anybody, the build is
// merely less reproducible, larger or slower. Where the change can be computed a finding
// carries a patch.
//
// Limits: the commands of PowerShell and cmd are not read; a variable that is set by the
// shell is not followed; scripts that a RUN calls are not opened; whether a base image sets
// USER or HEALTHCHECK is not known. Where a Dockerfile stands in its build context is not
// known either: a .dockerignore beside it or in a folder above counts.
package dockerfile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

const name = "check/dockerfile"

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
)

// Options of the check; the zero value asks nobody and trusts every registry.
type Options struct {
	// Registries are those that images may come from: "docker.io", "registry.example.org/team".
	// Empty: all.
	Registries []string
	// Resolve gives the digest ("sha256:...") of a reference, for the patch that pins it. Nil:
	// there is no such patch.
	Resolve func(ctx context.Context, ref string) (string, error)
}

// Check judges the Dockerfiles among an inventory's documents.
type Check struct{ o Options }

// New returns the check.
func New(o Options) *Check { return &Check{o} }

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Dockerfiles: unverified downloads, unpinned parts, secrets, root.", Version: 1}
}

// Rules lists the rules by id.
func (*Check) Rules() []bulwark.Rule { return misconfig.List(rules()) }

func rules() []*misconfig.Rule {
	return slices.Concat(imageRules, fetchRules, packageRules, secretRules, rightsRules, styleRules)
}

// Check judges every Dockerfile; one that cannot be parsed is a note, and the run is incomplete.
func (c *Check) Check(ctx context.Context, _ *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	for i := range inv.Documents {
		if err := ctx.Err(); err != nil {
			return err
		}
		doc := &inv.Documents[i]
		if doc.Kind != "dockerfile" {
			continue
		}
		file, err := df.Parse(doc.Data)
		if err != nil {
			emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: doc.Path, Text: "Dockerfile not judged: " + err.Error(), Incomplete: true}})
			continue
		}
		j := &judge{ctx: ctx, o: &c.o, path: doc.Path, data: doc.Data, file: file, ignored: hasIgnore(inv.Documents, doc.Path), at: map[string]int{}}
		j.prepare()
		j.all()
		j.emit(emit)
	}
	return nil
}

const (
	mostFindings = 1000 // of one file
	mostPlaces   = 100  // of one finding
	mostEvidence = 5    // texts of one finding
)

// judge looks at one Dockerfile.
type judge struct {
	ctx     context.Context
	o       *Options
	path    string
	data    []byte
	file    *df.File
	ignored bool               // there is a .dockerignore
	shipped map[*df.Stage]bool // the last stage and those it is built from
	workdir map[*df.Stage]int  // the line of the first WORKDIR in it, or 1 when a parent has one
	results []*result
	at      map[string]int // by key
	dropped int
	notes   []string
}

// result is a finding and the lines that its patch changes. It may have several places,
// and is as bad as the worst of them.
type result struct {
	*bulwark.Finding
	rule  *misconfig.Rule
	worst vote // of the places but the last
	last  vote
	edits []misconfig.Edit
}

// vote is how bad one place is.
type vote struct {
	severity bulwark.Severity
	hygiene  bool
}

func (v vote) worse(w vote) vote {
	return vote{max(v.severity, w.severity), v.hygiene && w.hygiene}
}

// prepare settles what many rules ask.
func (j *judge) prepare() {
	j.shipped, j.workdir = map[*df.Stage]bool{}, map[*df.Stage]int{}
	for _, s := range j.file.Stages {
		if s.Parent != nil && j.workdir[s.Parent] > 0 {
			j.workdir[s] = 1
			continue
		}
		at := slices.IndexFunc(s.Instructions, func(i *df.Instruction) bool { return i.Name == "workdir" })
		if at >= 0 {
			j.workdir[s] = s.Instructions[at].First
		}
	}
	if n := len(j.file.Stages); n > 0 {
		for s := j.file.Stages[n-1]; s != nil; s = s.Parent {
			j.shipped[s] = true
		}
	}
}

func (j *judge) all() {
	j.invalid()
	j.images()
	j.copies()
	for _, i := range j.file.Instructions {
		j.values(i)
		j.style(i)
		if i.Script != nil {
			s := &script{judge: j, i: i, Script: i.Script}
			s.verified = s.verifies()
			s.fetches()
			s.packages()
			s.secrets()
			s.rights()
			s.shell()
		}
	}
	j.user()
	j.whole()
}

// found adds a finding about an instruction; subject is what it is about, the same for the
// same problem. The evidence is the instruction unless there is other.
func (j *judge) found(r *misconfig.Rule, i *df.Instruction, line int, subject string, evidence ...string) *result {
	subject = cut(redact(subject))
	key := r.ID + " " + subject
	if at, ok := j.at[key]; ok {
		j.results[at].again(i, line, evidence)
		return j.results[at]
	}
	f := r.Finding(subject, j.path)
	f.Path, f.Line, f.Places = j.path, line, []bulwark.Place{{Path: j.path, Line: line}}
	f.Tags = without(f.Tags, misconfig.Hygiene)
	f.Evidence = shown(i, evidence)
	found := &result{Finding: f, rule: r, worst: vote{bulwark.SeverityLow, true}, last: vote{r.Severity, r.Hygiene}}
	if len(j.results) >= mostFindings {
		j.dropped++
		return found
	}
	j.at[key] = len(j.results)
	j.results = append(j.results, found)
	return found
}

// shown is the evidence fit to be shown.
func shown(i *df.Instruction, evidence []string) []string {
	if len(evidence) == 0 {
		evidence = []string{instructionText(i)}
	}
	out := make([]string, len(evidence))
	for k, e := range evidence {
		out[k] = cut(redact(e))
	}
	return out
}

// again adds a place to a finding that is there.
func (r *result) again(i *df.Instruction, line int, evidence []string) {
	r.worst, r.last = r.worst.worse(r.last), vote{r.rule.Severity, r.rule.Hygiene}
	place := bulwark.Place{Path: r.Path, Line: line}
	if len(r.Places) >= mostPlaces || slices.Contains(r.Places, place) {
		return
	}
	r.Places = append(r.Places, place)
	if len(r.Evidence) < mostEvidence {
		r.Evidence = append(r.Evidence, shown(i, evidence)...)
	}
}

// rate gives the place that was found last another severity than the rule has.
func (r *result) rate(s bulwark.Severity) { r.last.severity, r.last.hygiene = s, false }

// hygiene makes the place that was found last one of hygiene.
func (r *result) hygiene() { r.last = vote{bulwark.SeverityLow, true} }

// fix says more exactly what to do.
func (r *result) fix(text string) {
	r.Fix = &bulwark.Fix{Text: cut(redact(text))}
}

// emit sends the findings, with their patches.
func (j *judge) emit(emit func(bulwark.Record)) {
	for _, r := range j.results {
		v := r.worst.worse(r.last)
		r.rule.Rate(r.Finding, v.severity)
		if v.hygiene {
			r.Tags = append(r.Tags, misconfig.Hygiene)
		}
		if p := misconfig.Diff(j.path, j.data, r.edits); p != nil && r.Fix != nil {
			r.Fix.Patch = p
		}
		emit(bulwark.Record{Finding: r.Finding})
	}
	for _, text := range j.notes {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: j.path, Text: text}})
	}
	if j.dropped > 0 {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: j.path, Incomplete: true, Text: fmt.Sprintf("%d more findings are not shown", j.dropped)}})
	}
}

// hasIgnore tells whether a .dockerignore is beside the Dockerfile or in a folder above.
func hasIgnore(docs []bulwark.Document, dockerfile string) bool {
	for i := range docs {
		d := &docs[i]
		if d.Kind != "dockerignore" {
			continue
		}
		dir := d.Path[:strings.LastIndexByte(d.Path, '/')+1]
		if strings.HasPrefix(dockerfile, dir) && (d.Path == dir+".dockerignore" || d.Path == dir+".containerignore" || d.Path == dockerfile+".dockerignore") {
			return true
		}
	}
	return false
}
