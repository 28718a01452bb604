// Package match finds many literals at once in bytes that stream by.
//
// Most bytes of most files are part of no literal, so what matters is to pass them
// quickly. Every second byte a window of four is folded, hashed and looked up in a bit
// map that stays in the second-level cache; of each literal the map knows its rarest five
// bytes in both positions that a step of two can meet them in. What is in the map is
// compared with the few literals that may be meant. Literals too short for that, and
// those of crowds that share the same bytes, go to a dense automaton over byte classes,
// which takes a step a byte whatever the bytes are: no input makes a scan slow.
package match

import "math"

// mostThrees is how many literals of three bytes the filter takes: each costs it 256
// windows, for what stands before and after.
const mostThrees = 32

// Literal is one string to find.
type Literal struct {
	Text string // at least one byte
	Fold bool   // ASCII letters in any case
}

// Set is literals made ready. It is used by any number of goroutines at once.
type Set struct {
	literals []Literal // with Fold: in lower case
	longest  int
	filter   *filter       // nil: none of the literals
	dense    [2]*automaton // of exact and of folded literals; nil: of none
}

// New makes a set. A literal is known by its index. One without text is never found.
func New(literals []Literal) *Set {
	s := &Set{literals: make([]Literal, len(literals))}
	var long, short []int
	threes := 0
	for id, l := range literals {
		if l.Fold {
			l.Text = lower(l.Text)
		}
		s.literals[id] = l
		s.longest = max(s.longest, len(l.Text))
		switch n := len(l.Text); {
		case n > 3 || n == 3 && threes < mostThrees:
			threes += 4 - min(n, 4)
			long = append(long, id)
		case n > 0:
			short = append(short, id)
		}
	}
	var crowd []int
	s.filter, crowd = newFilter(s.literals, long)
	var rest [2][]int
	for _, id := range append(short, crowd...) {
		kind := 0
		if s.literals[id].Fold {
			kind = 1
		}
		rest[kind] = append(rest[kind], id)
	}
	for kind, ids := range rest {
		s.dense[kind] = newAutomaton(s.literals, ids, kind == 1)
	}
	return s
}

// Longest is the length of the longest literal.
func (s *Set) Longest() int { return s.longest }

// Find calls hit for every place of buf where a literal stands that ends after from:
// its index, and where it starts. The order is of no meaning.
func (s *Set) Find(buf []byte, from int, hit func(id, start int)) {
	first := max(0, from-s.longest)
	if s.filter != nil {
		s.filter.find(s.literals, buf, first, func(id, start int) {
			if start+len(s.literals[id].Text) > from {
				hit(id, start)
			}
		})
	}
	for _, a := range s.dense {
		if a == nil {
			continue
		}
		a.run(0, buf[first:], func(id, end int) {
			if end+first > from {
				hit(id, end+first-len(s.literals[id].Text))
			}
		})
	}
}

// Stream finds the literals of a set in a text that comes in pieces. It is used by one
// goroutine.
type Stream struct {
	set   *Set
	tail  []byte // the last bytes before the next piece, fewer than the longest literal
	state [2]int32
	at    int64 // offset of the next piece
}

// NewStream starts a text.
func (s *Set) NewStream() *Stream { return &Stream{set: s} }

// Reset starts another text.
func (m *Stream) Reset() { m.tail, m.state, m.at = m.tail[:0], [2]int32{}, 0 }

// Scan calls hit for every literal that ends in the piece: its index, and the offset of
// its end in the text. The order is of no meaning.
func (m *Stream) Scan(piece []byte, hit func(id int, end int64)) {
	s := m.set
	if s.filter != nil {
		m.scanFiltered(piece, hit)
	}
	for kind, a := range s.dense {
		if a != nil {
			m.state[kind] = a.run(m.state[kind], piece, func(id, end int) { hit(id, m.at+int64(end)) })
		}
	}
	m.at += int64(len(piece))
}

func (m *Stream) scanFiltered(piece []byte, hit func(id int, end int64)) {
	s := m.set
	keep := s.longest - 1
	known := len(m.tail)
	if known > 0 { // what began before the piece
		m.tail = append(m.tail, piece[:min(keep, len(piece))]...)
		s.filter.find(s.literals, m.tail, 0, func(id, start int) {
			end := start + len(s.literals[id].Text)
			if start < known && end > known {
				hit(id, m.at+int64(end-known))
			}
		})
	}
	s.filter.find(s.literals, piece, 0, func(id, start int) {
		hit(id, m.at+int64(start+len(s.literals[id].Text)))
	})
	if len(piece) >= keep {
		m.tail = append(m.tail[:0], piece[len(piece)-keep:]...)
		return
	}
	if known == 0 {
		m.tail = append(m.tail, piece...)
	}
	if n := len(m.tail); n > keep {
		m.tail = append(m.tail[:0], m.tail[n-keep:]...)
	}
}

// lower is strings.ToLower for ASCII letters alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// rarity is how seldom a byte is, folded, in what images hold: the higher the rarer.
var rarity = func() (r [256]float64) {
	for i := range r {
		r[i] = 7
	}
	for c := '!'; c < 0x7f; c++ {
		r[c] = 8.5
	}
	for c := '0'; c <= '9'; c++ {
		r[c] = 6.5
	}
	for i, c := range "etaoinsrhldcumfpgwybvkxjqz" {
		r[c] = 3.2 + float64(i)*0.22 + math.Pow(float64(i)/20, 4)
	}
	r[0], r[' '], r['\n'], r['.'], r['/'], r['-'], r['_'], r['='], r[':'] = 1, 2.5, 5, 5.5, 5.5, 6, 6, 6, 6
	return r
}()
