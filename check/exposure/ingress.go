package exposure

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const (
	aboutIngress = "https://kubernetes.io/docs/concepts/services-networking/ingress/"
	aboutNginx   = "https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/"
	nginx        = "nginx.ingress.kubernetes.io/"
)

var ingressKind = []string{"Ingress.networking.k8s.io", "Ingress.extensions"}

var ingressRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-plain", Severity: medium, Title: "An Ingress or Route has no TLS",
			Tags:  []string{"attack:T1040", "attack:T1557", "kubescape:C-0263"},
			Fix:   "name hosts and a certificate's Secret under spec.tls (cert-manager gets one by an annotation)",
			Why:   "whoever is on the way reads and changes what is sent: sessions, passwords. Medium, since it takes somebody on the way",
			Noise: "TLS that ends at a load balancer or proxy before it, where no annotation says so",
			Refs:  []string{aboutIngress + "#tls"}},
		Kinds: append(slices.Clone(ingressKind), "Route.route.openshift.io", "HTTPProxy.projectcontour.io", "IngressRoute.traefik.io", "IngressRoute.traefik.containo.us"), Object: plainIngress,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-host-without-certificate", Severity: medium, Title: "A host of an Ingress has no certificate",
			Tags:  []string{"attack:T1557"},
			Fix:   "name the host under spec.tls as well",
			Why:   "the controller answers with its own default certificate, which nobody trusts: people learn to click it away, or HTTP stays in use",
			Noise: "a default certificate of the controller that is good for the host",
			Refs:  []string{aboutIngress + "#tls"}},
		Kinds: ingressKind, Object: uncovered,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-no-redirect", Severity: low, Title: "An Ingress with TLS answers HTTP as well",
			Tags:  []string{"attack:T1557"},
			Fix:   "take the annotation out: the redirect to HTTPS is the default",
			Why:   "who types the address without https, or follows an old link, sends the session in the clear. Low, since TLS is there for those who use it",
			Noise: "paths that must be served over HTTP, as those for making certificates",
			Refs:  []string{aboutNginx + "#server-side-https-enforcement-through-redirect"}},
		Kinds: ingressKind, Object: noRedirect,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-snippet", Severity: medium, Title: "nginx takes configuration out of an Ingress",
			Tags:  []string{"attack:T1552.007", "attack:T1610", "cve:CVE-2021-25742"},
			Fix:   "use the annotations made for the purpose, and allow-snippet-annotations: false in the controller's ConfigMap",
			Why:   "where snippets are allowed, whoever may write an Ingress in any namespace reads the controller's token, and with it every TLS key of the cluster (CVE-2021-25742). High where the snippet reads files, runs Lua or names another server",
			Noise: "clusters in which everybody who writes an Ingress is an administrator",
			Refs:  []string{aboutNginx + "#configuration-snippet", "https://github.com/kubernetes/ingress-nginx/issues/7837"}},
		Set: snippets,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-any-host", Severity: low, Hygiene: true, Title: "An Ingress takes every host",
			Fix:   "name the host in each rule, and leave defaultBackend to the controller",
			Why:   "what nobody else claims is sent to the application: names that point to the load balancer by mistake, requests with a forged host",
			Noise: "clusters with one application",
			Refs:  []string{aboutIngress + "#hostname-wildcards"}},
		Kinds: ingressKind, Object: anyHost,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-no-rate-limit", Severity: low, Hygiene: true, Title: "An Ingress limits no client",
			Tags:  []string{"attack:T1499"},
			Fix:   nginx + "limit-rps and limit-connections, by what a client needs",
			Why:   "one client can use up what all share, and try passwords as fast as it likes",
			Noise: "limits that stand before the cluster, or in the controller's own configuration",
			Refs:  []string{aboutNginx + "#rate-limiting"}},
		Kinds: ingressKind, Object: noRateLimit,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/weak-tls", Severity: medium, Title: "TLS below 1.2 is allowed",
			Tags:  []string{"attack:T1557", "attack:T1600"},
			Fix:   "TLS 1.2 at least, 1.3 where all clients can",
			Why:   "TLS 1.0 and 1.1 were withdrawn (RFC 8996): they rest on MD5 and SHA-1, and on ciphers that can be attacked",
			Noise: "old clients that cannot be replaced",
			Refs:  []string{"https://www.rfc-editor.org/rfc/rfc8996"}},
		Set: weakTLS,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/backend-external-plain", Severity: medium, Title: "What TLS protected goes on to another network as HTTP",
			Tags:  []string{"attack:T1040"},
			Fix:   nginx + "backend-protocol: HTTPS, and proxy-ssl-verify: on",
			Why:   "the Service is a name outside of the cluster, and the controller speaks HTTP to it: the client believes to be protected all the way",
			Noise: "names that lead to a network as trusted as the cluster's",
			Refs:  []string{aboutNginx + "#backend-protocol"}},
		Set: plainBackend,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-without-login", Severity: low, Title: "An Ingress leaves out, or weakens, the login of the controller",
			Tags:  []string{"attack:T1133", "attack:T1078"},
			Fix:   "take the annotation out",
			Why:   "enable-global-auth: false excuses the Ingress from the login of all others; satisfy: any lets in who has the right address or the password; an auth-url over http to another network can be answered by whoever is on the way. Low, since somebody meant it",
			Noise: "public pages; the login's own page",
			Refs:  []string{aboutNginx + "#external-authentication", aboutNginx + "#satisfy"}},
		Kinds: ingressKind, Object: withoutLogin,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/backend-not-verified", Severity: low, Title: "An Ingress does not check the certificate of what is behind it",
			Tags:  []string{"attack:T1557"},
			Fix:   nginx + "proxy-ssl-verify: on, with proxy-ssl-secret; the authority under rootCAs of a ServersTransport",
			Why:   "whoever takes the Service's place in the cluster's network gets what clients send. Low where it is switched off; hygiene for nginx's default, which checks nothing",
			Noise: "a mesh that encrypts below",
			Refs:  []string{aboutNginx + "#backend-certificate-authentication", "https://doc.traefik.io/traefik/reference/routing-configuration/http/load-balancing/serverstransport/"}},
		Set: backendNotVerified,
	},
}

