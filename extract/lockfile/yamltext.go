package lockfile

import (
	"bytes"
	"strconv"
	"strings"
)

// keyEnd is where the colon behind a plain key stands, -1 without one.
func keyEnd(text []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(text[from:], ':')
		if i < 0 {
			return -1
		}
		if i += from; i+1 == len(text) || space(text[i+1]) {
			if c := bytes.Index(text[:i], []byte(" #")); c >= 0 {
				return -1
			}
			return i
		}
		from = i + 1
	}
}

// quoteEnd is the length of the quoted text that b starts with, -1 when it does not end.
func quoteEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\\' && b[0] == '"':
			i++
		case b[i] != b[0]:
		case b[0] == '\'' && i+1 < len(b) && b[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// flowEnd is the length of the list or table in brackets that b starts with, -1 when it
// does not end or nests too deep.
func flowEnd(b []byte) int {
	var open []byte
	before := byte(',') // the last byte that is no blank
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '{' || c == '[':
			if open = append(open, c+2); len(open) > maxNesting { // the bracket that closes it
				return -1
			}
		case c == '}' || c == ']':
			if open[len(open)-1] != c {
				return -1
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1
			}
		case (c == '"' || c == '\'') && strings.IndexByte("{[,:", before) >= 0:
			n := quoteEnd(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		}
		if !space(c) {
			before = c
		}
	}
	return -1
}

// unquoteYAML is a text without its quotes.
func unquoteYAML(b []byte) string {
	s := string(b)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	if s[0] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	if v, err := strconv.Unquote(s); err == nil {
		return v
	}
	return s[1 : len(s)-1]
}
