// Package bdb reads Berkeley DB hash databases, the format of rpm's Packages file until
// rpm 4.16. Pages are walked in the order of the file: a hash's buckets need not be known to
// list all that is in them.
package bdb

//lint:file-ignore ST1005 Berkeley DB is a name

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"bulwark"
)

const (
	magicHash = 0x061561

	typeHashUnsorted = 2
	typeOverflow     = 7
	typeHashMeta     = 8
	typeHash         = 13

	itemKeyData = 1
	itemOffPage = 3

	pageHeader = 26
	maxValue   = 32 << 20
)

// db is an open database.
type db struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	pageSize int
	last     uint32 // number of the last page
	left     uint32 // overflow pages that may still be read: a sound file has each once
	page     []byte
	chain    []byte
	value    []byte
}

// Values calls visit with the value of every key of a database of size bytes. A value
// is valid until visit returns; the error of visit ends the walk. Errors wrap
// [bulwark.ErrMalformed], [bulwark.ErrUnsupported] or [bulwark.ErrLimit].
func Values(r io.ReaderAt, size int64, visit func([]byte) error) error {
	d, err := open(r, size)
	if err != nil {
		return err
	}
	for n := uint32(1); n <= d.last; n++ {
		if err := d.read(n, d.page[:pageHeader]); err != nil {
			return err
		}
		if typ := d.page[25]; typ != typeHash && typ != typeHashUnsorted {
			continue
		}
		if err := d.read(n, d.page); err != nil {
			return err
		}
		if err := d.hash(n, visit); err != nil {
			return err
		}
	}
	return nil
}

func open(r io.ReaderAt, size int64) (*db, error) {
	var meta [72]byte
	d := &db{r: r, order: binary.LittleEndian}
	if n, err := r.ReadAt(meta[:], 0); n < len(meta) {
		return nil, fmt.Errorf("Berkeley DB of %d bytes: %w: %w", size, bulwark.ErrMalformed, err)
	}
	if binary.BigEndian.Uint32(meta[12:]) == magicHash {
		d.order = binary.BigEndian
	}
	if d.order.Uint32(meta[12:]) != magicHash || meta[25] != typeHashMeta {
		return nil, fmt.Errorf("not a hash database of Berkeley DB: %w", bulwark.ErrMalformed)
	}
	if meta[24] != 0 {
		return nil, fmt.Errorf("Berkeley DB is encrypted: %w", bulwark.ErrUnsupported)
	}
	pageSize := d.order.Uint32(meta[20:])
	if pageSize < 512 || pageSize > 65536 || pageSize&(pageSize-1) != 0 {
		return nil, fmt.Errorf("Berkeley DB pages of %d bytes: %w", pageSize, bulwark.ErrMalformed)
	}
	d.pageSize = int(pageSize)
	d.page, d.chain = make([]byte, pageSize), make([]byte, pageSize)
	d.last = d.order.Uint32(meta[32:])
	if pages := size / int64(pageSize); int64(d.last) >= pages {
		return nil, fmt.Errorf("Berkeley DB of %d pages claims %d: %w", pages, d.last, bulwark.ErrMalformed)
	}
	d.left = d.last
	return d, nil
}

// hash visits the values of the page in d.page: its items are keys and values in turn,
// the first at the end of the page.
func (d *db) hash(n uint32, visit func([]byte) error) error {
	entries := int(d.order.Uint16(d.page[20:]))
	if pageHeader+2*entries > d.pageSize {
		return fmt.Errorf("Berkeley DB page %d claims %d items: %w", n, entries, bulwark.ErrMalformed)
	}
	end := d.pageSize
	for i := range entries {
		start := int(d.order.Uint16(d.page[pageHeader+2*i:]))
		if start >= end {
			return fmt.Errorf("Berkeley DB page %d has an item at %d: %w", n, start, bulwark.ErrMalformed)
		}
		item := d.page[start:end]
		end = start
		if i%2 == 0 {
			continue // a key
		}
		value, err := d.item(item)
		if err != nil {
			return err
		}
		if err := visit(value); err != nil {
			return err
		}
	}
	return nil
}

func (d *db) item(item []byte) ([]byte, error) {
	switch {
	case item[0] == itemKeyData:
		return item[1:], nil
	case item[0] == itemOffPage && len(item) >= 12:
		return d.overflow(d.order.Uint32(item[4:]), d.order.Uint32(item[8:]))
	}
	return nil, fmt.Errorf("Berkeley DB item of type %d: %w", item[0], bulwark.ErrUnsupported)
}

// overflow joins the chain of pages that holds a value. The buffer grows with what is
// read, not with what is claimed.
func (d *db) overflow(page, size uint32) ([]byte, error) {
	if size > maxValue {
		return nil, fmt.Errorf("Berkeley DB value of %d bytes: %w", size, bulwark.ErrLimit)
	}
	d.value = d.value[:0]
	for len(d.value) < int(size) {
		if page == 0 || page > d.last || d.left == 0 {
			return nil, fmt.Errorf("Berkeley DB value ends at page %d: %w", page, bulwark.ErrMalformed)
		}
		d.left--
		if err := d.read(page, d.chain); err != nil {
			return nil, err
		}
		n := int(d.order.Uint16(d.chain[22:]))
		if d.chain[25] != typeOverflow || n == 0 || pageHeader+n > d.pageSize {
			return nil, fmt.Errorf("Berkeley DB page %d is no part of a value: %w", page, bulwark.ErrMalformed)
		}
		d.value = append(slices.Grow(d.value, n), d.chain[pageHeader:pageHeader+n]...)
		page = d.order.Uint32(d.chain[16:])
	}
	return d.value[:size], nil
}

func (d *db) read(page uint32, p []byte) error {
	if n, err := d.r.ReadAt(p, int64(page)*int64(d.pageSize)); n < len(p) {
		return fmt.Errorf("Berkeley DB ends in page %d: %w: %w", page, bulwark.ErrMalformed, err)
	}
	return nil
}
