package kube

import "testing"

// TestTemplatesByShape holds what is taken for a pod template.
func TestTemplatesByShape(t *testing.T) {
	for text, want := range map[string]int{
		"{template: {spec: {containers: [{name: a}]}}}":                       1,
		"{template: {spec: {containers: []}}}":                                0,
		"{template: {spec: {hostPID: true}}}":                                 1,
		"{template: {spec: {hostNetwork: false}}}":                            0,
		"{template: {spec: {volumes: []}}}":                                   0,
		"{jobs: [{template: {spec: {containers: [{image: a}, {name: b}]}}}]}": 1,
		"{hostNetwork: true}":                                                 0,
	} {
		doc := ParseYAML([]byte("apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec: " + text))[0]
		o, _ := NewObject(doc.Root, Origin{})
		if got := len((&Set{Objects: []*Object{o}}).Workloads()); got != want {
			t.Errorf("%s: %d workloads, want %d", text, got, want)
		}
	}
}
