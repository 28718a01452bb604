package manifest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
)

// folder writes files below a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, s *Source, ref string) (*bulwark.Target, *kube.Set) {
	t.Helper()
	target, err := s.Open(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	set := kube.Of(target)
	if set == nil {
		set = &kube.Set{}
	}
	return target, set
}

// said lists objects with their places, broken documents and notes.
func said(target *bulwark.Target, set *kube.Set) []string {
	var list []string
	for _, o := range set.Objects {
		line := fmt.Sprintf("%s %s:%d", o.ID(), o.Origin.File, o.Origin.Line)
		if o.Origin.Overlay != "" {
			line += " by " + o.Origin.Overlay
		}
		if o.Origin.Release != "" {
			line += " for " + o.Origin.Release
		}
		list = append(list, line)
	}
	for _, b := range set.Broken {
		list = append(list, fmt.Sprintf("broken %s:%d", b.File, b.Line))
	}
	for _, n := range target.Notes {
		list = append(list, "note "+n.Path+": "+n.Text)
	}
	return list
}

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"

func TestFolder(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.yaml":                    fmt.Sprintf(pod, "a") + "---\n\tbroken: [\nkind: Pod\napiVersion: v1\n---\n" + fmt.Sprintf(pod, "b"),
		"list.json":                 `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"l1"}},{"apiVersion":"v1","kind":"Pod","metadata":{"name":"l2"}}]}`,
		"latin.yml":                 "apiVersion: v1\nkind: Pod\nmetadata: {name: \"\xe9\"}\n",
		"cyclic.yaml":               "apiVersion: v1\nkind: Pod\nspec: &a\n  b: *a\n",
		"bomb.yaml":                 bomb(),
		"template.yaml":             "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ name }}\n  {% if x %}\n",
		"compose.yaml":              "services: {web: {image: nginx}}\n",
		"openapi.yaml":              "openapi: 3.0.0\ninfo: {title: x}\npaths: [\n",
		"i18n/de.yaml":              "kind: Art\nname: [\n",
		".github/workflows/ci.yaml": "on: push\njobs: {a: {runs-on: x, steps: [{run: kubectl apply}]}}\n",
		"values.yaml":               "kind: x\napiVersion: [unclosed\n",
		"node_modules/x.yaml":       fmt.Sprintf(pod, "no"),
		"skip/x.yaml":               fmt.Sprintf(pod, "no"),
	})
	os.Symlink("/etc/passwd", filepath.Join(dir, "link.yaml"))
	target, set := open(t, &Source{Options: Options{Exclude: []string{"skip/**"}}}, dir)
	got := said(target, set)
	slices.Sort(got)
	want := []string{
		"broken a.yaml:5", "broken cyclic.yaml:4", "broken values.yaml:1",
		"default/Pod/a a.yaml:1", "default/Pod/b a.yaml:9", "default/Pod/bomb bomb.yaml:1", "default/Pod/l1 list.json:1", "default/Pod/l2 list.json:1",
		"default/Pod/é latin.yml:1", "note latin.yml: line 3: bytes that are no UTF-8 were taken for letters of Latin-1: other tools may refuse the file",
	}
	for i := range got { // where exactly a parser gives up is its own affair
		if strings.HasPrefix(got[i], "broken") {
			got[i], _, _ = strings.Cut(got[i], ":")
		}
	}
	for i := range want {
		if strings.HasPrefix(want[i], "broken") {
			want[i], _, _ = strings.Cut(want[i], ":")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	data, err := set.Read("a.yaml")
	if err != nil || !bytes.HasPrefix(data, []byte("apiVersion")) {
		t.Errorf("Read: %q, %v", data, err)
	}
	if _, err := set.Read("../" + filepath.Base(dir) + "/a.yaml"); err == nil {
		t.Error("a file outside was read")
	}
	if _, err := set.Read("none.yaml"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestEncodings: manifests as PowerShell and old editors write them are read, in folders, alone
// and as a part of kustomizations.
func TestEncodings(t *testing.T) {
	wide := func(text, mark string, big bool) string {
		b := []byte(mark)
		for _, c := range []byte(text) {
			if big {
				b = append(b, 0, c)
			} else {
				b = append(b, c, 0)
			}
		}
		return string(b)
	}
	two := "# one\r\napiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: b\r\n"
	dir := folder(t, map[string]string{
		"a/powershell.yaml":    wide(two, "\xff\xfe", false),
		"b/bare.json":          wide(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "j"}}`, "", false),
		"c/big.yml":            wide(two, "\xfe\xff", true),
		"d/marked.json":        "\xef\xbb\xbf{\n\t\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"m\"}}",
		"e/cut.yaml":           wide(fmt.Sprintf(pod, "cut"), "\xff\xfe", false) + "x",
		"f/comment.yaml":       "# \xfcber\n" + fmt.Sprintf(pod, "latin"),
		"k/kustomization.yaml": "resources: [wide.yaml]\nnamespace: k\n",
		"k/wide.yaml":          wide(fmt.Sprintf(pod, "k"), "\xff\xfe", false),
	})
	for _, ref := range []string{dir, filepath.Join(dir, "a", "powershell.yaml")} {
		target, set := open(t, &Source{}, ref)
		got := said(target, set)
		slices.Sort(got)
		file := ref
		want := []string{"default/Pod/a " + file + ":2", "default/Pod/b " + file + ":7"}
		if ref == dir {
			want = []string{
				"broken e/cut.yaml:4", "default/Pod/a a/powershell.yaml:2", "default/Pod/a c/big.yml:2", "default/Pod/b a/powershell.yaml:7", "default/Pod/b c/big.yml:7",
				"default/Pod/j b/bare.json:1", "default/Pod/latin f/comment.yaml:2", "default/Pod/m d/marked.json:1", "k/Pod/k k/wide.yaml:1 by k",
				"note e/cut.yaml: is UTF-16 that is damaged: some of its letters could not be read",
				"note f/comment.yaml: line 1: bytes that are no UTF-8 were taken for letters of Latin-1: other tools may refuse the file",
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	head, err := os.ReadFile(filepath.Join(dir, "a", "powershell.yaml"))
	if err != nil || !IsManifest(head[:64*2]) {
		t.Errorf("not known for a manifest: %v", err)
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 30 {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i, i, i)
	}
	return b.String()
}

// TestHuge: a document of 100 MB is one broken document, and costs little; what stands
// around it is read.
func TestHuge(t *testing.T) {
	line := []byte("  k: " + strings.Repeat("v", 1000) + "\n")
	huge := io.MultiReader(strings.NewReader(fmt.Sprintf(pod, "before")+"---\n"+fmt.Sprintf(pod, "huge")+"data:\n"), &repeated{line, 100 << 20}, strings.NewReader("\n---\n"+fmt.Sprintf(pod, "after")))
	target, set := open(t, &Source{Stdin: huge}, "-")
	if len(set.Objects) != 2 || len(set.Broken) != 1 || !errors.Is(set.Broken[0].Err, bulwark.ErrLimit) || set.Broken[0].Line != 4 {
		t.Errorf("%v", said(target, set))
	}
}

// repeated gives a text again and again, up to a length.
type repeated struct {
	text []byte
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text)
	if n < len(r.text) {
		n = 0
		for i := range p {
			p[i] = ' '
			n++
		}
	}
	r.left -= n
	return n, nil
}

const chartYAML = "apiVersion: v2\nname: web\nversion: 0.1.0\n"

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  {{- if .Values.many }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  template:
    spec:
      {{- with .Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      hostNetwork: {{ .Values.hostNetwork }}
      containers:
      - name: web
        image: "{{ .Values.image.name }}:{{ .Values.image.tag }}"
        securityContext:
          {{- toYaml .Values.securityContext | nindent 10 }}
        {{- with .Values.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- if .Values.probe }}
        livenessProbe: {{ toYaml .Values.probe | nindent 10 }}
        {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
`

func TestChart(t *testing.T) {
	dir := folder(t, map[string]string{
		"web/Chart.yaml":                 chartYAML,
		"web/values.yaml":                "hostNetwork: true\nreplicas: 2\nmany: true\nimage: {name: a, tag: b}\nsecurityContext: {privileged: true}\nresources: {limits: {cpu: 1}}\npodSecurityContext: {}\nprobe: {}\nnodeSelector: {}\n",
		"web/templates/deploy.yaml":      deployment,
		"web/templates/NOTES.txt":        "apiVersion: v1\nkind: Pod\n",
		"web/templates/test.yaml":        "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n",
		"web/templates/job.yaml":         "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: \"pre-install,test\"}}\n",
		"web/crds/crd.yaml":              "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: crd}\n",
		"web/charts/sub/Chart.yaml":      "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
		"web/charts/sub/values.yaml":     "name: s\n",
		"web/charts/sub/templates/x.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n",
	})
	target, set := open(t, &Source{}, dir)
	got := said(target, set)
	slices.Sort(got)
	want := []string{
		"CustomResourceDefinition/crd web/crds/crd.yaml:1", "default/ConfigMap/s web/charts/sub/templates/x.yml:1",
		"default/Deployment/release-name-web web/templates/deploy.yaml:1", "default/Job/j web/templates/job.yaml:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o := set.Find("default/Deployment/release-name-web")
	pod := []any{"spec", "template", "spec"}
	container := append(slices.Clone(pod), "containers", 0)
	for _, tt := range []struct {
		path   []any
		line   int
		values string
	}{
		{[]any{"spec", "replicas"}, 7, "replicas"},
		{append(slices.Clone(pod), "hostNetwork"), 15, "hostNetwork"},
		{append(slices.Clone(container), "image"), 18, ""},
		{append(slices.Clone(container), "securityContext", "privileged"), 20, "securityContext.privileged"},
		{append(slices.Clone(container), "securityContext", "runAsNonRoot"), 19, "securityContext.runAsNonRoot"},
		{append(slices.Clone(container), "resources", "limits", "memory"), 23, "resources.limits.memory"},
		{[]any{"metadata", "name"}, 4, ""},
		{append(slices.Clone(pod), "securityContext", "runAsNonRoot"), 11, "podSecurityContext.runAsNonRoot"},
		{append(slices.Clone(pod), "nodeSelector", "x"), 28, "nodeSelector.x"},
		{append(slices.Clone(container), "livenessProbe"), 25, "probe"},
	} {
		p := o.Place(tt.path...)
		if p.File != "web/templates/deploy.yaml" || p.Line != tt.line || strings.Join(p.Values, ".") != tt.values {
			t.Errorf("%s: %+v, want line %d, values %q", kube.PathText(tt.path...), p, tt.line, tt.values)
		}
	}
	if p := set.Find("default/ConfigMap/s").Place("metadata", "name"); strings.Join(p.Values, ".") != "sub.name" {
		t.Errorf("a value of a subchart: %+v", p)
	}
	again, err := set.Render(context.Background(), o, map[string]any{"securityContext": map[string]any{"privileged": false}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range again {
		if n.ID() == o.ID() && !n.Root.At("spec", "template", "spec", "containers", 0, "securityContext", "privileged").False() {
			t.Error("the rendering does not have the value")
		}
	}
}

func TestChartOptions(t *testing.T) {
	dir := folder(t, map[string]string{
		"Chart.yaml":       chartYAML,
		"templates/x.yaml": "apiVersion: {{ if .Capabilities.APIVersions.Has \"x/v1\" }}x/v1{{ else }}v1{{ end }}\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {v: {{ .Capabilities.KubeVersion.Minor | quote }}}\n",
		"templates/y.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ required \"give a name\" .Values.name }}}\n",
	})
	values, err := Values([][]byte{[]byte("name: a\n")}, []string{"name=b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	target, set := open(t, &Source{Options: Options{Charts: Charts{Values: values, Kube: []string{"1.25", "v1.30.2", "1.25.0"}, APIVersions: []string{"x/v1"}, Release: "rel", Namespace: "ns"}}}, dir)
	got := said(target, set)
	want := []string{"ns/ConfigMap/b templates/y.yaml:1 for Kubernetes 1.25", "ns/ConfigMap.x/rel templates/x.yaml:1 for Kubernetes 1.25", "ns/ConfigMap.x/rel templates/x.yaml:1 for Kubernetes 1.30.2"}
	slices.Sort(got)
	for i := range got {
		got[i] = strings.Replace(got[i], "ConfigMap/rel", "ConfigMap.x/rel", 1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	target, _ = open(t, &Source{}, dir)
	if got := said(target, &kube.Set{}); len(got) != 1 || !strings.Contains(got[0], "give a name") {
		t.Errorf("a value that is required: %v", got)
	}
}

// pack makes a packed chart.
func pack(files map[string]string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(mapKeys(files)) {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		io.WriteString(w, files[name])
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestPacked(t *testing.T) {
	sub := pack(map[string]string{"sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n", "sub/templates/x.yaml": fmt.Sprintf(pod, "inner")})
	whole := pack(map[string]string{"web/Chart.yaml": chartYAML, "web/templates/x.yaml": fmt.Sprintf(pod, "outer"), "web/charts/sub-0.1.0.tgz": string(sub)})
	dir := folder(t, map[string]string{"web.tgz": string(whole), "vendored/Chart.yaml": chartYAML, "vendored/charts/sub.tgz": string(sub)})
	file := filepath.Join(dir, "web.tgz")
	if !IsChart(file) {
		t.Error("not known for a chart")
	}
	target, set := open(t, &Source{}, file)
	got := said(target, set)
	want := []string{
		"default/Pod/inner " + file + "!web/charts/sub-0.1.0.tgz!sub/templates/x.yaml:1", "default/Pod/outer " + file + "!web/templates/x.yaml:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	target, set = open(t, &Source{}, dir)
	if diff := cmp.Diff([]string{"default/Pod/inner vendored/charts/sub.tgz!sub/templates/x.yaml:1"}, said(target, set)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	evil := pack(map[string]string{"web/../../x": "y"})
	if _, err := (&Source{}).Open(context.Background(), write(t, evil)); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("a path that leads out: %v", err)
	}
	big := pack(map[string]string{"web/Chart.yaml": chartYAML, "web/big": strings.Repeat("0", 6<<20)})
	if _, err := (&Source{}).Open(context.Background(), write(t, big)); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("a bomb: %v", err)
	}
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.tgz")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
