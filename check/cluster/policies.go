package cluster

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// policyRules are about ValidatingAdmissionPolicies, what went before them, and clusters
// that have nothing.
func policyRules() []*posture.Rule {
	return []*posture.Rule{
		{Rule: misconfig.Rule{ID: "cluster/policy-not-bound", Severity: medium, Title: "An admission policy is bound to nothing",
			Fix: "create a ValidatingAdmissionPolicyBinding that names it", Why: "it reads like protection and checks nothing", Noise: "of manifests alone: the binding may be kept elsewhere, and so it is low there", Refs: []string{docsVAP}},
			Object: notBound, Kinds: []string{"ValidatingAdmissionPolicy." + admissionGroup}},
		{Rule: misconfig.Rule{ID: "cluster/policy-does-not-deny", Severity: low, Title: "An admission policy only warns",
			Fix: "add Deny to validationActions (Enforce of Kyverno, deny of Gatekeeper)", Why: "what breaks the policy is let in, and a warning that a controller gets is read by nobody", Noise: "while a policy is being tried", Refs: []string{docsVAP}},
			Object: doesNotDeny, Kinds: []string{"*"}},
		{Rule: misconfig.Rule{ID: "cluster/policy-fails-open", Severity: medium, Title: "An admission policy lets in what it cannot evaluate",
			Fix: "set failurePolicy to Fail, and make the expressions cope with absent fields (has())", Why: "an object that is shaped so that an expression fails is let in", Noise: "a policy that only counts", Refs: []string{docsVAP}},
			Object: func(h *posture.Hits, o *kube.Object) {
				if o.Root.Get("spec", "failurePolicy").Text() == "Ignore" {
					h.Add(posture.Hit{Object: o, Path: []any{"spec", "failurePolicy"}, Evidence: "failurePolicy: Ignore"})
				}
			}, Kinds: []string{"ValidatingAdmissionPolicy." + admissionGroup}},
		{Rule: misconfig.Rule{ID: "cluster/policy-binding-dangles", Severity: low, Title: "A binding names an admission policy that is not there",
			Fix: "create the policy, or mend the name", Why: "it reads like protection and checks nothing", Noise: "none in a cluster; manifests are not judged", Refs: []string{docsVAP}},
			Object: bindingDangles, Kinds: []string{"ValidatingAdmissionPolicyBinding." + admissionGroup}},
		{Rule: misconfig.Rule{ID: "cluster/pod-security-policy", Severity: low, Title: "A PodSecurityPolicy is left", Tags: []string{"cis:5.2.1", "kubescape:C-0068"},
			Fix: "label namespaces for Pod Security admission, or use a ValidatingAdmissionPolicy, and delete it", Why: "Kubernetes 1.25 took it away: it checks nothing, and applying it fails", Noise: "clusters before 1.25, which are long past their end", Refs: []string{docsPSP}},
			Object: func(h *posture.Hits, o *kube.Object) {
				h.Add(posture.Hit{Object: o, Path: []any{"kind"}, Evidence: o.APIVersion + " PodSecurityPolicy"})
			}, Kinds: []string{"PodSecurityPolicy.policy", "PodSecurityPolicy.extensions"}},
		{Rule: misconfig.Rule{ID: "cluster/no-policy-control", Severity: high, Title: "Nothing checks which pods are let in", Tags: []string{"cis:5.2.1"},
			Fix: "label every namespace pod-security.kubernetes.io/enforce: baseline or restricted, or set the default in the API server's configuration",
			Why: "everybody who may create a pod anywhere, every stolen pipeline token too, takes the nodes with a privileged one", Noise: "a default in the API server's configuration is not seen from here", Refs: []string{docsPSA}},
			Set: noPolicy},
	}
}

func notBound(h *posture.Hits, o *kube.Object) {
	severity := low
	if h.Set.Cluster != nil {
		if !seen(h.Set, "validatingadmissionpolicybindings."+admissionGroup) {
			return
		}
		severity = medium
	}
	for _, b := range h.Set.Kind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		if b.Root.Get("spec", "policyName").Text() == o.Name {
			return
		}
	}
	h.Add(posture.Hit{Object: o, Path: []any{"metadata", "name"}, Evidence: "no ValidatingAdmissionPolicyBinding names it", Severity: severity})
}

func doesNotDeny(h *posture.Hits, o *kube.Object) {
	switch {
	case o.Kind == "ValidatingAdmissionPolicyBinding":
		actions := o.Root.Get("spec", "validationActions")
		if list := actions.Strings(); len(list) > 0 && !slices.Contains(list, "Deny") {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "validationActions"}, Evidence: "validationActions: " + strings.Join(list, ", ")})
		}
	case strings.HasPrefix(o.APIVersion, "kyverno.io/") && strings.HasSuffix(o.Kind, "Policy"):
		audits(h, o)
	case strings.HasPrefix(o.APIVersion, "constraints.gatekeeper.sh/"):
		if action := o.Root.Get("spec", "enforcementAction"); action.Text() == "dryrun" || action.Text() == "warn" {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "enforcementAction"}, Evidence: "enforcementAction: " + action.Text()})
		}
	}
}

func bindingDangles(h *posture.Hits, o *kube.Object) {
	name := o.Root.Get("spec", "policyName").Text()
	if !seen(h.Set, "validatingadmissionpolicies."+admissionGroup) || h.Set.Find("ValidatingAdmissionPolicy/"+name) != nil {
		return
	}
	h.Add(posture.Hit{Object: o, Path: []any{"spec", "policyName"}, Evidence: "policyName: " + name})
}

// noPolicy finds clusters in which no namespace enforces a level and no engine is there.
func noPolicy(h *posture.Hits, s *kube.Set) {
	if !seen(s, "namespaces", "validatingwebhookconfigurations."+admissionGroup, "validatingadmissionpolicybindings."+admissionGroup) || len(engines(s)) > 0 || enforcedByDefault(s) {
		return
	}
	namespaces := s.Kind("", "Namespace")
	for _, o := range namespaces {
		if levels[o.Labels[psa+"enforce"]] > 1 {
			return
		}
	}
	if len(namespaces) == 0 {
		return
	}
	h.Add(posture.Hit{Object: whole(s), Evidence: "no namespace enforces baseline or restricted, no policy engine's webhook and no ValidatingAdmissionPolicy that denies is there"})
}

// audits looks at a policy of Kyverno, whose rules that check only report unless they, or the
// policy, say Enforce.
func audits(h *posture.Hits, o *kube.Object) {
	general := o.Root.Get("spec", "validationFailureAction")
	for i, r := range o.Root.Get("spec", "rules").Items() {
		check := r.Get("validate")
		if !check.Exists() {
			continue
		}
		path, action := []any{"spec", "rules", i, "validate", "failureAction"}, check.Get("failureAction")
		if !action.Exists() {
			path, action = []any{"spec", "validationFailureAction"}, general
		}
		switch {
		case !action.Exists():
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i, "validate"}, Evidence: "failureAction is not set: Audit is the default"})
		case strings.EqualFold(action.Text(), "audit"):
			h.Add(posture.Hit{Object: o, Path: path, Evidence: "failureAction: " + action.Text()})
		}
	}
}
