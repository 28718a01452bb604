package rbac

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New()) }

func setOf(t *testing.T, text string) *kube.Set {
	t.Helper()
	s := &kube.Set{Read: func(string) ([]byte, error) { return []byte(text), nil }}
	for _, d := range kube.ParseYAML([]byte(text)) {
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"})
		if !ok {
			t.Fatalf("no object at line %d", d.Line)
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

// The verbs go of all rules at once; a rule of nothing else goes as a whole.
func TestPatch(t *testing.T) {
	s := setOf(t, `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ops}
rules:
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  verbs: [bind]
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  verbs: [get, bind]
`)
	for _, f := range findings(t, s) {
		if f.Rule != "rbac/bind" {
			continue
		}
		want := []string{"-- apiGroups: [rbac.authorization.k8s.io]", "-  resources: [clusterroles]", "-  verbs: [bind]", "-  verbs: [get, bind]", "+  verbs: [get]"}
		if f.Fix.Patch == nil {
			t.Fatal("there is no patch")
		}
		if diff := cmp.Diff(want, changed(f.Fix.Patch.Text)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return
	}
	t.Error("it is not found")
}

// changed are the lines of a diff that come or go.
func changed(diff string) []string {
	var list []string
	for line := range strings.Lines(diff) {
		if (line[0] == '-' || line[0] == '+') && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "+++") {
			list = append(list, strings.TrimRight(line, "\n"))
		}
	}
	return list
}

// A role that several bindings give away is one finding, as bad as the widest of them.
func TestRoleIsOneFinding(t *testing.T) {
	s := setOf(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: backup, namespace: ops}]
`)
	list := slices.DeleteFunc(findings(t, s), func(f bulwark.Finding) bool { return slices.Contains(f.Tags, "hygiene") })
	if len(list) != 1 {
		t.Fatalf("%d findings", len(list))
	}
	f := list[0]
	want := []string{
		"rule 1: get, list secrets",
		"ServiceAccount ops/backup has it everywhere by ClusterRoleBinding/b (f.yaml:17)",
		"ServiceAccount shop/web has it in shop by shop/RoleBinding/a (f.yaml:11)",
	}
	if diff := cmp.Diff(want, f.Evidence); diff != "" || f.Subject != "ClusterRole/reader" || f.Severity != high {
		t.Errorf("%s is %s (-want +got):\n%s", f.Subject, f.Severity, diff)
	}
}

// What is too much to be looked at is told of.
func TestTooMuchIsTold(t *testing.T) {
	rules := strings.Repeat(`{"apiGroups": ["x"], "resources": ["y"], "verbs": ["get"]},`, 25_000)
	s := setOf(t, `{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "many"}, "rules": [`+strings.TrimSuffix(rules, ",")+`]}`)
	var notes []string
	err := New().Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if r.Note != nil && r.Note.Incomplete {
			notes = append(notes, r.Note.Text)
		}
	})
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "25000 rules") {
		t.Errorf("%v %q", err, notes)
	}
}
