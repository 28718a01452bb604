package file

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// Block is how many bytes one checksum covers.
const Block = 32 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	magic      = "BULWARKA"
	headerSize = 64
)

// Writer writes a database beside its final name.
type Writer struct {
	f    *os.File
	path string
	buf  *bufio.Writer
	off  uint64
	crc  uint32   // of the block that is being written
	sums []uint32 // of the blocks before it
	err  error
	ver  uint32
}

// Create begins a file that will be put at path.
func Create(path string, version uint32) (*Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return nil, err
	}
	w := &Writer{f: f, path: path, buf: bufio.NewWriterSize(f, 1<<20), ver: version}
	w.put(make([]byte, headerSize)) // the blocks begin behind the header
	return w, nil
}

// Offset is where the next byte goes.
func (w *Writer) Offset() uint64 { return w.off }

// Write appends b. It never fails: Commit tells what went wrong.
func (w *Writer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		room := Block - int((w.off-headerSize)%Block)
		part := b[:min(room, len(b))]
		w.crc = crc32.Update(w.crc, castagnoli, part)
		w.put(part)
		if len(part) == room {
			w.sums, w.crc = append(w.sums, w.crc), 0
		}
		b = b[len(part):]
	}
	return n, nil
}

func (w *Writer) put(b []byte) {
	if w.err == nil {
		_, w.err = w.buf.Write(b)
	}
	w.off += uint64(len(b))
}

// Commit writes checksums, directory and header, and puts the file in its place.
func (w *Writer) Commit(directory []byte) error {
	if (w.off-headerSize)%Block != 0 {
		w.sums = append(w.sums, w.crc)
	}
	body := w.off - headerSize
	var tail Encoder
	for _, s := range w.sums {
		tail.Uint32(s)
	}
	tail.B = append(tail.B, directory...)
	w.put(tail.B)
	h := make([]byte, headerSize)
	copy(h, magic)
	le := binary.LittleEndian
	le.PutUint32(h[8:], w.ver)
	le.PutUint32(h[12:], Block)
	le.PutUint64(h[16:], w.off)
	le.PutUint64(h[24:], body)
	le.PutUint32(h[32:], uint32(len(w.sums)))
	le.PutUint32(h[36:], crc32.Checksum(tail.B, castagnoli))
	le.PutUint32(h[headerSize-4:], crc32.Checksum(h[:headerSize-4], castagnoli))
	if w.err == nil {
		w.err = w.finish(h)
	}
	if w.err != nil {
		w.Abort()
		return fmt.Errorf("writing %s: %w", w.path, w.err)
	}
	return nil
}

func (w *Writer) finish(header []byte) error {
	if err := w.buf.Flush(); err != nil {
		return err
	}
	if _, err := w.f.WriteAt(header, 0); err != nil {
		return err
	}
	if err := w.f.Chmod(0o644); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.f.Name(), w.path); err != nil {
		return err
	}
	syncFolder(filepath.Dir(w.path))
	return nil
}

// Abort leaves nothing behind. After Commit it does nothing.
func (w *Writer) Abort() {
	w.f.Close()
	os.Remove(w.f.Name())
}

// syncFolder makes the rename last through a power cut where the system can.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync() //nolint:errcheck // some file systems cannot, and the file itself is safe
		d.Close()
	}
}
