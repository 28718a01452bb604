package generate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/network"
)

// Form is a kind of policies to write.
type Form string

// The forms.
const (
	NetworkPolicies Form = "networkpolicy"
	Cilium          Form = "cilium"
	Admin           Form = "admin"
)

// Documents gives the policies in a form, each as one document of YAML that kubectl takes.
func (p *Plan) Documents(f Form) []string {
	var list []string
	if f != Admin { // whose rules cannot be taken back by those who own a namespace
		for _, space := range p.spaces() {
			list = append(list, p.shut(space, f))
		}
	}
	for i, one := range p.policies {
		switch f {
		case Cilium:
			list = append(list, p.cilium(one))
		case Admin:
			list = append(list, p.admin(one, i))
		default:
			list = append(list, p.networkPolicy(one))
		}
	}
	return list
}

// spaces are the namespaces that get policies.
func (p *Plan) spaces() []string {
	m := map[string]bool{}
	for _, one := range p.policies {
		m[one.namespace] = true
	}
	return slices.Sorted(maps.Keys(m))
}

// shut is the policy for pods that come later.
func (p *Plan) shut(space string, f Form) string {
	y := &yaml{}
	y.line(0, "# Pods that no policy below is for reach nobody, and nobody reaches them.")
	name := "default-deny"
	if p.Set.Find(space+"/NetworkPolicy/"+name) != nil {
		name += "-flows" // what is there stays
	}
	if f == Cilium {
		y.head("cilium.io/v2", "CiliumNetworkPolicy", name, p.written(space))
		y.line(1, "endpointSelector: {}")
		y.line(1, "ingress:")
		y.line(1, "- {}")
		y.line(1, "egress:")
		y.line(1, "- {}")
		return y.String()
	}
	y.head("networking.k8s.io/v1", "NetworkPolicy", name, p.written(space))
	y.line(1, "podSelector: {}")
	y.line(1, "policyTypes: [Ingress, Egress]")
	return y.String()
}

// written is a namespace as policies name it: "" for that which kubectl is told of.
func (p *Plan) written(space string) string {
	if p.said[space] {
		return space
	}
	return ""
}

// yaml writes lines.
type yaml struct{ strings.Builder }

func (y *yaml) line(depth int, format string, a ...any) {
	y.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(y, format, a...)
	y.WriteByte('\n')
}

func (y *yaml) head(version, kind, name, namespace string) {
	y.line(0, "apiVersion: %s", version)
	y.line(0, "kind: %s", kind)
	y.line(0, "metadata:")
	y.line(1, "name: %s", quoted(name))
	if namespace != "" {
		y.line(1, "namespace: %s", quoted(namespace))
	}
	y.line(0, "spec:")
}

// labels writes matchLabels; prefix goes before each name.
func (y *yaml) labels(depth int, prefix string, labels map[string]string) {
	y.line(depth, "matchLabels:")
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		y.line(depth+1, "%s: %s", quoted(prefix+name), quoted(labels[name]))
	}
}

// why writes the reasons of a rule as comments.
func (y *yaml) why(depth int, list []string) {
	const most = 6
	for _, w := range list[:min(len(list), most)] {
		y.line(depth, "# %s", comment(w))
	}
	if n := len(list) - most; n > 0 {
		y.line(depth, "# and %d more", n)
	}
}

// title says what a policy is for.
func (p *Plan) title(one *policy) string {
	return fmt.Sprintf("# %s: what it declares that it talks to, and who declares to talk to it.", comment(p.Engine.Endpoints[one.endpoint].String()))
}

// side is a direction, as the fields of policies name it and its peers.
type side struct {
	d           network.Direction
	field, peer string
}

var sides = [2]side{{network.Ingress, "ingress", "from"}, {network.Egress, "egress", "to"}}

// networkPolicy writes a policy as NetworkPolicy.
func (p *Plan) networkPolicy(one *policy) string {
	y := &yaml{}
	y.line(0, "%s", p.title(one))
	y.head("networking.k8s.io/v1", "NetworkPolicy", one.name, p.written(one.namespace))
	y.line(1, "podSelector:")
	y.labels(2, "", one.labels)
	y.line(1, "policyTypes: [Ingress, Egress]")
	for _, side := range sides {
		if len(one.rules[side.d]) == 0 {
			continue // nothing is let through
		}
		y.line(1, "%s:", side.field)
		for _, r := range one.rules[side.d] {
			y.why(1, r.why)
			if r.peer.Kind == APIServer && len(p.servers()) == 0 {
				y.line(1, "# any address: that of the API server is not among the objects")
			}
			dash := "- "
			if lines := p.peer(one, &r.peer); len(lines) > 0 {
				y.line(1, "- %s:", side.peer)
				dash = "  "
				for _, l := range lines {
					y.line(2, "%s", l)
				}
			}
			y.line(1, "%sports:", dash)
			for proto, span := range r.ports.Spans() {
				y.line(2, "- protocol: %s", proto)
				y.line(2, "  port: %d", span[0])
				if span[1] != span[0] {
					y.line(2, "  endPort: %d", span[1])
				}
			}
		}
	}
	return y.String()
}

// peer writes the peers of a rule of a NetworkPolicy; none for everybody.
func (p *Plan) peer(one *policy, x *Peer) []string {
	pods := func(namespace string, labels map[string]string) []string {
		y := &yaml{}
		if namespace != one.namespace {
			y.line(0, "- namespaceSelector:")
			y.labels(2, "", map[string]string{"kubernetes.io/metadata.name": namespace})
			if len(labels) > 0 {
				y.line(0, "  podSelector:")
				y.labels(2, "", labels)
			}
		} else {
			y.line(0, "- podSelector:")
			y.labels(2, "", labels)
		}
		return strings.Split(strings.TrimSuffix(y.String(), "\n"), "\n")
	}
	switch x.Kind {
	case Workload:
		e := p.Engine.Endpoints[x.Endpoint]
		if e.Host {
			return nil
		}
		return pods(e.Namespace, selector(e))
	case Selected:
		return pods(x.Namespace, x.Labels)
	case AnyPod:
		return []string{"- namespaceSelector: {} # any pod"}
	case Addresses:
		var list []string
		for _, c := range x.CIDRs {
			list = append(list, "- ipBlock:", "    cidr: "+quotedCIDR(c))
			if len(x.Except) > 0 && c == "0.0.0.0/0" {
				list = append(list, "    except: ["+strings.Join(x.Except, ", ")+"]")
			}
		}
		return list
	case APIServer:
		var list []string
		for _, a := range p.servers() {
			list = append(list, "- ipBlock:", "    cidr: "+quotedCIDR(a))
		}
		return list
	}
	return nil
}

func quotedCIDR(c string) string {
	if strings.Contains(c, ":") {
		return fmt.Sprintf("%q", c)
	}
	return c
}
