package secrets

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var encryptionRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "secrets/stored-plain", Severity: medium, Title: "Secrets are stored as they are",
			Tags:  []string{"sec:SEC16", "cis:1.2.28", "kubescape:C-0066", "attack:T1552"},
			Fix:   "put a provider that encrypts first (kms v2), identity last, and write all Secrets anew",
			Why:   "the first provider is the one that writes: with identity, whoever reads etcd, its disk or a backup of it has every Secret of the cluster",
			Noise: "while encryption is being undone on purpose; disks that are encrypted below, which keeps backups of etcd readable",
			Refs:  []string{encryption}},
		Kinds: []string{"EncryptionConfiguration.apiserver.config.k8s.io", "EncryptionConfig."}, Object: storedPlain,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/encryption-off", Severity: medium, Title: "The API server encrypts nothing that it stores",
			Tags:  []string{"sec:SEC16", "cis:1.2.27", "kubescape:C-0066", "attack:T1552"},
			Fix:   "give kube-apiserver --encryption-provider-config with a provider for secrets (kms v2)",
			Why:   "whoever reads etcd, its disk or a backup of it has every Secret of the cluster",
			Noise: "disks that are encrypted below, which keeps backups of etcd readable",
			Refs:  []string{encryption}},
		Workload: encryptionOff,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/local-encryption-key", Severity: low, Title: "The key that encrypts Secrets lies beside them",
			Tags:  []string{"sec:SEC17", "cis:1.2.28"},
			Fix:   "kms with apiVersion v2",
			Why:   "the key stands in a file of the same machine: it keeps out who has a backup of etcd, and nobody who has the machine. KMS v1 is off by default since Kubernetes 1.29. Low, since it is far better than none; high where the key itself stands in a file that is passed around",
			Noise: "clusters without a key service, whose control plane is well kept",
			Refs:  []string{"https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/", encryption}},
		Kinds: []string{"EncryptionConfiguration.apiserver.config.k8s.io", "EncryptionConfig."}, Object: localKey,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/audit-bodies", Severity: medium, Title: "The audit log has the values of Secrets in it",
			Tags:  []string{"sec:SEC28", "cis:3.2.2", "attack:T1552"},
			Fix:   "a rule with level: Metadata for secrets, configmaps and serviceaccounts/token, above the others",
			Why:   "at the levels Request and RequestResponse the log holds what is written and read: whoever may read logs reads every Secret that was touched",
			Noise: "a rule that is limited to users who touch no Secrets, where that is not seen",
			Refs:  []string{"https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy"}},
		Kinds: []string{"Policy.audit.k8s.io"}, Object: auditBodies,
	},
}

// secretsOf gives the provider lists of an encryption configuration that hold for Secrets,
// with their positions; the first that names them counts.
func secretsOf(o *kube.Object) (index int, providers *kube.Node, ok bool) {
	for i, r := range o.Root.Get("resources").Items() {
		for _, name := range r.Get("resources").Strings() {
			if name == "secrets" || name == "*." || name == "*.*" {
				return i, r.Get("providers"), true
			}
		}
	}
	return 0, nil, false
}

func storedPlain(h *posture.Hits, o *kube.Object) {
	i, providers, ok := secretsOf(o)
	if !ok {
		h.Add(posture.Hit{Object: o, Path: []any{"resources"}, Evidence: "no resources name secrets"})
		return
	}
	if first := providers.Item(0); first == nil || first.Get("identity") != nil {
		h.Add(posture.Hit{Object: o, Path: []any{"resources", i, "providers", 0}, Evidence: "the first provider for secrets is identity"})
	}
}

func localKey(h *posture.Hits, o *kube.Object) {
	i, providers, ok := secretsOf(o)
	if !ok || providers.Len() == 0 {
		return
	}
	first, path := providers.Item(0), []any{"resources", i, "providers", 0}
	for _, kind := range []string{"aescbc", "aesgcm", "secretbox"} {
		p := first.Get(kind)
		if p == nil {
			continue
		}
		hit := posture.Hit{Object: o, Path: append(path, kind), Evidence: "secrets are encrypted with " + kind + " and a key of the file"}
		for _, k := range p.Get("keys").Items() {
			if v := k.Get("secret").Text(); len(v) >= 20 && !fillIn.MatchString(v) {
				hit.Severity, hit.Evidence = high, "secrets are encrypted with "+kind+", and the key stands in this file"
			}
		}
		h.Add(hit)
	}
	if k := first.Get("kms"); k != nil && k.Get("apiVersion").Text() != "v2" {
		h.Add(posture.Hit{Object: o, Path: append(path, "kms"), Evidence: "kms without apiVersion: v2"})
	}
}

// flags are the arguments of a container's program: "--name" to its value, "" without one.
func flags(c *kube.Container) map[string]string {
	m := map[string]string{}
	for _, list := range [][]string{c.Command, c.Args} {
		for _, text := range list {
			for word := range strings.FieldsSeq(text) {
				if strings.HasPrefix(word, "--") {
					name, value, _ := strings.Cut(word, "=")
					m[name] = value
				}
			}
		}
	}
	return m
}

func encryptionOff(h *posture.Hits, w *kube.Workload) {
	for i := range w.Containers {
		c := &w.Containers[i]
		if c.Component() != "kube-apiserver" {
			continue
		}
		f := flags(c)
		if _, ok := f["--encryption-provider-config"]; !ok && len(f) > 3 {
			h.Container(w, c, []any{"command"}, "kube-apiserver runs without --encryption-provider-config")
		}
	}
}

// auditBodies finds the rule that decides about Secrets: the first that takes them.
func auditBodies(h *posture.Hits, o *kube.Object) {
	for i, r := range o.Root.Get("rules").Items() {
		level := r.Get("level").Text()
		if !takesSecrets(r) {
			continue
		}
		narrowed := r.Get("users").Len()+r.Get("userGroups").Len()+r.Get("namespaces").Len()+r.Get("verbs").Len() > 0
		if level == "Request" || level == "RequestResponse" {
			h.Add(posture.Hit{Object: o, Path: []any{"rules", i, "level"}, Evidence: fmt.Sprintf("rule %d logs Secrets at the level %s", i+1, level)})
		}
		if !narrowed {
			return
		}
	}
}

func takesSecrets(r *kube.Node) bool {
	resources := r.Get("resources")
	if resources.Len() == 0 {
		return r.Get("nonResourceURLs").Len() == 0
	}
	for _, g := range resources.Items() {
		if group := g.Get("group").Text(); group != "" && group != "*" {
			continue
		}
		names := g.Get("resources").Strings()
		if len(names) == 0 || slices.Contains(names, "*") || slices.Contains(names, "secrets") {
			return true
		}
	}
	return false
}
