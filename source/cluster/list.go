package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"bulwark"
	"bulwark/kube"
)

const (
	pageSize      = 500
	smallestPage  = 5
	mostPages     = 20000
	mostIdle      = 50 // pages in a row that tell nothing new
	mostRestarts  = 3
	asPartialList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// query is one list: of a resource, in a namespace or all of them.
type query struct {
	*resource
	namespace string
	selector  string // of fields
	accept    string
}

// page is one page of a list.
type page struct {
	items    []item
	next     string // how to go on; "" at the end
	resource string // version of the list
	anew     bool   // the list begins again
	err      error
}

// item is one of a list.
type item struct {
	text []byte // nil of one that is too large
	size int64
}

// list gives every object of a list to each, as the server has it, and the list's version. The
// next page is fetched while one is looked at. A list that expires while it is read goes on
// where the server says, or begins anew; no object is given twice.
func (c *client) list(ctx context.Context, q query, each func(*kube.Node) error) (version string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan page, 1)
	go c.pages(ctx, q, pages)
	defer func() {
		cancel()
		for range pages { // until the one who fetches has ended
		}
	}()
	g := giving{each: each, seen: map[string]struct{}{}}
	read, idle := 0, 0
	for p := range pages {
		if p.err != nil {
			return version, p.err
		}
		version = p.resource
		if p.anew {
			read, idle = 0, -read // these tell nothing new once more
		}
		read++
		before := len(g.seen)
		for i := range p.items {
			if err := g.give(&p.items[i]); err != nil {
				return version, err
			}
		}
		if idle++; len(g.seen) > before {
			idle = 0
		}
		if idle == mostIdle {
			return version, fmt.Errorf("%d pages in a row with nothing new: %w", idle, bulwark.ErrMalformed)
		}
	}
	if ctx.Err() != nil {
		return version, context.Cause(ctx)
	}
	return version, g.err()
}

// giving hands on the objects of a list, each once.
type giving struct {
	each func(*kube.Node) error
	seen map[string]struct{}
	left int   // out: what is no object, or cannot be read
	why  error // the first was
}

// give hands on one object. One that cannot be read does not keep others from being read.
func (g *giving) give(i *item) error {
	n, id, err := i.object()
	if err != nil {
		g.left++
		if g.why == nil {
			g.why = err
		}
		return nil
	}
	if _, again := g.seen[id]; again {
		return nil
	}
	g.seen[id] = struct{}{}
	return g.each(n)
}

// err tells of what was left out.
func (g *giving) err() error {
	if g.left == 0 {
		return nil
	}
	return &partial{g.left, g.why}
}

// partial says that a list was read but for some of its objects.
type partial struct {
	left int
	why  error // of the first
}

func (p *partial) Error() string {
	if p.left == 1 {
		return fmt.Sprintf("1 object: %v", p.why)
	}
	return fmt.Sprintf("%d objects, the first: %v", p.left, p.why)
}
func (p *partial) Unwrap() error { return p.why }

func isPartial(err error) bool {
	var p *partial
	return errors.As(err, &p)
}

// object reads the object that an item is, and what it is called.
func (i *item) object() (n *kube.Node, id string, err error) {
	if i.size > int64(len(i.text)) {
		return nil, "", fmt.Errorf("%d MB, at most %d are read: %w", i.size>>20, maxObject>>20, bulwark.ErrLimit)
	}
	if n, err = kube.ParseJSON(i.text); err != nil {
		return nil, "", err
	}
	meta := n.Get("metadata")
	if meta.Get("name").Text() == "" {
		return nil, "", fmt.Errorf("no object with a name: %w", bulwark.ErrMalformed)
	}
	return n, meta.Get("namespace").Text() + "/" + meta.Get("name").Text(), nil
}

// sizeOf is how many objects of a resource are asked for at once: fewer of those that are large.
func (c *client) sizeOf(r *resource) int {
	switch r.String() {
	case definitions:
		return min(c.page, 25)
	case "configmaps", "secrets":
		return min(c.page, 100)
	}
	return c.page
}

// pages fetches one page after the other, and closes pages at the end, behind an error if there is one.
func (c *client) pages(ctx context.Context, q query, pages chan<- page) {
	defer close(pages)
	next, restarts, size, anew := "", 0, c.sizeOf(q.resource), false
	for range mostPages {
		p, err := c.onePage(ctx, q, next, size)
		var e *statusError
		if errors.As(err, &e) && e.code == http.StatusGone && restarts < mostRestarts {
			restarts++
			next = e.next // "" begins anew
			anew = anew || next == ""
			continue
		}
		if n := len(p.items); errors.Is(err, bulwark.ErrLimit) && n > 1 && n <= size && size > smallestPage {
			size = max(smallestPage, size/5)
			continue
		}
		p.err, p.anew, anew = err, anew, false
		if err == nil && p.next != "" && p.next == next {
			p.err = fmt.Errorf("%s: %w: a page that leads to itself", q.resource, bulwark.ErrMalformed)
		}
		if !send(ctx, pages, p) || p.err != nil || p.next == "" {
			return
		}
		next = p.next
	}
	send(ctx, pages, page{err: fmt.Errorf("%s: a list of more than %d pages: %w", q.resource, mostPages, bulwark.ErrLimit)})
}

// send hands a page over, unless nobody wants it any more.
func send(ctx context.Context, pages chan<- page, p page) bool {
	select {
	case pages <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *client) onePage(ctx context.Context, q query, next string, size int) (p page, err error) {
	values := url.Values{}
	values.Set("limit", strconv.Itoa(size))
	if next != "" {
		values.Set("continue", next)
	}
	if q.selector != "" {
		values.Set("fieldSelector", q.selector)
	}
	accept := q.accept
	if accept == "" {
		accept = asJSON
	}
	err = c.get(ctx, q.path(q.namespace), values, accept, func(r io.Reader) error {
		p = page{}
		return p.read(r)
	})
	return p, err
}

// read takes a list apart as it comes.
func (p *page) read(r io.Reader) error {
	s, listed := newSplitter(r), false
	err := s.object(func(name string) error {
		switch name {
		case "items":
			listed = true
			return s.list(func() error { return p.readItem(s) })
		case "metadata":
			return p.readMetadata(s)
		}
		_, _, err := s.value(0)
		return err
	})
	if errors.Is(err, bulwark.ErrMalformed) {
		return fmt.Errorf("what the API server gives is no list: %w", err)
	}
	if err == nil && !listed {
		return fmt.Errorf("what the API server gives is no list: %w", bulwark.ErrMalformed)
	}
	return err
}

func (p *page) readItem(s *splitter) error {
	raw, size, err := s.value(maxObject)
	if err != nil {
		return err
	}
	if size > int64(len(raw)) {
		raw = nil
	}
	p.items = append(p.items, item{raw, size})
	return nil
}

func (p *page) readMetadata(s *splitter) error {
	raw, size, err := s.value(64 << 10)
	if err != nil {
		return err
	}
	var m struct{ Continue, ResourceVersion string }
	if size > int64(len(raw)) || json.Unmarshal(raw, &m) != nil {
		return notJSON("its metadata is none")
	}
	p.next, p.resource = m.Continue, m.ResourceVersion
	return nil
}
