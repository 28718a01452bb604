package archive

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
)

// block is what everything in a tar is a multiple of.
const block = 512

// mostHeader bounds what is read of the headers that tell a long name.
const mostHeader = 64 << 10

// tar gives out the files of a tar archive, as they are stored: holes of sparse files are
// none. It ends where no header is, and has no errors of its own: what cannot be followed is
// what is left, and is searched as a text.
func (w *walker) tar(r *bufio.Reader, at string, d depth) error {
	var next extended
	for {
		b, _ := r.Peek(block)
		if len(b) == block && b[0] == 0 && len(bytes.Trim(b, "\x00")) == 0 {
			r.Discard(block) // an end; another archive may follow
			continue
		}
		size, ok := octal(b)
		if !ok || !isTar(b) {
			return nil
		}
		kind, more, name := b[156], b[156] == 'S' && b[482] != 0, tarName(b)
		r.Discard(block)
		if strings.IndexByte("LxXgK", kind) >= 0 {
			if err := next.read(r, kind, size); err != nil {
				return nil
			}
			continue
		}
		if next.apply(&name, &size); strings.IndexByte("123456", kind) >= 0 {
			size = 0
		}
		for more {
			more = sparseMore(r)
		}
		if err := w.member(&exactly{r: r, left: size}, at, name, size, d); err != nil {
			return w.ended
		}
		r.Discard(int((block - size%block) % block))
	}
}

// octal is the size in a header, which large files write in base 256.
func octal(b []byte) (int64, bool) {
	if len(b) < block {
		return 0, false
	}
	field := b[124:136]
	if field[0] == 0x80 {
		n := int64(0)
		for _, c := range field[4:] {
			n = n<<8 | int64(c)
		}
		return n, n >= 0 && n < 1<<60
	}
	text := string(bytes.Trim(field, " \x00"))
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 8, 60)
	return n, err == nil && n >= 0
}

func tarName(b []byte) string {
	text := func(f []byte) string { s, _, _ := strings.Cut(string(f), "\x00"); return s }
	name := text(b[:100])
	if prefix := text(b[345:500]); string(b[257:263]) == "ustar\x00" && prefix != "" {
		return prefix + "/" + name
	}
	return name
}

// sparseMore passes a block that goes on with where the parts of a sparse file are, and
// tells whether another does.
func sparseMore(r *bufio.Reader) bool {
	b, err := r.Peek(block)
	more := err == nil && b[504] != 0
	r.Discard(len(b))
	return more
}

// extended is what headers say about the file behind them.
type extended struct {
	name  string
	size  int64
	sized bool
}

func (e *extended) read(r *bufio.Reader, kind byte, size int64) error {
	text, err := io.ReadAll(io.LimitReader(r, min(size, mostHeader)))
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r, size-int64(len(text))+(block-size%block)%block); err != nil {
		return err
	}
	switch kind {
	case 'L':
		e.name = strings.TrimRight(string(text), "\x00")
	case 'x', 'X':
		e.records(string(text))
	}
	return nil
}

// records reads those of PAX: "LENGTH KEY=VALUE\n".
func (e *extended) records(text string) {
	for text != "" {
		length, _, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(length)
		if err != nil || n <= len(length)+1 || n > len(text) {
			return
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(text[len(length)+1:n], "\n"), "=")
		switch key {
		case "path", "GNU.sparse.name":
			e.name = value
		case "size":
			size, err := strconv.ParseInt(value, 10, 60)
			e.size, e.sized = size, err == nil && size >= 0
		}
		text = text[n:]
	}
}

// apply gives a file what was said about it.
func (e *extended) apply(name *string, size *int64) {
	if e.name != "" {
		*name = e.name
	}
	if e.sized {
		*size = e.size
	}
	*e = extended{}
}
