package workload_test

import (
	"fmt"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/workload"
)

// TestMissing holds what is said of objects that pods name and that are not there: of a whole
// cluster alone, once each, and of few of many.
func TestMissing(t *testing.T) {
	const there = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: x}\n---\n" +
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: x}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a, namespace: x}\n---\n"
	pod := func(spec string) string {
		return there + "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\nspec:\n  containers:\n  - {name: c, image: i, env: [{name: V, valueFrom: {secretKeyRef: {name: a, key: k}}}]}\n" + spec
	}
	volume := func(text string) string { return "  volumes:\n  - {name: v, " + text + "}\n" }
	whole := &kube.Cluster{}
	for _, tt := range []struct {
		name, text string
		cluster    *kube.Cluster
		want       string
	}{
		{"nothing", pod(""), whole, ""},
		{"a Secret", pod(volume("secret: {secretName: b}")), whole, "x/Pod/p (f.yaml:24) names x/Secret/b, which is not there"},
		{"an optional Secret", pod(volume("secret: {secretName: b, optional: true}")), whole, ""},
		{"a ConfigMap", pod(volume("configMap: {name: b}")), whole, "x/Pod/p (f.yaml:24) names x/ConfigMap/b, which is not there"},
		{"a projected ConfigMap", pod(volume("projected: {sources: [{configMap: {name: b}}]}")), whole, "x/Pod/p (f.yaml:24) names x/ConfigMap/b, which is not there"},
		{"a claim", pod(volume("persistentVolumeClaim: {claimName: b}")), whole, "x/Pod/p (f.yaml:24) names x/PersistentVolumeClaim/b, which is not there"},
		{"an account", pod("  serviceAccountName: b\n"), whole, "x/Pod/p (f.yaml:23) names x/ServiceAccount/b, which is not there"},
		{"of manifests", pod(volume("secret: {secretName: b}")), nil, ""},
		{"of some namespaces", pod(volume("secret: {secretName: b}")), &kube.Cluster{Namespaces: []string{"x"}}, ""},
		{"of a cluster that does not tell", pod(volume("secret: {secretName: b}")), &kube.Cluster{Unseen: map[string]string{"secrets": "forbidden"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes := notesOf(t, tt.text, tt.cluster)
			if len(notes) > 1 || (len(notes) == 1) != (tt.want != "") || tt.want != "" && !strings.HasPrefix(notes[0].Text, tt.want) {
				t.Errorf("%+v", notes)
			}
		})
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: x}\nspec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: b%d}}, {secretRef: {name: b}}]}]}\n", i, i)
	}
	if notes := notesOf(t, there+many.String(), whole); len(notes) != 11 || notes[10].Text != "991 more objects that pods name are not there" {
		t.Errorf("%+v", notes)
	}
}

func notesOf(t *testing.T, text string, cluster *kube.Cluster) []bulwark.Note {
	t.Helper()
	s := &kube.Set{Cluster: cluster}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	c := &noted{}
	if err := workload.New().Relate(t.Context(), &bulwark.Target{Objects: s}, nil, nil, c); err != nil {
		t.Fatal(err)
	}
	return c.notes
}

type noted struct{ notes []bulwark.Note }

func (c *noted) Relation(bulwark.Relation) {}
func (c *noted) Remedy(bulwark.Remedy)     {}
func (c *noted) Note(n bulwark.Note)       { c.notes = append(c.notes, n) }
