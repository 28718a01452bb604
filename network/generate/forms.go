package generate

import (
	"net/netip"
	"strings"
)

// cilium writes a policy as CiliumNetworkPolicy, where hosts outside stand by their names.
func (p *Plan) cilium(one *policy) string {
	y := &yaml{}
	y.line(0, "%s", p.title(one))
	y.head("cilium.io/v2", "CiliumNetworkPolicy", one.name, p.written(one.namespace))
	y.line(1, "endpointSelector:")
	y.labels(2, "", one.labels)
	for i, side := range sides {
		y.line(1, "%s:", side.field)
		if len(one.rules[side.d]) == 0 {
			y.line(1, "- {} # nothing is let through")
		}
		for _, r := range one.rules[side.d] {
			y.why(1, r.why)
			p.ciliumPeer(y, &r.peer, [2]string{"from", "to"}[i])
			y.line(1, "  toPorts:")
			y.line(1, "  - ports:")
			for proto, span := range r.ports.Spans() {
				y.line(2, "  - port: \"%d\"", span[0])
				if span[1] != span[0] {
					y.line(2, "    endPort: %d", span[1])
				}
				y.line(2, "    protocol: %s", proto)
			}
			if r.peer.Kind == Selected && r.peer.Labels["k8s-app"] == "kube-dns" {
				y.line(1, "    rules:")
				y.line(1, "      dns: # names are learnt here, so that toFQDNs knows their addresses")
				y.line(1, "      - matchPattern: \"*\"")
			}
		}
	}
	return y.String()
}

const inNamespace = "k8s:io.kubernetes.pod.namespace"

func (p *Plan) ciliumPeer(y *yaml, x *Peer, word string) {
	pods := func(namespace string, labels map[string]string) {
		all := map[string]string{inNamespace: namespace}
		for name, v := range labels {
			all["k8s:"+name] = v
		}
		y.line(1, "- %sEndpoints:", word)
		y.line(2, "- matchLabels:")
		for _, name := range sorted(all) {
			y.line(4, "%s: %s", quoted(name), quoted(all[name]))
		}
	}
	switch {
	case x.Kind == Workload && p.Engine.Endpoints[x.Endpoint].Host:
		y.line(1, "- %sEntities: [host, remote-node]", word)
	case x.Kind == Workload:
		e := p.Engine.Endpoints[x.Endpoint]
		pods(e.Namespace, selector(e))
	case x.Kind == Selected:
		pods(x.Namespace, x.Labels)
	case x.Kind == AnyPod:
		y.line(1, "- %sEntities: [cluster, ingress]", word)
	case x.Kind == APIServer && word == "from":
		y.line(1, "- fromEntities: [kube-apiserver, host, remote-node]")
	case x.Kind == APIServer:
		y.line(1, "- toEntities: [kube-apiserver]")
	case x.Kind == Addresses && x.Host != "" && !isAddress(x.Host):
		y.line(1, "- toFQDNs:")
		y.line(2, "- matchName: %s", quoted(x.Host))
	case x.Kind == Addresses && x.CIDRs[0] == "0.0.0.0/0":
		y.line(1, "- %sEntities: [world]", word)
	case x.Kind == Addresses:
		y.line(1, "- %sCIDR:", word)
		for _, c := range x.CIDRs {
			y.line(1, "  - %s", quotedCIDR(c))
		}
	}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// firstPriority of the AdminNetworkPolicies: room is left before them.
const firstPriority = 100

// admin writes a policy as AdminNetworkPolicy: what is declared is allowed, other pods are
// kept out, and addresses outside as far as that kind can speak of them.
func (p *Plan) admin(one *policy, number int) string {
	y := &yaml{}
	y.line(0, "%s", p.title(one))
	y.head("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", adminName(one), "")
	y.line(1, "priority: %d", min(firstPriority+number, 1000))
	y.line(1, "subject:")
	y.pods(2, one.namespace, one.labels)
	for i, side := range sides {
		egress := i == 1
		y.line(1, "%s:", side.field)
		p.adminRules(y, one, side, egress, false)
		y.line(1, "# every other pod")
		y.line(1, "- action: Deny")
		y.line(2, "%s:", side.peer)
		y.line(2, "- namespaces: {}")
		p.adminRules(y, one, side, egress, true) // behind: addresses are those of pods too
		if egress {
			y.line(1, "# every other address")
			y.line(1, "- action: Deny")
			y.line(2, "%s:", side.peer)
			y.line(2, "- networks: [0.0.0.0/0, \"::/0\"]")
		}
	}
	return y.String()
}

// adminRules writes the rules of a side: those about addresses, or the others.
func (p *Plan) adminRules(y *yaml, one *policy, side side, egress, addresses bool) {
	for _, r := range one.rules[side.d] {
		peers := p.adminPeers(&r.peer, egress)
		if addresses != (len(peers) > 0 && strings.HasPrefix(peers[0], "- networks:")) {
			continue
		}
		y.why(1, r.why)
		if peers == nil {
			y.line(1, "# this kind of policy cannot name it: no rule here drops what comes from outside")
			continue
		}
		y.line(1, "- action: Allow")
		y.line(2, "%s:", side.peer)
		for _, l := range peers {
			y.line(2, "%s", l)
		}
		y.line(2, "ports:")
		for proto, span := range r.ports.Spans() {
			if span[0] == span[1] {
				y.line(2, "- portNumber: {protocol: %s, port: %d}", proto, span[0])
			} else {
				y.line(2, "- portRange: {protocol: %s, start: %d, end: %d}", proto, span[0], span[1])
			}
		}
	}
}

func adminName(one *policy) string {
	return strings.TrimRight(one.namespace+"-"+one.name, "-.")
}

func (y *yaml) pods(depth int, namespace string, labels map[string]string) {
	if len(labels) == 0 {
		y.line(depth, "namespaces:")
		y.labels(depth+1, "", map[string]string{"kubernetes.io/metadata.name": namespace})
		return
	}
	y.line(depth, "pods:")
	y.line(depth+1, "namespaceSelector:")
	y.labels(depth+2, "", map[string]string{"kubernetes.io/metadata.name": namespace})
	y.line(depth+1, "podSelector:")
	y.labels(depth+2, "", labels)
}

// adminPeers writes the peers of a rule of an AdminNetworkPolicy; nil when it cannot say them.
func (p *Plan) adminPeers(x *Peer, egress bool) []string {
	y := &yaml{}
	switch x.Kind {
	case Workload:
		e := p.Engine.Endpoints[x.Endpoint]
		if e.Host {
			return nil
		}
		y.pods(1, e.Namespace, selector(e))
	case Selected:
		y.pods(1, x.Namespace, x.Labels)
	case AnyPod:
		return []string{"- namespaces: {}"}
	case Addresses:
		if !egress {
			return nil
		}
		return []string{"- networks: [" + networks(x.CIDRs) + "]"}
	case APIServer:
		if !egress {
			return nil
		}
		if list := p.servers(); len(list) > 0 {
			return []string{"- networks: [" + networks(list) + "]"}
		}
		return []string{"- networks: [0.0.0.0/0, \"::/0\"]"}
	}
	text := strings.TrimSuffix(y.String(), "\n")
	return strings.Split("- "+strings.TrimPrefix(text, "  "), "\n")
}

func networks(list []string) string {
	var out []string
	for _, c := range list {
		out = append(out, quotedCIDR(c))
	}
	return strings.Join(out, ", ")
}
