package git

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bulwark"
)

// pack is a pack and its index (gitformat-pack(5)), both read where they are asked for.
type pack struct {
	number int
	data   *os.File
	size   int64
	index  *os.File
	fanout [257]uint32 // how many ids begin with a byte below the place's number
	old    bool        // the index is of version 1
}

// openPack opens an index and the pack beside it.
func openPack(idx string) (*pack, error) {
	p := &pack{}
	err := p.open(idx)
	if err == nil {
		return p, nil
	}
	return nil, errors.Join(fmt.Errorf("pack %s: %w", filepath.Base(idx), err), p.close())
}

func (p *pack) open(idx string) (err error) {
	if p.index, err = openRegular(idx); err != nil {
		return err
	}
	if p.data, err = openRegular(strings.TrimSuffix(idx, ".idx") + ".pack"); err != nil {
		return err
	}
	if err := p.readData(); err != nil {
		return err
	}
	return p.readIndex()
}

func (p *pack) readData() error {
	st, err := p.data.Stat()
	if err != nil {
		return err
	}
	p.size = st.Size()
	var head [12]byte
	if err := readAt(p.data, head[:], 0); err != nil {
		return err
	}
	if v := binary.BigEndian.Uint32(head[4:]); string(head[:4]) != "PACK" || v != 2 && v != 3 {
		return fmt.Errorf("no pack of version 2 or 3: %w", bulwark.ErrMalformed)
	}
	return nil
}

func (p *pack) readIndex() error {
	var head [8 + 4*256]byte
	if err := readAt(p.index, head[:], 0); err != nil {
		return err
	}
	table := head[8:]
	if p.old = string(head[:4]) != "\xfftOc"; p.old {
		table = head[:4*256]
	} else if v := binary.BigEndian.Uint32(head[4:]); v != 2 {
		return fmt.Errorf("index of version %d: %w", v, bulwark.ErrUnsupported)
	}
	for i := range 256 {
		p.fanout[i+1] = binary.BigEndian.Uint32(table[4*i:])
		if p.fanout[i+1] < p.fanout[i] {
			return fmt.Errorf("index with a table that is out of order: %w", bulwark.ErrMalformed)
		}
	}
	st, err := p.index.Stat()
	if err != nil {
		return err
	}
	if least := p.entry(p.count()); st.Size() < least {
		return fmt.Errorf("index of %d bytes for %d objects: %w", st.Size(), p.count(), bulwark.ErrMalformed)
	}
	return nil
}

func (p *pack) close() error {
	var err error
	for _, f := range []*os.File{p.data, p.index} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

func (p *pack) count() int { return int(p.fanout[256]) }

// entry is where the id of the object with a number stands in the index, and stride how
// far the next is.
func (p *pack) entry(n int) int64 {
	if p.old {
		return 4*256 + 24*int64(n) + 4
	}
	return 8 + 4*256 + 20*int64(n)
}

func (p *pack) stride() int {
	if p.old {
		return 24
	}
	return 20
}

// probes is how many ids are read at once: with the guess from the id's first bytes, one reading
// mostly does.
const probes = 64

// find gives the number of an object in the index.
func (p *pack) find(want id) (int, bool, error) {
	low, high := int(p.fanout[want[0]]), int(p.fanout[int(want[0])+1])
	var buf [probes * 24]byte
	share := float64(binary.BigEndian.Uint32(want[1:])) / (1 << 32)
	guess := low + int(share*float64(high-low))
	for low < high {
		from := min(max(guess-probes/2, low), max(high-probes, low))
		n := min(probes, high-from)
		size := (n-1)*p.stride() + 20
		if err := readAt(p.index, buf[:size], p.entry(from)); err != nil {
			return 0, false, fmt.Errorf("index of a pack: %w", err)
		}
		at := func(i int) []byte { return buf[i*p.stride():][:20] }
		switch {
		case bytes.Compare(want[:], at(0)) < 0:
			high = from
		case bytes.Compare(want[:], at(n-1)) > 0:
			low = from + n
		default:
			for i := range n {
				if c := bytes.Compare(at(i), want[:]); c >= 0 {
					return from + i, c == 0, nil
				}
			}
		}
		guess = low + (high-low)/2
	}
	return 0, false, nil
}

// offset is where in the pack the object with a number is.
func (p *pack) offset(n int) (int64, error) {
	var b [8]byte
	if p.old {
		err := readAt(p.index, b[:4], p.entry(n)-4)
		return int64(binary.BigEndian.Uint32(b[:])), err
	}
	// Behind the ids are their checksums, then the offsets, then those that need 64 bits.
	count := int64(p.count())
	if err := readAt(p.index, b[:4], p.entry(0)+24*count+4*int64(n)); err != nil {
		return 0, err
	}
	small := binary.BigEndian.Uint32(b[:])
	if small&(1<<31) == 0 {
		return int64(small), nil
	}
	err := readAt(p.index, b[:], p.entry(0)+28*count+8*int64(small&^(1<<31)))
	off := binary.BigEndian.Uint64(b[:])
	if off > 1<<62 {
		return 0, fmt.Errorf("index with an offset of %d: %w", off, bulwark.ErrMalformed)
	}
	return int64(off), err
}

// header is what stands before an object's deflated bytes.
type header struct {
	kind kind
	size int64 // inflated
	at   int64 // where the deflated bytes begin
	back int64 // of offsetKind: how far before the base is
	base id    // of refKind
}

// header reads what stands at an offset.
func (p *pack) header(off int64) (h header, err error) {
	var buf [64]byte
	if off < 12 || off >= p.size-20 {
		return h, fmt.Errorf("pack: an object outside of it: %w", bulwark.ErrMalformed)
	}
	b := buf[:min(int64(len(buf)), p.size-off)]
	if err := readAt(p.data, b, off); err != nil {
		return h, err
	}
	h, n, ok := parseHeader(b)
	if !ok {
		return h, fmt.Errorf("pack: the head of an object: %w", bulwark.ErrMalformed)
	}
	h.at = off + int64(n)
	return h, nil
}

// parseHeader reads a header and tells how long it is.
func parseHeader(b []byte) (h header, n int, ok bool) {
	if len(b) == 0 {
		return h, 0, false
	}
	h.kind, h.size = kind(b[0]>>4&7), int64(b[0]&15)
	shift := 4
	for n = 1; b[n-1]&0x80 != 0; n++ {
		if n >= len(b) || shift > 55 {
			return h, 0, false
		}
		h.size |= int64(b[n]&0x7f) << shift
		shift += 7
	}
	switch h.kind {
	case offsetKind:
		h.back, ok = 0, false
		for i := 0; i < 9 && n < len(b); i++ {
			c := b[n]
			n++
			if i > 0 {
				h.back++
			}
			h.back = h.back<<7 | int64(c&0x7f)
			if c&0x80 == 0 {
				ok = h.back > 0
				break
			}
		}
		return h, n, ok
	case refKind:
		if len(b)-n < len(h.base) {
			return h, 0, false
		}
		return h, n + copy(h.base[:], b[n:]), true
	}
	return h, n, h.kind >= commitKind && h.kind <= tagKind
}
