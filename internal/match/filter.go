package match

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A window is four bytes as a little-endian number, every byte with the bit set that
// tells upper from lower case.
const fold = 0x20202020

// crowded is how many literals may share a window before the next goes to the automaton.
const crowded = 24

// The bit map of windows has 2^21 bits, 256 KB: it stays in the second-level cache. One of
// 32 KB, for the first, was half as fast with the anchors of the secrets: what it
// lets pass by chance costs more.
const hashBits = 21

// listBits is how many lists there are at most.
const listBits = 15

// filter finds literals of three bytes and more.
type filter struct {
	bitmap [1 << hashBits / 64]uint64 // windows that may be some literal's
	lists  lists                      // of whole windows
	tails  lists                      // of those of which the last three bytes count
}

// lists are entries by the low bits of a hash of their window.
type lists struct {
	start   []uint32 // of a list in entries; one more than there are lists
	few     uint32   // mask of the low bits
	entries []entry
}

func (l *lists) of(window uint32) []entry {
	h := hashOfList(window) & l.few
	return l.entries[l.start[h]:l.start[h+1]]
}

// tailMask leaves the first byte of a window out.
const tailMask = 0xffffff00

// entry is one window of one literal.
type entry struct {
	bytes, mask uint32
	id          int32
	offset      int32 // of the window in the literal; -1 when it begins a byte before
}

func hash(window uint32) uint32 { return window * 0x9E3779B1 >> (32 - hashBits) }

// hashOfList is another one, so that windows that share a bit by chance mostly find empty
// lists.
func hashOfList(window uint32) uint32 { return window * 0x85EBCA6B >> (32 - listBits) }

// newFilter gives the filter of the literals of those ids, and the ids that it does not take.
func newFilter(literals []Literal, ids []int) (*filter, []int) {
	if len(ids) == 0 {
		return nil, nil
	}
	var crowd []int
	var entries []entry
	load := map[uint32]int{}
	for _, id := range ids {
		pair, ok := choose(literals[id].Text, load)
		if !ok {
			crowd = append(crowd, id)
			continue
		}
		for _, e := range pair {
			e.id = int32(id)
			entries = append(entries, e)
			load[e.bytes]++
		}
	}
	if len(entries) == 0 {
		return nil, crowd
	}
	f := &filter{}
	f.index(entries)
	return f, crowd
}

// choices is how much of a literal is weighed.
const choices = 24

// choose finds the rarest five bytes of a text in a row that few literals have chosen yet,
// and gives the two windows in them. A shorter text has windows that begin a byte before
// it, and end a byte after a text of three.
func choose(text string, load map[uint32]int) (pair [2]entry, ok bool) {
	if len(text) == 3 {
		w := windowOf(text+"\x00") & 0xffffff
		pair[0] = entry{bytes: w, mask: 0xffffff}
		pair[1] = entry{bytes: w << 8, mask: tailMask, offset: -1}
		return pair, load[pair[0].bytes] < crowded && load[pair[1].bytes] < crowded
	}
	if len(text) == 4 {
		w := windowOf(text)
		pair[0] = entry{bytes: w, mask: 0xffffffff}
		pair[1] = entry{bytes: w << 8, mask: tailMask, offset: -1}
		return pair, load[pair[0].bytes] < crowded && load[pair[1].bytes] < crowded
	}
	best := -1.0
	for at := 0; at+5 <= min(len(text), choices); at++ {
		a, b := windowOf(text[at:]), windowOf(text[at+1:])
		n := max(load[a], load[b])
		if n >= crowded {
			continue
		}
		score := rare(text[at:at+4]) + rare(text[at+1:at+5]) - float64(n)/8
		if at == 0 {
			score += 0.5 // comparing goes on from here
		}
		if !ok || score > best {
			best, ok = score, true
			pair[0] = entry{bytes: a, mask: 0xffffffff, offset: int32(at)}
			pair[1] = entry{bytes: b, mask: 0xffffffff, offset: int32(at + 1)}
		}
	}
	return pair, ok
}

func rare(s string) (sum float64) {
	for _, c := range []byte(s) {
		sum += rarity[c|0x20]
	}
	return sum
}

func windowOf(text string) uint32 {
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24 | fold
}

