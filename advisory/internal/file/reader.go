package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"sync/atomic"

	"bulwark"
)

// Reader is a mapped database. It is safe for parallel use.
type Reader struct {
	data  []byte
	body  []byte // what the blocks cover
	sums  []byte
	seen  []atomic.Uint32 // a bit a block: its checksum has been checked
	path  string
	unmap func() error
	bad   atomic.Bool // something was found damaged

	// Directory is what Commit was given.
	Directory []byte
	// Sum identifies the contents.
	Sum uint32
}

// Open maps the file and checks header and directory. Its error wraps
// [bulwark.ErrNotFound], [bulwark.ErrUntrusted] or [bulwark.ErrUnsupported].
func Open(path string, version uint32) (*Reader, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("advisory database %s: %w", path, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("advisory database: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("advisory database: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() < headerSize || info.Size() > 1<<40 {
		return nil, untrusted(path, "is no database")
	}
	data, unmap, err := mapFile(f, int(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	r := &Reader{data: data, path: path, unmap: unmap}
	if err := r.open(version); err != nil {
		return nil, errors.Join(err, unmap())
	}
	return r, nil
}

func (r *Reader) open(version uint32) error {
	h := r.data[:headerSize]
	le := binary.LittleEndian
	if string(h[:len(magic)]) != magic {
		return untrusted(r.path, "is no database")
	}
	if crc32.Checksum(h[:headerSize-4], castagnoli) != le.Uint32(h[headerSize-4:]) {
		return untrusted(r.path, "has a damaged header")
	}
	if v := le.Uint32(h[8:]); v != version || le.Uint32(h[12:]) != Block {
		return fmt.Errorf("advisory database %s is of another version of bulwark, format %d where this one reads %d: %w; run bulwark db update, or bulwark db build anew",
			r.path, v, version, bulwark.ErrUnsupported)
	}
	size, body, blocks := le.Uint64(h[16:]), le.Uint64(h[24:]), uint64(le.Uint32(h[32:]))
	if size != uint64(len(r.data)) || body > size-headerSize || blocks != (body+Block-1)/Block || headerSize+body+4*blocks > size {
		return untrusted(r.path, "is cut short")
	}
	tail := r.data[headerSize+body:]
	if r.Sum = crc32.Checksum(tail, castagnoli); r.Sum != le.Uint32(h[36:]) {
		return untrusted(r.path, "has a damaged index")
	}
	r.body, r.sums, r.Directory = r.data[headerSize:headerSize+body], tail[:4*blocks], tail[4*blocks:]
	r.seen = make([]atomic.Uint32, (blocks+31)/32)
	return nil
}

func untrusted(path, what string) error {
	return fmt.Errorf("advisory database %s %s: %w; run bulwark db update", path, what, bulwark.ErrUntrusted)
}

// Damaged is the error for contents that do not make sense.
func (r *Reader) Damaged() error {
	r.bad.Store(true)
	return untrusted(r.path, "is damaged")
}

// Err is nil as long as nothing was found damaged.
func (r *Reader) Err() error {
	if !r.bad.Load() {
		return nil
	}
	return r.Damaged()
}

// View gives the bytes from off on, checking what has not been checked yet. off
// is what Writer.Offset told. The error wraps [bulwark.ErrUntrusted].
func (r *Reader) View(off, n uint64) ([]byte, error) {
	if !r.Holds(off, n) {
		return nil, r.Damaged()
	}
	off -= headerSize
	if n == 0 {
		return nil, nil
	}
	for b := off / Block; b <= (off+n-1)/Block; b++ {
		if r.seen[b/32].Load()&(1<<(b%32)) == 0 && !r.check(b) {
			return nil, r.Damaged()
		}
	}
	return r.body[off : off+n : off+n], nil
}

// Holds tells whether the contents have n bytes from off on.
func (r *Reader) Holds(off, n uint64) bool {
	off -= headerSize
	return off <= uint64(len(r.body)) && n <= uint64(len(r.body))-off
}

func (r *Reader) check(b uint64) bool {
	block := r.body[b*Block : min((b+1)*Block, uint64(len(r.body)))]
	if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(r.sums[4*b:]) {
		return false
	}
	r.seen[b/32].Or(1 << (b % 32))
	return true
}

// Close unmaps the file.
func (r *Reader) Close() error { return r.unmap() }
