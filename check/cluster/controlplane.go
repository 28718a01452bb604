package cluster

import (
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
)

const (
	controller = "kube-controller-manager"
	scheduler  = "kube-scheduler"
	etcd       = "etcd"
)

// controllerRules are about the controller manager, the scheduler and kube-proxy's flags.
func controllerRules() []*posture.Rule {
	return rulesOf([]demand{
		{Rule: misconfig.Rule{ID: "cluster/controller-pod-gc", Severity: low, Hygiene: true, Title: "Ended pods are kept without a useful bound", Tags: []string{"cis:1.3.1"},
			Fix: "set --terminated-pod-gc-threshold to what suits the cluster", Why: "pods that ended fill etcd until 12,500 are there", Noise: "the default suits large clusters", Refs: []string{docsController}},
			program: controller, wrong: set("terminated-pod-gc-threshold")},
		{Rule: misconfig.Rule{ID: "cluster/controller-profiling", Severity: low, Title: "The controller manager offers profiles of itself", Tags: []string{"cis:1.3.2"},
			Fix: "set --profiling=false", Why: "who reaches it learns of its insides and can make it busy", Noise: "where somebody measures it", Refs: []string{docsController}},
			program: controller, wrong: is("profiling", "false", "it is on by default"), edit: &edit{"profiling", "false"}},
		{Rule: misconfig.Rule{ID: "cluster/controller-shared-credentials", Severity: medium, Title: "All controllers act with one identity", Tags: []string{"cis:1.3.3"},
			Fix: "set --use-service-account-credentials=true", Why: "each controller then has the rights of all of them, and the audit log cannot tell them apart", Noise: managed, Refs: []string{docsController}},
			program: controller, kubeadm: true, wrong: is("use-service-account-credentials", "true", "it is off by default"), edit: &edit{"use-service-account-credentials", "true"}},
		{Rule: misconfig.Rule{ID: "cluster/controller-no-account-key", Severity: medium, Title: "The controller manager has no key to sign tokens with", Tags: []string{"cis:1.3.4"},
			Fix: "set --service-account-private-key-file", Why: "tokens of service accounts are then signed by other means or not at all, and their key cannot be changed", Noise: managed, Refs: []string{docsController}},
			program: controller, kubeadm: true, wrong: set("service-account-private-key-file")},
		{Rule: misconfig.Rule{ID: "cluster/controller-no-root-ca", Severity: medium, Title: "Pods are not given the cluster's authority", Tags: []string{"cis:1.3.5"},
			Fix: "set --root-ca-file", Why: "pods cannot check that they speak to the API server, and give their tokens to whoever answers", Noise: managed, Refs: []string{docsController}},
			program: controller, kubeadm: true, wrong: set("root-ca-file")},
		{Rule: misconfig.Rule{ID: "cluster/controller-no-rotation", Severity: low, Title: "Serving certificates of kubelets are not renewed", Tags: []string{"cis:1.3.6"},
			Fix: "take RotateKubeletServerCertificate=false out of --feature-gates", Why: "certificates that end are replaced by ones that nobody checks", Noise: "other tools may renew them", Refs: []string{docsTLSBoot}},
			program: controller, wrong: lacks("feature-gates", "RotateKubeletServerCertificate=false")},
		{Rule: misconfig.Rule{ID: "cluster/controller-bind-address", Severity: low, Title: "The controller manager listens to other machines", Tags: []string{"cis:1.3.7"},
			Fix: "set --bind-address=127.0.0.1", Why: "its port tells of the cluster and is one more to attack; it asks for authorization, and so it is low", Noise: "metrics may be collected from elsewhere", Refs: []string{docsController}},
			program: controller, kubeadm: true, wrong: local("bind-address"), edit: &edit{"bind-address", "127.0.0.1"}},
		{Rule: misconfig.Rule{ID: "cluster/scheduler-profiling", Severity: low, Title: "The scheduler offers profiles of itself", Tags: []string{"cis:1.4.1"},
			Fix: "set --profiling=false", Why: "who reaches it learns of its insides and can make it busy", Noise: "a configuration file may say so instead", Refs: []string{docsScheduler}},
			program: scheduler, wrong: is("profiling", "false", "it is on by default"), edit: &edit{"profiling", "false"}},
		{Rule: misconfig.Rule{ID: "cluster/scheduler-bind-address", Severity: low, Title: "The scheduler listens to other machines", Tags: []string{"cis:1.4.2"},
			Fix: "set --bind-address=127.0.0.1", Why: "its port tells of the cluster and is one more to attack; it asks for authorization, and so it is low", Noise: "metrics may be collected from elsewhere", Refs: []string{docsScheduler}},
			program: scheduler, kubeadm: true, wrong: local("bind-address"), edit: &edit{"bind-address", "127.0.0.1"}},
	})
}

