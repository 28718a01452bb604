package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type request struct {
	Dir       string
	Values    map[string]any
	Release   string
	Namespace string
	Kube      string
	APIs      []string
}

type answer struct {
	Manifests map[string]string
	Error     string
	Served    []string
}

// helm asks helm's own engine, which is built from its own module in test/helm.
func askHelm(t *testing.T, requests []request) []answer {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "helm")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = filepath.Join("..", "..", "..", "..", "test", "helm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("building test/helm: %v\n%s", err, out)
		}
		t.Skipf("test/helm cannot be built here: %v\n%.300s", err, out)
	}
	var in, out bytes.Buffer
	for _, r := range requests {
		if err := json.NewEncoder(&in).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command(bin)
	run.Stdin, run.Stdout = &in, &out
	if err := run.Run(); err != nil {
		t.Fatal(err)
	}
	var list []answer
	for d := json.NewDecoder(&out); d.More(); {
		var a answer
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

// readChart reads a chart's folder.
func readChart(t *testing.T, dir string) ([]File, error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return ReadFolder(root, ".", NewBudget())
}

// charts are our own, those that helm itself is tested with, and those of the corpora where
// they are.
func charts(t *testing.T) []string {
	list := []string{}
	roots := []string{"testdata", filepath.Join("..", "..", "..", "..", "..", "shared", "data", "manifests")}
	find := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "helm.sh/helm/v3")
	find.Dir = filepath.Join("..", "..", "..", "..", "test", "helm")
	if dir, err := find.Output(); err == nil && len(dir) > 1 {
		roots = append(roots, strings.TrimSpace(string(dir)))
	}
	for _, root := range roots {
		filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "Chart.yaml" && !strings.Contains(p, "/charts/") {
				list = append(list, filepath.Dir(p))
			}
			return nil
		})
	}
	if len(list) == 0 {
		t.Fatal("no charts")
	}
	return list
}

func TestAsHelm(t *testing.T) {
	var requests []request
	for _, dir := range charts(t) {
		for _, values := range variants(t, dir) {
			for _, kube := range []string{"1.21.0", "1.34.1"} {
				requests = append(requests, request{Dir: dir, Values: values, Release: "rel", Namespace: "ns", Kube: kube, APIs: []string{"example.com/v1"}})
			}
		}
	}
	same := 0
	for i, a := range askHelm(t, requests) {
		r := requests[i]
		got, failed := renderAll(t, r)
		if a.Error != "" {
			if !failed && !strings.HasPrefix(a.Error, "loading") {
				t.Errorf("%s %v: helm fails and we do not: %s", r.Dir, r.Values, a.Error)
			}
			continue
		}
		delete(a.Manifests, "")
		for name := range a.Manifests {
			if filepath.Base(name) == "NOTES.txt" {
				delete(a.Manifests, name)
			}
		}
		if diff := cmp.Diff(a.Manifests, got); diff != "" {
			t.Errorf("%s %v (-helm +ours):\n%.3000s", r.Dir, r.Values, diff)
			continue
		}
		same++
	}
	t.Logf("%d renderings are helm's, byte for byte, of %d", same, len(requests))
}

func TestServed(t *testing.T) {
	a := askHelm(t, []request{{Dir: "testdata/none"}})
	want := slices.Sorted(slices.Values(a[0].Served))
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(served))); diff != "" {
		t.Errorf("versions that are served (-helm +ours):\n%s", diff)
	}
}

// variants are the values that a chart is tried with: none, and those in its folder ci.
func variants(t *testing.T, dir string) []map[string]any {
	list := []map[string]any{nil}
	files, _ := filepath.Glob(filepath.Join(dir, "ci", "*.yaml"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		v, err := UserValues([][]byte{data}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

func renderAll(t *testing.T, r request) (map[string]string, bool) {
	t.Helper()
	files, err := readChart(t, r.Dir)
	if err != nil {
		return nil, true
	}
	c, err := Load(files, NewBudget())
	if err != nil {
		return nil, true
	}
	res, err := c.Render(context.Background(), Options{Values: r.Values, Release: r.Release, Namespace: r.Namespace, Kube: r.Kube, APIVersions: r.APIs})
	if err != nil {
		return nil, true
	}
	m := map[string]string{}
	for _, one := range res.Manifests {
		m[one.Name] = one.Text
	}
	partial := slices.ContainsFunc(res.Notes, func(n Note) bool { return n.Partial })
	return m, partial
}
