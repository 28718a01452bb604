package reach_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube/kubetest"
	"bulwark/relate/internal/relatetest"
	"bulwark/relate/reach"

	"github.com/google/go-cmp/cmp"
)

// told is what the relater tells.
type told struct{ *relatetest.Told }

func target(tb testing.TB, text string) *bulwark.Target {
	tb.Helper()
	return &bulwark.Target{Asset: bulwark.Asset{ID: "file:f.yaml"}, Objects: kubetest.Set(tb, text)}
}

func relate(tb testing.TB, t *bulwark.Target, findings ...bulwark.Finding) told {
	tb.Helper()
	return told{relatetest.Ask(tb, reach.New(), t, findings...)}
}

// lines are the relations of the types as texts, sorted.
func (c told) lines(types ...string) []string {
	var list []string
	for _, r := range c.Relations {
		if slices.Contains(types, r.Type) {
			list = append(list, fmt.Sprintf("%s -> %s %v %v", r.From, r.To, r.Likelihood, r.Remedies))
		}
	}
	slices.Sort(list)
	return list
}

func deployment(namespace, name, more string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {template: {metadata: {labels: {app: " + name + "}}, spec: {" + more + "containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}}\n---\n"
}

func svc(name, spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: shop}\nspec: {selector: {app: " + name + "}, ports: [{port: 80, targetPort: 8080}]" + spec + "}\n---\n"
}

const deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n---\n"

