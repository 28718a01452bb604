package exposure

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/listener"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutServices = "https://kubernetes.io/docs/concepts/services-networking/service/"

var serviceRules = []*posture.Rule{
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/sensitive-service", Severity: high, Title: "A Service opens a database or administration to the outside",
			Tags:  []string{"attack:T1190", "attack:T1133", "edge:ENDPOINT_EXPLOIT", "kubescape:C-0256"},
			Fix:   "type: ClusterIP, and a tunnel (kubectl port-forward, VPN) for those who administer it",
			Why:   "what listens there was made for a network that it trusts: many ask nobody for a password, and the others can be tried at leisure. High, critical for what runs commands for whoever asks; one step less for a NodePort, which a firewall may stand before, and for a load balancer that is for the inside",
			Noise: "programs on that port that have no more than the number in common; those with strong authentication that is meant to be reached",
			Refs:  []string{aboutServices + "#publishing-services-service-types"}},
		Set: sensitiveServices,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/sensitive-route", Severity: high, Title: "An Ingress or Gateway route leads to a database or administration",
			Tags:  []string{"attack:T1190", "attack:T1133", "edge:ENDPOINT_EXPLOIT"},
			Fix:   "take the route out, or put authentication in front of it",
			Why:   "dashboards and debuggers that ask nobody for a password are found within hours of being reachable, and run what the finder wants",
			Noise: "a proxy that authenticates and is not seen here; annotations of ingress-nginx for authentication and lists of sources are",
			Refs:  []string{"https://kubernetes.io/docs/concepts/services-networking/ingress/"}},
		Set: sensitiveRoutes,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/sensitive-host-port", Severity: medium, Title: "A pod listens on its node's address for a database or administration",
			Tags:  []string{"attack:T1133", "cis:5.2.12"},
			Fix:   "take hostPort or hostNetwork out, and use a Service",
			Why:   "whoever reaches the node reaches it, past every NetworkPolicy of the pod. Medium, since nodes are seldom open to the world",
			Noise: "agents of the node that listen there by design",
			Refs:  []string{"https://kubernetes.io/docs/concepts/configuration/overview/"}},
		Workload: sensitiveHostPorts,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/node-port", Severity: low, Title: "A Service listens on every node (NodePort)",
			Tags:  []string{"attack:T1133", "kubelinter:exposed-services", "kubescape:C-0256"},
			Fix:   "type: ClusterIP behind an Ingress or Gateway",
			Why:   "it is reached at every address of every node, around TLS, logins and limits of the Ingress. Low, since a firewall may stand before the nodes",
			Noise: "clusters whose load balancer leads to node ports",
			Refs:  []string{aboutServices + "#type-nodeport"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, svc := range reachOf(s).list {
				if svc.kind == "NodePort" && !opensSensitive(svc) { // which is told of already
					h.Add(posture.Hit{Object: svc.Object, Path: []any{"spec", "type"}, Evidence: "type: NodePort, " + portsText(svc)})
				}
			}
		},
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/load-balancer-for-all", Severity: low, Hygiene: true, Title: "A load balancer lets everybody in",
			Tags:  []string{"attack:T1133", "kubelinter:exposed-services", "kubescape:C-0256"},
			Fix:   "name who may come under loadBalancerSourceRanges, where that is known",
			Why:   "without source ranges the whole Internet reaches the port. Untidy rather than wrong: for a public site it is the purpose",
			Noise: "public sites",
			Refs:  []string{aboutServices + "#loadbalancer"}},
		Set: openLoadBalancers,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/load-balancer-plain", Severity: medium, Title: "A load balancer takes HTTP, and no HTTPS",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "put an Ingress or Gateway with a certificate before it, or let the load balancer end TLS",
			Why:   "whoever is on the way reads and changes what is sent: sessions, passwords. Medium, since it takes somebody on the way",
			Noise: "TLS that ends at something before the load balancer",
			Refs:  []string{aboutServices + "#loadbalancer"}},
		Set: plainLoadBalancers,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/external-ips", Severity: medium, Title: "A Service takes over addresses (externalIPs)",
			Tags:  []string{"attack:T1557", "cve:CVE-2020-8554"},
			Fix:   "type: LoadBalancer; and an admission policy that refuses externalIPs (DenyServiceExternalIPs)",
			Why:   "every node sends what is meant for the address to the Service's pods: with an address of somebody else's that is a man in the middle (CVE-2020-8554), which Kubernetes cannot mend",
			Noise: "clusters on hardware of one's own whose nodes do have the address",
			Refs:  []string{aboutServices + "#external-ips", "https://github.com/kubernetes/kubernetes/issues/97076"}},
		Kinds: []string{"Service"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if list := o.Root.Get("spec", "externalIPs").Strings(); len(list) > 0 {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "externalIPs"}, Evidence: "externalIPs: " + strings.Join(list[:min(len(list), 5)], ", ")})
			}
		},
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/external-name", Severity: medium, Title: "A Service is another name for something inside",
			Tags:  []string{"attack:T1552.005", "attack:T1090"},
			Fix:   "take the Service out; allow what needs it to reach the other by its own name",
			Why:   "an Ingress or proxy that is given the name goes where its author may not: to the cloud's metadata, to localhost of the proxy, to other namespaces. Endpoints and entries of a mesh lead there as well. Low for another namespace of the cluster",
			Noise: "names that are meant to lead to another namespace",
			Refs:  []string{aboutServices + "#externalname"}},
		Kinds: []string{"Service", "Endpoints", "EndpointSlice.discovery.k8s.io", "ServiceEntry.networking.istio.io"}, Object: otherName,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/allow-list-for-all", Severity: low, Title: "The list of allowed sources has everybody in it",
			Tags:  []string{"attack:T1133"},
			Fix:   "take 0.0.0.0/0 out of the list",
			Why:   "somebody meant to keep others out, and does not",
			Noise: "lists that are written out to say that everybody may come",
			Refs:  []string{aboutServices + "#loadbalancer"}},
		Kinds: []string{"Service", "Ingress.networking.k8s.io"}, Object: everybodyAllowed,
	},
}

