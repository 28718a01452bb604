//go:build linux && (amd64 || arm64)

package guard

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"

	"bulwark"
)

// name is what a block is called when it is told of.
type name struct {
	rule string
	deed bulwark.Deed
}

// names are those of blocks by id. Those of blocks that are no longer in force stay until the id is used again: what
// they decided is still to be told.
type names struct {
	mu   sync.Mutex
	list [maxBlocks]name
}

func (n *names) set(id uint32, to name) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list[id] = to
}

func (n *names) get(id uint32) name {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.list[id%maxBlocks]
}

// addBlock gives a block an id, and fills the tables.
func (h *hooks) addBlock(key string, b kernelBlock) error {
	id, err := h.free()
	if err != nil {
		return err
	}
	h.ids[key] = id
	h.names.set(id, name{b.rule, b.deed})
	for _, n := range b.nets {
		if err := h.putNetwork(id, n); err != nil {
			return fmt.Errorf("listing %s: %w", n.prefix, err)
		}
	}
	return nil
}

func (h *hooks) free() (uint32, error) {
	used := map[uint32]bool{}
	for _, id := range h.ids {
		used[id] = true
	}
	for range maxBlocks {
		id := h.next
		h.next = (h.next + 1) % maxBlocks
		if !used[id] {
			return id, nil
		}
	}
	return 0, fmt.Errorf("%d blocks are in force: %w", maxBlocks, bulwark.ErrLimit)
}

func (h *hooks) putNetwork(id uint32, n network) error {
	v := programsRanges{N: uint32(len(n.ports))}
	for i, r := range n.ports {
		v.R[i].First, v.R[i].Last, v.R[i].Proto = r.first, r.last, r.proto
	}
	if n.prefix.Addr().Is4() {
		return h.maps["nets4"].Put(key4(id, n.prefix), v)
	}
	return h.maps["nets6"].Put(key6(id, n.prefix), v)
}

func key4(id uint32, p netip.Prefix) programsKey4 {
	a := p.Addr().As4()
	return programsKey4{Bits: uint32(32 + p.Bits()), Block: id, Addr: binary.NativeEndian.Uint32(a[:])}
}

func key6(id uint32, p netip.Prefix) programsKey6 {
	a := p.Addr().As16()
	k := programsKey6{Bits: uint32(32 + p.Bits()), Block: id}
	for i := range k.Addr {
		k.Addr[i] = binary.NativeEndian.Uint32(a[4*i:])
	}
	return k
}

// removeBlock empties the tables of what no cgroup has any more.
func (h *hooks) removeBlock(key string, id uint32) {
	for _, n := range h.now.blocks[key].nets {
		if n.prefix.Addr().Is4() {
			h.maps["nets4"].Delete(key4(id, n.prefix))
		} else {
			h.maps["nets6"].Delete(key6(id, n.prefix))
		}
	}
	delete(h.ids, key)
}
