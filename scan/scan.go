// Package scan is the engine that looks once. It opens targets, streams their layers
// through the plugins in one pass, merges the layers, reasons about the result and
// sends everything to handlers as one record stream.
//
//	s := scan.Scanner{Extractors: all.Extractors(), Checks: checks}
//	var report bulwark.Report
//	res, err := s.Scan(ctx, []scan.Job{{Ref: "image.tar", Open: open}}, &report)
package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"bulwark"
	"bulwark/internal/ecosystem"
)

// Scanner looks at targets. The zero value reads nothing but the list of layers;
// a Scanner may be used for several scans, one after the other.
type Scanner struct {
	Extractors []bulwark.Extractor
	Inspectors []bulwark.Inspector
	Resolvers  []bulwark.Resolver
	Checks     []bulwark.Check
	Advisors   []bulwark.Advisor
	Policies   []bulwark.Policy
	// Relaters tell Relations what is connected; nil: nobody asked.
	Relaters  []bulwark.Relater
	Relations bulwark.Relations
	// Rank changes the risk of findings, when all targets were looked at; nil: nobody does.
	Rank func([]bulwark.Finding) []bulwark.Finding

	Cache *Cache // results of layers; nil: none
	Bases []Base // images that others may be built on
	// FindBase opens the base that an image's annotations name; it gives nil when it may
	// not or cannot know. Its error becomes a note. nil: nobody is asked.
	FindBase func(context.Context, *bulwark.Target) (*Base, error)
	Exclude  []string      // globs of paths not to read, as [bulwark/internal/glob] has them
	Workers  int           // layers at once; 0: one for each processor
	Timeout  time.Duration // for each target, opening included; 0: none
	// Distro replaces the distribution that a target says it is; nil: it is believed.
	Distro *bulwark.Release
	Memory int64 // bytes of files held whole at once; 0: 100 MB

	// Redact takes secrets out of texts of an image's history and labels that reports show; nil: nobody
	// does, unless a check has a method of that name.
	Redact func(texts []string) []string
	// Trace tells of an image's findings what made them, and of what it could not; nil: nobody is asked.
	Trace func(*bulwark.Target, []bulwark.Finding) []bulwark.Note
	// Frameworks holds targets against frameworks of controls; nil: nobody asked.
	Frameworks Frameworks
	// Loaded says what was used where targets run, each of its own image.
	Loaded []*Loaded
	// Keep says which findings are reported; nil: all. It is asked after policies.
	Keep func(*bulwark.Finding) bool
	// Progress is told about the layers that are read; nil: nobody is.
	Progress Progress

	Version string         // of this program
	Started time.Time      // when the run began
	Now     time.Time      // the clock that checks see
	Data    bulwark.Data   // what checks know, for the report
	Notes   []bulwark.Note // of whoever set the scanner up
}

// Frameworks holds what is found against frameworks of controls.
type Frameworks interface {
	// Target takes all findings of a target, those that are not kept too, and the notes about
	// it. It keeps nothing of the slices and the inventory.
	Target(*bulwark.Target, *bulwark.Inventory, []bulwark.Finding, []bulwark.Note)
	// Results are asked for when all targets were looked at.
	Results() []bulwark.Framework
}

// Job is one target to open.
type Job struct {
	Ref  string // as the user gave it
	Open func(context.Context) (*bulwark.Target, error)
}

// Base is an image that other images may be built on.
type Base struct {
	Name    string
	DiffIDs []string // lowest first
}

// Result says how a scan went, beyond what the records tell.
type Result struct {
	Opened   int             // targets that could be opened and read at least in part
	Failed   []error         // one for each target that could not
	Summary  bulwark.Summary // as the handlers saw it
	Findings []bulwark.Finding
	// Frameworks are the results of those that were asked for, one for each target.
	Frameworks []bulwark.Framework
}

// Scan looks at every job's target in turn and then sends the records of all of
// them to h. A target that cannot be opened or read becomes a note and an error in the
// result. The error of Scan itself is the context's or the handler's.
func (s *Scanner) Scan(ctx context.Context, jobs []Job, h bulwark.Handler) (*Result, error) {
	out := &output{notes: slices.Clone(s.Notes)}
	res := &Result{}
	for _, job := range jobs {
		err := s.target(ctx, job, out)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			res.Opened++
			continue
		}
		res.Failed = append(res.Failed, fmt.Errorf("%s: %w", job.Ref, err))
		out.notes = append(out.notes, bulwark.Note{Plugin: "source", Path: job.Ref, Text: err.Error(), Incomplete: true})
	}
	for _, p := range s.Policies {
		if idle, ok := p.(interface{ Unused() []bulwark.Note }); ok {
			out.notes = append(out.notes, idle.Unused()...)
		}
	}
	if s.Frameworks != nil {
		out.frameworks = s.Frameworks.Results()
	}
	if s.Rank != nil {
		out.findings = s.Rank(out.findings)
	}
	run := bulwark.Run{Version: s.Version, Started: s.Started, Now: s.Now, Targets: refs(jobs), Data: s.Data}
	var err error
	res.Summary, err = out.send(run, h)
	res.Findings, res.Frameworks = out.findings, out.frameworks
	return res, err
}

