// Package header reads the header of an rpm package as the package database stores it
// (https://rpm-software-management.github.io/rpm/manual/format_header.html, without the
// lead and magic that a package file has in front).
package header

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulwark"
)

// Tag names an entry of a header.
type Tag uint32

// The tags that are read.
const (
	Name            Tag = 1000
	Version         Tag = 1001
	Release         Tag = 1002
	Epoch           Tag = 1003
	Vendor          Tag = 1011
	License         Tag = 1014
	Arch            Tag = 1022
	FileModes       Tag = 1030
	FileDigests     Tag = 1035
	FileFlags       Tag = 1037
	SourceRPM       Tag = 1044
	FileVerifyFlags Tag = 1045
	DirIndexes      Tag = 1116
	BaseNames       Tag = 1117
	DirNames        Tag = 1118
	FileDigestAlgo  Tag = 5011
	ModularityLabel Tag = 5096
)

// The types of entries.
const (
	typeInt16       = 3
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18NString  = 9
)

const (
	entrySize  = 16
	maxEntries = 0xffff
	maxValues  = 1 << 20 // of one entry; the largest packages have 100,000 files
)

// Header is a header's index and the bytes it points into.
type Header struct {
	index, data []byte
}

// Parse checks the frame of a header. It keeps blob. The error wraps
// [bulwark.ErrMalformed].
func Parse(blob []byte) (*Header, error) {
	if len(blob) < 8 {
		return nil, fmt.Errorf("rpm header of %d bytes: %w", len(blob), bulwark.ErrMalformed)
	}
	entries, size := uint64(binary.BigEndian.Uint32(blob)), uint64(binary.BigEndian.Uint32(blob[4:]))
	if entries > maxEntries || 8+entries*entrySize+size > uint64(len(blob)) {
		return nil, fmt.Errorf("rpm header of %d bytes claims %d entries and %d bytes: %w", len(blob), entries, size, bulwark.ErrMalformed)
	}
	index := blob[8 : 8+entries*entrySize]
	return &Header{index: index, data: blob[8+len(index):][:size]}, nil
}

// find gives count and data of an entry of one of the types; no data when there is none.
func (h *Header) find(tag Tag, types ...uint32) (data []byte, count int) {
	for e := h.index; len(e) >= entrySize; e = e[entrySize:] {
		if Tag(binary.BigEndian.Uint32(e)) != tag {
			continue
		}
		typ, offset := binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:])
		if uint64(offset) > uint64(len(h.data)) {
			return nil, 0
		}
		for _, t := range types {
			if t == typ {
				return h.data[offset:], int(binary.BigEndian.Uint32(e[12:]))
			}
		}
		return nil, 0
	}
	return nil, 0
}

// String is the first string of an entry, "" when it has none.
func (h *Header) String(tag Tag) string {
	data, count := h.find(tag, typeString, typeStringArray, typeI18NString)
	if end := bytes.IndexByte(data, 0); count > 0 && end >= 0 {
		return string(data[:end])
	}
	return ""
}

// Strings gives the strings of an entry, as many as there are, or none when it claims
// absurdly many; they are parts of one copy.
func (h *Header) Strings(tag Tag) []string {
	data, count := h.find(tag, typeStringArray, typeI18NString, typeString)
	if count <= 0 || count > min(len(data), maxValues) {
		return nil
	}
	end := 0
	for range count {
		n := bytes.IndexByte(data[end:], 0)
		if n < 0 {
			break
		}
		end += n + 1
	}
	text := string(data[:end])
	list := make([]string, 0, count)
	for len(text) > 0 {
		n := 0
		for text[n] != 0 {
			n++
		}
		list = append(list, text[:n])
		text = text[n+1:]
	}
	return list
}

// Ints gives the numbers of an entry of 16 or 32 bits each, or none when it claims
// absurdly many.
func (h *Header) Ints(tag Tag) []uint32 {
	if data, count := h.find(tag, typeInt32); count > 0 && count <= min(len(data)/4, maxValues) {
		list := make([]uint32, count)
		for i := range list {
			list[i] = binary.BigEndian.Uint32(data[4*i:])
		}
		return list
	}
	data, count := h.find(tag, typeInt16)
	if count <= 0 || count > min(len(data)/2, maxValues) {
		return nil
	}
	list := make([]uint32, count)
	for i := range list {
		list[i] = uint32(binary.BigEndian.Uint16(data[2*i:]))
	}
	return list
}
