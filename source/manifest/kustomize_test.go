package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
)

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: side
        image: side:1
      - name: web
        image: web:1
        securityContext:
          privileged: true
`

func TestOverlays(t *testing.T) {
	dir := folder(t, map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml]\n",
		"base/web.yaml":           web,
		"prod/kustomization.yaml": `resources:
- ../base
- https://example.com/remote.yaml
- github.com/example/repo//base?ref=main
- gone.yaml
namePrefix: prod-
namespace: prod
patches:
- path: patch.yaml
- patch: |-
    - op: replace
      path: /spec/replicas
      value: 5
  target: {kind: Deployment}
configMapGenerator:
- name: settings
  literals: [a=b]
`,
		"prod/patch.yaml":              "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      hostPID: true\n      containers:\n      - name: web\n        image: web:2\n",
		"same1/kustomization.yml":      "resources: [../base]\nnamespace: same\n",
		"same2/kustomization.yml":      "bases: [../base]\nnamespace: same\n",
		"component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n",
		"component/p.yaml":             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
		"broken/kustomization.yaml":    "resources: [x.yaml]\nnamePrefix: 3\npatches: [{path: x.yaml, target: {kind: [}}]\n",
		"failing/kustomization.yaml":   "resources: [y.yaml]\npatches: [{patch: '[{\"op\": \"remove\", \"path\": \"/spec/none\"}]', target: {kind: Pod}}]\n",
		"failing/y.yaml":               "apiVersion: v1\nkind: Pod\nmetadata: {name: y}\n",
		"plain/kustomization.yaml":     "resources: [z.yaml]\n",
		"plain/z.yaml":                 "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\n",
		"out/kustomization.yaml":       "resources: [../../../../../../etc/x.yaml, link.yaml]\nnamespace: x\n",
	})
	os.Symlink("/etc/passwd", filepath.Join(dir, "out", "link.yaml"))
	target, set := open(t, &Source{}, dir)
	got := said(target, set)
	slices.Sort(got)
	for i, line := range got {
		if strings.HasPrefix(line, "note") && len(line) > 100 {
			got[i] = line[:100]
		}
		if at := strings.Index(line, "ConfigMap/prod-settings-"); at > 0 {
			got[i] = line[:at+len("ConfigMap/prod-settings")] + line[strings.Index(line, " "):]
		}
	}
	want := []string{
		"default/Pod/y failing/y.yaml:1",
		"default/Pod/z plain/z.yaml:1",
		"note broken/kustomization.yaml: the kustomization is not built: malformed: yaml: line 2: did not fin",
		"note failing/kustomization.yaml: the kustomization is not built, its files are read as they stand: m",
		"note out/kustomization.yaml: resources: ../../../../../../etc/x.yaml lies outside the folder and is ",
		"note out/kustomization.yaml: resources: there is no link.yaml",
		"note prod/kustomization.yaml: resources: github.com/example/repo//base?ref=main is remote and not fe",
		"note prod/kustomization.yaml: resources: https://example.com/remote.yaml is remote and not fetched: ",
		"note prod/kustomization.yaml: resources: there is no gone.yaml",
		"prod/ConfigMap/prod-settings prod/kustomization.yaml:1 by prod",
		"prod/Deployment/prod-web base/web.yaml:1 by prod",
		"same/Deployment/web base/web.yaml:1 by same1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o := set.Find("prod/Deployment/prod-web")
	if o == nil {
		t.Fatal("no overlay")
	}
	pod := []any{"spec", "template", "spec"}
	index := 0
	for i, c := range o.Root.At("spec", "template", "spec", "containers").Items() {
		if c.Get("name").Text() == "web" {
			index = i
		}
	}
	for _, tt := range []struct {
		path []any
		want kube.Location
	}{
		{append(slices.Clone(pod), "hostPID"), kube.Location{File: "prod/patch.yaml", Line: 8}},
		{append(slices.Clone(pod), "containers", index, "image"), kube.Location{File: "prod/patch.yaml", Line: 11}},
		{append(slices.Clone(pod), "containers", index, "securityContext", "privileged"), kube.Location{File: "base/web.yaml", Line: 15}},
		{append(slices.Clone(pod), "containers", 1-index, "image"), kube.Location{File: "base/web.yaml", Line: 11}},
		{[]any{"spec", "replicas"}, kube.Location{File: "prod/kustomization.yaml", Line: 12}},
		{append(slices.Clone(pod), "containers", index, "resources"), kube.Location{File: "base/web.yaml", Line: 12}},
	} {
		if diff := cmp.Diff(tt.want, o.Place(tt.path...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kube.PathText(tt.path...), diff)
		}
	}
}

// TestOverlayBombs: what would be endless once aliases are written out is not given to the
// library.
func TestOverlayBombs(t *testing.T) {
	dir := folder(t, map[string]string{
		"bomb/kustomization.yaml":   "resources: [bomb.yaml]\nnamePrefix: x-\n",
		"bomb/bomb.yaml":            bomb(),
		"cyclic/kustomization.yaml": "resources: [cyclic.yaml]\nnamePrefix: x-\n",
		"cyclic/cyclic.yaml":        "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: &a\n  b: *a\n",
		"a/kustomization.yaml":      "resources: [../b]\nnamePrefix: x-\n",
		"b/kustomization.yaml":      "resources: [../a]\nnamePrefix: x-\n",
		"self/kustomization.yaml":   "resources: [.]\nnamePrefix: x-\n",
	})
	target, set := open(t, &Source{}, dir)
	if len(set.Objects) != 1 || set.Objects[0].Name != "bomb" || len(set.Broken) != 1 {
		t.Errorf("%v", said(target, set))
	}
	if len(target.Notes) < 2 {
		t.Errorf("not told: %v", target.Notes)
	}
}

// TestPlainAndBuilt: what one kustomization takes as it stands is read, though another builds
// something else of it; what both make is there once.
func TestPlainAndBuilt(t *testing.T) {
	dir := folder(t, map[string]string{
		"base/kustomization.yaml": "resources: [a.yaml]\n",
		"base/a.yaml":             "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
		"dev/kustomization.yaml":  "resources: [../base]\ncomponents: []\npatches:\n",
		"prod/kustomization.yaml": "resources: [../base]\npatches: [{patch: '[{\"op\": \"add\", \"path\": \"/spec\", \"value\": {\"hostPID\": true}}]', target: {kind: Pod}}]\n",
	})
	target, set := open(t, &Source{}, dir)
	got := said(target, set)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"default/ConfigMap/b base/a.yaml:5", "default/Pod/a base/a.yaml:1", "default/Pod/a base/a.yaml:1 by prod"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
