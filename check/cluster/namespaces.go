package cluster

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const (
	system = "kube-system"
	psa    = "pod-security.kubernetes.io/"
)

// systemNamespaces are Kubernetes' own.
var systemNamespaces = []string{system, "kube-public", "kube-node-lease"}

var levels = map[string]int{"privileged": 1, "baseline": 2, "restricted": 3}

// namespaceRules are about Pod Security admission.
func namespaceRules() []*posture.Rule {
	return append([]*posture.Rule{
		{Rule: misconfig.Rule{ID: "cluster/namespace-no-pod-security", Severity: medium, Title: "A namespace enforces no pod security level", Tags: []string{"cis:5.2.1", "kubescape:C-0192"},
			Fix: "label it pod-security.kubernetes.io/enforce: restricted, or baseline where its pods need more",
			Why: "whoever may create pods in it may create one that takes the node; in a manifest it is low, because a default of the cluster may stand behind it", Noise: "a policy engine, or a default in the API server's configuration, may refuse such pods", Refs: []string{docsPSA}},
			Object: noPodSecurity, Kinds: []string{"Namespace"}},
		{Rule: misconfig.Rule{ID: "cluster/namespace-privileged", Severity: medium, Title: "A namespace lets pods of any privilege in", Tags: []string{"cis:5.2.1"},
			Fix: "enforce baseline or restricted, and give what needs more a namespace of its own with few who may write to it",
			Why: "whoever may create pods in it may create one that takes the node", Noise: "namespaces of node agents, CNI and CSI need it", Refs: []string{docsPSA}},
			Object: privilegedNamespace, Kinds: []string{"Namespace"}},
		{Rule: misconfig.Rule{ID: "cluster/namespace-warns-less", Severity: low, Hygiene: true, Title: "A namespace warns of less than it enforces",
			Fix: "set warn and audit to the level of enforce or above", Why: "they are of no use there: what they would tell of is refused already", Noise: "none", Refs: []string{docsPSA}},
			Object: warnsLess, Kinds: []string{"Namespace"}},
		{Rule: misconfig.Rule{ID: "cluster/namespace-bad-level", Severity: medium, Title: "A pod security label names no level", Tags: []string{"cis:5.2.1"},
			Fix: "write privileged, baseline or restricted", Why: "the server refuses the namespace, or the label does not do what it says", Noise: "none", Refs: []string{docsPSA}},
			Object: badLevel, Kinds: []string{"Namespace"}},
	}, settingRules("pod-security.admission.config.k8s.io", "PodSecurityConfiguration", []setting{
		{Rule: misconfig.Rule{ID: "cluster/pod-security-default", Severity: medium, Title: "Namespaces without a label let pods of any privilege in", Tags: []string{"cis:5.2.1"},
			Fix: "set defaults.enforce to baseline or restricted", Why: "a new namespace is open until somebody thinks of its label", Noise: "where something labels every namespace", Refs: []string{docsPSAConfig}},
			wrong: field(func(n *kube.Node) bool { return n.Text() == "privileged" }, "it is privileged by default", "defaults", "enforce"), to: "baseline"},
		{Rule: misconfig.Rule{ID: "cluster/pod-security-exemptions", Severity: medium, Title: "Pod Security admission excuses whole groups", Tags: []string{"cis:5.2.1"},
			Fix: "exempt single namespaces of the system, no users and no runtime classes", Why: "an excused user, above all a controller's service account, creates any pod for whoever may create a Deployment", Noise: "namespaces of the system are left out of this", Refs: []string{docsPSAConfig}},
			wrong: exemptions},
	})...)
}

func noPodSecurity(h *posture.Hits, o *kube.Object) {
	if slices.Contains(systemNamespaces, o.Name) || o.Labels[psa+"enforce"] != "" || enforcedByDefault(h.Set) {
		return
	}
	severity := low
	evidence := "no label " + psa + "enforce"
	if h.Set.Cluster != nil && len(engines(h.Set)) == 0 {
		severity = medium
	} else if list := engines(h.Set); len(list) > 0 {
		evidence += "; " + list[0] + " may check its pods instead"
	}
	hit := posture.Hit{Object: o, Path: []any{"metadata", "labels"}, Evidence: evidence, Severity: severity}
	if safe(h.Set, o.Name) {
		hit.Edits = []kube.Edit{kube.Put("baseline", "metadata", "labels", psa+"enforce")}
	}
	h.Add(hit)
}

