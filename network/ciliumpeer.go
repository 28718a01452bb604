package network

import (
	"slices"
	"strconv"
	"strings"

	"bulwark/kube"
)

// peers reads whom a rule speaks of: everybody when it only has ports, nobody when it has
// nothing at all; nil when it cannot be read.
func (c *cilium) peers(d Direction, n *kube.Node, path []any) *peers {
	f := ciliumDirections[d]
	who, named := &peers{}, false
	at := func(field string, i int) []any { return append(slices.Clone(path), field, i) }
	for _, field := range []string{f.endpoints, f.cidr, f.cidrSet, f.entities, f.nodes, f.groups, "toServices", "toFQDNs"} {
		list := n.Get(field)
		if !list.Exists() || d == Ingress && (field == "toServices" || field == "toFQDNs") {
			continue
		}
		named = true
		for i, item := range list.Items() {
			switch field {
			case f.endpoints:
				if g, ok := c.selector(item, false, at(field, i)); ok {
					who.pods = append(who.pods, g)
				}
			case f.cidr:
				if b, ok := c.prefix(c.o, item, at(field, i)...); ok {
					who.cidr = append(who.cidr, cidr{block: b})
				}
			case f.cidrSet:
				c.cidrSet(who, item, at(field, i))
			case f.entities:
				c.entity(who, item.Text(), at(field, i))
			case f.groups:
				c.lacks(c.o, at(field, i), "groups of a cloud are not read: the answer is without them")
			case "toServices":
				c.service(who, item, at(field, i))
			case "toFQDNs":
				c.domain(who, item, at(field, i))
			}
		}
	}
	if !named && n.Get("toPorts").Len() > 0 {
		who.open()
	}
	return c.required(who, n.Get(f.requires), append(slices.Clone(path), f.requires))
}

// required leaves of peers those that a rule requires besides; nil when that cannot be read.
// Who requires something requires it of the rules of all policies of an endpoint: so much is
// told, not read.
func (c *cilium) required(who *peers, n *kube.Node, path []any) *peers {
	if n.Len() == 0 {
		return who
	}
	c.lacks(c.o, path, "it holds for the other rules of the same pods too, where the answer leaves it out")
	pods := c.bits(c.union(who))
	for i, item := range n.Items() {
		g, ok := c.selector(item, false, append(slices.Clone(path), i))
		if !ok {
			return nil
		}
		pods.and(c.bits(g))
	}
	return &peers{pods: []group{groupOf(pods)}, cidr: who.cidr}
}

// selector reads the endpoints that labels of Cilium's select. Without a namespace they are
// those of the policy's; the subject of a policy is always there.
func (c *cilium) selector(n *kube.Node, subject bool, path []any) (group, bool) {
	list, err := selectorOf(n)
	if err != nil {
		c.refuse(c.o, placeOf(err, path), "invalid selector: %v", err)
		return group{}, false
	}
	var spaces, pods, accounts, reserved []requirement
	elsewhere := false
	for _, q := range list {
		source, key, ok := strings.Cut(q.key, ":")
		if !ok {
			key = source
		} else if source == "reserved" {
			q.key = key
			reserved = append(reserved, q)
			continue
		} else if source != "k8s" && source != "any" {
			c.problem(c.o, path, "labels of the source %q are not known: nothing is selected", source)
			return group{}, false
		}
		label, ofSpace := strings.CutPrefix(key, "io.cilium.k8s.namespace.labels.")
		switch {
		case key == "io.kubernetes.pod.namespace":
			q.key, elsewhere = "kubernetes.io/metadata.name", true
			spaces = append(spaces, q)
		case ofSpace:
			q.key, elsewhere = label, true
			spaces = append(spaces, q)
		case key == "io.cilium.k8s.policy.serviceaccount":
			q.key = accountLabel
			accounts = append(accounts, q)
		case key == "io.cilium.k8s.policy.cluster":
			c.note(c.o, path, "which cluster this is, is not known: its name is taken to be the one that is asked for")
		default:
			q.key = key
			pods = append(pods, q)
		}
	}
	if c.space != "" && (subject || !elsewhere) && !chosenBy(reserved) {
		spaces = append(spaces, in(c.space)...)
	}
	g := c.choose(spaces, pods)
	if len(accounts) > 0 {
		g = g.only(c.bits(c.ofAccounts(accounts)))
	}
	if len(reserved) > 0 {
		return c.ofReserved(g, reserved, subject, path), true
	}
	return c.podded(g), true
}

