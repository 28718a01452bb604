// Package cluster judges the cluster itself: what is let in (admission), how its control
// plane and kubelets are set up, what is written down of what happens (audit, logs), and
// which versions of its components run.
package cluster

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

// New returns the check.
func New() *posture.Family {
	return &posture.Family{
		Name: "check/cluster", Summary: "The cluster: admission, control plane, kubelets, audit, logs, skew of versions.", Version: 1,
		List:  slices.Concat(namespaceRules(), webhookRules(), strangerRules(), policyRules(), apiServerRules(), controllerRules(), etcdRules(), kubeletRules(), auditRules(), loggingRules(), skewRules()),
		Cases: posture.Cases{FS: cases},
	}
}

// Pages that rules refer to.
const (
	docsPSA        = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"
	docsPSAConfig  = "https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/"
	docsWebhooks   = "https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/"
	docsAdmission  = "https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/"
	docsDynamic    = "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"
	docsVAP        = "https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/"
	docsPSP        = "https://kubernetes.io/docs/concepts/security/pod-security-policy/"
	docsAPIServer  = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/"
	docsController = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/"
	docsScheduler  = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/"
	docsAuthn      = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/"
	docsAuthz      = "https://kubernetes.io/docs/reference/access-authn-authz/authorization/"
	docsAudit      = "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/"
	docsEtcd       = "https://etcd.io/docs/latest/op-guide/security/"
	docsKubelet    = "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"
	docsKubeletSec = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"
	docsTLSBoot    = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/"
	docsProxy      = "https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/"
	docsLogging    = "https://kubernetes.io/docs/concepts/cluster-administration/logging/"
	docsSkew       = "https://kubernetes.io/releases/version-skew-policy/"
	docsCommunity  = "https://kubernetes.io/docs/concepts/security/controlling-access/"
	docsNode       = "https://kubernetes.io/docs/reference/access-authn-authz/node/"
	docsSA         = "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"
	docsSeccomp    = "https://kubernetes.io/docs/tutorials/security/seccomp/"
	docsPIDs       = "https://kubernetes.io/docs/concepts/policy/pid-limiting/"
	docsReserve    = "https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/"
)
