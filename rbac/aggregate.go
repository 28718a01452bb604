package rbac

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// mostSteps bounds the work of finding out which roles have which roles' rules.
const mostSteps = 10_000_000

// aggregator works out From and Into of all ClusterRoles.
type aggregator struct {
	roles   []*Role // ClusterRoles
	labels  []map[string]string
	byLabel map[[2]string][]int
	direct  map[*Role][]int // what its selectors choose
	byRole  map[*Role]int
	steps   int
}

func (r *Rights) aggregate() {
	a := &aggregator{byLabel: map[[2]string][]int{}, direct: map[*Role][]int{}, byRole: map[*Role]int{}}
	for _, role := range r.Roles {
		if !role.Cluster() {
			continue
		}
		labels := builtinLabels[role.Name]
		if role.Object != nil {
			labels = role.Object.Labels
		}
		i := len(a.roles)
		a.roles, a.labels, a.byRole[role] = append(a.roles, role), append(a.labels, labels), i
		for k, v := range labels {
			a.byLabel[[2]string{k, v}] = append(a.byLabel[[2]string{k, v}], i)
		}
	}
	for _, role := range a.roles {
		if role.Aggregates {
			a.direct[role] = a.choose(role)
		}
	}
	for _, role := range a.roles {
		if role.Aggregates {
			a.join(role)
		}
	}
	if a.steps > mostSteps {
		r.problem("the aggregation of ClusterRoles is too large to be followed to its end")
	}
}

// join gives a role the rules of those that its selectors choose, and of those that these
// aggregate in turn: where roles aggregate each other in a circle, each has the rules of all.
func (a *aggregator) join(role *Role) {
	seen := map[int]bool{a.byRole[role]: true}
	queue := []*Role{role}
	for len(queue) > 0 && a.steps <= mostSteps {
		next := queue[0]
		queue = queue[1:]
		for _, i := range a.direct[next] {
			if a.steps++; seen[i] {
				continue
			}
			seen[i] = true
			from := a.roles[i]
			role.From, from.Into = append(role.From, from), append(from.Into, role)
			if from.Aggregates {
				queue = append(queue, from)
			}
		}
	}
	slices.SortStableFunc(role.From, func(x, y *Role) int { return strings.Compare(x.Name, y.Name) })
	role.filled()
}

// filled takes those rules out that a cluster's controller wrote into a role: they belong to
// the role that they come from.
func (r *Role) filled() {
	if len(r.From) == 0 || len(r.Rules) == 0 {
		return
	}
	known := map[string][]*Rule{}
	for _, from := range r.From {
		for i := range from.Rules {
			sum := from.Rules[i].sum()
			known[sum] = append(known[sum], &from.Rules[i])
		}
	}
	var own []Rule
	var index []int
	for i := range r.Rules {
		rule := &r.Rules[i]
		if !slices.ContainsFunc(known[rule.sum()], rule.equal) {
			own, index = append(own, *rule), append(index, i)
		}
	}
	r.Rules, r.index = own, index
}

// sum tells most rules that differ apart.
func (r *Rule) sum() string {
	return strings.Join(r.Verbs, ",") + "|" + strings.Join(r.Resources, ",") + "|" + strings.Join(r.URLs, ",")
}

func (a *aggregator) choose(role *Role) []int {
	var list []int
	for _, s := range selectorsOf(role) {
		list = append(list, a.matching(s)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (a *aggregator) matching(s *selector) []int {
	if s == nil {
		return nil
	}
	candidates, narrowed := []int(nil), false
	for _, pair := range s.labels {
		if list := a.byLabel[pair]; !narrowed || len(list) < len(candidates) {
			candidates, narrowed = list, true
		}
	}
	if !narrowed {
		candidates = make([]int, len(a.roles))
		for i := range candidates {
			candidates[i] = i
		}
	}
	var list []int
	for _, i := range candidates {
		if a.steps += 1 + len(s.labels) + len(s.terms); a.steps > mostSteps {
			break
		}
		if s.matches(a.labels[i]) {
			list = append(list, i)
		}
	}
	return list
}

// selector chooses by labels.
type selector struct {
	labels [][2]string
	terms  []term
}

type term struct {
	key    string
	values map[string]bool // nil: any
	not    bool
}

// selectorsOf are those of an aggregating role; nil stands for one that chooses nothing.
func selectorsOf(role *Role) []*selector {
	if role.Object == nil {
		return []*selector{{labels: [][2]string{{"rbac.authorization.k8s.io/aggregate-to-" + role.Name, "true"}}}}
	}
	var list []*selector
	for _, n := range role.Object.Root.Get("aggregationRule", "clusterRoleSelectors").Items() {
		s, ok := parseSelector(n)
		if !ok { // the controller gives up on the whole role
			return nil
		}
		list = append(list, s)
	}
	return list
}

// parseSelector reads a label selector; ok is false when Kubernetes refuses it. An empty one
// chooses everything.
func parseSelector(n *kube.Node) (*selector, bool) {
	if n.Form() != kube.Map {
		return nil, false
	}
	s := &selector{}
	for k, v := range n.Get("matchLabels").Fields() {
		s.labels = append(s.labels, [2]string{k, v.Text()})
	}
	for _, e := range n.Get("matchExpressions").Items() {
		t := term{key: e.Get("key").Text()}
		operator, values := e.Get("operator").Text(), e.Get("values").Strings()
		switch {
		case (operator == "In" || operator == "NotIn") && len(values) > 0:
			t.values = make(map[string]bool, len(values))
			for _, v := range values {
				t.values[v] = true
			}
			t.not = operator == "NotIn"
		case (operator == "Exists" || operator == "DoesNotExist") && len(values) == 0:
			t.not = operator == "DoesNotExist"
		default:
			return nil, false
		}
		s.terms = append(s.terms, t)
	}
	return s, true
}

func (s *selector) matches(labels map[string]string) bool {
	for _, pair := range s.labels {
		if v, ok := labels[pair[0]]; !ok || v != pair[1] {
			return false
		}
	}
	for _, t := range s.terms {
		v, ok := labels[t.key]
		if t.values != nil {
			ok = ok && t.values[v]
		}
		if ok == t.not {
			return false
		}
	}
	return true
}
