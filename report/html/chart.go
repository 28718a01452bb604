package html

import (
	"cmp"
	"fmt"

	"bulwark"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
)

// chart is the picture of risk by layer: a bar for each, as long as its risk, divided
// by severity.
type chart struct {
	Width, Height int
	Bars          []bar
	Label         string
}

type bar struct {
	Name, Origin, Text string
	Y, TextY, EndX     int
	Parts              []part
}

type part struct {
	Class    string
	X, Width int
	Title    string
}

const (
	chartWidth = 900
	nameWidth  = 330
	barWidth   = 340
	barHeight  = 16
	barStep    = 24
	maxBars    = 128
)

func chartOf(layers []group.Layer) *chart {
	most := 0
	for i := range layers {
		most = max(most, layers[i].Risk)
	}
	if len(layers) == 0 || most == 0 {
		return nil
	}
	layers = layers[:min(len(layers), maxBars)]
	c := &chart{Width: chartWidth, Height: barStep*len(layers) + 8, Label: fmt.Sprintf("Risk by layer, %d layers, the lowest first", len(layers))}
	for i := range layers {
		c.Bars = append(c.Bars, barOf(&layers[i], i, most))
	}
	return c
}

func barOf(l *group.Layer, i, most int) bar {
	b := bar{Name: text.Cut(text.Clean(cmp.Or(l.CreatedBy, l.DiffID)), 44), Y: 4 + i*barStep, TextY: 4 + i*barStep + 13,
		Text: fmt.Sprintf("risk %s, %s", group.Number(l.Risk), group.Count(l.Total(), "finding"))}
	if l.Base {
		b.Origin = "base"
	}
	length := l.Risk * barWidth / most
	x, total := nameWidth, l.Total()
	for _, s := range bulwark.Severities() {
		if l.Counts[s] == 0 {
			continue
		}
		w := max(1, length*l.Counts[s]/total)
		b.Parts = append(b.Parts, part{Class: s.String(), X: x, Width: w, Title: fmt.Sprintf("%s %s", group.Number(l.Counts[s]), s)})
		x += w
	}
	b.EndX = x + 6
	return b
}
