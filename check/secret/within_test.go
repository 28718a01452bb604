package secret

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"
)

// TestGrams: an engine for one text finds in it what the engine for all finds.
func TestGrams(t *testing.T) {
	rules := cased(t)
	all := build(rules, time.Time{})
	var s scan
	find := func(e *engine, text string) (out []string) {
		x := setting{text: text}
		s.begin(e, "", int64(len(text)))
		for _, f := range x.findings(&s, e, map[string]bool{}) {
			out = append(out, f.Rule+" "+f.Subject+" "+f.Key)
		}
		return out
	}
	found := 0
	for i, r := range rules {
		for k, template := range r.Cases.Match[:min(1, len(r.Cases.Match))] {
			plain := fill(t, template, uint64(i*100+k))
			forms := []string{plain, "A=" + base64.StdEncoding.EncodeToString([]byte("x: "+plain)), url.QueryEscape(plain),
				fmt.Sprintf("%q", plain), string(encoded16(plain, false)), plain[:min(len(plain), 2)]}
			text := forms[(i+k)%len(forms)]
			var g grams
			g.add(text)
			want := find(all, text)
			found += len(want)
			if got := find(buildFor(&g, rules, time.Time{}), text); !slices.Equal(got, want) {
				t.Fatalf("%s in %q: found %q, want %q", r.ID, text, got, want)
			}
		}
	}
	if found < 100 {
		t.Errorf("%d findings in all: the cases are not read", found)
	}
}
