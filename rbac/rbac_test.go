package rbac

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
)

const shop = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {team: shop}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secrets, labels: {team: shop}}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: read, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects:
- {kind: ServiceAccount, name: web}
- {kind: User, name: "system:serviceaccount:shop:job"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{kind: Group, name: ops}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: nowhere}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gone}
subjects: [{kind: Group, name: ops}]
`

func ways(list []Way) []string {
	var out []string
	for i := range list {
		out = append(out, list[i].String())
	}
	return out
}

func TestWhoNamesTheChain(t *testing.T) {
	r := Of(setOf(t, shop))
	got := ways(r.Who(Query{Request: Request{Verb: "list", Resource: "secrets", Namespace: "shop"}}))
	want := []string{
		"Group ops by ClusterRoleBinding/ops (f.yaml:26) -> ClusterRole/admin <- ClusterRole/system:aggregate-to-edit (built in): get, list, watch secrets, pods/attach, pods/exec, pods/portforward, pods/proxy, services/proxy",
		"ServiceAccount shop/job by shop/RoleBinding/read (f.yaml:18) -> ClusterRole/reader <- ClusterRole/secrets (f.yaml:13): get, list secrets",
		"ServiceAccount shop/web by shop/RoleBinding/read (f.yaml:18) -> ClusterRole/reader <- ClusterRole/secrets (f.yaml:13): get, list secrets",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScope(t *testing.T) {
	r := Of(setOf(t, shop))
	for _, tt := range []struct {
		q    Query
		want int
	}{
		{Query{Request: Request{Verb: "list", Resource: "secrets"}}, 1},
		{Query{Request: Request{Verb: "list", Resource: "secrets", Namespace: "other"}}, 1},
		{Query{Request: Request{Verb: "list", Resource: "secrets"}, Anywhere: true}, 3},
		{Query{Request: Request{Verb: "get", Path: "/healthz"}}, 0},
	} {
		if got := r.Who(tt.q); len(got) != tt.want {
			t.Errorf("Who(%+v) = %q, want %d", tt.q, ways(got), tt.want)
		}
	}
}

func TestNamesCountWhenAnyNameDoes(t *testing.T) {
	r := Of(setOf(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: one}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [tls], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: one}
roleRef: {kind: ClusterRole, name: one}
subjects: [{kind: User, name: jane}]
`))
	q := Query{Request: Request{Verb: "get", Resource: "secrets"}}
	if got := r.Who(q); len(got) != 0 {
		t.Errorf("without a name: %q", ways(got))
	}
	if q.AnyName = true; len(r.Who(q)) != 1 {
		t.Error("with any name it is not found")
	}
	if q.AnyName, q.Name = false, "tls"; len(r.Who(q)) != 1 {
		t.Error("with its name it is not found")
	}
}

// What a role allows for every object is not told as if it were for some; where it is for
// some only, all of them are told.
func TestNamesOfSeveralRules(t *testing.T) {
	r := Of(setOf(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: both}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [get, list]}
- {apiGroups: [""], resources: [secrets], resourceNames: [b], verbs: [list, deletecollection]}
- {apiGroups: [""], resources: [secrets], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: both}
roleRef: {kind: ClusterRole, name: both}
subjects: [{kind: User, name: jane}, {kind: User, name: jane}]
`))
	for _, tt := range []struct {
		verb string
		want []int
	}{{"get", []int{2}}, {"list", []int{0, 1}}, {"deletecollection", nil}} {
		var got []int
		for _, way := range r.Who(Query{Request: Request{Verb: tt.verb, Resource: "secrets"}, AnyName: true}) {
			got = append(got, way.Index)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", tt.verb, diff)
		}
	}
}

func TestURLsBelongToNoNamespace(t *testing.T) {
	r := Of(setOf(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics}
rules: [{nonResourceURLs: [/metrics], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: metrics, namespace: shop}
roleRef: {kind: ClusterRole, name: metrics}
subjects: [{kind: Group, name: system:serviceaccounts:shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics}
roleRef: {kind: ClusterRole, name: metrics}
subjects: [{kind: Group, name: system:serviceaccounts:ops}]
`))
	for namespace, want := range map[string]int{"shop": 0, "ops": 1} {
		for _, s := range []Subject{Account(namespace, "web"), {Kind: User, Name: "system:serviceaccount:" + namespace + ":web"}} {
			if got := r.Of(s.Identity()); len(got) != want {
				t.Errorf("%s: %q, want %d", s, ways(got), want)
			}
		}
	}
}

func TestMastersMayDoEverything(t *testing.T) {
	way, ok := Of(&kube.Set{}).Can(Subject{Kind: UserGroup, Name: Masters}.Identity(), Request{Verb: "x", Resource: "y"})
	if !ok || !strings.Contains(way.String(), Masters) {
		t.Errorf("%v %s", ok, way.String())
	}
}

// A cluster's controller writes what a role aggregates into it: the rules are told of as
// those of the role that they come from, once.
func TestFilledAggregation(t *testing.T) {
	filled := strings.Replace(shop, "rules: []", `rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list]}`, 1)
	r := Of(setOf(t, filled))
	role := r.Role("ClusterRole/reader")
	if len(role.Rules) != 1 || cmp.Diff([]any{"rules", 0}, role.At(0)) != "" || len(role.From) != 1 {
		t.Errorf("rules %v, from %d", role.Rules, len(role.From))
	}
	if got := r.Role("ClusterRole/secrets").Reach(); len(got) != 1 || got[0].Object.Name != "read" {
		t.Errorf("Reach = %v", got)
	}
}

