package posture

import (
	"io/fs"
	"path"
	"slices"

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
			c := &cases[i]
			s := &kube.Set{}
			if c.cluster {
				s.Cluster = &kube.Cluster{Name: "case", Version: "v1.34.0"}
			}
			for _, d := range kube.ParseYAML([]byte(c.text)) {
				if o, ok := kube.NewObject(d.Root, kube.Origin{File: "case.yaml"}); ok && d.Err == nil {
					s.Objects = append(s.Objects, o)
				}
			}
			if c.fails && TestMended(t, r, s) > 0 {
				mended++
			}
		}
	}
	return mended
}

// TestMended makes the edits that a rule gives for the objects of a set, and holds that it is
// silent about each of those then. It gives how many were mended.
func TestMended(t T, r *Rule, s *kube.Set) int {
	t.Helper()
	edits, unsure := map[*kube.Object][]kube.Edit{}, map[*kube.Object]bool{}
	for _, hit := range Probe(r, s) {
		edits[hit.Object] = append(edits[hit.Object], hit.Edits...)
		unsure[hit.Object] = unsure[hit.Object] || len(hit.Edits) == 0
	}
	after, changed := &kube.Set{Cluster: s.Cluster}, map[*kube.Object]bool{}
	for _, o := range slices.Clone(s.Objects) {
		if len(edits[o]) == 0 || unsure[o] {
			after.Objects = append(after.Objects, o)
			continue
		}
		root, err := kube.Apply(o.Root, edits[o])
		if err != nil {
			t.Errorf("%s: %s: %v", r.ID, o.ID(), err)
			continue
		}
		if made, ok := kube.NewObject(root, o.Origin); ok {
			after.Objects = append(after.Objects, made)
			changed[made] = true
		}
	}
	for _, hit := range Probe(r, after) {
		if changed[hit.Object] {
			t.Errorf("%s: %s: still there once the edits are made: %s", r.ID, hit.Object.ID(), hit.Evidence)
		}
	}
	return len(changed)
}
