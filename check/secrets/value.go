package secrets

import (
	"maps"
	"slices"
	"strings"
	"time"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const (
	oldAfter    = 365 * 24 * time.Hour
	soon        = 30 * 24 * time.Hour
	renewedSoon = 7 * 24 * time.Hour // of certificates that somebody renews: it has failed by then
)

// valueRules look at Secrets themselves.
func (o Options) valueRules() []*posture.Rule {
	return []*posture.Rule{
		{
			Rule: misconfig.Rule{ID: "secrets/old", Severity: low, Hygiene: true, Title: "A Secret has not changed for a year",
				Tags:  []string{"sec:SEC06"},
				Fix:   "replace it, and let an external store replace it from now on",
				Why:   "the longer a password is good, the more copies of it there are: with people who left, in old backups. Looked for in clusters, where it is known when the object was last written",
				Noise: "values that are no secret; those of others that cannot be replaced",
				Refs:  []string{practices}},
			Kinds: []string{"Secret"}, Object: o.old,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/certificate-expired", Severity: medium, Title: "A certificate has expired",
				Tags:  []string{"sec:SEC07"},
				Fix:   "renew it, by cert-manager for example",
				Why:   "clients refuse it, or were taught to accept anything. High where an Ingress or Gateway shows it to the world",
				Noise: "a Secret that is left over and that nobody uses",
				Refs:  []string{aboutTLS}},
			Kinds: []string{"Secret"}, Object: o.expired,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/certificate-expiring", Severity: low, Title: "A certificate expires soon",
				Tags:  []string{"sec:SEC07"},
				Fix:   "renew it; where cert-manager should have, see the Certificate's status",
				Why:   "in less than 30 days clients refuse it; in less than 7 where somebody renews it, who has failed then. Low, medium in the last week",
				Noise: "certificates that are made anew each week",
				Refs:  []string{aboutTLS}},
			Kinds: []string{"Secret"}, Object: o.expiring,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/weak-key", Severity: medium, Title: "A certificate or key is weak",
				Tags:  []string{"sec:SEC07"},
				Fix:   "a new key: ECDSA P-256, or RSA of 2048 bits and more, signed with SHA-256",
				Why:   "keys of RSA below 2048 bits and signatures with MD5 or SHA-1 can be broken or forged; clients refuse them more and more",
				Noise: "roots that sign themselves: their own signature is not looked at",
				Refs:  []string{"https://csrc.nist.gov/pubs/sp/800/131/a/r2/final"}},
			Kinds: []string{"Secret"}, Object: weakKey,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/unused", Severity: low, Hygiene: true, Title: "Nothing uses the Secret",
				Tags:  []string{"sec:SEC08"},
				Fix:   "delete it, once it is sure that nothing reads it over the API",
				Why:   "what nobody needs can still be stolen, and nobody replaces it. Looked for in whole clusters, where no other object names it",
				Noise: "programs that read it over the API by a name that stands in their image",
				Refs:  []string{practices}},
			Set: unused,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/shared-value", Severity: low, Title: "The same secret lies in several namespaces",
				Tags:  []string{"sec:SEC09"},
				Fix:   "a value of its own for each namespace, or one place that all are served from",
				Why:   "who gets into the weakest of the namespaces has what the others rely on to be apart. Values are compared by a keyed hash alone. Low, since copies are often meant",
				Noise: "keys that are copied on purpose, as a wildcard certificate; passwords for pulling images are passed over",
				Refs:  []string{practices}},
			Set: sharedValue,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/unmanaged", Severity: low, Hygiene: true, Title: "Secrets are kept by hand",
				Tags:  []string{"sec:SEC10", "cis:5.4.2"},
				Fix:   "keep them in an external store, and let External Secrets, a CSI driver, Vault or Sealed Secrets bring them",
				Why:   "nobody knows where else the value is, who replaces it and when. Told once for each namespace of a cluster",
				Noise: "Secrets that a program makes for itself without saying so",
				Refs:  []string{"https://kubernetes.io/docs/concepts/security/secrets-good-practices/#use-third-party-secret-store-providers"}},
			Set: unmanaged,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/mutable", Severity: low, Hygiene: true, Title: "A Secret can be changed by accident",
				Tags:  []string{"sec:SEC26"},
				Fix:   "immutable: true where a new value comes under a new name",
				Why:   "a change reaches all pods at once, without a rollout that could be undone",
				Noise: "Secrets that are replaced in place, which is what most tools do",
				Refs:  []string{"https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable"}},
			Kinds: []string{"Secret"}, Object: mutable,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/last-applied", Severity: medium, Title: "An annotation has a Secret's values once more",
				Tags:  []string{"sec:SEC27", "attack:T1552.007"},
				Fix:   "kubectl apply --server-side from now on, and take the annotation out",
				Why:   "kubectl apply keeps what was applied in an annotation: tools that hide a Secret's data show it, and it keeps values that were replaced since",
				Noise: "none known",
				Refs:  []string{"https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/", "https://kubernetes.io/docs/reference/using-api/server-side-apply/"}},
			Kinds: []string{"Secret"}, Object: lastApplied,
		},
		{
			Rule: misconfig.Rule{ID: "secrets/in-manifest", Severity: medium, Title: "A Secret lies in a file with its values",
				Tags:  []string{"sec:SEC29", "attack:T1552.001", "kubescape:C-0012"},
				Fix:   "replace the values, for they have been seen; keep an ExternalSecret, a SealedSecret or a file that SOPS encrypts in its place",
				Why:   "base 64 hides nothing: whoever may read the repository, its clones and its history has the values. Medium, because it is not known what they open",
				Noise: "values of an example; those that are no secret (a user's name, a certificate)",
				Refs:  []string{practices}},
			Kinds: []string{"Secret"}, Object: inManifest,
		},
	}
}

