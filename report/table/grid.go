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

// column is one column of a grid.
type column struct {
	head  string
	right bool // numbers stand to the right
	wrap  bool // what is too long goes on below; else it is cut in its middle
	// yields is how narrow the column becomes before those that do not yield are cut; 0:
	// it does not.
	yields int
	most   int // columns that it takes at most, however wide the terminal; 0: any number
}

// grid is a table in the making: columns are as wide as their widest cell, and
// narrower where the terminal is.
type grid struct {
	columns []column
	rows    []row
}

type row struct {
	cells  []string
	styles []style // of the cells; those that are missing are plain
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
	narrow   = 8  // no column is cut below
	fallback = 40 // the narrowest terminal that is believed
)

// widths fits the columns into the terminal by taking from the widest, and first from
// those that yield.
func (g *grid) widths(limit int) []int {
	w := make([]int, len(g.columns))
	for i, c := range g.columns {
		w[i] = text.Width(c.head)
		for _, r := range g.rows {
			w[i] = max(w[i], text.Width(r.cells[i]))
		}
		if c.most > 0 {
			w[i] = min(w[i], c.most)
		}
	}
	if limit <= 0 {
		return w
	}
	total := len(indent) + (len(w)-1)*len(gap)
	for _, n := range w {
		total += n
	}
	over := total - max(limit, fallback)
	over = take(w, over, func(i int) int {
		if g.columns[i].yields == 0 {
			return w[i]
		}
		return g.columns[i].yields
	})
	take(w, over, func(int) int { return narrow })
	return w
}

// take narrows the widest columns by over in all, none below its least, and gives what
// is left to take.
func take(w []int, over int, least func(int) int) int {
	for ; over > 0; over-- {
		widest := -1
		for i := range w {
			if w[i] > least(i) && (widest < 0 || w[i] > w[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		w[widest]--
	}
	return over
}

func (p *printer) grid(g *grid) {
	w := g.widths(p.o.Width)
	head := row{}
	for _, c := range g.columns {
		head.cells, head.styles = append(head.cells, c.head), append(head.styles, dim)
	}
	p.row(g, w, head)
	for _, r := range g.rows {
		p.row(g, w, r)
	}
}

func repeat(st style, n int) []style {
	all := make([]style, n)
	for i := range all {
		all[i] = st
	}
	return all
}

// row writes a row on as many lines as its longest cell takes.
func (p *printer) row(g *grid, w []int, r row) {
	cells, lines := make([][]string, len(r.cells)), 1
	for i, c := range r.cells {
		cells[i] = []string{text.Middle(c, w[i])}
		if g.columns[i].wrap {
			cells[i] = fold(c, w[i])
		}
		lines = max(lines, len(cells[i]))
	}
	for n := range lines {
		var b strings.Builder
		for i := range cells {
			b.WriteString([]string{indent, gap}[min(i, 1)])
			c, st := "", plain
			if n < len(cells[i]) {
				c = cells[i][n]
			}
			if i < len(r.styles) {
				st = r.styles[i]
			}
			blanks := strings.Repeat(" ", max(0, w[i]-text.Width(c)))
			if g.columns[i].right {
				b.WriteString(blanks + p.paint(st, c))
			} else {
				b.WriteString(p.paint(st, c) + blanks)
			}
		}
		p.line(strings.TrimRight(b.String(), " "))
	}
}

// fold wraps s, and breaks words that are wider than a line.
func fold(s string, n int) []string {
	var lines []string
	for _, l := range text.Wrap(s, n) {
		for n > 1 && text.Width(l) > n {
			head := strings.TrimSuffix(text.Cut(l, n), "…")
			if head == "" {
				break
			}
			lines = append(lines, head)
			l = l[len(head):]
		}
		lines = append(lines, l)
	}
	return lines
}
