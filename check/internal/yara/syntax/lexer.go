package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

type kind uint8

const (
	tEOF kind = iota
	tName
	tKeyword
	tString // a text string, unescaped
	tInt
	tFloat
	tID    // $a
	tCount // #a
	tAt    // @a
	tLen   // !a
	tPunct
)

type token struct {
	Pos
	kind kind
	text string // unescaped text, the name, the operator
	num  int64
	real float64
	from int // offset in the source
}

const (
	maxName = 128
	maxText = 64 << 10
)

var keywords = map[string]bool{}

func init() {
	for k := range strings.FieldsSeq(`all and any ascii at base64 base64wide condition contains defined endswith entrypoint
		false filesize for fullword global icontains iendswith iequals import in include int16 int16be int32 int32be int8 int8be
		istartswith matches meta nocase none not of or private rule startswith strings them true uint16 uint16be uint32 uint32be
		uint8 uint8be wide xor`) {
		keywords[k] = true
	}
}

type lexer struct {
	src  string
	off  int
	line int
	bol  int // offset where the line begins
	err  *Error
}

func (l *lexer) pos() Pos { return Pos{l.line, l.off - l.bol + 1} }

func (l *lexer) fail(at Pos, format string, args ...any) {
	if l.err == nil {
		l.err = &Error{Pos: at, Text: fmt.Sprintf(format, args...)}
	}
}

func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

// advance goes on to an offset, counting lines.
func (l *lexer) advance(to int) {
	for ; l.off < to; l.off++ {
		if l.src[l.off] == '\n' {
			l.line++
			l.bol = l.off + 1
		}
	}
}

// space skips white space and comments.
func (l *lexer) space() {
	for l.off < len(l.src) {
		rest := l.src[l.off:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.advance(l.off + 1)
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.advance(l.off + end)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				l.fail(l.pos(), "comment without an end")
				l.off = len(l.src)
				return
			}
			l.advance(l.off + end + 4)
		default:
			return
		}
	}
}

func (l *lexer) next() token {
	l.space()
	t := token{Pos: l.pos(), from: l.off}
	if l.err != nil || l.off >= len(l.src) {
		return t
	}
	switch c := l.src[l.off]; {
	case letter(c):
		t.kind, t.text = tName, l.name()
		if keywords[t.text] {
			t.kind = tKeyword
		}
	case digit(c):
		l.number(&t)
	case c == '"':
		t.kind, t.text = tString, l.text()
	case c == '$' || c == '#' || c == '@' || c == '!' && l.peek(1) != '=':
		l.off++
		t.kind = map[byte]kind{'$': tID, '#': tCount, '@': tAt, '!': tLen}[c]
		t.text = "$" + l.name()
	default:
		l.punct(&t)
	}
	return t
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) name() string {
	from := l.off
	for l.off < len(l.src) && (letter(l.src[l.off]) || digit(l.src[l.off])) {
		l.off++
	}
	if l.off-from > maxName {
		l.fail(l.pos(), "name of more than %d bytes", maxName)
	}
	return l.src[from:l.off]
}

func (l *lexer) number(t *token) {
	from := l.off
	for l.off < len(l.src) && (letter(l.src[l.off]) || digit(l.src[l.off])) {
		l.off++
	}
	if l.peek(0) == '.' && digit(l.peek(1)) {
		l.off++
		for digit(l.peek(0)) {
			l.off++
		}
		f, err := strconv.ParseFloat(l.src[from:l.off], 64)
		if err != nil {
			l.fail(t.Pos, "%q is no number", l.src[from:l.off])
		}
		t.kind, t.real = tFloat, f
		return
	}
	text, unit := l.src[from:l.off], int64(1)
	switch {
	case strings.HasPrefix(text, "0x"):
	case strings.HasSuffix(text, "KB"):
		text, unit = text[:len(text)-2], 1<<10
	case strings.HasSuffix(text, "MB"):
		text, unit = text[:len(text)-2], 1<<20
	}
	base := 10
	if p, ok := strings.CutPrefix(text, "0x"); ok {
		text, base = p, 16
	} else if p, ok := strings.CutPrefix(text, "0o"); ok {
		text, base = p, 8
	}
	n, err := strconv.ParseInt(text, base, 64)
	if err != nil || strings.ContainsAny(text, "_+-") || n > (1<<63-1)/unit {
		l.fail(t.Pos, "%q is no number that fits", l.src[from:l.off])
	}
	t.kind, t.num = tInt, n*unit
}

// text reads a text string, quotes included.
func (l *lexer) text() string {
	at := l.pos()
	var b strings.Builder
	for l.off++; l.off < len(l.src); l.off++ {
		c := l.src[l.off]
		switch {
		case c == '"':
			l.off++
			return b.String()
		case c == '\n':
			l.fail(at, "string without an end")
			return ""
		case c == '\\':
			l.off++
			c = l.escape()
		}
		b.WriteByte(c)
		if b.Len() > maxText {
			l.fail(at, "string of more than %d bytes", maxText)
			return ""
		}
	}
	l.fail(at, "string without an end")
	return ""
}

// escape reads what follows a backslash in a text string and stays on its last byte.
func (l *lexer) escape() byte {
	switch c := l.peek(0); c {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case '"', '\\':
		return c
	case 'x':
		if l.off+2 < len(l.src) {
			if n, err := strconv.ParseUint(l.src[l.off+1:l.off+3], 16, 8); err == nil {
				l.off += 2
				return byte(n)
			}
		}
	}
	l.fail(l.pos(), "illegal escape sequence")
	return 0
}

func (l *lexer) punct(t *token) {
	t.kind = tPunct
	for _, op := range []string{"..", "<<", ">>", "<=", ">=", "==", "!="} {
		if strings.HasPrefix(l.src[l.off:], op) {
			t.text = op
			l.off += 2
			return
		}
	}
	c := l.src[l.off]
	if strings.IndexByte(`{}()[]=:,.<>|^&+-*\%~/`, c) < 0 {
		l.fail(t.Pos, "illegal character %q", rune(c))
		t.kind = tEOF
		return
	}
	t.text = string(rune(c))
	l.off++
}
