package misconfig

import (
	"strings"

	"bulwark"
)

// Scalar is a value of a YAML document, where it stands and how it is quoted.
type Scalar interface {
	Line() int
	Column() int // counted in runes, from 1
	Text() string
	// IsPlain tells whether it stands on one line, and with what it is quoted (0: nothing).
	IsPlain() (quote byte, ok bool)
}

// Swap is the patch that puts another text, with its quotes, in the place of a value; nil
// where the value does not stand on its line as it is read.
func Swap(path string, data []byte, n Scalar, with string) *bulwark.Patch {
	quote, ok := n.IsPlain()
	if !ok {
		return nil
	}
	old := n.Text()
	if quote != 0 {
		old = string(quote) + old + string(quote)
	}
	line, ok := Line(data, n.Line())
	at := Offset(line, n.Column())
	if !ok || at < 0 || !strings.HasPrefix(line[at:], old) {
		return nil
	}
	return Replace(path, data, n.Line(), line[:at]+with+line[at+len(old):])
}

// Offset is where the column, counted in runes from 1, begins; -1 past the end.
func Offset(line string, column int) int {
	n := 1
	for i := range line {
		if n == column {
			return i
		}
		n++
	}
	return -1
}
