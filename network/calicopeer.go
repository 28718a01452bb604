package network

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"bulwark/kube"
)

// things are what Calico's selectors select, by labels: the endpoints, then the sets of
// addresses. Labels of namespaces and service accounts have a prefix of their own.
func (r *reader) things() *index {
	if r.calico != nil {
		return r.calico
	}
	accounts := map[string]map[string]string{}
	for _, o := range r.all.Kind("", "ServiceAccount") {
		accounts[o.Namespace+"/"+o.Name] = o.Labels
	}
	var labels []map[string]string
	for _, e := range r.e.Endpoints {
		m := maps.Clone(e.Labels)
		if m == nil {
			m = map[string]string{}
		}
		if e.Workload != nil {
			name := e.Workload.ServiceAccount()
			m["projectcalico.org/orchestrator"], m["projectcalico.org/serviceaccount"], m["pcsa.projectcalico.org/name"] = "k8s", name, name
			for k, v := range accounts[e.Namespace+"/"+name] {
				m["pcsa."+k] = v
			}
			r.addSpace(m, e.Namespace)
		}
		labels = append(labels, m)
	}
	for _, group := range calicoGroups {
		for _, kind := range []string{"GlobalNetworkSet", "NetworkSet"} {
			for _, o := range r.all.Kind(group, kind) {
				m := maps.Clone(o.Labels)
				if m == nil {
					m = map[string]string{}
				}
				if kind == "NetworkSet" {
					r.addSpace(m, spaceOf(o))
				}
				labels, r.sets = append(labels, m), append(r.sets, o)
			}
		}
	}
	r.calico = newIndex(labels)
	return r.calico
}

// calicoGroups are those of what people write, and of what is stored.
var calicoGroups = []string{"projectcalico.org", "crd.projectcalico.org"}

// addSpace adds what selectors know a namespace by.
func (r *reader) addSpace(m map[string]string, namespace string) {
	m[spaceLabel], m["pcns.projectcalico.org/name"] = namespace, namespace
	if n, ok := r.number[namespace]; ok {
		for k, v := range r.namespaces.labels[n] {
			m["pcns."+k] = v
		}
	}
}

// tier gives the place of a tier, and whether what its policies do not decide goes on to the
// next.
func (c *calico) tier(name string) (place int, pass bool) {
	var all []*kube.Object
	for _, group := range calicoGroups {
		all = append(all, c.all.Kind(group, "Tier")...)
	}
	order := func(o *kube.Object) float64 {
		if f, err := strconv.ParseFloat(o.Root.Get("spec", "order").Text(), 64); err == nil {
			return f
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(all, func(a, b *kube.Object) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Name, b.Name))
	})
	at := slices.IndexFunc(all, func(o *kube.Object) bool { return o.Name == name })
	pass = at >= 0 && all[at].Root.Get("spec", "defaultAction").Text() == "Pass"
	switch {
	case name == "default":
		return tierNamespace, pass
	case name == "adminnetworkpolicy" || name == "kube-admin":
		return tierAdmin, true
	case name == "baselineadminnetworkpolicy" || name == "kube-baseline":
		return tierBaseline, true
	case at < 0:
		c.problem(c.o, []any{"spec", "tier"}, "its tier %q is not there: it is taken to come before all others", name)
		return 0, false
	}
	switch f := order(all[at]); {
	case f < 1000:
		return 1 + at, pass
	case f < 1_000_000:
		return tierAdmin + 1 + at, pass
	case f < 10_000_000:
		return tierNamespace + 1 + at, pass
	}
	return tierBaseline + 1 + at, pass
}

// entityFields are those of a rule's source and destination.
var entityFields = []string{"selector", "notSelector", "namespaceSelector", "serviceAccounts", "nets", "notNets", "ports", "notPorts", "domains"}

// self reads what a rule says of the policy's own endpoints: which of them it is for.
func (c *calico) self(n *kube.Node, path []any, one *clause) (*group, bool) {
	if n.Get("nets").Len()+n.Get("notNets").Len() > 0 {
		one.when = append(one.when, words([]string{"at the address", joinText(n.Get("nets")), but(n.Get("notNets").Strings())}))
	}
	c.unknown(c.o, n, path, entityFields...)
	chosen, not, ok := c.selected(n, path)
	if !ok || n.Has("services") {
		return nil, false
	}
	if chosen == nil && not == nil {
		return nil, ok
	}
	s := full(len(c.things().labels))
	if chosen != nil {
		s = chosen
	}
	if not != nil {
		s.without(not)
	}
	g := c.endpointsOf(s)
	return &g, true
}

func joinText(n *kube.Node) string { return words(n.Strings()) }

// selected reads the selectors of an entity: the things that it names, nil for all, and those
// that it does not mean.
func (c *calico) selected(n *kube.Node, path []any) (chosen, not set, ok bool) {
	at := func(fields ...any) []any { return slices.Concat(path, fields) }
	pods, ok1 := c.expression(n.Get("selector"), "", at("selector")...)
	spaces, ok2 := c.expression(n.Get("namespaceSelector"), "pcns.", at("namespaceSelector")...)
	accounts, ok3 := c.expression(n.Get("serviceAccounts", "selector"), "pcsa.", at("serviceAccounts", "selector")...)
	if !ok1 || !ok2 || !ok3 {
		return nil, nil, false
	}
	if names := n.Get("serviceAccounts", "names").Strings(); len(names) > 0 {
		named := c.things().with("projectcalico.org/serviceaccount", func(v string) bool { return slices.Contains(names, v) })
		if accounts != nil {
			named.and(accounts)
		}
		accounts = named
	}
	if n.Get("selector").Text() != "" || spaces != nil || accounts != nil {
		chosen = pods
		if spaces == nil && c.space != "" {
			spaces = c.things().with(spaceLabel, func(v string) bool { return v == c.space })
		}
		for _, more := range []set{spaces, accounts} {
			if more != nil {
				chosen.and(more)
			}
		}
	}
	if n.Get("notSelector").Text() != "" {
		if not, ok = c.expression(n.Get("notSelector"), "", at("notSelector")...); !ok {
			return nil, nil, false
		}
	}
	return chosen, not, true
}

