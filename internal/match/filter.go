package match

import (
	"encoding/binary"
	"math/bits"
)

// A window is four bytes as a little-endian number, every byte with the bit set that
// tells upper from lower case.
const fold = 0x20202020

// crowded is how many literals may share a window before the next goes to the automaton.
const crowded = 24

// The bit map has 2^18 bits: 32 KB.
const (
	hashBits   = 18
	hashShift  = 32 - hashBits
	bitmapSize = 1 << hashBits / 64
)

// filter finds literals of three bytes and more.
type filter struct {
	bitmap [bitmapSize]uint64 // of hashed windows
	lists  []uint32           // by the low bits of the hash: where its entries start; one more than there are lists
	few    uint32             // mask of those low bits
	window []entry
}

// entry is one window of one literal.
type entry struct {
	bytes, mask uint32
	id          int32
	offset      int32 // of the window in the literal; -1 when it begins a byte before
}

func hash(window uint32) uint32 { return window * 0x9E3779B1 >> hashShift }

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

// choose finds the rarest five bytes of a text in a row that few literals have chosen yet,
// and gives the two windows in them. A shorter text has windows that begin a byte before
// it, and end a byte after a text of three.
func choose(text string, load map[uint32]int) (pair [2]entry, ok bool) {
	if len(text) == 3 {
		w := windowOf(text+"\x00") & 0xffffff
		pair[0] = entry{bytes: w, mask: 0xffffff}
		pair[1] = entry{bytes: w << 8, mask: 0xffffff00, offset: -1}
		return pair, load[pair[0].bytes] < crowded && load[pair[1].bytes] < crowded
	}
	if len(text) == 4 {
		w := windowOf(text)
		pair[0] = entry{bytes: w, mask: 0xffffffff}
		pair[1] = entry{bytes: w << 8, mask: 0xffffff00, offset: -1}
		return pair, load[pair[0].bytes] < crowded && load[pair[1].bytes] < crowded
	}
	best := -1.0
	for at := 0; at+5 <= len(text); at++ {
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
	type place struct {
		list uint32
		e    entry
	}
	f.few = uint32(1)<<min(bits.Len(uint(len(entries)))+2, 16) - 1
	var places []place
	for _, e := range entries {
		seen := map[uint32]bool{}
		for _, w := range e.windows() {
			h := hash(w)
			f.bitmap[h>>6] |= 1 << (h & 63)
			if list := h & f.few; !seen[list] {
				seen[list] = true
				places = append(places, place{list, e})
			}
		}
	}
	f.lists = make([]uint32, f.few+2)
	for _, p := range places {
		f.lists[p.list+1]++
	}
	for i := 1; i < len(f.lists); i++ {
		f.lists[i] += f.lists[i-1]
	}
	f.window = make([]entry, len(places))
	next := append([]uint32(nil), f.lists...)
	for _, p := range places {
		f.window[next[p.list]] = p.e
		next[p.list]++
	}
}

// windows are those that the entry stands for.
func (e *entry) windows() []uint32 {
	if e.mask == 0xffffffff {
		return []uint32{e.bytes}
	}
	out := make([]uint32, 0, 128)
	at := bits.TrailingZeros32(^e.mask) // the byte that may be any
	for b := range uint32(256) {
		if b&0x20 != 0 {
			out = append(out, e.bytes|b<<at)
		}
	}
	return out
}

// find reports every literal in buf, from the position on.
func (f *filter) find(literals []Literal, buf []byte, from int, hit func(id, start int)) {
	bitmap := &f.bitmap
	i := from
	for ; i+16 <= len(buf); i += 12 {
		b := buf[i : i+16 : i+16]
		u := binary.LittleEndian.Uint64(b) | fold<<32 | fold
		v := binary.LittleEndian.Uint64(b[6:]) | fold<<32 | fold
		h0, h1, h2 := hash(uint32(u)), hash(uint32(u>>16)), hash(uint32(u>>32))
		h3, h4, h5 := hash(uint32(v)), hash(uint32(v>>16)), hash(uint32(v>>32))
		r := bitmap[h0>>6]>>(h0&63) | bitmap[h1>>6]>>(h1&63) | bitmap[h2>>6]>>(h2&63) |
			bitmap[h3>>6]>>(h3&63) | bitmap[h4>>6]>>(h4&63) | bitmap[h5>>6]>>(h5&63)
		if r&1 == 0 {
			continue
		}
		for k, h := range [...]uint32{h0, h1, h2, h3, h4, h5} {
			if bitmap[h>>6]>>(h&63)&1 != 0 {
				w := binary.LittleEndian.Uint32(b[2*k:]) | fold
				f.look(literals, buf, i+2*k, w, h, hit)
			}
		}
	}
	for ; i+3 <= len(buf); i += 2 {
		var four [4]byte
		copy(four[:], buf[i:])
		w := binary.LittleEndian.Uint32(four[:]) | fold
		if h := hash(w); bitmap[h>>6]>>(h&63)&1 != 0 {
			f.look(literals, buf, i, w, h, hit)
		}
	}
}

// look reports the literals that have the window w, of hash h, at a position.
func (f *filter) look(literals []Literal, buf []byte, at int, w, h uint32, hit func(id, start int)) {
	list := h & f.few
	for _, e := range f.window[f.lists[list]:f.lists[list+1]] {
		if (w^e.bytes)&e.mask != 0 {
			continue
		}
		start := at - int(e.offset)
		l := &literals[e.id]
		if start >= 0 && start+len(l.Text) <= len(buf) && l.equal(buf[start:start+len(l.Text)]) {
			hit(int(e.id), start)
		}
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
