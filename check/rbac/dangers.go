package rbac

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	authz "bulwark/rbac"
)

const (
	good  = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
	docs  = "https://kubernetes.io/docs/reference/access-authn-authz/rbac/"
	admit = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"
	csr   = "https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/"
)

const write = "create update patch"

// makesPods are the resources that pods come from.
var makesPods = []want{
	on(write, "", "pods replicationcontrollers"),
	on(write, "apps", "deployments daemonsets statefulsets replicasets"),
	on(write, "extensions", "deployments daemonsets replicasets"),
	on(write, "batch", "jobs cronjobs"),
}

var dangers = []*danger{
	{
		Rule: misconfig.Rule{ID: "rbac/all-rights", Severity: critical, Title: "A role allows everything",
			Tags:  []string{"cis:5.1.1", "cis:5.1.3", "attack:T1078", "edge:IS_CLUSTER_ADMIN", "kubescape:C-0035", "kubelinter:cluster-admin-role-binding"},
			Fix:   "list the verbs, API groups and resources that are used, and nothing else",
			Why:   "whoever has it everywhere is cluster-admin by another name; in one namespace it is every secret and pod there, and what new kinds of objects will bring",
			Noise: "installers and delivery programs that have to make anything are built so: worth an exception with an owner",
			Refs:  []string{good, docs}},
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			if broad(r) && slices.Contains(r.Groups, "*") && slices.Contains(r.Verbs, "*") && len(r.Names) == 0 {
				return []string{"*"}, critical, medium
			}
			return nil, none, none
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/wildcard-resources", Severity: high, Title: "A role is for every resource",
			Tags:  []string{"cis:5.1.2", "cis:5.1.3", "cis:5.1.4", "attack:T1552.007", "kubelinter:wildcard-in-rules"},
			Fix:   "name the resources that are used",
			Why:   "secrets, pods and what leads into pods are among them: reading everything reads every token, writing everything runs anything as anybody",
			Noise: "backups, inventories and delivery programs that see every resource by design; even so they read every secret",
			Refs:  []string{good, docs}},
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			if !broad(r) || len(r.Names) > 0 || slices.Contains(r.Groups, "*") && slices.Contains(r.Verbs, "*") {
				return nil, none, none
			}
			switch {
			case slices.Contains(r.Verbs, "*"), slices.Contains(r.Verbs, "create"), slices.Contains(r.Verbs, "update"), slices.Contains(r.Verbs, "patch"), slices.Contains(r.Verbs, "impersonate"):
				return r.Verbs, critical, medium
			case slices.Contains(r.Verbs, "list"), slices.Contains(r.Verbs, "watch"), slices.Contains(r.Verbs, "get"):
				return r.Verbs, high, medium
			case slices.Contains(r.Verbs, "delete"), slices.Contains(r.Verbs, "deletecollection"):
				return r.Verbs, medium, low
			}
			return r.Verbs, low, low
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/wildcard-verbs", Severity: low, Title: "A role allows every verb on resources of Kubernetes",
			Tags: []string{"cis:5.1.3", "kubelinter:wildcard-in-rules"}, Fix: "name the verbs that are used",
			Why:   "the asterisk stands for verbs that nobody thought of too: escalate and bind of roles, impersonate of accounts, deletion of everything at once",
			Noise: "operators that own what they manage ask for it; where it leads to secrets, pods or roles, that alone is told",
			Refs:  []string{good, docs}},
		alone: true,
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			if broad(r) || !slices.Contains(r.Verbs, "*") || len(r.Names) > 0 || len(r.Resources) == 0 || !slices.ContainsFunc(r.Groups, ours) {
				return nil, none, none
			}
			return r.Verbs, low, low
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/escalate", Severity: critical, Title: "A role may write rights into roles that its holder does not have",
			Tags: []string{"cis:5.1.8", "attack:T1098.006", "edge:RBAC_ESCALATE_TO"}, Fix: "take the verb escalate out; without it roles can still be written, with rights that the writer has",
			Why:   "the API server lets nobody write a role that allows more than its writer may; escalate lifts that, and with a role of one's own it is cluster-admin",
			Noise: "operators that install others (OLM, Rancher, Crossplane's RBAC manager) are built on it",
			Refs:  []string{docs + "#privilege-escalation-prevention-and-bootstrapping", good}},
		own: high, named: high, drop: true,
		wants: []want{on("escalate", authz.Group, "roles clusterroles")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/bind", Severity: critical, Title: "A role may bind roles whose rights its holder does not have",
			Tags: []string{"cis:5.1.8", "attack:T1098.006", "edge:ROLE_BIND", "edge:RBAC_ESCALATE_TO"}, Fix: "take the verb bind out, or limit it by resourceNames to the roles that are to be handed out",
			Why:   "the API server lets nobody give rights away that they do not have; bind lifts that: with the right to write bindings its holder is cluster-admin",
			Noise: "those who hand out roles on purpose need it, for the roles that resourceNames list",
			Refs:  []string{docs + "#restrictions-on-role-binding-creation-or-update", good}},
		own: high, named: low, mighty: administrator, drop: true,
		wants: []want{on("bind", authz.Group, "roles clusterroles")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/impersonate", Severity: critical, Title: "A role may act as other users",
			Tags: []string{"cis:5.1.8", "attack:T1134", "edge:IDENTITY_IMPERSONATE", "edge:CAN_IMPERSONATE", "kubescape:C-0065"}, Fix: "take the verb impersonate out, or limit it by resourceNames to the identities that are to be acted as",
			Why:   "who may act as any user or group acts as system:masters, and the audit log has to be read for who it really was. Bound in a namespace it does nothing yet, for users belong to none",
			Noise: "proxies that log users in themselves (dashboards, Rancher, Teleport) are built on it",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation", good}},
		own: low, system: low, named: low, mighty: administrator, drop: true,
		wants: []want{on("impersonate", "", "users groups"), on("impersonate", "authentication.k8s.io", "users groups")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/impersonate-accounts", Severity: high, Title: "A role may act as service accounts",
			Tags: []string{"cis:5.1.8", "attack:T1134", "edge:IDENTITY_IMPERSONATE", "edge:CAN_IMPERSONATE"}, Fix: "take the verb impersonate out, or limit it by resourceNames",
			Why:   "acting as a service account is having its rights: everywhere those of the controllers in kube-system, in a namespace those of whatever runs there",
			Noise: "edit and admin have it in their namespace",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation", good}},
		own: medium, named: medium, drop: true,
		wants: []want{on("impersonate", "", "serviceaccounts")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/impersonate-extras", Severity: medium, Title: "A role may say what an identity is besides its name",
			Tags: []string{"cis:5.1.8", "attack:T1134", "edge:IDENTITY_IMPERSONATE"}, Fix: "limit it by resourceNames to what the proxy passes on",
			Why:   "webhooks and authorizers of cloud providers decide by these extras: scopes, ids of sessions, ids of principals",
			Noise: "proxies of logins (Rancher, Teleport, Pinniped) pass on what they checked themselves",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation"}},
		named: low, drop: true,
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			extra := func(s string) bool { return s == "uids" || s == "userextras" || strings.HasPrefix(s, "userextras/") }
			if slices.Contains(r.Groups, "authentication.k8s.io") && slices.Contains(r.Verbs, "impersonate") && slices.ContainsFunc(r.Resources, extra) && len(r.Names) == 0 {
				return []string{"impersonate"}, medium, none
			}
			return nil, none, none
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/secrets-read", Severity: high, Title: "A role reads secrets",
			Tags:  []string{"cis:5.1.2", "sec:SEC19", "attack:T1552.007", "edge:TOKEN_LIST", "edge:TOKEN_BRUTEFORCE", "edge:ACCESS_SECRET", "kubescape:C-0015", "kubelinter:access-to-secrets"},
			Fix:   "give get on the secrets that are used, by resourceNames, in the namespace where they are; mount them instead where a pod needs them",
			Why:   "list and watch give the content of every secret, and so does get to who knows names, which manifests, charts and operators all tell: keys, passwords and tokens of service accounts; everywhere that is mostly cluster-admin",
			Noise: "controllers that copy or watch secrets (ingress, certificates, GitOps) need them, best in named namespaces",
			Refs:  []string{good + "#listing-secrets", "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"}},
		own: medium, named: none,
		wants: []want{on("get list watch", "", "secrets")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/secrets-write", Severity: medium, Title: "A role writes secrets",
			Tags: []string{"sec:SEC20", "attack:T1098", "edge:CREATE_SECRET_WITH_TOKEN"}, Fix: "limit it to a namespace, and changes by resourceNames to the secrets that are its own",
			Why:   "a secret of the type service-account-token is filled with a token of any account of the namespace, which never ends; changed ones put other keys and addresses under what runs",
			Noise: "controllers that make secrets (certificates, external secrets) have to",
			Refs:  []string{good, "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets"}},
		own: low, named: none,
		wants: []want{on(write, "", "secrets")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/run-pods", Severity: high, Title: "A role makes or changes what runs pods",
			Tags:  []string{"cis:5.1.4", "sec:SEC20", "attack:T1610", "edge:POD_CREATE", "edge:POD_PATCH", "edge:CREATE_POD_WITH_SA", "edge:UPDATE_WORKLOAD_WITH_SA", "edge:REPLACE_IMAGE", "kubelinter:access-to-create-pods"},
			Fix:   "limit it to the namespace where it deploys, and have Pod Security Admission enforce baseline or restricted there",
			Why:   "a pod runs as any service account of its namespace, mounts any of its secrets, and is the node where nothing forbids privileged pods; in kube-system accounts hold the cluster",
			Noise: "whatever deploys has to; severity is that of how far it reaches",
			Refs:  []string{good + "#workload-creation", admit}},
		own: medium, named: low, wants: makesPods,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/run-by-operator", Severity: medium, Title: "A role writes resources that an operator makes pods of",
			Tags: []string{"cis:5.1.4", "attack:T1610", "edge:POD_CREATE"}, Fix: "limit it to the namespace where it is needed, and forbid in the operator's own settings which accounts and images it takes",
			Why:   "the operator runs what is written there with its own rights, which are mostly wider than those of whoever writes",
			Noise: "it is nothing where the operator is not installed; of those that make pods themselves, as operators do, that alone is told",
			Refs:  []string{good + "#workload-creation"}},
		own: low, named: low, wants: byOperators(), moot: makesAnyPod,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/pod-exec", Severity: high, Title: "A role runs commands in pods",
			Tags: []string{"sec:SEC20", "attack:T1609", "edge:POD_EXEC", "edge:EXEC_INTO", "kubescape:C-0002"}, Fix: "give it to people for the time they need it, in a namespace",
			Why:   "who runs commands in a pod has its secrets, its service account and its way into the node; get is enough, for websockets begin with it",
			Noise: "consoles, backups with hooks, and runners of builds (GitLab, Jenkins) do their work this way",
			Refs:  []string{good, "https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/"}},
		own: medium, named: low,
		wants: []want{on("create get", "", "pods/exec")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/pod-attach", Severity: high, Title: "A role attaches to processes in pods",
			Tags: []string{"attack:T1609", "edge:EXEC_INTO", "kubescape:C-0002"}, Fix: "give it to people for the time they need it, in a namespace",
			Why:   "what attaches to a shell or debugger that a container keeps open writes into it",
			Noise: "consoles, and runners of builds that attach to the pods they made",
			Refs:  []string{good}},
		own: medium, named: low, weak: []string{"create", "get"},
		wants: []want{on("create get", "", "pods/attach")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/debug-pods", Severity: high, Title: "A role puts debug containers into pods",
			Tags: []string{"attack:T1609", "edge:DEBUG_POD"}, Fix: "give it to people for the time they need it, in a namespace",
			Why:   "an ephemeral container runs any image inside a pod that runs already, with its service account, and where it is admitted privileged",
			Noise: "people on duty who have the right for that; seldom a program",
			Refs:  []string{"https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/", good}},
		own: medium, named: low,
		wants: []want{on("update patch", "", "pods/ephemeralcontainers")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/port-forward", Severity: medium, Title: "A role forwards ports of pods",
			Tags: []string{"attack:T1090", "kubescape:C-0063"}, Fix: "give it to people for the time they need it, in a namespace",
			Why:   "what listens on localhost of a pod, mostly without a password, is reached past every network policy",
			Noise: "developers in their own namespace, and programs that install others through a port",
			Refs:  []string{"https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/"}},
		own: low, named: low,
		wants: []want{on("create get", "", "pods/portforward")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/node-proxy", Severity: high, Title: "A role talks to kubelets through the API server",
			Tags: []string{"cis:5.1.10", "attack:T1609", "edge:CAN_EXEC_THROUGH_KUBELET"}, Fix: "give nodes/metrics, nodes/stats or nodes/log instead, whichever is read",
			Why:   "the kubelet's API runs commands in every pod of the node, and get is enough for it; the right counts at the kubelet's own port too, where neither audit log nor admission sees them",
			Noise: "monitoring agents ask for it by habit",
			Refs:  []string{good + "#access-to-proxy-subresource-of-nodes", "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"}},
		named: high,
		wants: []want{on("get create update patch delete", "", "nodes/proxy")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/proxy", Severity: medium, Title: "A role talks to pods and services through the API server",
			Tags: []string{"attack:T1090"}, Fix: "leave pods/proxy and services/proxy out, or limit them by resourceNames",
			Why:   "requests come from the API server, where network policies and what trusts the control plane let them pass",
			Noise: "dashboards, and programs that read metrics through the API server",
			Refs:  []string{"https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/"}},
		own: low, named: low,
		wants: []want{on("get create update patch delete", "", "pods/proxy services/proxy")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/token-create", Severity: high, Title: "A role makes tokens of service accounts",
			Tags: []string{"cis:5.1.13", "sec:SEC20", "attack:T1528", "edge:GENERATE_TOKEN", "edge:GET_AUTHENTICATION_TOKEN_FOR"}, Fix: "limit it by resourceNames to the accounts that it stands for",
			Why:   "a token of an account is its rights, and serves from outside of the cluster too",
			Noise: "what federates identities (Vault, external secrets, CI) is built on it",
			Refs:  []string{good + "#token-request"}},
		own: medium, named: low,
		wants: []want{on("create", "", "serviceaccounts/token")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/csr-approve", Severity: high, Title: "A role approves or signs certificates",
			Tags: []string{"cis:5.1.11", "attack:T1550", "edge:GENERATE_CLIENT_CERTIFICATE"}, Fix: "limit signers by resourceNames to those that it is for, never kubernetes.io/kube-apiserver-client",
			Why:   "a client certificate is any user that its request names, an administrator among them, and cannot be taken back",
			Noise: "approvers of kubelets' certificates need the two signers that are for these",
			Refs:  []string{good + "#csrs-and-certificate-issuing", csr}},
		named: high,
		judge: approves,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/webhook-write", Severity: high, Title: "A role changes admission webhooks",
			Tags: []string{"cis:5.1.12", "attack:T1546", "kubescape:C-0036", "kubescape:C-0039"}, Fix: "limit changes by resourceNames to the webhooks that are its own",
			Why:   "a webhook sees every object that is written, secrets among them, and a mutating one changes it; without one what it held back is let in",
			Noise: "controllers that keep the certificate of their own webhook need one name",
			Refs:  []string{good + "#control-admission-webhooks"}},
		named: low,
		wants: []want{on(write+" delete deletecollection", "admissionregistration.k8s.io", "mutatingwebhookconfigurations validatingwebhookconfigurations")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/policy-write", Severity: medium, Title: "A role changes admission policies",
			Tags: []string{"cis:5.1.12", "attack:T1562"}, Fix: "leave admission policies and their bindings to whoever is to set rules for all",
			Why:   "without the policy what it held back is let in; a mutating one changes every object that is written",
			Noise: "policy engines write the policies that they enforce",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/"}},
		named: low,
		wants: []want{
			on(write+" delete deletecollection", "admissionregistration.k8s.io", "validatingadmissionpolicies validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings"),
			on(write+" delete deletecollection", "kyverno.io", "clusterpolicies policyexceptions"),
			on(write+" delete deletecollection", "templates.gatekeeper.sh", "constrainttemplates"),
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/apiservice-write", Severity: high, Title: "A role changes where the API server sends requests",
			Tags: []string{"attack:T1557"}, Fix: "limit changes by resourceNames to the API that is its own",
			Why:   "an APIService takes over a group of the API: requests to it, with who made them, go to a server of the writer's choice",
			Noise: "installers of metrics servers and of other APIs; the API server's own parts",
			Refs:  []string{"https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/"}},
		named: low,
		wants: []want{on(write, "apiregistration.k8s.io", "apiservices")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/crd-write", Severity: low, Title: "A role changes custom resource definitions",
			Tags: []string{"attack:T1565"}, Fix: "have definitions installed by whoever installs the program, and limit changes by resourceNames",
			Why:   "who deletes a definition deletes every object of it, and who changes one sends its objects through a converter of their choice",
			Noise: "operators often install their own definitions",
			Refs:  []string{"https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/"}},
		named: none,
		wants: []want{on("update patch delete deletecollection", "apiextensions.k8s.io", "customresourcedefinitions")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/namespace-write", Severity: medium, Title: "A role changes namespaces",
			Tags: []string{"attack:T1562", "edge:PATCH_NAMESPACE_TO_BYPASS_PSA"}, Fix: "leave namespaces to whoever is to set rules for all, or limit changes by resourceNames",
			Why:   "labels of a namespace decide which pods are admitted and which network policies hold; deleting it deletes all that is in it",
			Noise: "what makes namespaces for tenants has to",
			Refs:  []string{good + "#namespace-modification", admit}},
		own: low, named: low,
		wants: []want{on("update patch delete deletecollection", "", "namespaces")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/node-write", Severity: medium, Title: "A role changes nodes",
			Tags: []string{"attack:T1496"}, Fix: "give patch on nodes/status where only the state is told",
			Why:   "labels and taints of nodes decide where pods run: they can be drawn to a node that is lost already, and deleting nodes ends what runs there",
			Noise: "autoscalers, cloud controllers and network plugins have to",
			Refs:  []string{"https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/", good}},
		named: low,
		wants: []want{on("create update patch delete deletecollection", "", "nodes")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/volume-create", Severity: medium, Title: "A role makes persistent volumes",
			Tags: []string{"cis:5.1.9", "attack:T1611", "edge:VOLUME_ACCESS"}, Fix: "let storage classes and their drivers make volumes",
			Why:   "a persistent volume of the type hostPath is any folder of the node, and Pod Security Admission does not look into volumes that are claimed",
			Noise: "drivers of storage have to: they are known by reading storage classes, and then it is low",
			Refs:  []string{good + "#persistent-volume-creation"}},
		named: none, eases: drives,
		wants: []want{on("create", "", "persistentvolumes")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/endpoints-write", Severity: medium, Title: "A role decides where services lead",
			Tags: []string{"attack:T1557"}, Fix: "leave endpoints and endpoint slices to the controllers of the control plane",
			Why:   "an address in the endpoints or the status of a service (CVE-2020-8554) takes over what is sent to it, or leads an ingress into a namespace that policies keep apart",
			Noise: "service meshes and external load balancers may have to",
			Refs:  []string{docs + "#write-access-for-endpoints"}},
		own: low, named: low,
		wants: []want{on(write, "", "endpoints"), on("update patch", "", "services/status"), on(write, "discovery.k8s.io", "endpointslices"), on(write, "networking.istio.io", "envoyfilters")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/networkpolicy-write", Severity: medium, Title: "A role changes network policies",
			Tags: []string{"attack:T1562.007"}, Fix: "leave network policies to whoever is to set rules for all",
			Why:   "deleting a policy that forbids, or adding one that allows, opens the network, and policies only ever add up to more",
			Noise: "those who own a namespace mostly own its policies: see how far it reaches",
			Refs:  []string{"https://kubernetes.io/docs/concepts/services-networking/network-policies/"}},
		own: low, named: low,
		wants: []want{on(write+" delete deletecollection", "networking.k8s.io", "networkpolicies"), on(write+" delete deletecollection", "cilium.io", "ciliumnetworkpolicies ciliumclusterwidenetworkpolicies"),
			on(write+" delete deletecollection", "crd.projectcalico.org", "networkpolicies globalnetworkpolicies"), on(write+" delete deletecollection", "projectcalico.org", "networkpolicies globalnetworkpolicies"),
			on(write+" delete deletecollection", "security.istio.io", "authorizationpolicies peerauthentications"), on(write+" delete deletecollection", "policy.networking.k8s.io", "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/event-delete", Severity: low, Title: "A role deletes events",
			Tags: []string{"attack:T1070", "kubescape:C-0031"}, Fix: "leave delete out: events go by themselves after an hour",
			Why:   "events tell what happened; nobody but those who hide something needs them gone",
			Noise: "programs that tidy up events of what they own",
			Refs:  []string{"https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/"}},
		own: low, named: low,
		wants: []want{on("delete deletecollection", "", "events"), on("delete deletecollection", "events.k8s.io", "events")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/system-configmaps", Severity: medium, Title: "A role changes configuration that the cluster runs by",
			Tags: []string{"attack:T1565", "edge:UPDATE_AWS_AUTH", "kubescape:C-0037"}, Fix: "limit it by resourceNames, or to namespaces other than kube-system",
			Why:   "in kube-system, coredns decides where names lead, and aws-auth which identities of the cloud are administrators",
			Noise: "a right on all config maps is often meant for the program's own",
			Refs:  []string{"https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/", good}},
		system: medium,
		judge:  configmaps,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/rbac-write", Severity: medium, Title: "A role writes roles or bindings",
			Tags: []string{"cis:5.1.8", "attack:T1098.006"}, Fix: "leave roles and bindings to whoever is to hand out rights",
			Why:   "without escalate and bind its holder hands out only what it has itself: to others, where it stays when the holder's own rights are taken back",
			Noise: "operators that make accounts for what they run have to",
			Refs:  []string{docs + "#privilege-escalation-prevention-and-bootstrapping"}},
		own: low, named: low,
		wants: []want{on(write, authz.Group, "roles clusterroles rolebindings clusterrolebindings")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/quota-write", Severity: low, Title: "A role changes quotas and limits",
			Tags: []string{"attack:T1496"}, Fix: "leave quotas and limit ranges to whoever is to set rules for all",
			Why:   "without them a namespace takes all of the cluster's memory and processors from the others",
			Noise: "operators that hand out namespaces with their quotas",
			Refs:  []string{"https://kubernetes.io/docs/concepts/policy/resource-quotas/"}},
		own: low, named: low,
		wants: []want{on(write+" delete deletecollection", "", "resourcequotas limitranges")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/data-delete", Severity: low, Title: "A role deletes volumes or their snapshots",
			Tags: []string{"attack:T1485", "kubescape:C-0007"}, Fix: "leave deleting to the driver of the storage, or limit it to a namespace",
			Why:   "with the volume goes the data, and with the snapshot what could bring it back",
			Noise: "tools for backups have to; what also makes them, as drivers of storage do, is not found",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming"}},
		judge: deletesData,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/external-secrets-write", Severity: medium, Title: "A role decides which secrets are fetched from outside",
			Tags: []string{"attack:T1552.007"}, Fix: "limit it to its own namespace, and the store to that namespace's secrets",
			Why:   "the operator fetches with its own rights: whoever names a secret of the store gets it into a namespace of theirs",
			Noise: "in one's own namespace with a store of one's own that is what it is for",
			Refs:  []string{"https://external-secrets.io/latest/guides/security-best-practices/"}},
		own: none, named: none,
		wants: []want{on(write, "external-secrets.io", "externalsecrets clusterexternalsecrets pushsecrets secretstores clustersecretstores"), on(write, "secrets-store.csi.x-k8s.io", "secretproviderclasses"),
			on(write, "secrets.hashicorp.com", "vaultstaticsecrets vaultdynamicsecrets vaultauths")},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/policy-use", Severity: high, Title: "A role admits privileged pods",
			Tags: []string{"attack:T1611"}, Fix: "limit it by resourceNames to a policy or constraint that is not privileged",
			Why:   "security context constraints (OpenShift) and pod security policies admit pods for those who may use them: without a name that is the most privileged one. Low for the latter, which clusters before 1.25 alone know",
			Noise: "agents of the node, to which the privileged constraint is given by intention",
			Refs:  []string{"https://kubernetes.io/docs/concepts/security/pod-security-policy/"}},
		own: high, named: high,
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			for _, w := range []want{on("use", "security.openshift.io", "securitycontextconstraints"), on("use", "policy", "podsecuritypolicies"), on("use", "extensions", "podsecuritypolicies")} {
				loose := len(r.Names) == 0 || slices.ContainsFunc(r.Names, func(n string) bool { return strings.Contains(n, "privileged") && !strings.Contains(n, "unprivileged") })
				if (slices.Contains(r.Groups, w.group) || slices.Contains(r.Groups, "*")) && !broad(r) && loose && len(w.met(r, w.resources[0])) > 0 {
					if w.group != "security.openshift.io" {
						return []string{"use"}, low, low // gone since 1.25
					}
					return []string{"use"}, high, high
				}
			}
			return nil, none, none
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/all-urls", Severity: low, Title: "A role may read every URL of the API server",
			Tags: []string{"attack:T1613"}, Fix: "name the paths that are read: /metrics, /healthz",
			Why:   "among them are profiles of the API server (/debug/pprof), which show its memory and slow it down, and logs of its machine (/logs)",
			Noise: "monitoring that reads /metrics by an asterisk, and administrators' own roles",
			Refs:  []string{docs + "#referring-to-resources"}},
		judge: func(r *authz.Rule) ([]string, bulwark.Severity, bulwark.Severity) {
			wide := func(u string) bool {
				return strings.Trim(u, "/*") == "" && strings.HasSuffix(u, "*") || strings.HasPrefix(u, "/debug") || strings.HasPrefix(u, "/logs")
			}
			if !slices.ContainsFunc(r.URLs, wide) {
				return nil, none, none
			}
			return r.Verbs, low, none
		},
	},
}
