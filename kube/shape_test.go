package kube

import (
	"slices"
	"testing"
)

// TestTemplatesByShape holds what is taken for a pod template.
func TestTemplatesByShape(t *testing.T) {
	for text, want := range map[string]int{
		"{template: {spec: {containers: [{name: a}]}}}":                       1,
		"{template: {spec: {containers: []}}}":                                0,
		"{template: {spec: {hostPID: true}}}":                                 1,
		"{template: {spec: {hostNetwork: false}}}":                            0,
		"{template: {spec: {volumes: []}}}":                                   0,
		"{jobs: [{template: {spec: {containers: [{image: a}, {name: b}]}}}]}": 1,
		"{containers: [{image: a}]}":                                          1,
		"{containers: [{name: a}]}":                                           0,
		"{hostNetwork: true}":                                                 0,
	} {
		doc := ParseYAML([]byte("apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec: " + text))[0]
		o, _ := NewObject(doc.Root, Origin{})
		if got := len((&Set{Objects: []*Object{o}}).Workloads()); got != want {
			t.Errorf("%s: %d workloads, want %d", text, got, want)
		}
	}
}

// TestPieces holds that the containers of workflows and tasks are found at their places.
func TestPieces(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string // path and image of each container
	}{
		"a workflow": {"{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {generateName: a-}, spec: {hostNetwork: true, templates: [{name: x, container: {image: a}, sidecars: [{name: s, image: b}]}, {name: y, script: {image: c, source: 'echo hi'}}, {name: z, dag: {}}]}}",
			[]string{"spec.templates[0].container a", "spec.templates[0].sidecars[0] b", "spec.templates[1].script c"}},
		"a task":  {"{apiVersion: tekton.dev/v1, kind: Task, metadata: {name: a}, spec: {steps: [{name: s, image: a, script: 'make'}], volumes: [{name: v}]}}", []string{"spec.steps[0] a"}},
		"neither": {"{apiVersion: example.org/v1, kind: Task, metadata: {name: a}, spec: {steps: [{name: s, image: a}]}}", nil},
		"odd":     {"{apiVersion: argoproj.io/v1, kind: Workflow, metadata: {name: a}, spec: {templates: {a: b}}}", nil},
	} {
		o, _ := NewObject(ParseYAML([]byte(tt.text))[0].Root, Origin{})
		var got []string
		for _, w := range (&Set{Objects: []*Object{o}}).Workloads() {
			for i := range w.Containers {
				c := &w.Containers[i]
				got = append(got, PathText(w.ContainerPath(c)...)+" "+c.Image)
				if !o.Root.At(w.ContainerPath(c)...).Exists() {
					t.Errorf("%s: there is nothing at %v", name, w.ContainerPath(c))
				}
			}
			if want := name == "a workflow"; w.Spec.HostNetwork != want {
				t.Errorf("%s: hostNetwork %t", name, !want)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestPolicies holds that the patterns of policies are no pods.
func TestPolicies(t *testing.T) {
	for _, version := range []string{"kyverno.io/v1", "policies.kyverno.io/v1", "mutations.gatekeeper.sh/v1"} {
		doc := ParseYAML([]byte("{apiVersion: " + version + ", kind: Policy, metadata: {name: a}, spec: {rules: [{validate: {pattern: {spec: {containers: [{image: '*:*'}]}}}}]}}"))[0]
		o, _ := NewObject(doc.Root, Origin{})
		if got := (&Set{Objects: []*Object{o}}).Workloads(); len(got) != 0 {
			t.Errorf("%s: %d workloads", version, len(got))
		}
	}
}