func portsText(svc *service) string {
	var list []string
	for _, p := range svc.ports {
		list = append(list, fmt.Sprint(p.number))
	}
	if len(list) == 0 {
		return "no port of TCP is named"
	}
	return "port " + strings.Join(list[:min(len(list), 6)], ", ")
}

// outside says by what a Service is reached from outside; "" when it is not.
func outside(svc *service) string {
	switch {
	case svc.kind == "LoadBalancer":
		return "a load balancer"
	case svc.kind == "NodePort":
		return "a port of every node"
	case svc.Root.Get("spec", "externalIPs").Len() > 0:
		return "external addresses"
	}
	return ""
}

func sensitiveServices(h *posture.Hits, s *kube.Set) {
	for _, svc := range reachOf(s).list {
		by := outside(svc)
		if by == "" {
			continue
		}
		for i := range svc.ports {
			p := &svc.ports[i]
			l, where, ok := sensitive(p, svc.behind)
			if !ok {
				continue
			}
			severity := l.Severity
			if svc.kind == "NodePort" || internalOnly(svc.Object) || svc.Root.Get("spec", "loadBalancerSourceRanges").Len() > 0 {
				severity = lower(severity)
			}
			h.Add(posture.Hit{Object: svc.Object, Path: []any{"spec", "ports", p.index}, Severity: severity, Evidence: fmt.Sprintf("%s (port %d)%s is reached through %s", l.What, p.number, where, by)})
		}
	}
}

// opensSensitive tells whether one of a Service's ports leads to what should not be reached.
func opensSensitive(svc *service) bool {
	return slices.ContainsFunc(svc.ports, func(p servicePort) bool { _, _, ok := sensitive(&p, svc.behind); return ok })
}

// guarded tells whether a route asks who comes.
func guarded(o *kube.Object) bool {
	for name := range o.Annotations {
		for _, word := range []string{"auth-url", "auth-type", "auth-tls-secret", "whitelist-source-range", "allowlist-source-range", "oauth2", "alb.ingress.kubernetes.io/auth", "inbound-cidrs", "middlewares", "auth-secret"} {
			if strings.Contains(name, word) {
				return true
			}
		}
	}
	return internalOnly(o)
}

