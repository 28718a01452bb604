package rights_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/rights"
)

// tally counts what is related, and keeps notes.
type tally struct {
	relations, bytes int
	bare             int // ways without a remedy
	notes            []string
}

func (c *tally) Relation(r bulwark.Relation) {
	c.relations++
	c.bytes += 16 * (len(r.Remedies) + len(r.Because))
	if r.Type == "ROLE_BIND" && len(r.Remedies) == 0 && !strings.HasPrefix(string(r.From), "group:") {
		c.bare++
	}
}
func (c *tally) Remedy(bulwark.Remedy) {}
func (c *tally) Note(n bulwark.Note)   { c.notes = append(c.notes, n.Text) }

// builder writes objects that nobody would.
type builder struct {
	tb  testing.TB
	set *kube.Set
}

func (b *builder) add(text string, a ...any) {
	root, err := kube.ParseJSON(fmt.Appendf(nil, text, a...))
	if err != nil {
		b.tb.Fatal(err)
	}
	o, ok := kube.NewObject(root, kube.Origin{File: "hostile.json", Line: 1})
	if !ok {
		b.tb.Fatal("no object")
	}
	b.set.Objects = append(b.set.Objects, o)
}

const api = `"apiVersion":"rbac.authorization.k8s.io/v1"`

func (b *builder) role(namespace, called string, rules ...string) {
	kind := "Role"
	if namespace == "" {
		kind = "ClusterRole"
	}
	b.add(`{%s,"kind":"%s","metadata":{"name":"%s","namespace":"%s"},"rules":[%s]}`, api, kind, called, namespace, strings.Join(rules, ","))
}

func (b *builder) bind(namespace, called, role, subjects string) {
	kind, ref := "RoleBinding", "Role"
	if namespace == "" {
		kind, ref = "ClusterRoleBinding", "ClusterRole"
	}
	b.add(`{%s,"kind":"%s","metadata":{"name":"%s","namespace":"%s"},"roleRef":{"kind":"%s","name":"%s"},"subjects":[%s]}`, api, kind, called, namespace, ref, role, subjects)
}

func many(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(list, ",")
}

const (
	writeRule = `{"verbs":["create","update"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings","clusterrolebindings"]}`
	bindRule  = `{"verbs":["bind"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","clusterroles"]}`
	ops       = `{"kind":"Group","name":"ops"}`
)

