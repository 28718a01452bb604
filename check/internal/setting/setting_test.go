package setting

import (
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
