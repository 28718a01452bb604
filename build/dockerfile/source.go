package dockerfile

import (
	"errors"
	"sort"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// errorLine is the line that an error of the parser speaks of.
func errorLine(err error) (int, bool) {
	var at *parser.LocationError
	if !errors.As(err, &at) || len(at.Locations) == 0 || len(at.Locations[0]) == 0 {
		return 0, false
	}
	return at.Locations[0][0].Start.Line, at.Locations[0][0].Start.Line > 0
}

// source is the text of an instruction whose lines are joined, and where each began.
type source struct {
	text   string
	starts []int // offsets in text, rising
	lines  []int // the line that begins there
	next   int   // the line behind the joined ones: where heredocs begin
}

// line is the line of an offset in the text.
func (s *source) line(offset int) int {
	i := sort.SearchInts(s.starts, offset+1) - 1
	if i < 0 {
		return s.lines[0]
	}
	return s.lines[i]
}

// append adds text whose first line is the given one.
func (s *source) append(text string, line int) {
	at := len(s.text)
	for part := range strings.Lines(text) {
		s.starts, s.lines = append(s.starts, at), append(s.lines, line)
		at += len(part)
		line++
	}
	s.text += text
}

// join joins the lines from first to last as BuildKit's parser does: comments and empty
// lines are left out, and an escape at the end of a line goes away with its line ending.
func (f *File) join(first, last int) *source {
	s := &source{}
	var b strings.Builder
	n := first
	for more := true; more && n <= last && n <= len(f.Lines); n++ {
		line := f.Lines[n-1]
		if n == first {
			line = strings.TrimLeftFunc(line, unicode.IsSpace)
		} else if t := strings.TrimLeftFunc(line, unicode.IsSpace); t == "" || t[0] == '#' {
			continue
		}
		line, more = f.continued(line)
		s.starts, s.lines = append(s.starts, b.Len()), append(s.lines, n)
		b.WriteString(line)
	}
	s.text, s.next = b.String(), n
	return s
}

// continued takes the escape from the end of a line, and tells whether there was one.
func (f *File) continued(line string) (string, bool) {
	t := strings.TrimRight(line, " \t")
	if t == "" || t[len(t)-1] != f.Escape || len(t) > 1 && t[len(t)-2] == f.Escape {
		return line, false
	}
	return t[:len(t)-1], true
}
