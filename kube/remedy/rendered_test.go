package remedy

import (
	"context"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
)

const values = "# how\nsc:\n  privileged: true # why\n  user: 1\n"

// chartOf is a set of objects that one template makes, from values that it takes whole.
func chartOf(t *testing.T, faithful bool) *kube.Set {
	t.Helper()
	render := func(privileged bool) *kube.Object {
		o := objectOf(t, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"hostPID":true,"containers":[{"name":"a","sc":{"privileged":`+map[bool]string{true: "true", false: "false"}[privileged]+`}}]}}`)
		o.Origin = kube.Origin{File: "c/templates/a.yaml", Chart: "c"}
		o.Origin.Locate = func(path []any) (kube.Location, bool) {
			at := kube.Location{File: "c/templates/a.yaml", Line: 3}
			if len(path) == 4 && path[3] == "sc" {
				at.Values = []string{"sc"}
			}
			return at, true
		}
		return o
	}
	return &kube.Set{
		Objects: []*kube.Object{render(true), render(true)},
		Read: func(file string) ([]byte, error) {
			if file != "c/values.yaml" {
				return nil, bulwark.ErrNotFound
			}
			return []byte(values), nil
		},
		Render: func(_ context.Context, _ *kube.Object, v map[string]any) ([]*kube.Object, error) {
			sc, _ := v["sc"].(map[string]any)
			p, ok := sc["privileged"].(bool)
			return []*kube.Object{render(p || !ok || !faithful)}, nil
		},
	}
}

func TestChart(t *testing.T) {
	mends := []kube.Edit{kube.Put(false, "spec", "containers", 0, "sc", "privileged")}
	s := chartOf(t, true)
	p, err := (&Maker{Set: s}).Patch(s.Objects, map[*kube.Object][]kube.Edit{s.Objects[0]: mends, s.Objects[1]: mends})
	if err != nil || p.File != "c/values.yaml" || !strings.Contains(p.Text, "\n-  privileged: true # why\n+  privileged: false # why\n") {
		t.Errorf("%+v, %v", p, err)
	}
	for name, tt := range map[string]struct {
		set   *kube.Set
		edits []kube.Edit
		why   string
	}{
		"the template says it":    {s, []kube.Edit{kube.Put(false, "spec", "hostPID")}, "c/templates/a.yaml line 3"},
		"the values have no say":  {chartOf(t, false), mends, "does not write what is meant"},
		"each would need its own": {s, nil, "each needs a change of its own"},
	} {
		edits := map[*kube.Object][]kube.Edit{tt.set.Objects[0]: tt.edits, tt.set.Objects[1]: tt.edits}
		if tt.edits == nil {
			edits = map[*kube.Object][]kube.Edit{tt.set.Objects[0]: mends, tt.set.Objects[1]: {kube.Put(7, "spec", "containers", 0, "sc", "privileged")}}
		}
		if p, err := (&Maker{Set: tt.set}).Patch(tt.set.Objects, edits); err == nil || tt.edits != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestOverlay: what a base has is mended there; where there is no base to write to, there is a
// patch for the kustomization.
func TestOverlay(t *testing.T) {
	o := objectOf(t, strings.Replace(deployment, `"name":"web"`, `"name":"p-web-s","namespace":"shop"`, 1))
	o.Origin = kube.Origin{File: "base/web.yaml", Overlay: "prod", Locate: func([]any) (kube.Location, bool) { return kube.Location{File: "base/web.yaml", Line: 2}, true }}
	edits := map[*kube.Object][]kube.Edit{o: liveEdits["set"]}
	files := map[string]string{"prod/kustomization.yml": "", "base/web.yaml": "# base\n" + strings.Replace(deployment, `"privileged":true`, `"privileged":false`, 1) + "\n"}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, bulwark.ErrNotFound
	}
	p, err := (&Maker{Set: &kube.Set{Read: read}}).Patch([]*kube.Object{o}, edits)
	want := `{"kind":"Deployment","metadata":{"name":"web"},"apiVersion":"apps/v1","spec":{"template":{"spec":{"containers":[{"name":"app","securityContext":{"privileged":false}}]}}}}`
	if err != nil || p.Format != "strategic-merge" || p.File != "prod/kustomization.yml" {
		t.Fatalf("%+v, %v", p, err)
	}
	made, _ := kube.ParseJSON([]byte(p.Text))
	if w, _ := kube.ParseJSON([]byte(want)); !made.Equal(w) {
		t.Errorf("%s", p.Text)
	}
	for _, name := range []string{"base/web.yaml", "prod/kustomization.yml"} {
		kept := files[name]
		delete(files, name)
		if p, err := (&Maker{Set: &kube.Set{Read: read}}).Patch([]*kube.Object{o}, edits); err == nil {
			t.Errorf("without %s: %+v", name, p)
		}
		files[name] = kept
	}
	files["base/web.yaml"] = "# base\n" + deployment + "\n"
	p, err = (&Maker{Set: &kube.Set{Read: read}}).Patch([]*kube.Object{o}, edits)
	if err != nil || p.Format != "unified-diff" || p.File != "base/web.yaml" {
		t.Errorf("%+v, %v", p, err)
	}
	// Beside it the base as it stands, which another kustomization takes: both are mended there.
	stands := objectOf(t, deployment)
	stands.Root = kube.ParseYAML([]byte(files["base/web.yaml"]))[0].Root
	stands.Origin = kube.Origin{File: "base/web.yaml", Line: 2}
	edits[stands] = edits[o]
	both, err := (&Maker{Set: &kube.Set{Read: read}}).Patch([]*kube.Object{stands, o}, edits)
	if err != nil || *both != *p {
		t.Errorf("%+v, %v; want %+v", both, err, p)
	}
}
