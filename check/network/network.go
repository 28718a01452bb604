// Package network judges what policies let through: what they leave open though somebody
// meant it to be shut, and what they say in vain.
//
// It says nothing of namespaces without any policy: check/exposure does. What is judged here
// is told once for its cause: the rule that is too wide, the namespace whose pods were
// forgotten, not every pod that can be reached.
package network

import (
	"embed"
	"slices"

	"bulwark"
	"bulwark/check/internal/posture"
)

//go:embed cases
var cases embed.FS

const (
	low    = bulwark.SeverityLow
	medium = bulwark.SeverityMedium
	high   = bulwark.SeverityHigh

	about = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
	tiers = "https://network-policy-api.sigs.k8s.io/api-overview/"
)

// hygiene is the tag of hits that are merely untidy, though others of their rule are not.
var hygiene = []string{"hygiene"}

// New returns the check.
func New() *posture.Family {
	return &posture.Family{
		Name: "check/network", Summary: "Kubernetes: what network policies leave open, and what they say in vain.", Version: 1,
		List:  slices.Concat(isolationRules, wideRules, egressRules, vainRules, enforceRules, serviceRules, meshRules),
		Cases: posture.Cases{FS: cases},
	}
}
