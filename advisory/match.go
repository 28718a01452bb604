package advisory

import (
	"bytes"
	"strings"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/version"
)

// maxQuery bounds names and versions that targets bring, in bytes.
const maxQuery = 4 << 10

// Match appends to dst the live records that affect what q asks for, by OSV's
// evaluation algorithm (https://ossf.github.io/osv-schema/#evaluation): the version lies
// in a range or is enumerated. An ecosystem means exactly itself: "Debian" matches nothing
// of "Debian:12". An empty version matches nothing; one that the ecosystem's order cannot
// place matches only where it is enumerated. The error wraps [bulwark.ErrUntrusted]:
// the database is damaged.
func (db *DB) Match(dst []Hit, q Query) ([]Hit, error) {
	if q.Version == "" || q.Name == "" || len(q.Version) > maxQuery || len(q.Name) > maxQuery {
		return dst, nil
	}
	var buf [4]*ecosystem
	list := db.modulesOf(db.ecosystemsOf(buf[:0], q.Ecosystem), q.Ecosystem)
	first := len(dst)
	for n, e := range list {
		m := matcher{db: db, eco: e, version: normalVersion(e.name, q.Name, q.Version), raw: q.Version, first: first, several: n > 0}
		var err error
		if dst, err = m.match(dst, normalName(e.name, q.Name)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// matcher answers one query in one ecosystem.
type matcher struct {
	db           *DB
	eco          *ecosystem
	version, raw string
	first        int      // of the hits of this query
	several      bool     // an ecosystem before this one may have given the same record
	ranks        []string // copies of the group's ranks, made when one is needed
	last         uint32   // record of the last hit plus one
}

func (m *matcher) match(dst []Hit, name string) ([]Hit, error) {
	i, err := m.eco.find(m.db, name)
	if err != nil {
		return dst, err
	}
	for ; i < m.eco.n; i++ { // a group for each order
		g, err := m.eco.group(m.db, i)
		if err != nil {
			return dst, err
		}
		if g.name != name {
			break
		}
		if dst, err = m.group(dst, &g); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (m *matcher) group(dst []Hit, g *group) ([]Hit, error) {
	pos := g.position(m.version)
	m.ranks = nil
	d := file.Decoder{B: g.rest}
	var buf [8]interval
	e := entry{spans: buf[:0]}
	for range g.entries {
		if !e.next(&d) {
			return dst, m.db.r.Damaged()
		}
		if !inside(e.spans, pos) && !m.enumerated(g.order, e.enumerated) {
			continue
		}
		h, err := m.db.hot(e.record)
		if err != nil {
			return dst, err
		}
		if h.withdrawn {
			continue
		}
		dst = m.add(dst, h, &e, m.fixes(g, &e, pos))
	}
	return dst, nil
}

// enumerated looks for the version in a list: as text, or as the same Python version.
func (m *matcher) enumerated(o *version.Order, list []byte) bool {
	if list == nil {
		return false
	}
	d := file.Decoder{B: list}
	for range d.Count() {
		v := d.String()
		if v == m.version || v == m.raw ||
			o == version.PEP440 && o.Valid(v) && o.Valid(m.version) && o.Compare(v, m.version) == 0 {
			return true
		}
	}
	return false
}

// fixes lists what closes the interval that holds pos, then what closes those above.
func (m *matcher) fixes(g *group, e *entry, pos int) []string {
	if e.head&headLimited != 0 {
		return nil
	}
	var out []string
	for _, s := range e.spans {
		if s.hi <= pos || s.hi == forever || s.hi%2 == 0 || s.hi/2 >= g.ranks { // an even end is a last_affected
			continue
		}
		if m.ranks == nil {
			m.ranks = g.copyRanks()
		}
		i := s.hi / 2
		if out == nil {
			out = m.ranks[i : i+1 : i+1] // most have one, and share it
			continue
		}
		out = append(out, m.ranks[i])
	}
	return out
}

// copyRanks copies all ranks, in one piece.
func (g *group) copyRanks() []string {
	own := *g
	own.text = bytes.Clone(g.text)
	out := make([]string, g.ranks)
	for i := range out {
		out[i] = own.rank(i)
	}
	return out
}

// add appends a hit, or joins it to the one that the same record already gave.
func (m *matcher) add(dst []Hit, h *packed, e *entry, fixed []string) []Hit {
	if old := m.earlier(dst, h, e.record); old != nil {
		old.join(fixed, e.extras)
		return dst
	}
	m.last = e.record + 1
	dst = append(dst, Hit{})
	hit := &dst[len(dst)-1]
	h.hit(hit)
	hit.Ecosystem, hit.Fixed = m.eco.name, fixed
	if e.extras == nil {
		return dst
	}
	x := decodeExtras(bytes.Clone(e.extras))
	if x.severity != bulwark.SeverityUnknown {
		hit.Severity = x.severity
	}
	if len(x.cvss) > 0 {
		hit.CVSS = x.cvss
	}
	hit.Imports = x.imports
	return dst
}

// earlier finds the hit that the same record already gave to this query.
func (m *matcher) earlier(dst []Hit, h *packed, record uint32) *Hit {
	if m.last == record+1 {
		return &dst[len(dst)-1]
	}
	if m.several {
		for i := m.first; i < len(dst); i++ {
			if dst[i].ID == h.id {
				return &dst[i]
			}
		}
	}
	return nil
}

// join adds what a second entry of the same record says. One that names no imports
// means the whole module.
func (h *Hit) join(fixed []string, more []byte) {
	if len(h.Fixed) == 0 {
		h.Fixed = fixed
	}
	x := decodeExtras(bytes.Clone(more))
	h.Severity = max(h.Severity, x.severity)
	if len(x.imports) == 0 || len(h.Imports) == 0 {
		h.Imports = nil
		return
	}
	h.Imports = append(h.Imports[:len(h.Imports):len(h.Imports)], x.imports...)
}

// find gives the number of the first group of a name, or where it would be.
func (e *ecosystem) find(db *DB, name string) (int, error) {
	lo, hi := 0, e.n
	for lo < hi {
		mid := (lo + hi) / 2
		b, err := e.bytes(db, mid)
		if err != nil {
			return 0, err
		}
		d := file.Decoder{B: b}
		if strings.Compare(d.String(), name) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}

func (e *ecosystem) group(db *DB, i int) (group, error) {
	b, err := e.bytes(db, i)
	if err != nil {
		return group{}, err
	}
	g, ok := decodeGroup(b)
	if !ok {
		return g, db.r.Damaged()
	}
	return g, nil
}

func (e *ecosystem) bytes(db *DB, i int) ([]byte, error) { return db.item(e.section, i) }
