package network

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// match is what one source with one operation comes to.
type match struct {
	*istio
	pods   set
	blocks []Block
	ports  Ports
	when   []string
	path   []any
	// The same where nobody has an identity.
	plain       set
	plainBlocks []Block
	identity    bool // identities matter
	// whose says which, and known that the ingress controller's is not among them: what it is,
	// is not known else.
	whose     []string
	known     bool
	addressed bool // addresses matter
	asks      bool // for what only who reads requests knows
}

// identities are the fields of a source that ask who it is.
var identities = []string{"principals", "notPrincipals", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts"}

// source reads who it is that connects.
func (m *match) source(n *kube.Node, path []any) {
	for _, field := range identities {
		if list := n.Get(field).Strings(); len(list) > 0 {
			m.identify(strings.ToLower(strings.TrimPrefix(field, "not")), list, strings.HasPrefix(field, "not"))
		}
	}
	m.address(n, append(path, "ipBlocks"), false)
	m.address(n, append(path, "notIpBlocks"), true)
	for _, field := range []string{"requestPrincipals", "notRequestPrincipals", "remoteIpBlocks", "notRemoteIpBlocks"} {
		m.ask(field, n.Get(field).Strings())
	}
}

// ask adds a condition.
func (m *match) ask(what string, values []string) {
	if len(values) > 0 {
		m.asks = m.asks || what != "destination.ip is" && what != "destination.ip is not" && !strings.HasPrefix(what, "remote.ip ")
		m.when = append(m.when, what+" "+strings.Join(values, "|"))
	}
}

// identify keeps those whose identity is like one of a list, or is not.
func (m *match) identify(what string, list []string, not bool) {
	m.identity = true
	fits := newSet(len(m.e.Endpoints))
	for i, e := range m.e.Endpoints {
		if e.Outside || !m.inMesh().members.has(i) {
			continue
		}
		account := e.Workload.ServiceAccount()
		if slices.ContainsFunc(list, func(want string) bool { return m.is(what, want, e.Namespace, account) }) {
			fits.add(i)
		}
	}
	m.whose = append(m.whose, map[bool]string{false: "of ", true: "not of "}[not]+what+" "+strings.Join(list, "|"))
	if not {
		m.pods.without(fits)
		return
	}
	m.known = m.known || !slices.ContainsFunc(list, ofGateway)
	m.pods.and(fits)
	m.blocks = nil
	clear(m.plain)
	m.plainBlocks = nil
}

// ofGateway tells whether a name may be that of a way into the cluster, which the ingress
// controller is.
func ofGateway(name string) bool {
	return strings.Contains(name, "*") || strings.Contains(name, "ingress") || strings.Contains(name, "gateway") || strings.Contains(name, meshRoot)
}

// is tells whether an identity is as asked for.
func (m *match) is(what, want, namespace, account string) bool {
	switch what {
	case "namespaces":
		return like(want, namespace)
	case "serviceaccounts":
		if space, name, ok := strings.Cut(want, "/"); ok {
			return space == namespace && name == account
		}
		return want == account && namespace == spaceOf(m.o)
	}
	have := "cluster.local/ns/" + namespace + "/sa/" + account
	if like(want, have) {
		return true
	}
	_, rest, ok := strings.Cut(want, "/ns/") // the domain that is trusted may be another
	return ok && !strings.HasPrefix(want, "*") && like(rest, namespace+"/sa/"+account)
}

// like tells whether a text is as a pattern of Istio's: exact, or with one * at an end.
func like(pattern, text string) bool {
	switch {
	case pattern == "*":
		return text != ""
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(text, pattern[:len(pattern)-1])
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(text, pattern[1:])
	}
	return pattern == text
}

// address keeps those with some addresses, or without them: what the last field of a path
// lists. Which pods have which is not known: they are those of others, but all of them are
// everybody's.
func (m *match) address(n *kube.Node, path []any, not bool) {
	n = n.At(path[len(path)-1])
	if n.Len() == 0 {
		return
	}
	var blocks []Block
	all := false
	for i, item := range n.Items() {
		b, ok := parseBlock(item.Text())
		if !ok {
			m.problem(m.o, append(path, i), "invalid address %q", item.Text())
			continue
		}
		blocks, all = append(blocks, b), all || b == everyV4
	}
	blocks = together(blocks)
	if !all {
		m.mayBePods(m.o, blocks, m.path)
	}
	for _, one := range []*[]Block{&m.blocks, &m.plainBlocks} {
		if not {
			var rest []Block
			for _, b := range *one {
				rest = append(rest, less(b, blocks)...)
			}
			*one = rest
		} else {
			*one = both(together(slices.Clone(*one)), blocks)
		}
	}
	if all == not {
		m.addressed = true
		clear(m.pods)
		clear(m.plain)
	}
}

// operation reads what is asked for.
func (m *match) operation(n *kube.Node, path []any) {
	m.port(n, append(path, "ports"), false)
	m.port(n, append(path, "notPorts"), true)
	text := []string{}
	for _, field := range []string{"methods", "notMethods", "paths", "notPaths", "hosts", "notHosts"} {
		if list := n.Get(field).Strings(); len(list) > 0 {
			what := map[string]string{"methods": "", "paths": "", "hosts": "of "}[field]
			if name, ok := strings.CutPrefix(field, "not"); ok {
				what = "but " + strings.ToLower(name) + " "
			}
			text = append(text, what+strings.Join(list, "|"))
		}
	}
	if len(text) > 0 {
		m.asks = true
		m.when = append(m.when, strings.Join(text, " "))
	}
}

// port keeps some ports, or others: those that the last field of a path lists.
func (m *match) port(n *kube.Node, path []any, not bool) {
	n = n.At(path[len(path)-1])
	if n.Len() == 0 {
		return
	}
	var ports Ports
	for i, item := range n.Items() {
		number, ok := number16(item.Text())
		if !ok || number == 0 {
			m.problem(m.o, append(path, i), "invalid port %q", item.Text())
			continue
		}
		ports = ports.Union(PortRange(TCP, uint16(number), uint16(number)))
	}
	if not {
		m.ports = m.ports.Without(ports)
	} else {
		m.ports = m.ports.Intersect(ports)
	}
}

// condition reads one of when.
func (m *match) condition(n *kube.Node, path []any) {
	key := n.Get("key").Text()
	for field, not := range map[string]bool{"values": false, "notValues": true} {
		list := n.Get(field)
		if list.Len() == 0 {
			continue
		}
		switch key {
		case "source.namespace":
			m.identify("namespaces", list.Strings(), not)
		case "source.principal":
			m.identify("principals", list.Strings(), not)
		case "source.serviceAccount":
			m.identify("serviceaccounts", list.Strings(), not)
		case "source.ip":
			m.address(n, append(path, field), not)
		case "destination.port":
			m.port(n, append(path, field), not)
		default:
			m.ask(key+map[bool]string{false: " is", true: " is not"}[not], list.Strings())
		}
	}
}

// emit adds the rules that it comes to. Members that are spoken to in the clear on some ports
// know nobody there.
func (m *match) emit() {
	add := func(pods set, blocks []Block, ports Ports, only *group) {
		who := func() *peers {
			who := &peers{pods: []group{groupOf(pods)}}
			for _, b := range blocks {
				who.cidr = append(who.cidr, cidr{block: b})
			}
			return who
		}
		for _, part := range m.readers(only) {
			m.clause(m.p, Ingress, clause{action: m.action, who: who(), ports: portList{numbers: ports}, only: part.only, when: part.when, path: m.path})
		}
	}
	if m.identity {
		m.ofController()
	}
	if !m.identity || len(m.inMesh().plain) == 0 {
		add(m.pods, m.blocks, m.ports, nil)
		return
	}
	for _, known := range m.partition() {
		add(m.pods, m.blocks, m.ports.Without(known.ports), &known.who)
		add(m.plain, m.plainBlocks, m.ports.Intersect(known.ports), &known.who)
	}
}

// readers are endpoints for which a rule holds under some conditions.
type readers struct {
	only *group
	when []string
}

// readers divides endpoints that a rule is for into those before whom somebody reads requests,
// and those of an ambient mesh: what is there allows nothing that it cannot tell, and denies as if
// it had not been asked.
func (m *match) readers(only *group) []readers {
	all := m.p.subject
	if only != nil {
		all = *only
	}
	ambient := all.only(m.inMesh().ambient)
	if !m.asks || ambient.empty() || len(m.istio.when) > 0 {
		return []readers{{only, m.when}}
	}
	if !m.said {
		m.said = true
		m.lacks(m.o, m.path, "an ambient mesh reads no requests where policies select pods: there the rule allows nothing, or denies whatever is asked for")
	}
	s := m.bits(all)
	s.without(m.inMesh().ambient)
	sidecars := groupOf(s)
	list := []readers{{&sidecars, m.when}}
	if m.action == Deny {
		list = append(list, readers{&ambient, nil})
	}
	return list
}

// ofController adds what the rules come to for the ingress controller, whose identity is not
// known.
func (m *match) ofController() {
	controller := m.controller()
	outside := m.addressed
	m.pods.without(m.bits(controller))
	m.plain.without(m.bits(controller))
	if outside || m.known {
		return
	}
	when := append(slices.Clone(m.when), "from a controller "+strings.Join(m.whose, " and "))
	m.clause(m.p, Ingress, clause{action: m.action, who: &peers{pods: []group{controller}}, ports: portList{numbers: m.ports}, when: when, path: m.path})
}

// partition divides all endpoints by the ports on which they are spoken to in the clear.
func (m *match) partition() []plain {
	parts := []plain{{who: m.everybody}}
	for _, p := range m.inMesh().plain {
		var next []plain
		inside := m.bits(p.who)
		for _, part := range parts {
			outside := m.bits(part.who)
			outside.without(inside)
			if g := part.who.only(inside); !g.empty() {
				next = append(next, plain{g, part.ports.Union(p.ports)})
			}
			if g := groupOf(outside); !g.empty() {
				next = append(next, plain{g, part.ports})
			}
		}
		parts = next
	}
	return parts
}
