package policy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
)

// targetOf is a target with the objects of a file.
func targetOf(t testing.TB, file, text string) *bulwark.Target {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: file}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	return &bulwark.Target{Objects: s}
}

func of(rule, subject, file string, lines ...int) *bulwark.Finding {
	f := &bulwark.Finding{Kind: bulwark.KindMisconfig, Rule: rule, Subject: subject, Path: file}
	for _, l := range lines {
		f.Places = append(f.Places, bulwark.Place{Path: file, Line: l})
		f.Line = lines[0]
	}
	return f
}

const world = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
`

// TestExceptionsByObject tries selectors of objects: every one that is given must fit.
func TestExceptionsByObject(t *testing.T) {
	target := targetOf(t, "app.yaml", world)
	const rest = ", reason: r, owner: o, expires: 2027-01-01}"
	for _, tt := range []struct {
		entry string
		want  string // the subjects that it covers
	}{
		{`{object: "shop/Deployment/*"` + rest, "shop/Deployment/web"},
		{`{object: "*/web", rule: "workload/*"` + rest, "shop/Deployment/web"},
		{`{rule: "*", namespace: "def*"` + rest, "default/Pod/db"},
		{`{rule: "workload/x", kind: Node` + rest, "Node/n1"},
		{`{rule: "workload/x", labels: {app: web, tier: front}` + rest, "shop/Deployment/web"},
		{`{rule: "workload/x", labels: "app in (web, db), tier!=front"` + rest, "default/Pod/db"},
		{`{rule: "workload/x", labels: "app", kind: Pod, namespace: shop` + rest, ""},
		{`{rule: "workload/y", labels: "app"` + rest, ""},
	} {
		s := read(t, "exceptions.yaml", "exceptions:\n- "+tt.entry+"\n")
		p, notes := s.For(context.Background(), target)
		var got []string
		for _, subject := range []string{"shop/Deployment/web", "default/Pod/db", "Node/n1", "pkg:deb/debian/a", "shop/Deployment/gone"} {
			f := of("workload/x", subject, "app.yaml")
			p.Apply(image, f)
			if f.Exception != nil {
				got = append(got, subject)
			}
		}
		if strings.Join(got, " ") != tt.want || len(notes) > 0 {
			t.Errorf("%s covers %q, want %q; notes %v", tt.entry, got, tt.want, notes)
		}
		if idle := s.Unused(); (len(idle) == 0) != (tt.want != "") {
			t.Errorf("%s: unused %v", tt.entry, idle)
		}
	}
	for _, wrong := range []string{`{labels: {app: a}}`, `{rule: a, labels: "a in"}`, `{rule: a, labels: ""}`, `{rule: a, namespace: [b]}`} {
		if _, err := Read("x.yaml", strings.NewReader("exceptions:\n- "+wrong+"\n"), now); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

const own = `# bulwark:except workload/a,workload/b the whole of it owner=me expires=2027-01-01
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  hostNetwork: true # bulwark:except workload/host-network it is an agent owner=me expires=2027-01-01
  containers:
  # bulwark:except image
  - image: a
  - image: b # not a word
  # bulwark:except old was mended expires=2020-01-01
  - image: c
  # bulwark:except ** everything
  # bulwark:except soon x expires=soon
---
apiVersion: v1
kind: Pod
metadata:
  name: two
  annotations:
    bulwark.dev/except: "workload/x, y"
    bulwark.dev/except-reason: "why\u001b[31m not"
    bulwark.dev/except-owner: me
    bulwark.dev/except-expires: "2027-01-01"
---
apiVersion: v1
kind: Pod
metadata: {name: three, annotations: {bulwark.dev/except: "", bulwark.dev/except-reason: none}}
`

// TestInline tries the exceptions that manifests make themselves.
func TestInline(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pods.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	target := targetOf(t, "pods.yaml", own)
	target.Asset.ID = bulwark.AssetID("dir:" + dir)
	p, notes := Inline{Now: now}.For(context.Background(), target)
	for _, tt := range []struct {
		finding *bulwark.Finding
		want    string
	}{
		{of("workload/a", "default/Pod/one", "pods.yaml", 6, 9), "the whole of it"},
		{of("workload/b", "default/Pod/two", "pods.yaml", 18), ""},
		{of("workload/host-network", "default/Pod/one", "pods.yaml", 6), "it is an agent"},
		{of("workload/host-network", "default/Pod/one", "pods.yaml", 6, 7), ""},
		{of("workload/host-network", "default/Pod/one", "other.yaml", 6), ""},
		{of("workload/image", "default/Pod/one", "pods.yaml", 9), "-"},
		{of("workload/image", "default/Pod/one", "pods.yaml", 9, 10), ""},
		{of("workload/old", "default/Pod/one", "pods.yaml", 12), ""},
		{of("workload/x", "default/Pod/two", "pods.yaml", 19), "why [31m not"},
		{of("secrets/y", "default/Pod/two", "pods.yaml", 19), "why [31m not"},
		{of("workload/x", "default/Pod/one", "pods.yaml", 7), ""},
		{of("workload/z", "default/Pod/three", "pods.yaml", 28), ""},
	} {
		p.Apply(image, tt.finding)
		got := ""
		if e := tt.finding.Exception; e != nil {
			if got = e.Reason; got == "" {
				got = "-"
			}
		}
		if got != tt.want {
			t.Errorf("%s of %s, lines %v: reason %q, want %q", tt.finding.Rule, tt.finding.Subject, tt.finding.Places, got, tt.want)
		}
	}
	var got []string
	for _, n := range notes {
		got = append(got, n.Path+": "+n.Text)
	}
	want := []string{
		`pods.yaml: the exception of line 28 names no rule, and is not honoured: ""`,
		`pods.yaml: "image" (line 8) is excepted by the manifest itself, without a reason, an owner, an expiry date`,
		`pods.yaml: the exception for "old" (line 11) expired on 2020-01-01: what it covered counts again`,
		`pods.yaml: the exception of line 13 names no rule, and is not honoured: "**"`,
		`pods.yaml: the exception of line 14 for "soon" is not honoured: expires "soon" is no date such as 2027-01-31`,
		`: exceptions that the manifests make themselves are honoured (--inline-exceptions): 4`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestInlineOfRendered holds that comments count in the files that rendered objects come from,
// and that it is told where they cannot be read.
func TestInlineOfRendered(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{"t.yaml": "a:\n  b: c # bulwark:except workload/x why owner=me expires=2027-01-01\n", "base.yaml": "x:\n# bulwark:except workload/y why owner=me expires=2027-01-01\ny: z\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := targetOf(t, "t.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {a: b}\n")
	o := target.Objects.(*kube.Set).Objects[0]
	o.Origin.Chart = "."
	o.Origin.Locate = func([]any) (kube.Location, bool) { return kube.Location{File: "base.yaml", Line: 3}, true }
	for id, want := range map[string]int{"dir:" + dir: 2, "file:-": 0} {
		target.Asset.ID = bulwark.AssetID(id)
		p, notes := Inline{Now: now}.For(context.Background(), target)
		excepted := 0
		for _, f := range []*bulwark.Finding{of("workload/x", "default/Pod/a", "t.yaml", 2), of("workload/y", "default/Pod/a", "base.yaml", 3), of("workload/y", "default/Pod/a", "t.yaml", 2)} {
			p.Apply(image, f)
			if f.Exception != nil {
				excepted++
			}
		}
		if excepted != want || len(notes) != 1 || want == 0 && !strings.Contains(notes[0].Text, "stdin") {
			t.Errorf("%s: %d of %d are excepted, notes %v", id, excepted, want, notes)
		}
	}
}

func FuzzInline(f *testing.F) {
	f.Add(own)
	f.Add("apiVersion: v1\nkind: Pod # bulwark:except a\nmetadata: {annotations: {bulwark.dev/except: '*'}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		target := targetOf(t, "x.yaml", text)
		target.Asset.ID = bulwark.AssetID("dir:" + dir)
		p, _ := Inline{Now: now}.For(context.Background(), target)
		p.Apply(image, of("workload/x", "default/Pod/one", "x.yaml", 1))
	})
}
