// Package generate writes the network policies that a set of objects needs: what it declares
// that its workloads talk to stays open, the rest is shut.
//
// Flows are what is declared (flow.go and its neighbours): Services that settings name, Ingresses
// and routes, load balancers, webhooks, names. Each workload that policies can hold for gets one
// policy, in one of several forms. The engine then says whether every flow stays open, and what
// is closed (prove.go).
package generate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// PeerKind is what a flow's other end is.
type PeerKind uint8

// The kinds of peers.
const (
	Workload  PeerKind = iota // an endpoint of the engine
	Selected                  // pods by labels that need not be there: DNS
	AnyPod                    // every pod of the cluster
	Addresses                 // CIDRs
	APIServer
)

// Peer is the other end of a flow.
type Peer struct {
	Kind      PeerKind
	Endpoint  int               // of Workload
	Namespace string            // of Selected
	Labels    map[string]string // of Selected
	CIDRs     []string          // of Addresses
	Except    []string
	Host      string // the name that the addresses stand for, where one was given
}

// Flow is a connection that is meant to be: of a workload to a peer, or of a peer to it.
type Flow struct {
	Direction network.Direction
	Endpoint  int // the workload that is seen from
	Peer      Peer
	Ports     network.Ports
	Why       string
}

// Plan is what is declared in a set.
type Plan struct {
	Set    *kube.Set
	Engine *network.Engine
	Flows  []Flow
	// Notes are what could not be told from the objects.
	Notes []string
	// Doors names the namespace that ingress controllers run in; "": that is not known.
	Doors string

	directory *network.Directory
	said      map[string]bool // namespaces that some object names; others are kubectl's to choose
	policies  []*policy
	names     map[string][]int // endpoints by what tells them
}

// New reads what a set declares.
func New(s *kube.Set, doors string) *Plan {
	p := &Plan{Set: s, Engine: network.Of(s), Doors: doors, said: map[string]bool{}}
	for _, o := range s.Objects {
		if o.Root.Get("metadata", "namespace").Text() != "" || o.Kind == "Namespace" {
			p.said[firstOf(o.Namespace, o.Name)] = true
		}
	}
	p.directory = p.Engine.Directory(s)
	p.references()
	p.fronts()
	p.callers()
	p.scraped()
	p.build()
	p.strangers()
	return p
}

// holds tells whether policies hold for an endpoint.
func (p *Plan) holds(i int) bool {
	e := p.Engine.Endpoints[i]
	return !e.Outside && !e.Host && e.Workload != nil
}

// selectable tells whether policies can speak of an endpoint.
func (p *Plan) selectable(i int) bool {
	labels := selector(p.Engine.Endpoints[i])
	return p.holds(i) && len(labels) > 0 && valid(labels)
}

// policy is what one workload may receive and send.
type policy struct {
	endpoint  int
	name      string
	namespace string
	labels    map[string]string
	rules     [2][]*rule
}

// rule is a peer, the ports, and why.
type rule struct {
	peer  Peer
	ports network.Ports
	why   []string
}

