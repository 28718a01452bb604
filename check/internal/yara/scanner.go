package yara

import (
	"cmp"
	"fmt"
	"slices"

	"bulwark/check/internal/yara/pattern"
)

const (
	// WholeFile is the size up to which files are kept for functions of the whole file.
	WholeFile = 64 << 20
	// headSize is what is kept of any other file.
	headSize = 64 << 10
	// maxKept is the largest buffer that is kept for the next file.
	maxKept = 8 << 20
	// batch is how many bytes are gathered before they are searched.
	batch = 256 << 10

	maxMatches = 100_000   // of one string in one file
	allMatches = 2_000_000 // in one file, of which some may be the same
	fewMatches = 16        // of a string of which only matters that it is there
	maxSteps   = 20_000_000
	// What verifying may cost in one file: minWork, and more for each byte, of which the
	// first denseBytes count full. A unit is some 5 ns.
	minWork     = 64 << 20
	workPerByte = 64
	denseBytes  = 16 << 20
	workBeyond  = 8
	maxNotes    = 20
)

// Match is one place of a string.
type Match struct {
	Offset int64
	Length int32
}

// File is what conditions know about the file.
type File struct {
	Path string
	Size int64 // a hint, to choose the buffer
}

// Found is a rule that matched.
type Found struct {
	Rule    *Rule
	Strings []FoundString
}

// FoundString is a string that was found; strings that are not told of (private ones) are
// left out.
type FoundString struct {
	ID      string
	Matches []Match // by offset
	// Excerpt is the begin of the first match.
	Excerpt []byte
}

// Scanner takes one file after the other, in pieces. It is used by one goroutine.
type Scanner struct {
	rules *Rules
	// Every keeps all matches of all strings, also where a few tell enough.
	Every bool

	file    File
	data    pattern.Data
	head    []byte
	whole   bool // data holds the whole file so far
	scanned int  // of data
	size    int64
	run     pattern.Runner

	hits    []hits // by string
	touched []int32
	total   int
	matched []bool // by rule
	guards  []guarded
	files   uint64 // so far
	notes   []string
	eval    evaluator
}

// hits is what was found of a string.
type hits struct {
	parts   [][]Match
	matches []Match
	excerpt []byte
	full    bool // there were more than are kept
	touched bool
}

// excerptSize is how much of a match is kept to be shown.
const excerptSize = 32

// NewScanner makes a scanner.
func (r *Rules) NewScanner() *Scanner {
	return &Scanner{rules: r, hits: make([]hits, len(r.strings)), matched: make([]bool, len(r.rules)), guards: make([]guarded, len(r.rules))}
}

// Reset begins a file.
func (s *Scanner) Reset(f File) {
	s.file, s.size, s.scanned, s.total = f, 0, 0, 0
	s.files++
	s.data = pattern.Data{Bytes: s.data.Bytes[:0]}
	s.head, s.notes = s.head[:0], nil
	s.whole = s.rules.whole && f.Size <= WholeFile
	if s.whole && int64(cap(s.data.Bytes)) < f.Size && f.Size > batch {
		s.data.Bytes = make([]byte, 0, f.Size)
	}
	s.run.Work = minWork
	for _, i := range s.touched {
		h := &s.hits[i]
		for j := range h.parts {
			h.parts[j] = h.parts[j][:0]
		}
		*h = hits{parts: h.parts, matches: h.matches[:0], excerpt: h.excerpt[:0]}
		if cap(h.matches) > 4096 {
			h.matches, h.parts = nil, nil
		}
	}
	s.touched = s.touched[:0]
}

// Write takes the next piece. It never fails.
func (s *Scanner) Write(piece []byte) (int, error) {
	n := len(piece)
	s.size += int64(n)
	if s.size <= denseBytes {
		s.run.Work += int64(n) * workPerByte
	} else {
		s.run.Work += int64(n) * workBeyond
	}
	if len(s.head) < headSize {
		s.head = append(s.head, piece[:min(n, headSize-len(s.head))]...)
	}
	if s.whole && s.size > WholeFile {
		s.whole = false // it is larger than it said
		s.slide()
	}
	for len(piece) > 0 {
		take := min(len(piece), batch)
		s.data.Bytes = append(s.data.Bytes, piece[:take]...)
		piece = piece[take:]
		if len(s.data.Bytes)-s.scanned >= batch+s.rules.finder.front {
			s.search()
		}
	}
	return n, nil
}

