package render

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"bulwark/network"
)

// Line is a connection as answers write it.
type Line struct {
	From string   `json:"src"`
	To   string   `json:"dst"`
	Conn string   `json:"conn"`
	When []string `json:"conditions,omitempty"`
}

// Lines gives the connections of an engine one after the other, sorted: there may be more than
// memory has room for.
func Lines(e *network.Engine, o Options) iter.Seq[Line] {
	c := network.Choice{IPv6: o.IPv6}
	if !o.all() {
		c.Keep = o.keeps
	}
	return func(yield func(Line) bool) {
		var last network.Ports // one after the other has the same, mostly
		text := last.String()
		for c := range e.List(c) {
			if !c.Ports.Equal(last) {
				last, text = c.Ports, c.Ports.String()
			}
			if !yield(Line{c.From, c.To, text, whens(c.When)}) {
				return
			}
		}
	}
}

func whens(list []network.Condition) []string {
	var texts []string
	for _, c := range list {
		if text := c.String(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// label is the ports, and on what they depend.
func label(conn string, when []string) string {
	if len(when) == 0 {
		return conn
	}
	return conn + " (" + Harmless(strings.Join(when, "; ")) + ")"
}

// Text writes "SRC => DST : CONN" for each connection.
func Text(w io.Writer, lines iter.Seq[Line]) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for l := range lines {
		for _, s := range []string{Harmless(l.From), " => ", Harmless(l.To), " : ", label(l.Conn, l.When)} {
			b.WriteString(s)
		}
		if err := b.WriteByte('\n'); err != nil {
			return err
		}
	}
	return b.Flush()
}

// JSON writes a list of {src, dst, conn}.
func JSON(w io.Writer, lines iter.Seq[Line]) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var one strings.Builder
	e := json.NewEncoder(&one)
	e.SetEscapeHTML(false)
	e.SetIndent("  ", "  ")
	before := "[\n  "
	for l := range lines {
		one.Reset()
		if err := e.Encode(l); err != nil {
			return err
		}
		b.WriteString(before)
		if _, err := b.WriteString(strings.TrimSuffix(one.String(), "\n")); err != nil {
			return err
		}
		before = ",\n  "
	}
	if before[0] == '[' {
		b.WriteString("[]\n")
	} else {
		b.WriteString("\n]\n")
	}
	return b.Flush()
}

// CSV writes a table with a head. A cell that a spreadsheet would take for a formula begins with
// an apostrophe.
func CSV(w io.Writer, lines iter.Seq[Line]) error {
	b := bufio.NewWriterSize(w, 1<<16)
	b.WriteString("src,dst,conn\n")
	for l := range lines {
		if _, err := fmt.Fprintf(b, "%s,%s,%s\n", Cell(l.From), Cell(l.To), Cell(label(l.Conn, l.When))); err != nil {
			return err
		}
	}
	return b.Flush()
}