func refs(jobs []Job) []string {
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = j.Ref
	}
	return names
}

// target looks at one target and adds what it learned to out.
func (s *Scanner) target(ctx context.Context, job Job, out *output) (err error) {
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.Timeout, fmt.Errorf("not done within %s: %w", s.Timeout, bulwark.ErrUnavailable))
		defer cancel()
	}
	t, err := job.Open(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return errors.Join(cause, err)
	}
	if err != nil {
		return err
	}
	defer func() {
		if t.Close != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if slices.ContainsFunc(out.assets, func(a bulwark.Asset) bool { return a.ID == t.Asset.ID }) {
		out.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan", Path: job.Ref, Text: "is a target that was looked at already, under another name or the same"})
		return nil
	}
	o := &output{loaded: s.loadedOf(t)}
	o.assets = assets(t, s.markBase(ctx, t, o))
	o.addNotes(t.Asset.ID, t.Notes...)
	inv := t.Inventory
	if inv == nil {
		m, err := s.layers(ctx, t, o)
		if err != nil {
			return err
		}
		inv = m
	}
	s.reason(ctx, t, inv, o)
	if t.Image != nil {
		if n := s.Cache.remember(t); n != nil {
			o.addNotes(t.Asset.ID, *n)
		}
	}
	out.add(o)
	return nil
}

// layers reads and merges the layers of t. It fails when none of them could be read.
func (s *Scanner) layers(ctx context.Context, t *bulwark.Target, o *output) (*bulwark.Inventory, error) {
	pass := s.newPass(t)
	past := pass.startPast(ctx)
	results, failures := s.readAll(ctx, t, pass)
	pastFacts, pastErr := past()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for i, err := range failures {
		if err == nil {
			continue
		}
		if results[i] == nil && len(t.Layers) == 1 {
			return nil, err
		}
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan", Path: layerName(t.Layers[i]), Text: err.Error(), Incomplete: true})
	}
	if len(results) > 0 && !slices.ContainsFunc(results, func(f *facts) bool { return f != nil }) {
		return nil, errors.Join(failures...)
	}
	inv := merge(t, results, o)
	o.addPast(t, pastFacts, pastErr)
	if len(s.Exclude) > 0 {
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan", Text: fmt.Sprintf("paths not read, as asked: %q", s.Exclude)})
	}
	return inv, nil
}

func layerName(l bulwark.Layer) string {
	return fmt.Sprintf("layer %d (%s)", l.Index, cmp.Or(l.DiffID, l.Digest, "files"))
}

// reason runs what needs the merged inventory: resolvers, checks, policies, advisors.
func (s *Scanner) reason(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, o *output) {
	failed := func(p bulwark.Plugin, err error) {
		if err != nil {
			o.addNotes(t.Asset.ID, failureNotes(p.Info().Name, err)...)
		}
	}
	s.override(inv)
	if t.Inventory == nil {
		for _, r := range s.Resolvers {
			failed(r, guard(r, "", func() error { return r.Resolve(ctx, inv) }))
		}
	}
	for i := range inv.Packages {
		inv.Packages[i].Asset = t.Asset.ID
	}
	o.packages = inv.Packages
	if len(o.assets) > 0 && inv.Release != nil {
		o.assets[0].Release = inv.Release
	}
	for _, c := range s.Checks {
		failed(c, guard(c, "", func() error {
			return c.Check(ctx, t, inv, func(r bulwark.Record) { o.take(c.Info().Name, t.Asset.ID, r) })
		}))
	}
	s.markLoaded(t, inv, o)
	s.redact(t, o)
	if s.Trace != nil {
		o.addNotes(t.Asset.ID, s.Trace(t, o.findings)...)
	}
	policies := slices.Clone(s.Policies)
	for i, p := range policies {
		if by, ok := p.(bulwark.TargetPolicy); ok {
			var notes []bulwark.Note
			policies[i], notes = by.For(ctx, t)
			o.addNotes(t.Asset.ID, notes...)
		}
	}
	for i := range o.findings {
		for _, p := range policies {
			p.Apply(&t.Asset, &o.findings[i])
		}
	}
	if s.Frameworks != nil {
		s.Frameworks.Target(t, inv, o.findings, o.notes)
	}
	s.relate(ctx, t, inv, o, failed)
	if s.Keep != nil {
		o.findings = slices.DeleteFunc(o.findings, func(f bulwark.Finding) bool { return !s.Keep(&f) })
	}
	for _, a := range s.Advisors {
		failed(a, guard(a, "", func() error {
			advice, err := a.Advise(ctx, t, inv, o.findings)
			for _, adv := range advice {
				adv.Asset = t.Asset.ID
				o.advice = append(o.advice, adv)
			}
			return err
		}))
	}
}

