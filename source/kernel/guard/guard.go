//go:build linux && (amd64 || arm64)

package guard

import (
	"errors"
	"fmt"
	"sync"

	"bulwark"
)

// Guard holds what is blocked. Its methods may be called by several goroutines at once.
type Guard struct {
	tell func(bulwark.Decision)

	mu     sync.Mutex
	node   *node
	hooks  *hooks   // nil: not loaded yet
	files  *watcher // nil: nothing is asked of fanotify
	closed bool
}

// New returns a guard that blocks nothing yet. tell is called with every decision, by several goroutines at once,
// and after the decision is in force: a slow one delays only what it is told.
//
// A process that blocks executions must not start programs that it is asked about: Go waits for a new process to
// execute its program before it can answer.
func New(tell func(bulwark.Decision)) *Guard {
	return &Guard{tell: tell}
}

// Load puts the blocks in force: see [bulwark.Guard].
func (g *Guard) Load(blocks []bulwark.Block) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return fmt.Errorf("loading blocks: the guard is closed: %w", bulwark.ErrUnavailable)
	}
	if len(blocks) == 0 && g.hooks == nil && g.files == nil {
		return nil
	}
	g.prepare()
	p, err := g.compile(blocks)
	if err != nil {
		return err
	}
	files, err := watch(g.node, p.files, g.tell)
	if err != nil {
		return err
	}
	if err := g.hooks.load(p); err != nil {
		return errors.Join(err, files.Close())
	}
	old := g.files
	g.files = files
	return old.Close()
}

// prepare looks once at what this machine has.
func (g *Guard) prepare() {
	if g.node == nil {
		g.node = look()
	}
	if g.hooks == nil {
		g.hooks = loadHooks(g.node, g.tell)
	}
}

// Close lets go of everything.
func (g *Guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	err := g.files.Close()
	g.files = nil
	if g.hooks != nil {
		err = errors.Join(err, g.hooks.Close())
	}
	return err
}

// Counts are the decisions of the kernel's own programs.
func (g *Guard) Counts() []bulwark.Count {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hooks == nil || g.closed {
		return nil
	}
	return []bulwark.Count{g.hooks.count()}
}
