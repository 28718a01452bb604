package secrets

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
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

// certificates gives those that a Secret has for a service: not the authorities that it
// trusts, which stand behind the first.
func certificates(v *kube.Values) []struct {
	key string
	kube.Certificate
} {
	var list []struct {
		key string
		kube.Certificate
	}
	for i := range v.Keys {
		k := &v.Keys[i]
		if len(k.Certificates) > 0 && k.Name != "ca.crt" {
			list = append(list, struct {
				key string
				kube.Certificate
			}{k.Name, k.Certificates[0]})
		}
	}
	return list
}

// shown tells whether an Ingress or Gateway shows a certificate to its clients.
func shown(s *kube.Set, o *kube.Object) bool {
	for _, i := range s.Kind("networking.k8s.io", "Ingress") {
		for _, t := range i.Root.Get("spec", "tls").Items() {
			if i.Namespace == o.Namespace && t.Get("secretName").Text() == o.Name {
				return true
			}
		}
	}
	for _, g := range s.Kind("gateway.networking.k8s.io", "Gateway") {
		for _, l := range g.Root.Get("spec", "listeners").Items() {
			for _, ref := range l.Get("tls", "certificateRefs").Items() {
				ns := ref.Get("namespace").Text()
				if ref.Get("name").Text() == o.Name && (ns == o.Namespace || ns == "" && g.Namespace == o.Namespace) {
					return true
				}
			}
		}
	}
	return false
}

func (opt Options) expired(h *posture.Hits, o *kube.Object) {
	for _, c := range certificates(values(h, o)) {
		if opt.Now.IsZero() || !c.NotAfter.Before(opt.Now) {
			continue
		}
		hit := posture.Hit{Object: o, Path: pathOf(o, c.key), Evidence: fmt.Sprintf("%s: the certificate of %s expired on %s", c.key, nameOf(&c.Certificate), c.NotAfter.Format(time.DateOnly))}
		if shown(h.Set, o) {
			hit.Severity = high
		}
		h.Add(hit)
	}
}

func nameOf(c *kube.Certificate) string {
	if len(c.Names) > 0 {
		return c.Names[0]
	}
	if c.Subject != "" {
		return c.Subject
	}
	return "nobody named"
}

func (opt Options) expiring(h *posture.Hits, o *kube.Object) {
	limit := soon
	if managed(o) != "" {
		limit = renewedSoon
	}
	for _, c := range certificates(values(h, o)) {
		left := c.NotAfter.Sub(opt.Now)
		if opt.Now.IsZero() || left < 0 || left > limit || c.NotAfter.Sub(c.NotBefore) < 2*limit {
			continue
		}
		hit := posture.Hit{Object: o, Path: pathOf(o, c.key), Evidence: fmt.Sprintf("%s: the certificate of %s expires on %s", c.key, nameOf(&c.Certificate), c.NotAfter.Format(time.DateOnly))}
		if left < renewedSoon {
			hit.Severity = medium
		}
		h.Add(hit)
	}
}

func weakKey(h *posture.Hits, o *kube.Object) {
	v := values(h, o)
	for i := range v.Keys {
		k := &v.Keys[i]
		for j := range k.Certificates {
			c := &k.Certificates[j]
			if c.Algorithm == "RSA" && c.Bits < 2048 || c.Algorithm == "ECDSA" && c.Bits < 224 {
				h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: the certificate of %s has a key of %s with %d bits", k.Name, nameOf(c), c.Algorithm, c.Bits)})
			}
			if !c.SelfSigned && (strings.HasPrefix(c.Signature, "MD5") || strings.HasPrefix(c.Signature, "SHA1") || strings.HasSuffix(c.Signature, "SHA1")) {
				h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: the certificate of %s is signed with %s", k.Name, nameOf(c), c.Signature)})
			}
		}
		if p := k.PrivateKey; p != nil && len(k.Certificates) == 0 && (p.Algorithm == "RSA" && p.Bits < 2048) {
			h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: a key of RSA with %d bits", k.Name, p.Bits)})
		}
	}
}

// unused looks through all other objects for the Secret's name.
func unused(h *posture.Hits, s *kube.Set) {
	if s.Cluster == nil || s.Cluster.Namespaces != nil || len(s.Cluster.Unseen) > 0 {
		return // what is not seen may use it
	}
	wanted := map[string]bool{}
	for _, o := range s.Kind("", "Secret") {
		if byPeople(o) || typeOf(o) == "kubernetes.io/tls" {
			wanted[o.Name] = false
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, o := range s.Objects {
		if !o.Is("", "Secret") && !o.Is("", "Event") {
			mention(o.Root, wanted, 0)
		}
	}
	for _, o := range s.Kind("", "Secret") {
		if used, ok := wanted[o.Name]; ok && !used && managed(o) == "" && (byPeople(o) || typeOf(o) == "kubernetes.io/tls") && !strings.Contains(o.Name, "sealed-secrets") {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "name"}, Evidence: "no other object names it"})
		}
	}
}

