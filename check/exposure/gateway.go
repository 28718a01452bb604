package exposure

import (
	"fmt"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutGateway = "https://gateway-api.sigs.k8s.io/guides/"

var gatewayRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/gateway-plain", Severity: medium, Title: "A Gateway takes HTTP and sends nobody on to HTTPS",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "a listener with HTTPS and a certificate, and for HTTP a route that redirects (tls.httpsRedirect in Istio)",
			Why:   "whoever is on the way reads and changes what is sent: sessions, passwords. Medium, since it takes somebody on the way",
			Noise: "TLS that ends before it; gateways for the inside",
			Refs:  []string{aboutGateway + "tls/", aboutGateway + "http-redirect-rewrite/", "https://istio.io/latest/docs/reference/config/networking/gateway/"}},
		Set: plainGateways,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/gateway-every-namespace", Severity: low, Title: "Every namespace may add routes to a Gateway",
			Tags:  []string{"attack:T1557"},
			Fix:   "allowedRoutes.namespaces.from: Selector, with a label that only some namespaces have",
			Why:   "whoever may create a route anywhere takes paths and hosts of others for himself, under their certificate. Low, since it takes rights in some namespace; medium where the listener names no host",
			Noise: "clusters of one team",
			Refs:  []string{"https://gateway-api.sigs.k8s.io/concepts/security-model/"}},
		Kinds: []string{"Gateway.gateway.networking.k8s.io"}, Object: everyNamespace,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/reference-grant-all", Severity: medium, Title: "A grant opens every Secret or Service of the namespace",
			Tags:  []string{"attack:T1552.007"},
			Fix:   "name the one object under to",
			Why:   "without a name the other namespace may refer to all of the kind: every TLS key, every Service. Medium for Secrets, low for the others",
			Noise: "namespaces that hold nothing but what is to be shared",
			Refs:  []string{"https://gateway-api.sigs.k8s.io/api-types/referencegrant/"}},
		Kinds: []string{"ReferenceGrant.gateway.networking.k8s.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			for i, to := range o.Root.Get("spec", "to").Items() {
				if to.Get("name").Text() != "" {
					continue
				}
				hit := posture.Hit{Object: o, Path: []any{"spec", "to", i}, Evidence: "every " + to.Get("kind").Text() + " of " + o.Namespace}
				if to.Get("kind").Text() != "Secret" {
					hit.Severity = low
				}
				h.Add(hit)
			}
		},
	},
}

func plainGateways(h *posture.Hits, s *kube.Set) {
	redirecting, serving := map[string]bool{}, map[string]bool{}
	for _, r := range s.Kind("gateway.networking.k8s.io", "HTTPRoute") {
		redirects := redirectsOnly(r)
		for _, p := range r.Root.Get("spec", "parentRefs").Items() {
			key := orElse(p.Get("namespace").Text(), r.Namespace) + "/" + p.Get("name").Text() + "/" + p.Get("sectionName").Text()
			if redirects {
				redirecting[key] = true
			} else {
				serving[key] = true
			}
		}
	}
	for _, o := range s.Kind("gateway.networking.k8s.io", "Gateway") {
		if mesh := o.Root.Get("spec", "gatewayClassName").Text(); strings.Contains(mesh, "waypoint") || strings.Contains(mesh, "internal") || strings.HasSuffix(mesh, "-ilb") || strings.Contains(mesh, "-rilb") {
			continue
		}
		for i, l := range o.Root.Get("spec", "listeners").Items() {
			key := o.Namespace + "/" + o.Name + "/"
			name := l.Get("name").Text()
			if l.Get("protocol").Text() != "HTTP" || (redirecting[key+name] || redirecting[key]) && !serving[key+name] {
				continue
			}
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "listeners", i, "protocol"}, Evidence: fmt.Sprintf("the listener %s takes HTTP, and no route redirects", name)})
		}
	}
	for _, o := range s.Kind("networking.istio.io", "Gateway") {
		if strings.Contains(o.Root.Get("spec", "selector", "istio").Text(), "egress") {
			continue
		}
		for i, srv := range o.Root.Get("spec", "servers").Items() {
			if strings.HasPrefix(srv.Get("port", "protocol").Text(), "HTTP") && srv.Get("port", "protocol").Text() != "HTTPS" && !srv.Get("tls", "httpsRedirect").True() {
				hit := posture.Hit{Object: o, Path: []any{"spec", "servers", i, "port", "protocol"}, Evidence: "port " + srv.Get("port", "number").Text() + " takes HTTP, without tls.httpsRedirect"}
				if servesHTTPS(o) {
					hit.Edits = []kube.Edit{kube.Put(true, "spec", "servers", i, "tls", "httpsRedirect")}
				}
				h.Add(hit)
			}
		}
	}
}

// servesHTTPS tells whether a gateway of Istio's has HTTPS to be sent on to.
func servesHTTPS(o *kube.Object) bool {
	for _, srv := range o.Root.Get("spec", "servers").Items() {
		if srv.Get("port", "protocol").Text() == "HTTPS" {
			return true
		}
	}
	return false
}

// redirectsOnly tells whether all that a route does is to send clients on to HTTPS.
func redirectsOnly(r *kube.Object) bool {
	for _, rule := range r.Root.Get("spec", "rules").Items() {
		ok := false
		for _, f := range rule.Get("filters").Items() {
			ok = ok || f.Get("requestRedirect", "scheme").Text() == "https"
		}
		if !ok {
			return false
		}
	}
	return r.Root.Get("spec", "rules").Len() > 0
}

func everyNamespace(h *posture.Hits, o *kube.Object) {
	for i, l := range o.Root.Get("spec", "listeners").Items() {
		if l.Get("allowedRoutes", "namespaces", "from").Text() != "All" {
			continue
		}
		hit := posture.Hit{Object: o, Path: []any{"spec", "listeners", i, "allowedRoutes", "namespaces", "from"}, Evidence: "the listener " + l.Get("name").Text() + ": from: All"}
		if l.Get("hostname").Text() == "" {
			hit.Severity, hit.Evidence = medium, hit.Evidence+", for any host"
		}
		h.Add(hit)
	}
}
