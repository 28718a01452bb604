package cluster

import (
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
)

const apiserver = "kube-apiserver"

// managed is when rules about flags are a false alarm.
const managed = "a managed control plane shows no command line, and is then not judged; a setting that a file of the same purpose makes is not seen"

// apiServerRules are about the command line of the API server.
func apiServerRules() []*posture.Rule {
	return rulesOf([]demand{
		{Rule: misconfig.Rule{ID: "cluster/apiserver-anonymous-auth", Severity: low, Title: "The API server answers who does not say who they are",
			Tags: []string{"cis:1.2.1", "kubescape:C-0113"}, Fix: "set --anonymous-auth=false, or allow the health paths alone by an AuthenticationConfiguration",
			Why:   "every mistake in RBAC about system:anonymous or system:unauthenticated is open to all who reach the port; by itself it shows health and version, and so it is low",
			Noise: "probes of the API server itself ask without credentials, and kubeadm leaves it on", Refs: []string{docsAuthn}},
			program: apiserver, wrong: anonymous},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-token-file", Severity: high, Title: "The API server takes tokens or passwords from a file", Tags: []string{"cis:1.2.2", "kubescape:C-0114"},
			Fix: "take --token-auth-file and --basic-auth-file out, and use certificates, OIDC or service accounts",
			Why: "they stand there in clear text, never end, and change only when the server is started anew: whoever reads the file or one of its copies is that user for good", Noise: managed, Refs: []string{docsAuthn}},
			program: apiserver, wrong: either(unset("token-auth-file"), unset("basic-auth-file"))},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-external-ips", Severity: low, Title: "Services may claim addresses outside of the cluster", Tags: []string{"cis:1.2.3"},
			Fix: "add DenyServiceExternalIPs to --enable-admission-plugins",
			Why: "whoever may create a Service in any namespace can take traffic to an address of others to their pods (CVE-2020-8554); it needs rights in the cluster, and so it is low", Noise: "a policy engine may refuse externalIPs instead", Refs: []string{docsAdmission}},
			program: apiserver, wrong: has("enable-admission-plugins", "DenyServiceExternalIPs", "")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-kubelet-client-cert", Severity: medium, Title: "The API server shows the kubelets no certificate", Tags: []string{"cis:1.2.4"},
			Fix: "set --kubelet-client-certificate and --kubelet-client-key", Why: "kubelets that nevertheless answer take anybody's requests: exec into any pod of the node", Noise: managed, Refs: []string{docsKubeletSec}},
			program: apiserver, kubeadm: true, wrong: set("kubelet-client-certificate", "kubelet-client-key")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-kubelet-ca", Severity: medium, Title: "The API server does not check whom it takes for a kubelet", Tags: []string{"cis:1.2.5"},
			Fix: "let kubelets have serving certificates of the cluster (serverTLSBootstrap) and set --kubelet-certificate-authority",
			Why: "who stands between it and a node reads and changes logs and exec sessions, credentials among them", Noise: "where that network is sealed it is bearable: kubeadm does not set it", Refs: []string{docsKubeletSec}},
			program: apiserver, wrong: set("kubelet-certificate-authority")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-always-allow", Severity: critical, Title: "The API server allows everything to everybody", Tags: []string{"cis:1.2.6", "kubescape:C-0118"},
			Fix: "set --authorization-mode=Node,RBAC", Why: "no rights are checked at all: whoever reaches it owns the cluster", Noise: "with a webhook before it in the list it still ends in yes", Refs: []string{docsAuthz}},
			program: apiserver, kubeadm: true, wrong: alwaysAllow},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-node-authorizer", Severity: medium, Title: "Kubelets are not held to what their own node needs", Tags: []string{"cis:1.2.7"},
			Fix: "add Node to --authorization-mode", Why: "RBAC alone gives all kubelets the same rights: one node that is taken reads the secrets of all", Noise: managed, Refs: []string{docsNode}},
			program: apiserver, kubeadm: true, wrong: has("authorization-mode", "Node", "authorization-config")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-rbac", Severity: high, Title: "RBAC is not on", Tags: []string{"cis:1.2.8"},
			Fix: "add RBAC to --authorization-mode", Why: "Roles are then of no effect, and what decides instead (ABAC, everything) is coarser", Noise: "a webhook may decide everything", Refs: []string{docsAuthz}},
			program: apiserver, kubeadm: true, wrong: has("authorization-mode", "RBAC", "authorization-config")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-event-limit", Severity: low, Hygiene: true, Title: "Nothing limits how many events are taken", Tags: []string{"cis:1.2.9"},
			Fix: "add EventRateLimit to --enable-admission-plugins, with its configuration", Why: "one workload that fails in circles can fill etcd with events; API priority and fairness bounds most of it", Noise: "most clusters do without", Refs: []string{docsAdmission}},
			program: apiserver, wrong: has("enable-admission-plugins", "EventRateLimit", "")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-always-admit", Severity: high, Title: "Admission lets everything in", Tags: []string{"cis:1.2.10"},
			Fix: "take AlwaysAdmit out of --enable-admission-plugins", Why: "the plugin says yes to whatever asks; it has no use but tests", Noise: "test clusters", Refs: []string{docsAdmission}},
			program: apiserver, wrong: lacks("enable-admission-plugins", "AlwaysAdmit")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-always-pull", Severity: low, Hygiene: true, Title: "Private images can be run without the right to pull them", Tags: []string{"cis:1.2.11"},
			Fix: "add AlwaysPullImages to --enable-admission-plugins where tenants must not use each other's images", Why: "an image that a node has already is started for whoever names it", Noise: "in clusters of one tenant it costs pulls and gains nothing", Refs: []string{docsAdmission}},
			program: apiserver, wrong: has("enable-admission-plugins", "AlwaysPullImages", "")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-service-account-plugin", Severity: medium, Title: "The ServiceAccount admission plugin is off", Tags: []string{"cis:1.2.12"},
			Fix: "take ServiceAccount out of --disable-admission-plugins", Why: "pods may then name service accounts that do not exist, and secrets that are not theirs", Noise: "test clusters", Refs: []string{docsAdmission}},
			program: apiserver, wrong: lacks("disable-admission-plugins", "ServiceAccount")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-lifecycle-plugin", Severity: medium, Title: "The NamespaceLifecycle admission plugin is off", Tags: []string{"cis:1.2.13"},
			Fix: "take NamespaceLifecycle out of --disable-admission-plugins", Why: "objects can be made in namespaces that are being deleted, and system namespaces can be deleted", Noise: "test clusters", Refs: []string{docsAdmission}},
			program: apiserver, wrong: lacks("disable-admission-plugins", "NamespaceLifecycle")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-node-restriction", Severity: medium, Title: "Kubelets may change other nodes", Tags: []string{"cis:1.2.14"},
			Fix: "add NodeRestriction to --enable-admission-plugins", Why: "a node that is taken can label itself or others so that pods with better secrets are placed on it", Noise: managed, Refs: []string{docsAdmission}},
			program: apiserver, kubeadm: true, wrong: has("enable-admission-plugins", "NodeRestriction", "")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-pod-security", Severity: medium, Title: "Pod Security admission is off", Tags: []string{"cis:5.2.1"},
			Fix: "take PodSecurity out of --disable-admission-plugins", Why: "the labels of namespaces then mean nothing, whatever people believe", Noise: "a policy engine that covers the same", Refs: []string{docsPSA}},
			program: apiserver, wrong: lacks("disable-admission-plugins", "PodSecurity")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-profiling", Severity: low, Title: "The API server offers profiles of itself", Tags: []string{"cis:1.2.15"},
			Fix: "set --profiling=false", Why: "who may ask for it learns of its insides and can make it busy; it takes a right, and so it is low", Noise: "where somebody measures it", Refs: []string{docsAPIServer}},
			program: apiserver, wrong: is("profiling", "false", "it is on by default"), edit: &edit{"profiling", "false"}},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-audit-log", Severity: medium, Title: "The API server writes no audit log", Tags: []string{"cis:1.2.16", "cis:3.2.1", "kubescape:C-0067"},
			Fix: "set --audit-policy-file and --audit-log-path (or --audit-webhook-config-file)", Why: "nobody can find out afterwards who read which secret or started which pod", Noise: managed, Refs: []string{docsAudit}},
			program: apiserver, wrong: noAudit},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-audit-age", Severity: low, Hygiene: true, Title: "Audit logs are kept for less than 30 days", Tags: []string{"cis:1.2.17"},
			Fix: "set --audit-log-maxage=30 or more", Why: "what is found out late can no longer be followed", Noise: "a shipper may keep them elsewhere", Refs: []string{docsAudit}},
			program: apiserver, wrong: least("audit-log-maxage", 30, "audit-log-path")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-audit-backups", Severity: low, Hygiene: true, Title: "Fewer than 10 old audit logs are kept", Tags: []string{"cis:1.2.18"},
			Fix: "set --audit-log-maxbackup=10 or more", Why: "a flood of requests pushes the interesting ones out", Noise: "a shipper may keep them elsewhere", Refs: []string{docsAudit}},
			program: apiserver, wrong: least("audit-log-maxbackup", 10, "audit-log-path")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-audit-size", Severity: low, Hygiene: true, Title: "Audit logs are turned over before they have 100 MB", Tags: []string{"cis:1.2.19"},
			Fix: "set --audit-log-maxsize=100 or more", Why: "a flood of requests pushes the interesting ones out", Noise: "a shipper may keep them elsewhere", Refs: []string{docsAudit}},
			program: apiserver, wrong: least("audit-log-maxsize", 100, "audit-log-path")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-request-timeout", Severity: low, Hygiene: true, Title: "Requests may take very long", Tags: []string{"cis:1.2.20"},
			Fix: "leave --request-timeout at its 60 s, or near it", Why: "slow requests hold places that others need", Noise: "clusters with slow links", Refs: []string{docsAPIServer}},
			program: apiserver, wrong: longTimeout},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-token-lookup", Severity: medium, Title: "Tokens of deleted service accounts stay good", Tags: []string{"cis:1.2.21"},
			Fix: "leave --service-account-lookup at true", Why: "a stolen token cannot be taken back by deleting its secret or account", Noise: managed, Refs: []string{docsSA}},
			program: apiserver, wrong: isNot("service-account-lookup", "false"), edit: &edit{"service-account-lookup", "true"}},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-account-key", Severity: low, Title: "Service accounts have no key of their own", Tags: []string{"cis:1.2.22"},
			Fix: "set --service-account-key-file", Why: "the serving key then signs tokens as well, and cannot be changed alone", Noise: managed, Refs: []string{docsSA}},
			program: apiserver, kubeadm: true, wrong: set("service-account-key-file")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-etcd-client-cert", Severity: high, Title: "The API server shows etcd no certificate", Tags: []string{"cis:1.2.23"},
			Fix: "set --etcd-certfile and --etcd-keyfile, and let etcd ask for them", Why: "an etcd that answers then answers everybody: all secrets of the cluster, to read and to write", Noise: "etcd on the same machine behind a socket", Refs: []string{docsEtcd}},
			program: apiserver, kubeadm: true, wrong: set("etcd-certfile", "etcd-keyfile")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-tls-cert", Severity: medium, Title: "The API server makes its own certificate", Tags: []string{"cis:1.2.24"},
			Fix: "set --tls-cert-file and --tls-private-key-file", Why: "clients that cannot check it learn to trust whoever answers", Noise: managed, Refs: []string{docsCommunity}},
			program: apiserver, kubeadm: true, wrong: set("tls-cert-file", "tls-private-key-file")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-client-ca", Severity: medium, Title: "The API server knows no authority of client certificates", Tags: []string{"cis:1.2.25"},
			Fix: "set --client-ca-file", Why: "components cannot prove by a certificate who they are, and weaker ways take its place", Noise: managed, Refs: []string{docsAuthn}},
			program: apiserver, kubeadm: true, wrong: set("client-ca-file")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-no-etcd-ca", Severity: medium, Title: "The API server does not check whom it takes for etcd", Tags: []string{"cis:1.2.26"},
			Fix: "set --etcd-cafile", Why: "who stands between them reads and changes all of the cluster's data", Noise: "etcd on the same machine", Refs: []string{docsEtcd}},
			program: apiserver, kubeadm: true, wrong: set("etcd-cafile")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-weak-ciphers", Severity: medium, Title: "The API server takes weak ciphers or old TLS", Tags: []string{"cis:1.2.29"},
			Fix: "set --tls-min-version=VersionTLS12 or 13, and leave --tls-cipher-suites at its defaults or name ECDHE suites with GCM or ChaCha20 alone", Why: "connections of old clients can be read or forged", Noise: "what is not set is good by default", Refs: []string{docsAPIServer}},
			program: apiserver, wrong: weakTLS},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-long-tokens", Severity: low, Hygiene: true, Title: "Tokens of pods are good for a year", Tags: []string{"cis:1.2.30"},
			Fix: "set --service-account-extend-token-expiration=false when no client holds on to an old token", Why: "a stolen token of a pod serves a year instead of an hour", Noise: "clients that do not read their token again break", Refs: []string{docsSA}},
			program: apiserver, wrong: is("service-account-extend-token-expiration", "false", "it is on by default")},
		{Rule: misconfig.Rule{ID: "cluster/apiserver-insecure-port", Severity: critical, Title: "The API server listens without TLS and without asking who is there", Tags: []string{"kubescape:C-0005"},
			Fix: "take --insecure-port and --insecure-bind-address out", Why: "that port skips authentication and authorization: whoever reaches it owns the cluster", Noise: "port 0 means none", Refs: []string{docsAPIServer}},
			program: apiserver, wrong: insecurePort},
	})
}

