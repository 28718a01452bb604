package rights

import (
	"maps"
	"slices"

	"bulwark"
	"bulwark/kube"
)

const enforce = "pod-security.kubernetes.io/enforce"

// How likely a privileged pod is let in.
const (
	open      = 1.0
	unknown   = 0.9 // where the namespace was not seen: mostly nothing holds it
	forbidden = 0.1 // where a policy speaks against it: there are other pods that take a node
)

// admission knows which pods are let in.
type admission struct {
	set      *kube.Set
	fallback string   // the level of namespaces without a label
	exempt   []string // namespaces that Pod Security admission leaves alone
	policies []policy
	judged   map[string]verdict // by namespace
	guards   map[string]*cause
}

// verdict is what privileged says.
type verdict struct {
	likelihood float64
	why        string
}

func admissionOf(s *kube.Set) admission {
	a := admission{set: s, policies: policiesOf(s), judged: map[string]verdict{}, guards: map[string]*cause{}}
	for _, c := range configurations(s) {
		a.fallback = c.Get("defaults", "enforce").Text()
		a.exempt = c.Get("exemptions", "namespaces").Strings()
	}
	return a
}

// configurations are those of Pod Security admission that the API server is started with.
func configurations(s *kube.Set) []*kube.Node {
	var list []*kube.Node
	for _, o := range s.Kind("pod-security.admission.config.k8s.io", "PodSecurityConfiguration") {
		list = append(list, o.Root)
	}
	for _, o := range s.Kind("apiserver.config.k8s.io", "AdmissionConfiguration") {
		for _, p := range o.Root.Get("plugins").Items() {
			if p.Get("name").Text() == "PodSecurity" && p.Get("configuration").Exists() {
				list = append(list, p.Get("configuration"))
			}
		}
	}
	return list
}

// level is what Pod Security admission enforces in a namespace, and whether that is known. A
// label that names no level is taken for restricted, as the API server does.
func (a *admission) level(namespace string) (level string, known bool) {
	if slices.Contains(a.exempt, namespace) {
		return "privileged", true
	}
	o := a.set.Find("Namespace/" + namespace)
	if o == nil {
		return a.fallback, a.fallback != "" || a.set.Cluster != nil && a.set.Cluster.Unseen["namespaces"] == ""
	}
	label, ok := o.Labels[enforce]
	switch {
	case !ok:
		return a.fallback, true
	case label == "privileged" || label == "baseline":
		return label, true
	}
	return "restricted", true
}

// privileged is how likely a privileged pod is let into a namespace, into any where that is
// "", and what of it is worth knowing.
func (a *admission) privileged(namespace string) (likelihood float64, why string) {
	v, ok := a.judged[namespace]
	if !ok {
		if namespace == "" {
			v.likelihood, v.why = a.anywhere()
		} else {
			v.likelihood, v.why = a.judge(namespace)
		}
		a.judged[namespace] = v
	}
	return v.likelihood, v.why
}

func (a *admission) judge(namespace string) (likelihood float64, why string) {
	level, known := a.level(namespace)
	if level == "baseline" || level == "restricted" {
		return 0, ""
	}
	if p := a.against(namespace); p != "" {
		return forbidden, p + " forbids privileged ones"
	}
	if !known {
		return unknown, "whether " + namespace + " enforces a pod security level was not seen"
	}
	return open, ""
}

// anywhere looks for the namespace that lets most in. Every cluster has kube-system.
func (a *admission) anywhere() (likelihood float64, why string) {
	spaces := map[string]bool{"kube-system": true}
	for _, o := range a.set.Kind("", "Namespace") {
		spaces[o.Name] = true
	}
	for _, ns := range slices.Sorted(maps.Keys(spaces)) {
		l, w := a.privileged(ns)
		if ns == "kube-system" && l == unknown {
			l, w = open, ""
		}
		if l > likelihood {
			likelihood, why = l, w
		}
	}
	return likelihood, why
}

// against names a policy that forbids privileged pods in a namespace.
func (a *admission) against(namespace string) string {
	if len(a.policies) == 0 {
		return ""
	}
	labels := map[string]string{}
	if o := a.set.Find("Namespace/" + namespace); o != nil {
		labels = maps.Clone(o.Labels)
	}
	if labels == nil {
		labels = map[string]string{}
	}
	labels["kubernetes.io/metadata.name"] = namespace
	for _, p := range a.policies {
		if p.holds(namespace, labels) {
			return p.name
		}
	}
	return ""
}

// guard tells what would keep privileged pods out of a namespace: a label of it.
func (e *engine) guard(namespace string) *cause {
	c := e.guards[namespace]
	if c == nil {
		c = &cause{}
		e.guards[namespace] = c
		e.label(c, namespace)
	}
	return c
}

func (e *engine) label(c *cause, namespace string) {
	o := e.set.Find("Namespace/" + namespace)
	if o == nil || namespace == "kube-system" || slices.Contains(e.exempt, namespace) {
		return
	}
	var r bulwark.Relation
	e.known.Because(&r, o.ID(), "cluster/namespace-no-pod-security", "cluster/namespace-privileged")
	c.because, c.remedies = r.Because, r.Remedies
	if c.remedies == nil {
		c.remedies = []string{e.remedy(o.ID()+" enforces baseline", "label the namespace "+namespace+" "+enforce+": baseline", o, []kube.Edit{kube.Put("baseline", "metadata", "labels", enforce)})}
	}
}
