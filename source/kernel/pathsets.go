package kernel

import (
	"encoding/binary"
	"slices"
	"strings"

	"bulwark"
)

// pathSet is what a condition asks of paths: any of the list, if there is one.
type pathSet struct {
	any     []bulwark.PathMatch
	asGiven bool
	climbs  bool // and the text that was given has "../" in it
}

// pathSets are what all conditions ask of paths; each has a bit, those beyond the sixty-fourth share one.
type pathSets struct {
	begins, ends map[string]uint64 // text: the sets that it is in; a text that is all of a path has a zero at its end
	letters      letters
	everywhere   uint64 // sets that any path may be in
	having       uint64 // sets that a path may be in which has the mark in one of its names
	mark         byte   // 0: there are none
	climbs       uint64 // sets that are met only where the text that was given climbs
	given        uint64 // sets that what was asked for may be in, also where it is known what was opened
	deep         uint64 // those of them that are not told apart by how texts begin
	list         []pathSet
}

const (
	mostPaths   = 8000
	pathBytes   = 64
	suffixBytes = 32
)

// add gives the bit of a set; 0: nothing is asked, or there is no room to ask it.
func (p *pathSets) add(s pathSet) uint64 {
	if len(s.any) == 0 && !s.climbs || len(p.begins)+len(p.ends)+len(s.any) > mostPaths {
		return 0
	}
	for _, m := range s.any {
		if m.Text == "" && m.By != bulwark.PathIs || m.By > bulwark.PathHas {
			return 0
		}
	}
	n := slices.IndexFunc(p.list, func(old pathSet) bool {
		return old.asGiven == s.asGiven && old.climbs == s.climbs && slices.Equal(old.any, s.any)
	})
	if n < 0 {
		n = len(p.list)
		p.list = append(p.list, s)
	}
	bit := set(n)
	if s.climbs && n < mostSets-1 { // the others that share the last bit may not ask for it
		p.climbs |= bit
	}
	if len(s.any) == 0 {
		p.everywhere |= bit
	}
	for _, m := range s.any {
		p.enter(m, bit)
	}
	if s.asGiven {
		p.given |= bit
		if slices.ContainsFunc(s.any, func(m bulwark.PathMatch) bool { return m.By == bulwark.PathEnds || m.By == bulwark.PathHas }) {
			p.deep |= bit
		}
	}
	return bit
}

func (p *pathSets) enter(m bulwark.PathMatch, bit uint64) {
	switch m.By {
	case bulwark.PathIs:
		text := m.Text + "\x00"
		p.begins[text[:min(len(text), pathBytes)]] |= bit
		p.letters.begins(text, sets{Whole: bit})
		p.letters.ends(m.Text, sets{Whole: bit})
	case bulwark.PathBegins:
		p.begins[m.Text[:min(len(m.Text), pathBytes)]] |= bit
		p.letters.begins(m.Text, sets{Part: bit})
	case bulwark.PathEnds:
		b := []byte(m.Text[len(m.Text)-min(len(m.Text), suffixBytes):])
		slices.Reverse(b)
		p.ends[string(b)] |= bit
		p.letters.ends(m.Text, sets{Part: bit})
	case bulwark.PathHas:
		if p.mark == 0 {
			p.mark = rarest(m.Text)
		}
		if p.mark != 0 && strings.IndexByte(m.Text, p.mark) >= 0 {
			p.having |= bit
		} else {
			p.everywhere |= bit
		}
	}
}

// usual are the bytes of paths, those that most paths have first; most have none of the others.
const usual = "/.-eatsrionlcdpmubhgfykvwxzjq0123456789"

// rarest is the byte of a text that the fewest paths have, as far as that can be said; 0: all have all of them.
func rarest(text string) (mark byte) {
	most := 0
	for i := range len(text) {
		at := strings.IndexByte(usual, text[i])
		if at < 0 {
			return text[i]
		}
		if at > most {
			most, mark = at, text[i]
		}
	}
	return mark
}

// sets of paths: those that a text is a part of, and those that it is all of.
type sets struct{ Part, Whole uint64 }

// letters tell paths apart by a few of their bytes, so that the kernel's programs need not look at all of most: by the tables
// of the same names in bpf/paths.h.
type letters struct{ heads, firsts, seconds, tails table }

type table [4096]sets

func (t *table) add(at uint32, in sets) {
	t[at].Part |= in.Part
	t[at].Whole |= in.Whole
}

// begins enters the sets of a text that paths begin with; a path ends where the text has a zero.
func (l *letters) begins(text string, in sets) {
	text = strings.TrimPrefix(text, "/")
	l.heads.two(text, in)
	first, second, _ := strings.Cut(text, "/")
	if len(second) < 2 {
		l.firsts.two(strings.Replace(text, "/", "\x00", 1), in)
		return
	}
	var name [8]byte
	copy(name[:], first)
	start := []byte{second[0], second[1]}
	if start[1] == '/' {
		start[1] = 0
	}
	two := uint64(binary.LittleEndian.Uint16(start))
	l.seconds.add(hash(binary.LittleEndian.Uint64(name[:])^two<<48^two<<13), in)
}

// ends enters those of a text that paths end with.
func (l *letters) ends(text string, in sets) {
	if len(text) < 4 {
		for i := range l.tails {
			l.tails.add(uint32(i), in)
		}
		return
	}
	l.tails.add(hash(uint64(binary.LittleEndian.Uint32([]byte(text[len(text)-4:])))), in)
}

// two enters by 6 bits of each of the first two bytes; where there are fewer, whatever may follow.
func (t *table) two(text string, in sets) {
	for i := range uint32(len(t)) {
		if len(text) > 0 && uint32(text[0]&63) != i&63 || len(text) > 1 && uint32(text[1]&63) != i>>6 {
			continue
		}
		t.add(i, in)
	}
}

// hash is by_hash of bpf/paths.h.
func hash(x uint64) uint32 { return uint32(x * 0x9e3779b97f4a7c15 >> 52) }

type pathKey struct {
	Bits uint32
	Text [pathBytes]byte
}

func keyOf(text string) (k pathKey) {
	k.Bits = uint32(8 * copy(k.Text[:], text))
	return k
}
