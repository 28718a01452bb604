package secret

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"bulwark"
	"bulwark/check/secret/internal/archive"
)

// bufferSize is how much of a file is held at once, beside what windows reach over.
const bufferSize = 128 << 10

// sink looks at one file. Its memory does not depend on the file's size.
type sink struct {
	free    *sync.Pool
	size    int64
	scan    scan
	head    []byte // until it tells whether the file is an archive
	sniffed bool
	archive *unpacker // nil: the file is none
}

func (s *sink) begin(e *engine, path string, size int64) {
	s.archive, s.size, s.head, s.sniffed = nil, size, s.head[:0], false
	s.scan.begin(e, path, size)
}

// Write takes the next piece.
func (s *sink) Write(piece []byte) (int, error) {
	n := len(piece)
	if !s.sniffed {
		if len(s.head)+n < archive.Head {
			s.head = append(s.head, piece...)
			return n, nil
		}
		if len(s.head) > 0 {
			more := archive.Head - len(s.head)
			s.head = append(s.head, piece[:more]...)
			piece = piece[more:]
			s.first(s.head)
		} else {
			s.sniff(piece)
		}
	}
	s.next(piece)
	return n, nil
}

func (s *sink) first(piece []byte) {
	s.sniff(piece)
	s.next(piece)
}

func (s *sink) sniff(head []byte) {
	s.sniffed = true
	if kind := archive.Sniff(head); kind != archive.None {
		s.archive = newUnpacker(kind, s.scan.engine, s.scan.path, s.size)
	}
}

// next searches a piece: a tar as what it holds, other archives also as they are.
func (s *sink) next(piece []byte) {
	if s.archive != nil {
		s.archive.write(piece)
	}
	if s.archive == nil || !s.archive.job.tar {
		s.scan.write(piece)
	}
}

// Close gives what was found. The sink may serve another file then.
func (s *sink) Close() (bulwark.Facts, error) {
	if !s.sniffed {
		s.first(s.head)
	}
	var more bulwark.Facts
	var unseen error
	if s.archive != nil {
		more, unseen = s.archive.close()
		s.scan.known = s.archive.job.seen
	}
	facts, err := s.scan.close()
	facts.Findings = append(facts.Findings, more.Findings...)
	facts.Documents = append(facts.Documents, more.Documents...)
	s.archive = nil
	s.free.Put(s)
	return facts, inOne(err, unseen)
}

// scan is the search of one text.
type scan struct {
	engine *engine
	path   string
	inner  bool // a file in an archive
	rest   bool // what is left of an archive, whose path has been judged
	place  place
	// program: of Go, so that its strings may stand right after each other.
	program bool

	buf     []byte
	at      int64 // offset of buf in the text
	done    int   // what of buf has been searched
	lines   int   // line feeds before buf
	scratch []byte

	documents []bulwark.Document // keys and certificates
	known     map[seen]bool      // values that are told of already
	tell      map[seen]bool      // where values that are found are kept; nil: nowhere

	found   []candidate
	byRule  map[string]int
	onPath  map[*matcher]bool // of rules for some paths, those asked about
	granted int64             // bytes that expressions may be tried on, no rule's on more than half of them
	allowed int64             // what is left of them
	spent   []int64           // of them by each rule
	dropped int               // candidates that were not looked at
}

// A file gives this many findings at most of one rule and in all, and what expressions are
// tried on is in proportion to what was read: no content makes a scan slow.
const (
	mostOfRule = 200
	mostOfFile = 2000
	patience   = 16 << 20
)

func (s *scan) begin(e *engine, path string, size int64) {
	s.engine, s.path, s.place = e, path, placeOf(path, size)
	s.buf, s.at, s.done, s.lines = s.buf[:0], 0, 0, 0
	s.found, s.byRule, s.onPath, s.dropped = s.found[:0], nil, nil, 0
	s.granted, s.allowed, s.documents = patience, patience, nil
	s.inner, s.rest, s.known, s.tell = false, false, nil, nil
	if clear(s.spent); len(s.spent) != e.matchers {
		s.spent = make([]int64, e.matchers)
	}
}

func (s *scan) write(piece []byte) {
	if s.at == 0 && len(s.buf) == 0 {
		s.program = isGo(piece)
	}
	s.granted += int64(len(piece)) / 8
	s.allowed += int64(len(piece)) / 8
	reach := s.engine.before + s.engine.after
	if cap(s.buf) < bufferSize+reach {
		old := s.buf
		s.buf = make([]byte, len(old), bufferSize+reach)
		copy(s.buf, old)
	}
	for len(piece) > 0 {
		n := min(len(piece), cap(s.buf)-len(s.buf))
		s.buf = append(s.buf, piece[:n]...)
		piece = piece[n:]
		if len(s.buf) == cap(s.buf) {
			s.search(len(s.buf) - s.engine.after)
			s.slide()
		}
	}
}

