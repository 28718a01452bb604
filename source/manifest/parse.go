package manifest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/source/manifest/internal/encoding"
)

// parser reads documents on all processors, and gives what is in them in the order in which
// they stand.
type parser struct {
	r    *reader
	ctx  context.Context
	jobs chan *job
	all  []*job
	done sync.WaitGroup
}

// job is a file that is read as a whole, or one document of a larger one.
type job struct {
	file  string
	asked bool // it was named by the user: what is broken in it is told in any case
	in    *os.File
	size  int64 // that the file has
	most  int64 // that is read of it
	kept  *kept // takes the text of the file
	chunk kube.Chunk

	objects []*kube.Object
	broken  []kube.Broken
	notes   []bulwark.Note
}

func (j *job) note(incomplete bool, text string) {
	j.notes = append(j.notes, bulwark.Note{Path: j.file, Text: text, Incomplete: incomplete})
}

func (r *reader) parser(ctx context.Context) *parser {
	p := &parser{r: r, ctx: ctx, jobs: make(chan *job, 4)}
	for range runtime.GOMAXPROCS(0) {
		p.done.Go(func() {
			var buffer []byte
			for j := range p.jobs {
				if j.in == nil {
					j.read(j.chunk)
					j.chunk = kube.Chunk{}
					continue
				}
				buffer = j.whole(buffer)
				j.in = nil
			}
		})
	}
	return p
}

func (p *parser) give(j *job) {
	p.all = append(p.all, j)
	p.jobs <- j
}

// stream hands out the documents of a file one by one.
func (p *parser) stream(file string, in io.Reader, asked bool) {
	text, tell := encoding.Reader(in)
	for c := range kube.Chunks(text) {
		if p.ctx.Err() != nil {
			return
		}
		if c.Err == nil && !asked && !declares(c.Text) {
			continue
		}
		p.give(&job{file: file, asked: asked, chunk: c})
	}
	if odd := tell(); odd != "" {
		p.r.note(file, "%s", odd)
	}
}

// wait gives the reader what was read, when all is.
func (p *parser) wait() {
	close(p.jobs)
	p.done.Wait()
	for _, j := range p.all {
		p.r.set.Objects = append(p.r.set.Objects, j.objects...)
		p.r.set.Broken = append(p.r.set.Broken, j.broken...)
		for _, n := range j.notes {
			p.r.tell(n)
		}
	}
}

// whole reads a file by way of a buffer, which it gives back.
func (j *job) whole(buffer []byte) []byte {
	defer j.in.Close()
	buffer, err := fill(slices.Grow(buffer[:0], int(j.size)+512), limit.Reader(j.in, j.most, j.file))
	text, odd := encoding.Bytes(buffer)
	if odd != "" {
		j.note(true, odd)
	}
	for c := range kube.Split(text) {
		if j.asked || declares(c.Text) {
			j.read(c)
		}
	}
	if err != nil {
		j.read(kube.Chunk{Line: 1, Err: err})
	} else if len(j.objects) > 0 {
		j.kept.add(j.file, buffer)
	}
	return buffer
}

// kept is the text of the first files that declare objects: patches are made for them.
type kept struct {
	mu    sync.Mutex
	texts map[string][]byte
	left  int
}

const (
	mostKept    = 8 << 20   // bytes of all
	largestKept = 256 << 10 // bytes of one: definitions of custom resources are larger
)