// build makes one policy for each workload out of the flows: those with the same peer are one
// rule.
func (p *Plan) build() {
	byEndpoint, taken := map[int]*policy{}, map[string]bool{}
	bySelector := map[string]*policy{}
	for i, e := range p.Engine.Endpoints {
		if !p.holds(i) {
			if e.Host {
				p.note("%s uses the network of its node: no policy holds for it, and as a peer it has its node's address", e)
			}
			continue
		}
		labels := selector(e)
		if len(labels) == 0 || !valid(labels) {
			p.note("%s has no labels that a policy could select it by: nothing is written for it", e)
			continue
		}
		key := e.Namespace + "\x00" + text(labels)
		if same := bySelector[key]; same != nil { // no policy can tell them apart
			byEndpoint[i] = same
			continue
		}
		name := strings.TrimRight(e.Name, "-.")
		if p.Set.Find(e.Namespace+"/NetworkPolicy/"+name) != nil {
			name += "-flows" // what is there stays
		}
		if taken[e.Namespace+"/"+name] {
			name += "-" + lower(e.Kind)
		}
		taken[e.Namespace+"/"+name] = true
		one := &policy{endpoint: i, name: name, namespace: e.Namespace, labels: labels}
		byEndpoint[i], bySelector[key] = one, one
		p.policies = append(p.policies, one)
		p.flow(Flow{network.Egress, i, dns, names, "names are looked up"})
		if resolves(e) {
			p.flow(Flow{network.Ingress, i, Peer{Kind: AnyPod}, names, "all look up names here"})
			p.flow(Flow{network.Egress, i, Peer{Kind: Addresses, CIDRs: []string{"0.0.0.0/0", "::/0"}}, names, "names of others are asked for elsewhere"})
		}
	}
	slices.SortStableFunc(p.Flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Direction, b.Direction), cmp.Compare(p.key(&a.Peer), p.key(&b.Peer)))
	})
	p.Flows = slices.CompactFunc(p.Flows, func(a, b Flow) bool {
		return a.Endpoint == b.Endpoint && a.Direction == b.Direction && a.Why == b.Why && a.Ports.Equal(b.Ports) && p.key(&a.Peer) == p.key(&b.Peer)
	})
	for _, f := range p.Flows {
		if one := byEndpoint[f.Endpoint]; one != nil {
			p.put(one, &f)
		}
	}
	slices.SortFunc(p.policies, func(a, b *policy) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
}

// put adds a flow to the rules of a policy.
func (p *Plan) put(one *policy, f *Flow) {
	key := p.key(&f.Peer)
	for _, r := range one.rules[f.Direction] {
		if p.key(&r.peer) == key {
			r.ports = r.ports.Union(f.Ports)
			if !slices.Contains(r.why, f.Why) {
				r.why = append(r.why, f.Why)
			}
			return
		}
	}
	one.rules[f.Direction] = append(one.rules[f.Direction], &rule{f.Peer, f.Ports, []string{f.Why}})
}

// key is equal for peers that are written alike.
func (p *Plan) key(x *Peer) string {
	switch x.Kind {
	case Workload:
		e := p.Engine.Endpoints[x.Endpoint]
		return "2" + e.Namespace + "\x00" + text(selector(e))
	case Selected:
		return "1" + x.Namespace + "\x00" + text(x.Labels)
	case Addresses:
		return "5" + x.Host + "\x00" + joined(x.CIDRs)
	}
	return string(rune('5' + x.Kind))
}

func (p *Plan) flow(f Flow) {
	if !f.Ports.Empty() && (f.Peer.Kind != Workload || p.selectable(f.Peer.Endpoint) || p.Engine.Endpoints[f.Peer.Endpoint].Host) && p.selectable(f.Endpoint) {
		p.Flows = append(p.Flows, f)
	}
}

// between adds both ends of a flow from one workload to another.
func (p *Plan) between(from, to int, ports network.Ports, why string) {
	p.flow(Flow{network.Egress, from, Peer{Kind: Workload, Endpoint: to}, ports, why})
	p.flow(Flow{network.Ingress, to, Peer{Kind: Workload, Endpoint: from}, ports, p.Engine.Endpoints[from].Name + ", " + why})
}

// changing are labels that differ between generations of the same pods.
var changing = []string{"pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid", "controller-uid", "helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"}

// selector gives the labels that tell a workload's pods: those that it selects them by, else
// all that stay.
func selector(e *network.Endpoint) map[string]string {
	m := map[string]string{}
	if e.Workload == nil {
		return m
	}
	for name, v := range e.Workload.Root.Get("spec", "selector", "matchLabels").Fields() {
		if e.Labels[name] == v.Text() {
			m[name] = v.Text()
		}
	}
	if len(m) > 0 {
		return m
	}
	maps.Copy(m, e.Labels)
	maps.DeleteFunc(m, func(name, _ string) bool { return slices.Contains(changing, name) })
	return m
}