// chosenBy tells whether requirements ask for what Cilium has names of its own for.
func chosenBy(reserved []requirement) bool {
	return slices.ContainsFunc(reserved, func(q requirement) bool { return q.op == "In" || q.op == "Exists" })
}

// ofReserved leaves of a group what has Cilium's own names, or has them not.
func (c *cilium) ofReserved(g group, list []requirement, subject bool, path []any) group {
	if subject && chosenBy(list) {
		c.lacks(c.o, path, "it is for what Cilium calls %s, which the answer leaves out", list[0].key)
		return group{}
	}
	s := c.bits(g)
	for _, q := range list {
		who := &peers{}
		c.entity(who, q.key, path)
		if who.cidr = nil; q.op == "In" || q.op == "Exists" {
			s.and(c.bits(c.union(who)))
		} else {
			s.without(c.bits(c.union(who)))
		}
	}
	if chosenBy(list) {
		return groupOf(s)
	}
	return c.podded(groupOf(s))
}

// entity adds what Cilium calls by a name of its own.
func (c *cilium) entity(who *peers, name string, path []any) {
	v4, v6 := cidr{block: everyV4}, cidr{block: everyV6}
	switch name {
	case "all":
		who.pods = append(who.pods, c.everybody)
		who.cidr = append(who.cidr, v4, v6)
	case "cluster":
		who.pods = append(who.pods, c.everybody)
	case "world":
		who.cidr = append(who.cidr, v4, v6)
	case "world-ipv4":
		who.cidr = append(who.cidr, v4)
	case "world-ipv6":
		who.cidr = append(who.cidr, v6)
	case "host", "remote-node":
		who.pods = append(who.pods, c.hosts())
	case "ingress":
		who.pods = append(who.pods, c.controller())
	case "kube-apiserver":
		who.pods = append(who.pods, c.apiServer())
		c.note(c.o, path, "the addresses of the API server are not known: the answer is without them")
	case "init", "health", "unmanaged", "none":
	default:
		c.problem(c.o, path, "unknown entity %q: the answer is without it", name)
	}
}

// apiServer are the API server's pods.
func (r *reader) apiServer() group {
	return r.choose(in("kube-system"), []requirement{{"component", "In", []string{"kube-apiserver"}}})
}

// cidrSet reads {cidr, except}, or a group of those.
func (c *cilium) cidrSet(who *peers, n *kube.Node, path []any) {
	if name := n.Get("cidrGroupRef").Text(); name != "" {
		c.cidrGroup(who, name, n, path)
		return
	}
	if choose := n.Get("cidrGroupSelector"); choose.Exists() {
		c.cidrGroups(who, choose, n, path)
		return
	}
	if b, ok := c.prefix(c.o, n.Get("cidr"), append(path, "cidr")...); ok {
		who.cidr = append(who.cidr, cidr{block: b, except: c.except(n, path)})
	}
}

func (c *cilium) except(n *kube.Node, path []any) []Block {
	var list []Block
	for i, x := range n.Get("except").Items() {
		if b, ok := c.prefix(c.o, x, append(slices.Clone(path), "except", i)...); ok {
			list = append(list, b)
		}
	}
	return list
}

func (c *cilium) cidrGroup(who *peers, name string, n *kube.Node, path []any) {
	for _, o := range c.all.Kind("cilium.io", "CiliumCIDRGroup") {
		if o.Name == name {
			c.addresses(who, o, c.except(n, path))
			return
		}
	}
	c.problem(c.o, path, "the CiliumCIDRGroup %q is not there: the answer is without it", name)
}

