package network

import (
	"net/netip"
	"strings"
	"sync"

	"bulwark/kube"
)

// kinds of policies, and who reads them.
var kinds = []policyKind{
	{"networking.k8s.io", "NetworkPolicy", (*reader).networkPolicy},
	{"policy.networking.k8s.io", "AdminNetworkPolicy", (*reader).adminPolicy},
	{"policy.networking.k8s.io", "BaselineAdminNetworkPolicy", (*reader).baselinePolicy},
	{"policy.networking.k8s.io", "ClusterNetworkPolicy", (*reader).clusterPolicy},
	{"projectcalico.org", "NetworkPolicy", (*reader).calicoPolicy},
	{"projectcalico.org", "GlobalNetworkPolicy", (*reader).calicoPolicy},
	{"crd.projectcalico.org", "NetworkPolicy", (*reader).calicoPolicy},
	{"crd.projectcalico.org", "GlobalNetworkPolicy", (*reader).calicoPolicy},
	{"security.istio.io", "PeerAuthentication", (*reader).peerAuthentication},
	{"security.istio.io", "AuthorizationPolicy", (*reader).authorizationPolicy},
	{"cilium.io", "CiliumNetworkPolicy", (*reader).ciliumPolicy},
	{"cilium.io", "CiliumClusterwideNetworkPolicy", (*reader).ciliumPolicy},
}

// policyKind is a kind of policies.
type policyKind struct {
	group, kind string
	read        func(*reader, *kube.Object)
}

// reader makes policies of objects.
type reader struct {
	e          *Engine
	mu         *sync.Mutex // held while what engines share is used: all below
	pods       *index      // endpoints by their labels
	namespaces *index      // namespaces by theirs
	number     map[string]int
	members    [][]int32        // the endpoints of each namespace
	chosen     map[string]group // what selectors of both matched before
	spaces     map[string]group // what selectors of namespaces matched before
	portNames  map[portName][]having
	foreign    // what other kinds need
	scratch    set
	reading    bool         // policies; else what there is beside them
	most       int          // problems of the object that are told
	untold     int          // what was not noted any more
	silent     *kube.Object // the first of it
	path       []any        // where the object is read
	key        []byte       // of a selector
	spaceNamed map[string][]requirement
	portsLike  map[uint64]numbered // by their sum
	kinds      *int32              // of ports
	everybody  group
	subjects   set // the endpoints that policies can hold for
	policies   []*Policy
	refused    bool         // the object that is read
	strict     bool         // whatever is wrong with it refuses it; labels are held to the rules of API servers
	wrong      int          // what is wrong with the object that is read
	about      *kube.Object // whom problems are told of
	told       int          // of it
}

// cidr is a block that a rule of a policy names, less some of it.
type cidr struct {
	block  Block
	except []Block
	name   string // a domain, in place of a block
}

func newReader(e *Engine, s *kube.Set) *reader {
	r := &reader{e: e, mu: &sync.Mutex{}, number: map[string]int{}, chosen: map[string]group{}, spaces: map[string]group{}, portNames: map[portName][]having{}, subjects: newSet(len(e.Endpoints)), scratch: newSet(len(e.Endpoints)), path: make([]any, 0, 16), spaceNamed: map[string][]requirement{}, portsLike: map[uint64]numbered{}, kinds: new(int32)}
	r.all = s
	var spaces []map[string]string
	space := func(name string, labels map[string]string) int {
		i, ok := r.number[name]
		if !ok {
			i = len(spaces)
			r.number[name] = i
			spaces = append(spaces, map[string]string{"kubernetes.io/metadata.name": name})
			r.members = append(r.members, nil)
		}
		for k, v := range labels {
			if k != "kubernetes.io/metadata.name" { // the server's own
				spaces[i][k] = v
			}
		}
		return i
	}
	for _, o := range s.Kind("", "Namespace") {
		space(o.Name, o.Labels)
	}
	labels := make([]map[string]string, len(e.Endpoints))
	for i, p := range e.Endpoints {
		labels[i] = p.Labels
		if p.Outside {
			continue
		}
		r.subjects.add(i)
		n := space(p.Namespace, nil)
		r.members[n] = append(r.members[n], int32(i))
	}
	outside := len(e.Endpoints) - 1
	spaces = append(spaces, nil) // where the ingress controller is, is not known
	r.members = append(r.members, []int32{int32(outside)})
	r.everybody = groupOf(full(len(e.Endpoints)))
	r.pods, r.namespaces = newIndex(labels), newIndex(spaces)
	return r
}

// selector reads one; nil and a problem when it is invalid. A selector that is not there
// matches everything.
func (r *reader) selector(o *kube.Object, n *kube.Node, path []any) ([]requirement, bool) {
	list, err := selectorOf(n)
	if err == nil && r.strict {
		err = validLabels(n)
	}
	if err != nil {
		r.problem(o, placeOf(err, path), "invalid selector: %v", err)
		return nil, false
	}
	return list, true
}

