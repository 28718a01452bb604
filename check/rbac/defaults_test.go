package rbac

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	authz "bulwark/rbac"
)

// The roles and bindings that kube-apiserver makes in every cluster, as its own tests list
// them, are no findings, in a cluster and as manifests.
func TestDefaultsAreNoFindings(t *testing.T) {
	s := &kube.Set{Objects: defaults(t)}
	for _, cluster := range []*kube.Cluster{nil, {Name: "c", Version: "v1.37.2"}} {
		s := &kube.Set{Objects: slices.Clone(s.Objects), Cluster: cluster}
		for _, f := range findings(t, s) {
			t.Errorf("cluster %v: %s: %s: %s", cluster != nil, f.Rule, f.Subject, strings.Join(f.Evidence, "; "))
		}
	}
}

// What a role that is built in allows here is what it allows there: the table says no more,
// and nothing dangerous less.
func TestBuiltInRolesAreTrue(t *testing.T) {
	real := authz.Of(&kube.Set{Objects: defaults(t), Cluster: &kube.Cluster{}})
	ours := authz.Of(&kube.Set{})
	for _, theirs := range real.Roles {
		id := theirs.ID()
		mine := ours.Role(id)
		if mine == nil {
			for _, d := range dangers {
				if len(d.look(theirs)) > 0 {
					t.Errorf("%s is not built in, and %s", id, d.ID)
				}
			}
			continue
		}
		all := append([]*authz.Role{theirs}, theirs.From...)
		for _, from := range append([]*authz.Role{mine}, mine.From...) {
			for i := range from.Rules {
				uncovered(t, id, &from.Rules[i], all)
			}
		}
		for _, d := range dangers {
			if there, here := len(d.look(theirs)), len(d.look(mine)); (there > 0) != (here > 0) {
				t.Errorf("%s: %s is found %d times there, %d times here", id, d.ID, there, here)
			}
		}
	}
}

// uncovered tells what a rule of the table allows that the real role does not.
func uncovered(t *testing.T, id string, r *authz.Rule, real []*authz.Role) {
	t.Helper()
	allows := func(q authz.Request) bool {
		return slices.ContainsFunc(real, func(role *authz.Role) bool {
			return slices.ContainsFunc(role.Rules, func(r authz.Rule) bool { return r.Allows(&q) })
		})
	}
	names := append([]string{""}, r.Names...)[min(len(r.Names), 1):]
	for _, verb := range r.Verbs {
		for _, url := range r.URLs {
			if q := (authz.Request{Verb: verb, Path: url}); !allows(q) {
				t.Errorf("%s does not allow %s", id, q.String())
			}
		}
		for _, group := range r.Groups {
			for _, resource := range r.Resources {
				name, sub, _ := strings.Cut(resource, "/")
				if q := (authz.Request{Verb: verb, Group: group, Resource: name, Subresource: sub, Name: names[0]}); !allows(q) {
					t.Errorf("%s does not allow %s", id, q.String())
				}
			}
		}
	}
}

// defaults reads the lists from the module cache, where the tests against a real API server
// put them.
func defaults(t *testing.T) []*kube.Object {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Skip("the go command is missing: ", err)
	}
	folders, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "k8s.io", "kubernetes@*", "plugin", "pkg", "auth", "authorizer", "rbac", "bootstrappolicy", "testdata"))
	if err != nil || len(folders) == 0 {
		t.Skip("the module k8s.io/kubernetes is not in the module cache: test/apiserver fetches it")
	}
	var list []*kube.Object
	for _, name := range []string{"cluster-roles", "controller-roles", "namespace-roles", "cluster-role-bindings", "controller-role-bindings", "namespace-role-bindings"} {
		data, err := os.ReadFile(filepath.Join(folders[len(folders)-1], name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range kube.ParseYAML(data) {
			for _, item := range d.Root.Get("items").Items() {
				if o, ok := kube.NewObject(item, kube.Origin{File: name + ".yaml"}); ok {
					list = append(list, o)
				}
			}
		}
	}
	if len(list) < 100 {
		t.Fatalf("only %d roles and bindings were read", len(list))
	}
	return list
}

func findings(t testing.TB, s *kube.Set) []bulwark.Finding {
	t.Helper()
	var list []bulwark.Finding
	err := New().Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if r.Finding != nil {
			list = append(list, *r.Finding)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