// isGo tells programs of Go by what stands near their start. Theirs are the strings that
// stand right after each other; other compilers end them with a zero.
func isGo(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x7fELF")) &&
		(bytes.Contains(b[:min(len(b), 8<<10)], []byte("Go\x00\x00")) || bytes.Contains(b, []byte("Go build ID: \"")))
}

// random tells whether a value that nothing separates from its neighbours can be no name.
func random(value []byte) bool {
	digits, changes := 0, 0
	for i, c := range value {
		if classOf(c) == '0' {
			digits++
		}
		if i > 0 && classOf(c) != classOf(value[i-1]) {
			changes++
		}
	}
	return digits >= 2 && changes*6 >= len(value) || changes*2 >= len(value) ||
		len(value) >= 20 && bytes.Equal(value, bytes.ToUpper(value)) // the id of an AWS key
}

// slide forgets what no window reaches back to.
func (s *scan) slide() {
	gone := max(0, s.done-s.engine.before)
	s.lines += bytes.Count(s.buf[:gone], []byte{'\n'})
	s.buf = s.buf[:copy(s.buf, s.buf[gone:])]
	s.at += int64(gone)
	s.done -= gone
}

// search looks at every anchor that starts before the end given.
func (s *scan) search(end int) {
	s.searchFor(&s.engine.common, end)
	if s.place.settings {
		s.searchFor(&s.engine.settings, end)
	}
	s.done = end
}

func (s *scan) searchFor(x *index, end int) {
	x.set.Find(s.buf[:min(len(s.buf), end+x.set.Longest())], s.done, func(id, start int) {
		if start < s.done || start >= end {
			return
		}
		for i := range x.uses[id] {
			s.try(&x.uses[id][i], start)
		}
	})
}

// try looks for a rule's secret around an anchor.
func (s *scan) try(u *use, start int) {
	m := u.m
	if m.Path != "" && !s.isOnPath(m) || m.Generic && s.place.doubts(m.Rule, nil) == unbelievable {
		return
	}
	m.prepare()
	if s.allowed < 0 || s.spent[m.index] > s.granted/2 || s.byRule[m.ID] >= mostOfRule || len(s.found) >= mostOfFile {
		enough := m.Least > 0 && s.byRule[m.ID] >= mostOfRule // all are one finding
		if m.Rule != certificates && !enough {                // those only tell what a key is of
			s.dropped++
		}
		return
	}
	before := s.allowed
	s.tryOn(u, start)
	s.spent[m.index] += before - s.allowed
}

func (s *scan) tryOn(u *use, start int) {
	m := u.m
	if u.form == plain && m.lead != nil {
		s.lead(u, start)
		return
	}
	if u.form == plain && m.whole != nil {
		s.named(u, start)
		return
	}
	text, at := u.window(s.buf, start, s.scratch)
	if u.form != plain && text != nil {
		s.scratch = text[:0]
	}
	if at < 0 {
		s.allowed -= 64
		return
	}
	s.match(u, text, at, start)
}

// isOnPath asks once a file whether a rule is for it.
func (s *scan) isOnPath(m *matcher) bool {
	on, known := s.onPath[m]
	if !known {
		if s.onPath == nil {
			s.onPath = map[*matcher]bool{}
		}
		on = m.OnPath(s.path)
		s.onPath[m] = on
	}
	return on
}

// lead tries a pattern that begins with the anchor.
func (s *scan) lead(u *use, start int) {
	_, after := u.m.Span()
	text := u.m.cut(s.buf[start:min(len(s.buf), start+after)])
	re := u.m.lead
	if s.program && u.m.packed != nil {
		re = u.m.packed
	} else if u.m.word && start > 0 && isWord(s.buf[start-1]) && isWord(text[0]) && !escapedBefore(s.buf[:start]) {
		return
	}
	s.allowed -= 64
	if !u.m.need.met(text) {
		if hasEscape(text[:min(len(text), len(u.text)+160)]) {
			s.leadEscaped(u, text, start)
		}
		return
	}
	if u.m.most < 0 || u.m.weight > 8 { // others end after a few bytes
		s.allowed -= int64(len(text)) * u.m.weight
	}
	if loc := re.FindSubmatchIndex(text); loc != nil {
		s.allowed -= int64(loc[1])
		s.candidate(u, text, loc, int64(start))
		return
	}
	if hasEscape(text[:min(len(text), len(u.text)+160)]) {
		s.leadEscaped(u, text, start)
	}
}

