//go:build linux

// Package types has the types of the kernel for all who load programs: reading them takes time and memory.
package types

import (
	"sync"
	"weak"

	"github.com/cilium/ebpf/btf"
)

var (
	mu   sync.Mutex
	last weak.Pointer[btf.Cache]
)

// Cache gives the types that were read last, as long as somebody holds them, and else empty room for them.
func Cache() *btf.Cache {
	mu.Lock()
	defer mu.Unlock()
	c := last.Value()
	if c == nil {
		c = btf.NewCache()
		last = weak.Make(c)
	}
	return c
}
