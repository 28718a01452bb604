package setting

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
)

func TestOf(t *testing.T) {
	const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: app
        image: app
        command: [run, --a]
        env:
        - {name: A, value: x}
        - {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {k: v}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a, namespace: argocd}
spec:
  sources:
  - helm:
      parameters: [{name: p, value: y}]
      valuesObject: {x: {z: [{w: deep}]}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: h, namespace: h}
spec: {values: {a: {b: 1}}}
`
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		o, _ := kube.NewObject(d.Root, kube.Origin{File: "x.yaml"})
		s.Objects = append(s.Objects, o)
	}
	var got []string
	for t := range Of(s) {
		got = append(got, kube.PathText(t.Path()...)+" = "+t.Value+": "+t.Where())
	}
	want := []string{
		"spec.template.spec.containers[0].env[0].value = x: container app: the variable A",
		"spec.template.spec.containers[0].command[0] = run: container app: an argument",
		"spec.template.spec.containers[0].command[1] = --a: container app: an argument",
		"data.k = v: the key k",
		"spec.sources[0].helm.parameters[0].value = y: the chart's value p",
		"spec.sources[0].helm.valuesObject.x.z[0].w = deep: the chart's value w",
		"spec.values.a.b = 1: the chart's value b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestBomb: aliases that lead to the same part a billion times cost no more than a part of it.
func TestBomb(t *testing.T) {
	text := "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: h, namespace: h}\nspec:\n  values:\n    a0: &a0 {x: y}\n"
	for i := range 12 {
		text += fmt.Sprintf("    a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: "x.yaml"})
	n := 0
	for range Of(&kube.Set{Objects: []*kube.Object{o}}) {
		n++
	}
	if n == 0 || n > maxValues {
		t.Errorf("%d settings", n)
	}
}

func TestPairs(t *testing.T) {
	const text = "# password: no\nA=1\nexport B = 'two'\n  \"c\": \"three\",\n- d: four\nsome words: no\ne:\nf=x=y\n"
	var got []string
	for name, value := range Pairs(text) {
		got = append(got, name+"="+value)
	}
	if diff := cmp.Diff([]string{"A=1", "B=two", "c=three", "d=four", "f=x=y"}, got); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
}

func FuzzPairs(f *testing.F) {
	f.Add("a=b\n\"c\": d,\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range Pairs(text) {
			if !strings.Contains(text, name) || !strings.Contains(text, value) || value == "" {
				t.Errorf("%q gives %q = %q", text, name, value)
			}
		}
	})
}
