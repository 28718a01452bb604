// Package sqlite reads one table of a SQLite database file
// (https://www.sqlite.org/fileformat2.html), without its journals.
package sqlite

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark"
)

// DB is an open database. It is used by one goroutine at a time.
type DB struct {
	r        io.ReaderAt
	pages    uint32
	pageSize int
	usable   int    // bytes of a page without what is reserved at its end
	left     uint32 // pages that may still be read: a sound table needs each once
	payload  []byte
	buffers  [maxDepth + 1][]byte // a page for each level of the tree
}

const (
	headerSize = 100
	maxDepth   = 20
	maxPayload = 32 << 20
)

var magic = []byte("SQLite format 3\x00")

// Open reads the header of a database of size bytes. The error wraps
// [bulwark.ErrMalformed] or [bulwark.ErrUnsupported].
func Open(r io.ReaderAt, size int64) (*DB, error) {
	var h [headerSize]byte
	if err := readFull(r, h[:], 0); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(h[:], magic) {
		return nil, fmt.Errorf("not a SQLite database: %w", bulwark.ErrMalformed)
	}
	pageSize := int(binary.BigEndian.Uint16(h[16:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	usable := pageSize - int(h[20])
	if pageSize < 512 || pageSize&(pageSize-1) != 0 || usable < 480 {
		return nil, fmt.Errorf("SQLite pages of %d bytes: %w", pageSize, bulwark.ErrMalformed)
	}
	if encoding := binary.BigEndian.Uint32(h[56:]); encoding > 1 {
		return nil, fmt.Errorf("SQLite text encoding %d: %w", encoding, bulwark.ErrUnsupported)
	}
	pages := min(size/int64(pageSize), 1<<32-2)
	return &DB{r: r, pages: uint32(pages), pageSize: pageSize, usable: usable}, nil
}

// Blobs calls visit with the first blob of every row of a table, in the order of their
// row ids. A blob is valid until visit returns; the error of visit ends the walk. There
// is no table: [bulwark.ErrMalformed].
func (db *DB) Blobs(table string, visit func([]byte) error) error {
	root, err := db.root(table)
	if err != nil {
		return err
	}
	return db.walk(root, func(record []byte) error {
		if blob, ok := column(record, func(serial uint64) bool { return serial >= 12 && serial%2 == 0 }, 0); ok {
			return visit(blob)
		}
		return nil
	})
}

// root finds the first page of a table in the schema: rows of type, name, tbl_name,
// rootpage and sql.
func (db *DB) root(table string) (uint32, error) {
	var root uint64
	text := func(serial uint64) bool { return serial >= 13 && serial%2 == 1 }
	number := func(serial uint64) bool { return serial >= 1 && serial <= 9 }
	err := db.walk(1, func(record []byte) error {
		kind, _ := column(record, text, 0)
		name, _ := column(record, text, 1)
		if string(kind) == "table" && strings.EqualFold(string(name), table) {
			page, _ := column(record, number, 0)
			root = 0
			for _, b := range page[:min(len(page), 8)] {
				root = root<<8 | uint64(b)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if root == 0 || root > uint64(db.pages) {
		return 0, fmt.Errorf("SQLite database without table %s: %w", table, bulwark.ErrMalformed)
	}
	return uint32(root), nil
}

// walk visits the records of the table whose tree begins at page.
func (db *DB) walk(page uint32, visit func(record []byte) error) error {
	db.left = db.pages
	return db.tree(page, 0, visit)
}

func (db *DB) tree(page uint32, depth int, visit func([]byte) error) error {
	if depth > maxDepth {
		return fmt.Errorf("SQLite tree deeper than %d pages: %w", maxDepth, bulwark.ErrMalformed)
	}
	if db.buffers[depth] == nil {
		db.buffers[depth] = make([]byte, db.pageSize)
	}
	data := db.buffers[depth]
	if err := db.read(page, data); err != nil {
		return err
	}
	p, err := db.parse(page, data)
	if err != nil {
		return err
	}
	for cell := range p.cells {
		if p.leaf {
			err = db.cell(cell, visit)
		} else if len(cell) < 4 {
			err = fmt.Errorf("SQLite page %d ends inside a cell: %w", page, bulwark.ErrMalformed)
		} else {
			err = db.tree(binary.BigEndian.Uint32(cell), depth+1, visit)
		}
		if err != nil {
			return err
		}
	}
	if p.leaf {
		return nil
	}
	return db.tree(p.right, depth+1, visit)
}

// node is a page of a table's tree.
type node struct {
	leaf  bool
	right uint32                        // the last child of an inner page
	cells func(yield func([]byte) bool) // each from its start to the end of the page
}

func (db *DB) parse(page uint32, data []byte) (node, error) {
	h := data
	if page == 1 {
		h = data[headerSize:]
	}
	n := node{leaf: h[0] == 13}
	pointers := h[8:]
	if !n.leaf {
		n.right, pointers = binary.BigEndian.Uint32(h[8:]), h[12:]
	}
	count := int(binary.BigEndian.Uint16(h[3:]))
	if h[0] != 13 && h[0] != 5 || 2*count > len(pointers) {
		return n, fmt.Errorf("SQLite page %d is no page of a table: %w", page, bulwark.ErrMalformed)
	}
	n.cells = func(yield func([]byte) bool) {
		for i := range count {
			at := min(int(binary.BigEndian.Uint16(pointers[2*i:])), db.usable)
			if !yield(data[at:db.usable]) {
				return
			}
		}
	}
	return n, nil
}

// cell reads the record of a leaf's cell, whose end may lie on further pages.
func (db *DB) cell(cell []byte, visit func([]byte) error) error {
	size, n := varint(cell)
	_, m := varint(cell[n:])
	cell = cell[n+m:]
	if n == 0 || m == 0 || size > uint64(db.pages)*uint64(db.pageSize) {
		return fmt.Errorf("SQLite record of %d bytes: %w", size, bulwark.ErrMalformed)
	}
	if size > maxPayload {
		return fmt.Errorf("SQLite record of %d bytes: %w", size, bulwark.ErrLimit)
	}
	local := db.local(int(size))
	if local > len(cell) {
		return fmt.Errorf("SQLite record ends beyond its page: %w", bulwark.ErrMalformed)
	}
	if local == int(size) {
		return visit(cell[:local])
	}
	if local+4 > len(cell) {
		return fmt.Errorf("SQLite record ends beyond its page: %w", bulwark.ErrMalformed)
	}
	record, err := db.overflow(cell[:local], int(size), binary.BigEndian.Uint32(cell[local:]))
	if err != nil {
		return err
	}
	return visit(record)
}

// local is how much of a record of that size its leaf page holds.
func (db *DB) local(size int) int {
	most := db.usable - 35
	if size <= most {
		return size
	}
	least := (db.usable-12)*32/255 - 23
	if k := least + (size-least)%(db.usable-4); k <= most {
		return k
	}
	return least
}

// overflow joins a record's front with the chain of pages that holds its rest. The
// buffer grows with what is read, not with what is claimed.
func (db *DB) overflow(front []byte, size int, page uint32) ([]byte, error) {
	db.payload = append(db.payload[:0], front...)
	for len(db.payload) < size {
		at := len(db.payload)
		db.payload = slices.Grow(db.payload, db.pageSize)[:at+db.pageSize]
		if err := db.read(page, db.payload[at:]); err != nil {
			return nil, err
		}
		page = binary.BigEndian.Uint32(db.payload[at:])
		copy(db.payload[at:], db.payload[at+4:at+db.usable])
		db.payload = db.payload[:min(at+db.usable-4, size)]
	}
	return db.payload, nil
}

// read fills data with a page, counted from 1.
func (db *DB) read(page uint32, data []byte) error {
	if page == 0 || page > db.pages {
		return fmt.Errorf("SQLite page %d of %d: %w", page, db.pages, bulwark.ErrMalformed)
	}
	if db.left == 0 {
		return fmt.Errorf("SQLite pages are linked in a circle: %w", bulwark.ErrMalformed)
	}
	db.left--
	return readFull(db.r, data, int64(page-1)*int64(db.pageSize))
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	if n, err := r.ReadAt(p, off); n < len(p) {
		return fmt.Errorf("SQLite database ends at %d: %w: %w", off+int64(n), bulwark.ErrMalformed, err)
	}
	return nil
}

// column gives the bytes of a record's column: of those whose serial type fits, the
// one after skip others.
func column(record []byte, fits func(serial uint64) bool, skip int) ([]byte, bool) {
	size, n := varint(record)
	if n == 0 || size < uint64(n) || size > uint64(len(record)) {
		return nil, false
	}
	serials, body := record[n:size], record[size:]
	for len(serials) > 0 {
		serial, n := varint(serials)
		length := width(serial)
		if n == 0 || length > uint64(len(body)) {
			return nil, false
		}
		if fits(serial) {
			if skip == 0 {
				return body[:length], true
			}
			skip--
		}
		serials, body = serials[n:], body[length:]
	}
	return nil, false
}

// width is how many bytes a value of a serial type takes.
func width(serial uint64) uint64 {
	switch {
	case serial >= 12:
		return (serial - 12) / 2
	case serial >= 8:
		return 0
	case serial == 7:
		return 8
	case serial >= 5:
		return 6 + 2*(serial-5)
	}
	return serial
}

// varint reads a number of 1 to 9 bytes, the highest bits first; n is 0 when b ends
// inside it.
func varint(b []byte) (v uint64, n int) {
	for n < min(len(b), 8) {
		c := b[n]
		n++
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, n
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}
