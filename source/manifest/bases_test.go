package manifest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBases: an overlay that is looked at alone is built with the bases that it names, within
// the repository, or near it where there is none.
func TestBases(t *testing.T) {
	dir := folder(t, map[string]string{
		"repo/.git/HEAD":                           "ref: x\n",
		"repo/base/kustomization.yaml":             "resources: [web.yaml, ../common, ../secret.yaml]\n",
		"repo/base/web.yaml":                       web,
		"repo/common/kustomization.yaml":           "resources: [pod.yaml]\n",
		"repo/common/pod.yaml":                     strings.Replace(pod, "%s", "common", 1),
		"repo/secret.yaml":                         strings.Replace(pod, "%s", "secret", 1),
		"repo/overlays/prod/kustomization.yaml":    "resources: [../../base, ../../../else]\nnamespace: prod\npatches: [{path: patch.yaml}, {path: ../patch.yaml}]\n",
		"repo/overlays/prod/patch.yaml":            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {hostPID: true}}}\n",
		"repo/overlays/patch.yaml":                 "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
		"repo/overlays/plain/kustomization.yaml":   "resources: [../../common]\n",
		"repo/overlays/failing/kustomization.yaml": "resources: [../../common]\npatches: [{patch: '[{\"op\": \"remove\", \"path\": \"/none\"}]', target: {kind: Pod}}]\n",
		"repo/overlays/links/kustomization.yaml":   "resources: [away]\nnamespace: l\n",
		"else/kustomization.yaml":                  "resources: [x.yaml]\n",
		"else/x.yaml":                              strings.Replace(pod, "%s", "else", 1),
		"loose/a/b/kustomization.yaml":             "resources: [../../near]\nnamespace: b\n",
		"loose/near/kustomization.yaml":            "resources: [x.yaml]\n",
		"loose/near/x.yaml":                        strings.Replace(pod, "%s", "near", 1),
	})
	if err := os.Symlink("../../common", filepath.Join(dir, "repo/overlays/links/away")); err != nil {
		t.Fatal(err)
	}
	const read = "note : read outside the folder too, because kustomizations in it use it: "
	for ref, want := range map[string][]string{
		"repo/overlays/prod": {
			read + "../../base, ../../common",
			"note ../../base/kustomization.yaml: resources: ../secret.yaml lies outside the folder and is not read: scan a folder that holds both",
			"note kustomization.yaml: patches: ../patch.yaml lies outside the folder and is not read: scan a folder that holds both",
			"note kustomization.yaml: resources: ../../../else lies outside the folder and is not read: scan a folder that holds both",
			"prod/Deployment/web ../../base/web.yaml:1 by .", "prod/Pod/common ../../common/pod.yaml:1 by .",
		},
		"repo/overlays/plain": {"default/Pod/common ../../common/pod.yaml:1", read + "../../common"},
		"repo/overlays/failing": {
			"default/Pod/common ../../common/pod.yaml:1", read + "../../common",
			"note kustomization.yaml: the kustomization is not built",
		},
		"repo/overlays/links": {"note kustomization.yaml: resources: there is no away"},
		"loose/a/b":           {"b/Pod/near ../../near/x.yaml:1 by .", read + "../../near"},
		"else":                {"default/Pod/else x.yaml:1"},
	} {
		target, set := open(t, &Source{}, filepath.Join(dir, ref))
		got := said(target, set)
		for i, line := range got {
			got[i], _, _ = strings.Cut(line, ", its files are read as they stand")
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ref, diff)
		}
		for _, o := range set.Objects {
			if strings.HasPrefix(o.Origin.File, "../") {
				if _, err := set.Read(o.Origin.File); err == nil {
					t.Errorf("%s is offered for changes", o.Origin.File)
				}
			}
			if o.Kind == "Deployment" {
				if p := o.Place("spec", "template", "spec", "hostPID"); p.File != "patch.yaml" || p.Line != 4 {
					t.Errorf("hostPID: %+v", p)
				}
				if p := o.Place("spec", "template", "spec", "containers", 1, "image"); p.File != "../../base/web.yaml" || p.Line != 13 {
					t.Errorf("image: %+v", p)
				}
			}
		}
	}
}

// TestNothingIsFetched: no kustomization makes kustomize ask anybody, wherever it lies and
// however it writes an address.
func TestNothingIsFetched(t *testing.T) {
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer server.Close()
	remote := func(name string) string { return "resources: ['" + server.URL + "/" + name + ".yaml']\nnamespace: x\n" }
	escaped := strings.ReplaceAll(server.URL, "/", "\\u002f")
	patcher := "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: \"" + escaped + "\\u002f"
	dir := folder(t, map[string]string{
		"a/kustomization.yaml":               "resources: [../node_modules/x]\nnamespace: a\n",
		"node_modules/x/Kustomization":       remote("node_modules"),
		"b/kustomization.yaml":               "resources: [../link]\nnamespace: b\n",
		"real/kustomization.yaml":            remote("link"),
		"c/kustomization.yaml":               "resources: [../left-out]\nnamespace: c\n",
		"left-out/kustomization.yml":         remote("left-out"),
		"d/kustomization.yaml":               "resources: [../twice]\nnamespace: d\n",
		"twice/kustomization.yaml":           remote("twice") + "namespace: y\n",
		"e/kustomization.yaml":               "resources: [x.yaml]\ntransformers: [t.yaml]\n",
		"e/x.yaml":                           strings.Replace(pod, "%s", "e", 1),
		"e/t.yaml":                           patcher + "file\"\n",
		"f/kustomization.yaml":               "resources: [../e/x.yaml]\ntransformers:\n- |-\n  " + strings.ReplaceAll(patcher, "\n", "\n  ") + "inline\"\n",
		"g/kustomization.yaml":               "resources: [../e/x.yaml]\ntransformers: [t]\n",
		"g/t/kustomization.yaml":             "resources: [in]\n",
		"g/t/in/kustomization.yaml":          "resources: [t.yaml]\n",
		"g/t/in/t.yaml":                      patcher + "folder\"\n",
		"h/kustomization.yaml":               "resources: [../e/x.yaml]\ntransformers: [t]\n",
		"h/t/kustomization.yaml":             "resources: [t.yaml]\npatches: [{path: ../p.yaml}]\n",
		"h/t/t.yaml":                         "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: x\n",
		"h/p.yaml":                           patcher + "patch\"\n",
		"i/kustomization.yaml":               "resources: [../chart/templates]\nnamespace: i\n",
		"chart/Chart.yaml":                   chartYAML,
		"chart/templates/kustomization.yaml": remote("chart"),
	})
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	open(t, &Source{Options: Options{Exclude: []string{"left-out/**"}}}, dir)
	close(asked)
	for path := range asked {
		t.Errorf("%s was asked for", path)
	}
}

// TestAbove: what is around a folder ends at its repository, and before a home or the root.
func TestAbove(t *testing.T) {
	home := folder(t, map[string]string{".git/HEAD": "", "repo/.git/HEAD": "", "repo/a/b/x": "", "loose/a/b/c/d/e/f/x": "", "near/x": ""})
	t.Setenv("HOME", home)
	for dir, want := range map[string]int{"repo": 0, "repo/a/b": 2, "loose/a/b/c/d/e/f": maxUp, "loose/a": 1, "near": 0, ".": 0} {
		if got := above(filepath.Join(home, dir)); got != want {
			t.Errorf("%s: %d, want %d", dir, got, want)
		}
	}
}
