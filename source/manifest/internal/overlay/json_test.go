package overlay

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/api/resource"
)

// FuzzAsJSON: an object is given as the library itself gives it.
func FuzzAsJSON(f *testing.F) {
	f.Add("a: 1\nb: [x, 'y', \"z\", -0, 007, 1.5, 1e3, 0x1f, 2001-01-01, null, ~, yes, true]\nd: {}\ne: []\n")
	f.Add("a: &x {b: <>&}\nc: *x\n\"y\": !!str 12\nf: |\n  two\n  lines\ng: \"\\u00e9\\x7f\"\n")
	f.Add("' a ': ' b '\nc: '- d'\n'e: f': '# g'\nh: 'i #j'\n'': ''\nk:\nlong: " + strings.Repeat("word ", 60) + "\n")
	f.Add("a: |-\n  two\n    lines \n\n  more\nb: >\n  folded\n  text\n\n   kept\nc: \"x\\n\"\nd: \"\\nx\"\ne: |+\n  end\n\n\nf: \"a \\n b\"\n\"k\\ne\": 1\ng: \"# x\\n- y\\n---\\n...\\n\"\n")
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

// TestTextsAsJSON: texts of several lines, in each way to write them.
func TestTextsAsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	factory := resource.NewFactory(&hasher.Hasher{})
	for range 3000 {
		var b strings.Builder
		for range r.IntN(14) {
			b.WriteString([]string{"a", " ", "\n", "#", "-", ": ", "'", "\"", "b c", "|", "\n\n", "%", "...", "---\n"}[r.IntN(14)])
		}
		res, err := factory.FromBytes([]byte("kind: A\nmetadata: {name: a}\nt: x\n"))
		if err != nil {
			t.Fatal(err)
		}
		n := res.YNode().Content[5]
		n.Value, n.Style = b.String(), []yaml.Style{0, yaml.LiteralStyle, yaml.FoldedStyle, yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle}[r.IntN(5)]
		want, wantErr := res.MarshalJSON()
		got, err := asJSON(res)
		if wantErr == nil && (err != nil || string(got) != string(want)) {
			t.Errorf("%q, style %d: %s, want %s (%v)", n.Value, n.Style, got, want, err)
		}
	}
}
