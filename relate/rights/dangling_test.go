package rights_test

import (
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/relate/rights"
)

// TestDangling holds what is said of bindings to roles that are nowhere: in a cluster that was
// looked at as a whole they give nothing; elsewhere what they give is not known.
func TestDangling(t *testing.T) {
	binding := func(kind, role string) string {
		return "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: " + kind + ", name: '" + role + "'}\nsubjects: [{kind: User, name: jane}]\n"
	}
	whole := &kube.Cluster{}
	for _, tt := range []struct {
		name, text string
		cluster    *kube.Cluster
		want       string
		known      bool
	}{
		{"a role that is nowhere", binding("Role", "none"), nil, "shop/RoleBinding/b (f.yaml:5) is bound to shop/Role/none, which is not among these objects", false},
		{"a ClusterRole that is nowhere", binding("ClusterRole", "none"), nil, "shop/RoleBinding/b (f.yaml:5) is bound to ClusterRole/none, which is not among these objects", false},
		{"one that every cluster has", binding("ClusterRole", "edit"), nil, "", false},
		{"one of the system", binding("ClusterRole", "system:some-controller"), nil, "", false},
		{"a kind that is none", binding("Robot", "none"), nil, "shop/RoleBinding/b (f.yaml:5) is bound to Robot/none, which is not a role", true},
		{"in a cluster", binding("Role", "none"), whole, "shop/RoleBinding/b (f.yaml:5) is bound to shop/Role/none, which is not there: it gives nothing", true},
		{"in a cluster that does not tell", binding("Role", "none"), &kube.Cluster{Unseen: map[string]string{"roles.rbac.authorization.k8s.io": "forbidden"}}, "shop/RoleBinding/b (f.yaml:5) is bound to shop/Role/none, which is not among these objects", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := kubetest.Set(t, tt.text)
			s.Cluster = tt.cluster
			c := &noted{}
			if err := rights.New().Relate(t.Context(), &bulwark.Target{Objects: s}, nil, nil, c); err != nil {
				t.Fatal(err)
			}
			if (len(c.notes) == 1) != (tt.want != "") || len(c.notes) > 1 {
				t.Fatalf("%+v", c.notes)
			}
			if tt.want != "" && (!strings.HasPrefix(c.notes[0].Text, tt.want) || c.notes[0].Incomplete == tt.known) {
				t.Errorf("%+v", c.notes[0])
			}
		})
	}
	c := &noted{}
	if err := rights.New().Relate(t.Context(), &bulwark.Target{Objects: kubetest.Set(t, strings.Repeat(binding("Role", "none"), 1000))}, nil, nil, c); err != nil {
		t.Fatal(err)
	}
	if len(c.notes) != 6 || c.notes[5].Text != "995 more bindings are to roles that are not there" {
		t.Errorf("%+v", c.notes)
	}
}

// noted keeps notes alone.
type noted struct{ notes []bulwark.Note }

func (c *noted) Relation(bulwark.Relation) {}
func (c *noted) Remedy(bulwark.Remedy)     {}
func (c *noted) Note(n bulwark.Note)       { c.notes = append(c.notes, n) }