// elsewhereTLS tells whether TLS ends where an annotation or class says rather than spec.tls.
func elsewhereTLS(o *kube.Object) bool {
	for name, value := range o.Annotations {
		switch {
		case value == "":
		case strings.HasPrefix(name, "alb.ingress.kubernetes.io/certificate-arn"), name == "networking.gke.io/managed-certificates", name == "ingress.gcp.kubernetes.io/pre-shared-cert",
			strings.HasPrefix(name, "appgw.ingress.kubernetes.io/appgw-ssl"), name == "traefik.ingress.kubernetes.io/router.tls" && value == "true", strings.HasPrefix(name, "traefik.ingress.kubernetes.io/router.tls."),
			name == "traefik.ingress.kubernetes.io/router.entrypoints" && strings.Contains(value, "secure"), strings.HasPrefix(name, "service.beta.kubernetes.io/aws-load-balancer-ssl"):
			return true
		case name == "alb.ingress.kubernetes.io/listen-ports" && strings.Contains(value, "HTTPS"):
			return true
		}
	}
	class := classOf(o)
	return strings.Contains(class, "tailscale") || strings.Contains(class, "cloudflare") || strings.Contains(class, "ngrok")
}

func classOf(o *kube.Object) string {
	return orElse(o.Root.Get("spec", "ingressClassName").Text(), o.Annotations["kubernetes.io/ingress.class"])
}

// hostsOf are those of the Ingress's rules, with their positions.
func hostsOf(o *kube.Object) (hosts []string) {
	for _, r := range o.Root.Get("spec", "rules").Items() {
		hosts = append(hosts, r.Get("host").Text())
	}
	return hosts
}

// solves tells whether an Ingress is one that cert-manager makes to get a certificate.
func solves(o *kube.Object) bool { return o.Labels["acme.cert-manager.io/http01-solver"] == "true" }

func plainIngress(h *posture.Hits, o *kube.Object) {
	if o.Root.Get("spec", "tls").Len() > 0 || elsewhereTLS(o) || solves(o) || internalOnly(o) {
		return
	}
	spec := o.Root.Get("spec")
	switch o.Kind {
	case "HTTPProxy":
		if !spec.Get("virtualhost").Exists() || spec.Get("virtualhost", "tls").Exists() {
			return // a part of another, or with TLS
		}
	case "IngressRoute":
		if spec.Get("tls").Exists() || slices.ContainsFunc(spec.Get("entryPoints").Strings(), func(e string) bool { return strings.Contains(e, "secure") || strings.Contains(e, "internal") }) || redirected(spec) {
			return
		}
	case "Route":
		if spec.Get("tls").Exists() || spec.Get("host").Text() == "" && h.Set.Cluster != nil {
			return
		}
	}
	what := "no spec.tls"
	if hosts := hostsOf(o); len(hosts) > 0 && hosts[0] != "" {
		what += ", for " + strings.Join(slices.Compact(hosts[:min(len(hosts), 5)]), ", ")
	}
	h.Add(posture.Hit{Object: o, Path: []any{"spec"}, Evidence: what})
}

