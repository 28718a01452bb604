package advisory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/osv"
	"bulwark/advisory/internal/version"
)

// Reading the records and writing the database are two passes, so that memory does not
// grow with the text: the first decodes every record once, from several goroutines,
// and spills it in the database's own encoding; the second takes the spilled records in
// order.

// ref is a spilled record.
type ref struct {
	id                 string
	modified           int64
	ordinal            uint64
	offset             int64
	hot, cold, affects uint32 // lengths of its parts
	ecosystems         []uint16
	source             uint16 // number of the ecosystem without release
	folder             uint16 // number of the folder that it was read from
	also               []ref  // the same record from other folders, for the ecosystems that it lacks
	live               bool
	newest             int64
}

// collector takes documents from several goroutines.
type collector struct {
	b   *builder
	mu  sync.Mutex
	at  int64 // end of the spill
	eco map[string]uint16

	skipped, unordered, unreleased int
	first                          error // why the first document was skipped
}

// flushAt is how much a worker gathers before it writes.
const flushAt = 1 << 20

// worker is the part of the collector that one goroutine has for itself.
type worker struct {
	c          *collector
	buf        file.Encoder
	refs       []ref
	eco        map[string]uint16
	unordered  int
	unreleased int
}

func (b *builder) readOSV(ctx context.Context) error {
	if b.options.OSV == "" {
		return nil
	}
	c := &collector{b: b, eco: map[string]uint16{}}
	workers := make([]*worker, osv.Workers())
	for i := range workers {
		workers[i] = &worker{c: c, eco: map[string]uint16{}}
	}
	var err error
	for _, from := range append([]string{b.options.OSV}, b.options.Feeds...) {
		if err == nil {
			err = osv.Read(ctx, from, func(i int, d osv.Doc) error { return workers[i].takeAll(d) })
		}
	}
	for _, w := range workers {
		if err == nil {
			err = w.flush()
		}
		c.unordered += w.unordered
		c.unreleased += w.unreleased
	}
	if err != nil {
		return err
	}
	if len(b.refs) == 0 {
		return fmt.Errorf("no advisory at %s can be read, %d were tried: %w: %w", b.options.OSV, c.skipped, bulwark.ErrMalformed, c.first)
	}
	b.settle(c)
	return nil
}

// take decodes a document and spills it.
func (w *worker) take(d osv.Doc) error {
	if errors.Is(d.Err, fs.ErrNotExist) {
		return nil // taken away while the folder was read
	}
	r, err := (*osv.Record)(nil), d.Err
	if err == nil {
		r, err = osv.Decode(d.Data)
	}
	if err != nil {
		w.c.skip(fmt.Errorf("%s: %w", d.Name, err))
		return nil
	}
	w.spill(r, d)
	if len(w.buf.B) < flushAt {
		return nil
	}
	return w.flush()
}

func (c *collector) skip(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped++
	if c.first == nil {
		c.first = err
	}
}

func (w *worker) spill(r *osv.Record, d osv.Doc) {
	one := ref{id: r.ID, modified: r.Modified.Unix(), ordinal: d.Ordinal, offset: int64(len(w.buf.B)), live: !r.Withdrawn}
	for _, t := range []time.Time{r.Modified, r.Published} {
		if w.c.b.plausible(t) {
			one.newest = max(one.newest, t.Unix())
		}
	}
	h := hotOf(r)
	encodeHot(&w.buf, h, nil)
	w.buf.Strings(h.CVSS)
	one.hot = uint32(len(w.buf.B) - int(one.offset))
	encodeCold(&w.buf, r)
	one.cold = uint32(len(w.buf.B)-int(one.offset)) - one.hot
	start := len(w.buf.B)
	source := d.Source
	for i := range r.Affected {
		if i == 0 {
			source = base(r.Affected[i].Ecosystem)
		}
		if !r.Withdrawn {
			w.affected(&one, &r.Affected[i])
		}
	}
	one.source, one.folder = w.number(source), w.number(d.Source)
	one.affects = uint32(len(w.buf.B) - start)
	w.refs = append(w.refs, one)
}

// affected spills a package, in the orders that its ranges are told in.
func (w *worker) affected(one *ref, a *osv.Affected) {
	if released[a.Ecosystem] {
		w.unreleased++
		return
	}
	own := version.Of(a.Ecosystem)
	byOrder := map[*version.Order][]osv.Range{}
	for _, r := range a.Ranges {
		o := orderOf(a.Ecosystem, r.Semver)
		if _, ok := ranksOf(o, []osv.Range{r}); o == nil || !ok {
			w.unordered++
			continue
		}
		byOrder[o] = append(byOrder[o], r)
	}
	eco := w.number(a.Ecosystem)
	if !slices.Contains(one.ecosystems, eco) {
		one.ecosystems = append(one.ecosystems, eco)
	}
	versions := a.Versions
	if len(byOrder[own]) > 0 {
		versions = uncovered(own, byOrder[own], versions)
	}
	if len(byOrder[own]) > 0 || len(versions) > 0 {
		w.entry(eco, own, a, byOrder[own], versions)
	}
	if own != version.Semver && len(byOrder[version.Semver]) > 0 {
		w.entry(eco, version.Semver, a, byOrder[version.Semver], nil)
	}
}

