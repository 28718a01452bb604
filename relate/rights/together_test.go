package rights_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/patch"
	"bulwark/kube/kubetest"
)

// halves writes a cluster where most rights lead somewhere with others alone.
func halves(r *rand.Rand, change bool) string {
	const signing = "certificates.k8s.io"
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	verb := func(verbs ...string) string {
		if !change {
			return "create"
		}
		return one(verbs...)
	}
	half := func() string {
		var names []string
		if r.IntN(3) == 0 {
			names = []string{one("c0", "c1", "b0", "b1", "r0", "r1", "n1", "ops"), one("c2", "c3", "b2", "b3", "r2", "r3", "n2", "system:masters")}
		}
		switch r.IntN(9) {
		case 0:
			return rule(verb("create", "update", "create patch"), group, one("rolebindings", "clusterrolebindings"), names...)
		case 1, 2:
			return rule("bind", group, one("roles", "clusterroles", "roles clusterroles"), names...)
		case 3:
			return rule(one("escalate", verb("update"), "create"), group, one("roles", "clusterroles", "roles clusterroles"), names...)
		case 4:
			return rule("impersonate", "", one("users", "groups", "serviceaccounts", "groups users"), names...)
		case 5:
			return rule(one("create", "get", "patch"), "", "secrets", names...)
		case 6:
			return rule("create", signing, one("certificatesigningrequests", "certificatesigningrequests/nodeclient"))
		case 7:
			return rule("update", signing, "certificatesigningrequests/approval") + "," + rule("approve", signing, "signers", one("kubernetes.io/*", "kubernetes.io/kube-apiserver-client-kubelet", "other"))
		}
		return rule(one("create", "patch"), "", one("pods", "namespaces", "persistentvolumes"), names...)
	}
	var b strings.Builder
	for n := range 3 {
		fmt.Fprintf(&b, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: n%d, labels: {pod-security.kubernetes.io/enforce: restricted}}}\n", n)
		fmt.Fprintf(&b, "---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n%d}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}\n", n)
	}
	b.WriteString("---\n{apiVersion: v1, kind: Namespace, metadata: {name: kube-system, labels: {pod-security.kubernetes.io/enforce: restricted}}}\n")
	b.WriteString("---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: n1}}\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: b, namespace: n1}}\n")
	for i := range 4 {
		rules := half()
		for range r.IntN(3) {
			rules += "," + half()
		}
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: ClusterRole, metadata: {name: c%d}, rules: [%s]}\n", group, i, rules)
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: Role, metadata: {name: r%d, namespace: n%d}, rules: [%s]}\n", group, i, r.IntN(3), half())
	}
	for i := range 8 {
		who := one("{kind: User, name: u1}", "{kind: Group, name: 'system:serviceaccounts'}", "{kind: Group, name: 'system:serviceaccounts:n1'}", "{kind: Group, name: 'system:authenticated'}", "{kind: ServiceAccount, name: a, namespace: n1}", "{kind: ServiceAccount, name: b, namespace: n1}")
		role := one("kind: ClusterRole, name: c%d", "kind: ClusterRole, name: c%d", "kind: Role, name: r%d")
		kind, meta := "RoleBinding", fmt.Sprintf("name: b%d, namespace: n%d", i, r.IntN(3))
		if r.IntN(2) == 0 {
			kind, meta = "ClusterRoleBinding", fmt.Sprintf("name: b%d", i)
		}
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: %s, metadata: {%s}, roleRef: {apiGroup: %s, %s}, subjects: [%s]}\n", group, kind, meta, group, fmt.Sprintf(role, r.IntN(4)), who)
	}
	return b.String()
}

// reach is what somebody comes to hold by relations that a remedy does not remove, but what
// stands between.
func (g *graph) reach(from bulwark.VertexID, without string) map[bulwark.VertexID]bool {
	found, queue := map[bulwark.VertexID]bool{from: true}, []bulwark.VertexID{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, r := range g.by(at) {
			if !found[r.To] && !slices.Contains(r.Remedies, without) {
				found[r.To] = true
				queue = append(queue, r.To)
			}
		}
	}
	for v := range found {
		if strings.HasPrefix(string(v), "group:") && strings.Contains(string(v), " who ") {
			delete(found, v)
		}
	}
	return found
}

func (g *graph) by(from bulwark.VertexID) (list []bulwark.Relation) {
	if g.rows == nil {
		g.rows = map[bulwark.VertexID][]bulwark.Relation{}
		for _, r := range g.Relations {
			g.rows[r.From] = append(g.rows[r.From], r)
		}
	}
	return g.rows[from]
}

// TestRemovals applies the patch of each remedy, of bindings and of roles, and holds that
// nothing is left to be reached but what is without the relations that have the remedy; and
// what is told to be left is, where nobody changes the bindings and roles that there are.
func TestRemovals(t *testing.T) {
	removals, bindings, kept := 0, 0, 0
	for seed := range uint64(150) {
		change := seed%2 == 0
		text := halves(rand.New(rand.NewPCG(seed, 8)), change)
		s := kubetest.Set(t, text)
		s.Read = func(string) ([]byte, error) { return []byte(text), nil }
		before := relate(t, s)
		for id := range before.Remedies {
			p := before.Remedies[id].Fix.Patch
			if p == nil {
				continue
			}
			if removals++; strings.HasPrefix(id, "remove ") {
				bindings++
			}
			after := relate(t, kubetest.Set(t, patched(t, text, p)))
			for _, from := range []bulwark.VertexID{"identity:User u1", "account:n1/a", "account:n1/b", "account:n2/default"} {
				told, left := before.reach(from, id), after.reach(from, "")
				for v := range left {
					if !told[v] {
						t.Fatalf("seed %d: without %q %s reaches %s, which is told to be removed\n%s", seed, id, from, v, text)
					}
				}
				if change || from == "identity:User u1" { // which may be known by that binding alone
					continue
				}
				kept++
				for v := range told {
					if !left[v] && !strings.HasPrefix(string(v), "permission:") && !strings.HasPrefix(string(v), "identity:") {
						t.Fatalf("seed %d: without %q %s does not reach %s, which is told to be left\n%s", seed, id, from, v, text)
					}
				}
			}
		}
	}
	if bindings < 500 || removals-bindings < 200 || kept < 800 {
		t.Errorf("%d bindings and %d rules removed, %d looked at for what is left: too few to show anything", bindings, removals-bindings, kept)
	}
}

// patched is a text with a patch applied.
func patched(tb testing.TB, text string, p *bulwark.Patch) string {
	tb.Helper()
	files, left := patch.Join([]bulwark.Patch{*p})
	if len(left) > 0 || len(files) != 1 {
		tb.Fatalf("%v\n%s", left, p.Text)
	}
	out, err := files[0].Apply([]byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, p.Text)
	}
	return string(out)
}
