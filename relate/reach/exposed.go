package reach

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/relate/internal/name"
)

// exposed relates the Internet to every endpoint that it reaches: once for each way, since
// each has to be closed.
func (x *reach) exposed() {
	for _, e := range x.engine.Exposed() {
		if x.workload(e.Endpoint) == nil || !e.Internet() {
			continue
		}
		first := e.Through[0]
		place := first.Object.Place(first.Path...)
		r := bulwark.Relation{From: name.Internet, Type: "EXPOSED", Likelihood: likely(&e), Text: told(&e)}
		if place.File != "" {
			r.Place = &bulwark.Place{Path: place.File, Line: place.Line}
		}
		for _, h := range e.Through {
			x.reasons(&r, h.Object)
		}
		if len(r.Remedies) == 0 {
			x.close(&r, &e)
		}
		x.each(r, x.reached(e.Endpoint, e.Ports))
	}
}

// told says by what the endpoint is reached: "connects to TCP 8080 by load balancer: Service
// shop/web (the controller asks who comes)".
func told(e *network.Exposure) string {
	var names []string
	for _, h := range e.Through {
		if n := h.Object.Kind + " " + strings.TrimPrefix(h.Object.Namespace+"/"+h.Object.Name, "/"); len(names) == 0 || names[len(names)-1] != n {
			names = append(names, n)
		}
	}
	text := "connects to " + e.Ports.String() + " by " + e.By + ": " + strings.Join(names, ", ")
	if !e.Everyone() {
		text += ", from " + e.Sources()
	}
	if len(e.Conditions) > 0 {
		text += " (if " + strings.Join(e.Conditions, "; ") + ")"
	}
	return text
}

// likely is the chance that somebody on the Internet gets through.
func likely(e *network.Exposure) float64 {
	chance := openToAll
	for _, c := range e.Conditions {
		switch {
		case strings.HasPrefix(c, "nodes can be reached"), strings.HasPrefix(c, "what is sent to the address"):
			chance *= nodesOpen
		case strings.Contains(c, "asks who comes"), strings.Contains(c, "may ask who comes"):
			chance *= afterLogin
		case strings.HasPrefix(c, "nothing among the objects leads"):
			chance *= notShown
		case strings.HasPrefix(c, "policies see the address of a node"):
			chance *= asNode
		}
	}
	if !e.Everyone() {
		chance *= someSources
	}
	return chance
}

// closing are the rules whose fixes close the way through an object, by its kind.
var closing = map[string][]string{
	"Service":    {"exposure/sensitive-service", "exposure/node-port", "exposure/load-balancer-for-all", "exposure/external-ips", "network/exposed-by-type"},
	"Ingress":    {"exposure/sensitive-route"},
	"Route":      {"exposure/sensitive-route"},
	"HTTPRoute":  {"exposure/sensitive-route"},
	"GRPCRoute":  {"exposure/sensitive-route"},
	"TCPRoute":   {"exposure/sensitive-route"},
	"TLSRoute":   {"exposure/sensitive-route"},
	"UDPRoute":   {"exposure/sensitive-route"},
	"HTTPProxy":  {"exposure/sensitive-route"},
	"Deployment": podRules, "DaemonSet": podRules, "StatefulSet": podRules, "Pod": podRules, "Job": podRules, "CronJob": podRules, "ReplicaSet": podRules,
}

var podRules = []string{"exposure/sensitive-host-port", "workload/host-port", "workload/host-network"}

// reasons adds the findings about an object on the way whose fixes close it.
func (x *reach) reasons(r *bulwark.Relation, o *kube.Object) {
	x.known.Because(r, o.ID(), closing[o.Kind]...)
}

// close adds what closes a way that no finding speaks of. Ingresses, Routes and Gateways are
// there to be reached: that is nothing to mend.
func (x *reach) close(r *bulwark.Relation, e *network.Exposure) {
	o := e.Through[0].Object
	id, text := "", ""
	var edits []kube.Edit
	switch e.By {
	case network.ByLoadBalancer, network.ByNodePort:
		id, text, edits = " as ClusterIP", "make the Service "+o.Namespace+"/"+o.Name+" one of type ClusterIP, or name who may come under loadBalancerSourceRanges", asClusterIP(o)
	case network.ByExternalIP:
		id, text, edits = " without externalIPs", "take externalIPs out of the Service "+o.Namespace+"/"+o.Name, []kube.Edit{kube.Drop("spec", "externalIPs")}
	case network.ByHostPort:
		id, text, edits = " without hostPort", "take hostPort out of "+o.ID()+", and use a Service", withoutHostPort(x.workload(e.Endpoint))
	default:
		return
	}
	r.Remedies = append(r.Remedies, x.mend.Remedy(o.ID()+id, text, o, edits...))
}

// asClusterIP are the edits that have a Service reached in the cluster alone: what only other
// types may say goes with the type.
func asClusterIP(o *kube.Object) []kube.Edit {
	edits := []kube.Edit{kube.Put("ClusterIP", "spec", "type")}
	spec := o.Root.Get("spec")
	for _, field := range []string{"externalTrafficPolicy", "healthCheckNodePort", "loadBalancerIP", "loadBalancerClass", "loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"} {
		if spec.Has(field) {
			edits = append(edits, kube.Drop("spec", field))
		}
	}
	for i, p := range spec.Get("ports").Items() {
		if p.Has("nodePort") {
			edits = append(edits, kube.Drop("spec", "ports", i, "nodePort"))
		}
	}
	return edits
}

func withoutHostPort(w *kube.Workload) (edits []kube.Edit) {
	for i := range w.Containers {
		c := &w.Containers[i]
		for j := range c.Ports {
			if c.Ports[j].HostPort > 0 {
				edits = append(edits, kube.Drop(w.ContainerPath(c, "ports", j, "hostPort")...))
			}
		}
	}
	return edits
}
