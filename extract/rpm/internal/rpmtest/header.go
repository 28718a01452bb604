// Package rpmtest builds rpm headers and the databases that hold them, for tests.
package rpmtest

import (
	"encoding/binary"
	"slices"
)

// Entries are a header's entries by tag: a string, []string, []uint16 or []uint32.
type Entries map[uint32]any

// Header builds a header as databases store it.
func Header(entries Entries) []byte {
	var index, data []byte
	tags := make([]uint32, 0, len(entries))
	for tag := range entries {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	for _, tag := range tags {
		var typ uint32
		var body []byte
		count := 1
		align := 1
		switch v := entries[tag].(type) {
		case string:
			typ, body = 6, append([]byte(v), 0)
		case []string:
			typ, count = 8, len(v)
			for _, s := range v {
				body = append(append(body, s...), 0)
			}
		case []uint16:
			typ, count, align = 3, len(v), 2
			for _, n := range v {
				body = binary.BigEndian.AppendUint16(body, n)
			}
		case []uint32:
			typ, count, align = 4, len(v), 4
			for _, n := range v {
				body = binary.BigEndian.AppendUint32(body, n)
			}
		}
		for len(data)%align != 0 {
			data = append(data, 0)
		}
		for _, n := range []uint32{tag, typ, uint32(len(data)), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(data, body...)
	}
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return append(append(blob, index...), data...)
}