// search looks at what was gathered, and drops what is not needed any more.
func (s *Scanner) search() {
	f := &s.rules.finder
	to := len(s.data.Bytes)
	if !s.data.Last {
		to -= f.front
	}
	if to <= s.scanned && !s.data.Last {
		return
	}
	if f.set != nil {
		f.set.Find(s.data.Bytes[:to], s.scanned, func(id, start int) {
			for i := range f.byAtom[id] {
				s.verify(&f.byAtom[id][i], start)
			}
		})
	}
	for i := range f.slow {
		a := &f.slow[i]
		if s.shut(s.rules.strings[a.text].rule) {
			continue
		}
		for at := s.scanned; at < to; at++ {
			if a.pattern.First.Has(s.data.Bytes[at]) {
				s.run.Work--
				s.verify(a, at)
			}
		}
	}
	s.scanned = to
	if !s.whole {
		s.slide()
	}
}

// slide drops what lies too far back.
func (s *Scanner) slide() {
	cut := s.scanned - s.rules.finder.back - 2
	if cut < batch/2 {
		return
	}
	n := copy(s.data.Bytes, s.data.Bytes[cut:])
	s.data.Bytes = s.data.Bytes[:n]
	s.data.Base += int64(cut)
	s.scanned -= cut
}

// verify looks whether a pattern matches around an atom.
func (s *Scanner) verify(a *anchor, at int) {
	h := &s.hits[a.text]
	t := s.rules.strings[a.text]
	if s.shut(t.rule) {
		return
	}
	if h.full || len(h.matches) >= fewMatches && !t.every && !s.Every || s.run.Work < 0 && !a.pattern.Plain() {
		return
	}
	a.pattern.Match(&s.run, s.data, a.atom, at, func(start, end int) {
		if t.pinned && t.pin != s.data.Base+int64(start) || t.fullword && !s.word(a.pattern.Wide, start, end) {
			return
		}
		s.add(a, t, h, start, end)
	})
}

// word tells whether what stands around a match is no part of the same word.
func (s *Scanner) word(wide bool, start, end int) bool {
	b := s.data.Bytes
	if wide {
		return !(start >= 2 && b[start-1] == 0 && alnum(b[start-2])) && !(end+1 < len(b) && b[end+1] == 0 && alnum(b[end]))
	}
	return !(start >= 1 && alnum(b[start-1])) && !(end < len(b) && alnum(b[end]))
}

