package lockfile

import (
	"bytes"
	"errors"
	"strings"

	"bulwark/extract/internal/lang"
)

// textMark starts and ends a text of several lines.
const textMark = `"""`

// maxNesting bounds lists and tables within each other; lockfiles nest three deep.
const maxNesting = 64

// errEarly is where a document ends inside something.
var errEarly = errors.New("the file ends too early")

// tomlScanner gives the statements of a TOML document one after the other, each byte
// looked at once. What stands in a statement is judged by its structure: strings, lists
// and tables end, a value is there, nothing follows it.
type tomlScanner struct {
	b   []byte
	pos int
}

// statement is the header of a table, or a key with its value.
type statement struct {
	table string // its name when it is a header
	list  bool   // a header in double brackets
	key   string
	value []byte // as it is written; it may have several lines
}

// next gives the next statement, nil behind the last.
func (t *tomlScanner) next() (*statement, error) {
	t.blank()
	if t.pos == len(t.b) {
		return nil, nil
	}
	s, err := t.statement()
	if err == nil {
		err = t.lineEnd()
	}
	if err != nil {
		return nil, lang.Malformed("line %d: %w", 1+bytes.Count(t.b[:t.pos], []byte("\n")), err)
	}
	return s, nil
}

func (t *tomlScanner) statement() (s *statement, err error) {
	if t.take('[') {
		s = &statement{list: t.take('[')}
		if s.table, err = t.key(); err != nil {
			return nil, err
		}
		if !t.take(']') || s.list && !t.take(']') {
			return nil, errors.New("the name of a table does not end")
		}
		return s, nil
	}
	s = &statement{}
	if s.key, err = t.key(); err != nil {
		return nil, err
	}
	if !t.take('=') {
		return nil, errors.New("a key without a value")
	}
	t.spaces()
	start := t.pos
	err = t.value(0)
	s.value = t.b[start:t.pos]
	return s, err
}

func (t *tomlScanner) peek() byte {
	if t.pos < len(t.b) {
		return t.b[t.pos]
	}
	return 0
}

func (t *tomlScanner) take(c byte) bool {
	if t.peek() != c {
		return false
	}
	t.pos++
	return true
}

func (t *tomlScanner) spaces() {
	for t.peek() == ' ' || t.peek() == '\t' {
		t.pos++
	}
}

// blank passes over blanks, ends of lines and comments.
func (t *tomlScanner) blank() {
	for t.pos < len(t.b) {
		switch t.b[t.pos] {
		case ' ', '\t', '\r', '\n':
			t.pos++
		case '#':
			t.comment()
		default:
			return
		}
	}
}

func (t *tomlScanner) comment() {
	n := bytes.IndexByte(t.b[t.pos:], '\n')
	if n < 0 {
		n = len(t.b) - t.pos
	}
	t.pos += n
}

func (t *tomlScanner) lineEnd() error {
	if t.spaces(); t.peek() == '#' {
		t.comment()
	}
	t.take('\r')
	if t.pos < len(t.b) && !t.take('\n') {
		return errors.New("more on the line than belongs there")
	}
	return nil
}

// key passes over a dotted key and gives it as it is written.
func (t *tomlScanner) key() (string, error) {
	t.spaces()
	for start := t.pos; ; t.spaces() {
		part := t.pos
		if c := t.peek(); c == '"' || c == '\'' {
			if err := t.text(c); err != nil {
				return "", err
			}
		}
		for quoted := t.pos > part; !quoted && bare(t.peek()); {
			t.pos++
		}
		if t.pos == part {
			return "", errors.New("no key where one belongs")
		}
		if t.spaces(); !t.take('.') {
			return string(bytes.TrimRight(t.b[start:t.pos], " \t")), nil
		}
	}
}

func bare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// value passes over a value.
func (t *tomlScanner) value(depth int) error {
	if depth > maxNesting {
		return errors.New("lists nest too deep")
	}
	switch c := t.peek(); c {
	case '"', '\'':
		if mark := strings.Repeat(string(c), 3); bytes.HasPrefix(t.b[t.pos:], []byte(mark)) {
			return t.longText(mark)
		}
		return t.text(c)
	case '[':
		return t.members(']', func() error { return t.value(depth + 1) })
	case '{':
		return t.members('}', func() error {
			if _, err := t.key(); err != nil {
				return err
			}
			if !t.take('=') {
				return errors.New("a key without a value")
			}
			t.spaces()
			return t.value(depth + 1)
		})
	}
	return t.scalar()
}

// members passes over what stands in brackets.
func (t *tomlScanner) members(end byte, member func() error) error {
	for t.pos++; ; {
		if t.blank(); t.take(end) {
			return nil
		}
		if t.pos == len(t.b) {
			return errEarly
		}
		if err := member(); err != nil {
			return err
		}
		if t.blank(); !t.take(',') && t.peek() != end {
			return errors.New("a list or table does not end")
		}
	}
}

// text passes over a text of one line.
func (t *tomlScanner) text(quote byte) error {
	for i := t.pos + 1; i < len(t.b) && t.b[i] != '\n'; i++ {
		switch t.b[i] {
		case quote:
			t.pos = i + 1
			return nil
		case '\\':
			if quote == '"' && i+1 < len(t.b) && t.b[i+1] != '\n' {
				i++
			}
		}
	}
	return errors.New("a text does not end")
}

// longText passes over a text of several lines, which may end in quotes of its own.
func (t *tomlScanner) longText(mark string) error {
	for i := t.pos + len(mark); i < len(t.b); i++ {
		switch {
		case t.b[i] == '\\' && mark == textMark:
			i++
		case t.b[i] == mark[0] && bytes.HasPrefix(t.b[i:], []byte(mark)):
			t.pos = i + len(mark)
			for more := 0; more < 2 && t.take(mark[0]); more++ {
			}
			return nil
		}
	}
	return errors.New("a text does not end")
}

// scalar passes over a number, a date or a truth value.
func (t *tomlScanner) scalar() error {
	start := t.pos
	for c := t.peek(); bare(c) || c == '+' || c == '.' || c == ':'; c = t.peek() {
		t.pos++
	}
	word := t.b[start:t.pos]
	switch string(bytes.TrimLeft(word, "+-")) {
	case "":
		return errors.New("a value is missing")
	case "true", "false", "inf", "nan":
		return nil
	}
	if c := bytes.TrimLeft(word, "+-")[0]; c < '0' || c > '9' || !bare(word[len(word)-1]) {
		return errors.New("a value of no type")
	}
	if len(word) == len("2006-01-02") && word[4] == '-' && t.peek() == ' ' && t.pos+1 < len(t.b) && t.b[t.pos+1] >= '0' && t.b[t.pos+1] <= '9' {
		t.pos++ // the time behind the date
		return t.scalar()
	}
	return nil
}
