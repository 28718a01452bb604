package trace

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"bulwark"
)

// Writer writes a trace. What it is given it does not keep, processes and containers aside, of which it
// remembers what it told. It is for one goroutine at a time.
type Writer struct {
	// Accounts gives what a reader shall give back of the accounts that a process has, a text of whatever form.
	Accounts func(*bulwark.Process) string

	w          io.Writer
	pack       *zstd.Encoder
	block, rec out
	zip        []byte
	last       int64
	processes  map[*bulwark.Process]*told
	containers map[*bulwark.Container]uint64
	kinds      map[bulwark.Kind]uint64
	next       uint64
	err        error
}

// told is what the file has of a process.
type told struct {
	number    uint64
	stale     bool
	parent    *bulwark.Process
	container *bulwark.Container
}

// NewWriter begins a trace.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	t := &Writer{w: w}
	t.forget()
	var err error
	if t.pack, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(256<<10)); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	h.Version = Version
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	if _, err := w.Write(append([]byte(magic), Version)); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t.rec.u(recHeader)
	t.rec.bytes(text)
	t.end()
	return t, t.Flush()
}

func (t *Writer) forget() {
	t.processes, t.containers, t.kinds = map[*bulwark.Process]*told{}, map[*bulwark.Container]uint64{}, map[bulwark.Kind]uint64{}
	t.next, t.last = 1, 0
}

// Event writes an event that detectors see.
func (t *Writer) Event(e *bulwark.Event) error {
	p := t.process(e.Process, 0) // which may reset
	k := t.kind(e.Kind)
	t.rec.u(recEvent)
	t.rec.event(e, k, p, t.last)
	t.last = e.Time
	t.end()
	return t.err
}

// Tick writes that detectors were told the time.
func (t *Writer) Tick(now int64) error {
	t.rec.u(recTick)
	t.rec.i(now)
	t.end()
	return t.err
}

// Changed tells that facts of a process are no longer what they were.
func (t *Writer) Changed(p *bulwark.Process) {
	if known := t.processes[p]; known != nil {
		known.stale = true
	}
}

// Forgotten tells that no event will name the process again.
func (t *Writer) Forgotten(p *bulwark.Process) {
	known := t.processes[p]
	if known == nil {
		return
	}
	delete(t.processes, p)
	t.rec.u(recForget)
	t.rec.u(known.number)
	t.end()
}

// Reset makes what follows independent of all before.
func (t *Writer) Reset() error {
	t.rec.u(recReset)
	t.end()
	t.forget()
	return t.err
}

func (t *Writer) kind(k bulwark.Kind) uint64 {
	n, ok := t.kinds[k]
	if ok {
		return n
	}
	n = uint64(len(t.kinds) + 1)
	t.kinds[k] = n
	names := make([]string, 0, len(k.Params()))
	for _, p := range k.Params() {
		names = append(names, p.Name)
	}
	t.rec.u(recKind)
	t.rec.u(n)
	t.rec.text(k.String())
	t.rec.text(strings.Join(names, " "))
	t.end()
	return n
}

// process gives the number of a process, and tells of it and its ancestors what is not told yet.
func (t *Writer) process(p *bulwark.Process, depth int) uint64 {
	if p == nil || depth >= maxUp/2 {
		return 0
	}
	if len(t.processes) >= maxKept/2 || len(t.containers) >= maxKept/8 {
		t.Reset()
	}
	parent := t.process(p.Parent, depth+1)
	known := t.processes[p]
	if known != nil && !known.stale && known.parent == p.Parent && known.container == p.Container {
		return known.number
	}
	if known == nil {
		known = &told{number: t.next}
		t.next++
		t.processes[p] = known
	}
	known.stale, known.parent, known.container = false, p.Parent, p.Container
	c := t.container(p.Container)
	accounts := ""
	if t.Accounts != nil {
		accounts = t.Accounts(p)
	}
	t.rec.u(recProcess)
	t.rec.u(known.number)
	t.rec.process(p, parent, c, accounts)
	t.end()
	return known.number
}

func (t *Writer) container(c *bulwark.Container) uint64 {
	if c == nil {
		return 0
	}
	if n, ok := t.containers[c]; ok {
		return n
	}
	text, err := json.Marshal(c)
	if err != nil || len(text) > maxBlock/2 {
		text, _ = json.Marshal(bulwark.Container{ID: c.ID, Name: c.Name, Image: c.Image, Missing: "it was too large to record"})
	}
	n := uint64(len(t.containers) + 1)
	t.containers[c] = n
	t.rec.u(recContainer)
	t.rec.u(n)
	t.rec.bytes(text)
	t.end()
	return n
}

// end puts the record into the block.
func (t *Writer) end() {
	r := t.rec.b
	t.rec.b = r[:0]
	if len(r) > maxBlock-16 {
		return // an event with texts beyond what any sensor gives
	}
	if len(t.block.b)+len(r)+8 > maxBlock {
		t.Flush()
	}
	t.block.bytes(r)
	if len(t.block.b) >= cutBlock {
		t.Flush()
	}
}

// Flush writes what is gathered.
func (t *Writer) Flush() error {
	if t.err != nil || len(t.block.b) == 0 {
		return t.err
	}
	t.zip = t.pack.EncodeAll(t.block.b, append(t.zip[:0], make([]byte, headBytes)...))
	how, body := byte(packZstd), t.zip[headBytes:]
	if len(body) >= len(t.block.b) {
		t.zip = append(t.zip[:headBytes], t.block.b...)
		how, body = packNone, t.zip[headBytes:]
	}
	t.zip[0] = how
	binary.LittleEndian.PutUint32(t.zip[1:], uint32(len(t.block.b)))
	binary.LittleEndian.PutUint32(t.zip[5:], uint32(len(body)))
	binary.LittleEndian.PutUint32(t.zip[9:], crc32.Update(crc32.Checksum(t.zip[:9], castagnoli), castagnoli, body))
	t.block.b = t.block.b[:0]
	if _, err := t.w.Write(t.zip); err != nil {
		t.err = fmt.Errorf("trace: %w", err)
	}
	return t.err
}