// etcdRules are about etcd's command line.
func etcdRules() []*posture.Rule {
	return rulesOf([]demand{
		{Rule: misconfig.Rule{ID: "cluster/etcd-no-tls", Severity: high, Title: "etcd serves clients without TLS", Tags: []string{"cis:2.1"},
			Fix: "set --cert-file and --key-file, and https in --listen-client-urls", Why: "all that the cluster knows, secrets among it, goes over the network as it is, and can be changed on its way", Noise: "etcd that listens to its own machine alone, and is of no cluster", Refs: []string{docsEtcd}},
			program: etcd, kubeadm: true, wrong: set("cert-file", "key-file")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-no-client-auth", Severity: critical, Title: "etcd serves whoever asks", Tags: []string{"cis:2.2", "attack:T1552.007"},
			Fix: "set --client-cert-auth=true and --trusted-ca-file", Why: "who reaches its port reads every secret and writes any object, past the API server, its rights and its audit log", Noise: "etcd that listens to its own machine alone, and is of no cluster", Refs: []string{docsEtcd}},
			program: etcd, kubeadm: true, wrong: is("client-cert-auth", "true", "it is off by default")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-auto-tls", Severity: medium, Title: "etcd makes its own certificates for clients", Tags: []string{"cis:2.3"},
			Fix: "take --auto-tls out, and give it a certificate", Why: "nobody can check them, so that who stands between reads everything", Noise: "test clusters", Refs: []string{docsEtcd}},
			program: etcd, wrong: isNot("auto-tls", "true")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-peer-no-tls", Severity: high, Title: "etcd's members speak without TLS", Tags: []string{"cis:2.4"},
			Fix: "set --peer-cert-file and --peer-key-file, and https in --listen-peer-urls", Why: "all that the cluster knows goes over the network as it is", Noise: "a single member listens for peers without having any", Refs: []string{docsEtcd}},
			program: etcd, kubeadm: true, wrong: set("peer-cert-file", "peer-key-file")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-peer-no-auth", Severity: high, Title: "etcd takes anybody for a member", Tags: []string{"cis:2.5"},
			Fix: "set --peer-client-cert-auth=true and --peer-trusted-ca-file", Why: "who reaches the port of peers can join the cluster and take all of its data", Noise: "a single member listens for peers without having any", Refs: []string{docsEtcd}},
			program: etcd, kubeadm: true, wrong: is("peer-client-cert-auth", "true", "it is off by default")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-peer-auto-tls", Severity: medium, Title: "etcd makes its own certificates for members", Tags: []string{"cis:2.6"},
			Fix: "take --peer-auto-tls out, and give it a certificate", Why: "nobody can check them", Noise: "test clusters", Refs: []string{docsEtcd}},
			program: etcd, wrong: isNot("peer-auto-tls", "true")},
		{Rule: misconfig.Rule{ID: "cluster/etcd-shared-ca", Severity: low, Title: "etcd trusts the authority of the whole cluster", Tags: []string{"cis:2.7"},
			Fix: "give etcd an authority of its own in --trusted-ca-file", Why: "whoever has any client certificate of the cluster (an approved signing request is enough) is a client of etcd, and reads all secrets", Noise: "told by the name of the file, which may lie", Refs: []string{docsEtcd}},
			program: etcd, wrong: sharedCA},
		{Rule: misconfig.Rule{ID: "cluster/etcd-weak-ciphers", Severity: medium, Title: "etcd takes weak ciphers",
			Fix: "leave --cipher-suites at its defaults, or name ECDHE suites with GCM or ChaCha20 alone", Why: "connections can be read or forged", Noise: "what is not set is good by default", Refs: []string{docsEtcd}},
			program: etcd, wrong: weakTLS},
	})
}

// sharedCA finds the path under which kubeadm and others keep the cluster's own authority.
func sharedCA(p *program) (string, []any) {
	f := p.flags["trusted-ca-file"]
	if f.value == "/etc/kubernetes/pki/ca.crt" || f.value == "/etc/kubernetes/ssl/ca.crt" || f.value == "/srv/kubernetes/ca.crt" {
		return "--trusted-ca-file=" + f.value, f.path
	}
	return "", nil
}