// anonymous finds anonymous requests allowed; a configuration file may say otherwise.
func anonymous(p *program) (string, []any) {
	if _, ok := p.flags["authentication-config"]; ok {
		return "", nil
	}
	return is("anonymous-auth", "false", "it is on by default")(p)
}

// alwaysAllow finds the mode that allows everything; no mode at all means it.
func alwaysAllow(p *program) (string, []any) {
	_, file := p.flags["authorization-config"]
	_, ok := p.flags["authorization-mode"]
	switch {
	case file:
		return "", nil
	case !ok:
		return "--authorization-mode is not set: AlwaysAllow is the default", nil
	}
	return lacks("authorization-mode", "AlwaysAllow")(p)
}

func noAudit(p *program) (string, []any) {
	log, hook := p.flags["audit-log-path"].value, p.flags["audit-webhook-config-file"].value
	switch {
	case log == "" && hook == "":
		return "neither --audit-log-path nor --audit-webhook-config-file is set", nil
	case p.flags["audit-policy-file"].value == "":
		return "--audit-policy-file is not set: nothing is written", nil
	}
	return "", nil
}

func insecurePort(p *program) (string, []any) {
	port, ok := p.flags["insecure-port"]
	if ok && port.value == "0" {
		return "", nil
	}
	if ok {
		return "--insecure-port=" + port.value, port.path
	}
	return unset("insecure-bind-address")(p)
}

// either is the first of several that is wrong.
func either(list ...wrong) wrong {
	return func(p *program) (string, []any) {
		for _, w := range list {
			if evidence, path := w(p); evidence != "" {
				return evidence, path
			}
		}
		return "", nil
	}
}
