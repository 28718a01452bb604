package advisory

import (
	"math"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/osv"
)

// A record lies in two places. The hot part, what every hit shows, is plain bytes in
// the order of ids. The cold part, what explain and html show, is in compressed blocks.

const flagWithdrawn = 1

// hot is a hot part that is being built.
type hot struct {
	Hit
	coldBlock, coldOffset uint64
}

func hotOf(r *osv.Record) *hot {
	summary := r.Summary
	if r.Withdrawn { // it is never a hit; its cold part has the summary
		summary = ""
	}
	return &hot{Hit: Hit{
		ID: r.ID, Aliases: r.Aliases, Upstream: r.Upstream, Related: r.Related, Severity: r.Severity,
		CVSS: r.CVSS, Summary: summary, Published: r.Published, Modified: r.Modified, Withdrawn: r.Withdrawn,
	}}
}

// encodeHot writes a hot part. Vectors repeat so much that they are told by their
// number in a section of their own.
func encodeHot(e *file.Encoder, h *hot, vectors []uint64) {
	var flags byte
	if h.Withdrawn {
		flags |= flagWithdrawn
	}
	e.String(h.ID)
	e.Byte(flags)
	e.Byte(byte(h.Severity))
	e.Time(h.Published)
	e.Time(h.Modified)
	e.String(h.Summary)
	e.Uint(h.coldBlock)
	e.Uint(h.coldOffset)
	for _, n := range []int{len(h.Aliases), len(h.Upstream), len(h.Related), len(vectors)} {
		e.Uint(uint64(n))
	}
	for _, list := range [][]string{h.Aliases, h.Upstream, h.Related} {
		for _, id := range list {
			encodeID(e, h.ID, id)
		}
	}
	for _, v := range vectors {
		e.Uint(v)
	}
}

// encodeID writes an id that the record names: as the end of its own where it is that
// (DEBIAN-CVE-2024-1 names CVE-2024-1), else as text.
func encodeID(e *file.Encoder, own, id string) {
	if strings.HasSuffix(own, id) {
		e.Uint(uint64(len(id))<<1 | 1)
		return
	}
	e.Uint(uint64(len(id)) << 1)
	e.B = append(e.B, id...)
}

func decodeID(d *file.Decoder, own string) string {
	n := d.Uint()
	if n&1 == 0 {
		return file.String(d.Take(n >> 1))
	}
	if n >>= 1; n > uint64(len(own)) {
		d.Take(^uint64(0)) // marks d as bad
		return ""
	}
	return own[len(own)-int(n):]
}

// packed is a decoded hot part as it is kept for later queries, a third of a Hit's size.
type packed struct {
	id, summary         string
	lists               []string  // aliases, upstream, related, vectors
	counts              [4]uint16 // how many of each
	severity            byte
	withdrawn           bool
	published, modified int64
	block, offset       uint32 // of the cold part
}

// list gives the i-th list.
func (p *packed) list(i int) []string {
	if p.counts[i] == 0 {
		return nil
	}
	from := 0
	for _, n := range p.counts[:i] {
		from += int(n)
	}
	to := from + int(p.counts[i])
	return p.lists[from:to:to]
}

// hit fills in what the record as a whole says.
func (p *packed) hit(h *Hit) {
	h.ID, h.Summary = p.id, p.summary
	h.Aliases, h.Upstream, h.Related, h.CVSS = p.list(0), p.list(1), p.list(2), p.list(3)
	h.Severity, h.Withdrawn = bulwark.Severity(p.severity), p.withdrawn
	h.Published, h.Modified = file.Time(p.published), file.Time(p.modified)
}

// slab is memory for many hot parts: one allocation serves dozens of them.
type slab struct {
	packs   []packed
	strings []string
	bytes   []byte
}

const (
	slabPacks   = 64
	slabStrings = 128
	slabBytes   = 8 << 10
)

func (s *slab) pack() *packed {
	if len(s.packs) == 0 {
		s.packs = make([]packed, slabPacks)
	}
	p := &s.packs[0]
	s.packs = s.packs[1:]
	return p
}

func (s *slab) list(n int) []string {
	if n > len(s.strings) {
		s.strings = make([]string, max(n, slabStrings))
	}
	out := s.strings[:n:n]
	s.strings = s.strings[n:]
	return out
}

// copy keeps a copy of b.
func (s *slab) copy(b []byte) []byte {
	if len(b) > len(s.bytes) {
		s.bytes = make([]byte, max(len(b), slabBytes))
	}
	out := s.bytes[:len(b):len(b)]
	s.bytes = s.bytes[len(b):]
	copy(out, b)
	return out
}

