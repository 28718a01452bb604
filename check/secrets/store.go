package secrets

import (
	"fmt"
	"strings"
	"time"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var storeRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "secrets/external-not-ready", Severity: medium, Title: "An external secret is not brought up to date",
			Tags:  []string{"sec:SEC11"},
			Fix:   "see its status and events; mend the store's access or the key's name",
			Why:   "the Secret keeps its last value: one that was replaced because it leaked is still in use, and the next one never comes",
			Noise: "a store that is out of reach for the moment",
			Refs:  []string{"https://external-secrets.io/latest/api/externalsecret/"}},
		Kinds: []string{"ExternalSecret.external-secrets.io", "ClusterExternalSecret.external-secrets.io", "PushSecret.external-secrets.io"}, Object: notReady,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/external-refresh", Severity: low, Hygiene: true, Title: "An external secret is fetched once, or less than once a day",
			Tags:  []string{"sec:SEC11"},
			Fix:   "refreshInterval: 1h",
			Why:   "a secret that is replaced in the store stays as it was in the cluster",
			Noise: "secrets that never change by design",
			Refs:  []string{"https://external-secrets.io/latest/api/externalsecret/"}},
		Kinds: []string{"ExternalSecret.external-secrets.io"}, Object: refresh,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/store-static-credentials", Severity: medium, Title: "The store of secrets is opened with a key that lies in the cluster",
			Tags:  []string{"sec:SEC12", "attack:T1552.007"},
			Fix:   "let the store trust the cluster's service accounts (IRSA, workload identity, Vault's Kubernetes method), and delete the key",
			Why:   "one Secret opens all the others, from anywhere and without an end: whoever reads it once needs the cluster no more",
			Noise: "stores that know no identity of workloads",
			Refs:  []string{aboutStore}},
		Kinds: []string{"SecretStore.external-secrets.io", "ClusterSecretStore.external-secrets.io", "VaultAuth.secrets.hashicorp.com"}, Object: staticCredentials,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/store-every-namespace", Severity: medium, Title: "Every namespace may take secrets out of the store",
			Tags:  []string{"sec:SEC13"},
			Fix:   "name the namespaces under spec.conditions, or use a SecretStore for each",
			Why:   "whoever may create an ExternalSecret in any namespace gets whatever the store's own access allows, those of other teams included",
			Noise: "clusters of one team; stores whose access is to secrets that everybody may have; policies that keep namespaces apart",
			Refs:  []string{aboutStore}},
		Kinds: []string{"ClusterSecretStore.external-secrets.io"}, Object: openStore,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/vault-insecure", Severity: medium, Title: "Vault is asked without checking who answers",
			Tags:  []string{"sec:SEC14", "attack:T1557"},
			Fix:   "https, with Vault's CA in vault.hashicorp.com/ca-cert, and no skip-verify",
			Why:   "whoever stands on the way takes the pod's token and the secrets that it gets",
			Noise: "a Vault in development mode",
			Refs:  []string{"https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations"}},
		Set: vaultInsecure,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/csi-copied", Severity: low, Hygiene: true, Title: "A secret of the store is copied into a Secret",
			Tags:  []string{"sec:SEC15"},
			Fix:   "leave secretObjects out and read the mounted file",
			Why:   "the driver is there to keep the secret out of the cluster's database; the copy brings it back, for all who may read Secrets",
			Noise: "Ingress and programs that take a Secret and nothing else",
			Refs:  []string{"https://secrets-store-csi-driver.sigs.k8s.io/topics/sync-as-kubernetes-secret"}},
		Kinds: []string{"SecretProviderClass.secrets-store.csi.x-k8s.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			for i, s := range o.Root.Get("spec", "secretObjects").Items() {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "secretObjects", i}, Evidence: "it fills the Secret " + s.Get("secretName").Text()})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "secrets/sealed-cluster-wide", Severity: low, Title: "A sealed secret can be opened in any namespace",
			Tags:  []string{"sec:SEC10"},
			Fix:   "seal it for its namespace and name (strict, the default)",
			Why:   "who may create a SealedSecret anywhere copies it there and reads it: being sealed keeps it from nobody in the cluster. Low, because that takes rights in some namespace",
			Noise: "secrets that are meant for all namespaces, as those for pulling images",
			Refs:  []string{"https://github.com/bitnami-labs/sealed-secrets#scopes"}},
		Kinds: []string{"SealedSecret.bitnami.com"},
		Object: func(h *posture.Hits, o *kube.Object) {
			const key = "sealedsecrets.bitnami.com/cluster-wide"
			if o.Annotations[key] == "true" {
				h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", key}, Evidence: key + ": true"})
			}
		},
	},
}

func notReady(h *posture.Hits, o *kube.Object) {
	for i, c := range o.Root.Get("status", "conditions").Items() {
		if c.Get("type").Text() == "Ready" && c.Get("status").Text() == "False" {
			h.Add(posture.Hit{Object: o, Path: []any{"status", "conditions", i}, Evidence: strings.TrimSpace("Ready is False: " + c.Get("reason").Text())})
		}
	}
}

