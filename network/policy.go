package network

import (
	"cmp"

	"bulwark/kube"
)

// Direction is that of a connection, seen from the pods that a policy selects.
type Direction uint8

// The directions.
const (
	Ingress Direction = iota
	Egress
)

func (d Direction) String() string { return [...]string{"ingress", "egress"}[d] }

// Action is what a rule does with a connection.
type Action uint8

// The actions.
const (
	Allow Action = iota
	Deny
	Pass // on to the next tier
)

func (a Action) String() string { return [...]string{"allow", "deny", "pass"}[a] }

// The tiers, in the order in which they decide. What none decides is open. Between them is
// room for tiers that clusters have of their own. The mesh decides for itself, after all
// others: what it drops is dropped whatever they say.
const (
	tierAdmin = (iota + 1) << 20
	tierNamespace
	tierBaseline
	tierMesh
)

// orderNamespace is where NetworkPolicies stand among other policies of their tier.
const orderNamespace = 1000 << 20

// Policy is one policy of any kind. Its rules decide in order, the first that holds.
type Policy struct {
	*kube.Object
	tier  int
	order int64  // within the tier, lower first
	tie   string // among policies of the same order
	// subject are the endpoints that it holds for.
	subject group
	rules   [2][]rule
	// isolates tells for each direction that what no rule of the tier decides is dropped.
	isolates [2]bool
	at       []any // where its rules are; nil: in spec
	// cuts are the addresses that its rules name one by one, also those that come to nothing:
	// answers are cut at their ends.
	cuts [2][]cidr
}

// rule is one rule of a policy.
type rule struct {
	action Action
	pods   group  // endpoints; shared
	blocks runs   // of the direction, and domains
	named  []cidr // what they were written as
	ports  Ports
	like   int32 // the same for rules of the same ports
	// only are the endpoints that the rule holds for, of its policy's; nil: all of them.
	// A named port has other numbers in others.
	only *group
	path []any // where it is written
	// when says on what else it depends whether the rule holds: what is in a request. Empty:
	// on nothing. What such a rule allows may be there, what it denies as well.
	when []string
}

// counts tells whether the rule decides. What is sure is what is there whatever requests
// say; what may be there is the answer.
func (r *rule) counts(sure bool) bool {
	return len(r.when) == 0 || sure == (r.action == Deny)
}

// holds tells whether the policy says anything about the direction.
func (p *Policy) holds(d Direction) bool { return p.isolates[d] || len(p.rules[d]) > 0 }

// before orders policies as they decide.
func before(a, b *Policy) int {
	switch {
	case a.tier != b.tier:
		return a.tier - b.tier
	case a.order < b.order:
		return -1
	case a.order > b.order:
		return 1
	}
	return cmp.Compare(a.tie, b.tie)
}

// Problem is something about an object that the answer depends on: a policy that is invalid,
// or that says what this package does not know.
type Problem struct {
	Object *kube.Object
	Path   []any
	Text   string
	// Refused tells that no API server takes the object: the answer is without it.
	Refused bool
	// Mistake tells that something is wrong with the object. Else it is as it should be, and
	// the answer lacks something of it.
	Mistake bool
}