// entity reads the other end of a rule. Which pods have which addresses is not known: nets
// are those of others, but all of them are everybody's.
func (c *calico) entity(n *kube.Node, version string, path []any) (*peers, bool) {
	c.unknown(c.o, n, path, entityFields...)
	chosen, not, ok := c.selected(n, path)
	if !ok || n.Has("services") { // the problem is told
		return nil, false
	}
	pods, blocks := c.bits(c.everybody), []Block{everyV4, everyV6}
	if chosen != nil {
		pods, blocks = c.bits(c.endpointsOf(chosen)), c.netsOf(chosen)
	}
	if not != nil {
		pods.without(c.bits(c.endpointsOf(not)))
		blocks = c.lessAll(blocks, c.netsOf(not))
	}
	who := &peers{}
	if nets, all := c.nets(n.Get("nets"), append(slices.Clone(path), "nets")); n.Get("nets").Len() > 0 {
		blocks = both(together(blocks), nets)
		if !all {
			clear(pods)
		}
	}
	if nets, all := c.nets(n.Get("notNets"), append(slices.Clone(path), "notNets")); n.Get("notNets").Len() > 0 {
		blocks = c.lessAll(blocks, nets)
		if all {
			clear(pods)
		}
	}
	if names := n.Get("domains").Strings(); len(names) > 0 {
		clear(pods)
		blocks = nil
		for _, name := range names {
			who.cidr = append(who.cidr, cidr{name: name})
		}
	}
	switch version {
	case "4":
		blocks = both(together(blocks), []Block{everyV4})
	case "6":
		blocks = both(together(blocks), []Block{everyV6})
		clear(pods)
		c.lacks(c.o, append(slices.Clone(path[:len(path)-1]), "ipVersion"), "pods are taken to speak to each other by IPv4")
	}
	who.pods = []group{groupOf(pods)}
	for _, b := range blocks {
		who.cidr = append(who.cidr, cidr{block: b})
	}
	return who, true
}

// services reads a rule whose other end is what is behind a service: its addresses, and for what
// is sent there its ports.
func (c *calico) services(p *Policy, d Direction, one clause, n *kube.Node, path []any, protos []Protocol) {
	self := [2]string{"destination", "source"}[d]
	var ok bool
	if one.only, ok = c.self(n.Get(self), append(slices.Clone(path[:len(path)-1]), self), &one); !ok {
		return
	}
	ref := n.Get(path[len(path)-1].(string), "services")
	space, name := cmp.Or(ref.Get("namespace").Text(), c.space), ref.Get("name").Text()
	services := newServices(c.e, c.all)
	service := services.byName[space+"/"+name]
	if service == nil {
		c.problem(c.o, append(slices.Clone(path), "services"), "its service %s/%s is not there", space, name)
		return
	}
	if d == Ingress {
		one.who = &peers{}
		c.behindService(one.who, service)
		one.ports = c.ports(n.Get("destination"), protos, append(slices.Clone(path[:len(path)-1]), "destination"), &one)
		c.clause(p, d, one)
		return
	}
	for _, b := range services.behind(service, nil) {
		one.who, one.ports = &peers{pods: []group{{few: []int32{int32(b.endpoint)}}}}, portList{numbers: b.ports}
		c.clause(p, d, one)
	}
	outside := &peers{}
	if c.behindService(outside, service); len(outside.cidr) > 0 {
		one.who, one.ports = &peers{cidr: outside.cidr}, c.ports(service.Root.Get("none"), protos, nil, &one)
		one.when = append(one.when, "to a port of "+service.ID())
		c.clause(p, d, one)
	}
}

func (c *calico) lessAll(blocks, except []Block) []Block {
	var list []Block
	for _, b := range blocks {
		list = append(list, less(b, except)...)
	}
	return list
}

// nets reads addresses; all tells that every address of IPv4 is among them.
func (c *calico) nets(n *kube.Node, path []any) (blocks []Block, all bool) {
	for i, item := range n.Items() {
		if b, ok := c.prefix(c.o, item, append(slices.Clone(path), i)...); ok {
			blocks, all = append(blocks, b), all || b == everyV4
		}
	}
	if !all {
		c.mayBePods(c.o, blocks, path)
	}
	return together(blocks), all
}

// netsOf are the addresses of those of things that are sets of them.
func (c *calico) netsOf(things set) []Block {
	var blocks []Block
	for i := range things.each {
		if i -= len(c.e.Endpoints); i < 0 {
			continue
		}
		if n := c.sets[i].Root.Get("spec", "allowedEgressDomains"); n.Len() > 0 {
			c.lacks(c.sets[i], []any{"spec", "allowedEgressDomains"}, "names are not read: the answer is without them")
		}
		for j, item := range c.sets[i].Root.Get("spec", "nets").Items() {
			if b, ok := c.prefix(c.sets[i], item, "spec", "nets", j); ok {
				blocks = append(blocks, b)
			}
		}
	}
	return together(blocks)
}
