package exposure

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutMesh = "https://istio.io/latest/docs/ops/best-practices/security/"

var meshRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/mesh-plaintext", Severity: medium, Title: "The mesh takes connections without mutual TLS",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "mtls.mode: STRICT, for the whole mesh once all pods have a proxy",
			Why:   "with DISABLE nothing is encrypted, and nobody knows who calls; with PERMISSIVE whoever leaves TLS out is let in all the same, past every rule about identities (low). Medium, since it takes somebody inside",
			Noise: "while pods are being brought into the mesh; a port that is read by something outside of it",
			Refs:  []string{aboutMesh, "https://istio.io/latest/docs/reference/config/security/peer_authentication/"}},
		Set: meshModes,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/mesh-left-out", Severity: low, Title: "Pods leave the mesh of their namespace",
			Tags:  []string{"attack:T1562"},
			Fix:   "take the annotation or label out",
			Why:   "they talk in the clear, and none of the mesh's rules hold for them. Low, since somebody meant it",
			Noise: "jobs that end, programs that the proxy breaks",
			Refs:  []string{"https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/", "https://linkerd.io/2/features/proxy-injection/"}},
		Workload: leftOut,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/destination-without-tls", Severity: medium, Title: "The mesh's client side turns TLS, or its checks, off",
			Tags:  []string{"attack:T1557"},
			Fix:   "ISTIO_MUTUAL inside of the mesh, SIMPLE with the right caCertificates outside",
			Why:   "connections of every pod to that host go in the clear, or to whoever answers with any certificate",
			Noise: "hosts that speak TLS themselves within a plain connection",
			Refs:  []string{"https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings"}},
		Kinds: []string{"DestinationRule.networking.istio.io"}, Object: destination,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/authorization-for-all", Severity: medium, Title: "A mesh's rule lets everybody in",
			Tags:  []string{"attack:T1190"},
			Fix:   "name the principals under from, and what they may do under to",
			Why:   "a rule without conditions allows every caller everything, whatever the other rules that allow say: only one that denies still counts",
			Noise: "what is meant for all, as a public gateway",
			Refs:  []string{"https://istio.io/latest/docs/reference/config/security/authorization-policy/", "https://linkerd.io/2/reference/authorization-policy/"}},
		Set: openAuthorization,
	},
}

func meshModes(h *posture.Hits, s *kube.Set) {
	rate := func(o *kube.Object, mode string, path ...any) {
		hit := posture.Hit{Object: o, Path: path, Evidence: kube.PathText(path...) + ": " + mode, Edits: []kube.Edit{kube.Put("STRICT", path...)}}
		switch mode {
		case "DISABLE":
			h.Add(hit)
		case "PERMISSIVE":
			hit.Severity = low
			h.Add(hit)
		}
	}
	strict := map[string]bool{}
	for _, o := range s.Kind("security.istio.io", "PeerAuthentication") {
		mode := o.Root.Get("spec", "mtls", "mode").Text()
		rate(o, mode, "spec", "mtls", "mode")
		for port, v := range o.Root.Get("spec", "portLevelMtls").Fields() {
			rate(o, v.Get("mode").Text(), "spec", "portLevelMtls", port, "mode")
		}
		if o.Root.Get("spec", "selector").Len() == 0 && mode != "" && mode != "UNSET" {
			strict[o.Namespace] = true
		}
	}
	for _, ns := range s.Kind("", "Namespace") {
		if s.Cluster != nil && s.Cluster.Unseen["peerauthentications.security.istio.io"] == "" && inMesh(ns.Labels) && !strict[ns.Name] && !strict["istio-system"] {
			h.Add(posture.Hit{Object: ns, Path: []any{"metadata", "labels"}, Severity: low, Evidence: "no PeerAuthentication holds for the namespace: PERMISSIVE is the default"})
		}
	}
}

// inMesh tells whether a namespace's labels put Istio's proxy into its pods.
func inMesh(labels map[string]string) bool {
	return labels["istio-injection"] == "enabled" || labels["istio.io/rev"] != "" || labels["istio.io/dataplane-mode"] == "ambient"
}

