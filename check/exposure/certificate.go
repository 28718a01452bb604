package exposure

import (
	"fmt"
	"strings"
	"time"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutCertificates = "https://cert-manager.io/docs/usage/certificate/"

// certificateRules look at what cert-manager is told.
func (o Options) certificateRules() []*posture.Rule {
	return []*posture.Rule{
		{
			Rule: misconfig.Rule{ID: "exposure/certificate-not-ready", Severity: medium, Title: "cert-manager cannot make or renew a certificate",
				Tags:  []string{"attack:T1557"},
				Fix:   "see the status of the Certificate, its CertificateRequest and Order",
				Why:   "until it does, clients meet an old or a default certificate, and are taught to accept it",
				Noise: "a certificate that was asked for a moment ago",
				Refs:  []string{"https://cert-manager.io/docs/troubleshooting/"}},
			Kinds: []string{"Certificate.cert-manager.io", "Issuer.cert-manager.io", "ClusterIssuer.cert-manager.io"}, Object: o.certificateStatus,
		},
		{
			Rule: misconfig.Rule{ID: "exposure/certificate-weak", Severity: medium, Title: "cert-manager is told to make a weak key",
				Tags:  []string{"attack:T1600"},
				Fix:   "algorithm: ECDSA with size: 256, or RSA of 2048 bits and more",
				Why:   "keys of RSA below 2048 bits can be broken; clients refuse them",
				Noise: "none known",
				Refs:  []string{aboutCertificates}},
			Kinds: []string{"Certificate.cert-manager.io"},
			Object: func(h *posture.Hits, o *kube.Object) {
				key := o.Root.Get("spec", "privateKey")
				if size, ok := key.Get("size").Int(); ok && size < 2048 && !strings.EqualFold(key.Get("algorithm").Text(), "ECDSA") && !strings.EqualFold(key.Get("algorithm").Text(), "Ed25519") {
					path := []any{"spec", "privateKey", "size"}
					h.Add(posture.Hit{Object: o, Path: path, Evidence: fmt.Sprintf("RSA with %d bits", size), Edits: []kube.Edit{kube.Put(2048, path...)}})
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "exposure/certificate-long", Severity: low, Hygiene: true, Title: "A certificate is asked for more than 398 days",
				Tags:  []string{"attack:T1557"},
				Fix:   "duration: 2160h, which cert-manager renews by itself",
				Why:   "a key that was stolen is good until then; browsers refuse certificates of more than 398 days",
				Noise: "authorities, which are passed over",
				Refs:  []string{aboutCertificates}},
			Kinds: []string{"Certificate.cert-manager.io"},
			Object: func(h *posture.Hits, o *kube.Object) {
				d, err := time.ParseDuration(o.Root.Get("spec", "duration").Text())
				if err == nil && d > 398*24*time.Hour && !o.Root.Get("spec", "isCA").True() {
					h.Add(posture.Hit{Object: o, Path: []any{"spec", "duration"}, Evidence: fmt.Sprintf("%d days", int(d.Hours()/24))})
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "exposure/certificate-nobody-trusts", Severity: low, Title: "What is shown to the world has a certificate that nobody trusts",
				Tags:  []string{"attack:T1557"},
				Fix:   "an issuer that clients trust (ACME, the company's CA)",
				Why:   "people learn to click the warning away, and then see no difference when somebody is on the way",
				Noise: "clusters for development",
				Refs:  []string{"https://cert-manager.io/docs/configuration/selfsigned/", "https://letsencrypt.org/docs/staging-environment/"}},
			Set: nobodyTrusts,
		},
	}
}

func (opt Options) certificateStatus(h *posture.Hits, o *kube.Object) {
	for i, c := range o.Root.Get("status", "conditions").Items() {
		if c.Get("type").Text() != "Ready" || c.Get("status").Text() != "False" {
			continue
		}
		since, err := time.Parse(time.RFC3339, c.Get("lastTransitionTime").Text())
		if err == nil && !opt.Now.IsZero() && opt.Now.Sub(since) < 15*time.Minute {
			continue
		}
		h.Add(posture.Hit{Object: o, Path: []any{"status", "conditions", i}, Evidence: strings.TrimSpace("Ready is False: " + c.Get("reason").Text())})
	}
	if until, err := time.Parse(time.RFC3339, o.Root.Get("status", "notAfter").Text()); err == nil && !opt.Now.IsZero() && until.Before(opt.Now) {
		h.Add(posture.Hit{Object: o, Path: []any{"status", "notAfter"}, Evidence: "expired on " + until.Format(time.DateOnly)})
	}
}

// nobodyTrusts looks at the issuers of what Ingresses show.
func nobodyTrusts(h *posture.Hits, s *kube.Set) {
	issuers := map[string]string{} // why nobody trusts them, by kind and name
	for _, kind := range []string{"Issuer", "ClusterIssuer"} {
		for _, o := range s.Kind("cert-manager.io", kind) {
			key := kind + "/" + o.Namespace + "/" + o.Name
			switch {
			case o.Root.Get("spec", "selfSigned").Exists():
				issuers[key] = "signs by itself"
			case strings.Contains(o.Root.Get("spec", "acme", "server").Text(), "staging"):
				issuers[key] = "is for trials (ACME's staging server)"
			}
		}
	}
	if len(issuers) == 0 {
		return
	}
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		for _, a := range []struct{ name, kind, ns string }{{"cert-manager.io/cluster-issuer", "ClusterIssuer", ""}, {"cert-manager.io/issuer", "Issuer", o.Namespace}} {
			if why := issuers[a.kind+"/"+a.ns+"/"+o.Annotations[a.name]]; why != "" && !internalOnly(o) {
				h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", a.name}, Evidence: "the " + a.kind + " " + o.Annotations[a.name] + " " + why})
			}
		}
	}
	for _, o := range s.Kind("cert-manager.io", "Certificate") {
		ref := o.Root.Get("spec", "issuerRef")
		kind, ns := orElse(ref.Get("kind").Text(), "Issuer"), o.Namespace
		if kind == "ClusterIssuer" {
			ns = ""
		}
		why := issuers[kind+"/"+ns+"/"+ref.Get("name").Text()]
		if why != "" && !o.Root.Get("spec", "isCA").True() && inIngress(s, o.Namespace, o.Root.Get("spec", "secretName").Text()) {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "issuerRef", "name"}, Evidence: "an Ingress shows it, and the " + kind + " " + ref.Get("name").Text() + " " + why})
		}
	}
}

func inIngress(s *kube.Set, ns, secret string) bool {
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		for _, t := range o.Root.Get("spec", "tls").Items() {
			if o.Namespace == ns && t.Get("secretName").Text() == secret {
				return true
			}
		}
	}
	return false
}
