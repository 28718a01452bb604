package rights

import (
	"slices"
	"strings"

	"bulwark/rbac"
)

// power is something that rules of roles allow, and that leads further.
type power int

// The powers, as attackers use them.
const (
	allRights power = iota
	execPods
	attachPods
	forwardPods
	proxyServices
	openPolicies
	debugPods
	patchPods
	createPods
	patchWorkloads
	orderPods // by objects of an operator
	orderClouds
	kubelets
	readSecrets
	takeSecrets
	createSecrets
	createTokens
	beAccounts
	beUsers
	beGroups
	writeWebhooks
	watchRequests
	writeServices
	writeNodes
	writeAWSAuth
	makeAWSAuth
	writeNames
	writeMutations
	bindMutations
	createVolumes
	patchNamespaces
	createClusterBindings
	changeClusterBindings
	createBindings
	changeBindings
	bindClusterRoles
	bindRoles
	createClusterRoles
	changeClusterRoles
	changeRoles
	escalateClusterRoles
	escalateRoles
	createRequests
	approveNodes
	approveRequests
	approveSigners
	powers
)

// want is verbs on resources ("pods/exec") of a group; nil: on any of it.
type want struct {
	verbs     []string
	group     string
	resources []string
}

func on(verbs, group, resources string) want {
	return want{strings.Fields(verbs), group, strings.Fields(resources)}
}

// what says of a power what allows it.
type what struct {
	rule    string // of check/rbac, whose findings are about it; "": none are
	text    string // as remedies call it; powers that are taken out together have the same
	cluster bool   // what it is about is in no namespace
	wants   []want
}

const (
	change         = "update patch"
	write          = "create update patch"
	admissionGroup = "admissionregistration.k8s.io"
	signing        = "certificates.k8s.io"
)