// index fills the bit map and the lists.
func (f *filter) index(entries []entry) {
	var whole, tails []hashed
	for _, e := range entries {
		for _, w := range e.windows() {
			h := hash(w)
			f.bitmap[h>>6] |= 1 << (h & 63)
			if e.mask != tailMask {
				whole = append(whole, hashed{hashOfList(w), e})
			}
		}
		if e.mask == tailMask {
			tails = append(tails, hashed{hashOfList(e.bytes), e})
		}
	}
	f.lists, f.tails = newLists(whole), newLists(tails)
}

type hashed struct {
	hash uint32
	e    entry
}

func newLists(all []hashed) lists {
	l := lists{few: uint32(1)<<min(bits.Len(uint(len(all)))+1, listBits) - 1}
	for i := range all {
		all[i].hash &= l.few
	}
	slices.SortFunc(all, func(a, b hashed) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.e.id, b.e.id), cmp.Compare(a.e.offset, b.e.offset))
	})
	all = slices.Compact(all) // windows of one entry that share a list
	l.start = make([]uint32, l.few+2)
	for _, x := range all {
		l.start[x.hash+1]++
	}
	for i := 1; i < len(l.start); i++ {
		l.start[i] += l.start[i-1]
	}
	l.entries = make([]entry, len(all))
	for i, x := range all {
		l.entries[i] = x.e
	}
	return l
}

// windows are those that the entry stands for.
func (e *entry) windows() []uint32 {
	if e.mask == 0xffffffff {
		return []uint32{e.bytes}
	}
	out := make([]uint32, 0, 128)
	for b := range uint32(256) { // what stands beside three bytes
		if b&0x20 != 0 {
			out = append(out, e.bytes|b<<bits.TrailingZeros32(^e.mask))
		}
	}
	return out
}

// find reports every literal in buf, from the position on.
func (f *filter) find(literals []Literal, buf []byte, from int, hit func(id, start int)) {
	i := from
	for i = f.skip(buf, i); i+16 <= len(buf); i = f.skip(buf, i+2) {
		f.look(literals, buf, i, binary.LittleEndian.Uint32(buf[i:])|fold, hit)
	}
	for ; i+3 <= len(buf); i += 2 {
		var four [4]byte
		copy(four[:], buf[i:])
		f.look(literals, buf, i, binary.LittleEndian.Uint32(four[:])|fold, hit)
	}
}

// skip passes over what is in no literal, two bytes at a time: the position of the next
// window that is in the bit map, or one less than 16 bytes before the end. Nearly all of the
// time is spent here, hence the unrolled loop.
func (f *filter) skip(buf []byte, i int) int {
	bitmap := &f.bitmap
	for ; i+16 <= len(buf); i += 12 {
		b := buf[i : i+16 : i+16]
		u := binary.LittleEndian.Uint64(b) | fold<<32 | fold
		v := binary.LittleEndian.Uint64(b[6:]) | fold<<32 | fold
		if h := hash(uint32(u)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i
		}
		if h := hash(uint32(u >> 16)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i + 2
		}
		if h := hash(uint32(u >> 32)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i + 4
		}
		if h := hash(uint32(v)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i + 6
		}
		if h := hash(uint32(v >> 16)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i + 8
		}
		if h := hash(uint32(v >> 32)); bitmap[h>>6]&(1<<(h&63)) != 0 {
			return i + 10
		}
	}
	return i
}

// look reports the literals that have the window w at a position.
func (f *filter) look(literals []Literal, buf []byte, at int, w uint32, hit func(id, start int)) {
	for _, e := range f.lists.of(w) {
		if (w^e.bytes)&e.mask == 0 {
			e.compare(literals, buf, at, hit)
		}
	}
	for _, e := range f.tails.of(w & tailMask) {
		if (w^e.bytes)&tailMask == 0 {
			e.compare(literals, buf, at, hit)
		}
	}
}

// compare reports the literal of an entry that has its window at a position.
func (e *entry) compare(literals []Literal, buf []byte, at int, hit func(id, start int)) {
	start := at - int(e.offset)
	l := &literals[e.id]
	if start >= 0 && start+len(l.Text) <= len(buf) && l.equal(buf[start:start+len(l.Text)]) {
		hit(int(e.id), start)
	}
}

func (l *Literal) equal(b []byte) bool {
	if !l.Fold {
		return string(b) == l.Text
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != l.Text[i] {
			return false
		}
	}
	return true
}
