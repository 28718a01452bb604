package rpmtest

import "encoding/binary"

// BDB builds a hash database of Berkeley DB, as rpm wrote them before 4.16: rpm's
// counter under the key 0, and each blob under its number, on overflow pages when it does
// not fit a quarter of a page.
func BDB(order binary.ByteOrder, pageSize int, blobs ...[]byte) []byte {
	b := &bdb{order: order, size: pageSize, pages: [][]byte{nil}}
	b.hash(0, []byte{1, 0, 0, 0})
	for i, blob := range blobs {
		b.hash(uint32(i+1), blob)
	}
	meta := b.new(8)
	b.pages = b.pages[:len(b.pages)-1]
	order.PutUint32(meta[12:], 0x061561)
	order.PutUint32(meta[16:], 9)
	order.PutUint32(meta[20:], uint32(pageSize))
	order.PutUint32(meta[32:], uint32(len(b.pages)-1))
	order.PutUint32(meta[8:], 0)
	b.pages[0] = meta
	var file []byte
	for _, p := range b.pages {
		file = append(file, p...)
	}
	return file
}

type bdb struct {
	order binary.ByteOrder
	size  int
	pages [][]byte
}

func (b *bdb) new(typ byte) []byte {
	page := make([]byte, b.size)
	b.order.PutUint32(page[8:], uint32(len(b.pages)))
	page[25] = typ
	b.pages = append(b.pages, page)
	return page
}

// hash adds a page with one key and its value.
func (b *bdb) hash(key uint32, value []byte) {
	page := b.new(13)
	k := make([]byte, 5)
	k[0] = 1
	b.order.PutUint32(k[1:], key)
	v := append([]byte{1}, value...)
	if len(value) > b.size/4 {
		v = make([]byte, 12)
		v[0] = 3
		b.order.PutUint32(v[4:], uint32(len(b.pages)))
		b.order.PutUint32(v[8:], uint32(len(value)))
		b.overflow(value)
	}
	at := b.size - len(k)
	copy(page[at:], k)
	b.order.PutUint16(page[26:], uint16(at))
	at -= len(v)
	copy(page[at:], v)
	b.order.PutUint16(page[28:], uint16(at))
	b.order.PutUint16(page[20:], 2)
	b.order.PutUint16(page[22:], uint16(at))
}

func (b *bdb) overflow(value []byte) {
	for len(value) > 0 {
		page := b.new(7)
		n := copy(page[26:], value)
		b.order.PutUint16(page[22:], uint16(n))
		if value = value[n:]; len(value) > 0 {
			b.order.PutUint32(page[16:], uint32(len(b.pages)))
		}
	}
}