// redirected tells whether a route of Traefik names a middleware that sends clients on to HTTPS.
func redirected(spec *kube.Node) bool {
	for _, r := range spec.Get("routes").Items() {
		for _, m := range r.Get("middlewares").Items() {
			if strings.Contains(m.Get("name").Text(), "redirect") || strings.Contains(m.Get("name").Text(), "https") {
				return true
			}
		}
	}
	return false
}

func uncovered(h *posture.Hits, o *kube.Object) {
	tls := o.Root.Get("spec", "tls")
	if tls.Len() == 0 || elsewhereTLS(o) {
		return
	}
	var covered []string
	for _, t := range tls.Items() {
		if t.Get("hosts").Len() == 0 {
			return // all of them
		}
		covered = append(covered, t.Get("hosts").Strings()...)
	}
	for i, host := range hostsOf(o) {
		if host != "" && !slices.ContainsFunc(covered, func(c string) bool { return covers(c, host) }) {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i, "host"}, Evidence: "spec.tls does not name " + host})
		}
	}
}

// covers tells whether a certificate's name is good for a host: a wildcard stands for one label.
func covers(name, host string) bool {
	if strings.EqualFold(name, host) || name == "*" {
		return true
	}
	rest, ok := strings.CutPrefix(name, "*.")
	_, domain, _ := strings.Cut(host, ".")
	return ok && strings.EqualFold(rest, domain)
}

func noRedirect(h *posture.Hits, o *kube.Object) {
	if o.Root.Get("spec", "tls").Len() == 0 && !elsewhereTLS(o) {
		return
	}
	for name, value := range annotations(o) {
		domain, key, _ := strings.Cut(name, "/")
		if key == "ssl-redirect" && strings.Contains(domain, "ingress.kubernetes.io") || name == "haproxy.org/ssl-redirect" {
			if value == "false" && o.Annotations[nginx+"force-ssl-redirect"] != "true" {
				path := []any{"metadata", "annotations", name}
				h.Add(posture.Hit{Object: o, Path: path, Evidence: name + ": false", Edits: []kube.Edit{kube.Drop(path...)}})
			}
		}
	}
}

func snippets(h *posture.Hits, s *kube.Set) {
	for _, kind := range ingressKind {
		name, group, _ := strings.Cut(kind, ".")
		for _, o := range s.Kind(group, name) {
			for name, value := range annotations(o) {
				if !strings.HasPrefix(name, nginx) && !strings.HasPrefix(name, "nginx.org/") || !strings.HasSuffix(name, "-snippet") && !strings.HasSuffix(name, "-snippets") {
					continue
				}
				hit := posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: "the annotation " + name}
				for _, word := range []string{"lua", "serviceaccount", "alias ", "root ", "proxy_pass", "load_module", "/etc/", "js_", "perl", "include "} {
					if strings.Contains(value, word) {
						hit.Severity, hit.Evidence = high, hit.Evidence+" has "+strings.TrimSpace(word)+" in it"
						break
					}
				}
				h.Add(hit)
			}
		}
	}
	for _, o := range s.Kind("", "ConfigMap") {
		path := []any{"data", "allow-snippet-annotations"}
		if o.Root.At(path...).Text() == "true" {
			h.Add(posture.Hit{Object: o, Path: path, Evidence: "allow-snippet-annotations: true, for every Ingress", Edits: []kube.Edit{kube.Put("false", path...)}})
		}
	}
}

func anyHost(h *posture.Hits, o *kube.Object) {
	if o.Root.Get("spec", "defaultBackend").Exists() {
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "defaultBackend"}, Evidence: "spec.defaultBackend takes whatever no rule takes"})
	}
	for i, host := range hostsOf(o) {
		if host == "" || host == "*" {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i}, Evidence: fmt.Sprintf("rule %d names no host", i+1)})
		}
	}
}

func noRateLimit(h *posture.Hits, o *kube.Object) {
	ours := strings.Contains(classOf(o), "nginx")
	for name := range o.Annotations {
		ours = ours || strings.HasPrefix(name, nginx)
		if strings.HasPrefix(name, nginx+"limit-") {
			return
		}
	}
	if ours && !internalOnly(o) {
		h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations"}, Evidence: "none of " + nginx + "limit-rps, limit-rpm, limit-connections"})
	}
}
