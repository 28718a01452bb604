// Package jsonscan reads a few members of a JSON document without decoding the rest.
//
// It is more tolerant than the standard: what is skipped is only counted through, so
// a wrong type or a stray comma in a part that nobody asks for costs nothing. What
// encoding/json accepts it reads in the same way. Depth is bounded.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"bulwark"
)

// maxDepth bounds nesting; no package manager nests its metadata a tenth as deep.
const maxDepth = 1000

// ErrStop ends Object or Array early, without an error.
var ErrStop = errors.New("stop")

// Scanner is at one value of a document.
type Scanner struct {
	data  []byte
	pos   int
	depth int
}

// New gives a scanner at the document's value. A byte order mark is skipped.
func New(data []byte) *Scanner {
	return &Scanner{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
}

// Kind is the first byte of the value: one of {, [, ", t, f, n, -, 0 to 9; 0 at the end.
func (s *Scanner) Kind() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// Text is the value if it is a string; ok is false for every other type, and the value
// is skipped.
func (s *Scanner) Text() (text string, ok bool, err error) {
	if s.Kind() != '"' {
		return "", false, s.Skip()
	}
	raw, err := s.quoted()
	if err != nil {
		return "", false, err
	}
	text, err = unquote(raw)
	return text, err == nil, err
}

// Object calls visit with each name of the object, the scanner at its value. What visit
// does not read is skipped. ok is false when the value is no object; it is then skipped.
func (s *Scanner) Object(visit func(name string) error) (ok bool, err error) {
	if s.Kind() != '{' {
		return false, s.Skip()
	}
	return true, s.members('}', func() error {
		if s.Kind() != '"' {
			return s.malformed("a member without a name")
		}
		raw, err := s.quoted()
		if err != nil {
			return err
		}
		name, err := unquote(raw)
		if err != nil {
			return err
		}
		if s.Kind() != ':' {
			return s.malformed("a name without a value")
		}
		s.pos++
		return s.value(func() error { return visit(name) })
	})
}

// Array calls visit at each element of the array, as Object does.
func (s *Scanner) Array(visit func() error) (ok bool, err error) {
	if s.Kind() != '[' {
		return false, s.Skip()
	}
	return true, s.members(']', func() error { return s.value(visit) })
}

// members reads what stands between the value's brackets.
func (s *Scanner) members(end byte, member func() error) error {
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("JSON nested deeper than %d: %w", maxDepth, bulwark.ErrLimit)
	}
	s.pos++
	for first := true; ; first = false {
		switch c := s.Kind(); {
		case c == end:
			s.pos++
			s.depth--
			return nil
		case c == 0:
			return s.malformed("the document ends too early")
		case c == ',' && !first:
			s.pos++
			if s.Kind() == end {
				continue
			}
		case !first:
			return s.malformed("a comma is missing")
		}
		if err := member(); err != nil {
			return err
		}
	}
}

// value lets visit read the value, and skips it when visit did not.
func (s *Scanner) value(visit func() error) error {
	if s.Kind() == 0 {
		return s.malformed("the document ends too early")
	}
	at := s.pos
	if err := visit(); err != nil {
		return err
	}
	if s.pos == at {
		return s.Skip()
	}
	return nil
}

// Skip passes over the value.
func (s *Scanner) Skip() error {
	switch s.Kind() {
	case '{', '[':
		return s.skipNested()
	case '"':
		_, err := s.quoted()
		return err
	}
	at := s.pos
	for s.pos < len(s.data) && literal(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == at {
		return s.malformed("a value is missing")
	}
	return nil
}

func literal(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// skipNested counts brackets up to the one that closes the value.
func (s *Scanner) skipNested() error {
	for depth := 0; s.pos < len(s.data); {
		switch s.data[s.pos] {
		case '"':
			if _, err := s.quoted(); err != nil {
				return err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.pos++
		if depth == 0 {
			return nil
		}
		if s.depth+depth > maxDepth {
			return fmt.Errorf("JSON nested deeper than %d: %w", maxDepth, bulwark.ErrLimit)
		}
	}
	return s.malformed("the document ends too early")
}

// quoted passes over a string and gives it with its quotes.
func (s *Scanner) quoted() ([]byte, error) {
	for i := s.pos + 1; i < len(s.data); i++ {
		switch s.data[i] {
		case '\\':
			i++
		case '"':
			raw := s.data[s.pos : i+1]
			s.pos = i + 1
			return raw, nil
		}
	}
	return nil, s.malformed("a string does not end")
}

func unquote(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", fmt.Errorf("JSON string: %w: %w", bulwark.ErrMalformed, err)
	}
	return text, nil
}

func (s *Scanner) malformed(why string) error {
	return fmt.Errorf("JSON at byte %d: %s: %w", s.pos, why, bulwark.ErrMalformed)
}