func alnum(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' }

// add keeps a match of a part.
func (s *Scanner) add(a *anchor, t *text, h *hits, start, end int) {
	if !h.touched {
		h.touched = true
		s.touched = append(s.touched, a.text)
	}
	list := &h.matches
	if len(t.parts) > 1 {
		if h.parts == nil {
			h.parts = make([][]Match, len(t.parts))
		}
		list = &h.parts[a.part]
	}
	m := Match{s.data.Base + int64(start), int32(end - start)}
	if n := len(*list); n > 0 && (*list)[n-1] == m {
		return
	}
	if !s.room(t, h, list) {
		return
	}
	s.total++
	if a.part == 0 && len(*list) == 0 {
		h.excerpt = append(h.excerpt[:0], s.data.Bytes[start:min(end, start+excerptSize)]...)
	}
	*list = append(*list, m)
}

// room tells whether one more match can be kept. A place may have been found several
// times, by several atoms: that is tidied up first.
func (s *Scanner) room(t *text, h *hits, list *[]Match) bool {
	if len(*list) < 2*maxMatches && s.total < allMatches {
		return true
	}
	before := len(*list)
	*list = tidy(*list, t.greedy)
	s.total -= before - len(*list)
	if len(*list) < maxMatches && s.total < allMatches*3/4 {
		return true
	}
	h.full = true
	s.note(fmt.Sprintf("string %s of rule %s was found more than %d times; the rest is not counted", t.id, t.rule.Name, len(*list)))
	return false
}

func (s *Scanner) note(text string) {
	if len(s.notes) < maxNotes && !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// Finish ends the file: the rules that match, in their order, and what could not be
// judged.
func (s *Scanner) Finish() (found []Found, notes []string) {
	s.data.Last = true
	s.search()
	if s.run.Work < 0 {
		s.note("the expressions of the rules take too long on this file; it was not searched to its end")
	}
	for _, i := range s.touched {
		s.hits[i].settle(s.rules.strings[i])
	}
	found = s.judge()
	if cap(s.data.Bytes) > maxKept {
		s.data.Bytes = nil
	}
	return found, s.notes
}

// settle joins parts, sorts matches by offset and keeps one at each.
func (h *hits) settle(t *text) {
	if len(t.parts) > 1 {
		h.join(t)
	} else {
		h.matches = tidy(h.matches, t.greedy)
	}
}

func tidy(list []Match, greedy bool) []Match {
	slices.SortFunc(list, func(a, b Match) int {
		if c := cmp.Compare(a.Offset, b.Offset); c != 0 {
			return c
		}
		if greedy {
			return cmp.Compare(b.Length, a.Length)
		}
		return cmp.Compare(a.Length, b.Length)
	})
	return slices.CompactFunc(list, func(a, b Match) bool { return a.Offset == b.Offset })
}

// join keeps of each part what the next part follows, and gives the first part the length
// up to the end of the nearest last.
func (h *hits) join(t *text) {
	last := len(t.parts) - 1
	good := tidy(h.parts[last], false)
	for i := last - 1; i >= 0; i-- {
		gap := &t.parts[i+1]
		var keep []Match
		for _, m := range tidy(h.parts[i], false) {
			end := m.Offset + int64(m.Length)
			k, _ := slices.BinarySearchFunc(good, end+gap.lo, func(g Match, off int64) int { return cmp.Compare(g.Offset, off) })
			if k == len(good) || gap.hi >= 0 && good[k].Offset > end+gap.hi {
				continue
			}
			keep = append(keep, Match{m.Offset, int32(min(good[k].Offset+int64(good[k].Length)-m.Offset, 1<<31-1))})
		}
		good = keep
	}
	h.matches = append(h.matches[:0], good...)
	if len(good) > 0 && good[0].Offset != h.parts[0][0].Offset {
		h.excerpt = h.excerpt[:0]
	}
}

// judge evaluates the conditions that can hold.
func (s *Scanner) judge() []Found {
	var todo []*Rule
	todo = append(todo, s.rules.always...)
	for _, i := range s.touched {
		if r := s.rules.strings[i].rule; r.idle && len(s.hits[i].matches) > 0 {
			todo = append(todo, r)
		}
	}
	slices.SortFunc(todo, func(a, b *Rule) int { return cmp.Compare(a.index, b.index) })
	todo = slices.Compact(todo)
	clear(s.matched)
	s.eval.begin(s)
	bad := map[int]bool{}
	for _, r := range todo {
		ok := s.eval.judge(r)
		s.matched[r.index] = ok
		if r.Global && !ok {
			bad[r.space] = true
		}
	}
	var found []Found
	for _, r := range todo {
		if s.matched[r.index] && !r.Private && !bad[r.space] {
			found = append(found, s.found(r))
		}
	}
	return found
}

func (s *Scanner) found(r *Rule) Found {
	f := Found{Rule: r}
	for _, i := range r.strings {
		h, t := &s.hits[i], s.rules.strings[i]
		if len(h.matches) == 0 || t.private {
			continue
		}
		f.Strings = append(f.Strings, FoundString{t.id, slices.Clone(h.matches), slices.Clone(h.excerpt)})
	}
	return f
}
