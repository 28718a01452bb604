package git

import "container/list"

// cache keeps what deltas were applied to and gave: other deltas need it.
type cache struct {
	left  int
	items map[spot]*list.Element
	used  *list.List // of *kept, the latest first
}

// spot is where a packed object begins.
type spot struct {
	pack int
	off  int64
}

type kept struct {
	spot
	kind kind
	data []byte
}

// cacheSize is how many bytes are kept.
const cacheSize = 32 << 20

func newCache() cache {
	return cache{left: cacheSize, items: map[spot]*list.Element{}, used: list.New()}
}

func (c *cache) get(s spot) (kind, []byte, bool) {
	e, ok := c.items[s]
	if !ok {
		return 0, nil, false
	}
	c.used.MoveToFront(e)
	k := e.Value.(*kept)
	return k.kind, k.data, true
}

func (c *cache) put(s spot, k kind, data []byte) {
	const each = 200 // bytes beside the data, about
	if _, ok := c.items[s]; ok || len(data) > cacheSize/2 {
		return
	}
	c.items[s] = c.used.PushFront(&kept{s, k, data})
	c.left -= len(data) + each
	for c.left < 0 {
		e := c.used.Back()
		old := c.used.Remove(e).(*kept)
		delete(c.items, old.spot)
		c.left += len(old.data) + each
	}
}
