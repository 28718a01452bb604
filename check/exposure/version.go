package exposure

import (
	"slices"
	"strings"

	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// newer writes 1.2 as the object writes 1.0 and 1.1.
var newer = strings.NewReplacer("VersionTLS10", "VersionTLS12", "VersionTLS11", "VersionTLS12", "1.0", "1.2", "1.1", "1.2")

// oldVersion knows how different programs write TLS below 1.2.
func oldVersion(text string) bool {
	switch strings.ToLower(strings.NewReplacer("_", "", ".", "", "-", "", " ", "").Replace(text)) {
	case "10", "11", "tlsv1", "tlsv10", "tlsv11", "tls10", "tls11", "versiontls10", "versiontls11", "tlsprotocolsv10", "sslv3", "ssl30":
		return true
	}
	return false
}

func weakTLS(h *posture.Hits, s *kube.Set) {
	at := func(group, kind string, path ...any) {
		for _, o := range s.Kind(group, kind) {
			if v := o.Root.At(path...).Text(); oldVersion(v) {
				h.Add(posture.Hit{Object: o, Path: path, Evidence: "the lowest version is " + v, Edits: []kube.Edit{kube.Put(newer.Replace(v), path...)}})
			}
		}
	}
	at("traefik.io", "TLSOption", "spec", "minVersion")
	at("traefik.containo.us", "TLSOption", "spec", "minVersion")
	at("projectcontour.io", "HTTPProxy", "spec", "virtualhost", "tls", "minimumProtocolVersion")
	at("gateway.envoyproxy.io", "ClientTrafficPolicy", "spec", "tls", "minVersion")
	for _, o := range s.Kind("networking.istio.io", "Gateway") {
		for i, srv := range o.Root.Get("spec", "servers").Items() {
			if v := srv.Get("tls", "minProtocolVersion").Text(); oldVersion(v) {
				path := []any{"spec", "servers", i, "tls", "minProtocolVersion"}
				h.Add(posture.Hit{Object: o, Path: path, Evidence: "minProtocolVersion: " + v, Edits: []kube.Edit{kube.Put("TLSV1_2", path...)}})
			}
		}
	}
	for _, o := range s.Kind("", "ConfigMap") {
		path := []any{"data", "ssl-protocols"}
		all := strings.Fields(o.Root.At(path...).Text())
		if kept := slices.DeleteFunc(slices.Clone(all), oldVersion); len(kept) < len(all) {
			hit := posture.Hit{Object: o, Path: path, Evidence: "ssl-protocols: " + strings.Join(all, " ")}
			if len(kept) > 0 {
				hit.Edits = []kube.Edit{kube.Put(strings.Join(kept, " "), path...)}
			}
			h.Add(hit)
		}
	}
	for _, kind := range []struct{ group, name string }{{"networking.k8s.io", "Ingress"}, {"", "Service"}} {
		for _, o := range s.Kind(kind.group, kind.name) {
			for name, value := range annotations(o) {
				if oldPolicy(name, value) {
					h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: name + ": " + value})
				}
			}
		}
	}
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			c := &w.Containers[i]
			for j, a := range c.Args {
				name, value, _ := strings.Cut(a, "=")
				if (name == "--tls-min-version" || name == "--min-tls-version") && oldVersion(value) {
					h.Container(w, c, []any{"args", j}, a, kube.Put(name+"=VersionTLS12", w.ContainerPath(c, "args", j)...))
				}
			}
		}
	}
}

// oldPolicy tells whether an annotation chooses a policy of AWS that has TLS 1.0 or 1.1, or
// names such versions itself.
func oldPolicy(name, value string) bool {
	switch {
	case strings.HasSuffix(name, "ssl-policy") || strings.HasSuffix(name, "ssl-negotiation-policy"):
		return strings.Contains(value, "2015") || strings.Contains(value, "2016-08") || strings.Contains(value, "TLS-1-0") || strings.Contains(value, "TLS-1-1") || strings.Contains(value, "TLS13-1-0") || strings.Contains(value, "TLS13-1-1")
	case strings.HasSuffix(name, "/ssl-protocols") || strings.HasSuffix(name, "/proxy-ssl-protocols"):
		return slices.ContainsFunc(strings.Fields(value), oldVersion)
	}
	return false
}
