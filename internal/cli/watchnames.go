package cli

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// resolver knows the addresses of the names that rules compare with: it asks for them at the start and every five
// minutes, and keeps what it knew of one that has no answer.
type resolver struct {
	start func(names []string)
	mu    sync.RWMutex
	names map[string][]netip.Addr
	addrs map[netip.Addr]string
}

const (
	mostNames = 1000
	askAgain  = 5 * time.Minute
)

// newResolver makes one that asks until ctx is done.
func newResolver(ctx context.Context) *resolver {
	r := &resolver{names: map[string][]netip.Addr{}, addrs: map[netip.Addr]string{}}
	r.start = func(names []string) { go r.run(ctx, names) }
	return r
}

// Watch begins to ask for names.
func (r *resolver) Watch(names []string) {
	if len(names) > 0 {
		r.start(slices.Clone(names[:min(len(names), mostNames)]))
	}
}

func (r *resolver) run(ctx context.Context, names []string) {
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		for _, name := range names {
			r.ask(ctx, name)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

func (r *resolver) ask(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(found) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.names[name] {
		delete(r.addrs, a)
	}
	list := found[:0]
	for _, a := range found {
		a = a.Unmap()
		list = append(list, a)
		r.addrs[a] = name
	}
	r.names[name] = list
}

// Has tells whether the name had the address when it was asked for last.
func (r *resolver) Has(name string, a netip.Addr) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Contains(r.names[name], a.Unmap())
}

// Name is the name that the address had then.
func (r *resolver) Name(a netip.Addr) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	name, ok := r.addrs[a.Unmap()]
	return name, ok
}