func sensitiveRoutes(h *posture.Hits, s *kube.Set) {
	r := reachOf(s)
	for _, way := range routes(s) {
		if way.service == "api@internal" && way.from.Kind == "IngressRoute" && !withMiddleware(way) {
			h.Add(posture.Hit{Object: way.from, Path: way.path, Severity: medium, Evidence: "Traefik's own dashboard (api@internal), and no middleware asks who it is"})
		}
		svc := r.services[way.ns+"/Service/"+way.service]
		if svc == nil || guarded(way.from) {
			continue
		}
		for i := range svc.ports {
			p := &svc.ports[i]
			if way.port.Exists() && svc.port(way.port) != p {
				continue
			}
			if l, where, ok := sensitive(p, svc.behind); ok {
				h.Add(posture.Hit{Object: way.from, Path: way.path, Severity: l.Severity, Evidence: fmt.Sprintf("%s (Service %s, port %d)%s is behind it", l.What, svc.Name, p.number, where)})
			}
		}
	}
}

// withMiddleware tells whether something looks at requests before a route of Traefik passes
// them on.
func withMiddleware(way route) bool {
	i, _ := way.path[2].(int)
	return way.from.Root.Get("spec", "routes").Item(i).Get("middlewares").Len() > 0
}

func sensitiveHostPorts(h *posture.Hits, w *kube.Workload) {
	if w.Namespace == "kube-system" && (w.Kind == "DaemonSet" || w.Kind == "Pod") {
		return // the node's own
	}
	for i := range w.Containers {
		c := &w.Containers[i]
		for j, p := range c.Ports {
			if p.HostPort == 0 && !w.Spec.HostNetwork || p.HostIP == "127.0.0.1" {
				continue
			}
			l, ok := listener.Of(c, int(p.ContainerPort))
			if !ok {
				l, ok = listener.ByPort[int(p.ContainerPort)]
			}
			if ok {
				h.Add(posture.Hit{Object: w.Object, Path: w.ContainerPath(c, "ports", j), Severity: lower(l.Severity), Evidence: fmt.Sprintf("container %s: %s (port %d) listens on the node", c.Name, l.What, p.ContainerPort)})
			}
		}
	}
}

func openLoadBalancers(h *posture.Hits, s *kube.Set) {
	for _, svc := range reachOf(s).list {
		if svc.kind == "LoadBalancer" && !internalOnly(svc.Object) && svc.Root.Get("spec", "loadBalancerSourceRanges").Len() == 0 && svc.Annotations["service.beta.kubernetes.io/load-balancer-source-ranges"] == "" {
			h.Add(posture.Hit{Object: svc.Object, Path: []any{"spec", "type"}, Evidence: "no loadBalancerSourceRanges, " + portsText(svc)})
		}
	}
}

// endsTLS tells whether annotations have the load balancer end TLS.
func endsTLS(o *kube.Object) bool {
	for name, value := range o.Annotations {
		for _, word := range []string{"ssl-cert", "certificate", "tls-", "-tls", "ssl-ports", "backend-config", "acm", "cert-id"} {
			if strings.Contains(name, word) && value != "" && !strings.HasPrefix(name, "prometheus.io") {
				return true
			}
		}
	}
	return false
}

func plainLoadBalancers(h *posture.Hits, s *kube.Set) {
	for _, svc := range reachOf(s).list {
		if svc.kind != "LoadBalancer" || internalOnly(svc.Object) || endsTLS(svc.Object) {
			continue
		}
		plain := -1
		for i, p := range svc.ports {
			if p.number == 443 || p.number == 8443 || strings.HasPrefix(p.label, "https") || strings.Contains(p.label, "tls") {
				plain = -1
				break
			}
			_, _, known := sensitive(&svc.ports[i], svc.behind)
			if !known && (p.number == 80 || p.number == 8080 || p.label == "http") {
				plain = i
			}
		}
		if plain >= 0 {
			h.Add(posture.Hit{Object: svc.Object, Path: []any{"spec", "ports", svc.ports[plain].index}, Evidence: fmt.Sprintf("port %d is HTTP, and there is no port for HTTPS", svc.ports[plain].number)})
		}
	}
}
