package tarball

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"bulwark"
)

// turns lets several readers share one reading of a stream: each waits until the
// member that it wants passes by. When nobody waits the stream is held where it is;
// it is read from its start again for a member that has passed.
type turns struct {
	start func(context.Context) (io.ReadCloser, error)

	mu      sync.Mutex
	waiting []*turn
	current *turn
	running bool          // run is under way
	closed  bool          // nobody may wait any more
	changed chan struct{} // closed and replaced when one of the above changes
	stop    func()        // ends the reading that is under way
}

// turn is one reader, waiting or being served.
type turn struct {
	order  int
	served chan error    // nil when the member is there
	done   chan struct{} // closed when the reader needs it no more
	once   sync.Once

	mu     sync.Mutex // held while r is read
	r      io.Reader
	owner  *turns
	closed bool
}

func newTurns(start func(context.Context) (io.ReadCloser, error)) *turns {
	return &turns{start: start, changed: make(chan struct{})}
}

var errClosed = errors.New("the image is closed")

// open waits for the member.
func (t *turns) open(ctx context.Context, order int) (io.ReadCloser, error) {
	n := &turn{order: order, served: make(chan error, 1), done: make(chan struct{}), owner: t}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil, errClosed
	}
	t.waiting = append(t.waiting, n)
	t.notify()
	if !t.running {
		t.running = true
		go t.run()
	}
	t.mu.Unlock()
	select {
	case err := <-n.served:
		if err != nil {
			return nil, err
		}
		return n, nil
	case <-ctx.Done():
		n.leave()
		return nil, ctx.Err()
	}
}

// notify is called with mu held.
func (t *turns) notify() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// close ends the reading; turns that wait fail.
func (t *turns) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.abort()
	t.notify()
	return nil
}

// abort is called with mu held.
func (t *turns) abort() {
	if t.stop != nil {
		t.stop()
	}
}

// leave gives up waiting. When nobody is left the reading, which may be stalled, ends.
func (n *turn) leave() {
	t := n.owner
	t.mu.Lock()
	t.waiting = slices.DeleteFunc(t.waiting, func(o *turn) bool { return o == n })
	if len(t.waiting) == 0 && (t.current == nil || t.current == n) {
		t.abort()
	}
	t.notify()
	t.mu.Unlock()
	n.once.Do(func() { close(n.done) })
}

func (n *turn) Read(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return 0, errClosed
	}
	return n.r.Read(p)
}

// Close hands the stream on. A read that is under way may be stalled, so the reading
// is ended along with it.
func (n *turn) Close() error {
	if !n.mu.TryLock() {
		n.owner.mu.Lock()
		if n.owner.current == n {
			n.owner.abort()
		}
		n.owner.mu.Unlock()
		n.mu.Lock()
	}
	n.closed = true
	n.mu.Unlock()
	n.once.Do(func() { close(n.done) })
	return nil
}

// run reads the stream as often as somebody waits.
func (t *turns) run() {
	for {
		ctx, cancel := context.WithCancel(context.Background())
		if !t.begin(cancel) {
			cancel()
			return
		}
		err := t.pass(ctx)
		t.after(ctx, err)
		cancel()
	}
}

// begin tells whether a reading is needed.
func (t *turns) begin(cancel func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = cancel
	if len(t.waiting) > 0 && !t.closed {
		return true
	}
	for _, n := range t.waiting {
		n.served <- errClosed
	}
	t.waiting, t.running, t.stop = nil, false, nil
	return false
}

// after fails everybody who waits if the stream could not be read. A reading that was
// ended because its reader left says nothing about the stream.
func (t *turns) after(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.waiting {
		n.served <- err
	}
	t.waiting = nil
}

// pass reads the stream once, as far as anybody waits for what is still to come.
func (t *turns) pass(ctx context.Context) error {
	rc, err := t.start(ctx)
	if err != nil {
		return err
	}
	defer rc.Close()
	tr := tar.NewReader(&ender{ctx, rc})
	for order := 0; t.wanted(ctx, order); order++ {
		h, err := tr.Next()
		if err == io.EOF {
			return fmt.Errorf("the archive ends before a layer that it had before: %w", bulwark.ErrMalformed)
		}
		if err != nil && !(errors.Is(err, tar.ErrInsecurePath) && h != nil) {
			return named(err)
		}
		t.serve(order, tr)
	}
	return nil
}

// wanted holds the stream until somebody waits, and tells whether it is for this
// member or a later one.
func (t *turns) wanted(ctx context.Context, order int) bool {
	for {
		t.mu.Lock()
		closed, some, changed := t.closed, len(t.waiting) > 0, t.changed
		later := slices.ContainsFunc(t.waiting, func(n *turn) bool { return n.order >= order })
		t.mu.Unlock()
		if closed || ctx.Err() != nil {
			return false
		}
		if some {
			return later
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// serve hands the current member to one who waits for it, until it is done with it.
func (t *turns) serve(order int, r io.Reader) {
	t.mu.Lock()
	i := slices.IndexFunc(t.waiting, func(n *turn) bool { return n.order == order })
	if i < 0 {
		t.mu.Unlock()
		return
	}
	n := t.waiting[i]
	t.waiting = slices.Delete(t.waiting, i, i+1)
	t.current, n.r = n, r
	t.mu.Unlock()
	n.served <- nil
	<-n.done
	n.mu.Lock() // a read may be under way still
	n.closed = true
	n.mu.Unlock()
	t.mu.Lock()
	t.current = nil
	t.mu.Unlock()
}

// ender stops reading when its context ends: passing a member by may take long.
type ender struct {
	ctx context.Context
	r   io.Reader
}

func (e *ender) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.r.Read(p)
}
