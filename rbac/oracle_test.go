package rbac

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bulwark/kube"
)

// world is a set of roles and bindings as plain data: what the oracle reads, and what is
// written out as objects for the engine.
type world struct {
	roles    []wRole
	bindings []wBinding
	cluster  bool
}

type wRole struct {
	ns, name  string
	labels    map[string]string
	rules     []wRule
	selectors []map[string]string // not nil: it aggregates
}

type wRule struct{ verbs, groups, resources, names, urls []string }

type wBinding struct {
	ns, name, refKind, refName string
	subjects                   []wSubject
}

type wSubject struct{ kind, ns, name string }

// The oracle: word by word what the API server's authorizer is documented to do, without any
// index, on plain data.

func (w *world) allowed(user string, groups []string, q Request) bool {
	for _, b := range w.bindings {
		if b.ns != "" && (q.Path != "" || b.ns != q.Namespace) || !b.applies(user, groups) {
			continue
		}
		for _, rule := range w.rulesOf(b) {
			if rule.allows(q) {
				return true
			}
		}
	}
	return false
}

func (b *wBinding) applies(user string, groups []string) bool {
	for _, s := range b.subjects {
		switch s.kind {
		case "User":
			if s.name == user && user != "" {
				return true
			}
		case "Group":
			if slices.Contains(groups, s.name) {
				return true
			}
		case "ServiceAccount":
			ns := s.ns
			if ns == "" {
				ns = b.ns
			}
			if ns != "" && user == "system:serviceaccount:"+ns+":"+s.name {
				return true
			}
		}
	}
	return false
}

func (w *world) rulesOf(b wBinding) []wRule {
	for i, r := range w.roles {
		if b.refKind == "ClusterRole" && r.ns == "" && r.name == b.refName || b.refKind == "Role" && b.ns != "" && r.ns == b.ns && r.name == b.refName {
			return w.effective(i)
		}
	}
	return nil
}

// effective repeats what the aggregation controller does until nothing changes.
func (w *world) effective(of int) []wRule {
	has := make([]map[int]bool, len(w.roles))
	for i := range w.roles {
		has[i] = map[int]bool{i: true}
	}
	for changed := true; changed; {
		changed = false
		for i, r := range w.roles {
			for _, sel := range r.selectors {
				for j, other := range w.roles {
					if other.ns != "" || !subset(sel, other.labels) {
						continue
					}
					for k := range has[j] {
						changed = changed || !has[i][k]
						has[i][k] = true
					}
				}
			}
		}
	}
	var rules []wRule
	for k := range has[of] {
		rules = append(rules, w.roles[k].rules...)
	}
	return rules
}

