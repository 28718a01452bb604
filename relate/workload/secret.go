package workload

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/cloudkey"
	"bulwark/relate/internal/name"
)

// secrets relates Secrets, and ConfigMaps with credentials, to what these open.
func (w *world) secrets(ctx context.Context) error {
	for _, o := range w.set.Kind("", "Secret") {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.opens(o, name.Secret(o.Namespace, o.Name))
	}
	for _, o := range w.set.Kind("", "ConfigMap") {
		if len(w.known.Of(o.ID(), "secrets/literal")) > 0 {
			for key, value := range o.Root.Get("data").Fields() {
				w.byName(o, name.ConfigMap(o.Namespace, o.Name), key, value.Text())
			}
		}
	}
	return nil
}

// opens tells what a Secret is a key to.
func (w *world) opens(o *kube.Object, at bulwark.VertexID) {
	if o.Root.Get("type").Text() == "kubernetes.io/service-account-token" {
		if account := o.Annotations["kubernetes.io/service-account.name"]; account != "" {
			r := bulwark.Relation{From: at, To: name.Account(o.Namespace, account), Type: "TOKEN_STEAL", Text: "is a token of the account that never expires"}
			w.known.Because(&r, o.ID(), "secrets/legacy-token")
			w.to.Relation(r)
		}
		return
	}
	values := kube.ValuesOf(o)
	if values == nil {
		return
	}
	public := map[string]bool{}
	for i := range values.Keys {
		if k := values.Keys[i].PrivateKey; k != nil && !k.Encrypted {
			public[k.PublicKey] = true
		}
	}
	for i := range values.Keys {
		k := &values.Keys[i]
		if k.Placeholder {
			continue
		}
		for _, host := range k.Registries {
			host = hostOf(host)
			w.to.Relation(bulwark.Relation{From: at, To: name.Registry(host), Type: "REGISTRY_ACCESS", Text: "is a password of the registry"})
			w.push(host)
		}
		if k.Token != nil && k.Token.Subject != "" {
			w.account(at, k.Token.Subject)
		}
		for j := range k.Certificates {
			if c := &k.Certificates[j]; public[c.PublicKey] {
				w.certificate(at, c)
			}
		}
		w.byName(o, at, k.Name, valueOf(o, k.Name))
	}
}

// account relates to the account or user that a token is of.
func (w *world) account(at bulwark.VertexID, subject string) {
	to := name.Identity("User", subject)
	if rest, ok := strings.CutPrefix(subject, "system:serviceaccount:"); ok {
		namespace, account, _ := strings.Cut(rest, ":")
		to = name.Account(namespace, account)
	} else if !strings.HasPrefix(subject, "system:") {
		return // of another issuer
	}
	w.to.Relation(bulwark.Relation{From: at, To: to, Type: "TOKEN_STEAL", Text: "is a token of it"})
}

// certificate relates to whom a certificate of which the private key is there makes its owner.
func (w *world) certificate(at bulwark.VertexID, c *kube.Certificate) {
	user, groups := subjectOf(c.Subject)
	cluster := strings.Contains(strings.ToLower(c.Issuer), "kubernetes") || strings.HasPrefix(user, "system:")
	switch {
	case slices.Contains(groups, "system:masters"), c.CA && user == "kubernetes":
		w.to.Relation(bulwark.Relation{From: at, To: name.ClusterAdmin, Type: "CLIENT_CERTIFICATE", Text: "is a certificate of the cluster's administrators"})
	case cluster && user != "":
		w.to.Relation(bulwark.Relation{From: at, To: name.Identity("User", user), Type: "CLIENT_CERTIFICATE", Text: "is its certificate"})
		for _, g := range groups {
			w.to.Relation(bulwark.Relation{From: at, To: name.Identity("Group", g), Type: "CLIENT_CERTIFICATE", Text: "is a certificate of one of its members"})
		}
	default:
		for i, host := range c.Names {
			if i == 10 {
				break
			}
			w.to.Relation(bulwark.Relation{From: at, To: bulwark.VertexID("host:" + host), Type: "TLS_IMPERSONATE", Likelihood: 0.3, Text: "is the key of its certificate; who is on the way to it takes its place"})
		}
	}
}

