package cluster

import (
	"fmt"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// setting is a rule about a field of a configuration file.
type setting struct {
	misconfig.Rule
	group, kind string
	// wrong gives what is wrong, with the path of the field; "" when nothing is.
	wrong func(n *kube.Node) (evidence string, path []any)
	// to is what mends the field; nil where that is not ours to choose.
	to any
	// rate is the severity of what was found; nil: the rule's.
	rate func(n *kube.Node) bulwark.Severity
}

func (d setting) rule() *posture.Rule {
	return &posture.Rule{Rule: d.Rule, Set: func(h *posture.Hits, s *kube.Set) {
		for _, doc := range documents(s, d.group, d.kind) {
			evidence, path := d.wrong(doc.root)
			if evidence == "" {
				continue
			}
			hit := posture.Hit{Object: doc.object, Path: doc.path(path...), Evidence: evidence + doc.others()}
			if d.to != nil {
				hit.Edits = doc.edits(kube.Put(d.to, path...))
			}
			if d.rate != nil {
				hit.Severity = d.rate(doc.root)
			}
			h.Add(hit)
		}
	}}
}

func settingRules(group, kind string, list []setting) []*posture.Rule {
	var out []*posture.Rule
	for _, d := range list {
		d.group, d.kind = group, kind
		out = append(out, d.rule())
	}
	return out
}

// field finds a field with a bad value; absent is what the component does without it, ""
// when that is fine.
func field(bad func(n *kube.Node) bool, absent string, path ...any) func(n *kube.Node) (string, []any) {
	return func(n *kube.Node) (string, []any) {
		v := n.At(path...)
		switch {
		case !v.Exists() && absent == "":
			return "", nil
		case !v.Exists():
			return kube.PathText(path...) + " is not set: " + absent, path
		case bad(v):
			return kube.PathText(path...) + ": " + short(v), path
		}
		return "", nil
	}
}

// short is a value on one line.
func short(n *kube.Node) string {
	if list := n.Strings(); len(list) > 0 {
		return strings.Join(list, ", ")
	}
	if n.Form() == kube.Map {
		return "{...}"
	}
	return n.Text()
}

func no(n *kube.Node) bool    { return n.False() }
func yes(n *kube.Node) bool   { return n.True() }
func empty(n *kube.Node) bool { return n.Text() == "" }

// number tells whether a node is a number that the test takes.
func number(test func(int64) bool) func(*kube.Node) bool {
	return func(n *kube.Node) bool {
		v, ok := n.Int()
		return ok && test(v)
	}
}

const (
	kubeletGroup = "kubelet.config.k8s.io"
	noKubelet    = "a flag of the kubelet's command line, or a drop-in, may say otherwise"
)

// kubeletRules are about the configuration of kubelets and kube-proxy.
func kubeletRules() []*posture.Rule {
	return append(settingRules(kubeletGroup, "KubeletConfiguration", []setting{
		{Rule: misconfig.Rule{ID: "cluster/kubelet-anonymous", Severity: high, Title: "The kubelet answers who does not say who they are", Tags: []string{"cis:4.2.1", "kubescape:C-0069", "kubescape:C-0172", "attack:T1610"},
			Fix: "set authentication.anonymous.enabled to false",
			Why: "with an authorization that allows everything, anybody who reaches port 10250 runs commands in all pods of the node; with Webhook RBAC still stands before it", Noise: noKubelet, Refs: []string{docsKubeletSec}},
			wrong: field(yes, "", "authentication", "anonymous", "enabled"), to: false, rate: anonymousRate},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-always-allow", Severity: high, Title: "The kubelet allows everything to everybody it knows", Tags: []string{"cis:4.2.2"},
			Fix: "set authorization.mode to Webhook", Why: "any certificate or token of the cluster runs commands in all pods of the node, and no audit log has it", Noise: noKubelet, Refs: []string{docsKubeletSec}},
			wrong: field(func(n *kube.Node) bool { return n.Text() == "AlwaysAllow" }, "", "authorization", "mode"), to: "Webhook"},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-client-ca", Severity: medium, Title: "The kubelet knows no authority of client certificates", Tags: []string{"cis:4.2.3"},
			Fix: "set authentication.x509.clientCAFile", Why: "the API server cannot prove who it is, so that weaker ways are opened for it", Noise: noKubelet, Refs: []string{docsKubeletSec}},
			wrong: field(empty, "no client certificate is taken", "authentication", "x509", "clientCAFile")},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-read-only-port", Severity: medium, Title: "The kubelet's read-only port is open", Tags: []string{"cis:4.2.4", "kubescape:C-0175"},
			Fix: "set readOnlyPort to 0", Why: "it tells everybody who reaches it all pods of the node with their environment, without asking who they are", Noise: noKubelet, Refs: []string{docsKubelet}},
			wrong: field(number(func(v int64) bool { return v != 0 }), "", "readOnlyPort"), to: 0},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-streaming-timeout", Severity: low, Title: "Exec and port-forward sessions never end", Tags: []string{"cis:4.2.5"},
			Fix: "leave streamingConnectionIdleTimeout at 4h, or set it lower", Why: "a session that somebody forgot stays a way in, and holds resources", Noise: "0 was chosen for long transfers", Refs: []string{docsKubelet}},
			wrong: field(zeroTime, "", "streamingConnectionIdleTimeout"), to: "4h0m0s"},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-iptables", Severity: low, Hygiene: true, Title: "The kubelet does not keep its rules of iptables", Tags: []string{"cis:4.2.6"},
			Fix: "leave makeIPTablesUtilChains at true", Why: "rules that others change by mistake are not put right", Noise: "nodes whose network others keep", Refs: []string{docsKubelet}},
			wrong: field(no, "", "makeIPTablesUtilChains"), to: true},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-event-rate", Severity: low, Hygiene: true, Title: "The kubelet sends events without a bound", Tags: []string{"cis:4.2.8"},
			Fix: "leave eventRecordQPS at its default", Why: "0 means no bound: pods that fail in circles can fill etcd", Noise: "where every event is wanted", Refs: []string{docsKubelet}},
			wrong: field(number(func(v int64) bool { return v == 0 }), "", "eventRecordQPS")},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-self-signed", Severity: low, Title: "The kubelet serves with a certificate that nobody can check", Tags: []string{"cis:4.2.9"},
			Fix: "set serverTLSBootstrap to true and approve the requests, or set tlsCertFile and tlsPrivateKeyFile",
			Why: "who stands between the API server and the node reads logs and exec sessions", Noise: "kubeadm's default", Refs: []string{docsTLSBoot}},
			wrong: selfSigned},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-rotation", Severity: low, Title: "The kubelet does not renew its client certificate", Tags: []string{"cis:4.2.10"},
			Fix: "set rotateCertificates to true", Why: "certificates are then made to last for years, and a stolen one does", Noise: noKubelet, Refs: []string{docsTLSBoot}},
			wrong: field(no, "", "rotateCertificates"), to: true},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-server-rotation", Severity: low, Title: "The kubelet does not renew its serving certificate", Tags: []string{"cis:4.2.11"},
			Fix: "take RotateKubeletServerCertificate: false out of featureGates", Why: "a certificate that ends is replaced by one that nobody checks", Noise: "other tools may renew it", Refs: []string{docsTLSBoot}},
			wrong: field(no, "", "featureGates", "RotateKubeletServerCertificate")},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-weak-ciphers", Severity: medium, Title: "The kubelet takes weak ciphers or old TLS", Tags: []string{"cis:4.2.12"},
			Fix: "set tlsMinVersion to VersionTLS12 or 13, and leave tlsCipherSuites at its defaults", Why: "connections of old clients can be read or forged", Noise: "what is not set is good by default", Refs: []string{docsKubelet}},
			wrong: weakKubelet},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-pid-limit", Severity: low, Title: "A pod may take all process ids of its node", Tags: []string{"cis:4.2.13"},
			Fix: "set podPidsLimit, 4096 for example", Why: "a fork bomb in one pod stops all others and the node itself", Noise: "some runtimes set a limit of their own", Refs: []string{docsPIDs}},
			wrong: field(number(func(v int64) bool { return v <= 0 }), "there is no limit", "podPidsLimit"), to: 4096},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-seccomp-default", Severity: low, Title: "Pods run without a seccomp profile unless they ask for one", Tags: []string{"cis:4.2.14"},
			Fix: "set seccompDefault to true", Why: "calls of the kernel that no container needs, and exploits do, stay open in every pod that says nothing", Noise: "where an admission policy asks it of every pod", Refs: []string{docsSeccomp}},
			wrong: field(no, "it is off by default", "seccompDefault"), to: true},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-hostname", Severity: low, Hygiene: true, Title: "The node takes another name than its machine has", Tags: []string{"cis:4.2.7"},
			Fix: "take hostnameOverride out", Why: "certificates and logs then name what cannot be found", Noise: "some clouds need it", Refs: []string{docsKubelet}},
			wrong: field(func(n *kube.Node) bool { return n.Text() != "" }, "", "hostnameOverride")},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-kernel-defaults", Severity: low, Hygiene: true, Title: "The kubelet changes settings of the kernel to its liking",
			Fix: "set protectKernelDefaults to true and set them on the machine", Why: "a hardened machine is quietly put back", Noise: "images of clouds are made for it", Refs: []string{docsKubelet}},
			wrong: field(no, "it is off by default", "protectKernelDefaults")},
		{Rule: misconfig.Rule{ID: "cluster/kubelet-no-reserve", Severity: low, Hygiene: true, Title: "Nothing of the node is kept for the system",
			Fix: "set systemReserved, kubeReserved or evictionHard", Why: "pods that use all memory take the kubelet down with them", Noise: "evictionHard has a default of 100 Mi", Refs: []string{docsReserve}},
			wrong: noReserve},
	}), settingRules("kubeproxy.config.k8s.io", "KubeProxyConfiguration", []setting{
		{Rule: misconfig.Rule{ID: "cluster/kube-proxy-metrics", Severity: low, Title: "kube-proxy's metrics are open to other machines", Tags: []string{"cis:4.3.1"},
			Fix: "set metricsBindAddress to 127.0.0.1:10249", Why: "who reaches it learns what runs here, and profiles of the process may be on; it asks nobody who they are", Noise: "metrics are collected from elsewhere", Refs: []string{docsProxy}},
			wrong: field(func(n *kube.Node) bool {
				return n.Text() != "" && !strings.HasPrefix(n.Text(), "127.0.0.1") && !strings.HasPrefix(n.Text(), "[::1]") && n.Text() != "localhost:10249"
			}, "", "metricsBindAddress"), to: "127.0.0.1:10249"},
	})...)
}

