// Package ndb reads the "new database" that SUSE's rpm keeps its packages in
// (lib/backend/ndb/rpmpkg.c in rpm's source describes it).
//
// A file begins with pages of slots, 16 bytes each, of which the first two hold the
// file's header; a slot says in which blocks of 16 bytes a package's blob lies.
package ndb

import (
	"encoding/binary"
	"fmt"
	"io"

	"bulwark"
)

const (
	magicFile = "RpmP"
	magicSlot = "Slot"
	magicBlob = "BlbS"

	pageSize  = 4096
	slotSize  = 16
	blockSize = 16
	maxBlob   = 32 << 20
	maxSlots  = 4096 // pages of slots: a million packages
)

// Blobs calls visit with the header blob of every package of a database of size bytes.
// A blob is valid until visit returns; the error of visit ends the walk. Errors wrap
// [bulwark.ErrMalformed], [bulwark.ErrUnsupported] or [bulwark.ErrLimit].
func Blobs(r io.ReaderAt, size int64, visit func([]byte) error) error {
	var h [2 * slotSize]byte
	if err := readFull(r, h[:], 0); err != nil {
		return err
	}
	if string(h[:4]) != magicFile {
		return fmt.Errorf("not an ndb database: %w", bulwark.ErrMalformed)
	}
	if version := binary.LittleEndian.Uint32(h[4:]); version != 0 {
		return fmt.Errorf("ndb version %d: %w", version, bulwark.ErrUnsupported)
	}
	pages := int64(binary.LittleEndian.Uint32(h[12:]))
	if pages > maxSlots || pages*pageSize > size {
		return fmt.Errorf("ndb database of %d bytes claims %d pages of slots: %w", size, pages, bulwark.ErrMalformed)
	}
	b := blobs{r: r, left: size}
	page := make([]byte, pageSize)
	for i := range pages {
		if err := readFull(r, page, i*pageSize); err != nil {
			return err
		}
		slots := page
		if i == 0 {
			slots = page[2*slotSize:]
		}
		if err := b.slots(slots, visit); err != nil {
			return err
		}
	}
	return nil
}

type blobs struct {
	r    io.ReaderAt
	left int64 // bytes that may still be read: a sound database has each once
	buf  []byte
}

func (b *blobs) slots(slots []byte, visit func([]byte) error) error {
	for ; len(slots) >= slotSize; slots = slots[slotSize:] {
		if string(slots[:4]) != magicSlot {
			return fmt.Errorf("ndb slot without its mark: %w", bulwark.ErrMalformed)
		}
		index, offset := binary.LittleEndian.Uint32(slots[4:]), binary.LittleEndian.Uint32(slots[8:])
		if index == 0 || offset == 0 {
			continue // free
		}
		blob, err := b.read(index, int64(offset)*blockSize)
		if err != nil {
			return err
		}
		if err := visit(blob); err != nil {
			return err
		}
	}
	return nil
}

// read gives the blob of a package: a head of mark, index, generation and length, then
// the bytes.
func (b *blobs) read(index uint32, offset int64) ([]byte, error) {
	var head [16]byte
	if err := readFull(b.r, head[:], offset); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != magicBlob || binary.LittleEndian.Uint32(head[4:]) != index || size > b.left {
		return nil, fmt.Errorf("ndb blob of package %d: %w", index, bulwark.ErrMalformed)
	}
	if size > maxBlob {
		return nil, fmt.Errorf("ndb blob of %d bytes: %w", size, bulwark.ErrLimit)
	}
	b.left -= size
	if int64(cap(b.buf)) < size {
		b.buf = make([]byte, size)
	}
	b.buf = b.buf[:size]
	return b.buf, readFull(b.r, b.buf, offset+int64(len(head)))
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	if n, err := r.ReadAt(p, off); n < len(p) {
		return fmt.Errorf("ndb database ends at %d: %w: %w", off+int64(n), bulwark.ErrMalformed, err)
	}
	return nil
}
