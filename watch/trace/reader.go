package trace

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"bulwark"
)

// maxBytes is how much a reader keeps of processes and containers at a time.
const maxBytes = 256 << 20

// Reader reads a trace. Its memory is bounded, whatever the bytes are.
type Reader struct {
	// Unknown counts events of kinds that this program does not have.
	Unknown int

	r      *bufio.Reader
	unpack *zstd.Decoder
	outer  *zstd.Decoder
	head   Header
	packed []byte
	room   []byte
	rest   in // of the block
	last   int64
	event  bulwark.Event
	args   []bulwark.Arg

	processes  map[uint64]*process
	accounts   map[*bulwark.Process]string
	containers map[uint64]*container
	kinds      map[uint64]kind
	kept       int
}

type process struct {
	bulwark.Process
	size int
}

type container struct {
	bulwark.Container
	size int
}

// NewReader begins to read a trace, which may be packed by gzip or zstd as a whole. The error wraps
// ErrMalformed if it is none, ErrUnsupported if it is of a later version. The caller calls Close.
func NewReader(r io.Reader) (*Reader, error) {
	t := &Reader{}
	t.reset()
	plain, err := t.plain(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return nil, err
	}
	t.r = plain
	if err := t.begin(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// plain unpacks the whole file where it is packed.
func (t *Reader) plain(r *bufio.Reader) (*bufio.Reader, error) {
	first, _ := r.Peek(4)
	switch {
	case len(first) > 2 && first[0] == 0x1f && first[1] == 0x8b:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, malformed("%v", err)
		}
		return bufio.NewReader(z), nil
	case string(first) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, malformed("%v", err)
		}
		t.outer = z
		return bufio.NewReader(z), nil
	}
	return r, nil
}

func (t *Reader) begin() error {
	head := make([]byte, len(magic)+1)
	if _, err := io.ReadFull(t.r, head); err != nil || string(head[:len(magic)]) != magic {
		return malformed("it does not begin as one")
	}
	if v := head[len(magic)]; v == 0 || v > Version {
		return fmt.Errorf("trace: version %d, where this program reads %d: %w", v, Version, bulwark.ErrUnsupported)
	}
	var err error
	if t.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecodeAllCapLimit(true)); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if err := t.block(); err != nil {
		return malformed("it has no header")
	}
	rec := in{b: t.rest.bytes()}
	if rec.u() != recHeader || json.Unmarshal(rec.bytes(), &t.head) != nil || rec.bad {
		return malformed("it has no header")
	}
	return nil
}

// Close lets go of what unpacking took.
func (t *Reader) Close() {
	if t.unpack != nil {
		t.unpack.Close()
	}
	if t.outer != nil {
		t.outer.Close()
	}
}

// Header is what the file says of itself.
func (t *Reader) Header() Header { return t.head }

// Accounts is what the writer was given of the accounts of a process.
func (t *Reader) Accounts(p *bulwark.Process) string { return t.accounts[p] }

func (t *Reader) reset() {
	t.processes, t.accounts, t.containers, t.kinds = map[uint64]*process{}, map[*bulwark.Process]string{}, map[uint64]*container{}, map[uint64]kind{}
	t.kept, t.last = 0, 0
}

// Next gives what comes next, and io.EOF behind the last. The error wraps ErrMalformed where the file is damaged or
// ends in the middle: what was given until then holds.
func (t *Reader) Next() (Item, error) {
	for {
		for len(t.rest.b) > 0 {
			rec := in{b: t.rest.bytes()}
			item, ok, err := t.record(&rec)
			if err == nil && (t.rest.bad || rec.bad) {
				err = malformed("a record is damaged")
			}
			if err != nil {
				t.rest.b = nil
				return Item{}, err
			}
			if ok {
				return item, nil
			}
		}
		if err := t.block(); err != nil {
			return Item{}, err
		}
	}
}

// block reads the next block.
func (t *Reader) block() error {
	var head [headBytes]byte
	if _, err := io.ReadFull(t.r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return malformed("it ends within a block")
	}
	size, packed := binary.LittleEndian.Uint32(head[1:]), binary.LittleEndian.Uint32(head[5:])
	if size == 0 || size > maxBlock || packed > size || head[0] > packZstd || head[0] == packNone && packed != size {
		return malformed("the head of a block is damaged")
	}
	if cap(t.packed) < int(packed) {
		t.packed = make([]byte, packed)
	}
	t.packed = t.packed[:packed]
	if _, err := io.ReadFull(t.r, t.packed); err != nil {
		return malformed("it ends within a block")
	}
	if crc32.Update(crc32.Checksum(head[:9], castagnoli), castagnoli, t.packed) != binary.LittleEndian.Uint32(head[9:]) {
		return malformed("the checksum of a block does not fit")
	}
	if head[0] == packNone {
		t.room = append(t.room[:0], t.packed...)
		t.rest = in{b: t.room}
		return nil
	}
	if cap(t.room) < int(size) {
		t.room = make([]byte, 0, size)
	}
	data, err := t.unpack.DecodeAll(t.packed, t.room[:0:size])
	if err != nil || len(data) != int(size) {
		return malformed("a block does not unpack")
	}
	t.rest = in{b: data}
	return nil
}