func (w *worker) entry(eco uint16, o *version.Order, a *osv.Affected, ranges []osv.Range, versions []string) {
	e := &w.buf
	e.Uint(uint64(eco))
	var inner file.Encoder
	inner.String(normalName(a.Ecosystem, a.Name))
	inner.Byte(0)
	if o != nil {
		inner.B[len(inner.B)-1] = o.ID
	}
	inner.Uint(uint64(len(ranges)))
	for _, r := range ranges {
		inner.Uint(uint64(len(r.Events)))
		for _, ev := range r.Events {
			for kind, v := range []string{ev.Introduced, ev.Fixed, ev.LastAffected, ev.Limit} {
				if v != "" {
					inner.Byte(byte(kind))
					inner.String(v)
				}
			}
		}
	}
	inner.Strings(versions)
	inner.Bytes(extrasOf(a))
	e.Bytes(inner.B)
}

// unspill reads the packages of a record that belong to an ecosystem.
func unspill(b []byte, eco uint16, record uint32) []*pending {
	var out []*pending
	for d := (file.Decoder{B: b}); len(d.B) > 0; {
		of, inner := d.Uint(), file.Decoder{B: d.Bytes()}
		if of != uint64(eco) {
			continue
		}
		p := &pending{name: inner.String(), order: inner.Byte(), record: record}
		for range inner.Count() {
			var r osv.Range
			for range inner.Count() {
				kind, v := inner.Byte(), inner.String()
				r.Events = append(r.Events, [...]osv.Event{{Introduced: v}, {Fixed: v}, {LastAffected: v}, {Limit: v}}[kind&3])
			}
			p.ranges = append(p.ranges, r)
		}
		p.versions, p.extras = inner.Strings(), inner.Bytes()
		out = append(out, p)
	}
	return out
}

// number interns an ecosystem's name. Beyond 65,000 names, which no data has, all share one.
func (w *worker) number(name string) uint16 {
	if n, ok := w.eco[name]; ok {
		return n
	}
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.eco[name]
	if !ok && len(c.b.names) >= 65_000 {
		name = c.b.names[0]
		n, ok = 0, true
	}
	if !ok {
		name = strings.Clone(name)
		n = uint16(len(c.b.names))
		c.b.names = append(c.b.names, name)
		c.eco[name] = n
	}
	w.eco[name] = n
	return n
}

// flush appends what the worker gathered to the spill.
func (w *worker) flush() error {
	c := w.c
	c.mu.Lock()
	at := c.at
	c.at += int64(len(w.buf.B))
	for _, r := range w.refs {
		r.offset += at
		c.b.refs = append(c.b.refs, r)
	}
	c.mu.Unlock()
	_, err := c.b.spill.WriteAt(w.buf.B, at)
	w.buf.B, w.refs = w.buf.B[:0], w.refs[:0]
	return err
}

// settle sorts the records, keeps the newest of those with one id, and counts.
func (b *builder) settle(c *collector) {
	slices.SortFunc(b.refs, func(x, y ref) int {
		return cmp.Or(strings.Compare(x.id, y.id), cmp.Compare(y.modified, x.modified), cmp.Compare(x.ordinal, y.ordinal))
	})
	all := len(b.refs)
	b.refs = joined(b.refs)
	counts := map[string]*bulwark.DataSource{}
	for i := range b.refs {
		r := &b.refs[i]
		name := b.names[r.source]
		s := counts[name]
		if s == nil {
			s = &bulwark.DataSource{Name: name}
			counts[name] = s
		}
		if t := time.Unix(r.newest, 0).UTC(); r.newest > 0 && t.After(s.Newest) {
			s.Newest = t
		}
		if r.live {
			s.Records++
			b.live++
		}
	}
	for _, s := range counts {
		b.sources = append(b.sources, *s)
	}
	slices.SortFunc(b.sources, func(x, y bulwark.DataSource) int { return strings.Compare(x.Name, y.Name) })
	o := &b.options
	for _, s := range b.sources {
		o.say("%s: %d records, newest %s", s.Name, s.Records, s.Newest.Format(time.DateOnly))
	}
	o.say("%d advisories read, %d of them live, %d withdrawn", len(b.refs), b.live, len(b.refs)-b.live)
	if n := all - len(b.refs); n > 0 {
		o.say("%d copies of a record that stands in more than one place were joined with it, the newest first", n)
	}
	if c.skipped > 0 {
		o.warn("%d documents skipped, the first: %v", c.skipped, c.first)
	}
	if c.unordered > 0 {
		o.warn("%d ranges skipped: their versions cannot be ordered", c.unordered)
	}
	if c.unreleased > 0 {
		o.warn("%d packages left out of matching: their record names a distribution without release", c.unreleased)
	}
}

// joined makes one record of those with one id. In one folder the newest replaces the
// others; another folder's copy adds the ecosystems that the newest of all lacks: databases
// that share ids describe each their own packages.
func joined(sorted []ref) []ref {
	out := sorted[:0]
	for _, r := range sorted {
		if len(out) == 0 || out[len(out)-1].id != r.id {
			out = append(out, r)
			continue
		}
		lead := &out[len(out)-1]
		same := func(o ref) bool { return o.folder == r.folder }
		if !lead.live || !r.live || same(*lead) || slices.ContainsFunc(lead.also, same) {
			continue
		}
		r.ecosystems = slices.DeleteFunc(slices.Clone(r.ecosystems), func(eco uint16) bool {
			return slices.Contains(lead.ecosystems, eco) || slices.ContainsFunc(lead.also, func(o ref) bool { return slices.Contains(o.ecosystems, eco) })
		})
		lead.also = append(lead.also, r)
	}
	return out
}

// read gives a part of a spilled record in buf.
func (b *builder) read(buf []byte, offset int64, n uint32) ([]byte, error) {
	buf = slices.Grow(buf[:0], int(n))[:n]
	if _, err := b.spill.ReadAt(buf, offset); err != nil {
		return nil, fmt.Errorf("reading back %s: %w", b.spill.Name(), err)
	}
	return buf, nil
}
