package cluster

import (
	"slices"
	"strings"
)

// wanted are the resources that checks need, group by group: those of Kubernetes and the
// custom ones that decide answers. Custom resources that hold pod templates are found by
// the schema of their definitions. deploy/ has a ClusterRole with the same list.
var wanted = []struct{ group, resources string }{
	{"", "namespaces nodes services configmaps secrets serviceaccounts limitranges resourcequotas persistentvolumes persistentvolumeclaims podtemplates replicationcontrollers"},
	{"apps", "deployments statefulsets daemonsets"},
	{"batch", "cronjobs"},
	{"autoscaling", "horizontalpodautoscalers"},
	{"policy", "poddisruptionbudgets"},
	{"networking.k8s.io", "ingresses ingressclasses networkpolicies"},
	{"rbac.authorization.k8s.io", "roles rolebindings clusterroles clusterrolebindings"},
	{"storage.k8s.io", "storageclasses csidrivers"},
	{"admissionregistration.k8s.io", "validatingwebhookconfigurations mutatingwebhookconfigurations validatingadmissionpolicies validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings"},
	{"apiregistration.k8s.io", "apiservices"},
	{"apiextensions.k8s.io", "customresourcedefinitions"},
	{"certificates.k8s.io", "certificatesigningrequests"},
	{"node.k8s.io", "runtimeclasses"},
	{"scheduling.k8s.io", "priorityclasses"},
	{"snapshot.storage.k8s.io", "volumesnapshotclasses"},
	// Custom resources.
	{"argoproj.io", "applications applicationsets appprojects rollouts workflows workflowtemplates clusterworkflowtemplates cronworkflows"},
	{"bitnami.com", "sealedsecrets"},
	{"cert-manager.io", "certificates issuers clusterissuers"},
	{"cilium.io", "ciliumnetworkpolicies ciliumclusterwidenetworkpolicies"},
	{"constraints.gatekeeper.sh", "*"},
	{"crd.projectcalico.org", "networkpolicies globalnetworkpolicies"},
	{"external-secrets.io", "externalsecrets clusterexternalsecrets secretstores clustersecretstores pushsecrets"},
	{"gateway.envoyproxy.io", "clienttrafficpolicies"},
	{"gateway.networking.k8s.io", "gateways gatewayclasses httproutes grpcroutes tlsroutes tcproutes udproutes referencegrants backendtlspolicies"},
	{"helm.toolkit.fluxcd.io", "helmreleases"},
	{"kustomize.toolkit.fluxcd.io", "kustomizations"},
	{"kyverno.io", "clusterpolicies policies policyexceptions"},
	{"linkerd.io", "serviceprofiles"},
	{"monitoring.coreos.com", "servicemonitors podmonitors"},
	{"networking.istio.io", "gateways virtualservices destinationrules serviceentries sidecars"},
	{"policies.kyverno.io", "*"},
	{"policy.linkerd.io", "servers serverauthorizations authorizationpolicies meshtlsauthentications"},
	{"policy.networking.k8s.io", "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies"},
	{"projectcalico.org", "networkpolicies globalnetworkpolicies"},
	{"projectcontour.io", "httpproxies"},
	{"route.openshift.io", "routes"},
	{"secrets-store.csi.x-k8s.io", "secretproviderclasses"},
	{"secrets.hashicorp.com", "vaultauths vaultconnections"},
	{"security.istio.io", "peerauthentications authorizationpolicies requestauthentications"},
	{"serving.knative.dev", "services"},
	{"source.toolkit.fluxcd.io", "gitrepositories helmrepositories ocirepositories buckets"},
	{"templates.gatekeeper.sh", "constrainttemplates"},
	{"traefik.io", "ingressroutes ingressroutetcps serverstransports tlsoptions"},
	{"velero.io", "backupstoragelocations schedules"},
}

// isWanted tells whether checks need resources of a group.
func isWanted(group string) bool {
	return slices.ContainsFunc(wanted, func(w struct{ group, resources string }) bool { return w.group == group })
}

// Pods come last, when it is known who owns them, and what owns pods between them and what
// people wrote comes before them.
const (
	podsOfAll = "pods"
	betweens  = "replicasets.apps jobs.batch"
)

// wants tells whether a resource is one that checks need.
func wants(group, resource string) bool {
	full := resourceName(group, resource)
	if full == podsOfAll || contains(betweens, full) {
		return true
	}
	for _, w := range wanted {
		if w.group == group && (w.resources == "*" || contains(w.resources, resource)) {
			return true
		}
	}
	return false
}

func contains(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// resourceName is what people call a resource: "pods", "roles.rbac.authorization.k8s.io".
func resourceName(group, resource string) string {
	if group == "" {
		return resource
	}
	return resource + "." + group
}
