package git

import (
	"fmt"

	"bulwark"
)

// apply makes an object of its base and a delta: copies of parts of the base and new
// bytes, after the sizes of both.
func apply(base, delta []byte) ([]byte, error) {
	bad := func(what string) ([]byte, error) {
		return nil, fmt.Errorf("delta %s: %w", what, bulwark.ErrMalformed)
	}
	from, n := size(delta)
	if n == 0 || from != int64(len(base)) {
		return bad("of another base")
	}
	delta = delta[n:]
	to, n := size(delta)
	if n == 0 {
		return bad("without size")
	}
	if to > maxWhole {
		return nil, tooLarge(to)
	}
	delta = delta[n:]
	out := make([]byte, 0, to)
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		part := delta
		if op&0x80 != 0 {
			off, length, used := copyOf(op, delta)
			if used < 0 || off+length > int64(len(base)) {
				return bad("that copies from outside its base")
			}
			part, delta = base[off:off+length], delta[used:]
		} else {
			if op == 0 || int(op) > len(delta) {
				return bad("that ends too early")
			}
			part, delta = delta[:op], delta[op:]
		}
		if int64(len(out)+len(part)) > to {
			return bad("that makes more than it says")
		}
		out = append(out, part...)
	}
	if int64(len(out)) != to {
		return bad("that makes less than it says")
	}
	return out, nil
}

// size reads a number of 7 bits a byte, the lowest first; 0 bytes are read when it is none.
func size(b []byte) (v int64, n int) {
	for shift := 0; n < len(b) && shift < 56; shift += 7 {
		c := b[n]
		n++
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

// copyOf reads the operands of a copy, whose bits tell which bytes there are; used is
// -1 when they are not.
func copyOf(op byte, b []byte) (off, length int64, used int) {
	for i := range 7 {
		if op&(1<<i) == 0 {
			continue
		}
		if used >= len(b) {
			return 0, 0, -1
		}
		if i < 4 {
			off |= int64(b[used]) << (8 * i)
		} else {
			length |= int64(b[used]) << (8 * (i - 4))
		}
		used++
	}
	if length == 0 {
		length = 0x10000
	}
	return off, length, used
}

// maxWhole is how large an object may be that has to be in memory: trees, commits, and
// those that are stored as deltas. Git itself stores blobs over 512 MB whole.
const maxWhole = 48 << 20

func tooLarge(n int64) error {
	return fmt.Errorf("an object of %d bytes that is stored as a delta, at most %d are put together: %w", n, maxWhole, bulwark.ErrLimit)
}
