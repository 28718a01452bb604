// Package exposure judges what can be reached from where, what travels and lies unencrypted,
// and what declares it: Ingress, Gateway, Service, mesh, storage, backups, GitOps.
package exposure

import (
	"embed"
	"slices"
	"time"

	"bulwark"
	"bulwark/check/internal/posture"
)

//go:embed cases
var cases embed.FS

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical

	reachable = bulwark.KindExposure
)

// Options of the check.
type Options struct {
	Now time.Time // by which certificates have expired; zero: none has
}

// Check is the family of rules.
type Check struct{ *posture.Family }

// New returns the check.
func New(o Options) *Check {
	return &Check{&posture.Family{
		Name: "check/exposure", Summary: "Kubernetes: what is reached from outside, what travels or lies in the clear.", Version: 1,
		List: slices.Concat(serviceRules, ingressRules, injectRules, gatewayRules, meshRules, transitRules, o.certificateRules(), policyRules,
			storageRules, backupRules, gitopsRules, classRules),
		Cases: posture.Cases{FS: cases},
	}}
}

// WithHygiene tells whether what is merely untidy is looked for, as it is unless this says no.
func (c *Check) WithHygiene(wanted bool) *Check {
	c.Family.WithHygiene(wanted)
	return c
}

// caseTime is the day on which the cases are tried.
var caseTime = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// TestRules tries every rule on its cases, on a day of their own.
func (c *Check) TestRules() ([]bulwark.RuleTest, error) {
	return New(Options{Now: caseTime}).Family.TestRules()
}

// hygiene is the tag of hits that are merely untidy, though others of their rule are not.
var hygiene = []string{"hygiene"}
