package rustbinary

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"bulwark"
	"bulwark/extract/internal/object"
	"bulwark/internal/limit"
)

const (
	// probe is how many bytes tell whether a list starts there: a header and codes
	// that inflate to firstWords.
	probe = 512
	// maxTries bounds the places of one file where that is tried.
	maxTries = 200_000
	// maxCompressed and maxList bound the list.
	maxCompressed = 1 << 20
	maxList       = 8 << 20
)

// firstWords are how the list starts.
const firstWords = `{"packages":[`

// scanner looks for the list in the regions of one file.
type scanner struct {
	regions []object.Region
	off     int64 // of the next byte
	tail    []byte
	list    []byte // compressed, from its first byte on
	met     bool   // list is being collected
	tries   int
	inflate io.ReadCloser
}

// feed takes the next bytes of the file.
func (s *scanner) feed(p []byte) error {
	for len(p) > 0 {
		if len(s.regions) == 0 || s.tries > maxTries || len(s.list) >= maxCompressed {
			return bulwark.ErrSkip
		}
		r := s.regions[0]
		if s.off >= r.End() {
			if s.end(); s.met {
				return bulwark.ErrSkip
			}
			continue
		}
		n := int(min(int64(len(p)), max(r.Off-s.off, 0)))
		if n == 0 {
			n = int(min(int64(len(p)), r.End()-s.off))
			s.take(p[:n])
		}
		s.off += int64(n)
		p = p[n:]
	}
	return nil
}

// end leaves the region, after a look at its last bytes.
func (s *scanner) end() {
	if !s.met {
		s.search(s.tail, 0)
	}
	s.regions, s.tail = s.regions[1:], nil
}

// take searches bytes of the region, or adds them to the list once that is met.
func (s *scanner) take(p []byte) {
	if s.met {
		s.list = append(s.list, p[:min(len(p), maxCompressed-len(s.list))]...)
		return
	}
	n := min(len(p), probe)
	joint := append(s.tail, p[:n]...)
	if s.search(joint, probe); s.met {
		s.take(p[n:])
		return
	}
	if n < probe { // all of p is in joint
		s.tail = joint[max(0, len(joint)-probe):]
		return
	}
	if s.search(p, probe); !s.met {
		s.tail = bytes.Clone(p[max(0, len(p)-probe):])
	}
}

// search looks in b for the list's first byte, which must have so many bytes behind it,
// and keeps what follows.
func (s *scanner) search(b []byte, behind int) {
	for i := 0; ; i++ {
		j := bytes.IndexByte(b[i:], 0x78)
		if j < 0 || i+j+max(behind, 8) > len(b) {
			return
		}
		if i += j; candidate(b[i:]) && s.try(b[i:]) {
			s.met, s.list, s.tail = true, bytes.Clone(b[i:min(len(b), i+maxCompressed)]), nil
			return
		}
	}
}

// candidate tells whether a zlib stream may start so: its header, and that of a block
// with codes of its own or fixed ones.
func candidate(b []byte) bool {
	switch b[1] {
	case 0x01, 0x5e, 0x9c, 0xda:
	default:
		return false
	}
	switch b[2] >> 1 & 3 {
	case 1:
		return true
	case 2: // at most 286 literal and 30 distance codes
		return b[2]>>3 <= 29 && b[3]&31 <= 29
	}
	return false
}

// try inflates the first words.
func (s *scanner) try(b []byte) bool {
	if s.tries++; s.tries > maxTries {
		return false
	}
	var got [len(firstWords)]byte
	r, err := s.reader(b[:min(len(b), probe)])
	if err != nil {
		return false
	}
	_, err = io.ReadFull(r, got[:])
	return err == nil && string(got[:]) == firstWords
}

// reader inflates b, with one inflater for the whole file.
func (s *scanner) reader(b []byte) (io.Reader, error) {
	if s.inflate == nil {
		r, err := zlib.NewReader(bytes.NewReader(b))
		if err == nil {
			s.inflate = r
		}
		return r, err
	}
	return s.inflate, s.inflate.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
}

// facts reads the list that was met.
func (s *scanner) facts() (bulwark.Facts, error) {
	if !s.met && len(s.regions) > 0 && len(s.tail) > 0 {
		s.end() // the file ended within the region
	}
	if !s.met {
		return bulwark.Facts{}, nil
	}
	r, err := s.reader(s.list)
	if err != nil {
		return bulwark.Facts{}, fmt.Errorf("list of crates: %w: %w", bulwark.ErrMalformed, err)
	}
	b, err := limit.ReadAll(r, maxList, "list of crates")
	switch {
	case errors.Is(err, bulwark.ErrLimit):
		return bulwark.Facts{}, err
	case err != nil && len(s.list) >= maxCompressed:
		return bulwark.Facts{}, fmt.Errorf("list of crates of over %d bytes: %w", maxCompressed, bulwark.ErrLimit)
	case err != nil:
		return bulwark.Facts{}, fmt.Errorf("list of crates: %w: %w", bulwark.ErrMalformed, err)
	}
	return crates(b)
}