func (k *kept) add(file string, text []byte) {
	if len(text) > largestKept {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left -= len(text); k.left >= 0 {
		k.texts[file] = bytes.Clone(text)
	}
}

// read gives the text of a file, by way of again when it was not kept.
func (k *kept) read(file string, again func() ([]byte, error)) ([]byte, error) {
	k.mu.Lock()
	text, ok := k.texts[file]
	k.mu.Unlock()
	if ok {
		return text, nil
	}
	return again()
}

// fill appends all of in to b.
func fill(b []byte, in io.Reader) ([]byte, error) {
	for {
		b = slices.Grow(b, 512)
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// read reads one document. Nothing of its text is kept.
func (j *job) read(c kube.Chunk) {
	text, line := encoding.Latin(c.Text)
	if line > 0 && len(j.notes) == 0 {
		j.note(false, fmt.Sprintf("line %d: bytes that are no UTF-8 were taken for letters of Latin-1: other tools may refuse the file", c.Line+line-1))
	}
	c.Text = text
	d, ok := c.Parse()
	switch {
	case !ok:
	case d.Err == nil:
		j.object(&d, d.Root)
	case j.asked || !template(text):
		j.broken = append(j.broken, kube.Broken{File: j.file, Line: max(d.Line, d.ErrLine), Err: d.Err})
	}
}

// object takes an object, or those of a list of objects.
func (j *job) object(d *kube.Document, root *kube.Node) {
	each(root, func(n *kube.Node) {
		if o, ok := kube.NewObject(n, kube.Origin{File: j.file}); ok {
			o.Problems = within(d.Problems, n)
			j.objects = append(j.objects, o)
		}
	})
}

// each visits a document's object, or those of a list of objects.
func each(root *kube.Node, visit func(*kube.Node)) { eachIn(root, visit, 0) }

// maxLists is how deep Lists are looked into that are in Lists, as tools that join files make them.
const maxLists = 4

func eachIn(root *kube.Node, visit func(*kube.Node), depth int) {
	items := root.Get("items")
	if items.Form() != kube.List || !strings.HasSuffix(root.Get("kind").Text(), "List") || !root.Get("apiVersion").Exists() {
		visit(root)
		return
	}
	for _, item := range items.Items() {
		switch {
		case item.Form() != kube.Map:
		case depth < maxLists && strings.HasSuffix(item.Get("kind").Text(), "List"):
			eachIn(item, visit, depth+1)
		default:
			visit(item.ItemOf(root))
		}
	}
}

// within are the problems of a document that belong to one of its objects.
func within(all []kube.Problem, n *kube.Node) []kube.Problem {
	if len(all) == 0 {
		return nil
	}
	last := lastLine(n, 0)
	var list []kube.Problem
	for _, p := range all {
		if p.Line >= n.Line() && p.Line <= last {
			list = append(list, p)
		}
	}
	return list
}

func lastLine(n *kube.Node, depth int) int {
	last := n.Line()
	if depth > 200 {
		return last
	}
	for _, v := range n.Fields() {
		last = max(last, lastLine(v, depth+1))
	}
	for _, v := range n.Items() {
		last = max(last, lastLine(v, depth+1))
	}
	return last
}

// declares tells whether there may be an object in a text: it has the two fields that each
// has, at the start of a line or as a key of JSON.
func declares(text []byte) bool { return key(text, "apiVersion") && key(text, "kind") }

func key(text []byte, name string) bool {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(name))
		if i < 0 {
			return false
		}
		at += i + len(name)
		rest := bytes.TrimLeft(text[at:], "\"' \t")
		if len(rest) > 0 && rest[0] == ':' && starts(text[:at-len(name)]) {
			return true
		}
	}
}

// starts tells whether nothing but what may stand before a key stands at the end of a text.
func starts(before []byte) bool {
	before = bytes.TrimRight(before, "\"' \t-")
	return len(before) == 0 || bytes.IndexByte([]byte("\n\r{,"), before[len(before)-1]) >= 0 || bytes.HasSuffix(before, []byte("\xef\xbb\xbf"))
}

// template tells whether a text that is no YAML is meant to become some: it has marks of
// a template language in it.
func template(text []byte) bool {
	for _, mark := range []string{"{{", "{%", "<%", "<#", "${", "#@", "[["} {
		if bytes.Contains(text, []byte(mark)) {
			return true
		}
	}
	return false
}
