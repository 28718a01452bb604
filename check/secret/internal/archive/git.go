package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"

	"bulwark"
)

// What Git keeps (gitformat-pack(5)): objects that lie alone, each compressed by zlib behind
// the name of its kind, and packs of them. Of an object that is stored as the difference to
// another one, what it adds is given out, with what stands around it where the other object
// is a small one that lies not far before.

func isPack(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PACK\x00\x00\x00")) && len(b) >= 12 && (b[7] == 2 || b[7] == 3)
}

// isZlib tells the head of a stream: deflate with a window of 32 KB and no dictionary.
func isZlib(b []byte) bool {
	return len(b) >= 2 && b[0] == 0x78 && b[1]&0x20 == 0 && binary.BigEndian.Uint16(b)%31 == 0
}

// isLoose tells an object that lies alone by what it inflates to first.
func isLoose(b []byte) bool {
	if !isZlib(b) {
		return false
	}
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if z.(flate.Resetter).Reset(bytes.NewReader(b[2:]), nil) != nil {
		return false
	}
	head := make([]byte, len("commit 0"))
	n, _ := io.ReadFull(z, head)
	kind, rest, ok := strings.Cut(string(head[:n]), " ")
	return ok && objectKinds[kind] && (rest == "" || rest[0] >= '0' && rest[0] <= '9')
}

var objectKinds = map[string]bool{"blob": true, "commit": true, "tag": true, "tree": true}

// loose gives out an object that lies alone.
func (w *walker) loose(r *bufio.Reader, at string, d depth) error {
	return w.zlib(r, func(z io.Reader) error {
		br := readers.Get().(*bufio.Reader)
		defer readers.Put(br)
		defer br.Reset(nil)
		br.Reset(z)
		head, err := br.Peek(32)
		kind, size, ok := strings.Cut(string(head[:max(0, bytes.IndexByte(head, 0))]), " ")
		n, bad := strconv.ParseInt(size, 10, 64)
		if !ok || bad != nil {
			return fmt.Errorf("an object of Git without a head: %w", errors.Join(err, bulwark.ErrMalformed))
		}
		if _, err := br.Discard(len(kind) + len(size) + 2); err != nil {
			return err
		}
		if kind == "tree" {
			return w.pass(br)
		}
		return w.member(br, at, kind, n, d)
	})
}

// zlib lets read what a stream inflates to, and goes to its end.
func (w *walker) zlib(r flate.Reader, read func(io.Reader) error) error {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	if !isZlib(head[:]) {
		return fmt.Errorf("an object of Git that is not compressed: %w", bulwark.ErrMalformed)
	}
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return err
	}
	body := &budgeted{w, z}
	if err := read(body); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, r, 4) // the checksum
	return err
}

// The kinds of objects in a pack.
var packKinds = map[byte]string{1: "commit", 2: "tree", 3: "blob", 4: "tag", byOffset: "change", byName: "change"}

const byOffset, byName = 6, 7 // differences to an object that is told so

