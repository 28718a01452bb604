// Package workload judges everything that runs pods: what leads out of its containers,
// what it takes from others, and what it may use up.
package workload

import (
	"embed"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

//go:embed cases
var cases embed.FS

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// New returns the check.
func New() *posture.Family {
	return &posture.Family{
		Name: "check/workload", Summary: "Pods: privileges, what they see of the node, resources, images.", Version: 1,
		List: rules, Cases: posture.Cases{FS: cases},
	}
}

var rules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/privileged", Severity: high, Title: "A container is privileged",
			Tags: []string{"cis:5.2.2", "pss:privileged", "attack:T1611"}, Fix: "take privileged out, and add the one capability or device that is needed",
			Why:   "it has every capability and every device of the node: root in it is root on the node, without any flaw",
			Noise: "CNI plugins, CSI drivers and node agents of the system need it, and are worth an exception with an owner",
			Refs:  []string{"https://kubernetes.io/docs/concepts/security/pod-security-standards/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i := range w.Containers {
				c := &w.Containers[i]
				if s := c.SecurityContext; s != nil && s.Privileged != nil && *s.Privileged {
					h.Container(w, c, []any{"securityContext", "privileged"}, "privileged: true", kube.Put(false, w.ContainerPath(c, "securityContext", "privileged")...))
				}
			}
		},
	},
}
