package chart

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// DefaultKube is the version of Kubernetes that charts are rendered for when nobody says.
const DefaultKube = "v1.37.0"

// Capabilities is what a chart sees of the cluster.
type Capabilities struct {
	KubeVersion KubeVersion
	APIVersions VersionSet
	HelmVersion HelmVersion
}

// KubeVersion is a version of Kubernetes.
type KubeVersion struct{ Version, Major, Minor string }

// String is the version.
func (k *KubeVersion) String() string { return k.Version }

// GitVersion is the version, by its old name.
func (k *KubeVersion) GitVersion() string { return k.Version }

// HelmVersion is the version of helm that a chart sees.
type HelmVersion struct{ Version, GitCommit, GitTreeState, GoVersion string }

// VersionSet is what the API server serves.
type VersionSet []string

// Has tells whether a group version, or a resource of one, is served.
func (v VersionSet) Has(version string) bool { return slices.Contains(v, version) }

// ParseKube reads a version of Kubernetes: "1.29", "v1.29.3".
func ParseKube(s string) (KubeVersion, error) {
	parts := strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3)
	var numbers [3]uint64
	for i, p := range parts {
		digits := p
		if i == 2 {
			digits = p[:len(p)-len(strings.TrimLeft(p, "0123456789"))]
		}
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || len(parts) < 2 {
			return KubeVersion{}, fmt.Errorf("%w: %q is no version of Kubernetes: say it as 1.29 or v1.29.3", bulwark.ErrMalformed, s)
		}
		numbers[i] = n
	}
	return KubeVersion{
		Version: fmt.Sprintf("v%d.%d.%d", numbers[0], numbers[1], numbers[2]),
		Major:   strconv.FormatUint(numbers[0], 10), Minor: strconv.FormatUint(numbers[1], 10),
	}, nil
}

// served are the versions that a chart finds when nobody says which there are.
var served = strings.Fields("v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1 internal.apiserver.k8s.io/v1alpha1 " +
	"apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 authorization.k8s.io/v1 " +
	"authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1 batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 " +
	"certificates.k8s.io/v1alpha1 coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 " +
	"discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1 flowcontrol.apiserver.k8s.io/v1 " +
	"flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3 lifecycle.k8s.io/v1alpha1 " +
	"networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 policy/v1beta1 " +
	"rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2 " +
	"resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha3 scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 storage.k8s.io/v1beta1 " +
	"storage.k8s.io/v1 storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1 storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1beta1 " +
	"apiextensions.k8s.io/v1")