// pack gives out the objects of a pack, in the order in which they lie.
func (w *walker) pack(r *bufio.Reader, at string, d depth) error {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	p := &packReader{w: w, r: &counter{r: r}, at: at, depth: d, bases: map[int64][]byte{}}
	for n := range binary.BigEndian.Uint32(head[8:]) {
		if err := p.object(int(n) + 1); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	r.Discard(20) // the checksum
	return nil
}

// packReader reads objects one after the other, and keeps small ones for a while.
type packReader struct {
	w     *walker
	r     *counter
	at    string
	depth depth
	bases map[int64][]byte // by where they begin
	order []int64
	kept  int
}

const (
	mostOfBase  = 256 << 10 // bytes of an object that is kept
	mostOfBases = 8 << 20   // and of all that are
	before      = 128       // of the other object, around what is added
	behind      = 64
)

// object gives out the n-th.
func (p *packReader) object(n int) error {
	start := p.r.n
	h, err := p.head()
	if err != nil {
		return err
	}
	kind, ok := packKinds[h.code]
	if !ok {
		return fmt.Errorf("an object of kind %d in a pack: %w", h.code, bulwark.ErrMalformed)
	}
	name := fmt.Sprintf("%s-%d", kind, n)
	return p.w.zlib(p.r, func(z io.Reader) error {
		base := p.bases[start-h.back]
		switch {
		case kind == "tree":
			return p.w.pass(z)
		case kind == "change" && base != nil && h.size <= mostOfBase:
			return p.change(z, name, base, start)
		case kind == "change":
			br := readers.Get().(*bufio.Reader)
			defer readers.Put(br)
			defer br.Reset(nil)
			br.Reset(z)
			return p.w.member(&added{r: br}, p.at, name, h.size, p.depth)
		case h.size > mostOfBase:
			return p.w.member(z, p.at, name, h.size, p.depth)
		}
		data, err := io.ReadAll(io.LimitReader(z, mostOfBase))
		if err != nil {
			return err
		}
		p.keep(start, data)
		return p.w.member(bytes.NewReader(data), p.at, name, h.size, p.depth)
	})
}

// keep forgets older ones when there is no room.
func (p *packReader) keep(at int64, data []byte) {
	if len(data) == 0 {
		return
	}
	p.bases[at] = data
	p.order = append(p.order, at)
	for p.kept += len(data); p.kept > mostOfBases; p.order = p.order[1:] {
		p.kept -= len(p.bases[p.order[0]])
		delete(p.bases, p.order[0])
	}
}

// packHead is what stands before an object's bytes.
type packHead struct {
	code byte
	size int64
	back int64 // how far before it the other object begins; 0 when that is not told so
}

func (p *packReader) head() (h packHead, err error) {
	b, err := p.r.ReadByte()
	h.code, h.size = b>>4&7, int64(b&15)
	for shift := 4; err == nil && b&0x80 != 0; shift += 7 {
		if shift > 53 {
			return h, fmt.Errorf("the size of an object in a pack: %w", bulwark.ErrMalformed)
		}
		b, err = p.r.ReadByte()
		h.size |= int64(b&0x7f) << shift
	}
	switch {
	case err != nil:
	case h.code == byName:
		_, err = io.CopyN(io.Discard, p.r, 20)
	case h.code == byOffset:
		b, err = p.r.ReadByte()
		h.back = int64(b & 0x7f)
		for err == nil && b&0x80 != 0 && h.back < 1<<50 {
			b, err = p.r.ReadByte()
			h.back = (h.back+1)<<7 | int64(b&0x7f)
		}
	}
	return h, err
}

var errChange = fmt.Errorf("a difference in a pack: %w", bulwark.ErrMalformed)

// change makes an object of another one and what is changed, and gives out what is near to
// what is added.
func (p *packReader) change(z io.Reader, name string, base []byte, at int64) error {
	orders, err := io.ReadAll(io.LimitReader(z, mostOfBase))
	if err != nil {
		return err
	}
	whole, fresh, err := apply(base, orders)
	if err != nil {
		return err
	}
	p.w.left -= int64(len(whole))
	if len(whole) < mostOfBase {
		p.keep(at, whole)
	}
	var shown []byte
	for i := 0; i < len(fresh); i++ {
		from, to := max(0, fresh[i].from-before), fresh[i].to+behind
		for ; i+1 < len(fresh) && fresh[i+1].from-before <= to; i++ {
			to = fresh[i+1].to + behind
		}
		shown = append(append(shown, whole[from:min(to, len(whole))]...), '\n')
	}
	return p.w.member(bytes.NewReader(shown), p.at, name, int64(len(shown)), p.depth)
}

// piece is a part of an object.
type piece struct{ from, to int }

// apply gives the changed object, up to what is kept of one, and what of it is new.
func apply(base, orders []byte) (whole []byte, fresh []piece, err error) {
	for range 2 { // the sizes of both objects
		_, n := binary.Uvarint(orders)
		if n <= 0 {
			return nil, nil, errChange
		}
		orders = orders[n:]
	}
	for len(orders) > 0 && len(whole) < mostOfBase {
		op := orders[0]
		orders = orders[1:]
		if op&0x80 != 0 {
			var part [7]byte // four bytes of where, three of how much
			for i := range part {
				if op>>i&1 == 0 {
					continue
				}
				if len(orders) == 0 {
					return nil, nil, errChange
				}
				part[i], orders = orders[0], orders[1:]
			}
			from, n := int(binary.LittleEndian.Uint32(part[:])), int(part[4])|int(part[5])<<8|int(part[6])<<16
			if n == 0 {
				n = 0x10000
			}
			if from > len(base) || n > len(base)-from {
				return nil, nil, errChange
			}
			whole = append(whole, base[from:from+n]...)
			continue
		}
		if op == 0 || int(op) > len(orders) {
			return nil, nil, errChange
		}
		fresh = append(fresh, piece{len(whole), len(whole) + int(op)})
		whole, orders = append(whole, orders[:op]...), orders[op:]
	}
	return whole, fresh, nil
}

// added reads what a difference adds, a line feed wherever it goes on with what the other
// object has.
type added struct {
	r     *bufio.Reader
	begun bool
	gap   bool
	left  int // of what is added in a piece
}

func (a *added) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !a.begun {
		a.begun = true
		for range 2 { // the sizes of both objects
			if _, err := binary.ReadUvarint(a.r); err != nil {
				return 0, errChange
			}
		}
	}
	for a.left == 0 {
		op, err := a.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case op == 0:
			return 0, errChange
		case op&0x80 == 0:
			a.left = int(op)
		default:
			a.gap = true
			if _, err := a.r.Discard(bits.OnesCount8(op & 0x7f)); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
		}
	}
	if a.gap {
		a.gap = false
		p[0] = '\n'
		return 1, nil
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