// subjectOf takes the name and organizations of a certificate's subject ("CN=admin,O=ops").
func subjectOf(subject string) (user string, groups []string) {
	for _, part := range strings.FieldsFunc(subject, func(r rune) bool { return r == ',' || r == '+' }) {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "CN":
			user = value
		case "O":
			groups = append(groups, value)
		}
	}
	return user, groups
}

// valueOf is the value of a Secret of a manifest; "" of a cluster's, which is not kept.
func valueOf(o *kube.Object, key string) string {
	if text := o.Root.Get("stringData", key).Text(); text != "" {
		return text
	}
	b, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(o.Root.Get("data", key).Text()), ""))
	return string(b)
}

// byName tells what is known by the name of a key, and by its value where that is there.
func (w *world) byName(o *kube.Object, at bulwark.VertexID, key, value string) {
	if len(value) > 1<<20 {
		return
	}
	low := strings.ToLower(key)
	if strings.Contains(low, "kubeconfig") || low == "admin.conf" || strings.Contains(value, "current-context") || strings.Contains(value, "kind: Config\n") {
		w.kubeconfig(o, at, value)
		return
	}
	if provider := cloudkey.Of(o.Name, low, value); provider != "" {
		w.cloudKey(at, provider, o)
	}
}

// cloudKey relates to the identity of a cloud whose key an object holds, once.
func (w *world) cloudKey(at bulwark.VertexID, provider string, o *kube.Object) {
	to := name.Cloud(provider, "key in "+o.Namespace+"/"+o.Name)
	if w.opened[to] {
		return
	}
	w.opened[to] = true
	r := bulwark.Relation{From: at, To: to, Type: "CLOUD_KEYS", Likelihood: 0.8, Text: "holds a key of " + provider}
	w.known.Because(&r, o.ID(), "secrets/cloud-key", "secrets/literal")
	w.remedy(&r, o.ID()+" cloud key", "let what uses "+o.ID()+" log in by an identity of its pods, and delete the key", nil)
	w.to.Relation(r)
}

// kubeconfig relates to the users of one; to one of its own where they are not known.
func (w *world) kubeconfig(o *kube.Object, at bulwark.VertexID, value string) {
	known := false
	if root := parse(value); root != nil {
		for i, u := range root.Get("users").Items() {
			if i == 50 {
				break
			}
			known = w.login(at, u.Get("user")) || known
		}
	}
	if !known {
		w.to.Relation(bulwark.Relation{From: at, To: name.Identity("Kubeconfig", o.Namespace+"/"+o.Name), Type: "KUBECONFIG", Text: "is a kubeconfig"})
	}
}

// login relates to whom a kubeconfig's user is: a token says it, or a certificate.
func (w *world) login(at bulwark.VertexID, user *kube.Node) bool {
	held := &kube.Object{APIVersion: "v1", Kind: "Secret", Root: parse("stringData: {}")}
	fields := map[string]any{}
	if t := user.Get("token").Text(); t != "" {
		fields["token"] = t
	}
	for _, field := range []string{"client-certificate-data", "client-key-data"} {
		if b, err := base64.StdEncoding.DecodeString(user.Get(field).Text()); err == nil && len(b) > 0 {
			fields[field] = string(b)
		}
	}
	root, err := kube.Apply(held.Root, []kube.Edit{kube.Put(fields, "stringData")})
	if err != nil || len(fields) == 0 {
		return false
	}
	held.Root = root
	values, told := kube.ValuesOf(held), false
	for i := range values.Keys {
		k := &values.Keys[i]
		if k.Token != nil && k.Token.Subject != "" {
			w.account(at, k.Token.Subject)
			told = true
		}
		for j := range k.Certificates {
			w.certificate(at, &k.Certificates[j])
			told = true
		}
	}
	return told
}

func parse(text string) *kube.Node {
	for _, d := range kube.ParseYAML([]byte(text)) {
		return d.Root
	}
	return nil
}
