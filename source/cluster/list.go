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
	items    []json.RawMessage
	next     string // how to go on; "" at the end
	resource string // version of the list
	anew     bool   // the list begins again
	err      error
}

// list gives every object of a list to each, as the server has it, and the list's version. The
// next page is fetched while one is looked at. A list that expires while it is read goes on
// where the server says, or begins anew; no object is given twice.
func (c *client) list(ctx context.Context, q query, each func(*kube.Node) error) (version string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages := make(chan page, 1)
	go c.pages(ctx, q, pages)
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
		for _, raw := range p.items {
			if err := g.give(raw); err != nil {
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
func (g *giving) give(raw []byte) error {
	n, id, err := identify(raw)
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

func (p *partial) Error() string { return fmt.Sprintf("%d objects: %v", p.left, p.why) }
func (p *partial) Unwrap() error { return p.why }

func isPartial(err error) bool {
	var p *partial
	return errors.As(err, &p)
}

// identify reads an object, and what it is called.
func identify(raw []byte) (n *kube.Node, id string, err error) {
	if len(raw) > maxObject {
		return nil, "", fmt.Errorf("%d MB, at most %d are read: %w", len(raw)>>20, maxObject>>20, bulwark.ErrLimit)
	}
	if n, err = kube.ParseJSON(raw); err != nil {
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
		if errors.Is(err, bulwark.ErrLimit) && size > smallestPage {
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
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return malformed("a list", err)
	}
	listed := false
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return malformed("a list", err)
		}
		switch t {
		case "items":
			listed, err = true, p.readItems(d)
		case "metadata":
			err = p.readMetadata(d)
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return malformed("a list", err)
		}
	}
	if _, err := d.Token(); err != nil { // the brace that closes it
		return malformed("a list", err)
	}
	if !listed {
		return fmt.Errorf("what the API server gives is no list: %w", bulwark.ErrMalformed)
	}
	return nil
}

func (p *page) readItems(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil || t == nil { // null: an empty list
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%w: items are no list", bulwark.ErrMalformed)
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		p.items = append(p.items, raw)
	}
	_, err = d.Token()
	return err
}

func (p *page) readMetadata(d *json.Decoder) error {
	var m struct{ Continue, ResourceVersion string }
	if err := d.Decode(&m); err != nil {
		return err
	}
	p.next, p.resource = m.Continue, m.ResourceVersion
	return nil
}

// malformed tells an answer that is wrong from one that broke off.
func malformed(what string, err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil, errors.As(err, &wrong):
		return fmt.Errorf("what the API server gives is not %s: %w", what, bulwark.ErrMalformed)
	case errors.As(err, &syntax):
		return fmt.Errorf("what the API server gives is not %s: %w: %w", what, bulwark.ErrMalformed, err)
	}
	return err
}
