package rights_test

import (
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/rbac"
	"bulwark/relate/rights"
)

// city is a cluster of 10,000 workloads with wide rights: each has an account of its own,
// every second one a role, every tenth one rights everywhere.
func city(tb testing.TB, workloads int) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	add := func(text string, a ...any) {
		s.Objects = append(s.Objects, kubetest.Object(tb, text, a...))
	}
	const rbacGroup = "rbac.authorization.k8s.io"
	add(`{"apiVersion":"%s/v1","kind":"ClusterRole","metadata":{"name":"wide"},"rules":[{"verbs":["*"],"apiGroups":["","apps","batch"],"resources":["pods","pods/exec","secrets","deployments","serviceaccounts/token","nodes/proxy"]},{"verbs":["impersonate","bind","escalate","create","update"],"apiGroups":["","%s"],"resources":["*"]}]}`, rbacGroup, rbacGroup)
	for i := range workloads {
		ns := i / 20
		if i%20 == 0 {
			add(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns%d"}}`, ns)
		}
		add(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w%d","namespace":"ns%d"},"spec":{"template":{"spec":{"serviceAccountName":"a%d","containers":[{"name":"c","image":"x"}]}}}}`, i, ns, i)
		add(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s%d","namespace":"ns%d"}}`, i, ns)
		if i%2 == 0 {
			add(`{"apiVersion":"%s/v1","kind":"Role","metadata":{"name":"r%d","namespace":"ns%d"},"rules":[{"verbs":["get","list","create","patch"],"apiGroups":["","apps"],"resources":["secrets","pods","pods/exec","deployments"]}]}`, rbacGroup, i, ns)
			add(`{"apiVersion":"%s/v1","kind":"RoleBinding","metadata":{"name":"b%d","namespace":"ns%d"},"roleRef":{"kind":"Role","name":"r%d"},"subjects":[{"kind":"ServiceAccount","name":"a%d","namespace":"ns%d"}]}`, rbacGroup, i, ns, i, i, ns)
		}
		if i%10 == 0 {
			add(`{"apiVersion":"%s/v1","kind":"ClusterRoleBinding","metadata":{"name":"w%d"},"roleRef":{"kind":"ClusterRole","name":"wide"},"subjects":[{"kind":"ServiceAccount","name":"a%d","namespace":"ns%d"},{"kind":"Group","name":"system:serviceaccounts:ns%d"}]}`, rbacGroup, i, i, ns, ns)
		}
	}
	return s
}

// count counts what is related.
type count struct{ relations, remedies int }

func (c *count) Relation(bulwark.Relation) { c.relations++ }
func (c *count) Remedy(bulwark.Remedy)     { c.remedies++ }
func (c *count) Note(bulwark.Note)         {}

// TestLarge holds that what is related grows as the cluster does, however wide rights are.
func TestLarge(t *testing.T) {
	var small, large count
	for size, c := range map[int]*count{500: &small, 2000: &large} {
		s := city(t, size)
		if err := rights.New().Relate(t.Context(), &bulwark.Target{Objects: s}, nil, nil, c); err != nil {
			t.Fatal(err)
		}
	}
	if small.relations == 0 || large.relations > 5*small.relations {
		t.Errorf("%d relations of 500 workloads, %d of 2000", small.relations, large.relations)
	}
}

func BenchmarkRelate(b *testing.B) {
	s := city(b, 10_000)
	rbac.Of(s)
	s.Workloads()
	var c count
	b.ReportAllocs()
	for b.Loop() {
		c = count{}
		if err := rights.New().Relate(b.Context(), &bulwark.Target{Objects: s}, nil, nil, &c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(c.relations), "relations")
	b.ReportMetric(float64(len(s.Objects)), "objects")
}
