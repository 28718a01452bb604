// Package container tells which container a cgroup is.
//
// The path of a cgroup has the id of its container, so that is known at once, before the container's first
// process runs; the rest is read from what engines and runtimes keep in files, and then asked of the
// engines. Whoever looks gets what is known then, why it is not more, and a channel that tells when it is.
package container

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bulwark"
	"bulwark/source/internal/engineapi"
)

// Options say where to look. The zero value is this machine.
type Options struct {
	// Root is the folder that stands for the node's root; "" is "/".
	Root string
	// Sockets are the engines' addresses, by "docker" and "podman": unix:///path or tcp://host:port; nil: the
	// usual ones below Root, or what DOCKER_HOST and CONTAINER_HOST say.
	Sockets map[string][]string
	// Kubelet is the address of kubelet's read-only API ("http://127.0.0.1:10255"); "": it is not asked.
	Kubelet string
	Wait    time.Duration // how long [Finder.Wait] waits at most; 0: 250 ms
	Slow    time.Duration // how long an engine's answer may take; 0: 2 s
	Max     int           // cgroups that are kept; 0: 65536
}

// Finder knows the containers of a node. All methods may be called by several goroutines at once.
type Finder struct {
	o     Options
	files queue // items whose files are to be read
	asks  queue // items that engines are to be asked about
	again []time.Duration
	rest  time.Duration

	mu      sync.RWMutex
	cgroups map[uint64]*item
	items   map[string]*item // by outer and id
	named   map[string]*item // by the path of its cgroup: those that a name tells, or may tell
	gone    []uint64         // cgroups that are no more and are still kept, the oldest first

	engines engines
	pods    pods
}

// kept is how many cgroups are kept that are gone: events of their last processes may still come.
const kept = 256

// item is one container, or a cgroup that may be one.
type item struct {
	identity
	told
	refs      int         // cgroups of it that are kept
	live      int         // those of them that are there
	tries     int         // owned by the worker that has it, as are those up to why
	found     bool        // a state of it was seen
	asked     bool        // engines were asked about it
	silent    bool        // containerd has it, and did not tell of it
	plain     bool        // no engine is above its runtime: there is no more to know
	namespace string      // of containerd
	why       [2][]string // why no more is known: by files, and by who was asked
	now       atomic.Pointer[bulwark.Container]
	place
	into  *item       // above, once that is a container: there is no item for what is below it
	over  atomic.Bool // nobody looks for it any more
	ended atomic.Bool // the last of its cgroups is gone
	once  sync.Once
	known chan struct{}
}

func (it *item) settle() { it.once.Do(func() { close(it.known) }) }

// node stands for all cgroups that are no container's.
var node = func() *item {
	it := &item{known: make(chan struct{})}
	it.settle()
	return it
}()

// New returns a Finder that knows no cgroup yet. Run makes it work.
func New(o Options) *Finder {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Wait == 0 {
		o.Wait = 250 * time.Millisecond
	}
	if o.Slow == 0 {
		o.Slow = 2 * time.Second
	}
	if o.Max == 0 {
		o.Max = 1 << 16
	}
	return &Finder{o: o, again: again, rest: rest, files: newQueue(), asks: newQueue(), cgroups: map[uint64]*item{}, items: map[string]*item{}, named: map[string]*item{},
		engines: engines{clients: map[string]*engineapi.Client{}, tired: map[string]tired{}, digests: map[string]string{}}}
}

// Made tells of a cgroup, by its id and the path in its hierarchy; whoever made it may be nil. It reads nothing.
func (f *Finder) Made(cgroup uint64, path string, by *bulwark.Process) {
	id := identify(path)
	var t told
	if by != nil && by.Container == nil {
		var name string
		if name, t.bundle = created(by.Args); name != "" && name == id.maybe {
			id.id, id.engine = name, "runc"
		}
		if p := by.Parent; p != nil && strings.HasPrefix(filepath.Base(p.Path), shims) && filepath.IsAbs(after(p.Args, "-address")) {
			t.address = clip(after(p.Args, "-address"))
		}
	}
	f.add(cgroup, id, t)
}

// told is what whoever made a cgroup tells of it.
type told struct {
	bundle  string // folder of its config.json
	address string // containerd's socket
}

// shims is how the names of containerd's programs that watch containers begin.
const shims = "containerd-shim"

func (f *Finder) add(cgroup uint64, id identity, t told) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cgroups[cgroup] != nil {
		return
	}
	above := f.above(id.path)
	if id.id == "" && above.container() {
		above.refs++
		above.live++
		f.keep(cgroup, above)
		return
	}
	if id.id == "" && id.maybe == "" && above == nil {
		f.keep(cgroup, node)
		return
	}
	var at place
	if id.id == "" {
		at = place{above, cgroup}
	}
	it := f.item(id, t, at)
	if it.maybe != "" {
		f.named[it.path] = it
	}
	it.refs++
	it.live++
	f.keep(cgroup, it)
}

