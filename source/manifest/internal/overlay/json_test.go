package overlay

import (
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/api/resource"
)

// FuzzAsJSON: an object is given as the library itself gives it.
func FuzzAsJSON(f *testing.F) {
	f.Add("a: 1\nb: [x, 'y', \"z\", -0, 007, 1.5, 1e3, 0x1f, 2001-01-01, null, ~, yes, true]\nd: {}\ne: []\n")
	f.Add("a: &x {b: <>&}\nc: *x\n\"y\": !!str 12\nf: |\n  two\n  lines\ng: \"\\u00e9\\x7f\"\n")
	f.Add("' a ': ' b '\nc: '- d'\n'e: f': '# g'\nh: 'i #j'\n'': ''\nk:\nlong: " + strings.Repeat("word ", 60) + "\n")
	factory := resource.NewFactory(&hasher.Hasher{})
	f.Fuzz(func(t *testing.T, text string) {
		list, err := factory.SliceFromBytes([]byte("kind: A\nmetadata: {name: a}\n" + text))
		if err != nil {
			return
		}
		for _, res := range list {
			want, wantErr := res.MarshalJSON()
			got, err := asJSON(res)
			if wantErr == nil && (err != nil || string(got) != string(want)) {
				t.Errorf("%q: %s, want %s (%v)", text, got, want, err)
			}
		}
	})
}