// cidrGroups adds those that are selected by their labels.
func (c *cilium) cidrGroups(who *peers, choose, n *kube.Node, path []any) {
	want, err := selectorOf(choose)
	if err != nil {
		c.refuse(c.o, placeOf(err, append(slices.Clone(path), "cidrGroupSelector")), "invalid selector: %v", err)
		return
	}
	found := false
	for _, o := range c.all.Kind("cilium.io", "CiliumCIDRGroup") {
		if !slices.ContainsFunc(want, func(q requirement) bool { return !q.matches(o.Labels) }) {
			c.addresses(who, o, c.except(n, path))
			found = true
		}
	}
	if !found {
		c.problem(c.o, path, "it selects no CiliumCIDRGroup: the answer is without it")
	}
}

// addresses adds those of a group.
func (c *cilium) addresses(who *peers, o *kube.Object, except []Block) {
	for i, item := range o.Root.Get("spec", "externalCIDRs").Items() {
		if b, ok := c.prefix(o, item, "spec", "externalCIDRs", i); ok {
			who.cidr = append(who.cidr, cidr{block: b, except: except})
		}
	}
}

// domain reads {matchName} or {matchPattern}.
func (c *cilium) domain(who *peers, n *kube.Node, path []any) {
	name := n.Get("matchName").Text()
	if name == "" {
		name = n.Get("matchPattern").Text()
	}
	if name == "" {
		c.refuse(c.o, path, "neither matchName nor matchPattern")
		return
	}
	who.cidr = append(who.cidr, cidr{name: strings.TrimSuffix(strings.ToLower(name), ".")})
}

// service adds what is behind a service, or the services of some labels.
func (c *cilium) service(who *peers, n *kube.Node, path []any) {
	name, space := n.Get("k8sService", "serviceName").Text(), n.Get("k8sService", "namespace").Text()
	labels, err := []requirement(nil), error(nil)
	if choose := n.Get("k8sServiceSelector"); choose.Exists() {
		space = choose.Get("namespace").Text()
		labels, err = selectorOf(choose.Get("selector"))
	}
	if err != nil {
		c.refuse(c.o, placeOf(err, append(slices.Clone(path), "k8sServiceSelector", "selector")), "invalid selector: %v", err)
		return
	}
	if space == "" {
		space = c.space
	}
	found := false
	for _, o := range c.all.Kind("", "Service") {
		ok := o.Namespace == space || space == ""
		if ok = ok && (name == "" || o.Name == name); !ok || len(labels) > 0 && newIndex([]map[string]string{o.Labels}).match(labels).empty() {
			continue
		}
		found = true
		c.behindService(who, o)
	}
	if !found {
		c.problem(c.o, path, "its service %s/%s is not there", space, name)
	}
}

// behindService adds the endpoints of a service, or the addresses that are written for it.
func (r *reader) behindService(who *peers, service *kube.Object) {
	if selector := service.Root.Get("spec", "selector"); selector.Len() > 0 {
		s := newSet(len(r.e.Endpoints))
		for _, i := range newServices(r.e, r.all).selected(service.Namespace, selector) {
			s.add(i)
		}
		who.pods = append(who.pods, groupOf(s))
		return
	}
	address := func(o *kube.Object, n *kube.Node, path ...any) {
		if b, ok := r.prefix(o, n, path...); ok {
			who.cidr = append(who.cidr, cidr{block: b})
		}
	}
	for _, o := range r.all.Kind("discovery.k8s.io", "EndpointSlice") {
		if o.Namespace != service.Namespace || o.Labels["kubernetes.io/service-name"] != service.Name {
			continue
		}
		for i, e := range o.Root.Get("endpoints").Items() {
			for j, a := range e.Get("addresses").Items() {
				address(o, a, "endpoints", i, "addresses", j)
			}
		}
	}
	for _, o := range r.all.Kind("", "Endpoints") {
		if o.Namespace != service.Namespace || o.Name != service.Name {
			continue
		}
		for i, e := range o.Root.Get("subsets").Items() {
			for j, a := range e.Get("addresses").Items() {
				address(o, a.Get("ip"), "subsets", i, "addresses", j, "ip")
			}
		}
	}
}

// number16 reads a port's number.
func number16(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil
}

func lower(s string) string { return strings.ToLower(s) }
