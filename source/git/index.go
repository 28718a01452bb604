package git

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"bulwark"
	"bulwark/internal/limit"
)

// index is what is staged (gitformat-index(5)): all files of the next commit.
type index struct {
	files []staged // in the order of their names, as bytes
	trees *known   // what is known of folders; nil: nothing
}

// staged is a file of the index.
type staged struct {
	name string
	mode uint32
	id   id
}

// known is a folder that is in the index as it is in a tree.
type known struct {
	tree  id
	valid bool
	below map[string]*known
}

// child is what is known of a folder in a folder.
func (k *known) child(name string) *known {
	if k == nil {
		return nil
	}
	return k.below[name]
}

const (
	maxIndex      = 512 << 20
	maxKnownDepth = 1000

	hasMore     = 1 << 14 // of an entry's flags: there are 16 bits more
	stageBits   = 3 << 12
	intentToAdd = 1 << 13 // of these
)

// readIndex reads an index; one that is missing has no files.
func readIndex(name string) (*index, error) {
	f, err := openRegular(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &index{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxIndex, "the index")
	if err != nil {
		return nil, err
	}
	return parseIndex(data)
}

func badIndex(what string) error { return fmt.Errorf("the index: %s: %w", what, bulwark.ErrMalformed) }

// parseIndex reads an index of version 2, 3 or 4.
func parseIndex(data []byte) (*index, error) {
	if len(data) < 32 || string(data[:4]) != "DIRC" {
		return nil, badIndex("no index")
	}
	body, sum := data[:len(data)-20], id(data[len(data)-20:])
	if sum != (id{}) && sum != sha1.Sum(body) { // zero: Git was told not to compute it
		return nil, badIndex("its checksum does not fit")
	}
	version, count := binary.BigEndian.Uint32(data[4:]), int(binary.BigEndian.Uint32(data[8:]))
	if version < 2 || version > 4 {
		return nil, fmt.Errorf("an index of version %d: %w", version, bulwark.ErrUnsupported)
	}
	x := &index{}
	body = body[12:]
	x.files = make([]staged, 0, min(count, len(body)/64))
	name, odd := "", false // names are empty in an index that is split, and then it is not odd
	for range count {
		e, n, ok := parseStaged(body, version, name)
		if !ok {
			return nil, badIndex("a file")
		}
		odd = odd || e.name == "" || e.name < name
		body, name = body[n:], e.name
		if e.mode != 0 {
			x.files = append(x.files, e)
		}
	}
	if err := x.extensions(body); err != nil {
		return nil, err
	}
	if odd {
		return nil, badIndex("files out of order")
	}
	return x, nil
}

// parseStaged reads one file and tells how long it is; before is the name of the one before.
// The mode is 0 of what the next commit cannot have: conflicts, and files that
// are only meant to be added.
func parseStaged(b []byte, version uint32, before string) (e staged, n int, ok bool) {
	const fixed = 62 // times, device, owner and size are not used
	if len(b) < fixed {
		return e, 0, false
	}
	e.mode, e.id = binary.BigEndian.Uint32(b[24:]), id(b[40:60])
	flags := binary.BigEndian.Uint16(b[60:])
	n = fixed
	more := uint16(0)
	if flags&hasMore != 0 && version >= 3 {
		if len(b) < fixed+2 {
			return e, 0, false
		}
		more = binary.BigEndian.Uint16(b[fixed:])
		n += 2
	}
	if flags&stageBits != 0 || more&intentToAdd != 0 {
		e.mode = 0
	}
	if version == 4 {
		cut, used := varint(b[n:])
		if used == 0 || cut > int64(len(before)) {
			return e, 0, false
		}
		n += used
		before = before[:len(before)-int(cut)]
	} else {
		before = ""
	}
	end := bytes.IndexByte(b[n:], 0)
	if end < 0 {
		return e, 0, false
	}
	e.name = before + string(b[n:n+end])
	n += end + 1
	if version != 4 {
		n = (n + 7) &^ 7 // 1 to 8 zeros fill it up
	}
	return e, n, n <= len(b)
}

// varint reads a number as deltas write offsets; 0 bytes are read when it is none.
func varint(b []byte) (v int64, n int) {
	for n < len(b) && n < 8 {
		c := b[n]
		if n > 0 {
			v++
		}
		v = v<<7 | int64(c&0x7f)
		n++
		if c&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

// extensions reads what stands behind the files.
func (x *index) extensions(b []byte) error {
	for len(b) >= 8 {
		kind, size := string(b[:4]), int64(binary.BigEndian.Uint32(b[4:]))
		if size > int64(len(b)-8) {
			return badIndex("an extension")
		}
		part := b[8 : 8+size]
		b = b[8+size:]
		switch {
		case kind == "link":
			return fmt.Errorf("the index is split over two files: %w; join it: git update-index --no-split-index", bulwark.ErrUnsupported)
		case kind == "TREE":
			x.trees, _ = parseKnown(&part, 0) // without it, only more is read
		}
	}
	return nil
}

// parseKnown reads a folder of the extension TREE and those in it.
func parseKnown(b *[]byte, depth int) (*known, string) {
	name, rest, ok := bytes.Cut(*b, []byte{0})
	line, rest, ok2 := bytes.Cut(rest, []byte{'\n'})
	var files, folders int
	if n, err := fmt.Sscanf(string(line), "%d %d", &files, &folders); !ok || !ok2 || err != nil || n != 2 || depth > maxKnownDepth {
		return nil, ""
	}
	k := &known{valid: files >= 0}
	if k.valid {
		if len(rest) < len(k.tree) {
			return nil, ""
		}
		rest = rest[copy(k.tree[:], rest):]
	}
	*b = rest
	for range folders {
		sub, name := parseKnown(b, depth+1)
		if sub == nil {
			return nil, ""
		}
		if k.below == nil {
			k.below = map[string]*known{}
		}
		k.below[name] = sub
	}
	return k, string(name)
}
