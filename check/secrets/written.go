package secrets

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
	"bulwark/kube"
)

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