// decodeHot reads a hot part whose strings stay views of what d reads; vectors are
// those of the database by number.
func decodeHot(d *file.Decoder, s *slab, vectors []string) (*packed, bool) {
	p := s.pack()
	p.id = d.String()
	p.withdrawn = d.Byte()&flagWithdrawn != 0
	p.severity = min(d.Byte(), byte(bulwark.SeverityCritical))
	p.published, p.modified = d.Int(), d.Int()
	p.summary = d.String()
	p.block, p.offset = uint32(min(d.Uint(), forever)), uint32(min(d.Uint(), forever))
	total := 0
	for i := range p.counts {
		n := d.Count()
		if n > math.MaxUint16 {
			return nil, false
		}
		p.counts[i] = uint16(n)
		total += n
	}
	if d.Bad || total > len(d.B) {
		return nil, false
	}
	p.lists = s.list(total)
	numbers := total - int(p.counts[3])
	for i := range p.lists[:numbers] {
		p.lists[i] = decodeID(d, p.id)
	}
	for i := numbers; i < total; i++ {
		n := d.Uint()
		if n >= uint64(len(vectors)) {
			return nil, false
		}
		p.lists[i] = vectors[n]
	}
	return p, !d.Bad
}

// absorb adds what another source's copy of the same record says and this one does not.
func (h *hot) absorb(o *hot) {
	h.Aliases = added(h.Aliases, o.Aliases)
	h.Upstream = added(h.Upstream, o.Upstream)
	h.Related = added(h.Related, o.Related)
	if len(h.CVSS) == 0 {
		h.CVSS = o.CVSS
	}
	if h.Severity == bulwark.SeverityUnknown {
		h.Severity = o.Severity
	}
}

func added(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list[:len(list):len(list)], s)
		}
	}
	return list
}

// hotID reads the id alone.
func hotID(b []byte) string {
	d := file.Decoder{B: b}
	return d.String()
}

func encodeCold(e *file.Encoder, r *osv.Record) {
	e.String(r.Details)
	e.Strings(r.References)
	e.Strings(r.CWEs)
	e.Time(r.WithdrawnAt)
	if r.Withdrawn {
		e.String(r.Summary)
	} else {
		e.String("")
	}
	e.Uint(uint64(len(r.Affected)))
	for i := range r.Affected {
		a := &r.Affected[i]
		e.String(a.Ecosystem)
		e.String(a.Name)
		e.Uint(uint64(len(a.Ranges)))
		for _, rg := range a.Ranges {
			e.String(words(rg))
		}
		e.Uint(uint64(len(a.Versions)))
	}
}

// words tells a range as a person reads it: ">= 1.2, < 1.4.1".
func words(r osv.Range) string {
	var parts []string
	for _, e := range r.Events {
		switch {
		case e.Introduced == "0":
		case e.Introduced != "":
			parts = append(parts, ">= "+e.Introduced)
		case e.Fixed != "":
			parts = append(parts, "< "+e.Fixed)
		case e.LastAffected != "":
			parts = append(parts, "<= "+e.LastAffected)
		case e.Limit != "" && e.Limit != "*":
			parts = append(parts, "before "+e.Limit)
		}
	}
	if len(parts) == 0 {
		return "all versions"
	}
	return strings.Join(parts, ", ")
}

// decodeCold fills in what the hot part does not have, copying every string.
func decodeCold(b []byte, r *Record) bool {
	d := file.Decoder{B: b}
	r.Details = strings.Clone(d.String())
	r.References = clones(d.Strings())
	r.CWEs = clones(d.Strings())
	r.Withdrawn = d.Time()
	if s := d.String(); s != "" {
		r.Summary = strings.Clone(s)
	}
	n := d.Count()
	for range n {
		a := Affected{Ecosystem: strings.Clone(d.String()), Name: strings.Clone(d.String()), Ranges: clones(d.Strings())}
		a.Versions = int(min(d.Uint(), 1<<30))
		for _, rg := range a.Ranges {
			for _, part := range strings.Split(rg, ", ") {
				if v, ok := strings.CutPrefix(part, "< "); ok {
					a.Fixed = append(a.Fixed, v)
				}
			}
		}
		if d.Bad {
			return false
		}
		r.Affected = append(r.Affected, a)
	}
	return !d.Bad
}

func clones(list []string) []string {
	for i := range list {
		list[i] = strings.Clone(list[i])
	}
	return list
}

// record puts the two parts together; it holds no view of the database.
func (p *packed) record() Record {
	var h Hit
	p.hit(&h)
	copied := func(list []string) []string { return clones(append([]string(nil), list...)) }
	return Record{
		ID: strings.Clone(h.ID), Summary: strings.Clone(h.Summary),
		Aliases: copied(h.Aliases), Upstream: copied(h.Upstream), Related: copied(h.Related),
		Severity: h.Severity, CVSS: copied(h.CVSS), Published: h.Published, Modified: h.Modified,
	}
}

// withdrawnSince is a time for records that do not tell a readable one.
func withdrawnSince(r *Record, withdrawn bool) {
	if withdrawn && r.Withdrawn.IsZero() {
		r.Withdrawn = time.Unix(0, 0).UTC()
	}
	if !withdrawn {
		r.Withdrawn = time.Time{}
	}
}