func leftOut(h *posture.Hits, w *kube.Workload) {
	if w.Spec.HostNetwork {
		return
	}
	ns := h.Set.Find("Namespace/" + w.Namespace)
	if ns == nil {
		return
	}
	at := func(kind, name string) []any { return slices.Concat(w.At, []any{"metadata", kind, name}) }
	if inMesh(ns.Labels) {
		const key = "sidecar.istio.io/inject"
		switch {
		case w.Meta.Labels[key] == "false":
			h.Add(posture.Hit{Object: w.Object, Path: at("labels", key), Evidence: key + ": false, and the namespace is in the mesh"})
		case w.Meta.Annotations[key] == "false" && w.Meta.Labels[key] == "":
			h.Add(posture.Hit{Object: w.Object, Path: at("annotations", key), Evidence: key + ": false, and the namespace is in the mesh"})
		case w.Meta.Labels["istio.io/dataplane-mode"] == "none":
			h.Add(posture.Hit{Object: w.Object, Path: at("labels", "istio.io/dataplane-mode"), Evidence: "istio.io/dataplane-mode: none, and the namespace is in the mesh"})
		}
	}
	if v := ns.Annotations["linkerd.io/inject"]; v == "enabled" || v == "ingress" {
		if w.Meta.Annotations["linkerd.io/inject"] == "disabled" {
			h.Add(posture.Hit{Object: w.Object, Path: at("annotations", "linkerd.io/inject"), Evidence: "linkerd.io/inject: disabled, and the namespace is in the mesh"})
		}
	}
}

func destination(h *posture.Hits, o *kube.Object) {
	host := o.Root.Get("spec", "host").Text()
	look := func(tls *kube.Node, path ...any) {
		if tls.Get("mode").Text() == "DISABLE" {
			h.Add(posture.Hit{Object: o, Path: append(path, "mode"), Evidence: "tls.mode: DISABLE for " + host})
		}
		if tls.Get("insecureSkipVerify").True() {
			at := append(slices.Clone(path), "insecureSkipVerify")
			h.Add(posture.Hit{Object: o, Path: at, Evidence: "insecureSkipVerify: true for " + host, Edits: []kube.Edit{kube.Put(false, at...)}})
		}
	}
	policies := func(policy *kube.Node, path []any) {
		look(policy.Get("tls"), slices.Concat(path, []any{"tls"})...)
		for i, p := range policy.Get("portLevelSettings").Items() {
			look(p.Get("tls"), slices.Concat(path, []any{"portLevelSettings", i, "tls"})...)
		}
	}
	policies(o.Root.Get("spec", "trafficPolicy"), []any{"spec", "trafficPolicy"})
	for i, sub := range o.Root.Get("spec", "subsets").Items() {
		policies(sub.Get("trafficPolicy"), []any{"spec", "subsets", i, "trafficPolicy"})
	}
}

func openAuthorization(h *posture.Hits, s *kube.Set) {
	for _, o := range s.Kind("security.istio.io", "AuthorizationPolicy") {
		if a := o.Root.Get("spec", "action").Text(); a != "" && a != "ALLOW" {
			continue
		}
		for i, r := range o.Root.Get("spec", "rules").Items() {
			if why := openRule(r); why != "" {
				hit := posture.Hit{Object: o, Path: []any{"spec", "rules", i}, Evidence: fmt.Sprintf("rule %d %s", i+1, why)}
				if strings.HasPrefix(why, "allows principals") { // whoever has an identity of the mesh
					hit.Severity = low
				}
				h.Add(hit)
			}
		}
	}
	for _, o := range s.Kind("policy.linkerd.io", "ServerAuthorization") {
		if o.Root.Get("spec", "client", "unauthenticated").True() {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "client", "unauthenticated"}, Evidence: "unauthenticated: true"})
		}
	}
	for _, o := range s.Kind("policy.linkerd.io", "MeshTLSAuthentication") {
		if slices.Contains(o.Root.Get("spec", "identities").Strings(), "*") {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "identities"}, Severity: low, Evidence: "identities has *: every workload of the mesh"})
		}
	}
	for _, o := range s.Objects {
		const key = "config.linkerd.io/default-inbound-policy"
		if v := o.Annotations[key]; v == "all-unauthenticated" && o.Kind == "Namespace" {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", key}, Severity: low, Evidence: key + ": all-unauthenticated"})
		}
	}
}

// openRule says why a rule of Istio's lets everybody do everything; "" when it does not.
func openRule(r *kube.Node) string {
	if r.Form() == kube.Map && r.Len() == 0 {
		return "has no conditions"
	}
	if r.Get("to").Len() > 0 || r.Get("when").Len() > 0 {
		return ""
	}
	for _, f := range r.Get("from").Items() {
		src := f.Get("source")
		for _, field := range []string{"principals", "namespaces", "requestPrincipals", "ipBlocks", "remoteIpBlocks"} {
			values := src.Get(field).Strings()
			if src.Len() == 1 && (slices.Contains(values, "*") && field != "requestPrincipals" || slices.ContainsFunc(values, all)) {
				return "allows " + field + " " + strings.Join(values[:min(len(values), 3)], ", ")
			}
		}
	}
	return ""
}