var table = [powers]what{
	// What nobody named is allowed by an asterisk alone.
	allRights:     {"rbac/all-rights", "every right", false, []want{on("*", "*", "*")}},
	execPods:      {"rbac/pod-exec", "create and get pods/exec", false, []want{on("create get", "", "pods/exec")}},
	attachPods:    {"rbac/pod-attach", "create and get pods/attach", false, []want{on("create get", "", "pods/attach")}},
	forwardPods:   {"rbac/port-forward", "create and get pods/portforward and pods/proxy", false, []want{on("create get", "", "pods/portforward pods/proxy")}},
	proxyServices: {"rbac/proxy", "create and get services/proxy", false, []want{on("create get", "", "services/proxy")}},
	openPolicies:  {"", "write and delete networkpolicies", false, []want{on("create update patch delete deletecollection", "networking.k8s.io", "networkpolicies")}},
	debugPods:     {"rbac/debug-pods", "update and patch pods/ephemeralcontainers", false, []want{on(change, "", "pods/ephemeralcontainers")}},
	patchPods:     {"rbac/run-pods", "update and patch pods", false, []want{on(change, "", "pods")}},
	createPods: {"rbac/run-pods", "create what runs pods", false, []want{
		on("create", "", "pods replicationcontrollers"), on("create", "apps", "deployments daemonsets statefulsets replicasets"),
		on("create", "batch", "jobs cronjobs"), on("create", "extensions", "deployments daemonsets replicasets")}},
	patchWorkloads: {"rbac/run-pods", "update and patch what runs pods", false, []want{
		on(change, "", "replicationcontrollers"), on(change, "apps", "deployments daemonsets statefulsets replicasets"), on(change, "batch", "cronjobs")}},
	orderPods:   {"rbac/run-by-operator", "write what an operator makes pods of", false, nil}, // see operators
	orderClouds: {"rbac/run-by-operator", "write what an operator makes in a cloud", false, nil},

	kubelets:    {"rbac/node-proxy", "get and create nodes/proxy", true, []want{on("create get", "", "nodes/proxy")}},
	readSecrets: {"rbac/secrets-read", "get, list and watch secrets", false, []want{on("get list watch", "", "secrets")}},
	// Who patches an object is given what it is now, and so is who deletes many of them.
	takeSecrets:   {"", "patch and deletecollection secrets", false, []want{on("patch deletecollection", "", "secrets")}},
	createSecrets: {"rbac/secrets-write", "create secrets", false, []want{on("create", "", "secrets")}},
	createTokens:  {"rbac/token-create", "create serviceaccounts/token", false, []want{on("create", "", "serviceaccounts/token")}},
	beAccounts:    {"rbac/impersonate-accounts", "impersonate serviceaccounts", false, []want{on("impersonate", "", "serviceaccounts")}},
	beUsers:       {"rbac/impersonate", "impersonate users", true, []want{on("impersonate", "", "users")}},
	beGroups:      {"rbac/impersonate", "impersonate groups", true, []want{on("impersonate", "", "groups")}},

	writeWebhooks:  {"rbac/webhook-write", "write mutatingwebhookconfigurations", true, []want{on(write, admissionGroup, "mutatingwebhookconfigurations")}},
	watchRequests:  {"rbac/webhook-write", "write validatingwebhookconfigurations", true, []want{on(write, admissionGroup, "validatingwebhookconfigurations")}},
	writeServices:  {"rbac/apiservice-write", "write apiservices", true, []want{on(write, "apiregistration.k8s.io", "apiservices")}},
	writeNodes:     {"rbac/node-write", "update and patch nodes", true, []want{on(change, "", "nodes")}},
	writeAWSAuth:   {"rbac/system-configmaps", "update and patch the ConfigMap aws-auth", false, []want{on(change, "", "configmaps")}},
	makeAWSAuth:    {"", "create configmaps", false, []want{on("create", "", "configmaps")}},
	writeNames:     {"rbac/system-configmaps", "update and patch the ConfigMap coredns", false, []want{on(change, "", "configmaps")}},
	writeMutations: {"rbac/policy-write", "write mutatingadmissionpolicies", true, []want{on(write, admissionGroup, "mutatingadmissionpolicies")}},
	bindMutations:  {"rbac/policy-write", "write mutatingadmissionpolicybindings", true, []want{on(write, admissionGroup, "mutatingadmissionpolicybindings")}},

	createVolumes:   {"rbac/volume-create", "create persistentvolumes", true, []want{on("create", "", "persistentvolumes")}},
	patchNamespaces: {"rbac/namespace-write", "update and patch namespaces", false, []want{on(change, "", "namespaces")}},

	createClusterBindings: {"rbac/rbac-write", "write clusterrolebindings", true, []want{on("create", rbac.Group, "clusterrolebindings")}},
	changeClusterBindings: {"rbac/rbac-write", "write clusterrolebindings", true, []want{on(change, rbac.Group, "clusterrolebindings")}},
	createBindings:        {"rbac/rbac-write", "write rolebindings", false, []want{on("create", rbac.Group, "rolebindings")}},
	changeBindings:        {"rbac/rbac-write", "write rolebindings", false, []want{on(change, rbac.Group, "rolebindings")}},
	bindClusterRoles:      {"rbac/bind", "bind clusterroles", false, []want{on("bind", rbac.Group, "clusterroles")}},
	bindRoles:             {"rbac/bind", "bind roles", false, []want{on("bind", rbac.Group, "roles")}},
	createClusterRoles:    {"rbac/rbac-write", "write clusterroles", true, []want{on("create", rbac.Group, "clusterroles")}},
	changeClusterRoles:    {"rbac/rbac-write", "write clusterroles", true, []want{on(change, rbac.Group, "clusterroles")}},
	changeRoles:           {"rbac/rbac-write", "update and patch roles", false, []want{on(change, rbac.Group, "roles")}},
	escalateClusterRoles:  {"rbac/escalate", "escalate clusterroles", true, []want{on("escalate", rbac.Group, "clusterroles")}},
	escalateRoles:         {"rbac/escalate", "escalate roles", false, []want{on("escalate", rbac.Group, "roles")}},

	createRequests:  {"rbac/csr-approve", "create certificatesigningrequests", true, []want{on("create", signing, "certificatesigningrequests")}},
	approveNodes:    {"", "create certificatesigningrequests/nodeclient", true, []want{on("create", signing, "certificatesigningrequests/nodeclient")}},
	approveRequests: {"rbac/csr-approve", "update and patch certificatesigningrequests/approval", true, []want{on(change, signing, "certificatesigningrequests/approval")}},
	approveSigners:  {"rbac/csr-approve", "approve signers", true, []want{on("approve", signing, "signers")}},
}

// class is by which kind of rule a power is given: each is mended by itself.
type class int

const (
	named class = iota // it names the resource, or its group
	broad              // for every resource
	full               // for everything
	classes
)

func classOf(r *rbac.Rule) class {
	if !slices.Contains(r.Resources, "*") || !slices.Contains(r.Groups, "") && !slices.Contains(r.Groups, "*") {
		return named
	}
	if slices.Contains(r.Groups, "*") && slices.Contains(r.Verbs, "*") {
		return full
	}
	return broad
}

// rules are those of check/rbac that find rules of a class.
func (c class) rule(p power) string {
	switch c {
	case broad:
		return "rbac/wildcard-resources"
	case full:
		return "rbac/all-rights"
	}
	return table[p].rule
}
