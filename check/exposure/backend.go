package exposure

import (
	"strings"

	"bulwark/check/internal/posture"
	"bulwark/kube"
)

func withoutLogin(h *posture.Hits, o *kube.Object) {
	for _, a := range []struct{ name, value string }{{"enable-global-auth", "false"}, {"satisfy", "any"}} {
		if name := nginx + a.name; o.Annotations[name] == a.value {
			path := []any{"metadata", "annotations", name}
			h.Add(posture.Hit{Object: o, Path: path, Evidence: name + ": " + a.value, Edits: []kube.Edit{kube.Drop(path...)}})
		}
	}
	rest, plain := strings.CutPrefix(o.Annotations[nginx+"auth-url"], "http://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	if plain && outsideHost(host) {
		h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", nginx + "auth-url"}, Evidence: nginx + "auth-url asks " + host + " over http"})
	}
}

func backendNotVerified(h *posture.Hits, s *kube.Set) {
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		protocol, verify := o.Annotations[nginx+"backend-protocol"], o.Annotations[nginx+"proxy-ssl-verify"]
		path := []any{"metadata", "annotations", nginx + "backend-protocol"}
		switch {
		case verify == "off":
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", nginx + "proxy-ssl-verify"}, Evidence: nginx + "proxy-ssl-verify: off"})
		case verify == "" && (protocol == "HTTPS" || protocol == "GRPCS"):
			h.Add(posture.Hit{Object: o, Path: path, Tags: hygiene, Evidence: nginx + "backend-protocol: " + protocol + ", without proxy-ssl-verify"})
		}
	}
	for _, group := range []string{"traefik.io", "traefik.containo.us"} {
		for _, o := range s.Kind(group, "ServersTransport") {
			if path := []any{"spec", "insecureSkipVerify"}; o.Root.At(path...).True() {
				h.Add(posture.Hit{Object: o, Path: path, Evidence: "insecureSkipVerify: true"})
			}
		}
	}
}

func plainBackend(h *posture.Hits, s *kube.Set) {
	r := reachOf(s)
	for _, way := range routes(s) {
		svc := r.services[way.ns+"/Service/"+way.service]
		if svc == nil || svc.kind != "ExternalName" || way.from.Root.Get("spec", "tls").Len() == 0 {
			continue
		}
		host := svc.Root.Get("spec", "externalName").Text()
		protocol := way.from.Annotations[nginx+"backend-protocol"]
		if n, _ := way.port.Int(); outsideHost(host) && !strings.HasSuffix(protocol, "S") && n != 443 {
			h.Add(posture.Hit{Object: way.from, Path: way.path, Evidence: "the Service " + svc.Name + " is " + host + ", and no backend-protocol is set"})
		}
	}
}
