// Package recent remembers what happened lately, in bounded memory: tables that forget the oldest, counts of a span
// of time, and sets of few members. Times are nanoseconds; a clock that jumps back makes a span longer, no more.
package recent

import (
	"hash/maphash"
	"time"
)

// Table keeps the values of at most a number of keys, and forgets the key that came first when one more comes. The
// zero value is not of use: see [NewTable].
type Table[K comparable, V any] struct {
	values map[K]*V
	order  []K // a ring, once it is full
	next   int
	most   int
}

// NewTable makes a table of at most so many keys.
func NewTable[K comparable, V any](most int) *Table[K, V] {
	return &Table[K, V]{values: map[K]*V{}, most: max(most, 1)}
}

// Get is the value of a key, or nil.
func (t *Table[K, V]) Get(k K) *V { return t.values[k] }

// Of is the value of a key, a zero one where there was none.
func (t *Table[K, V]) Of(k K) *V {
	if v := t.values[k]; v != nil {
		return v
	}
	if len(t.order) < t.most {
		t.order = append(t.order, k)
	} else {
		delete(t.values, t.order[t.next])
		t.order[t.next] = k
		t.next = (t.next + 1) % t.most
	}
	v := new(V)
	t.values[k] = v
	return v
}

// Len is how many keys it holds.
func (t *Table[K, V]) Len() int { return len(t.values) }

// Each calls f with every key and value until it returns false.
func (t *Table[K, V]) Each(f func(K, *V) bool) {
	for k, v := range t.values {
		if !f(k, v) {
			return
		}
	}
}

// slices is how finely a span of time is told apart.
const slices = 8

// Count is how much there was in a span of time that ends now, to an eighth of the span. The zero value is ready.
type Count struct {
	slot [slices]int64
	last int64 // number of the newest slot since 1970
}

// Add counts n at a time and gives the sum of the span.
func (c *Count) Add(now int64, span time.Duration, n int64) int64 {
	c.slide(now, span)
	c.slot[c.last%slices] += n
	return c.sum()
}

// Sum is the sum of the span that ends at a time.
func (c *Count) Sum(now int64, span time.Duration) int64 {
	c.slide(now, span)
	return c.sum()
}

func (c *Count) slide(now int64, span time.Duration) {
	number := max(now, 0) / max(int64(span)/slices, 1)
	switch {
	case number <= c.last:
		return
	case number-c.last >= slices:
		c.slot = [slices]int64{}
	default:
		for i := c.last + 1; i <= number; i++ {
			c.slot[i%slices] = 0
		}
	}
	c.last = number
}

func (c *Count) sum() (n int64) {
	for _, v := range c.slot {
		n += v
	}
	return n
}

var seed = maphash.MakeSeed()

// Hash is that of a text, other in each run: nobody can make two collide.
func Hash(text []byte) uint64 { return maphash.Bytes(seed, text) }

// HashString is [Hash] of a string.
func HashString(text string) uint64 { return maphash.String(seed, text) }

// Few is how many different things there were in a span of time, up to a number that is asked for. The zero value
// is ready.
type Few struct {
	seen  map[uint64]int64 // when last
	swept int64
}

// Add counts a thing and gives how many there were in the span; once there are most, they are not counted further.
func (f *Few) Add(now int64, span time.Duration, most int, thing uint64) int {
	if f.seen == nil {
		f.seen = map[uint64]int64{}
	}
	if _, ok := f.seen[thing]; ok || len(f.seen) < most {
		f.seen[thing] = now
	}
	if len(f.seen) >= most || now-f.swept > int64(span) {
		f.swept = now
		for k, at := range f.seen {
			if now-at > int64(span) {
				delete(f.seen, k)
			}
		}
		if len(f.seen) < most {
			f.seen[thing] = now
		}
	}
	return len(f.seen)
}

// Reset forgets all.
func (f *Few) Reset() { clear(f.seen) }
