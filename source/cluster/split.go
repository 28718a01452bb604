package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bulwark"
)

// splitter takes JSON apart as it comes, without understanding more of it than where its
// values end. It keeps no more of a value than it is told to, whatever the value's size.
type splitter struct {
	in   io.Reader
	buf  []byte
	i, n int // what is left of buf
}

func newSplitter(in io.Reader) *splitter { return &splitter{in: in, buf: make([]byte, 32<<10)} }

func notJSON(format string, args ...any) error {
	return fmt.Errorf("%w: %s", bulwark.ErrMalformed, fmt.Sprintf(format, args...))
}

// more makes sure that there is something left.
func (s *splitter) more() error {
	for s.i == s.n {
		n, err := s.in.Read(s.buf)
		s.i, s.n = 0, n
		switch {
		case n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return nil
}

// next is the next byte that is no space, and takes it away.
func (s *splitter) next() (byte, error) {
	for {
		if err := s.more(); err != nil {
			return 0, err
		}
		for s.i < s.n {
			c := s.buf[s.i]
			s.i++
			if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c, nil
			}
		}
	}
}

func (s *splitter) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		err = notJSON("%q where %q belongs", c, want)
	}
	return err
}

// value takes a value away, and gives at most so many bytes of it and how many there were.
func (s *splitter) value(most int) (kept []byte, size int64, err error) {
	c, err := s.next()
	if err != nil {
		return nil, 0, err
	}
	s.i-- // it is the value's
	depth, quoted, escaped := 0, false, false
	for {
		if err := s.more(); err != nil {
			return nil, size, err
		}
		end, done := s.i, false
		for end < s.n && !done {
			b := s.buf[end]
			switch {
			case escaped:
				escaped = false
			case quoted:
				escaped = b == '\\'
				if b == '"' {
					quoted, done = false, depth == 0
				}
			case b == '"':
				quoted = true
			case b == '{' || b == '[':
				if depth++; depth > deepestAnswer {
					return nil, size, notJSON("values in values, more than %d deep", deepestAnswer)
				}
			case (b == '}' || b == ']') && depth > 0:
				depth--
				done = depth == 0
			case depth == 0 && (b == ',' || b == '}' || b == ']' || b == ' ' || b == '\n' || b == '\r' || b == '\t'):
				done = true // behind a number or word, whose end it is
				end--
			}
			end++
		}
		part := s.buf[s.i:end]
		s.i, size = end, size+int64(len(part))
		if room := most - len(kept); room > 0 {
			kept = append(kept, part[:min(room, len(part))]...)
		}
		if done && size == 0 {
			return nil, 0, notJSON("%q where a value belongs", c)
		}
		if done {
			return kept, size, nil
		}
	}
}

const deepestAnswer = 10000

// object gives each field of an object to field, which takes its value away.
func (s *splitter) object(field func(name string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		end, err := s.ended('}', first)
		if end || err != nil {
			return err
		}
		raw, size, err := s.value(longestName)
		if err != nil {
			return err
		}
		var name string
		if size <= longestName {
			if err := json.Unmarshal(raw, &name); err != nil {
				return notJSON("a field without a name")
			}
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
	}
}

const longestName = 1 << 10 // of a field that is looked at

// list gives each item of a list to item, which takes it away. null is an empty list.
func (s *splitter) list(item func() error) error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if c == 'n' {
		s.i--
		raw, _, err := s.value(8)
		if err == nil && string(raw) != "null" {
			err = notJSON("items are no list")
		}
		return err
	}
	if c != '[' {
		return notJSON("items are no list")
	}
	for first := true; ; first = false {
		end, err := s.ended(']', first)
		if end || err != nil {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// ended takes away what stands before the next part, and tells whether there is none.
func (s *splitter) ended(by byte, first bool) (bool, error) {
	c, err := s.next()
	switch {
	case err != nil:
		return false, err
	case c == by:
		return true, nil
	case first:
		s.i--
		return false, nil
	case c != ',':
		return false, notJSON("%q where a comma belongs", c)
	}
	return false, nil
}
