package remedy

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"bulwark"
	"bulwark/kube"
)

// ErrUnsure is what wraps every reason why there is no patch.
var ErrUnsure error = reason("a change that cannot be made with certainty")

// reason says why there is no patch.
type reason string

func (r reason) Error() string   { return string(r) }
func (r reason) Is(t error) bool { return t == ErrUnsure || t == bulwark.ErrUnsupported }

func unsure(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// file is the text of a file and where its lines begin.
type file struct {
	data   []byte
	starts []int // offsets of lines; the last is the end
	docs   []int // indices of the lines that begin documents
	ending string

	secrets *secrets

	mu    sync.Mutex
	roots map[[2]int]written // by line and column
}

func newFile(data []byte) *file {
	f := &file{data: data, starts: []int{0}, docs: []int{0}, ending: "\n", roots: map[[2]int]written{}, secrets: &secrets{}}
	for at := 0; at < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if at > 0 && separates(data[at:end]) {
			f.docs = append(f.docs, len(f.starts)-1)
		}
		at = end
		f.starts = append(f.starts, at)
	}
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		f.ending = "\r\n"
	}
	return f
}

// separates tells whether a line begins a document.
func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}

// count is how many lines the file has.
func (f *file) count() int { return len(f.starts) - 1 }

// line is the text of the line with that index, with its ending.
func (f *file) line(i int) string { return string(f.data[f.starts[i]:f.starts[i+1]]) }

// lineOf is the index of the line in which an offset is.
func (f *file) lineOf(at int) int {
	i := sort.SearchInts(f.starts, at+1) - 1
	return min(i, max(0, f.count()-1))
}

// document gives the lines of the document in which a line is: from, up to to.
func (f *file) document(line int) (from, to int) {
	i := sort.SearchInts(f.docs, line+1) - 1
	to = f.count()
	if i+1 < len(f.docs) {
		to = f.docs[i+1]
	}
	return f.docs[max(0, i)], to
}

// offset is where a column of a line, counted in runes from 1, begins; -1 where there is none.
func (f *file) offset(line, column int) int {
	if line < 1 || line > f.count() || column < 1 {
		return -1
	}
	at := f.starts[line-1]
	text := f.data[at:f.starts[line]]
	for column--; column > 0 && len(text) > 0; column-- {
		_, n := utf8.DecodeRune(text)
		text, at = text[n:], at+n
	}
	if column > 0 {
		return -1
	}
	return at
}

// eol is the end of the line in which an offset is, before its ending.
func (f *file) eol(at int) int {
	i := f.lineOf(at)
	text := bytes.TrimRight(f.data[f.starts[i]:f.starts[i+1]], "\r\n")
	return f.starts[i] + len(text)
}

// bol is the start of the line in which an offset is.
func (f *file) bol(at int) int { return f.starts[f.lineOf(at)] }

// byteAt is the byte at an offset; 0 past the end.
func (f *file) byteAt(at int) byte {
	if at < 0 || at >= len(f.data) {
		return 0
	}
	return f.data[at]
}

// blanks skips blanks of the line.
func (f *file) blanks(at int) int {
	for f.byteAt(at) == ' ' || f.byteAt(at) == '\t' {
		at++
	}
	return at
}

// spaces skips blanks, ends of lines and comments.
func (f *file) spaces(at int) int {
	for {
		switch at = f.blanks(at); f.byteAt(at) {
		case '\n', '\r':
			at++
		case '#':
			if at > 0 && strings.IndexByte(" \t\r\n", f.data[at-1]) < 0 {
				return at
			}
			at = f.eol(at)
		default:
			return at
		}
	}
}

// begin is where a node's text begins, behind its anchor and tag.
func (f *file) begin(n *kube.Node) int {
	at := f.offset(n.Line(), n.Column())
	for at >= 0 && (f.byteAt(at) == '&' || f.byteAt(at) == '!') {
		at = f.spaces(f.word(at))
	}
	return at
}

