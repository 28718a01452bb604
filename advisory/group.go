package advisory

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/osv"
	"bulwark/advisory/internal/version"
)

// A group is all that one ecosystem has on one package, in one order of versions:
//
//	name, id of the order, number of ranks n,
//	n+1 offsets of 4 bytes, the ranks' text,
//	number of entries, entries
//
// An entry is a record that affects the package: the step from the previous entry's
// record number, a head byte (number of intervals and flags), the intervals (step from
// the previous end, length; length 0 has no end), and what the flags announce.

const (
	headIntervals  = 0x0f // 15: the number follows
	headEnumerated = 0x10 // a list of versions that no interval covers
	headExtras     = 0x20 // severity, vectors and imports of this package alone
	headLimited    = 0x40 // the ends of the intervals fix nothing
)

// pending is an entry that is being built.
type pending struct {
	name     string
	order    byte
	record   uint32
	ranges   []osv.Range
	versions []string
	extras   []byte
}

// comparePending sorts entries into groups, and in them by record.
func comparePending(a, b *pending) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	if a.order != b.order {
		return int(a.order) - int(b.order)
	}
	if a.record != b.record {
		return int(a.record) - int(b.record)
	}
	return bytes.Compare(a.extras, b.extras)
}

// encodeGroup writes the entries of one group, sorted.
func encodeGroup(e *file.Encoder, list []*pending) {
	o := version.ByID(list[0].order)
	var ranges []osv.Range
	for _, p := range list {
		ranges = append(ranges, p.ranges...)
	}
	var ranks []string
	if o != nil {
		ranks, _ = ranksOf(o, ranges) // every one is valid: pack dropped the others
	}
	e.String(list[0].name)
	e.Byte(list[0].order)
	e.Uint(uint64(len(ranks)))
	end := 0
	for _, v := range ranks {
		e.Uint32(uint32(end))
		end += len(v)
	}
	e.Uint32(uint32(end))
	for _, v := range ranks {
		e.B = append(e.B, v...)
	}
	entries := file.Encoder{}
	n, last := 0, uint32(0)
	for len(list) > 0 {
		same := 1
		for same < len(list) && list[same].record == list[0].record && bytes.Equal(list[same].extras, list[0].extras) {
			same++
		}
		entries.Uint(uint64(list[0].record - last))
		last = list[0].record
		encodeEntry(&entries, o, ranks, list[:same])
		n++
		list = list[same:]
	}
	e.Uint(uint64(n))
	e.B = append(e.B, entries.B...)
}

// encodeEntry writes what one record says of the package.
func encodeEntry(e *file.Encoder, o *version.Order, ranks []string, list []*pending) {
	var spans []interval
	var versions []string
	var head byte
	for _, p := range list {
		for _, r := range p.ranges {
			spans = append(spans, intervals(o, r, ranks)...)
			if hasLimit(r) {
				head |= headLimited
			}
		}
		versions = append(versions, p.versions...)
	}
	spans = union(spans)
	slices.Sort(versions)
	versions = slices.Compact(versions)
	if len(versions) > 0 {
		head |= headEnumerated
	}
	if len(list[0].extras) > 0 {
		head |= headExtras
	}
	head |= byte(min(len(spans), headIntervals))
	e.Byte(head)
	if len(spans) >= headIntervals {
		e.Uint(uint64(len(spans)))
	}
	end := 0
	for _, s := range spans {
		e.Uint(uint64(s.lo - end))
		if end = s.hi; s.hi == forever {
			e.Uint(0)
			continue
		}
		e.Uint(uint64(s.hi - s.lo))
	}
	if len(versions) > 0 {
		var inner file.Encoder
		inner.Strings(versions)
		e.Bytes(inner.B)
	}
	if len(list[0].extras) > 0 {
		e.Bytes(list[0].extras)
	}
}

// extrasOf encodes what a record says of one package alone.
func extrasOf(a *osv.Affected) []byte {
	if a.Severity == bulwark.SeverityUnknown && len(a.CVSS) == 0 && len(a.Imports) == 0 {
		return nil
	}
	var e file.Encoder
	e.Byte(byte(a.Severity))
	e.Strings(a.CVSS)
	e.Uint(uint64(len(a.Imports)))
	for _, i := range a.Imports {
		e.String(i.Path)
		e.Strings(i.Symbols)
		e.Strings(i.GOOS)
		e.Strings(i.GOARCH)
	}
	return e.B
}

// extras is their decoded form.
type extras struct {
	severity bulwark.Severity
	cvss     []string
	imports  []Import
}

func decodeExtras(b []byte) extras {
	d := file.Decoder{B: b}
	x := extras{severity: bulwark.Severity(min(d.Byte(), byte(bulwark.SeverityCritical))), cvss: d.Strings()}
	for range d.Count() {
		i := Import{d.String(), d.Strings(), d.Strings(), d.Strings()}
		if d.Bad {
			break
		}
		x.imports = append(x.imports, i)
	}
	return x
}

// group is the decoded beginning of a group.
type group struct {
	name    string
	order   *version.Order
	ranks   int
	offsets []byte
	text    []byte
	entries int
	rest    []byte // the entries
}

func decodeGroup(b []byte) (group, bool) {
	d := file.Decoder{B: b}
	g := group{name: d.String(), order: version.ByID(d.Byte())}
	n := d.Uint()
	if n > uint64(len(d.B))/4 {
		return g, false
	}
	g.ranks = int(n)
	g.offsets = d.Take(4*n + 4)
	if d.Bad {
		return g, false
	}
	g.text = d.Take(uint64(binary.LittleEndian.Uint32(g.offsets[4*n:])))
	g.entries = d.Count()
	g.rest = d.B
	return g, !d.Bad && (g.order != nil || g.ranks == 0)
}

// rank is a rank's text, a view; "" for what is out of bounds.
func (g *group) rank(i int) string {
	if i < 0 || i >= g.ranks {
		return ""
	}
	lo, hi := binary.LittleEndian.Uint32(g.offsets[4*i:]), binary.LittleEndian.Uint32(g.offsets[4*i+4:])
	if lo > hi || hi > uint32(len(g.text)) {
		return ""
	}
	return file.String(g.text[lo:hi])
}

// position places a version as the function position does; -1 when the order cannot.
func (g *group) position(v string) int {
	if !g.order.Valid(v) {
		return -1
	}
	lo, hi := 0, g.ranks
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := g.order.Compare(g.rank(mid), v); {
		case c == 0:
			return 2*mid + 1
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 2 * lo
}

// entry is one decoded entry; spans is only valid until the next one is decoded.
type entry struct {
	record     uint32
	head       byte
	spans      []interval
	enumerated []byte
	extras     []byte
}

// next decodes an entry into e, reusing its spans.
func (e *entry) next(d *file.Decoder) bool {
	e.record += uint32(d.Uint())
	e.head = d.Byte()
	n := uint64(e.head & headIntervals)
	if n == headIntervals {
		n = d.Uint()
	}
	e.spans = e.spans[:0]
	end := uint64(0)
	for range n {
		lo := end + d.Uint()
		length := d.Uint()
		if end = lo + length; length == 0 {
			end = forever
		}
		if d.Bad || lo >= forever || end > forever {
			return false
		}
		e.spans = append(e.spans, interval{int(lo), int(end)})
	}
	e.enumerated, e.extras = nil, nil
	if e.head&headEnumerated != 0 {
		e.enumerated = d.Bytes()
	}
	if e.head&headExtras != 0 {
		e.extras = d.Bytes()
	}
	return !d.Bad
}
