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
	// Data is the file that the findings, and their patches, are about.
	Data []byte

	list  []*bulwark.Finding
	byKey map[string]*bulwark.Finding
	edits map[*bulwark.Finding][]Edit // of the patches of all, where there are several
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
	g.join(first, f)
}

// Emit gives them all, in the order of the first of each.
func (g *Gather) Emit(emit func(bulwark.Record)) {
	for _, f := range g.list {
		if list := g.edits[f]; list != nil {
			if both := Diff(f.Fix.Patch.File, g.Data, list); both != nil {
				f.Fix.Patch = both
			}
		}
		emit(bulwark.Record{Finding: f})
	}
	g.list, g.byKey, g.edits = nil, nil, nil
}

// join adds the patch of f to that of first, where it is for the same file. They are made
// one when all are known: that goes through the whole file.
func (g *Gather) join(first, f *bulwark.Finding) {
	if f.Fix == nil || f.Fix.Patch == nil || first.Fix == nil {
		return
	}
	if first.Fix.Patch == nil {
		first.Fix.Patch = f.Fix.Patch
		return
	}
	p := first.Fix.Patch
	if p.File != f.Fix.Patch.File {
		return
	}
	if g.edits == nil {
		g.edits = map[*bulwark.Finding][]Edit{}
	}
	if g.edits[first] == nil {
		g.edits[first] = edits(p)
	}
	g.edits[first] = append(g.edits[first], edits(f.Fix.Patch)...)
}

// edits are those that Diff was given.
func edits(p *bulwark.Patch) []Edit {
	var out []Edit
	line := 0           // the next one of the old file; 0 before the first hunk
	var before []string // lines that are put before the next one
	replaced := false   // whether the line before was
	for l := range strings.Lines(p.Text) {
		switch {
		case l[0] == '@':
			if _, err := fmt.Sscanf(l, "@@ -%d", &line); err != nil {
				return nil
			}
		case line == 0:
		case l[0] == ' ':
			if before != nil {
				out = append(out, Edit{line, append(before, strings.TrimRight(l[1:], "\r\n"))})
			}
			line, before, replaced = line+1, nil, false
		case l[0] == '-':
			out = append(out, Edit{Line: line})
			line, replaced = line+1, true
		case l[0] == '+' && replaced:
			last := &out[len(out)-1]
			last.With = append(last.With, strings.TrimRight(l[1:], "\r\n"))
		case l[0] == '+':
			before = append(before, strings.TrimRight(l[1:], "\r\n"))
		}
	}
	return out
}
