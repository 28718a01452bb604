//go:build amd64 || arm64

package kernel

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// ring reads a ring of the kernel in place: its records are views of the kernel's own memory, which is given back by release.
type ring struct {
	consumer, producer *atomic.Uint64
	maps               [2][]byte
	data               []byte
	mask, at           uint64
	// joined is the record at place whose, of which one part is at the end of data and the other at its start: until it is given
	// back there is no second one. The kernel would map data twice in a row, but what is mapped counts as memory of this process.
	joined []byte
	whose  uint64
}

const (
	busy    = 1 << 31
	discard = 1 << 30
)

func openRing(m *ebpf.Map) (*ring, error) {
	page, size := os.Getpagesize(), int(m.MaxEntries())
	own, err := unix.Mmap(m.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the ring's reader: %w", err)
	}
	theirs, err := unix.Mmap(m.FD(), int64(page), page+size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Munmap(own)
		return nil, fmt.Errorf("mapping the ring: %w", err)
	}
	r := &ring{
		consumer: (*atomic.Uint64)(unsafe.Pointer(&own[0])), producer: (*atomic.Uint64)(unsafe.Pointer(&theirs[0])),
		maps: [2][]byte{own, theirs}, data: theirs[page:], mask: uint64(size - 1), whose: ^uint64(0),
	}
	r.at = r.consumer.Load()
	return r, nil
}

// peek gives the next record, or nil.
func (r *ring) peek() []byte {
	for r.at < r.producer.Load() {
		at := r.at & r.mask
		n := (*atomic.Uint32)(unsafe.Pointer(&r.data[at])).Load()
		if n&busy != 0 {
			return nil
		}
		if n&discard == 0 {
			return r.record(at+8, at+8+uint64(n))
		}
		r.next(int(n &^ discard))
	}
	return nil
}

// record is what is between two places, of which the second may be behind the end.
func (r *ring) record(from, to uint64) []byte {
	size := r.mask + 1
	if to <= size {
		return r.data[from:to]
	}
	if r.whose != r.at {
		r.joined = append(append(r.joined[:0], r.data[from:]...), r.data[:to-size]...)
		r.whose = r.at
	}
	return r.joined
}

// next goes on behind a record of n bytes.
func (r *ring) next(n int) { r.at += uint64(n+8+7) &^ 7 }

// release gives back all records that were read.
func (r *ring) release() { r.consumer.Store(r.at) }

// held is how many bytes were written and not given back. Anybody may ask while another reads.
func (r *ring) held() uint64 {
	from := r.consumer.Load() // before what is behind it
	return r.producer.Load() - from
}

// room is how many bytes the ring has.
func (r *ring) room() uint64 { return r.mask + 1 }

func (r *ring) close() {
	for _, m := range r.maps {
		_ = unix.Munmap(m)
	}
}
