package advisory

import (
	"encoding/binary"
	"hash/crc32"
)

// reseal makes the checksums of a database fit its bytes, wherever its header says
// that they are.
func reseal(b []byte) {
	const header, block = 64, 32 << 10
	le, table := binary.LittleEndian, crc32.MakeTable(crc32.Castagnoli)
	body := le.Uint64(b[24:])
	if body <= uint64(len(b)-header) {
		for i, off := 0, uint64(0); off < body; i, off = i+1, off+block {
			if at := header + body + 4*uint64(i); at+4 <= uint64(len(b)) {
				le.PutUint32(b[at:], crc32.Checksum(b[header+off:header+min(off+block, body)], table))
			}
		}
		le.PutUint32(b[36:], crc32.Checksum(b[header+body:], table))
	}
	le.PutUint32(b[60:], crc32.Checksum(b[:60], table))
}
