package cli

import (
	"slices"
	"testing"

	"bulwark"
	"bulwark/graph"
)

// TestSpelled holds that vertices are found by the names that people have for them.
func TestSpelled(t *testing.T) {
	all := []bulwark.VertexID{"internet", "workload:shop/Deployment/web", "workload:shop/Pod/one", "account:shop/cart", "secret:vault/root", "node:n1", "identity:User jane", "identity:Group ops"}
	for text, want := range map[string]bulwark.VertexID{
		"deployment/web": "workload:shop/Deployment/web", "deploy/web": "workload:shop/Deployment/web", "pod:web": "workload:shop/Deployment/web", "pods/one": "workload:shop/Pod/one", "pod/shop/one": "workload:shop/Pod/one",
		"shop/web": "workload:shop/Deployment/web", "Deployment/web": "workload:shop/Deployment/web",
		"sa:shop/cart": "account:shop/cart", "ServiceAccount/shop/cart": "account:shop/cart", "sa/cart": "account:shop/cart", "system:serviceaccount:shop:cart": "account:shop/cart",
		"vault/root": "secret:vault/root", "Secret/root": "secret:vault/root", "secrets": "secret:vault/root", "secrets/vault/root": "secret:vault/root",
		"nodes": "node:n1", "no/n1": "node:n1", "Internet": "internet", "user:jane": "identity:User jane", "group/ops": "identity:Group ops",
	} {
		if found := meant(all, text); !slices.Equal(found, []bulwark.VertexID{want}) {
			t.Errorf("%s is %v, want %s", text, found, want)
		}
	}
	for _, text := range []string{"shop/nothing", "deploy/none", "sa:other/cart", "x:y"} {
		if found := meant(all, text); len(found) > 0 {
			t.Errorf("%s is %v", text, found)
		}
	}
}

// TestMisspelt holds that whoever slips is told what may be meant.
func TestMisspelt(t *testing.T) {
	g := graph.New()
	for _, v := range []bulwark.VertexID{"workload:shop/Deployment/checkout", "container:shop/Deployment/checkout/server", "secret:vault/root-password", "cluster-admin"} {
		g.Relation(bulwark.Relation{From: "internet", To: v})
	}
	for text, want := range map[string]string{
		"workload:shop/Deployment/chekcout": "did you mean workload:shop/Deployment/checkout?",
		"chekout":                           "did you mean workload:shop/Deployment/checkout?",
		"deploy/chekout":                    "did you mean workload:shop/Deployment/checkout?",
		"secret:vault/rot-password":         "did you mean secret:vault/root-password?",
		"clusteradmin":                      "did you mean cluster-admin?",
		"internt":                           "did you mean internet?",
		"workload:nothing":                  "there are workload:shop/Deployment/checkout",
	} {
		if got := similar(g, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestWorkloadIsReachedByAContainer holds that a workload that is asked for is reached with any of
// its containers, and that nobody begins in it.
func TestWorkloadIsReachedByAContainer(t *testing.T) {
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "workload:shop/Pod/web", To: "container:shop/Pod/web/app"},
		{From: "workload:shop/Pod/web", To: "container:shop/Pod/web/proxy"},
		{From: "workload:shop/Pod/other", To: "container:shop/Pod/other/app"},
		{From: "container:shop/Pod/other/app", To: "container:shop/Pod/web/proxy", Likelihood: 0.5},
	} {
		g.Relation(r)
	}
	for _, from := range [][]string{nil, {"pod/other"}} {
		q, _, err := (&attack{from: from, to: []string{"pod/web"}}).question(g)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := g.Most(q, 10)
		if len(list) != 1 || list[0].From() != "workload:shop/Pod/other" || list[0].To() != "container:shop/Pod/web/proxy" {
			t.Errorf("from %v: %+v", from, list)
		}
	}
}
