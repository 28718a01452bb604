package kube

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"strings"
	"sync"
)

// Chunk is the text of one document of a stream, or of one element of a list that is too
// long to be held.
type Chunk struct {
	Text []byte
	Line int   // its first line
	Size int64 // bytes that it has; more than Text when that was cut
	Err  error // why the stream could not be read on
}

// longList is how long a document is that is divided into the elements of its list, if it
// is one as kubectl writes them.
const longList = maxDocument / 2

// buffers are what streams are read through: most are far smaller.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// Chunks divides a stream at the lines that separate documents: nothing within a document
// can begin a line with three dashes. Of a document that is too large the start is given;
// the rest is read, and forgotten. A long list of objects is given as its elements.
func Chunks(r io.Reader) iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		in := buffers.Get().(*bufio.Reader)
		in.Reset(r)
		defer func() {
			in.Reset(nil)
			buffers.Put(in)
		}()
		c, line, begins := document{Chunk: Chunk{Line: 1}}, 1, true
		for {
			piece, err := in.ReadSlice('\n')
			if begins && c.Size > 0 && separates(piece) {
				if !c.end(yield) {
					return
				}
				c = document{Chunk: Chunk{Line: line}}
			}
			c.add(piece)
			begins = err == nil
			if begins && len(c.Text) > longList && !c.items(yield) {
				return
			}
			switch {
			case err == nil:
				line++
			case err != bufio.ErrBufferFull:
				if err != io.EOF {
					c.Err = err
				}
				c.end(yield)
				return
			}
		}
	}
}

// Split divides a text as [Chunks] does. The documents are parts of it, and not copied.
func Split(text []byte) iter.Seq[Chunk] {
	if len(text) > longList {
		return Chunks(bytes.NewReader(text))
	}
	return func(yield func(Chunk) bool) {
		start, line := 0, 1
		for at := 0; ; {
			i := bytes.Index(text[at:], []byte("\n---"))
			if i < 0 {
				break
			}
			if at += i + 1; !separates(text[at:]) {
				continue
			}
			if !yield(Chunk{Text: text[start:at:at], Line: line, Size: int64(at - start)}) {
				return
			}
			line += bytes.Count(text[start:at], []byte("\n"))
			start = at
		}
		yield(Chunk{Text: text[start:], Line: line, Size: int64(len(text) - start)})
	}
}

// document is a chunk while it is read.
type document struct {
	Chunk
	list layout // nil: it is none that is divided
	off  bool   // it was looked whether it is one
}

func (c *document) add(piece []byte) {
	if room := maxDocument + 1 - len(c.Text); room > 0 {
		c.Text = append(c.Text, piece[:min(len(piece), room)]...)
	}
	c.Size += int64(len(piece))
}

// end gives what is left of the document.
func (c *document) end(yield func(Chunk) bool) bool {
	if c.list == nil {
		return yield(c.Chunk)
	}
	if !c.items(yield) {
		return false
	}
	last, ok := c.list.last(c.Text)
	if !ok {
		return c.Err == nil || yield(c.Chunk)
	}
	return yield(Chunk{Text: last, Line: c.Line, Size: int64(len(last)), Err: c.Err})
}

// items gives the elements that are complete, and keeps the rest.
func (c *document) items(yield func(Chunk) bool) bool {
	if c.list == nil {
		if c.off || c.Size != int64(len(c.Text)) {
			return true
		}
		c.off = true
		var head int
		if c.list, head = listed(c.Text); c.list == nil {
			return true
		}
		c.skip(head)
	}
	for {
		item, rest := c.list.next(c.Text)
		if rest == 0 {
			c.Text = append([]byte(nil), c.Text...)
			c.Size = int64(len(c.Text))
			return true
		}
		if !yield(Chunk{Text: item, Line: c.Line, Size: int64(len(item))}) {
			return false
		}
		c.skip(rest)
	}
}

func (c *document) skip(n int) {
	c.Line += bytes.Count(c.Text[:n], []byte("\n"))
	c.Text = c.Text[n:]
}

// layout is how a list is written.
type layout interface {
	// next gives the first element, and how long it is with what separates it from the one
	// behind it; 0 when that does not begin yet.
	next(text []byte) (item []byte, rest int)
	// last gives the element that the list ends with.
	last(text []byte) (item []byte, ok bool)
}

// listed finds out how the list is written that a document is; nil for none. Head is where
// its first element begins.
func listed(text []byte) (l layout, head int) {
	start := text[:min(len(text), 1024)]
	if !bytes.Contains(start, []byte("apiVersion")) {
		return nil, 0
	}
	if i := bytes.Index(start, []byte("\nitems:\n- ")); i >= 0 && !bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		return dashes{}, i + len("\nitems:\n")
	}
	if i := bytes.Index(start, []byte("\n    \"items\": [\n        {\n")); i >= 0 && bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		return braces{}, i + len("\n    \"items\": [\n")
	}
	return nil, 0
}

// dashes is a list of YAML whose dashes begin their lines.
type dashes struct{}

func (dashes) next(text []byte) ([]byte, int) {
	i := bytes.Index(text, []byte("\n- "))
	if i < 0 {
		return nil, 0
	}
	return undashed(text[:i+1]), i + 1
}

// last leaves what follows the list: lines that begin with a key.
func (dashes) last(text []byte) ([]byte, bool) {
	end := len(text)
	for at := 0; at < len(text); {
		next := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if at > 0 && strings.IndexByte(" \n\r#", text[at]) < 0 {
			end = at
			break
		}
		at = next
	}
	return undashed(text[:end]), bytes.HasPrefix(text, []byte("- "))
}

func undashed(text []byte) []byte {
	item := append([]byte(nil), text...)
	if len(item) > 0 {
		item[0] = ' '
	}
	return item
}

// braces is a list of JSON, indented by four.
type braces struct{}

func (braces) next(text []byte) ([]byte, int) {
	const between = "\n        },\n"
	i := bytes.Index(text, []byte(between))
	if i < 0 {
		return nil, 0
	}
	return append([]byte(nil), text[:i+len("\n        }")]...), i + len(between)
}

func (braces) last(text []byte) ([]byte, bool) {
	i := bytes.Index(text, []byte("\n        }\n"))
	if i < 0 {
		return nil, false
	}
	return text[:i+len("\n        }")], true
}

// separates tells whether a line begins a document.
func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}
