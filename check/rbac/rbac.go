// Package rbac judges who may do what: what roles allow that leads further than it says, and
// whom bindings give it to.
//
// What a role allows is a finding of the role, once, however many bindings give it away: that
// is where it is written and where it is mended. Its evidence names the rules and each
// subject with its binding, and its severity is that of the widest binding: everywhere, in
// kube-system, in namespaces of its own, or not at all, which counts in manifests alone, where
// the binding may be elsewhere. Rights of roles that come with Kubernetes (cluster-admin,
// edit, system:...) cannot be mended there: binding those to others than Kubernetes does is a
// finding of the binding, and so is whom a binding names (nobody known, everybody, the default
// service account, accounts that do not exist).
//
// A rule for every resource counts as that alone, and not once more for secrets, pods and all
// else that it covers. Rights that roles of every cluster have are none of its findings, as
// long as these roles have no more of them than Kubernetes gives them.
//
// Few findings carry edits: nobody but the program that uses a role knows which of its rights
// it needs. Taken out are escalate, bind and impersonate where they are named, for they serve
// to get past what RBAC holds back, subjects that stand for people who are not known, and
// what says nothing.
package rbac

import (
	"embed"
	"slices"

	"bulwark"
	"bulwark/check/internal/posture"
)

//go:embed cases
var cases embed.FS

const (
	none     = bulwark.SeverityUnknown
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// New returns the check.
func New() *posture.Family {
	return &posture.Family{
		Name: "check/rbac", Summary: "Roles and bindings: rights that lead further than they say, and who has them.", Version: 1,
		List: slices.Concat(dangerRules(), bindingRules, beyondRules, tidyRules), Cases: posture.Cases{FS: cases},
	}
}
