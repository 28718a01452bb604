// Package posture is what the checks of Kubernetes objects share: a rule with the function
// that looks, a family of rules as a plugin, and the cases that each rule is held to.
//
// What a rule finds in one object is one finding, however many containers have it: with a
// line of evidence and a place for each.
package posture

import (
	"context"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/kube"
)

// Rule is one thing that a family looks for, and why. One of Workload, Object and Set looks.
type Rule struct {
	misconfig.Rule
	// Kind is the kind of its findings; "" is misconfig.
	Kind string
	// Workload looks at everything that runs pods, whatever kind of object that is.
	Workload func(h *Hits, w *kube.Workload)
	// Object looks at every object of Kinds, which are written "Kind.group" ("Service",
	// "Ingress.networking.k8s.io"); an asterisk stands for all.
	Object func(h *Hits, o *kube.Object)
	Kinds  []string
	// Set looks at all objects together.
	Set func(h *Hits, s *kube.Set)
}

// Hits takes what a rule finds.
type Hits struct {
	rule   *Rule
	family *Family
	Set    *kube.Set
	Target *bulwark.Target // that has the objects
	found  *gatherer
	fix    string // instead of the rule's; "" is that
	made   int    // findings of the rule
}

// Hit is one place where a rule holds.
type Hit struct {
	Object *kube.Object
	Path   []any // of the field that says so, or that is missing
	// What tells it from other findings of the rule in the same object; mostly "".
	What     string
	Evidence string
	More     []string // further lines of evidence, for the same place
	// Severity is the rule's where it is unknown.
	Severity bulwark.Severity
	Tags     []string // beside the rule's: "edge:CE_NSENTER"
	// Edits mend it; nil when that cannot be computed.
	Edits []kube.Edit
	// Added is an object, in YAML, that mends it instead: as a document of its own behind the
	// last one of the object's file.
	Added string
}

// Note tells of something that could not be looked at.
func (h *Hits) Note(text string) {
	h.found.notes = append(h.found.notes, bulwark.Note{Plugin: h.family.Name, Text: text, Incomplete: true})
}

// Add takes a hit.
func (h *Hits) Add(hit Hit) { h.found.add(h, &hit) }

// Container takes a hit in one container of a workload: path is that of a field in it.
func (h *Hits) Container(w *kube.Workload, c *kube.Container, path []any, evidence string, edits ...kube.Edit) {
	h.Add(Hit{Object: w.Object, Path: w.ContainerPath(c, path...), Evidence: "container " + c.Name + ": " + evidence, Edits: edits})
}

// Pod takes a hit in the pods of a workload: path is that of a field in their spec.
func (h *Hits) Pod(w *kube.Workload, path []any, evidence string, edits ...kube.Edit) {
	h.Add(Hit{Object: w.Object, Path: w.Path(path...), Evidence: evidence, Edits: edits})
}

// Family is a plugin of rules.
type Family struct {
	Name    string // its folder: "check/workload"
	Summary string
	Version int
	List    []*Rule
	Cases   Cases
	// Engines is true for rules about what container engines run, which are asked about
	// nothing else.
	Engines bool

	dangers bool // rules of hygiene are left out
}

// WithHygiene tells whether what is merely untidy is looked for, as it is unless this says no.
func (f *Family) WithHygiene(wanted bool) *Family {
	f.dangers = !wanted
	return f
}

var (
	_ bulwark.Check      = (*Family)(nil)
	_ bulwark.RuleTester = (*Family)(nil)
)

// Info describes the family.
func (f *Family) Info() bulwark.Info {
	return bulwark.Info{Name: f.Name, Summary: f.Summary, Version: f.Version}
}

// Rules lists what the family looks for.
func (f *Family) Rules() []bulwark.Rule {
	var list []*misconfig.Rule
	for _, r := range f.List {
		list = append(list, &r.Rule)
	}
	return misconfig.List(list)
}

// Check emits what the rules find in the target's objects.
func (f *Family) Check(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s.Len() == 0 {
		return nil
	}
	found := &gatherer{family: f, asset: t.Asset.ID}
	for _, r := range f.List {
		if err := ctx.Err(); err != nil {
			return err
		}
		fix, ok := f.applies(r, s)
		if r.Hygiene && f.dangers || !ok {
			continue
		}
		r.look(&Hits{rule: r, family: f, Set: s, Target: t, found: found, fix: fix})
	}
	found.emit(emit)
	return nil
}

func (r *Rule) look(h *Hits) {
	switch {
	case r.Workload != nil:
		for _, w := range h.Set.Workloads() {
			r.Workload(h, w)
		}
	case r.Object != nil:
		if slices.Contains(r.Kinds, "*") {
			for _, o := range h.Set.Objects {
				r.Object(h, o)
			}
			return
		}
		for _, kind := range r.Kinds {
			name, group, _ := strings.Cut(kind, ".")
			for _, o := range h.Set.Kind(group, name) {
				r.Object(h, o)
			}
		}
	case r.Set != nil:
		r.Set(h, h.Set)
	}
}