// word is where the run of bytes that are no spaces ends.
func (f *file) word(at int) int {
	for at < len(f.data) && strings.IndexByte(" \t\r\n", f.data[at]) < 0 {
		at++
	}
	return at
}

// quoted is where a text in quotes that begins at an offset ends.
func (f *file) quoted(at int) (int, error) {
	q := f.data[at]
	for i := at + 1; i < len(f.data); i++ {
		switch {
		case f.data[i] == '\\' && q == '"':
			i++
		case f.data[i] != q:
		case q == '\'' && f.byteAt(i+1) == '\'':
			i++
		default:
			return i + 1, nil
		}
	}
	return 0, unsure("a text does not end")
}

// indent is the number of spaces that a line begins with; -1 for a line that is blank or a
// comment.
func (f *file) indent(line int) int {
	at := f.starts[line]
	end := f.starts[line+1]
	n := 0
	for at+n < end && f.data[at+n] == ' ' {
		n++
	}
	if at+n >= end || strings.IndexByte("#\r\n", f.data[at+n]) >= 0 {
		return -1
	}
	return n
}

// end is where the text of a value ends: the first offset behind it. after is the offset
// behind the colon or dash before it, indent the column of the key or dash, from 0.
func (f *file) end(n *kube.Node, after, indent int) (int, error) {
	at := f.blanks(after)
	if n.Form() == kube.Null && n.Text() == "" && strings.IndexByte("\r\n#\x00", f.byteAt(at)) >= 0 {
		return after, nil
	}
	if at = f.spaces(after); f.byteAt(at) == '*' {
		return f.word(at), nil
	}
	at = f.begin(n)
	if at < after {
		return 0, unsure("line %d: a value stands elsewhere", n.Line())
	}
	switch c := f.byteAt(at); {
	case c == '{' || c == '[':
		fl, err := f.flow(at)
		if err != nil {
			return 0, err
		}
		return fl.close + 1, nil
	case n.Form() == kube.Map:
		return f.endOfMap(n)
	case n.Form() == kube.List:
		return f.endOfList(n)
	case c == '"' || c == '\'':
		return f.quoted(at)
	case (c == '|' || c == '>') && n.Form() == kube.String:
		return f.endOfBlock(at, indent), nil
	}
	return f.endOfPlain(at, n.Text())
}

// endOfPlain follows a text without quotes, which may go on over lines.
func (f *file) endOfPlain(at int, text string) (int, error) {
	for _, word := range strings.Fields(text) {
		for strings.IndexByte(" \t\r\n", f.byteAt(at)) >= 0 {
			at++
		}
		if !bytes.HasPrefix(f.data[at:], []byte(word)) {
			return 0, unsure("a value is not where it should be")
		}
		at += len(word)
	}
	return at, nil
}

// endOfBlock is the end of the last line of a literal or folded text that is not blank.
func (f *file) endOfBlock(at, indent int) int {
	end, own := f.eol(at), 0
	for i := f.lineOf(at) + 1; i < f.count(); i++ {
		text := strings.TrimRight(f.line(i), " \t\r\n")
		if text == "" {
			continue
		}
		n := len(text) - len(strings.TrimLeft(text, " "))
		if n <= indent || n < own {
			break
		}
		if own == 0 {
			own = n
		}
		end = f.eol(f.starts[i])
	}
	return end
}

func (f *file) endOfMap(n *kube.Node) (int, error) {
	b, err := f.block(n)
	if err != nil {
		return 0, err
	}
	last := b.entries[len(b.entries)-1]
	return f.end(last.value, last.after, b.column)
}

func (f *file) endOfList(n *kube.Node) (int, error) {
	b, err := f.dashes(n)
	if err != nil {
		return 0, err
	}
	last := b.entries[len(b.entries)-1]
	return f.end(last.value, last.after, b.column)
}