// item is the one of an identity; a new one is looked for. One that has ended is no longer read: files and engines tell of the next.
func (f *Finder) item(id identity, t told, at place) *item {
	it := f.items[id.key()]
	if it != nil && it.ended.Load() {
		it.over.Store(true)
		it.settle()
		it = nil
	}
	if it == nil {
		it = &item{identity: id, told: t, place: at, known: make(chan struct{})}
		it.now.Store(it.first())
		f.items[id.key()] = it
		f.files.push(it)
	}
	return it
}

// key is the same for all cgroups of a container.
func (id *identity) key() string {
	if id.id == "" {
		return "?" + id.path
	}
	return id.outer + "/" + id.id
}

// keep makes room where there is none: whatever is forgotten is found again by its process.
func (f *Finder) keep(cgroup uint64, it *item) {
	if len(f.cgroups) >= f.o.Max {
		for old := range f.cgroups {
			f.forget(old)
			break
		}
	}
	f.cgroups[cgroup] = it
}

// first is what the path alone tells.
func (it *item) first() *bulwark.Container {
	if it.id == "" {
		return nil
	}
	c := &bulwark.Container{ID: it.id, Engine: it.engine, Cgroup: it.path, Missing: "its engine was not asked yet"}
	if it.pod != "" {
		c.Pod = &bulwark.PodRef{UID: it.pod}
	}
	return c
}

// Gone tells that a cgroup was removed. It is kept until 256 others are gone. A container whose last cgroup that is has ended:
// what is made by its name or id from then on is another, or a new start of it.
func (f *Finder) Gone(cgroup uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it := f.cgroups[cgroup]
	if it == nil {
		return
	}
	if it != node {
		if it.live--; it.live <= 0 {
			it.ended.Store(true)
		}
	}
	f.gone = append(f.gone, cgroup)
	if len(f.gone) > kept {
		f.forget(f.gone[0])
		f.gone = append(f.gone[:0], f.gone[1:]...)
	}
}

func (f *Finder) forget(cgroup uint64) {
	it := f.cgroups[cgroup]
	delete(f.cgroups, cgroup)
	if it == nil || it == node {
		return
	}
	if it.refs--; it.refs > 0 {
		return
	}
	f.drop(it)
	it.settle()
}

// drop takes an item out of what is looked for.
func (f *Finder) drop(it *item) {
	if f.items[it.key()] == it {
		delete(f.items, it.key())
	}
	if f.named[it.path] == it {
		delete(f.named, it.path)
	}
	it.over.Store(true)
}

// Lookup gives what is known now of the container that a cgroup belongs to: nil where it is none's, as far as is
// known. more is nil when no more is awaited; else it is closed when there is.
// ok is false for a cgroup that the Finder was never told of.
func (f *Finder) Lookup(cgroup uint64) (c *bulwark.Container, more <-chan struct{}, ok bool) {
	f.mu.RLock()
	it := f.cgroups[cgroup]
	f.mu.RUnlock()
	if it == nil {
		return nil, nil, false
	}
	c = it.now.Load()
	select {
	case <-it.known:
		return it.now.Load(), nil, true
	default:
		return c, it.known, true
	}
}

// Wait gives what is known of a cgroup once its engine has told, or after 250 ms (Options.Wait) what is known then.
func (f *Finder) Wait(ctx context.Context, cgroup uint64) *bulwark.Container {
	c, more, _ := f.Lookup(cgroup)
	if more == nil {
		return c
	}
	wait := time.NewTimer(f.o.Wait)
	defer wait.Stop()
	select {
	case <-more:
	case <-wait.C:
	case <-ctx.Done():
	}
	c, _, _ = f.Lookup(cgroup)
	return c
}

// Process is for a process whose cgroup the Finder was not told of, or that is in a hierarchy which the kernel does not
// tell: it reads its cgroups, and gives what they tell, as Lookup does.
func (f *Finder) Process(pid int, cgroup uint64) (c *bulwark.Container, more <-chan struct{}) {
	path := f.pathOf(pid)
	if path == "" {
		return nil, nil
	}
	if id := identify(path); cgroup <= 1 { // the root of the unified hierarchy, where older runtimes leave their containers
		return f.another(id)
	}
	f.Made(cgroup, path, nil)
	c, more, _ = f.Lookup(cgroup)
	return c, more
}

// another finds a container that has no cgroup where the kernel tells of them.
func (f *Finder) another(id identity) (*bulwark.Container, <-chan struct{}) {
	if id.id == "" {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.items[id.key()] == nil && len(f.items) >= f.o.Max {
		return (&item{identity: id}).first(), nil
	}
	it := f.item(id, told{}, place{})
	return it.now.Load(), it.known
}

// Containers are those that are known now.
func (f *Finder) Containers() []*bulwark.Container {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var list []*bulwark.Container
	for _, it := range f.items {
		if c := it.now.Load(); c != nil {
			list = append(list, c)
		}
	}
	return list
}
