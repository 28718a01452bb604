package layer

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"time"
)

// headers reads the headers of a tar, one after the other. The usual ones, which are
// nearly all, are read here, in a quarter of the time that archive/tar takes; that
// package reads the others: long names, large numbers, extended records, the end.
type headers struct {
	src *spread
	// left and padding are the bytes that follow the current header.
	left, padding int64
	// rare has the current entry instead: what follows its header is not as long as
	// that says.
	rare  *tar.Reader
	usual tar.Header
	block block
}

const blockSize = 512

// next passes by the rest of the current entry and gives the header of the next one, to
// be used until it is called again.
func (r *headers) next() (*tar.Header, error) {
	if r.rare != nil {
		return r.take(r.rare)
	}
	if _, err := r.src.Seek(r.left, io.SeekCurrent); err != nil {
		return nil, err
	}
	if _, err := r.src.Seek(r.padding, io.SeekCurrent); err == io.ErrUnexpectedEOF {
		return nil, io.EOF // the last file is whole, and that is all there is
	} else if err != nil {
		return nil, err
	}
	r.left, r.padding = 0, 0
	if _, err := io.ReadFull(r.src, r.block[:]); err != nil {
		return nil, err
	}
	if r.block.header(&r.usual) {
		r.follow(r.usual.Size)
		return &r.usual, nil
	}
	return r.take(tar.NewReader(&rejoined{bytes.Clone(r.block[:]), r.src}))
}

// take gives what archive/tar makes of the next header.
func (r *headers) take(t *tar.Reader) (*tar.Header, error) {
	h, err := t.Next()
	r.rare = t
	if err != nil || sparse(h) || h.Typeflag == tar.TypeXGlobalHeader {
		return h, err
	}
	r.rare = nil
	switch h.Typeflag {
	case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
		r.follow(0) // whatever their size is said to be
	default:
		r.follow(h.Size)
	}
	return h, nil
}

func (r *headers) follow(size int64) {
	r.left, r.padding = size, -size&(blockSize-1)
}

// Read reads the content of the current entry.
func (r *headers) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.src.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = named(err)
	}
	return n, err
}

// block is a header as it is stored, in the format of POSIX.1-1988 (ustar) or GNU tar.
type block [blockSize]byte

// header fills in h what the rest of this package asks of it, and tells whether the
// block is as usual: a file, folder or link without any of what is rare, every field
// well formed. What it refuses may still be a header.
func (b *block) header(h *tar.Header) bool {
	switch string(b[257:265]) {
	case "ustar\x0000":
		if string(b[508:]) == "tar\x00" {
			return false
		}
	case "ustar  \x00":
		if b[345] != 0 || !bytes.Equal(b[345:511], b[346:]) {
			return false // it has fields that only GNU knows
		}
	default:
		return false
	}
	var ok numbers = true
	mode, uid, gid := ok.octal(b[100:108]), ok.octal(b[108:116]), ok.octal(b[116:124])
	size, mtime, sum := ok.octal(b[124:136]), ok.octal(b[136:148]), ok.octal(b[148:156])
	ok.device(b[329:337])
	ok.device(b[337:345])
	if !ok || sum != b.sum() {
		return false
	}
	*h = tar.Header{Typeflag: b[156], Name: text(b[:100]), Mode: mode, Uid: int(uid), Gid: int(gid), Size: size, ModTime: time.Unix(mtime, 0)}
	if b[157] != 0 {
		h.Linkname = text(b[157:257])
	}
	if prefix := b[345:500]; prefix[0] != 0 {
		h.Name = text(prefix) + "/" + h.Name
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return h.Name != "" && h.Name[len(h.Name)-1] != '/' // that is an old way to say folder
	case tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
		return size == 0
	}
	return false
}

// text is what a field holds before its first NUL.
func text(field []byte) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	}
	return string(field)
}

// numbers tells whether all fields that were read are well formed.
type numbers bool

// octal reads octal digits that end with NUL or space.
func (ok *numbers) octal(field []byte) int64 {
	var n int64
	for i, c := range field {
		switch {
		case '0' <= c && c <= '7':
			n = n<<3 | int64(c-'0')
			continue
		case c != 0 && c != ' ', i == 0:
			*ok = false
		}
		for _, c := range field[i:] {
			if c != 0 && c != ' ' {
				*ok = false
			}
		}
		return n
	}
	*ok = false
	return n
}

// device reads a number that is mostly left out.
func (ok *numbers) device(field []byte) {
	if binary.LittleEndian.Uint64(field) != 0 {
		ok.octal(field)
	}
}

// sum adds up the bytes of the block, its own field taken as spaces: four sums at once
// in 16 bits each, which 512 bytes do not fill.
func (b *block) sum() int64 {
	const low = 0x00ff00ff00ff00ff
	var sums uint64
	for i := 0; i < len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		sums += w&low + w>>8&low
	}
	n := int64(sums&0xffff + sums>>16&0xffff + sums>>32&0xffff + sums>>48)
	for _, c := range b[148:156] {
		n += ' ' - int64(c)
	}
	return n
}
