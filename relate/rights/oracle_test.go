package rights_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/rbac"
)

// random writes a cluster of a few namespaces, roles and bindings.
func random(r *rand.Rand) string {
	pick := func(words string) string {
		list := strings.Fields(words)
		n := 1 + r.IntN(2)
		var out []string
		for range n {
			out = append(out, list[r.IntN(len(list))])
		}
		return strings.Join(out, " ")
	}
	rule := func() string {
		text := "{verbs: [" + quoted(pick("get list create patch impersonate * delete")) + "], apiGroups: ['" + strings.ReplaceAll(pick("core core apps *"), " ", "','") +
			"'], resources: [" + quoted(pick("pods pods/exec secrets serviceaccounts serviceaccounts/token deployments * */exec nodes/proxy")) + "]"
		if r.IntN(4) == 0 {
			text += ", resourceNames: [x]"
		}
		return strings.ReplaceAll(text, "'core'", "''") + "}"
	}
	var b strings.Builder
	for n := range 3 {
		fmt.Fprintf(&b, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: n%d}}\n", n)
		fmt.Fprintf(&b, "---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n%d}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}\n", n)
	}
	for i := range 4 {
		rules := rule()
		if r.IntN(2) == 0 {
			rules += "," + rule()
		}
		label := ""
		if r.IntN(3) == 0 {
			label = ", labels: {join: it}"
		}
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: ClusterRole, metadata: {name: c%d%s}, rules: [%s]}\n", group, i, label, rules)
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: Role, metadata: {name: r%d, namespace: n%d}, rules: [%s]}\n", group, i, r.IntN(3), rules)
	}
	fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: ClusterRole, metadata: {name: all}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {join: it}}]}}\n", group)
	for i := range 6 {
		who := []string{"{kind: User, name: u1}", "{kind: Group, name: g1}", "{kind: ServiceAccount, name: a, namespace: n1}", "{kind: ServiceAccount, name: b, namespace: n2}"}[r.IntN(4)]
		role := []string{"kind: ClusterRole, name: c%d", "kind: ClusterRole, name: all", "kind: Role, name: r%d"}[r.IntN(3)]
		if strings.Contains(role, "%") {
			role = fmt.Sprintf(role, r.IntN(4))
		}
		kind, meta := "RoleBinding", fmt.Sprintf("name: b%d, namespace: n%d", i, r.IntN(3))
		if r.IntN(3) == 0 {
			kind, meta = "ClusterRoleBinding", fmt.Sprintf("name: b%d", i)
		}
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: %s, metadata: {%s}, roleRef: {apiGroup: %s, %s}, subjects: [%s]}\n", group, kind, meta, group, role, who)
	}
	return b.String()
}

// asked are relations to all of a namespace, and the requests of which each needs one.
var asked = []struct {
	edge, to string // of a namespace
	requests []rbac.Request
}{
	{"POD_EXEC", "group:pods", []rbac.Request{{Verb: "create", Resource: "pods", Subresource: "exec"}, {Verb: "get", Resource: "pods", Subresource: "exec"}}},
	{"CREATE_POD_WITH_SA", "group:accounts", []rbac.Request{{Verb: "create", Resource: "pods"}, {Verb: "create", Resource: "deployments", Group: "apps"}, {Verb: "create", Resource: "jobs", Group: "batch"}}},
	{"REPLACE_IMAGE", "group:deployments", []rbac.Request{{Verb: "patch", Resource: "deployments", Group: "apps"}}},
	{"POD_PATCH", "group:pods", []rbac.Request{{Verb: "patch", Resource: "pods"}}},
	{"ACCESS_SECRET", "group:secrets", []rbac.Request{{Verb: "get", Resource: "secrets"}, {Verb: "list", Resource: "secrets"}, {Verb: "patch", Resource: "secrets"}}},
	{"TOKEN_LIST", "group:tokens", []rbac.Request{{Verb: "list", Resource: "secrets"}}},
	{"GENERATE_TOKEN", "group:accounts", []rbac.Request{{Verb: "create", Resource: "serviceaccounts", Subresource: "token"}}},
	{"IDENTITY_IMPERSONATE", "group:accounts", []rbac.Request{{Verb: "impersonate", Resource: "serviceaccounts"}}},
	{"IS_CLUSTER_ADMIN", "cluster-admin", nil},
	{"CAN_EXEC_THROUGH_KUBELET", "group:pods", nil},
}

// TestWho compares with the engine of rights: a relation is there for whom Who names, and for
// nobody else.
func TestWho(t *testing.T) {
	held := map[string]int{}
	for seed := range uint64(400) {
		text := random(rand.New(rand.NewPCG(seed, 5)))
		s := kubetest.Set(t, text)
		g, authz := relate(t, s), rbac.Of(s)
		for _, a := range asked {
			for _, ns := range []string{"", "n0", "n1", "n2"} {
				want := who(authz, a.edge, a.requests, ns)
				got := g.holders(a.edge, a.to, ns)
				held[a.edge] += len(want)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("seed %d: %s in %q (-Who +relations):\n%s\n%s", seed, a.edge, ns, diff, text)
				}
			}
		}
	}
	for _, a := range asked {
		if held[a.edge] < 20 {
			t.Errorf("%s is asked about %d who have it: too few to show anything", a.edge, held[a.edge])
		}
	}
}

