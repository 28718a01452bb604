package rpmtest

import "encoding/binary"

// SQLite builds a database with a table Packages (hnum, blob): a schema, one inner
// page, a leaf for each blob, and what does not fit there on overflow pages.
func SQLite(pageSize int, blobs ...[]byte) []byte {
	b := &sqlite{size: pageSize, pages: [][]byte{nil, nil}}
	var leaves []uint32
	for i, blob := range blobs {
		record := append([]byte{0, 0}, varint(uint64(len(blob))*2+12)...) // NULL: the row id stands for hnum
		record[0] = byte(len(record))
		page := b.page()
		b.put(page, b.leaf(0, uint64(i+1), append(record, blob...)))
		leaves = append(leaves, page)
	}
	root := make([]byte, pageSize)
	root[0] = 5
	at := pageSize
	for i, leaf := range leaves[:max(len(leaves)-1, 0)] {
		cell := append(binary.BigEndian.AppendUint32(nil, leaf), varint(uint64(i+1))...)
		at -= len(cell)
		copy(root[at:], cell)
		binary.BigEndian.PutUint16(root[12+2*i:], uint16(at))
		binary.BigEndian.PutUint16(root[3:], uint16(i+1))
	}
	if len(leaves) == 0 {
		root[0] = 13
	} else {
		binary.BigEndian.PutUint32(root[8:], leaves[len(leaves)-1])
	}
	b.put(2, root)
	const sql = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
	schema := []byte{6, 13 + 2*5, 13 + 2*8, 13 + 2*8, 1}
	schema = append(schema, varint(13+2*uint64(len(sql)))...)
	schema[0] = byte(len(schema))
	schema = append(append(append(schema, "tablePackagesPackages"...), 2), sql...)
	first := b.leaf(100, 1, schema)
	copy(first, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(first[16:], uint16(pageSize))
	first[18], first[19], first[21], first[22], first[23] = 1, 1, 64, 32, 32
	binary.BigEndian.PutUint32(first[28:], uint32(len(b.pages)))
	binary.BigEndian.PutUint32(first[56:], 1)
	b.put(1, first)
	var file []byte
	for _, p := range b.pages {
		file = append(file, p...)
	}
	return file
}

type sqlite struct {
	size  int
	pages [][]byte
}

func (b *sqlite) page() uint32 {
	b.pages = append(b.pages, nil)
	return uint32(len(b.pages))
}

func (b *sqlite) put(n uint32, page []byte) { b.pages[n-1] = page }

// leaf builds a leaf page with one record, and the pages that its rest overflows to.
func (b *sqlite) leaf(header int, row uint64, record []byte) []byte {
	page := make([]byte, b.size)
	local := len(record)
	if most := b.size - 35; local > most {
		least := (b.size-12)*32/255 - 23
		local = least + (len(record)-least)%(b.size-4)
		if local > most {
			local = least
		}
	}
	cell := append(varint(uint64(len(record))), varint(row)...)
	cell = append(cell, record[:local]...)
	if rest := record[local:]; len(rest) > 0 {
		cell = binary.BigEndian.AppendUint32(cell, b.overflow(rest))
	}
	at := b.size - len(cell)
	copy(page[at:], cell)
	page[header] = 13
	binary.BigEndian.PutUint16(page[header+3:], 1)
	binary.BigEndian.PutUint16(page[header+5:], uint16(at))
	binary.BigEndian.PutUint16(page[header+8:], uint16(at))
	return page
}

func (b *sqlite) overflow(rest []byte) uint32 {
	n := b.page()
	page := make([]byte, b.size)
	fit := copy(page[4:], rest)
	if fit < len(rest) {
		binary.BigEndian.PutUint32(page, b.overflow(rest[fit:]))
	}
	b.put(n, page)
	return n
}

func varint(v uint64) []byte {
	b := []byte{byte(v & 0x7f)}
	for v >>= 7; v > 0; v >>= 7 {
		b = append([]byte{byte(v&0x7f | 0x80)}, b...)
	}
	return b
}
