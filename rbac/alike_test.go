package rbac

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/kube"
)

// TestManyOfAName has more roles of a name than are looked at, each with a binding in its own
// file, which means that one.
func TestManyOfAName(t *testing.T) {
	s := &kube.Set{}
	const n = 3 * mostAlike
	for i := range n {
		for _, text := range []string{
			fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{apiGroups: ['g%d'], resources: [pods], verbs: [get]}]}", i),
			fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b%d}, roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: User, name: u%d}]}", i, i),
		} {
			o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: fmt.Sprintf("%d.yaml", i)})
			s.Objects = append(s.Objects, o)
		}
	}
	for _, b := range Of(s).Bindings {
		if want := "g" + strings.TrimPrefix(b.Object.Name, "b"); b.Role == nil || b.Role.Rules[0].Groups[0] != want {
			t.Fatalf("%s means %v, want the role of %s", b.Object.Name, b.Role, want)
		}
	}
}

// TestSum holds that roles with the same rules are known to be so, and others are not.
func TestSum(t *testing.T) {
	rule := func(names ...string) Rule {
		return Rule{Verbs: []string{"get"}, Groups: []string{""}, Resources: []string{"pods"}, Names: names}
	}
	one, same, other := &Role{Name: "a", Rules: []Rule{rule("x", "y")}}, &Role{Name: "b", Rules: []Rule{rule("x", "y")}}, &Role{Rules: []Rule{rule("xy")}}
	if one.Sum() != same.Sum() || !one.SameRules(same) {
		t.Error("the same rules are taken for others")
	}
	if one.Sum() == other.Sum() || one.SameRules(other) {
		t.Error("other rules are taken for the same")
	}
}
