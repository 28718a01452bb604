// Package policy holds objects to the policies that users write: ValidatingAdmissionPolicies,
// as an admission webhook or a cluster evaluates them.
package policy

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/policy/admission"
)

const name = "check/policy"

// Check asks policies about every object of a target as if it were created.
//
// A policy that is about pods alone is also asked about the pods that the templates of
// workloads will make, since manifests seldom hold pods; what it says of those says so.
type Check struct {
	Policies *admission.Set
	// Here has parameters be looked for among the target's objects as well, as the cluster
	// does. Of manifests it would let strangers' files excuse themselves.
	Here bool
}

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
)

// New returns the check.
func New(policies *admission.Set) *Check { return &Check{Policies: policies} }

// Info describes the check.
func (c *Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Policies of users (ValidatingAdmissionPolicy).", Version: 1}
}

// Rules lists the policies.
func (c *Check) Rules() []bulwark.Rule {
	var list []*misconfig.Rule
	for _, p := range c.Policies.Policies {
		list = append(list, rule(p))
	}
	return misconfig.List(list)
}

// ID is the id of the rule that a policy is.
func ID(policyName string) string { return "policy/" + policyName }

// rule is a policy as findings and people have it.
func rule(p *admission.Policy) *misconfig.Rule {
	title := misconfig.Clean(p.Title)
	if title == "" {
		title = "The policy " + p.Name + " is not kept"
	}
	why := misconfig.Clean(p.Reason)
	if why == "" {
		why = "a policy of the user says so: " + p.Object.Origin.File
	}
	return &misconfig.Rule{
		ID: ID(p.Name), Severity: p.Severity, Title: title, Fix: misconfig.Clean(p.Fix), Why: why, Tags: p.Tags, Refs: p.References,
		Noise: "whoever wrote the policy knows; the verdict is what the API server's would be",
	}
}

// asked is one thing that policies are asked about.
type asked struct {
	object   *kube.Object
	template []any
	found    []admission.Decision
}

// Check emits what the policies have against the target's objects.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s.Len() == 0 || len(c.Policies.Policies) == 0 {
		return nil
	}
	list := subjects(s)
	if err := c.ask(ctx, s, list); err != nil {
		return err
	}
	family := &posture.Family{Name: name, Summary: c.Info().Summary, Version: 1}
	for _, p := range c.Policies.Policies {
		family.List = append(family.List, &posture.Rule{Rule: *rule(p), Set: func(h *posture.Hits, _ *kube.Set) { tell(h, p, list) }})
	}
	if err := family.Check(ctx, t, inv, emit); err != nil {
		return err
	}
	c.doubts(s, emit)
	return nil
}

// subjects are the objects, without those that others of the set own, and the pod templates
// of workloads.
func subjects(s *kube.Set) []asked {
	there := map[string]bool{}
	for _, o := range s.Objects {
		if uid := o.Root.Get("metadata", "uid").Text(); uid != "" {
			there[uid] = true
		}
	}
	var list []asked
	for _, o := range s.Objects {
		if !owned(o, there) {
			list = append(list, asked{object: o})
		}
	}
	for _, w := range s.Workloads() {
		if len(w.At) > 0 {
			list = append(list, asked{object: w.Object, template: w.At})
		}
	}
	return list
}

// owned tells whether a controller that is there makes the object as it is.
func owned(o *kube.Object, there map[string]bool) bool {
	for _, ref := range o.Root.Get("metadata", "ownerReferences").Items() {
		if ref.Get("controller").True() && ref.Get("kind").Text() != "Node" && there[ref.Get("uid").Text()] {
			return true
		}
	}
	return false
}

// ask evaluates the policies about every subject, several at once.
func (c *Check) ask(ctx context.Context, s *kube.Set, list []asked) error {
	var params *kube.Set
	if s.Cluster != nil || c.Here {
		params = s
	}
	namespaces := map[string]*kube.Object{}
	for _, a := range list {
		if ns := a.object.Namespace; ns != "" && namespaces[ns] == nil {
			namespaces[ns] = admission.Namespace(s, ns)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	const share = 64
	g.SetLimit(runtime.GOMAXPROCS(0))
	for part := range slices.Chunk(list, share) {
		g.Go(func() error {
			for i := range part {
				if err := c.one(ctx, &part[i], namespaces[part[i].object.Namespace], params); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (c *Check) one(ctx context.Context, a *asked, namespace *kube.Object, params *kube.Set) (err error) {
	if a.template == nil {
		r := admission.Create(a.object, namespace)
		defer r.Done()
		r.Params = params
		a.found, err = c.Policies.Evaluate(ctx, r)
		return err
	}
	r := admission.CreatePod(a.object, a.template, namespace)
	defer r.Done()
	r.Params = params
	for _, p := range c.Policies.Policies {
		if p.PodsOnly() {
			a.found = append(a.found, c.Policies.EvaluatePolicy(p, r)...)
		}
	}
	return ctx.Err()
}

// tell makes hits of what one policy has against the subjects.
func tell(h *posture.Hits, p *admission.Policy, list []asked) {
	unknown := map[*kube.Object]bool{}
	for i := range list {
		for _, d := range list[i].found {
			switch {
			case d.Policy != p:
			case d.Verdict == admission.Unknown:
				unknown[list[i].object] = true
			default:
				h.Add(hit(&list[i], &d))
			}
		}
	}
	if n := len(unknown); n > 0 {
		h.Note(fmt.Sprintf("the policy %s asks about rights (authorizer), which only a cluster can answer: %d objects are not held to it", p.Name, n))
	}
}

func hit(a *asked, d *admission.Decision) posture.Hit {
	text := d.Message
	if a.template != nil {
		text = "the pods that it makes: " + text
	}
	if d.Verdict == admission.Failed {
		text += " (the API server refuses what it cannot evaluate: failurePolicy is Fail)"
	}
	hit := posture.Hit{Object: a.object, Path: d.Path, Evidence: text, Severity: severity(d)}
	if b := d.Binding; b.Name != "" && (len(d.Policy.Bindings) > 1 || !b.Does("Deny")) {
		hit.More = append(hit.More, "by the binding "+b.Name+" ("+strings.Join(b.Actions, ", ")+")")
	}
	for _, a := range d.Annotations {
		hit.More = append(hit.More, "audit: "+a)
	}
	return hit
}

// severity is the policy's for what is refused, less for what is but warned of, and low for
// what is only written down.
func severity(d *admission.Decision) bulwark.Severity {
	s := d.Policy.Severity
	switch {
	case d.Denied:
		return s
	case d.Binding.Does("Warn"):
		return max(s-1, bulwark.SeverityLow)
	}
	return bulwark.SeverityLow
}

// doubts tells of what the verdicts rest on that manifests may not show.
func (c *Check) doubts(s *kube.Set, emit func(bulwark.Record)) {
	if s.Cluster != nil {
		return
	}
	missing := map[string]bool{}
	for _, o := range s.Objects {
		if o.Namespace != "" && s.Find("Namespace/"+o.Namespace) == nil {
			missing[o.Namespace] = true
		}
	}
	var names []string
	for _, p := range c.Policies.Policies {
		if p.ByNamespace() {
			names = append(names, p.Name)
		}
	}
	if len(missing) == 0 || len(names) == 0 {
		return
	}
	emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Text: fmt.Sprintf("%s select by labels of namespaces; namespaces that are not among the manifests are taken to have no label but their name: %d", some(names), len(missing))}})
}

// some names the first of a list.
func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("the policies %s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return "the policies " + strings.Join(names, ", ")
}