func refresh(h *posture.Hits, o *kube.Object) {
	n := o.Root.Get("spec", "refreshInterval")
	path := []any{"spec", "refreshInterval"}
	if once := o.Root.Get("spec", "refreshPolicy").Text(); once == "CreatedOnce" {
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "refreshPolicy"}, Evidence: "refreshPolicy: CreatedOnce"})
		return
	}
	if d, err := time.ParseDuration(n.Text()); n.Text() == "0" || err == nil && (d == 0 || d > 24*time.Hour) {
		h.Add(posture.Hit{Object: o, Path: path, Evidence: "refreshInterval: " + n.Text(), Edits: []kube.Edit{kube.Put("1h", path...)}})
	}
}

// static are the places in a store where a key that lies in a Secret is named.
var static = []struct {
	path []string
	what string
}{
	{[]string{"aws", "auth", "secretRef"}, "a key of AWS"},
	{[]string{"gcpsm", "auth", "secretRef"}, "the key of a service account of Google Cloud"},
	{[]string{"azurekv", "authSecretRef", "clientSecret"}, "the secret of a service principal of Azure"},
	{[]string{"vault", "auth", "tokenSecretRef"}, "a token of Vault"},
	{[]string{"vault", "auth", "appRole"}, "an AppRole of Vault"},
	{[]string{"vault", "auth", "userPass"}, "a user's password for Vault"},
	{[]string{"vault", "auth", "ldap"}, "a user's password for Vault"},
	{[]string{"ibm", "auth", "secretRef"}, "a key of IBM Cloud"},
	{[]string{"oracle", "auth", "secretRef"}, "a key of Oracle Cloud"},
	{[]string{"alibaba", "auth", "secretRef"}, "a key of Alibaba Cloud"},
}

func staticCredentials(h *posture.Hits, o *kube.Object) {
	if o.Kind == "VaultAuth" {
		if o.Root.Get("spec", "appRole").Exists() {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "appRole"}, Evidence: "it is opened with an AppRole of Vault"})
		}
		return
	}
	for _, s := range static {
		if provider := o.Root.Get("spec", "provider"); provider.Get(s.path...).Exists() {
			path := []any{"spec", "provider"}
			for _, p := range s.path {
				path = append(path, p)
			}
			h.Add(posture.Hit{Object: o, Path: path, Evidence: "it is opened with " + s.what})
		}
	}
}

func openStore(h *posture.Hits, o *kube.Object) {
	conditions := o.Root.Get("spec", "conditions")
	if conditions.Len() == 0 {
		h.Add(posture.Hit{Object: o, Path: []any{"spec"}, Evidence: "it has no conditions"})
		return
	}
	for i, c := range conditions.Items() {
		if s := c.Get("namespaceSelector"); s.Exists() && s.Get("matchLabels").Len() == 0 && s.Get("matchExpressions").Len() == 0 {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "conditions", i, "namespaceSelector"}, Evidence: "its selector takes every namespace"})
		}
	}
}

func vaultInsecure(h *posture.Hits, s *kube.Set) {
	const prefix = "vault.hashicorp.com/"
	for _, w := range s.Workloads() {
		at := func(name string) []any {
			if len(w.At) == 0 {
				return []any{"metadata", "annotations", prefix + name}
			}
			return append(append([]any(nil), w.At...), "metadata", "annotations", prefix+name)
		}
		a := w.Meta.Annotations
		if a[prefix+"tls-skip-verify"] == "true" {
			h.Add(posture.Hit{Object: w.Object, Path: at("tls-skip-verify"), Evidence: prefix + "tls-skip-verify: true", Edits: []kube.Edit{kube.Put("false", at("tls-skip-verify")...)}})
		}
		if v := a[prefix+"service"]; strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "http://127.") && !strings.HasPrefix(v, "http://localhost") {
			h.Add(posture.Hit{Object: w.Object, Path: at("service"), Evidence: prefix + "service is asked over http"})
		}
	}
	for _, o := range s.Kind("secrets.hashicorp.com", "VaultConnection") {
		if o.Root.Get("spec", "skipTLSVerify").True() {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "skipTLSVerify"}, Evidence: "skipTLSVerify: true", Edits: []kube.Edit{kube.Put(false, "spec", "skipTLSVerify")}})
		}
		if v := o.Root.Get("spec", "address").Text(); strings.HasPrefix(v, "http://") {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "address"}, Evidence: "its address is http"})
		}
	}
	for _, kind := range []string{"SecretStore", "ClusterSecretStore"} {
		for _, o := range s.Kind("external-secrets.io", kind) {
			if v := o.Root.Get("spec", "provider", "vault", "server").Text(); strings.HasPrefix(v, "http://") {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "provider", "vault", "server"}, Evidence: fmt.Sprintf("the %s asks Vault over http", kind)})
			}
		}
	}
}
