package rights_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/relate/rights"
)

// TestManyPermissions holds that one account with every right in each of very many namespaces
// takes a few relations for each, also where every namespace has a role of its own.
func TestManyPermissions(t *testing.T) {
	const n = 3000
	everything := `{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}`
	for _, own := range []bool{false, true} {
		b := &builder{t, &kube.Set{}}
		b.role("", "all", everything)
		for i := range n {
			ns, kind := fmt.Sprint("ns", i), "ClusterRole"
			if own {
				kind = "Role"
				b.role(ns, "all", everything, fmt.Sprintf(`{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["p%d"]}`, i))
			}
			b.add(`{%s,"kind":"RoleBinding","metadata":{"name":"b","namespace":"%s"},"roleRef":{"kind":"%s","name":"all"},"subjects":[{"kind":"ServiceAccount","name":"a","namespace":"x"}]}`, api, ns, kind)
		}
		var c tally
		if err := rights.New().Relate(t.Context(), &bulwark.Target{Objects: b.set}, nil, nil, &c); err != nil {
			t.Fatal(err)
		}
		if c.relations > 4*n || len(c.notes) > 0 {
			t.Errorf("roles of their own %t: %d relations of %d namespaces, notes %.200q", own, c.relations, n, c.notes)
		}
	}
}

// TestSifting holds that what is left out among very many permissions is no way that is not
// there, as likely, by another relation: whatever single remedy is taken.
func TestSifting(t *testing.T) {
	var others strings.Builder
	for i := range 1001 {
		others.WriteString(strings.Replace(bound("r", fmt.Sprint("other", i), rule("get", "", "pods")), "name: a,", "name: z,", 1))
	}
	for _, rules := range []string{
		rule("*", "*", "*"),
		rule("*", "*", "*") + "," + rule("create", "", "pods") + "," + rule("bind", group, "roles", "x"),
		rule("*", "", "*") + "," + rule("bind create", group, "rolebindings clusterroles"),
		rule("create", "", "pods/exec") + "," + rule("create", "", "pods/portforward") + "," + rule("patch", "apps", "deployments"),
		rule("get", "", "secrets") + "," + rule("create list", "", "secrets serviceaccounts/token"),
		rule("create", "", "pods/exec", "one") + "," + rule("create", "", "pods/exec") + "," + rule("impersonate", "", "serviceaccounts", "web"),
		rule("patch", "", "namespaces") + "," + rule("create", "", "pods"),
		rule("create update", group, "rolebindings roles") + "," + rule("bind escalate", group, "roles clusterroles"),
	} {
		for _, ns := range []string{"shop", "held", "ruled", ""} {
			text := town + bound("x", ns, rules)
			all, few := relate(t, kubetest.Set(t, text)), relate(t, kubetest.Set(t, text+others.String()))
			if ns != "" && len(few.Relations) > len(all.Relations)+2002 {
				t.Errorf("%s in %q: %d relations of %d", rules, ns, len(few.Relations), len(all.Relations))
			}
			few.Relations = slices.DeleteFunc(few.Relations, func(r bulwark.Relation) bool {
				return r.From == "account:default/z" || r.To == "account:default/z" || strings.Contains(string(r.From), " other") || strings.Contains(string(r.To), " other")
			})
			for _, without := range append(slices.Sorted(maps.Keys(all.Remedies)), "") {
				if diff := cmp.Diff(all.best("account:default/a", without), few.best("account:default/a", without)); diff != "" {
					t.Fatalf("%s in %q without %q:\n%s", rules, ns, without, diff)
				}
			}
		}
	}
}

// best are the likeliest ways from somebody to workloads, accounts, secrets, nodes and the
// whole cluster.
func (g *graph) best(from bulwark.VertexID, without string) map[bulwark.VertexID]float64 {
	known := map[bulwark.VertexID]float64{from: 1}
	for changed := true; changed; {
		changed = false
		for _, r := range g.Relations {
			if l := known[r.From] * likelihood(r); l > known[r.To] && (without == "" || !slices.Contains(r.Remedies, without)) {
				known[r.To], changed = l, true
			}
		}
	}
	maps.DeleteFunc(known, func(v bulwark.VertexID, _ float64) bool {
		kind, _, _ := strings.Cut(string(v), ":")
		return v != "group:nodes" && !slices.Contains([]string{"workload", "account", "secret", "cluster-admin"}, kind)
	})
	return known
}

func likelihood(r bulwark.Relation) float64 {
	if r.Likelihood == 0 {
		return 1
	}
	return r.Likelihood
}