func subset(want, of map[string]string) bool {
	for k, v := range want {
		if got, ok := of[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func (r *wRule) allows(q Request) bool {
	if !slices.Contains(r.verbs, q.Verb) && !slices.Contains(r.verbs, "*") {
		return false
	}
	if q.Path != "" {
		for _, u := range r.urls {
			if u == "*" || u == q.Path || strings.HasSuffix(u, "*") && strings.HasPrefix(q.Path, strings.TrimRight(u, "*")) {
				return true
			}
		}
		return false
	}
	if !slices.Contains(r.groups, q.Group) && !slices.Contains(r.groups, "*") {
		return false
	}
	want := []string{"*", q.Resource}
	if q.Subresource != "" {
		want = []string{"*", q.Resource + "/" + q.Subresource, "*/" + q.Subresource}
	}
	if !slices.ContainsFunc(r.resources, func(s string) bool { return slices.Contains(want, s) }) {
		return false
	}
	return len(r.names) == 0 || slices.Contains(r.names, q.Name)
}

// A random world draws from few words, so that things meet.

var (
	wVerbs     = []string{"get", "list", "create", "*", "escalate"}
	wGroups    = []string{"", "apps", "*", "batch"}
	wResources = []string{"pods", "pods/exec", "secrets", "*", "*/exec", "deployments/scale", "pods/*"}
	wNames     = []string{"a", "b"}
	wURLs      = []string{"/healthz", "/api/*", "*", "/api", "/x**"}
	wSpaces    = []string{"one", "two", "kube-system"}
	wUsers     = []string{"jane", "joe", "system:serviceaccount:one:sa", "system:anonymous", "system:serviceaccount:one:x:y"}
	wTeams     = []string{"ops", "system:authenticated", "system:serviceaccounts", "system:serviceaccounts:one"}
	wRoleNames = []string{"r1", "r2", "r3"}
)

func some(r *rand.Rand, from []string, most int) []string {
	var list []string
	n := r.IntN(most + 1)
	if n == 0 && r.IntN(4) > 0 {
		n = 1 // what is empty allows nothing, and is not often needed
	}
	for range n {
		list = append(list, from[r.IntN(len(from))])
	}
	return list
}

func rarely(r *rand.Rand, list []string) []string {
	if r.IntN(3) > 0 {
		return nil
	}
	return list
}

func one(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomWorld(r *rand.Rand) *world {
	w := &world{cluster: r.IntN(2) == 0}
	seen := map[string]bool{}
	for range r.IntN(12) {
		role := wRole{name: one(r, wRoleNames)}
		if r.IntN(2) == 0 {
			role.ns = one(r, wSpaces)
		}
		if seen[role.ns+"/"+role.name] {
			continue
		}
		seen[role.ns+"/"+role.name] = true
		for range r.IntN(4) {
			rule := wRule{verbs: some(r, wVerbs, 2), groups: some(r, wGroups, 2), resources: some(r, wResources, 2), names: rarely(r, some(r, wNames, 1))}
			if role.ns == "" && r.IntN(3) == 0 {
				rule = wRule{verbs: some(r, wVerbs, 2), urls: some(r, wURLs, 2)}
			}
			role.rules = append(role.rules, rule)
		}
		if role.ns == "" {
			role.labels = map[string]string{"l": one(r, wNames), one(r, wNames): "x"}
			for range r.IntN(3) {
				kinds := 4
				if w.cluster { // in manifests {} chooses the built-in roles as well, which the oracle has not
					kinds = 5
				}
				role.selectors = append(role.selectors, []map[string]string{{"l": "a"}, {"a": "x"}, {"l": "b", "b": "x"}, {"none": "x"}, {}}[r.IntN(kinds)])
			}
		}
		w.roles = append(w.roles, role)
	}
	for i := range r.IntN(10) {
		b := wBinding{name: fmt.Sprint("b", i), refKind: one(r, []string{"Role", "ClusterRole", "ClusterRole", "Nothing"}), refName: one(r, wRoleNames)}
		if r.IntN(2) == 0 {
			b.ns = one(r, wSpaces)
		}
		for range r.IntN(5) {
			s := wSubject{kind: one(r, []string{"User", "Group", "ServiceAccount", "Pod"})}
			switch s.kind {
			case "User":
				s.name = one(r, wUsers)
			case "Group":
				s.name = one(r, wTeams)
			default:
				s.name, s.ns = one(r, []string{"sa", "other"}), one(r, append(wSpaces, ""))
			}
			b.subjects = append(b.subjects, s)
		}
		w.bindings = append(w.bindings, b)
	}
	return w
}

func list(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func (w *world) yaml() string {
	var b strings.Builder
	head := func(kind, ns, name string) {
		fmt.Fprintf(&b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n", kind, name)
		if ns != "" {
			fmt.Fprintf(&b, "  namespace: %s\n", ns)
		}
	}
	kind := func(ns, cluster, namespaced string) string {
		if ns == "" {
			return cluster
		}
		return namespaced
	}
	for _, r := range w.roles {
		head(kind(r.ns, "ClusterRole", "Role"), r.ns, r.name)
		if len(r.labels) > 0 {
			b.WriteString("  labels: {")
			for k, v := range r.labels {
				fmt.Fprintf(&b, "%q: %q, ", k, v)
			}
			b.WriteString("}\n")
		}
		b.WriteString("rules:\n")
		for _, rule := range r.rules {
			fmt.Fprintf(&b, "- {verbs: %s, apiGroups: %s, resources: %s, resourceNames: %s, nonResourceURLs: %s}\n", list(rule.verbs), list(rule.groups), list(rule.resources), list(rule.names), list(rule.urls))
		}
		if r.selectors != nil {
			b.WriteString("aggregationRule:\n  clusterRoleSelectors:\n")
			for _, s := range r.selectors {
				b.WriteString("  - matchLabels: {")
				for k, v := range s {
					fmt.Fprintf(&b, "%q: %q, ", k, v)
				}
				b.WriteString("}\n")
			}
		}
	}
	for _, bind := range w.bindings {
		head(kind(bind.ns, "ClusterRoleBinding", "RoleBinding"), bind.ns, bind.name)
		fmt.Fprintf(&b, "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\nsubjects:\n", bind.refKind, bind.refName)
		for _, s := range bind.subjects {
			fmt.Fprintf(&b, "- {kind: %s, namespace: %q, name: %q}\n", s.kind, s.ns, s.name)
		}
	}
	return b.String()
}

func setOf(t testing.TB, text string) *kube.Set {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"})
		if !ok {
			t.Fatalf("no object at line %d", d.Line)
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

func randomRequest(r *rand.Rand) Request {
	if r.IntN(4) == 0 {
		return Request{Verb: one(r, wVerbs), Path: one(r, []string{"/healthz", "/api", "/api/v1", "/metrics", "/x", "/xy"})}
	}
	q := Request{Verb: one(r, []string{"get", "list", "create", "escalate", "delete"}), Group: one(r, []string{"", "apps", "batch", "x"}), Resource: one(r, []string{"pods", "secrets", "deployments"})}
	if r.IntN(2) == 0 {
		q.Subresource = one(r, []string{"exec", "scale", "log"})
	}
	if r.IntN(3) > 0 {
		q.Namespace = one(r, wSpaces)
	}
	if r.IntN(2) == 0 {
		q.Name = one(r, wNames)
	}
	return q
}

// request is a random one, which mostly asks for what some rule of the world is about.
func (w *world) request(r *rand.Rand) Request {
	q := randomRequest(r)
	if len(w.roles) == 0 || r.IntN(4) == 0 {
		return q
	}
	role := w.roles[r.IntN(len(w.roles))]
	for _, rule := range role.rules {
		if len(rule.verbs) == 0 || len(rule.groups) == 0 || len(rule.resources) == 0 {
			continue
		}
		q.Path, q.Verb, q.Group = "", strings.Replace(rule.verbs[0], "*", "watch", 1), strings.Replace(rule.groups[0], "*", "any", 1)
		q.Resource, q.Subresource, _ = strings.Cut(strings.Replace(rule.resources[0], "*", "pods", 1), "/")
		if role.ns != "" {
			q.Namespace = role.ns
		}
	}
	return q
}

// TestOracle compares Can, Who and Of with the oracle on thousands of random worlds.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 20))
	yes := 0
	for n := range 4000 {
		w := randomWorld(r)
		s := setOf(t, w.yaml())
		if w.cluster {
			s.Cluster = &kube.Cluster{}
		}
		rights := Of(s)
		for range 20 {
			q := w.request(r)
			who := Identity{User: one(r, append(wUsers, "system:serviceaccount:two:sa", "system:serviceaccount:kube-system:other")), Groups: some(r, wTeams, 3)}
			want := w.allowed(who.User, who.Groups, q)
			way, got := rights.Can(who, q)
			if got != want {
				t.Fatalf("world %d: Can(%v, %+v) = %v by %s, the oracle says %v\n%s", n, who, q, got, way.String(), want, w.yaml())
			}
			if got {
				yes++
				if !way.Rule().Allows(&q) {
					t.Fatalf("world %d: %s does not allow %+v", n, way.String(), q)
				}
			}
			listed := slices.ContainsFunc(rights.Who(Query{Request: q}), func(way Way) bool { return is(who, way.Subject) })
			of := slices.ContainsFunc(rights.Of(who), func(way Way) bool {
				return way.Rule().Allows(&q) && (way.Namespace() == "" || q.Path == "" && way.Namespace() == q.Namespace)
			})
			if listed != want || of != want {
				t.Fatalf("world %d: %v, %+v: Who says %v, Of says %v, the oracle says %v\n%s", n, who, q, listed, of, want, w.yaml())
			}
			if q.Path == "" {
				w.anyName(t, rights, who, q)
			}
		}
	}
	if yes < 2000 {
		t.Errorf("only %d requests were allowed: the worlds are too poor to tell", yes)
	}
	t.Logf("80000 requests agree, %d of them allowed", yes)
}

// anyName holds the names that Who tells of, when any will do, to what the oracle allows for each.
func (w *world) anyName(t *testing.T, rights *Rights, who Identity, q Request) {
	t.Helper()
	told := rights.Who(Query{Request: q, AnyName: true})
	for _, name := range append(wNames, "", "another") {
		q.Name = name
		want := w.allowed(who.User, who.Groups, q)
		got := slices.ContainsFunc(told, func(way Way) bool {
			names := way.Rule().Names
			return is(who, way.Subject) && (len(names) == 0 || slices.Contains(names, name))
		})
		if got != want {
			t.Fatalf("%v, %+v: Who of any name says %v, the oracle says %v\n%s", who, q, got, want, w.yaml())
		}
	}
}

func is(who Identity, s Subject) bool {
	k, _ := s.key()
	return !k.group && k.name == who.User || k.group && slices.Contains(who.Groups, k.name)
}