func TestNearestRoleCounts(t *testing.T) {
	s := &kube.Set{}
	for _, dir := range []string{"dev", "prod"} {
		verb := map[string]string{"dev": "*", "prod": "get"}[dir]
		for _, text := range []string{
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{apiGroups: [''], resources: [pods], verbs: ['" + verb + "']}]}",
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: User, name: " + dir + "}]}",
		} {
			o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: dir + "/" + fmt.Sprint(len(s.Objects)) + ".yaml"})
			s.Objects = append(s.Objects, o)
		}
	}
	got := Of(s).Who(Query{Request: Request{Verb: "delete", Resource: "pods"}})
	if len(got) != 1 || got[0].Subject.Name != "dev" {
		t.Errorf("Who = %q", ways(got))
	}
}

// What cannot be, or is too much, ends in time and does not count.
func TestHostile(t *testing.T) {
	var many, values strings.Builder
	many.WriteString(`{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "many"}, "rules": [`)
	for i := range 40_000 {
		fmt.Fprintf(&many, `{"verbs": ["get"], "apiGroups": ["g%d"]},`+"\n", i)
	}
	many.WriteString(`{}]}`)
	for i := range 200_000 {
		fmt.Fprintf(&values, "a%d,", i)
	}
	for name, text := range map[string]string{
		"many rules":  many.String(),
		"many values": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\naggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: k, operator: In, values: [" + values.String() + "]}]}]}\n",
		"wrong types": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: [a], labels: 3}\nrules: {verbs: x}\naggregationRule: [1]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: x\nsubjects: [1, [2], {kind: {a: b}}, {kind: User, name: null}]\n",
		"cycle":       "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, labels: {x: y}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {x: y}}]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: b, labels: {x: y}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {x: y}}]}\n",
	} {
		r := Of(setOf(t, text))
		if got := r.Who(Query{Request: Request{Verb: "get", Group: "g39999", Resource: "pods"}, Anywhere: true, AnyName: true}); len(got) != 0 {
			t.Errorf("%s: %q", name, ways(got))
		}
		if name == "many rules" && len(r.Problems) != 1 {
			t.Errorf("%s: nobody is told: %q", name, r.Problems)
		}
	}
}

// Thousands of roles that all choose each other by expressions end within the budget.
func TestHostileAggregation(t *testing.T) {
	var b strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&b, "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r%d}, aggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: k, operator: DoesNotExist}]}]}}\n", i)
	}
	if r := Of(setOf(t, b.String())); len(r.Problems) != 1 {
		t.Errorf("problems: %q", r.Problems)
	}
}

func FuzzSet(f *testing.F) {
	f.Add(shop)
	f.Add("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\naggregationRule: {clusterRoleSelectors: [{}]}\nrules: [{verbs: ['*'], nonResourceURLs: ['/*']}]")
	f.Fuzz(func(t *testing.T, text string) {
		s := &kube.Set{}
		for _, d := range kube.ParseYAML([]byte(text)) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: "f"}); ok {
				s.Objects = append(s.Objects, o)
			}
		}
		r := Of(s)
		for i, way := range r.Who(Query{Request: Request{Verb: "get", Resource: "secrets"}, Anywhere: true, AnyName: true}) {
			if _ = way.String(); i > 100 {
				break
			}
		}
		r.Of(Account("default", "default").Identity())
	})
}

// BenchmarkRights builds 10,000 roles and 10,000 bindings of 10 subjects each, and asks once.
func BenchmarkRights(b *testing.B) {
	s := largeSet(b, 10_000)
	for b.Loop() {
		r := build(s)
		if len(r.Who(Query{Request: Request{Verb: "get", Resource: "secrets"}, Anywhere: true})) == 0 {
			b.Fatal("nobody")
		}
	}
	b.ReportMetric(float64(s.Len())*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func largeSet(t testing.TB, n int) *kube.Set {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r%[1]d","namespace":"ns%[2]d"},"rules":[{"apiGroups":[""],"resources":["configmaps","secrets"],"verbs":["get"]},{"apiGroups":["apps"],"resources":["deployments"],"verbs":["list","watch"]}]}
---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b%[1]d","namespace":"ns%[2]d"},"roleRef":{"kind":"Role","name":"r%[1]d"},"subjects":[`, i, i%100)
		for j := range 10 {
			fmt.Fprintf(&b, `{"kind":"ServiceAccount","name":"sa%d"},`, i*10+j)
		}
		b.WriteString(`{"kind":"User","name":"u"}]}` + "\n")
	}
	return setOf(t, b.String())
}

// Whether there is no such role is known where roles could be listed, in all namespaces.
func TestKnown(t *testing.T) {
	for _, tt := range []struct {
		cluster *kube.Cluster
		want    bool
	}{
		{nil, false},
		{&kube.Cluster{}, true},
		{&kube.Cluster{Unseen: map[string]string{"roles.rbac.authorization.k8s.io": "forbidden"}}, false},
		{&kube.Cluster{Unseen: map[string]string{"roles": "forbidden"}}, false},
		{&kube.Cluster{Unseen: map[string]string{"clusterroles.rbac.authorization.k8s.io": "forbidden"}}, true},
		{&kube.Cluster{Namespaces: []string{"shop"}}, false},
	} {
		if got := Of(&kube.Set{Cluster: tt.cluster}).Known("roles"); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.cluster, got, tt.want)
		}
	}
}