func who(r *rbac.Rights, edge string, requests []rbac.Request, ns string) []string {
	found := map[string]bool{}
	switch edge {
	case "IS_CLUSTER_ADMIN":
		requests = []rbac.Request{{Verb: "made-up", Group: "made.up", Resource: "ups"}}
		ns = ""
	case "CAN_EXEC_THROUGH_KUBELET":
		requests = []rbac.Request{{Verb: "create", Resource: "nodes", Subresource: "proxy"}, {Verb: "get", Resource: "nodes", Subresource: "proxy"}}
		ns = ""
	}
	for _, q := range requests {
		q.Namespace = ns
		for _, w := range r.Who(rbac.Query{Request: q}) {
			found[w.Subject.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// holders are those who have such a relation by a permission, in a namespace or in all; those
// who hold the cluster have every one.
func (g *graph) holders(edge, to, ns string) []string {
	gives := map[string]bool{}
	for _, r := range g.Relations {
		every := r.Type == edge && (string(r.To) == to || ns != "" && string(r.To) == to+" of "+ns)
		if every || r.Type == "IS_CLUSTER_ADMIN" {
			gives[string(r.From)] = true
		}
	}
	found := map[string]bool{}
	for _, r := range g.Relations {
		if r.Type != "PERMISSION_DISCOVER" || !gives[string(r.To)] {
			continue
		}
		who := strings.TrimPrefix(string(r.From), "identity:")
		if account, ok := strings.CutPrefix(string(r.From), "account:"); ok {
			who = "ServiceAccount " + account
		}
		found[who] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// TestRemedies takes the change of a remedy that is about a binding, and holds that every
// relation with it is gone, and none without.
func TestRemedies(t *testing.T) {
	for seed := range uint64(60) {
		text := random(rand.New(rand.NewPCG(seed, 6)))
		before := relate(t, kubetest.Set(t, text))
		for id := range before.Remedies {
			binding, ok := strings.CutPrefix(id, "remove ")
			if !ok {
				continue
			}
			s := &kube.Set{}
			for _, o := range kubetest.Set(t, text).Objects {
				if o.ID() != binding {
					s.Objects = append(s.Objects, o)
				}
			}
			after := relate(t, s).from("PERMISSION_DISCOVER")
			for _, r := range before.Relations {
				if r.Type != "PERMISSION_DISCOVER" {
					continue
				}
				kept := false
				for _, other := range before.Relations { // by another binding
					kept = kept || other.From == r.From && other.To == r.To && other.Type == r.Type && !slices.Contains(other.Remedies, id)
				}
				if line := string(r.From) + " " + string(r.To); after[line] != kept && slices.Contains(r.Remedies, id) {
					t.Fatalf("seed %d: after %q, %s is there: %v, and is told to be: %v", seed, id, line, after[line], kept)
				}
			}
		}
	}
}

func (g *graph) from(edge string) map[string]bool {
	lines := map[string]bool{}
	for _, r := range g.Relations {
		if r.Type == edge {
			lines[string(r.From)+" "+string(r.To)] = true
		}
	}
	return lines
}

// TestRemediesOfRoles takes all rules out of a role, and holds that what a change of the role
// is told to remove is gone.
func TestRemediesOfRoles(t *testing.T) {
	shown := 0
	for seed := range uint64(40) {
		text := random(rand.New(rand.NewPCG(seed, 7)))
		before := relate(t, kubetest.Set(t, text))
		for id := range before.Remedies {
			role, _, ok := strings.Cut(id, " without ")
			if !ok {
				continue
			}
			s := kubetest.Set(t, text)
			for i, o := range s.Objects {
				if o.ID() == role {
					root, err := kube.Apply(o.Root, []kube.Edit{kube.Put([]any{}, "rules")})
					if err != nil {
						t.Fatal(err)
					}
					s.Objects[i], _ = kube.NewObject(root, o.Origin)
				}
			}
			after := relate(t, s)
			for _, r := range before.Relations {
				if !slices.Contains(r.Remedies, id) {
					continue
				}
				shown++
				for _, left := range after.find(r.From, r.To, r.Type) {
					if left.Text == r.Text && slices.Equal(left.Remedies, r.Remedies) {
						t.Fatalf("seed %d: %q does not remove %s %s -> %s\n%s", seed, id, r.Type, r.From, r.To, text)
					}
				}
			}
		}
	}
	if shown < 100 {
		t.Errorf("%d relations: too few to show anything", shown)
	}
}
