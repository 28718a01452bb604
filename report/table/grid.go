package table

import (
	"strings"

	"bulwark"
	"bulwark/report/internal/text"
)

// style is the parameters of an ANSI colour sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	purple style = "1;35"
)

func (p *printer) paint(st style, s string) string {
	if !p.o.Color || st == plain || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// of is the style of a severity.
func of(s bulwark.Severity) style {
	switch s {
	case bulwark.SeverityCritical:
		return purple
	case bulwark.SeverityHigh:
		return red
	case bulwark.SeverityMedium:
		return yellow
	}
	return plain
}

// grid is a table in the making: columns are as wide as their widest cell, and
// narrower where the terminal is.
type grid struct {
	head  []string
	right map[int]bool // columns that stand to the right
	rows  []row
}

type row struct {
	cells  []string
	styles []style // of the cells; nil: plain
}

// add takes cells as they came, foreign or not.
func (g *grid) add(styles []style, cells ...string) {
	for i := range cells {
		cells[i] = text.Clean(cells[i])
	}
	g.rows = append(g.rows, row{cells, styles})
}

const (
	gap      = "  "
	indent   = "  "
	narrow   = 10 // no column is cut below
	fallback = 40 // the narrowest terminal that is believed
)

// widths fits the columns into the terminal by taking from the widest.
func (g *grid) widths(limit int) []int {
	w := make([]int, len(g.head))
	for i, h := range g.head {
		w[i] = text.Width(h)
	}
	for _, r := range g.rows {
		for i, c := range r.cells {
			w[i] = max(w[i], text.Width(c))
		}
	}
	if limit <= 0 {
		return w
	}
	total := len(indent) + (len(w)-1)*len(gap)
	for _, n := range w {
		total += n
	}
	for ; total > max(limit, fallback); total-- {
		widest := 0
		for i := range w {
			if w[i] > w[widest] {
				widest = i
			}
		}
		if w[widest] <= narrow {
			break
		}
		w[widest]--
	}
	return w
}

func (p *printer) grid(g *grid) {
	w := g.widths(p.o.Width)
	p.row(w, g.right, row{cells: g.head, styles: repeat(dim, len(g.head))})
	for _, r := range g.rows {
		p.row(w, g.right, r)
	}
}

func repeat(st style, n int) []style {
	all := make([]style, n)
	for i := range all {
		all[i] = st
	}
	return all
}

func (p *printer) row(w []int, right map[int]bool, r row) {
	var b strings.Builder
	for i, c := range r.cells {
		b.WriteString([]string{indent, gap}[min(i, 1)])
		c = text.Cut(c, w[i])
		blanks := strings.Repeat(" ", max(0, w[i]-text.Width(c)))
		st := plain
		if i < len(r.styles) {
			st = r.styles[i]
		}
		switch {
		case right[i]:
			b.WriteString(blanks + p.paint(st, c))
		case i == len(r.cells)-1:
			b.WriteString(p.paint(st, c))
		default:
			b.WriteString(p.paint(st, c) + blanks)
		}
	}
	p.line(strings.TrimRight(b.String(), " "))
}
