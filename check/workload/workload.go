// Package workload judges everything that runs pods: what leads out of its containers,
// what it takes from others, and what it may use up.
package workload

import (
	"embed"
	"slices"

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
)

// The pages that several rules refer to.
const (
	docsPSS      = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
	docsContext  = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
	docsVolumes  = "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"
	docsLimits   = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
	docsImages   = "https://kubernetes.io/docs/concepts/containers/images/"
	docsProbes   = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"
	docsPDB      = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
	docsHPA      = "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/"
	docsJobs     = "https://kubernetes.io/docs/concepts/workloads/controllers/job/"
	docsSpread   = "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/"
	docsSeccomp  = "https://kubernetes.io/docs/tutorials/security/seccomp/"
	docsUserNS   = "https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/"
	docsNS       = "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"
	manCaps      = "https://man7.org/linux/man-pages/man7/capabilities.7.html"
	attackEscape = "https://attack.mitre.org/techniques/T1611/"
)

// Options are what the user says of workloads.
type Options struct {
	// Registries are those that images may come from: "docker.io", "registry.example.org/team".
	// Empty: all.
	Registries []string
}

// New returns the check.
func New() *posture.Family { return With(Options{}) }

// With returns the check with what the user says.
func With(o Options) *posture.Family {
	return &posture.Family{
		Name: "check/workload", Summary: "Pods: privileges, what they see of the node, resources, images.", Version: 2,
		List: rules(o), Cases: posture.Cases{FS: cases},
	}
}

func rules(o Options) []*posture.Rule {
	return slices.Concat(hostRules, capabilityRules(), pathRules(), volumeRules, profileRules, userRules, standardRules,
		commandRules, exploitRules, authRules, imageRules(o), resourceRules, availableRules, scaleRules, placeRules)
}