// memo is what is known of the Secrets' values, read once.
type memo map[*kube.Object]*kube.Values

func values(h *posture.Hits, o *kube.Object) *kube.Values {
	m := kube.Memo(h.Set, func(s *kube.Set) *memo {
		m := memo{}
		for _, o := range s.Kind("", "Secret") {
			m[o] = kube.ValuesOf(o)
		}
		return &m
	})
	if v := (*m)[o]; v != nil {
		return v
	}
	return &kube.Values{}
}

// pathOf is where a key of a Secret stands.
func pathOf(o *kube.Object, key string) []any {
	if o.Root.Get("stringData", key).Exists() {
		return []any{"stringData", key}
	}
	return []any{"data", key}
}

// typeOf is the type of a Secret.
func typeOf(o *kube.Object) string {
	if t := o.Root.Get("type").Text(); t != "" {
		return t
	}
	return "Opaque"
}

// managed names who keeps a Secret; "" when nobody does.
func managed(o *kube.Object) string {
	if o.Root.Get("metadata", "ownerReferences").Len() > 0 {
		return "an owner"
	}
	switch by := o.Labels["app.kubernetes.io/managed-by"]; by {
	case "", "Helm", "kustomize", "Kustomize", "kubectl":
	default:
		return by
	}
	for name := range o.Annotations {
		domain, _, _ := strings.Cut(name, "/")
		switch {
		case domain == "cert-manager.io", strings.HasSuffix(domain, "external-secrets.io"), strings.HasPrefix(domain, "reflector."), strings.HasPrefix(domain, "sealedsecrets."), domain == "replicator.v1.mittwald.de":
			return domain
		}
	}
	for name := range o.Labels {
		if domain, _, _ := strings.Cut(name, "/"); domain == "secrets-store.csi.k8s.io" || strings.HasSuffix(domain, "external-secrets.io") || strings.HasSuffix(domain, "cert-manager.io") {
			return domain
		}
	}
	return ""
}

// byPeople tells whether a Secret is of a type that people fill in.
func byPeople(o *kube.Object) bool {
	switch typeOf(o) {
	case "Opaque", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg":
		return true
	}
	return false
}

func (opt Options) old(h *posture.Hits, o *kube.Object) {
	if h.Set.Cluster == nil || opt.Now.IsZero() || !byPeople(o) || managed(o) != "" {
		return
	}
	last := values(h, o).Changed
	if !last.IsZero() && opt.Now.Sub(last) > oldAfter {
		h.Add(posture.Hit{Object: o, Path: []any{"metadata", "creationTimestamp"}, Evidence: "last written on " + last.Format(time.DateOnly)})
	}
}

func unmanaged(h *posture.Hits, s *kube.Set) {
	if s.Cluster == nil {
		return
	}
	byNamespace := map[string][]*kube.Object{}
	for _, o := range s.Kind("", "Secret") {
		if byPeople(o) && managed(o) == "" {
			byNamespace[o.Namespace] = append(byNamespace[o.Namespace], o)
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(byNamespace)) {
		list := byNamespace[ns]
		about := s.Find("Namespace/" + ns)
		if about == nil {
			about = list[0]
		}
		var names []string
		for _, o := range list {
			names = append(names, o.Name)
		}
		h.Add(posture.Hit{Object: about, Evidence: "kept by hand: " + enumerate(names)})
	}
}

func mutable(h *posture.Hits, o *kube.Object) {
	if byPeople(o) && managed(o) == "" && !o.Root.Get("immutable").True() {
		h.Add(posture.Hit{Object: o, Path: []any{"immutable"}, Evidence: "immutable is not set"})
	}
}

func lastApplied(h *posture.Hits, o *kube.Object) {
	if keys := values(h, o).Applied; len(keys) > 0 {
		path := []any{"metadata", "annotations", applied}
		hit := posture.Hit{Object: o, Path: path, Evidence: "it holds the values of " + enumerate(keys)}
		if o.Root.At(path...).Exists() { // a cluster's source keeps its names alone
			hit.Edits = []kube.Edit{kube.Drop(path...)}
		}
		h.Add(hit)
	}
}
