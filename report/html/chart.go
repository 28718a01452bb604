package html

import (
	"cmp"
	"fmt"

	"bulwark"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
)

// bar is one layer in the picture of risk by layer: as long as its risk, divided by
// severity, with the same in words.
type bar struct {
	Name, Full, Origin, Text string
	Parts                    []part
}

// part is a piece of a bar, in thousandths of the longest.
type part struct {
	Class    string
	X, Width int
}

const (
	fullWidth = 1000
	maxBars   = 128
	nameWidth = 120
	maxName   = 1000
)

// chartOf draws the layers, the lowest first; nothing when none has a risk.
func chartOf(layers []group.Layer) []bar {
	most := 0
	for i := range layers {
		most = max(most, layers[i].Risk)
	}
	if most == 0 {
		return nil
	}
	var bars []bar
	for i := range layers[:min(len(layers), maxBars)] {
		bars = append(bars, barOf(&layers[i], most))
	}
	return bars
}

func barOf(l *group.Layer, most int) bar {
	full := text.Clean(cmp.Or(l.CreatedBy, l.DiffID))
	b := bar{Name: text.Cut(full, nameWidth), Full: text.Cut(full, maxName), Text: "nothing found"}
	if l.Total() > 0 {
		b.Text = fmt.Sprintf("risk %s: %s", group.Number(l.Risk), group.Counts(l.Counts))
	}
	if l.Base {
		b.Origin = "base image"
	}
	x := 0
	for _, s := range bulwark.Severities() {
		if l.Risks[s] == 0 {
			continue
		}
		w := max(2, l.Risks[s]*fullWidth/most)
		b.Parts = append(b.Parts, part{Class: s.String(), X: x, Width: w})
		x += w
	}
	return b
}