// relate tells what is connected in a target, and what its findings' fixes are.
func (s *Scanner) relate(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, o *output, failed func(bulwark.Plugin, error)) {
	if s.Relations == nil {
		return
	}
	for _, r := range s.Relaters {
		failed(r, guard(r, "", func() error { return r.Relate(ctx, t, inv, o.findings, s.Relations) }))
	}
	for i := range o.findings {
		if f := &o.findings[i]; f.Fix != nil {
			s.Relations.Remedy(bulwark.Remedy{ID: bulwark.RemedyOf(f), Text: f.Title + ": " + f.Fix.Text, Fix: f.Fix})
		}
	}
}

// override makes the inventory that of the distribution that the user named.
func (s *Scanner) override(inv *bulwark.Inventory) {
	if s.Distro == nil {
		return
	}
	r := *s.Distro
	inv.Release = &r
	for i := range inv.Packages {
		if p := &inv.Packages[i]; databases[p.Format] {
			p.Ecosystem = ecosystem.OfPackage(ecosystem.OfRelease(&r), p.Version)
		}
	}
}

// guard runs a plugin's method and turns its panic into an error.
func guard(p bulwark.Plugin, path string, run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &bulwark.PluginError{Plugin: p.Info().Name, Path: path, Err: fmt.Errorf("panic: %v", r)}
		}
	}()
	return run()
}

// joined gives the errors that [errors.Join] put together; nil when err is one error,
// though it may wrap several.
func joined(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(several.Unwrap()...).Error() {
		return nil
	}
	return several.Unwrap()
}

// failureNotes gives a note for each error that was joined.
func failureNotes(plugin string, err error) []bulwark.Note {
	if list := joined(err); list != nil {
		var notes []bulwark.Note
		for _, e := range list {
			notes = append(notes, failureNotes(plugin, e)...)
		}
		return notes
	}
	n := bulwark.Note{Plugin: plugin, Text: err.Error(), Incomplete: true}
	var pe *bulwark.PluginError
	if errors.As(err, &pe) {
		n.Plugin, n.Path, n.Text = pe.Plugin, pe.Path, pe.Err.Error()
	}
	return []bulwark.Note{n}
}

// readAll reads the layers, the largest first, several at once. Each has facts or an
// error, or both when it was read in part.
func (s *Scanner) readAll(ctx context.Context, t *bulwark.Target, pass *pass) ([]*facts, []error) {
	results, failures := make([]*facts, len(t.Layers)), make([]error, len(t.Layers))
	order := make([]int, len(t.Layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.Layers[b].Size, t.Layers[a].Size) })

	var g errgroup.Group
	if !t.Stream { // layers of one stream pass by when they come: all of them wait at once
		g.SetLimit(cmp.Or(s.Workers, runtime.GOMAXPROCS(0)))
	}
	again := repeated(t.Layers)
	for _, i := range order {
		if _, ok := again[i]; ok {
			continue
		}
		g.Go(func() error {
			results[i], failures[i] = pass.layer(ctx, &t.Layers[i])
			return nil
		})
	}
	_ = g.Wait() // the errors are kept by layer
	for i := range results {
		first, ok := again[i]
		if !ok {
			continue
		}
		results[i], failures[i] = pass.again(&t.Layers[i], results[first], failures[first])
	}
	return results, failures
}

// repeated gives for each layer that is a lower one again which that is: what is cheap
// to read once may be listed a thousand times.
func repeated(layers []bulwark.Layer) map[int]int {
	type bytes struct{ identity, diffID string }
	first, again := map[bytes]int{}, map[int]int{}
	for i := range layers {
		b := bytes{layers[i].Identity, layers[i].DiffID}
		if f, ok := first[b]; ok && b.identity != "" {
			again[i] = f
		} else {
			first[b] = i
		}
	}
	return again
}
