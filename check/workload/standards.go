package workload

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/workload/pss"
	"bulwark/kube"
)

// standardRules say which level of the Pod Security Standards pods reach.
var standardRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/pss-privileged", Severity: low, Hygiene: true, Title: "Pods reach no level of the Pod Security Standards",
			Tags: []string{"cis:5.6.3"}, Fix: "mend what is listed, and have the namespace enforce baseline; what cannot be mended goes to a namespace of its own",
			Why:   "a namespace that enforces baseline refuses them, and one that lets them in lets in others that take the node. Hygiene: it sums up, for each reason has a finding of its own with its own severity; --framework pss tells it by control",
			Noise: "node agents need rights that baseline forbids", Refs: []string{docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) { standard(h, w, pss.Privileged) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/pss-restricted", Severity: low, Hygiene: true, Title: "Pods reach baseline of the Pod Security Standards, not restricted",
			Tags: []string{"cis:5.6.3"}, Fix: "set runAsNonRoot, seccompProfile RuntimeDefault, allowPrivilegeEscalation: false and drop ALL, as far as they are listed",
			Why:   "restricted is what programs that need nothing of the node can run with. Hygiene: nothing of it leads out of the container alone, and what is dangerous has a finding of its own",
			Noise: "programs that begin as root to change their user cannot reach it", Refs: []string{docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) { standard(h, w, pss.Baseline) },
	},
}

// standard tells of pods of that level, and what keeps them from the next.
func standard(h *posture.Hits, w *kube.Workload, level string) {
	reached, misses := pss.Judge(&w.Meta, &w.Spec)
	if reached != level {
		return
	}
	next := pss.Baseline
	if level == pss.Baseline {
		next = pss.Restricted
	}
	hit := posture.Hit{Object: w.Object, Path: w.Path(), Edits: mendStandard(w, misses)}
	var ids []string
	for _, m := range misses {
		text := m.ID + ": " + m.Reason
		if m.Detail != "" {
			text += " (" + m.Detail + ")"
		}
		ids = append(ids, m.ID)
		hit.More, hit.Tags = append(hit.More, text), append(hit.Tags, "pss:"+m.ID)
	}
	if level == pss.Privileged { // frameworks ask of each control, also of those above the next level
		for _, m := range pss.Unrestricted(&w.Meta, &w.Spec) {
			hit.Tags = append(hit.Tags, "pss:"+m.ID)
		}
	}
	hit.Evidence = "level " + level + "; " + next + " refuses " + strings.Join(ids, ", ")
	h.Add(hit)
}

// mendStandard gives the edits after which pods of baseline reach restricted; nil when one of
// the reasons cannot be mended surely.
func mendStandard(w *kube.Workload, misses []pss.Miss) []kube.Edit {
	var edits []kube.Edit
	for _, m := range misses {
		more := mendControl(w, m.ID)
		if more == nil {
			return nil
		}
		edits = append(edits, more...)
	}
	return edits
}

func mendControl(w *kube.Workload, id string) []kube.Edit {
	var edits []kube.Edit
	for c := range each(w) {
		at := func(path ...any) []any { return w.ContainerPath(c, append([]any{"securityContext"}, path...)...) }
		switch id {
		case "allowPrivilegeEscalation":
			edits = append(edits, kube.Put(false, at("allowPrivilegeEscalation")...))
		case "seccompProfile_restricted":
			if seccomp(w, c) == nil {
				edits = append(edits, kube.Put(string(corev1.SeccompProfileTypeRuntimeDefault), w.Path("securityContext", "seccompProfile", "type")...))
			}
		case "runAsNonRoot":
			if u := user(w, c); u == nil || *u == 0 {
				return nil
			}
			edits = append(edits, kube.Put(true, at("runAsNonRoot")...))
		case "capabilities_restricted":
			if mayBeRoot(w, c) || ownUsers(w) || c.SecurityContext != nil && c.SecurityContext.Capabilities != nil && len(c.SecurityContext.Capabilities.Add) > 0 {
				return nil
			}
			edits = append(edits, kube.Put([]any{"ALL"}, at("capabilities", "drop")...))
		default:
			return nil
		}
	}
	return edits
}
