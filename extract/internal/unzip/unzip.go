// Package unzip reads zip archives whose author may be hostile.
//
// It goes by the central directory, as Java does: local headers only say where the
// bytes begin. Entries are streamed past, nothing is kept of them; every size that the
// archive claims is checked against what is there; and a [Budget] that nested archives
// share bounds entries and inflated bytes.
package unzip

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"bulwark"
)

const (
	endSize     = 22
	end64Size   = 56
	locatorSize = 20
	entrySize   = 46
	localSize   = 30
	maxComment  = 1<<16 - 1

	endMagic     = "PK\x05\x06"
	end64Magic   = "PK\x06\x06"
	locatorMagic = "PK\x06\x07"
	entryMagic   = "PK\x01\x02"
	localMagic   = "PK\x03\x04"
)

// The methods that are read.
const (
	Store   = 0
	Deflate = 8
)

// Archive is an open zip archive.
type Archive struct {
	r      io.ReaderAt
	size   int64
	base   int64 // where the archive begins: a program may stand before it
	dir    int64 // offset and length of the central directory
	dirLen int64
	budget *Budget
}

// Entry is a line of the central directory.
type Entry struct {
	Name   []byte // as stored; valid until the next entry
	Method uint16
	Packed int64 // bytes in the archive
	Size   int64 // bytes when unpacked, as the archive claims
	crc    uint32
	flags  uint16
	offset int64
}

// IsDir tells whether the entry is a folder.
func (e *Entry) IsDir() bool { return len(e.Name) > 0 && e.Name[len(e.Name)-1] == '/' }

// Open finds the central directory of the archive in the first size bytes of r. The
// error wraps [bulwark.ErrMalformed] when it is no zip archive.
func Open(r io.ReaderAt, size int64, budget *Budget) (*Archive, error) {
	tail := make([]byte, min(size, endSize+maxComment+locatorSize))
	at := size - int64(len(tail))
	if n, err := r.ReadAt(tail, at); n < len(tail) {
		return nil, fmt.Errorf("reading the end of the archive: %w", short(err))
	}
	end := findEnd(tail)
	if end < 0 {
		return nil, malformed("no zip archive: it has no end of directory")
	}
	a := &Archive{r: r, size: size, budget: budget}
	rec := tail[end:]
	a.dirLen = int64(binary.LittleEndian.Uint32(rec[12:]))
	offset := int64(binary.LittleEndian.Uint32(rec[16:]))
	dirEnd := at + int64(end)
	if end >= locatorSize && string(tail[end-locatorSize:][:4]) == locatorMagic {
		wide, from, err := a.readEnd64(int64(binary.LittleEndian.Uint64(tail[end-locatorSize+8:])), dirEnd-locatorSize)
		if err != nil {
			return nil, err
		}
		a.dirLen, offset, dirEnd = int64(binary.LittleEndian.Uint64(wide[40:])), int64(binary.LittleEndian.Uint64(wide[48:])), from
	}
	a.dir = dirEnd - a.dirLen
	a.base = a.dir - offset
	if a.dirLen < 0 || offset < 0 || a.dir < 0 || a.base < 0 {
		return nil, malformed("the zip directory claims to lie outside of the file")
	}
	return a, nil
}

// findEnd gives the offset of the last end record whose comment ends with the file,
// else of the last whose comment fits into it; -1 when there is none.
func findEnd(tail []byte) int {
	loose := -1
	for stop := len(tail); ; {
		i := bytes.LastIndex(tail[:stop], []byte(endMagic))
		if i < 0 {
			return loose
		}
		stop = i + len(endMagic) - 1
		if i+endSize > len(tail) {
			continue
		}
		comment := i + endSize + int(binary.LittleEndian.Uint16(tail[i+20:]))
		if comment == len(tail) {
			return i
		}
		if comment < len(tail) && loose < 0 {
			loose = i
		}
	}
}