// anonymousRate is less where RBAC is still asked.
func anonymousRate(n *kube.Node) bulwark.Severity {
	if n.Get("authorization", "mode").Text() == "AlwaysAllow" {
		return critical
	}
	return medium
}

func zeroTime(n *kube.Node) bool {
	t := n.Text()
	return t == "0" || t == "0s" || t == "0m0s" || t == "0h0m0s"
}

func selfSigned(n *kube.Node) (string, []any) {
	if n.Get("serverTLSBootstrap").True() || n.Get("tlsCertFile").Text() != "" && n.Get("tlsPrivateKeyFile").Text() != "" {
		return "", nil
	}
	return "neither serverTLSBootstrap nor tlsCertFile and tlsPrivateKeyFile are set", []any{"serverTLSBootstrap"}
}

func weakKubelet(n *kube.Node) (string, []any) {
	if v := n.Get("tlsMinVersion").Text(); oldTLS(v) {
		return "tlsMinVersion: " + v, []any{"tlsMinVersion"}
	}
	if weak := weakSuites(n.Get("tlsCipherSuites").Strings()); len(weak) > 0 {
		return "tlsCipherSuites has " + strings.Join(weak, ", "), []any{"tlsCipherSuites"}
	}
	return "", nil
}

func noReserve(n *kube.Node) (string, []any) {
	if eviction := n.Get("evictionHard"); eviction.Exists() {
		if v := eviction.Get("memory.available").Text(); v == "" || v == "0" || v == "0%" {
			return fmt.Sprintf("evictionHard has %q for memory.available", v), []any{"evictionHard"}
		}
	}
	return "", nil
}
