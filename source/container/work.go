package container

import (
	"context"
	"strings"
	"sync"
	"time"

	"bulwark"
)

// queue is one of items that wait for a worker. It is as long as there are items, which are bounded.
type queue struct {
	mu   *sync.Mutex
	list *[]*item
	wake chan struct{}
}

func newQueue() queue {
	return queue{mu: new(sync.Mutex), list: new([]*item), wake: make(chan struct{}, 1)}
}

func (q queue) push(it *item) {
	q.mu.Lock()
	*q.list = append(*q.list, it)
	q.mu.Unlock()
	q.signal()
}

func (q queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// pop waits for an item; nil when ctx is done.
func (q queue) pop(ctx context.Context) *item {
	for {
		q.mu.Lock()
		if l := *q.list; len(l) > 0 {
			it := l[0]
			l[0] = nil
			if *q.list = l[1:]; len(l) > 1 {
				q.signal()
			}
			q.mu.Unlock()
			return it
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// Run reads and asks until ctx is done. Files have workers of their own: an engine that hangs delays nobody who needs
// none.
func (f *Finder) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { f.work(ctx, f.files, f.look) })
		all.Go(func() { f.work(ctx, f.asks, f.ask) })
	}
	all.Wait()
	f.close()
}

func (f *Finder) work(ctx context.Context, q queue, do func(context.Context, *item)) {
	for it := q.pop(ctx); it != nil; it = q.pop(ctx) {
		if !it.over.Load() {
			do(ctx, it)
		}
	}
}

// again are the times after which files are read again for what was not there at first.
var again = []time.Duration{10 * time.Millisecond, 30 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 10 * time.Second}

// look reads the files of an item, and says what else is to be done.
func (f *Finder) look(_ context.Context, it *item) {
	if it.outer != "" && f.inside(it) {
		return
	}
	if it.above != nil {
		is, wait := f.below(it)
		if wait {
			time.AfterFunc(f.again[0], func() { f.files.push(it) })
		}
		if is || wait {
			return
		}
	}
	if it.id == "" && it.maybe == "" {
		it.settle()
		return
	}
	r := f.reading(it)
	r.files()
	if c := it.now.Load(); c != nil && len(c.Command) > 0 && it.ended.Load() {
		it.settle() // what lies there by now may be of the next one with its name
		return
	}
	if !it.found && it.id == "" {
		if it.tries++; it.tries > 1 {
			it.settle() // no runtime knows that name
			return
		}
		time.AfterFunc(f.again[0], func() { f.files.push(it) })
		return
	}
	it.why[0] = r.why
	r.publish()
	if it.tries == 0 || r.c.Image == "" || r.c.Missing != "" {
		f.asks.push(it)
		return
	}
	f.later(it)
}

// ask asks the engines about an item.
func (f *Finder) ask(ctx context.Context, it *item) {
	r := f.reading(it)
	r.ask(ctx)
	it.asked, it.why[1] = true, r.why
	r.publish()
	if f.o.Kubelet != "" { // which may be slow
		r.askKubelet(ctx)
		it.why[1] = r.why
		r.publish()
	}
	if r.c.PID != 0 && len(r.c.Command) > 0 || it.tries >= 3 { // its bundle may not have been found at the first look
		it.settle()
	}
	f.later(it)
}

// reading begins with what is known of an item.
func (f *Finder) reading(it *item) *reading {
	r := &reading{f: f, it: it}
	if c := it.now.Load(); c != nil {
		r.c = *c
	} else {
		r.c = bulwark.Container{ID: it.maybe, Cgroup: it.path}
	}
	return r
}

// publish makes what was read what is known.
func (r *reading) publish() {
	r.c.Missing = r.missing()
	c := r.c
	r.it.now.Store(&c)
	if c.Missing == "" && (r.it.asked || !r.partly()) || r.it.plain {
		r.it.settle()
	}
}

// partly tells that files have less than containerd is about to tell: the image's digest, by which scans name it, and what is of
// the pod. Its answer takes a millisecond or two.
func (r *reading) partly() bool {
	return r.c.Engine == "containerd" && r.it.namespace != "" && (r.c.ImageID == "" || r.c.Digest == "" || r.c.Pod != nil && r.c.Pod.Labels == nil)
}

// later has the files read again while anything of it is missing.
func (f *Finder) later(it *item) {
	c := it.now.Load()
	if it.tries >= len(f.again) {
		it.settle()
		if c.Missing == "" || it.plain {
			return
		}
	}
	if c.Missing == "" && c.PID != 0 {
		return
	}
	wait := f.pause(it.tries)
	it.tries++
	time.AfterFunc(wait, func() { f.files.push(it) })
}

// seldom is how long what no engine told of is left alone at most: an engine may be started again.
const seldom = 2 * time.Minute

// pause is the time until files are read again, and engines asked.
func (f *Finder) pause(tries int) time.Duration {
	last := len(f.again) - 1
	if tries <= last {
		return f.again[tries]
	}
	return min(f.again[last]<<min(tries-last, 8), seldom)
}

// inside settles a container that runs in another: the engines of this node do not know it, and those inside can say
// whatever they like. Where the outer one is not known here either, this program runs in it itself.
func (f *Finder) inside(it *item) bool {
	f.mu.RLock()
	var outer *bulwark.Container
	for _, o := range f.items {
		if o.id == it.outer && o.outer == "" {
			outer = o.now.Load()
		}
	}
	f.mu.RUnlock()
	if outer == nil || outer.Image == "" && len(outer.Command) == 0 {
		return false
	}
	c := *it.now.Load()
	c.Pod = outer.Pod
	c.Missing = "it runs in container " + outer.ShortID() + " (" + strings.TrimSpace(outer.Name+" "+outer.Image) + "), whose engines are not asked"
	it.now.Store(&c)
	it.settle()
	return true
}