func (t *Reader) record(r *in) (Item, bool, error) {
	size := len(r.b)
	switch r.u() {
	case recKind:
		n, name, params := r.u(), r.text(), r.text()
		if len(t.kinds) >= maxUp {
			return Item{}, false, fmt.Errorf("trace: kinds of events: %w", bulwark.ErrLimit)
		}
		t.kinds[n] = kindOf(name, params)
	case recProcess:
		return Item{}, false, t.process(r, size)
	case recContainer:
		return Item{}, false, t.container(r, size)
	case recEvent:
		return t.happened(r)
	case recTick:
		return Item{Tick: r.i()}, true, nil
	case recForget:
		n := r.u()
		if p := t.processes[n]; p != nil {
			t.kept -= p.size
			delete(t.accounts, &p.Process)
			delete(t.processes, n)
		}
	case recGone:
		n := r.u()
		if c := t.containers[n]; c != nil {
			t.kept -= c.size
			delete(t.containers, n)
		}
	case recReset:
		t.reset()
	}
	return Item{}, false, nil
}

// cost is what a thing takes beside its texts.
const cost = 512

func (t *Reader) keep(old, size int) error {
	if t.kept += size - old; t.kept > maxBytes || len(t.processes)+len(t.containers) > maxKept {
		return fmt.Errorf("trace: processes and containers at a time: %w", bulwark.ErrLimit)
	}
	return nil
}

func (t *Reader) process(r *in, size int) error {
	n := r.u()
	p := t.processes[n]
	if p == nil {
		p = &process{}
		t.processes[n] = p
	}
	one := bulwark.Process{}
	up, c, accounts := r.process(&one)
	if r.bad {
		return nil
	}
	if parent := t.processes[up]; up != 0 && parent != nil {
		one.Parent = &parent.Process
	}
	if own := t.containers[c]; c != 0 && own != nil {
		one.Container = &own.Container
	}
	old := p.size
	p.Process, p.size = one, cost+4*size
	t.accounts[&p.Process] = accounts
	i := 0
	for q := p.Parent; q != nil; q = q.Parent {
		if i++; q == &p.Process || i > maxUp {
			p.Parent = nil
			return malformed("a process is its own ancestor")
		}
	}
	return t.keep(old, p.size)
}

func (t *Reader) container(r *in, size int) error {
	n, text := r.u(), r.bytes()
	c := &container{size: cost + 8*size}
	if r.bad || json.Unmarshal(text, &c.Container) != nil {
		return malformed("a container is damaged")
	}
	old := 0
	if was := t.containers[n]; was != nil {
		old = was.size
	}
	t.containers[n] = c
	return t.keep(old, c.size)
}

func (t *Reader) happened(r *in) (Item, bool, error) {
	k := t.kinds[r.u()]
	e := &t.event
	*e = bulwark.Event{Kind: k.kind, Num: e.Num + 1}
	if p := t.processes[r.u()]; p != nil {
		e.Process = &p.Process
	}
	t.last += r.i()
	e.Time, e.CPU, e.Source, e.Result, e.TID = t.last, r.small(), source(r.bytes()), r.i(), r.small()
	n := r.u()
	if n > uint64(len(r.b)) || n > 256 {
		r.fail()
		return Item{}, false, nil
	}
	clear(t.args)
	t.args = append(t.args[:0], make([]bulwark.Arg, k.count)...)
	most := 0
	for i := range int(n) {
		a := bulwark.Arg{Num: r.i(), Text: r.bytes()}
		if i < len(k.place) && k.place[i] >= 0 {
			t.args[k.place[i]] = a
			most = max(most, k.place[i]+1)
		}
	}
	e.Args = t.args[:most:most]
	r.fd(&e.FD)
	e.Doc = r.bytes()
	if k.kind == 0 {
		t.Unknown++
		return Item{}, false, nil
	}
	return Item{Event: e}, true, nil
}

// source gives the constant for a name, so that nothing is allocated.
func source(name []byte) string {
	switch string(name) {
	case bulwark.SourceSyscall:
		return bulwark.SourceSyscall
	case bulwark.SourceK8sAudit:
		return bulwark.SourceK8sAudit
	case bulwark.SourceEngine:
		return bulwark.SourceEngine
	}
	return string(name)
}
