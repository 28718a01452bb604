// Package secrets judges how a cluster keeps its secrets: where their values stand, who is
// given them, how long they are good, and what keeps them.
//
// A value never leaves the process: findings have names of keys and variables alone.
package secrets

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
	low    = bulwark.SeverityLow
	medium = bulwark.SeverityMedium
	high   = bulwark.SeverityHigh
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
		Name: "check/secrets", Summary: "Secrets of Kubernetes: where values stand, who is given them, how long they last, what keeps them.", Version: 1,
		List:  slices.Concat(literalRules, mountRules, storeRules, tokenRules, encryptionRules, cloudRules, o.valueRules()),
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

// Pages that several rules refer to.
const (
	practices  = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"
	aboutTLS   = "https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets"
	aboutStore = "https://external-secrets.io/latest/guides/security-best-practices/"
	encryption = "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"
)
