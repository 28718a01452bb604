package synth

import (
	"fmt"
	"iter"
	"math/rand/v2"
)

// Town gives the objects of a cluster of that many Deployments, each as JSON, with one
// NetworkPolicy for each and in each of their namespaces one that denies all but name
// lookups: 1,080 policies of 1,000 workloads. A workload takes connections from itself, from
// those of a tier in namespaces of a team, and from a block of addresses less some of it,
// and opens them to one other.
func Town(seed uint64, workloads int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		m := maker{rand: rand.New(rand.NewPCG(seed, 2))}
		m.yield = writer(yield)
		spaces := max(1, workloads*8/100)
		for n := range spaces {
			if !m.district(fmt.Sprint("ns", n)) {
				return
			}
		}
		for i := range workloads {
			if !m.house(i, spaces, workloads) {
				return
			}
		}
	}
}

const (
	teams = 7
	tiers = 3
)

// district is a namespace where nothing is allowed.
func (m *maker) district(space string) bool {
	deny := object{"podSelector": object{}, "policyTypes": list{"Ingress", "Egress"},
		"egress": list{object{"to": list{object{"namespaceSelector": object{}}}, "ports": list{object{"protocol": "UDP", "port": 53}}}}}
	return m.yield(object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": space, "labels": object{"team": m.oneOf("t", teams)}}}) &&
		m.yield(object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"name": "deny", "namespace": space}, "spec": deny})
}

// house is a workload and its policy.
func (m *maker) house(i, spaces, workloads int) bool {
	space, app := fmt.Sprint("ns", i%spaces), func(i int) object { return object{"matchLabels": object{"app": fmt.Sprint("w", i)}} }
	other := (i + spaces*(1+m.rand.IntN(3))) % workloads // in the same namespace
	pods := object{"metadata": object{"labels": object{"app": fmt.Sprint("w", i), "tier": m.oneOf("r", tiers)}},
		"spec": object{"containers": list{object{"name": "c", "image": "registry.example/w:1", "ports": list{object{"name": "http", "containerPort": 8080}}}}}}
	net := m.rand.IntN(200)
	policy := object{"podSelector": app(i), "policyTypes": list{"Ingress", "Egress"},
		"ingress": list{
			object{"from": list{object{"podSelector": app(i)}, object{"namespaceSelector": object{"matchLabels": object{"team": m.oneOf("t", teams)}},
				"podSelector": object{"matchExpressions": list{object{"key": "tier", "operator": "In", "values": list{"r1", "r2"}}}}}}, "ports": list{object{"port": 8080}}},
			object{"from": list{object{"ipBlock": object{"cidr": fmt.Sprintf("10.%d.0.0/16", net), "except": list{fmt.Sprintf("10.%d.3.0/24", net)}}}}, "ports": list{object{"port": 9000, "endPort": 9010}}},
		},
		"egress": list{object{"to": list{object{"podSelector": app(other)}}, "ports": list{object{"port": 8080}}}}}
	return m.yield(object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": fmt.Sprint("w", i), "namespace": space}, "spec": object{"template": pods}}) &&
		m.yield(object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"name": fmt.Sprint("p", i), "namespace": space}, "spec": policy})
}

// oneOf is a name with one of n numbers.
func (m *maker) oneOf(name string, n int) string { return fmt.Sprint(name, m.rand.IntN(n)) }
