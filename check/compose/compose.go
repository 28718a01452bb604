// Package compose judges compose files: what services ask of the engine that leads out of
// their container, what they publish, and what they give away.
//
// Each file is judged by itself, but for what a service lacks: files of one folder may be
// taken together (compose.override.yaml), so that what any of them gives the service it
// does not lack. Values of variables without a default are not known, nor is .env read. A
// file that is included or extended and is no compose file by its name is a note.
package compose

import (
	"context"
	"fmt"

	"bulwark"
	"bulwark/build/compose"
	"bulwark/check/internal/misconfig"
)

const (
	name = "check/compose"
	kind = "compose" // of the documents
)

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
)

// Options of the check; the zero value asks nobody.
type Options struct {
	// Resolve gives the digest ("sha256:...") of a reference, for the patch that pins it. Nil:
	// there is no such patch.
	Resolve func(ctx context.Context, ref string) (string, error)
}

// Check judges compose files.
type Check struct{ o Options }

// New returns the check.
func New(o Options) *Check { return &Check{o} }

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Compose files: privileges, mounts, published ports, secrets.", Version: 2}
}

// Check emits what is wrong with each compose file. A file that cannot be read, in whole
// or in part, is a note that makes the run incomplete.
func (c *Check) Check(ctx context.Context, _ *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	p := read(inv)
	for i := range p.files {
		f := &p.files[i]
		d := f.doc
		if err := ctx.Err(); err != nil {
			return err
		}
		note := func(err error) {
			if err != nil {
				emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: d.Path, Text: err.Error(), Incomplete: true}})
			}
		}
		note(f.err)
		for _, text := range p.unread(f) {
			emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: d.Path, Text: text, Incomplete: true}})
		}
		found := misconfig.Gather{Data: d.Data}
		for _, s := range f.Services {
			j := judge{ctx: ctx, o: &c.o, note: emit, Service: s, file: f, doc: d, emit: found.Add, others: p.others(f, s)}
			j.all()
		}
		found.Emit(emit)
		note(f.Err())
	}
	return nil
}

// judge looks at one service.
type judge struct {
	ctx  context.Context
	o    *Options
	note func(bulwark.Record)
	*compose.Service
	file *file
	doc  *bulwark.Document
	emit func(*bulwark.Finding)
	// others are services of that name in files beside this one, itself among them.
	others []*compose.Service
}

func (j *judge) all() {
	j.rights()
	j.namespaces()
	j.mounts()
	j.devices()
	j.ports()
	j.environment()
	j.image()
	j.hygiene()
}

// finding is one about the service; what tells it from others of the rule.
func (j *judge) finding(r *Rule, what string, at compose.Node, evidence string, args ...any) *bulwark.Finding {
	f := r.Finding(j.Name, j.doc.Path+"#"+what, fmt.Sprintf(evidence, args...))
	f.Path, f.Layer, f.Line = j.doc.Path, j.doc.Layer, at.Line()
	if f.Line == 0 {
		f.Line = j.At.Line()
	}
	return f
}
