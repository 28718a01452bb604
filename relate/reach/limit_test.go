package reach_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// related gives the relations of a type with what is known of why, and what removes them.
func (c told) related(edge, from, to string) (list []bulwark.Relation) {
	for _, r := range c.Relations {
		if r.Type == edge && string(r.From) == from && string(r.To) == to {
			list = append(list, r)
		}
	}
	return list
}

func about(rule, subject string, evidence ...string) bulwark.Finding {
	return bulwark.Finding{Key: "key of " + rule, Rule: rule, Subject: subject, Asset: "a", Evidence: evidence, Fix: &bulwark.Fix{Text: "mend it"}}
}

// TestLimits holds that what checks found wrong with policies is tied to the relations that
// these let: as a remedy where mending it removes the relation, as a reason alone where
// another policy may let the same.
func TestLimits(t *testing.T) {
	const policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: "
	two := deployment("shop", "web", "") + deployment("shop", "db", "")
	const asks = "group:network of shop/Deployment/web"
	for _, tt := range []struct {
		name, text     string
		finding        bulwark.Finding
		edge, from, to string
		remedies       []string
	}{
		{"a policy that lets out to the metadata service", deployment("shop", "web", "") + policy + "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}\n---\n",
			about("network/metadata-open", "shop/NetworkPolicy/p"), "CLOUD_METADATA", asks, "group:pods that reach the metadata service", []string{"a key of network/metadata-open"}},
		{"pods that no policy for what is sent selects", deployment("shop", "web", ""),
			about("network/egress-unlimited", "Namespace/shop", "shop: no policy selects web for egress"), "CLOUD_METADATA", asks, "group:pods that reach the metadata service", []string{"shop without metadata", "a key of network/egress-unlimited"}},
		{"pods that no policy selects", two + policy + "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}\n---\n",
			about("network/pods-unselected", "Namespace/shop", "shop: no policy selects db for ingress"), "NETWORK_REACH", asks, "endpoint:shop/Deployment/db", []string{"a key of network/pods-unselected", "shop/Deployment/db NetworkPolicy"}},
		{"a database for all", two + policy + "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}}]}]}\n---\n",
			about("network/database-for-all", "shop/NetworkPolicy/p"), "NETWORK_REACH", asks, "endpoint:shop/Deployment/db", []string{"shop/Deployment/db NetworkPolicy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := relate(t, target(t, tt.text), tt.finding)
			list := c.related(tt.edge, tt.from, tt.to)
			if len(list) != 1 || !slices.Contains(list[0].Because, tt.finding.Key) || !slices.Equal(list[0].Remedies, tt.remedies) {
				t.Errorf("%+v of %q", list, c.lines(tt.edge))
			}
		})
	}
}

// TestSeveralLetOut holds that a policy which lets the same as another has a relation of its own.
func TestSeveralLetOut(t *testing.T) {
	const spec = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}\n---\n"
	text := deployment("shop", "web", "")
	for _, name := range []string{"p", "q"} {
		text += "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name + ", namespace: shop}\nspec: " + spec
	}
	c := relate(t, target(t, text))
	if list := c.related("CLOUD_METADATA", "group:network of shop/Deployment/web", "group:pods that reach the metadata service"); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}

// TestManyContainers holds that a pod of very many containers and ports takes relations by
// their number, and that ports of which there are too many are not told apart.
func TestManyContainers(t *testing.T) {
	const n = 10_000
	containers := func(ports func(i int) string) string {
		var b strings.Builder
		b.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: web}}\nspec:\n  containers:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {name: c%d, image: x%s}\n", i, ports(i))
		}
		return b.String() + "---\n" + svc("web", ", type: LoadBalancer")
	}
	c := relate(t, target(t, containers(func(i int) string { return fmt.Sprintf(", ports: [{containerPort: %d}]", 1+i) })))
	if got := len(c.Relations); got == 0 || got > 3*n {
		t.Errorf("%d relations of %d containers", got, n)
	}
	one := "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: web}}\nspec:\n  containers:\n  - {name: a, image: x}\n  - name: b\n    ports: ["
	for i := range n {
		one += fmt.Sprintf("{containerPort: %d}, ", 1+i)
	}
	c = relate(t, target(t, one+"]\n---\n"+svc("web", ", type: LoadBalancer")))
	if got := len(c.related("EXPOSED", "internet", "endpoint:shop/Pod/p")); got != 1 {
		t.Errorf("%d ways to a pod of which one container says too many ports: %q", got, c.lines("EXPOSED"))
	}
}