// safe tells whether all that is known to run in a namespace would be let in by baseline:
// nothing that is plainly above it. Where nothing is known it cannot be told.
func safe(s *kube.Set, namespace string) bool {
	n := 0
	for _, w := range s.Workloads() {
		if w.Namespace != namespace {
			continue
		}
		n++
		if w.Spec.HostNetwork || w.Spec.HostPID || w.Spec.HostIPC || slices.ContainsFunc(w.Containers, aboveBaseline) {
			return false
		}
		for _, v := range w.Spec.Volumes {
			if v.HostPath != nil {
				return false
			}
		}
	}
	return n > 0
}

func aboveBaseline(c kube.Container) bool {
	for _, p := range c.Ports {
		if p.HostPort != 0 {
			return true
		}
	}
	s := c.SecurityContext
	if s == nil {
		return false
	}
	return s.Privileged != nil && *s.Privileged || s.Capabilities != nil && len(s.Capabilities.Add) > 0 || s.ProcMount != nil || s.SELinuxOptions != nil ||
		s.SeccompProfile != nil && s.SeccompProfile.Type == "Unconfined" || s.AppArmorProfile != nil && s.AppArmorProfile.Type == "Unconfined" || s.WindowsOptions != nil
}

func enforcedByDefault(s *kube.Set) bool {
	return slices.ContainsFunc(documents(s, "pod-security.admission.config.k8s.io", "PodSecurityConfiguration"), func(d document) bool {
		return levels[d.root.Get("defaults", "enforce").Text()] > 1
	})
}

func privilegedNamespace(h *posture.Hits, o *kube.Object) {
	if o.Labels[psa+"enforce"] == "privileged" && !slices.Contains(systemNamespaces, o.Name) {
		h.Add(posture.Hit{Object: o, Path: []any{"metadata", "labels", psa + "enforce"}, Evidence: psa + "enforce: privileged"})
	}
}

func warnsLess(h *posture.Hits, o *kube.Object) {
	enforce := levels[o.Labels[psa+"enforce"]]
	for _, mode := range []string{"warn", "audit"} {
		if l := levels[o.Labels[psa+mode]]; l > 0 && l < enforce {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "labels", psa + mode}, Evidence: mode + ": " + o.Labels[psa+mode] + ", and enforce: " + o.Labels[psa+"enforce"],
				Edits: []kube.Edit{kube.Put(o.Labels[psa+"enforce"], "metadata", "labels", psa+mode)}})
		}
	}
}

func badLevel(h *posture.Hits, o *kube.Object) {
	for _, mode := range []string{"enforce", "warn", "audit"} {
		if v, ok := o.Labels[psa+mode]; ok && levels[v] == 0 {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "labels", psa + mode}, Evidence: mode + ": " + v})
		}
	}
}

func exemptions(n *kube.Node) (string, []any) {
	for _, what := range []string{"usernames", "runtimeClasses", "namespaces"} {
		for i, name := range n.Get("exemptions", what).Strings() {
			if what != "namespaces" || name == "default" || name == "*" {
				return "exemptions." + what + " has " + name, []any{"exemptions", what, i}
			}
		}
	}
	return "", nil
}

// engineNames are what the webhooks of policy engines have in their names.
var engineNames = []string{"gatekeeper", "kyverno", "kubewarden", "polaris", "datree", "stackrox", "neuvector", "aquasec", "prisma", "twistlock", "sysdig", "jspolicy", "k-rail", "magtape", "bulwark"}

// engines names what checks pods as they are created beside Pod Security admission: policy
// engines by the name of their webhook, and admission policies that are bound.
func engines(s *kube.Set) []string {
	var list []string
	for _, o := range s.Kind(admissionGroup, "ValidatingWebhookConfiguration") {
		if i := slices.IndexFunc(engineNames, func(name string) bool { return strings.Contains(o.Name, name) }); i >= 0 && !slices.Contains(list, engineNames[i]) {
			list = append(list, engineNames[i])
		}
	}
	for _, b := range s.Kind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		if slices.Contains(b.Root.Get("spec", "validationActions").Strings(), "Deny") {
			list = append(list, "a ValidatingAdmissionPolicy")
			break
		}
	}
	return list
}
