package lang

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// text is what a scalar of a file says, or several one after the other, with the places of their bytes.
type text struct {
	s    string
	segs []segment
}

// segment says where the bytes from start on come from.
type segment struct {
	start int
	from  *locator
}

// place is where byte i of the text stands. It is quick when it is asked for one place after the other.
func (t *text) place(i int) Pos {
	if len(t.segs) == 0 {
		return Pos{}
	}
	k, found := slices.BinarySearchFunc(t.segs, i, func(s segment, i int) int { return s.start - i })
	if !found {
		k--
	}
	s := &t.segs[max(k, 0)]
	return s.from.at(max(i-s.start, 0))
}

// join is the texts one after the other with a blank between, as what is appended to rules is.
func join(list []text) text {
	if len(list) == 1 {
		return list[0]
	}
	var b strings.Builder
	var out text
	for i, t := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		for _, s := range t.segs {
			out.segs = append(out.segs, segment{s.start + b.Len(), s.from})
		}
		b.WriteString(t.s)
	}
	out.s = b.String()
	return out
}

// locator finds the bytes of a scalar in the file that it was written in: all but white space stand
// there as they are in the scalar, or escaped.
type locator struct {
	src    *source
	value  string
	double bool
	begin  mark
	i      int // byte of value that now stands at
	now    mark
}

// mark is a place in a file.
type mark struct {
	off          int
	line, column int32
}

func newLocator(src *source, n *yaml.Node) *locator {
	m := src.mark(n.Line, n.Column)
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		m = src.skip(m, strings.IndexByte(src.rest(m), '\n')+1)
	case n.Style&yaml.DoubleQuotedStyle != 0:
		m = src.skip(m, strings.IndexByte(src.rest(m), '"')+1)
	case n.Style&yaml.SingleQuotedStyle != 0:
		m = src.skip(m, strings.IndexByte(src.rest(m), '\'')+1)
	}
	return &locator{src: src, value: n.Value, double: n.Style&yaml.DoubleQuotedStyle != 0, begin: m, now: m}
}

// at is where byte i of the value stands, or the first after it that is no white space.
func (l *locator) at(i int) Pos {
	for i < len(l.value) && white(l.value[i]) {
		i++
	}
	if l.i > i {
		l.i, l.now = 0, l.begin
	}
	for l.i < i {
		_, size := utf8.DecodeRuneInString(l.value[l.i:])
		if !white(l.value[l.i]) {
			l.blanks()
			l.pass(l.value[l.i], size)
		}
		l.i += size
	}
	if i < len(l.value) {
		l.blanks()
	}
	return Pos{l.src.file, l.now.line, l.now.column}
}

// blanks passes what gives white space in the value, or nothing.
func (l *locator) blanks() {
	for {
		rest := l.src.rest(l.now)
		switch {
		case rest == "":
			return
		case white(rest[0]):
			l.now = l.src.skip(l.now, 1)
		case l.double && len(rest) > 1 && rest[0] == '\\' && strings.IndexByte("nrt \r\n", rest[1]) >= 0:
			l.now = l.src.skip(l.now, 2)
		default:
			return
		}
	}
}

// pass passes what gives the letter of n bytes that begins with c.
func (l *locator) pass(c byte, n int) {
	rest := l.src.rest(l.now)
	switch {
	case rest == "":
		return
	case l.double && len(rest) > 1 && rest[0] == '\\':
		n = min(escapes(rest[1]), len(rest))
	case c == '\'' && strings.HasPrefix(rest, "''"):
		n = 2
	}
	l.now = l.src.skip(l.now, n)
}

// escapes is how long an escape in double quotes is.
func escapes(c byte) int {
	switch c {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}

func white(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b' }

// source is a file, or a part of one.
type source struct {
	file  int32
	data  string
	lines []int // where each begins
	above int   // lines of the file before the first of these
}

func newSource(file int32, data string, above int) *source {
	s := &source{file: file, data: data, lines: []int{0}, above: above}
	for i := 0; i < len(data); i++ {
		if data[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// mark is the place of a line and column that the reader of YAML gives: from 1, in characters.
func (s *source) mark(line, column int) mark {
	if line < 1 || line > len(s.lines) {
		return mark{off: len(s.data), line: int32(line + s.above), column: 1}
	}
	off := s.lines[line-1]
	for n := 1; n < column && off < len(s.data) && s.data[off] != '\n'; n++ {
		off++
		for off < len(s.data) && s.data[off]&0xC0 == 0x80 {
			off++
		}
	}
	return mark{off, int32(line + s.above), int32(column)}
}

func (s *source) rest(m mark) string { return s.data[m.off:] }

// skip is the place n bytes further.
func (s *source) skip(m mark, n int) mark {
	for ; n > 0 && m.off < len(s.data); n-- {
		switch c := s.data[m.off]; {
		case c == '\n':
			m.line, m.column = m.line+1, 1
		case c&0xC0 != 0x80:
			m.column++
		}
		m.off++
	}
	return m
}

// pos is where a node begins.
func (s *source) pos(n *yaml.Node) Pos {
	if n == nil {
		return Pos{}
	}
	return Pos{s.file, int32(n.Line + s.above), int32(n.Column)}
}

// text is what a scalar says.
func (s *source) text(n *yaml.Node) text {
	return text{s: n.Value, segs: []segment{{0, newLocator(s, n)}}}
}
