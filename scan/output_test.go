package scan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func TestNotesAreToldOnce(t *testing.T) {
	a := bulwark.Note{Plugin: "p", Path: "x", Text: "one"}
	b := bulwark.Note{Plugin: "p", Path: "x", Text: "two"}
	o := &output{}
	o.addNotes("dir:1", a, b, a)
	o.addNotes("dir:2", a)
	o.sort()
	in := func(n bulwark.Note, asset bulwark.AssetID) bulwark.Note { n.Asset = asset; return n }
	if diff := cmp.Diff([]bulwark.Note{in(a, "dir:1"), in(b, "dir:1"), in(a, "dir:2")}, o.notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