func (s *scan) leadEscaped(u *use, text []byte, start int) {
	for _, f := range []form{jsonEscaped, urlEscaped} {
		s.scratch = unescape(s.scratch[:0], text, f)
		if len(s.scratch) == len(text) || !u.m.need.met(s.scratch) {
			continue
		}
		s.allowed -= int64(len(text)) * u.m.weight
		if loc := u.m.lead.FindSubmatchIndex(s.scratch); loc != nil {
			s.candidate(&use{u.m, f, u.text}, s.scratch, loc, int64(start))
			return
		}
	}
}

// named tries a pattern from the start of the name that the anchor is in; a generic one to
// the end of its line.
func (s *scan) named(u *use, start int) {
	m := u.m
	_, after := m.Span()
	from := start
	for from > 0 && from > start-m.run && m.class[s.buf[from-1]] {
		from--
	}
	text := m.cut(s.buf[from:min(len(s.buf), start+after)])
	s.allowed -= 64
	if m.Generic {
		if rest := start - from + len(u.text); rest > len(text) || !bytes.ContainsAny(text[rest:], ":=>,") {
			return
		}
	}
	if !m.need.met(text) {
		return
	}
	s.allowed -= int64(len(text)) * m.weight
	re := m.whole
	if s.program && m.packed != nil {
		re = m.packed
	}
	if loc := re.FindSubmatchIndex(text); loc != nil {
		s.candidate(u, text, loc, int64(from))
	}
}

// escapedBefore: the letter before is part of an escape: "\nghp_", "%3Dghp_".
func escapedBefore(b []byte) bool {
	n := len(b)
	return n >= 2 && b[n-2] == '\\' && bytes.IndexByte([]byte("nrtbf"), b[n-1]) >= 0 ||
		n >= 3 && b[n-3] == '%' && hexOf(b[n-2:]) >= 0 ||
		n >= 6 && b[n-6] == '\\' && b[n-5] == 'u'
}

func hasEscape(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 || bytes.IndexByte(b, '%') >= 0 }

// match tries a pattern anywhere in a window.
func (s *scan) match(u *use, text []byte, at, start int) {
	re := u.m.Regexp()
	if s.program && u.m.packed != nil && u.m.lead == nil && u.m.whole == nil {
		re = u.m.packed
	}
	if re == nil {
		return
	}
	found := false
	if !u.m.some.met(text) {
		s.allowed -= int64(len(text)) / 16
		if u.form == plain && hasEscape(text) {
			s.unescaped(u, text, start-at)
		}
		return
	}
	for from := 0; from < len(text); {
		s.allowed -= int64(len(text)-from) * u.m.weight
		if s.allowed < 0 {
			s.dropped++
			return
		}
		loc := re.FindSubmatchIndex(text[from:])
		if loc == nil {
			break
		}
		for i := range loc {
			if loc[i] >= 0 {
				loc[i] += from
			}
		}
		found = true
		s.candidate(u, text, loc, int64(start-at))
		from = max(loc[1], from+1)
	}
	if !found && u.form == plain && hasEscape(text) {
		s.unescaped(u, text, start-at)
	}
}

// unescaped tries the pattern on the window without its escapes.
func (s *scan) unescaped(u *use, text []byte, start int) {
	for _, f := range []form{jsonEscaped, urlEscaped} {
		s.scratch = unescape(s.scratch[:0], text, f)
		if len(s.scratch) == len(text) || !u.m.some.met(s.scratch) {
			continue
		}
		s.allowed -= int64(len(text)) * u.m.weight
		if loc := u.m.Regexp().FindSubmatchIndex(s.scratch); loc != nil {
			s.candidate(&use{u.m, f, u.text}, s.scratch, loc, int64(start))
			return
		}
	}
}

// close searches what is left and judges what was found.
func (s *scan) close() (bulwark.Facts, error) {
	s.search(len(s.buf))
	var facts bulwark.Facts
	lower := strings.ToLower(s.path)
	for _, r := range s.engine.paths {
		if !s.rest && r.OnPathOf(s.path, lower) && r.Compile() == nil && !r.Allowed(s.path, nil, nil, nil) {
			facts.Findings = append(facts.Findings, s.pathFinding(r))
		}
	}
	facts.Findings = append(facts.Findings, s.findings()...)
	facts.Documents = s.documents
	for i := range s.found {
		s.found[i] = candidate{}
	}
	if s.dropped > 0 {
		return facts, fmt.Errorf("%d places that may hold secrets were not looked at, after %d that do: %w", s.dropped, len(s.found), bulwark.ErrLimit)
	}
	return facts, nil
}