// readEnd64 reads the end record of a large archive; it stands at the claimed offset, or
// right before its locator when something was put before the archive.
func (a *Archive) readEnd64(claimed, locator int64) ([]byte, int64, error) {
	rec := make([]byte, end64Size)
	for _, at := range []int64{claimed, locator - end64Size} {
		if at < 0 || at > a.size-end64Size {
			continue
		}
		if n, err := a.r.ReadAt(rec, at); n < len(rec) {
			return nil, 0, fmt.Errorf("reading the end of the archive: %w", short(err))
		}
		if string(rec[:4]) == end64Magic {
			return rec, at, nil
		}
	}
	return nil, 0, malformed("the zip64 end of directory is missing")
}

// Each visits the entries in the directory's order. The error of visit ends it and is
// returned as it is.
func (a *Archive) Each(visit func(*Entry) error) error {
	r := bufio.NewReaderSize(io.NewSectionReader(a.r, a.dir, a.dirLen), int(min(a.dirLen+1, 64<<10)))
	var e Entry
	buf := make([]byte, 0, 256)
	for left := a.dirLen; left >= entrySize; {
		if err := a.budget.Entry(); err != nil {
			return err
		}
		head, err := r.Peek(entrySize)
		if err != nil {
			return fmt.Errorf("reading the zip directory: %w", short(err))
		}
		if string(head[:4]) != entryMagic {
			return malformed("the zip directory is broken %d bytes before its end", left)
		}
		n := int(binary.LittleEndian.Uint16(head[28:]))
		x := int(binary.LittleEndian.Uint16(head[30:]))
		c := int(binary.LittleEndian.Uint16(head[32:]))
		e.read(head)
		if left -= int64(entrySize + n + x + c); left < 0 {
			return malformed("the zip directory ends inside an entry")
		}
		buf = append(buf[:0], make([]byte, n+x)...)
		r.Discard(entrySize)
		if _, err := io.ReadFull(r, buf); err != nil {
			return fmt.Errorf("reading the zip directory: %w", short(err))
		}
		r.Discard(c)
		e.Name = buf[:n]
		e.widen(buf[n:])
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

// read takes the fields of fixed size.
func (e *Entry) read(head []byte) {
	e.flags = binary.LittleEndian.Uint16(head[8:])
	e.Method = binary.LittleEndian.Uint16(head[10:])
	e.crc = binary.LittleEndian.Uint32(head[16:])
	e.Packed = int64(binary.LittleEndian.Uint32(head[20:]))
	e.Size = int64(binary.LittleEndian.Uint32(head[24:]))
	e.offset = int64(binary.LittleEndian.Uint32(head[42:]))
}

// widen replaces the sizes that a zip64 extra field holds.
func (e *Entry) widen(extra []byte) {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if id != 1 {
			extra = extra[n:]
			continue
		}
		field := extra[:n]
		for _, v := range []*int64{&e.Size, &e.Packed, &e.offset} {
			if *v == 1<<32-1 && len(field) >= 8 {
				*v = int64(binary.LittleEndian.Uint64(field))
				field = field[8:]
			}
		}
		return
	}
}

// locate gives the offset of the entry's bytes, which all lie inside the archive.
func (a *Archive) locate(e *Entry) (int64, error) {
	at := a.base + e.offset
	if e.offset < 0 || e.Packed < 0 || e.Size < 0 || at < 0 || at > a.size-localSize {
		return 0, malformed("a zip entry claims to lie outside of the file")
	}
	var head [localSize]byte
	if n, err := a.r.ReadAt(head[:], at); n < len(head) {
		return 0, fmt.Errorf("reading a zip entry: %w", short(err))
	}
	if string(head[:4]) != localMagic {
		return 0, malformed("a zip entry has no header")
	}
	at += localSize + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
	if at > a.size || e.Packed > a.size-at {
		return 0, malformed("a zip entry is longer than the file")
	}
	return at, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, bulwark.ErrMalformed)...)
}

func short(err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the file ends too early: %w", bulwark.ErrMalformed)
	}
	return err
}