// TestHostile has what nobody writes who means well. Bounds are on what is allocated and on
// how much is told, not on time.
func TestHostile(t *testing.T) {
	for _, tt := range []struct {
		name      string
		fill      func(b *builder)
		megabytes uint64
		relations int
		note      string // begins so; "": there is none
	}{
		{"more rules than are looked at", func(b *builder) {
			b.role("", "long", many(25_000, `{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["s%d"]}`))
			b.bind("", "long", "long", ops)
		}, 100, 30_000, "ClusterRole/long (hostile.json:"},
		{"rules of every power", func(b *builder) {
			b.role("", "long", many(15_000, `{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"resourceNames":["s%d"]}`))
			b.bind("", "long", "long", ops)
		}, 300, 100_000, "ClusterRole/long (hostile.json:"},
		{"20,000 names, in 800 namespaces", func(b *builder) {
			names := many(20_000, `"n%d"`)
			b.role("", "named", `{"verbs":["*"],"apiGroups":["","rbac.authorization.k8s.io"],"resources":["*"],"resourceNames":[`+names+`]}`)
			for i := range 800 {
				b.add(`{%s,"kind":"RoleBinding","metadata":{"name":"b","namespace":"ns%d"},"roleRef":{"kind":"ClusterRole","name":"named"},"subjects":[%s]}`, api, i, ops)
			}
		}, 400, 400_000, "ClusterRole/named (hostile.json:"},
		{"800 halves", func(b *builder) {
			for i := range 400 {
				b.role("", fmt.Sprint("w", i), writeRule)
				b.role("", fmt.Sprint("b", i), bindRule)
				b.bind("", fmt.Sprint("w", i), fmt.Sprint("w", i), ops)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), ops)
			}
		}, 60, 30_000, ""},
		{"200 halves of 20,000 names", func(b *builder) {
			names := many(20_000, `"b%d"`)
			for i := range 100 {
				b.role("", fmt.Sprint("w", i), writeRule)
				b.role("", fmt.Sprint("b", i), strings.TrimSuffix(bindRule, "}")+`,"resourceNames":[`+names+`]}`)
				b.bind("", fmt.Sprint("w", i), fmt.Sprint("w", i), ops)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), ops)
			}
		}, 300, 100_000, "ClusterRole/b"},
		{"halves in 400 namespaces and everywhere", func(b *builder) {
			for i := range 400 {
				b.role(fmt.Sprint("ns", i), "w", writeRule)
				b.role("", fmt.Sprint("b", i), bindRule)
				b.bind(fmt.Sprint("ns", i), "w", "w", ops)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), ops)
			}
		}, 200, 300_000, "identity:Group ops and 0 more hold so many bindings"},
		{"10,000 subjects of 800 halves", func(b *builder) {
			all := many(10_000, `{"kind":"User","name":"u%d"}`)
			for i := range 40 {
				b.role("", fmt.Sprint("w", i), writeRule)
				b.role("", fmt.Sprint("b", i), bindRule)
				b.bind("", fmt.Sprint("w", i), fmt.Sprint("w", i), all)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), all)
			}
		}, 100, 900_000, ""},
		{"subjects of whom no two hold the same", func(b *builder) {
			for i := range 2000 {
				b.role("", fmt.Sprint("w", i), writeRule)
				b.role("", fmt.Sprint("b", i), bindRule)
				subjects := fmt.Sprintf(`{"kind":"User","name":"u%d"},{"kind":"User","name":"u%d"},{"kind":"Group","name":"system:authenticated"}`, i, (i*7+1)%2000)
				b.bind("", fmt.Sprint("w", i), fmt.Sprint("w", i), subjects)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), subjects)
			}
		}, 500, 200_000, ""},
		{"a group that may bind 3,000 roles by 60 others", func(b *builder) {
			names := many(3000, `"r%d"`)
			for i := range 3000 {
				b.role("", fmt.Sprint("r", i), `{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}`)
			}
			for i := range 60 {
				b.role("", fmt.Sprint("b", i), strings.TrimSuffix(bindRule, "}")+`,"resourceNames":["b`+fmt.Sprint(i)+`",`+names+`]}`)
				b.bind("", fmt.Sprint("b", i), fmt.Sprint("b", i), `{"kind":"Group","name":"system:authenticated"}`)
				b.role("", fmt.Sprint("w", i), writeRule)
				b.bind("", fmt.Sprint("w", i), fmt.Sprint("w", i), fmt.Sprintf(`{"kind":"User","name":"u%d"}`, i))
			}
		}, 200, 200_000, "ClusterRole/b"},
		{"bindings to what is missing", func(b *builder) {
			for i := range 1000 {
				b.bind("", fmt.Sprint("m", i), "missing", ops)
				b.bind("shop", fmt.Sprint("m", i), "missing", `{"kind":"ServiceAccount","name":"gone","namespace":"gone"},{"kind":"Robot","name":"x"},{"kind":"ServiceAccount","name":""}`)
			}
			b.role("shop", "names", `{"verbs":["*"],"apiGroups":["","apps"],"resources":["*"],"resourceNames":["gone"]}`)
			b.bind("shop", "names", "names", ops)
		}, 60, 2000, "ClusterRoleBinding/m0 (hostile.json:1) is bound to ClusterRole/missing, which is not among these objects"},
		{"ClusterRoles that aggregate each other", func(b *builder) {
			for i := range 1000 {
				b.add(`{%s,"kind":"ClusterRole","metadata":{"name":"a%d","labels":{"all":"yes"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"all":"yes"}}]},"rules":[%s,%s]}`, api, i, writeRule, bindRule)
				b.bind("", fmt.Sprint("a", i), fmt.Sprint("a", i), ops)
			}
		}, 200, 300_000, "the aggregation of ClusterRoles"},
		{"owners in a circle", func(b *builder) {
			for i := range 1000 {
				b.add(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p%d","namespace":"shop","uid":"%d","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p%d","uid":"%d","controller":true}]},"spec":{"serviceAccountName":"gone","containers":[{"name":"c","image":"x"}]}}`, i, i, (i+1)%1000, (i+1)%1000)
			}
			b.role("shop", "r", `{"verbs":["create"],"apiGroups":[""],"resources":["pods/exec"]}`)
			b.bind("shop", "r", "r", ops)
		}, 60, 3000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &builder{t, &kube.Set{}}
			tt.fill(b)
			b.set.Workloads()
			rbac.Of(b.set)
			var c tally
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := rights.New().Relate(t.Context(), &bulwark.Target{Objects: b.set}, nil, nil, &c); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > tt.megabytes {
				t.Errorf("%d MB were allocated", mb)
			}
			if c.relations > tt.relations || c.bytes > 100*tt.relations+1<<20 {
				t.Errorf("%d relations with lists of %d bytes", c.relations, c.bytes)
			}
			if c.bare > 0 {
				t.Errorf("%d ways lost their remedies", c.bare)
			}
			if len(c.notes) > 30 || (len(c.notes) > 0) != (tt.note != "") || tt.note != "" && !strings.HasPrefix(c.notes[0], tt.note) {
				t.Errorf("notes %.300q", c.notes)
			}
		})
	}
}