// mention marks the names that stand in a tree: alone, behind a namespace, or in an argument.
func mention(n *kube.Node, wanted map[string]bool, depth int) {
	if depth > 60 {
		return
	}
	if text := n.Text(); text != "" {
		if _, ok := wanted[text]; ok {
			wanted[text] = true
			return
		}
		if i := strings.LastIndexAny(text, "/=:"); i >= 0 {
			if _, ok := wanted[text[i+1:]]; ok {
				wanted[text[i+1:]] = true
			}
		}
		return
	}
	for _, v := range n.Fields() {
		mention(v, wanted, depth+1)
	}
	for _, v := range n.Items() {
		mention(v, wanted, depth+1)
	}
}

const mostNamed = 6 // of a list that is told

// sharedValue tells of each Secret that has a value of another namespace's.
func sharedValue(h *posture.Hits, s *kube.Set) {
	type place struct {
		o   *kube.Object
		key string
	}
	at := map[string][]place{}
	for _, o := range s.Kind("", "Secret") {
		if strings.HasPrefix(typeOf(o), "kubernetes.io/dockerc") || strings.HasPrefix(typeOf(o), "helm.sh/") {
			continue
		}
		v := values(h, o)
		for i := range v.Keys {
			if k := &v.Keys[i]; k.Size >= 8 && k.Hash != "" && !k.Placeholder && len(k.Certificates) == 0 && (k.PrivateKey != nil || named(k.Name) != none) {
				at[k.Hash] = append(at[k.Hash], place{o, k.Name})
			}
		}
	}
	for _, hash := range slices.Sorted(maps.Keys(at)) {
		list := at[hash]
		inNamespace := map[string]int{}
		for _, p := range list {
			inNamespace[p.o.Namespace]++
		}
		for _, p := range list {
			n := len(list) - inNamespace[p.o.Namespace]
			if n == 0 {
				continue
			}
			var others []string
			for _, q := range list {
				if len(others) == mostNamed {
					break
				}
				if q.o.Namespace != p.o.Namespace {
					others = append(others, q.o.ID())
				}
			}
			text := strings.Join(others, ", ")
			if n > len(others) {
				text += fmt.Sprintf(" and %d more", n-len(others))
			}
			h.Add(posture.Hit{Object: p.o, Path: pathOf(p.o, p.key), Evidence: "the key " + p.key + " has the value of " + text})
		}
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

// inManifest tells of Secrets in files whose values are there to be read.
func inManifest(h *posture.Hits, o *kube.Object) {
	if h.Set.Cluster != nil || o.Root.Get("sops").Exists() || typeOf(o) == "kubernetes.io/service-account-token" {
		return
	}
	var names []string
	var path []any
	v := values(h, o)
	for i := range v.Keys {
		if k := &v.Keys[i]; k.Size > 0 && !k.Placeholder && !harmless(o, k) {
			names = append(names, k.Name)
			if path == nil {
				path = pathOf(o, k.Name)[:1]
			}
		}
	}
	if len(names) == 0 {
		return
	}
	evidence := "it has the values of " + enumerate(names)
	if t := o.Labels["argocd.argoproj.io/secret-type"]; t != "" {
		evidence += ", with which Argo CD opens a " + t
	}
	h.Add(posture.Hit{Object: o, Path: path, Evidence: evidence})
}

// harmless tells whether a key holds nothing secret: names and addresses, certificates,
// values that are encrypted or yet to be filled in.
func harmless(o *kube.Object, k *kube.Key) bool {
	text := decoded(o, k.Name)
	if !strings.Contains(text, "\n") && (fillIn.MatchString(text) || made(text)) || strings.HasPrefix(text, "ENC[") || strings.HasPrefix(o.Root.Get("data", k.Name).Text(), "ENC[") {
		return true
	}
	if len(k.Certificates) > 0 && k.PrivateKey == nil || k.Name == ".dockerconfigjson" && k.Form == "json" && len(k.Registries) == 0 {
		return true
	}
	words := split(k.Name)
	if len(words) == 0 || named(k.Name) != none {
		return false
	}
	if strings.Contains(strings.TrimSpace(text), "\n") && k.PrivateKey == nil {
		return !inFile(text)
	}
	last := words[len(words)-1]
	if strings.HasSuffix(last, "name") {
		return true
	}
	switch last {
	case "user", "host", "port", "endpoint", "address", "region", "database", "db", "id", "email", "type", "namespace", "project", "enabled", "ca", "crt", "cert", "server", "insecure":
		return true
	}
	return false
}

// decoded is a value as a program gets it.
func decoded(o *kube.Object, key string) string {
	if n := o.Root.Get("stringData", key); n.Exists() {
		return n.Text()
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(o.Root.Get("data", key).Text()), ""))
	if err != nil {
		return ""
	}
	return string(b)
}

// inFile tells whether a file of settings has a secret in it: many are kept in a Secret that
// have none.
func inFile(text string) bool {
	if !utf8.ValidString(text) || vendor(text) != "" || credentials(text) {
		return true
	}
	for name, value := range setting.Pairs(text) {
		if literal(name, value) {
			return true
		}
	}
	return false
}

// made tells whether a value is what stands for one that a chart makes anew in every run.
func made(text string) bool { return len(text) >= 4 && strings.HasPrefix("generated", text) }
