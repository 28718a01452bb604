package network

import (
	"fmt"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var serviceRules = []*posture.Rule{
	{
		Kind: bulwark.KindExposure,
		Rule: misconfig.Rule{ID: "network/exposed-by-type", Severity: low, Title: "A Service is open to the outside by its type alone, beside the route that leads to it",
			Tags:  []string{"attack:T1133", "attack:T1190"},
			Fix:   "type: ClusterIP: the Ingress or route reaches it so, too",
			Why:   "the load balancer leads around TLS, logins and limits of the Ingress or Gateway that is there for it. Low: what answers is meant to be reached, in another way",
			Noise: "clouds whose Ingress needs a Service of that type; ports that are reached on purpose",
			Refs:  []string{"https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types"}},
		Set: exposedByType,
	},
}

func exposedByType(h *posture.Hits, s *kube.Set) {
	routed := routes(s)
	for _, o := range s.Kind("", "Service") {
		spec := o.Root.Get("spec")
		if spec.Get("type").Text() != "LoadBalancer" || spec.Get("loadBalancerSourceRanges").Len() > 0 {
			continue
		}
		if by := routed[o.Namespace+"/"+o.Name]; by != nil {
			edits := []kube.Edit{kube.Put("ClusterIP", "spec", "type"), kube.Drop("spec", "externalTrafficPolicy"), kube.Drop("spec", "loadBalancerIP"), kube.Drop("spec", "loadBalancerClass"), kube.Drop("spec", "allocateLoadBalancerNodePorts"), kube.Drop("spec", "healthCheckNodePort")}
			for i := range spec.Get("ports").Items() {
				edits = append(edits, kube.Drop("spec", "ports", i, "nodePort"))
			}
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "type"}, Evidence: fmt.Sprintf("type: LoadBalancer, and %s leads to it as well", by.ID()), Edits: edits})
		}
	}
}

// routes gives for each Service the Ingress or route that leads to it.
func routes(s *kube.Set) map[string]*kube.Object {
	m := map[string]*kube.Object{}
	add := func(o *kube.Object, namespace, name string) {
		if namespace == "" {
			namespace = o.Namespace
		}
		if m[namespace+"/"+name] == nil {
			m[namespace+"/"+name] = o
		}
	}
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		add(o, "", o.Root.Get("spec", "defaultBackend", "service", "name").Text())
		for _, r := range o.Root.Get("spec", "rules").Items() {
			for _, p := range r.Get("http", "paths").Items() {
				add(o, "", p.Get("backend", "service", "name").Text())
			}
		}
	}
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"} {
		for _, o := range s.Kind("gateway.networking.k8s.io", kind) {
			for _, r := range o.Root.Get("spec", "rules").Items() {
				for _, b := range r.Get("backendRefs").Items() {
					add(o, b.Get("namespace").Text(), b.Get("name").Text())
				}
			}
		}
	}
	for _, o := range s.Kind("route.openshift.io", "Route") {
		add(o, "", o.Root.Get("spec", "to", "name").Text())
	}
	return m
}
