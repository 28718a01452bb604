package posture

import (
	"io/fs"
	"path"

	"bulwark/kube"
)

// TestEdits makes the edits that the rules of a family give for their cases, and holds that a
// rule is silent once all of its edits are made. It gives how many cases were mended. It is
// called by the family's own test.
func TestEdits(t T, f *Family) (mended int) {
	t.Helper()
	for _, r := range f.List {
		data, err := fs.ReadFile(f.Cases, "cases/"+path.Base(r.ID)+".yaml")
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
			continue
		}
		cases, err := parseCases(string(data))
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
		for i := range cases {
			if c := &cases[i]; c.fails && mend(t, r, c) {
				mended++
			}
		}
	}
	return mended
}

// mend tells whether a case was mended: all of its hits have edits.
func mend(t T, r *Rule, c *testCase) bool {
	t.Helper()
	s := &kube.Set{}
	if c.cluster {
		s.Cluster = &kube.Cluster{Name: "case", Version: "v1.34.0"}
	}
	for _, d := range kube.ParseYAML([]byte(c.text)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "case.yaml"}); ok && d.Err == nil {
			s.Objects = append(s.Objects, o)
		}
	}
	edits := map[*kube.Object][]kube.Edit{}
	for _, hit := range Probe(r, s) {
		if len(hit.Edits) == 0 {
			return false
		}
		edits[hit.Object] = append(edits[hit.Object], hit.Edits...)
	}
	after := &kube.Set{Cluster: s.Cluster}
	for _, o := range s.Objects {
		root, err := kube.Apply(o.Root, edits[o])
		if err != nil {
			t.Errorf("%s: case %q: %v", r.ID, c.why, err)
			return false
		}
		if o, ok := kube.NewObject(root, o.Origin); ok {
			after.Objects = append(after.Objects, o)
		}
	}
	for _, hit := range Probe(r, after) {
		t.Errorf("%s: case %q: still there once the edits are made: %s", r.ID, c.why, hit.Evidence)
	}
	return len(edits) > 0
}
