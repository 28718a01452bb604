package network

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// ground is what the rules of this family share about a set.
type ground struct {
	*network.Engine
	set *kube.Set
	// policies are those of the network: a mesh's are judged by check/exposure.
	policies []*network.Policy
	of       [2][][]*network.Policy
	// spaces are the namespaces with pods that policies can hold for, in order; members their
	// endpoints.
	spaces  []string
	members map[string][]int
	// own are the policies of each namespace, of any kind.
	own map[string]int
	// everywhere tells whether there is a policy for the whole cluster.
	everywhere bool
	// unknown tells whether there are policies that the engine does not read, or that could
	// not be listed: what is open cannot be told then.
	unknown bool
	// unjudged is how many endpoints are in no list of members.
	unjudged int
}

// policyKinds are those that the answer depends on.
var policyKinds = []struct {
	group, kind string
	cluster     bool
}{
	{"networking.k8s.io", "NetworkPolicy", false},
	{"cilium.io", "CiliumNetworkPolicy", false}, {"cilium.io", "CiliumClusterwideNetworkPolicy", true},
	{"crd.projectcalico.org", "NetworkPolicy", false}, {"projectcalico.org", "NetworkPolicy", false},
	{"crd.projectcalico.org", "GlobalNetworkPolicy", true}, {"projectcalico.org", "GlobalNetworkPolicy", true},
	{"policy.networking.k8s.io", "AdminNetworkPolicy", true}, {"policy.networking.k8s.io", "BaselineAdminNetworkPolicy", true}, {"policy.networking.k8s.io", "ClusterNetworkPolicy", true},
	{"crd.antrea.io", "ClusterNetworkPolicy", true}, {"crd.antrea.io", "NetworkPolicy", false},
}

func groundOf(s *kube.Set) *ground {
	return kube.Memo(s, func(s *kube.Set) *ground {
		g := &ground{Engine: network.Of(s), set: s, members: map[string][]int{}, own: map[string]int{}, unknown: unseen(s)}
		for i, e := range g.Endpoints {
			if e.Outside || e.Host || e.Namespace == "kube-system" {
				g.unjudged++
				continue
			}
			if g.members[e.Namespace] == nil {
				g.spaces = append(g.spaces, e.Namespace)
			}
			g.members[e.Namespace] = append(g.members[e.Namespace], i)
		}
		slices.Sort(g.spaces)
		read := map[string]bool{}
		for _, p := range g.Policies {
			read[p.Group()+"/"+p.Kind] = true
			if policy(p.Object) {
				g.policies = append(g.policies, p)
			}
		}
		for _, k := range policyKinds {
			list := s.Kind(k.group, k.kind)
			if len(list) == 0 {
				continue
			}
			g.everywhere = g.everywhere || k.cluster
			g.unknown = g.unknown || !read[k.group+"/"+k.kind] && k.group != "networking.k8s.io"
			for _, o := range list {
				g.own[o.Namespace]++
			}
		}
		g.index()
		return g
	})
}

// unseen tells whether policies or pods may be there that could not be listed.
func unseen(s *kube.Set) bool {
	if s.Cluster == nil {
		return false
	}
	for resource := range s.Cluster.Unseen {
		if strings.Contains(resource, "networkpolicies") || strings.HasPrefix(resource, "pods") || strings.HasPrefix(resource, "namespaces") {
			return true
		}
	}
	return s.Cluster.Namespaces != nil
}

// judged tells whether somebody divides the network of a namespace: by a policy of its own, or
// one for the whole cluster. Namespaces without any are told of by check/exposure.
func (g *ground) judged(space string) bool {
	return !g.unknown && (g.own[space] > 0 || g.everywhere)
}

// about is the object that stands for a namespace.
func (g *ground) about(space string) *kube.Object {
	if o := g.set.Find("Namespace/" + space); o != nil {
		return o
	}
	for _, p := range g.policies {
		if p.Namespace == space {
			return p.Object
		}
	}
	return g.Endpoints[g.members[space][0]].Workload.Object
}

// holding gives for each endpoint the policies that hold for a direction of it.
func (g *ground) holding(d network.Direction) [][]*network.Policy { return g.of[d] }

func (g *ground) index() {
	for d := range g.of {
		g.of[d] = make([][]*network.Policy, len(g.Endpoints))
		for _, p := range g.Policies {
			if !p.Holds(network.Direction(d)) {
				continue
			}
			for i := range p.Subject() {
				g.of[d][i] = append(g.of[d][i], p)
			}
		}
	}
}

// isolated tells whether some policy drops what is not allowed for an endpoint, or drops what
// it names.
func (g *ground) isolated(d network.Direction, endpoint int) bool {
	return slices.ContainsFunc(g.holding(d)[endpoint], func(p *network.Policy) bool { return p.Isolates(d) || p.Denies(d) })
}

// names lists endpoints, the first few of them.
func (g *ground) names(list []int) string {
	const most = 4
	var names []string
	for _, i := range list {
		if name := g.Endpoints[i].Kind + "/" + g.Endpoints[i].Name; !slices.Contains(names[max(0, len(names)-most):], name) {
			names = append(names, name)
		}
	}
	text := strings.Join(names[:min(len(names), most)], ", ")
	if n := len(names) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// count says how many there are of something: "1 pod", "2 pods".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