// choose gives the endpoints of matching namespaces with matching labels; shared.
func (r *reader) choose(spaces, pods []requirement) group {
	name := canonical(append(canonical(r.key[:0], spaces), 3), pods)
	if cap(name) <= 8*longSelector {
		r.key = name // to be used again
	}
	if g, ok := r.chosen[string(name)]; ok {
		return g
	}
	key := string(name)
	g := r.within(spaces)
	if len(pods) > 0 {
		clear(r.scratch)
		g.addTo(r.scratch)
		g = r.pods.match(pods).only(r.scratch)
	}
	r.chosen[key] = g
	return g
}

// within gives the endpoints of matching namespaces; shared.
func (r *reader) within(spaces []requirement) group {
	key := string(canonical(nil, spaces))
	if g, ok := r.spaces[key]; ok {
		return g
	}
	clear(r.scratch)
	for n := range r.namespaces.match(spaces).each {
		for _, i := range r.members[n] {
			r.scratch.add(int(i))
		}
	}
	g := groupOf(r.scratch)
	r.spaces[key] = g
	return g
}

// in is the selector of one namespace.
func in(namespace string) []requirement {
	return []requirement{{"kubernetes.io/metadata.name", "In", []string{namespace}}}
}

// selected reads {namespaceSelector, podSelector}: the endpoints that match both. Without the
// former they are those of namespace.
func (r *reader) selected(o *kube.Object, n *kube.Node, namespace string, path ...any) (group, bool) {
	spaces := r.spaceNamed[namespace]
	if spaces == nil {
		spaces = in(namespace)
		r.spaceNamed[namespace] = spaces
	}
	if n.Has("namespaceSelector") || namespace == "" {
		var ok bool
		if spaces, ok = r.selector(o, n.Get("namespaceSelector"), append(path, "namespaceSelector")); !ok {
			return group{}, false
		}
	}
	pods, ok := r.selector(o, n.Get("podSelector"), append(path, "podSelector"))
	if !ok {
		return group{}, false
	}
	return r.choose(spaces, pods), true
}

// prefix reads a CIDR.
func (r *reader) prefix(o *kube.Object, n *kube.Node, path ...any) (Block, bool) {
	p, err := netip.ParsePrefix(strings.TrimSpace(n.Text()))
	if err != nil {
		if a, e := netip.ParseAddr(n.Text()); e == nil { // some kinds take addresses too
			return Block{a, a}, true
		}
		r.problem(o, path, "invalid CIDR %q", n.Text())
		return Block{}, false
	}
	return BlockOf(p), true
}

// network reads a CIDR as Kubernetes' own policies have it: never one address alone.
func (r *reader) network(o *kube.Object, n *kube.Node, path ...any) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(n.Text())
	if err != nil {
		r.problem(o, path, "invalid CIDR %q", n.Text())
	}
	return p.Masked(), err == nil
}

// peers collects whom a rule speaks of.
type peers struct {
	pods []group
	all  bool
	cidr []cidr
}

// union is all endpoints that the peers are.
func (r *reader) union(p *peers) group {
	switch {
	case p.all:
		return r.everybody
	case len(p.pods) == 1:
		return p.pods[0]
	}
	return united(p.pods, r.scratch)
}

// open is everybody: all endpoints, whatever they are, and all addresses.
func (p *peers) open() *peers {
	p.all = true
	return p
}

// add gives a policy a rule for each of its ports' forms: those with numbers, and for each
// number that a named port has the endpoints that have it.
func (r *reader) add(p *Policy, d Direction, action Action, who *peers, ports portList, path []any) {
	one := func(pods group, only *group, numbers Ports, blocks bool) {
		numbers, like := r.onePort(numbers)
		one := rule{action: action, pods: pods, only: only, ports: numbers, like: like, path: path}
		if blocks {
			one.named = who.cidr
		}
		p.rules[d] = append(p.rules[d], one)
	}
	ports.settle()
	pods := r.union(who)
	if who.all {
		who.cidr = everyAddress
	}
	if !ports.numbers.Empty() {
		one(pods, nil, ports.numbers, true)
	}
	for _, name := range ports.names {
		for _, having := range r.named(name) {
			if d == Ingress {
				one(pods, &having.endpoints, having.ports(), true)
				continue
			}
			clear(r.scratch)
			having.endpoints.addTo(r.scratch)
			one(pods.only(r.scratch), nil, having.ports(), false)
		}
	}
}

// read makes the policies of all objects.
func (r *reader) read(s *kube.Set) {
	r.reading = true
	for _, k := range kinds {
		for _, o := range s.Kind(k.group, k.kind) {
			r.one(o, k.read)
		}
	}
	if r.reading = false; r.untold > 0 {
		r.note(r.silent, nil, "here and in policies behind it there are %d more problems than are told", r.untold)
	}
}

// one reads one object. What its reader refuses leaves nothing behind but problems.
func (r *reader) one(o *kube.Object, read func(*reader, *kube.Object)) {
	policies, problems := len(r.policies), len(r.e.Problems)
	r.strict, r.wrong, r.refused = false, 0, false
	read(r, o)
	if r.about == o && r.told > r.most {
		r.note(o, nil, "%d more like these", r.told-r.most)
	}
	if !r.refused && !(r.strict && r.wrong > 0) {
		return
	}
	for i := problems; i < len(r.e.Problems); i++ {
		r.e.Problems[i].Refused = true
	}
	r.policies = r.policies[:policies]
}
