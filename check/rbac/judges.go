package rbac

import (
	"slices"
	"strings"

	"bulwark"
	authz "bulwark/rbac"
)

// ours tells whether an API group is one of Kubernetes itself.
func ours(group string) bool {
	return group == "*" || group == "" || group == "apps" || group == "batch" || group == "autoscaling" || group == "policy" || group == "extensions" ||
		strings.HasSuffix(group, ".k8s.io") && strings.Count(group, ".") == 2 && !strings.HasSuffix(group, "metrics.k8s.io")
}

// approves looks at both halves: to approve a request at all, and for which signer.
func approves(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
	if broad(r) {
		return nil, none, none
	}
	const group = "certificates.k8s.io"
	if !slices.Contains(r.Groups, group) && !slices.Contains(r.Groups, "*") {
		return nil, none, none
	}
	approval := on("update patch", group, "certificatesigningrequests/approval")
	signers := on("approve sign attest", group, "signers")
	switch verbs := signers.met(r, "signers"); {
	case len(verbs) > 0 && (len(r.Names) == 0 || slices.ContainsFunc(r.Names, func(n string) bool {
		return n == "kubernetes.io/kube-apiserver-client" || n == "kubernetes.io/legacy-unknown" || strings.HasSuffix(n, "/*")
	})):
		return verbs, high, none
	case len(verbs) > 0 && slices.Contains(r.Names, "kubernetes.io/kube-apiserver-client-kubelet"):
		return verbs, medium, none
	}
	if verbs := approval.met(r, approval.resources[0]); len(verbs) > 0 {
		return verbs, medium, none // nothing without the signer, which stands in another rule
	}
	return nil, none, none
}

// configmaps looks at the right to change the cluster's own config maps, which is nothing in
// other namespaces.
func configmaps(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
	w := on("update patch delete", "", "configmaps")
	if broad(r) || !slices.Contains(r.Groups, "") && !slices.Contains(r.Groups, "*") {
		return nil, none, none
	}
	verbs := w.met(r, "configmaps")
	switch {
	case len(verbs) == 0:
		return nil, none, none
	case slices.ContainsFunc(r.Names, func(n string) bool {
		return n == "aws-auth" || n == "coredns" || n == "kube-proxy" || n == "kubeadm-config"
	}):
		return verbs, medium, none
	case len(r.Names) == 0:
		return verbs, low, none
	}
	return nil, none, none
}

// drives tells whether a role is that of a driver of storage, which reads storage classes.
func drives(role *authz.Role) bool {
	q := authz.Request{Verb: "list", Group: "storage.k8s.io", Resource: "storageclasses"}
	return slices.ContainsFunc(role.Rules, func(r authz.Rule) bool { return r.Allows(&q) })
}

// deletesData looks at the right to delete what the same rule does not make.
func deletesData(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
	if broad(r) || len(r.Names) > 0 || slices.Contains(r.Verbs, "create") || slices.Contains(r.Verbs, "*") {
		return nil, none, none
	}
	var verbs []string
	for _, w := range []want{on("delete deletecollection", "", "persistentvolumes persistentvolumeclaims"), on("delete deletecollection", "snapshot.storage.k8s.io", "volumesnapshots volumesnapshotcontents")} {
		for _, resource := range w.resources {
			if slices.Contains(r.Groups, w.group) || slices.Contains(r.Groups, "*") {
				verbs = union(verbs, w.met(r, resource))
			}
		}
	}
	return verbs, low, none
}

// administrator tells whether a name is that of a role, user or group with every right, or
// of one of the control plane's own.
func administrator(name string) bool {
	switch name {
	case "cluster-admin", "admin", "kubernetes-admin", "kubernetes-super-admin", "kubeadm:cluster-admins":
		return true
	}
	return strings.HasPrefix(name, "system:") && !strings.HasPrefix(name, "system:serviceaccount") && name != authz.Anonymous && name != authz.Unauthenticated && name != authz.Authenticated
}

// makesAnyPod tells whether a role for all namespaces makes pods without an operator's help.
func makesAnyPod(role *authz.Role) bool {
	if !role.Cluster() {
		return false
	}
	for i := range role.Rules {
		r := &role.Rules[i]
		for j := range makesPods {
			w := &makesPods[j]
			if len(r.Names) > 0 || !slices.Contains(r.Groups, w.group) && !slices.Contains(r.Groups, "*") {
				continue
			}
			if slices.ContainsFunc(w.resources, func(resource string) bool { return len(w.met(r, resource)) > 0 }) {
				return true
			}
		}
	}
	return false
}
