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
	switch e.By {
	case network.ByLoadBalancer, network.ByNodePort:
		r.Remedies = append(r.Remedies, x.remedy(o.ID()+" as ClusterIP", "make the Service "+o.Namespace+"/"+o.Name+" one of type ClusterIP, or name who may come under loadBalancerSourceRanges"))
	case network.ByExternalIP:
		r.Remedies = append(r.Remedies, x.remedy(o.ID()+" without externalIPs", "take externalIPs out of the Service "+o.Namespace+"/"+o.Name))
	case network.ByHostPort:
		r.Remedies = append(r.Remedies, x.remedy(o.ID()+" without hostPort", "take hostPort out of "+o.ID()+", and use a Service"))
	}
}