func TestExposed(t *testing.T) {
	ingress := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: in, namespace: shop}\nspec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n---\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", deployment("shop", "web", "") + svc("web", ""), nil},
		{"load balancer", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer"), []string{"internet -> endpoint:shop/Deployment/web 1 [shop/Service/web as ClusterIP]"}},
		{"load balancer, policy for nodes alone", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer") +
			"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}}\n",
			[]string{"internet -> endpoint:shop/Deployment/web 0.5 [shop/Service/web as ClusterIP]"}},
		{"node port", deployment("shop", "web", "") + svc("web", ", type: NodePort"), []string{"internet -> endpoint:shop/Deployment/web 0.5 [shop/Service/web as ClusterIP]"}},
		{"some sources", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24]"), []string{"internet -> endpoint:shop/Deployment/web 0.1 [shop/Service/web as ClusterIP]"}},
		{"private sources", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]"), nil},
		{"ingress and load balancer", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer") + ingress,
			[]string{"internet -> endpoint:shop/Deployment/web 1 []", "internet -> endpoint:shop/Deployment/web 1 [shop/Service/web as ClusterIP]"}},
		{"closed by a policy", deployment("shop", "web", "") + svc("web", ", type: LoadBalancer") + ingress + deny, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, relate(t, target(t, tt.text)).lines("EXPOSED")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A finding about the Service is what makes it reached, and its fix removes that.
func TestFindings(t *testing.T) {
	f := bulwark.Finding{Key: "k", Rule: "exposure/node-port", Subject: "shop/Service/web", Asset: "file:f.yaml", Fix: &bulwark.Fix{Text: "x"}}
	open := bulwark.Finding{Key: "o", Rule: "workload/no-authentication", Subject: "shop/Deployment/web", Asset: "file:f.yaml", Fix: &bulwark.Fix{Text: "x"}}
	c := relate(t, target(t, deployment("shop", "web", "")+svc("web", ", type: NodePort")), f, open)
	want := []string{"endpoint:shop/Deployment/web -> container:shop/Deployment/web/c 0.1 []", "endpoint:shop/Deployment/web -> container:shop/Deployment/web/c 0.9 [file:f.yaml o]",
		"internet -> endpoint:shop/Deployment/web 0.5 [file:f.yaml k]"}
	if diff := cmp.Diff(want, c.lines("EXPOSED", "ENDPOINT_EXPLOIT")); diff != "" {
		t.Error(diff)
	}
}

func TestInside(t *testing.T) {
	two := deployment("shop", "web", "") + deployment("shop", "db", "")
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"open", two, []string{
			"group:receivers like shop/db[Deployment] -> endpoint:shop/Deployment/db 0 [shop/Deployment/db NetworkPolicy]",
			"group:receivers like shop/db[Deployment] -> endpoint:shop/Deployment/web 0 [shop/Deployment/web NetworkPolicy]",
			"group:senders like shop/db[Deployment] -> group:receivers like shop/db[Deployment] 0 []",
			"group:network of shop/Deployment/db -> group:senders like shop/db[Deployment] 0 []",
			"group:network of shop/Deployment/web -> group:senders like shop/db[Deployment] 0 []"}},
		{"closed", two + deny, nil},
		{"one lets the other in", two + "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, namespace: shop}\nspec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}\n---\n", []string{
			"group:network of shop/Deployment/db -> endpoint:shop/Deployment/web 0 [shop/Deployment/web NetworkPolicy]",
			"group:network of shop/Deployment/web -> endpoint:shop/Deployment/db 0 [shop/Deployment/db NetworkPolicy]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, relate(t, target(t, tt.text)).lines("NETWORK_REACH")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a workload is told to call has to stay open: no policy removes it.
func TestToldToCall(t *testing.T) {
	text := strings.Replace(deployment("shop", "web", ""), "image: x,", "image: x, env: [{name: DB, value: 'http://db:80'}],", 1) + deployment("shop", "db", "") + svc("db", "")
	want := "group:network of shop/Deployment/web -> endpoint:shop/Deployment/db 0 []"
	if got := relate(t, target(t, text)).lines("NETWORK_REACH"); !slices.Contains(got, want) {
		t.Errorf("%q is not in %q", want, got)
	}
}

func TestMetadata(t *testing.T) {
	const group = "group:pods that reach the metadata service -> "
	node := func(provider, labels string) string {
		return "apiVersion: v1\nkind: Node\nmetadata: {name: n, labels: {" + labels + "}}\nspec: {providerID: '" + provider + ":///x'}\n---\n"
	}
	web := deployment("shop", "web", "")
	asks := "group:network of shop/Deployment/web -> group:pods that reach the metadata service 0 [shop without metadata]"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"no nodes", web, []string{group + "cloud:*/identity of the nodes 0.3 [nodes metadata]", asks}},
		{"AWS", web + node("aws", "eks.amazonaws.com/nodegroup: blue"), []string{group + "cloud:aws/identity of the nodes of blue 0.5 [nodes metadata]", asks}},
		{"Azure", web + node("azure", ""), []string{group + "cloud:azure/identity of the nodes 0.9 [nodes metadata]", asks}},
		{"GKE that keeps pods from it", web + node("gce", "iam.gke.io/gke-metadata-server-enabled: 'true'"), nil},
		{"kind", web + node("kind", ""), nil},
		{"closed", web + deny, nil},
		{"closed but for the network of the node", deployment("shop", "web", "hostNetwork: true, ") + deny, []string{"group:network of shop/Deployment/web -> cloud:*/identity of the nodes 0.3 [shop/Deployment/web without hostNetwork]"}},
		{"nothing else", web + "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}]}]}\n---\n",
			[]string{group + "cloud:*/identity of the nodes 0.3 [nodes metadata]", "group:network of shop/Deployment/web -> group:pods that reach the metadata service 0.5 [shop/NetworkPolicy/p without metadata]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := relate(t, target(t, tt.text))
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, c.lines("CLOUD_METADATA")); diff != "" {
				t.Error(diff)
			}
			for _, r := range c.Relations {
				for _, id := range r.Remedies {
					if c.Remedies[id].Text == "" {
						t.Errorf("%v: the remedy %q was not told: %v", r, id, slices.Collect(maps.Keys(c.Remedies)))
					}
				}
			}
		})
	}
}

// An open cluster takes about two relations for the network of each workload.
func TestOpenCluster(t *testing.T) {
	const n = 10_000
	var b strings.Builder
	for i := range n {
		b.WriteString(deployment(fmt.Sprint("ns", i%50), fmt.Sprint("w", i), ""))
	}
	c := relate(t, target(t, b.String()))
	if got := len(c.lines("NETWORK_REACH")); got > 2*n+10 {
		t.Errorf("%d relations", got)
	}
}
