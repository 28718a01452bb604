package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"bulwark"
	"bulwark/kube"
)

// Change is one change of a cluster's objects.
type Change struct {
	Gone   bool         // the object was deleted; else it is new or has changed
	Object *kube.Object // as [Source.Open] gives it
}

// watchAgain is how long a watch that failed waits before it is begun anew.
const watchAgain = 2 * time.Second

// Watch gives all objects of the named resources ("deployments.apps", "pods"; when none is named,
// those that a scan reads but for kinds found by their schema) and then every change to them, until the context ends; emit is not
// called from several goroutines at once. A watch that breaks goes on where it was; where the
// server does not know that place any more everything is listed anew, and what changed or
// went meanwhile is told. Failures go to failed, and are tried again; its error ends the
// watch, as emit's does.
func (s *Source) Watch(ctx context.Context, ref string, resources []string, emit func(Change) error, failed func(error) error) error {
	o := s.Options
	o.Context = contextOf(ref, o.Context)
	c, err := o.connect(ctx)
	if err != nil {
		return err
	}
	defer c.http.CloseIdleConnections()
	has, err := c.discover(ctx)
	if err != nil {
		return err
	}
	list := has.resources
	changes := make(chan Change)
	g, ctx := errgroup.WithContext(ctx)
	for i := range list {
		res := &list[i]
		if !chosenToWatch(res, resources) {
			continue
		}
		for _, ns := range namespacesOf(&o, res) {
			w := &watch{c: c, q: query{resource: res, namespace: ns}, lean: &lean{o.Secret, kube.NewHasher(), o.ReadSecrets}, changes: changes, known: map[string]known{}}
			if res.String() == "secrets" && !o.ReadSecrets {
				w.q.accept = asPartialList
			}
			g.Go(func() error { return w.run(ctx, failed) })
		}
	}
	g.Go(func() error { return forward(ctx, changes, emit) })
	return g.Wait()
}

func chosenToWatch(r *resource, names []string) bool {
	if len(names) == 0 {
		return wants(r.group, r.name)
	}
	for _, n := range names {
		if n == r.String() {
			return true
		}
	}
	return false
}

func namespacesOf(o *Options, r *resource) []string {
	if len(o.Namespaces) == 0 || !r.namespaced {
		return []string{""}
	}
	return o.Namespaces
}

func forward(ctx context.Context, changes <-chan Change, emit func(Change) error) error {
	for {
		select {
		case c := <-changes:
			if err := emit(c); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// known is an object that was told of.
type known struct {
	version string
	object  *kube.Object
}

// watch follows one resource.
type watch struct {
	c       *client
	q       query
	lean    *lean
	changes chan<- Change
	known   map[string]known // by uid
	version string           // where the watch is; "" when it has to begin with a list
}

// run lists and watches until the context ends.
func (w *watch) run(ctx context.Context, failed func(error) error) error {
	for {
		w.c.revive()
		err := w.step(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case codeOf(err) == http.StatusGone:
			w.version = ""
		case err != nil && !errors.Is(err, io.EOF): // the server ends watches now and then
			if err := failed(fmt.Errorf("watching %s: %w", w.q.resource, err)); err != nil {
				return err
			}
		}
		if err := w.c.wait(ctx, watchAgain); err != nil {
			return err
		}
	}
}

func (w *watch) step(ctx context.Context) error {
	if w.version == "" {
		if err := w.relist(ctx); err != nil {
			return err
		}
	}
	return w.follow(ctx)
}

// relist tells what is new, changed or gone since what was told.
func (w *watch) relist(ctx context.Context) error {
	there := map[string]bool{}
	version, err := w.c.list(ctx, w.q, func(n *kube.Node) error {
		meta := n.Get("metadata")
		uid := meta.Get("uid").Text()
		there[uid] = true
		if k, ok := w.known[uid]; ok && k.version == meta.Get("resourceVersion").Text() {
			return nil
		}
		return w.changed(ctx, n)
	})
	if err != nil && !isPartial(err) {
		return err
	}
	for uid, k := range w.known {
		if !there[uid] {
			if err := w.gone(ctx, uid, k.object); err != nil {
				return err
			}
		}
	}
	w.version = version
	return err // of what could not be read of it
}

func (w *watch) changed(ctx context.Context, n *kube.Node) error {
	root, err := kube.ParseJSON(w.lean.object(w.q.resource, n))
	if err != nil {
		return err
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	if !ok {
		return fmt.Errorf("%w: no object", bulwark.ErrMalformed)
	}
	meta := n.Get("metadata")
	if len(w.known) >= maxObjects {
		return fmt.Errorf("more than %d objects: %w", maxObjects, bulwark.ErrLimit)
	}
	w.known[meta.Get("uid").Text()] = known{meta.Get("resourceVersion").Text(), o}
	return w.send(ctx, Change{Object: o})
}

func (w *watch) gone(ctx context.Context, uid string, o *kube.Object) error {
	delete(w.known, uid)
	return w.send(ctx, Change{Gone: true, Object: o})
}

func (w *watch) send(ctx context.Context, c Change) error {
	select {
	case w.changes <- c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// follow tells changes from where the watch is, until the answer ends.
func (w *watch) follow(ctx context.Context) error {
	q := url.Values{"watch": {"true"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {w.version}}
	accept := w.q.accept
	if accept == "" {
		accept = asJSON
	} else {
		accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	}
	body, err := w.c.open(ctx, w.q.path(w.q.namespace), q, accept)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReaderSize(body, 64<<10)
	for {
		line, err := readLine(lines)
		if err != nil {
			return err
		}
		if err := w.event(ctx, line); err != nil {
			return err
		}
	}
}

// readLine reads one event.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxObject {
			return nil, fmt.Errorf("an event of more than %d MB: %w", maxObject>>20, bulwark.ErrLimit)
		}
		line = append(line, part...)
		if err == nil {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// event takes one line of a watch.
func (w *watch) event(ctx context.Context, line []byte) error {
	n, err := kube.ParseJSON(line)
	if err != nil {
		return err
	}
	o := n.Get("object")
	meta := o.Get("metadata")
	switch n.Get("type").Text() {
	case "ADDED", "MODIFIED":
		err = w.changed(ctx, o)
	case "DELETED":
		uid := meta.Get("uid").Text()
		if k, ok := w.known[uid]; ok {
			err = w.gone(ctx, uid, k.object)
		}
	case "ERROR":
		code, _ := o.Get("code").Int()
		return &statusError{code: int(code), message: oneLine(o.Get("message").Text())}
	}
	if v := meta.Get("resourceVersion").Text(); err == nil && v != "" {
		w.version = v
	}
	return err
}
