package intent_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/check/intent"
	"bulwark/kube"
)

const shop = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pg, namespace: db, labels: {app: pg}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: db}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}, {port: 22}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 80}]}], egress: [{to: [{namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]}
`

// look gives the findings and notes about shop under a contract.
func look(t *testing.T, contract string) []string { return lookAt(t, shop, contract) }

func lookAt(t *testing.T, objects, contract string) []string {
	t.Helper()
	c, err := intent.Read(strings.NewReader(contract), "flows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(objects)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "shop.yaml", Line: d.Line}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	var list []string
	err = intent.New(c).Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil {
			list = append(list, f.Severity.String()+" "+f.Rule+" "+f.Evidence[0])
		} else {
			list = append(list, "note "+r.Note.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestCheck(t *testing.T) {
	everything := []string{
		"high intent/unintended-flow 0.0.0.0-255.255.255.255[External] => shop/web[Pod] : TCP 80",
		"medium intent/unintended-flow shop/web[Pod] => 10.0.0.0-10.255.255.255[External] : All Connections",
		"medium intent/unintended-flow shop/web[Pod] => db/pg[Pod] : TCP 22,5432",
	}
	for _, tt := range []struct {
		name, flows string
		want        []string
	}{
		{"nothing is meant", "flows: []", everything},
		{"all is meant", "flows:\n- {from: any, to: any}", nil},
		{"exactly", "flows:\n- {from: 0.0.0.0/0, to: shop/web, ports: 80}\n- {from: shop/*, to: db/pg, ports: [5432, tcp/22]}\n- {from: {namespace: shop}, to: {cidr: 10.0.0.0/8}}", nil},
		{"one port too many", "flows:\n- {from: [0.0.0.0/0, '::/0'], to: shop/web, ports: 80}\n- {from: 'shop/web[Pod]', to: {selector: {matchLabels: {app: pg}}}, ports: 5432}\n- {from: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}, to: 10.0.0.0/9}",
			[]string{"medium intent/unintended-flow shop/web[Pod] => 10.128.0.0-10.255.255.255[External] : All Connections", "medium intent/unintended-flow shop/web[Pod] => db/pg[Pod] : TCP 22"}},
		{"private addresses are no internet", "flows:\n- {from: internet, to: shop/web}\n- {from: shop/web, to: ['*/*', 10.0.0.0/8]}",
			[]string{"medium intent/unintended-flow 10.0.0.0-10.255.255.255, 100.64.0.0-100.127.255.255, 169.254.0.0-169.254.255.255, 2 more blocks[External] => shop/web[Pod] : TCP 80"}},
		{"what is meant is closed", "flows:\n- {from: any, to: any}\n- {name: back, from: db/pg, to: shop/web, ports: 80}\n- {from: db/pg, to: 10.1.0.0/16}\n- {from: db/pg, to: shop/web, ports: 81, optional: true}\n- {from: no/body, to: any}",
			[]string{"medium intent/closed-flow db/pg[Pod] => 10.1.0.0-10.1.255.255[External] : All Connections", "medium intent/closed-flow db/pg[Pod] => shop/web[Pod] : TCP 80", "note flows.yaml:6: the flow names nobody who is there"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, look(t, tt.flows)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A contract that says something else than its writer thinks is refused, with the line.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "it is empty",
		"flows: [":                       "yaml",
		"flow: []":                       `f:1: unknown field "flow"`,
		"flows:\n- {from: a/b}":          "f:2: a flow has from and to",
		"flows:\n- {from: web, to: any}": `f:2: "web" is no end of a flow`,
		"flows:\n- {from: a/b, to: c/d, ports: [http]}":                                         `f:2: "http" is no port`,
		"flows:\n- {from: a/b, to: {pod: x}}":                                                   `f:2: unknown field "pod"`,
		"flows:\n- {from: a/b, to: {cidr: x/y}}":                                                "f:2: cidr is a block",
		"flows:\n- {from: a/b, to: {cidr: 1.1.1.1, namespace: x}}":                              "workloads or addresses",
		"flows:\n- {from: a/b, to: {selector: {matchExpressions: [{key: a, operator: Like}]}}}": "f:2: ",
		"flows:\n- {from: a/b, to: c/d, optional: perhaps}":                                     "f:2: optional is true or false",
		"- a": "f:1: fields are wanted",
	} {
		_, err := intent.Read(strings.NewReader(text), "f")
		if err == nil || !errors.Is(err, bulwark.ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%q): %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("flows:\n- {name: a, from: [a/b, 10.0.0.0/8, internet], to: {selector: {matchLabels: {a: b}}}, ports: [80, UDP/53]}")
	f.Fuzz(func(t *testing.T, s string) { _, _ = intent.Read(strings.NewReader(s), "f") })
}

// Workloads that are alike are each told of, with each.
func TestAlike(t *testing.T) {
	var objects, want strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		fmt.Fprintf(&objects, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: n, labels: {app: x}}\nspec: {containers: [{name: c, image: i}]}\n---\n", name)
		for _, to := range []string{"a", "b", "c"} {
			if name != to {
				fmt.Fprintf(&want, "medium intent/unintended-flow n/%s[Pod] => n/%s[Pod] : All Connections\n", name, to)
			}
		}
	}
	got := lookAt(t, objects.String(), "flows:\n- {from: n/*, to: any, ports: 80, optional: true}\n- {from: n/*, to: [0.0.0.0/0, '::/0']}\n- {from: [0.0.0.0/0, '::/0'], to: n/*}")
	for i := range got {
		got[i] = strings.Replace(got[i], "SCTP 1-65535,TCP 1-79,81-65535,UDP 1-65535", "All Connections", 1)
	}
	if diff := cmp.Diff(strings.TrimSuffix(want.String(), "\n"), strings.Join(got, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
