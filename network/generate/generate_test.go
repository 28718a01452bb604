package generate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
)

// set makes the objects of YAML.
func set(t *testing.T, text string) *kube.Set {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "test.yaml"})
		if d.Err != nil || !ok {
			t.Fatalf("line %d: %v", d.Line, d.Err)
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, version: v1}}, spec: {containers: [{name: web, image: web,
  env: [{name: CART, value: "http://cart/api"}, {name: MAIL, value: "smtp.example.org:25"}, {name: PAY, value: "https://api.example.org/v1"}, {name: MODE, value: db}],
  envFrom: [{configMapRef: {name: web}}], args: ["--db=pg.data.svc.cluster.local:5432"]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {serviceAccountName: cart, containers: [{name: cart, image: cart, ports: [{name: http, containerPort: 8080}]}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: pg, namespace: data}
spec: {selector: {matchLabels: {app: pg}}, template: {metadata: {labels: {app: pg}}, spec: {containers: [{name: pg, image: postgres, ports: [{containerPort: 5432}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: lonely, namespace: data}
spec: {selector: {matchLabels: {app: lonely}}, template: {metadata: {labels: {app: lonely}}, spec: {containers: [{name: a, image: a}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: http}, {port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: pg, namespace: data}
spec: {clusterIP: None, selector: {app: pg}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24], selector: {app: web}, ports: [{port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {QUEUE: "the cart is a word here", OWN: "web"}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: site, namespace: shop}
spec: {rules: [{http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: cart, namespace: shop}
roleRef: {kind: Role, name: x, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: cart}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks: [{name: a, clientConfig: {service: {namespace: shop, name: cart, port: 9000}}}]
`

func TestFlows(t *testing.T) {
	p := New(set(t, shop), "")
	var got []string
	for _, f := range p.Flows {
		peer := [...]string{"", "dns", "any pod", "addresses", "the API server"}[f.Peer.Kind]
		switch f.Peer.Kind {
		case Workload:
			peer = p.Engine.Endpoints[f.Peer.Endpoint].Name
		case Addresses:
			peer = firstOf(f.Peer.Host, joined(f.Peer.CIDRs))
		}
		if peer != "dns" {
			got = append(got, p.Engine.Endpoints[f.Endpoint].Name+" "+f.Direction.String()+" "+peer+" "+f.Ports.String())
		}
	}
	slices.Sort(got)
	want := []string{
		"cart egress the API server TCP 443,6443",
		"cart ingress any pod TCP 8080",
		"cart ingress the API server TCP 9000",
		"cart ingress web TCP 8080",
		"pg ingress web TCP 5432",
		"web egress api.example.org TCP 443",
		"web egress cart TCP 8080",
		"web egress pg TCP 5432",
		"web egress smtp.example.org TCP 25",
		"web ingress 198.51.100.0/24 TCP 8443",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const watched = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web,
  args: ["--prometheus-url=http://prom.mon.svc:9090/"], ports: [{name: metrics, containerPort: 9100}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: shop}
spec: {selector: {matchLabels: {app: old}}, template: {metadata: {labels: {app: old}, annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9200"}}, spec: {containers: [{name: old, image: old}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {team: a}}
spec: {selector: {app: web}, ports: [{name: m, port: 80, targetPort: metrics}]}
---
apiVersion: v1
kind: Service
metadata: {name: prom, namespace: mon}
spec: {selector: {app.kubernetes.io/name: prometheus}, ports: [{port: 9090, targetPort: web}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: mon}
spec: {namespaceSelector: {any: true}, selector: {matchLabels: {team: a}}, endpoints: [{port: m}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: elsewhere, namespace: mon}
spec: {selector: {}, endpoints: [{port: m}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: pods, namespace: mon}
spec: {namespaceSelector: {matchNames: [shop]}, selector: {matchExpressions: [{key: app, operator: In, values: [old]}]}, podMetricsEndpoints: [{portNumber: 9300}]}
`

const prometheus = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: prom, namespace: mon}\nspec: {selector: {matchLabels: {app.kubernetes.io/name: prometheus}}, template: {metadata: {labels: {app.kubernetes.io/name: prometheus}}, spec: {containers: [{name: p, image: p, ports: [{name: web, containerPort: 9090}]}]}}}\n"

// TestScraped: who scrapes gets in, and what an operator makes is reached by its Service.
func TestScraped(t *testing.T) {
	operator := "---\napiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s, namespace: mon}\n"
	for name, tt := range map[string]struct {
		more string
		want []string
	}{
		"any pod, as nobody is known": {"", []string{"old ingress any pod TCP 9200", "old ingress any pod TCP 9300", "web egress mon/prometheus TCP 9090", "web ingress any pod TCP 9100"}},
		"by its operator":             {operator, []string{"old ingress mon/prometheus TCP 9200", "old ingress mon/prometheus TCP 9300", "web egress mon/prometheus TCP 9090", "web ingress mon/prometheus TCP 9100"}},
		"a workload": {prometheus, []string{"old ingress prom TCP 9200", "old ingress prom TCP 9300", "prom egress old TCP 9200", "prom egress old TCP 9300", "prom egress web TCP 9100", "prom ingress web TCP 9090",
			"web egress prom TCP 9090", "web ingress prom TCP 9100"}},
	} {
		p := New(set(t, watched+tt.more), "")
		var got []string
		for _, f := range p.Flows {
			peer := "any pod"
			switch f.Peer.Kind {
			case Workload:
				peer = p.Engine.Endpoints[f.Peer.Endpoint].Name
			case Selected:
				peer = f.Peer.Namespace + "/" + f.Peer.Labels["app.kubernetes.io/name"]
			}
			if f.Peer.Namespace != dns.Namespace {
				got = append(got, p.Engine.Endpoints[f.Endpoint].Name+" "+f.Direction.String()+" "+peer+" "+f.Ports.String())
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		for _, form := range []Form{NetworkPolicies, Cilium, Admin} {
			if proof, err := p.Prove(p.Documents(form)); err != nil || len(proof.Lost) > 0 || proof.Unread {
				t.Errorf("%s as %s: %v, %v", name, form, err, proof)
			}
		}
	}
}

// TestNames: where names are looked up, all get in; where that is not known, it is told of.
func TestNames(t *testing.T) {
	deployment := func(namespace, name, label string) string {
		return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {selector: {matchLabels: {" + label + "}}, template: {metadata: {labels: {" + label + "}}, spec: {containers: [{name: c, image: c}]}}}\n"
	}
	with := set(t, deployment("shop", "web", "app: web")+deployment("kube-system", "coredns", "k8s-app: kube-dns"))
	p := New(with, "")
	for _, form := range []Form{NetworkPolicies, Cilium, Admin} {
		documents := p.Documents(form)
		proof, err := p.Prove(documents)
		if err != nil || len(proof.Lost) > 0 || proof.Unread || proof.After != 1 {
			t.Errorf("%s: %v, %v", form, err, proof)
		}
		for i, d := range documents { // without its policy the names are gone, and the proof says so
			if form == NetworkPolicies && strings.Contains(d, "all look up names here") {
				if proof, err = p.Prove(slices.Delete(slices.Clone(documents), i, i+1)); err != nil || !strings.Contains(strings.Join(proof.Lost, "\n"), "egress of shop/web[Deployment]") {
					t.Errorf("without the policy of coredns: %v, %v", err, proof)
				}
			}
		}
	}
	if p = New(set(t, deployment("kube-system", "metrics", "app: metrics")), ""); !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "who answers for names") }) {
		t.Errorf("nothing is said of names: %q", p.Notes)
	}
}

// TestStrangers: pods that nobody has seen, and that a default deny would shut off, are told of.
func TestStrangers(t *testing.T) {
	p := New(set(t, shop+"---\napiVersion: v1\nkind: Service\nmetadata: {name: made, namespace: shop}\nspec: {selector: {app: made}, ports: [{port: 80}]}\n"), "")
	if !slices.ContainsFunc(p.Notes, func(n string) bool {
		return strings.Contains(n, "the pods of shop/Service/made are not among the objects")
	}) || len(p.Notes) != 1 {
		t.Errorf("%q", p.Notes)
	}
}

// TestForms: in every form the policies keep open what is declared, and close the rest.
func TestForms(t *testing.T) {
	for form, closed := range map[Form]int{NetworkPolicies: 10, Cilium: 10, Admin: 10} {
		p := New(set(t, shop), "")
		proof, err := p.Prove(p.Documents(form))
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if proof.Unread || form != Cilium && len(proof.Unsure) > 0 || len(proof.Lost) > 0 || proof.Before != 12 || proof.Before-proof.After != closed {
			t.Errorf("%s: %s, %q, %+v\n%s", form, proof, proof.Lost, proof.Closed, strings.Join(p.Documents(form), "---\n"))
		}
	}
}

// TestFormsAgree: read again, every form lets the same through between workloads.
func TestFormsAgree(t *testing.T) {
	for _, text := range []string{shop, watched + prometheus} {
		var want []string
		for _, form := range []Form{NetworkPolicies, Cilium, Admin} {
			p := New(set(t, text), "")
			e := network.New(set(t, text+"---\n"+strings.Join(p.Documents(form), "---\n")))
			var got []string
			for c := range e.All() {
				if !strings.Contains(c.String(), "[External]") {
					got = append(got, c.String())
				}
			}
			if want == nil {
				want = got
			}
			if len(got) == 0 || !slices.Equal(got, want) {
				t.Errorf("%s: got\n%s\nwant\n%s", form, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// TestShut: an administrator's policy that stands in the way of what is declared is told of.
func TestShut(t *testing.T) {
	s := set(t, shop+`---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: no}
spec: {priority: 1, subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: data}}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
`)
	p := New(s, "")
	proof, err := p.Prove(p.Documents(NetworkPolicies))
	if err != nil || len(proof.Lost) != 1 || !strings.Contains(proof.Lost[0], "data/pg[StatefulSet] on TCP 5432") {
		t.Errorf("%v, %+v", err, proof)
	}
}

// TestHostile: names that would break out of a line or a value do not.
func TestHostile(t *testing.T) {
	p := New(set(t, `
apiVersion: v1
kind: Pod
metadata: {name: "a: b\nc", namespace: "x\n---\nkind: Secret", labels: {app: "yes", "k\n": "v\n- x", n: "0o7"}}
spec: {containers: [{name: "c\nd: e", image: a, env: [{name: "X\nY", value: "http://me:80/\u0085\u2028x"}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: me, namespace: "x\n---\nkind: Secret"}
spec: {selector: {app: "yes"}, ports: [{port: 80}]}
`), "a\nb")
	for _, f := range []Form{NetworkPolicies, Cilium, Admin} {
		documents := p.Documents(f)
		for _, d := range kube.ParseYAML([]byte(strings.Join(documents, "---\n"))) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{}); d.Err != nil || !ok || !strings.HasSuffix(o.Kind, "NetworkPolicy") {
				t.Errorf("%s: %v\n%s", f, d.Err, strings.Join(documents, "---\n"))
			}
		}
	}
}

// TestCorpora: what real manifests declare stays open, and generated twice is the same.
func TestCorpora(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "manifests")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the manifests are not there")
	}
	for corpus, least := range map[string]int{"microservices-demo/kubernetes-manifests": 40, "kubernetes-goat/scenarios": 10, "kube-prometheus/manifests": 10, "k8s-examples": 20} {
		s := &kube.Set{}
		err := filepath.WalkDir(filepath.Join(dir, corpus), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".yaml" && filepath.Ext(file) != ".yml" {
				return err
			}
			data, err := os.ReadFile(file)
			for _, d := range kube.ParseYAML(data) {
				if o, ok := kube.NewObject(d.Root, kube.Origin{File: file}); ok && d.Err == nil && o.Kind != "NetworkPolicy" {
					s.Objects = append(s.Objects, o)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		p := New(s, "")
		for _, f := range []Form{NetworkPolicies, Cilium, Admin} {
			documents := p.Documents(f)
			proof, err := p.Prove(documents)
			if err != nil || len(proof.Lost) > 0 || proof.Flows < least || !proof.Unread && proof.After*2 > proof.Before {
				t.Errorf("%s as %s: %v, %+v", corpus, f, err, proof)
			}
			if !slices.Equal(documents, New(s, "").Documents(f)) {
				t.Errorf("%s as %s: another time it is something else", corpus, f)
			}
			t.Logf("%s as %s: %d policies, %s", corpus, f, len(documents), proof)
		}
	}
}
