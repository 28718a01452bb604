package misconfig

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
)

const mostPlaces = 1000

// Gather makes one finding of all that have one key: the first leads, all have a place
// in it, and its patch mends each that has one.
type Gather struct {
	list  []*bulwark.Finding
	byKey map[string]*bulwark.Finding
}

// Add takes a finding, which is the gatherer's from then on.
func (g *Gather) Add(f *bulwark.Finding) {
	place := bulwark.Place{Path: f.Path, Line: f.Line, Layer: f.Layer}
	first := g.byKey[f.Key]
	if first == nil {
		if g.byKey == nil {
			g.byKey = map[string]*bulwark.Finding{}
		}
		if len(f.Places) == 0 && f.Path != "" {
			f.Places = []bulwark.Place{place}
		}
		g.byKey[f.Key] = f
		g.list = append(g.list, f)
		return
	}
	full := len(first.Places) >= mostPlaces
	if f.Path == "" || !full && slices.Contains(first.Places, place) {
		return
	}
	if first.Count = max(first.Count, len(first.Places)) + 1; full {
		return
	}
	first.Places = append(first.Places, place)
	first.FromBase = first.FromBase && f.FromBase
	if f.Severity > first.Severity {
		first.Severity, first.Risk, first.Tags = f.Severity, f.Risk, f.Tags
		first.Evidence = append(slices.Clone(f.Evidence), first.Evidence...)
	}
	join(first, f)
}

// Emit gives them all, in the order of the first of each.
func (g *Gather) Emit(emit func(bulwark.Record)) {
	for _, f := range g.list {
		emit(bulwark.Record{Finding: f})
	}
	*g = Gather{}
}

// join adds the patch of f to that of first, where it changes a later line of the same
// file.
func join(first, f *bulwark.Finding) {
	if f.Fix == nil || f.Fix.Patch == nil || first.Fix == nil {
		return
	}
	if first.Fix.Patch == nil {
		first.Fix.Patch = f.Fix.Patch
		return
	}
	p := first.Fix.Patch
	at, shift := 0, 0
	for l := range strings.Lines(p.Text) {
		if old, olds, news, ok := hunk(l); ok {
			at, shift = old+olds, shift+news-olds
		}
	}
	_, body, ok := strings.Cut(f.Fix.Patch.Text, "\n@@ ")
	head, body, _ := strings.Cut(body, "\n")
	old, olds, news, ok2 := hunk("@@ " + head)
	if !ok || !ok2 || old < at || p.File != f.Fix.Patch.File || strings.Contains(body, "\n@@ ") {
		return
	}
	p.Text += fmt.Sprintf("@@ -%d,%d +%d,%d @@\n%s", old, olds, old+shift, news, body)
}

// hunk reads the head of a hunk as Replace writes it.
func hunk(line string) (old, olds, news int, ok bool) {
	var to int
	n, err := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &old, &olds, &to, &news)
	return old, olds, news, n == 4 && err == nil
}
