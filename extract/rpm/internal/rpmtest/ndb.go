package rpmtest

import (
	"encoding/binary"
	"hash/adler32"
)

// NDB builds an ndb database with one page of slots, every second one of which is free.
func NDB(blobs ...[]byte) []byte {
	const page = 4096
	file := make([]byte, page)
	for at := 32; at < page; at += 16 {
		copy(file[at:], "Slot")
	}
	copy(file, "RpmP")
	le := binary.LittleEndian
	le.PutUint32(file[8:], 7)
	le.PutUint32(file[12:], 1)
	le.PutUint32(file[16:], uint32(len(blobs)+1))
	for i, blob := range blobs {
		slot := file[32+32*i:]
		le.PutUint32(slot[4:], uint32(i+1))
		le.PutUint32(slot[8:], uint32(len(file)/16))
		b := append([]byte("BlbS"), make([]byte, 12)...)
		le.PutUint32(b[4:], uint32(i+1))
		le.PutUint32(b[8:], 7)
		le.PutUint32(b[12:], uint32(len(blob)))
		b = append(b, blob...)
		for (len(b)+12)%16 != 0 {
			b = append(b, 0)
		}
		b = le.AppendUint32(b, adler32.Checksum(b))
		b = le.AppendUint32(b, uint32(len(blob)))
		b = append(b, "BlbE"...)
		le.PutUint32(slot[12:], uint32(len(b)/16))
		file = append(file, b...)
	}
	return file
}
