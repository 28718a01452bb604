package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"

	"bulwark/kube"
)

// TestClusterRole: what is shipped lets exactly that be listed which is asked for.
func TestClusterRole(t *testing.T) {
	want := map[string]bool{podsOfAll: true}
	for name := range strings.FieldsSeq(betweens) {
		want[name] = true
	}
	for _, w := range wanted {
		for r := range strings.FieldsSeq(w.resources) {
			want[resourceName(w.group, r)] = true
		}
	}
	delete(want, "secrets")
	got := map[string]bool{}
	for _, rule := range ruleOf(t, "clusterrole.yaml") {
		if cmp.Equal(rule.Verbs, []string{"get"}) && cmp.Equal(rule.Resources, []string{"namespaces"}) {
			continue
		}
		if !cmp.Equal(rule.Verbs, []string{"list", "watch"}) {
			t.Errorf("verbs %v of %v", rule.Verbs, rule.Resources)
		}
		for _, g := range rule.APIGroups {
			for _, r := range rule.Resources {
				got[resourceName(g, r)] = true
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deploy/clusterrole.yaml (-asked for +granted):\n%s", diff)
	}
	extra := ruleOf(t, "clusterrole-secrets.yaml")
	if len(extra) != 1 || !cmp.Equal(extra[0].Resources, []string{"secrets"}) || !cmp.Equal(extra[0].Verbs, []string{"list", "watch"}) {
		t.Errorf("deploy/clusterrole-secrets.yaml: %v", extra)
	}
}

func ruleOf(t *testing.T, file string) []rbacv1.PolicyRule {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	o, ok := kube.NewObject(kube.ParseYAML(data)[0].Root, kube.Origin{})
	if !ok {
		t.Fatalf("%s holds no object", file)
	}
	return kube.As[rbacv1.ClusterRole](o).Rules
}
