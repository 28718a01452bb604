package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const mostAlike = 20 // of a class are named

// Text writes a line for each edge, and after those who is alike.
func (m *Map) Text(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, e := range m.Edges {
		fmt.Fprintf(b, "%s => %s : %s\n", Harmless(m.Nodes[e.From].Name), Harmless(m.Nodes[e.To].Name), e.Label())
	}
	first := true
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if !strings.HasSuffix(n.Name, " alike") || len(n.Members) < 2 {
			continue
		}
		if first {
			fmt.Fprint(b, "\nalike:\n")
			first = false
		}
		fmt.Fprintf(b, "  %s\n", Harmless(n.Name))
		others := n.Members[1:]
		for _, name := range others[:min(len(others), mostAlike)] {
			fmt.Fprintf(b, "    %s\n", Harmless(name))
		}
		if more := len(others) - mostAlike; more > 0 {
			fmt.Fprintf(b, "    and %d more\n", more)
		}
	}
	return b.Flush()
}

// Cell writes a cell of a CSV file.
func Cell(s string) string {
	s = Harmless(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		s = "'" + s
	}
	if strings.ContainsAny(s, ",\";") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// Harmless makes control and direction characters of a name "?": also line ends, which
// names do not have.
func Harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}

// Markdown writes a cell of a table, with nothing in it that is markup.
func Markdown(s string) string {
	var b strings.Builder
	for _, r := range Harmless(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]#!|>~@", r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
