package advisory

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/advisory/internal/file"
	ecosystems "bulwark/internal/ecosystem"
)

// coldBlockSize is where a block of cold parts ends: small, so that showing one record
// costs little.
const coldBlockSize = 16 << 10

// coldPlace is where a record's cold part lies.
type coldPlace struct{ block, offset uint32 }

// The blocks share a dictionary, a sample of all records, without which each would
// have to tell the same addresses again.
const (
	dictionaryID   = 1
	dictionarySize = 96 << 10
	samples        = 256
)

func (b *builder) sample() ([]byte, error) {
	var dict, part []byte
	var err error
	for i := 0; i < len(b.refs) && len(dict) < dictionarySize; i += max(1, len(b.refs)/samples) {
		r := &b.refs[i]
		if part, err = b.read(part, r.offset+int64(r.hot), min(r.cold, dictionarySize/samples)); err != nil {
			return nil, err
		}
		dict = append(dict, part...)
	}
	if len(dict) < 8 { // what the encoder takes
		dict = append(dict, "bulwark advisories"...)
	}
	return dict, nil
}

// writeCold compresses the cold parts in the order of the records.
func (b *builder) writeCold(ctx context.Context) error {
	dict, err := b.sample()
	if err != nil {
		return err
	}
	l := b.list()
	l.add(dict)
	if b.dictionary, err = l.end(); err != nil {
		return err
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderCRC(false), zstd.WithEncoderDictRaw(dictionaryID, dict))
	if err != nil {
		return err
	}
	defer z.Close()
	var block, part, packed []byte
	b.coldAt = make([]coldPlace, len(b.refs))
	l = b.list()
	for i := range b.refs {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := &b.refs[i]
		if part, err = b.read(part, r.offset+int64(r.hot), r.cold); err != nil {
			return err
		}
		b.coldAt[i] = coldPlace{uint32(l.n), uint32(len(block))}
		block = append(block, part...)
		if len(block) >= coldBlockSize || i == len(b.refs)-1 {
			packed = z.EncodeAll(block, packed[:0])
			l.add(packed)
			block = block[:0]
		}
	}
	b.cold, err = l.end()
	return err
}

// unspillHot reads a spilled hot part back; its strings are copies.
func (b *builder) unspillHot(r *ref) (*hot, error) {
	part, err := b.read(nil, r.offset, r.hot)
	if err != nil {
		return nil, err
	}
	d := file.Decoder{B: part}
	p, ok := decodeHot(&d, &slab{}, nil)
	if !ok {
		return nil, fmt.Errorf("%s: %w", r.id, bulwark.ErrMalformed)
	}
	var h hot
	p.hit(&h.Hit)
	h.CVSS = d.Strings()
	return &h, nil
}

// writeRecords writes the hot parts and, from the ids in them, the table of CVEs.
func (b *builder) writeRecords(ctx context.Context) error {
	var mentions []mention
	verdicts := make([]verdict, len(b.refs))
	numbers := map[string]uint64{}
	var vectors []string
	var e file.Encoder
	l := b.list()
	for i := range b.refs {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := &b.refs[i]
		h, err := b.unspillHot(r)
		if err != nil {
			return err
		}
		for _, o := range r.also {
			other, err := b.unspillHot(&o)
			if err != nil {
				return err
			}
			h.absorb(other)
		}
		h.coldBlock, h.coldOffset = uint64(b.coldAt[i].block), uint64(b.coldAt[i].offset)
		var its []uint64
		for _, v := range h.CVSS {
			n, ok := numbers[v]
			if !ok {
				n = uint64(len(vectors))
				numbers[v], vectors = n, append(vectors, v)
			}
			its = append(its, n)
		}
		e.B = e.B[:0]
		encodeHot(&e, h, its)
		l.add(e.B)
		if r.live {
			verdicts[i] = judge(h, ecosystems.IsDistribution(b.names[r.source]))
			mentions = appendMentions(mentions, h, uint32(i))
		}
	}
	b.coldAt = nil
	var err error
	if b.records, err = l.end(); err != nil {
		return err
	}
	l = b.list()
	for _, v := range vectors {
		l.add([]byte(v))
	}
	if b.vectors, err = l.end(); err != nil {
		return err
	}
	return b.writeCVEs(mentions, verdicts)
}

func appendMentions(dst []mention, h *hot, record uint32) []mention {
	add := func(id string, rated bool) {
		if key, ok := cveKey(id); ok {
			dst = append(dst, mention{key, record, rated})
		}
	}
	add(h.ID, true)
	for _, id := range h.Aliases {
		add(id, true)
	}
	for _, id := range h.Upstream {
		add(id, len(h.Upstream) == 1)
	}
	return dst
}

// writeCVEs writes, for every CVE, the best verdict and the records that name it.
func (b *builder) writeCVEs(mentions []mention, verdicts []verdict) (err error) {
	slices.SortFunc(mentions, func(x, y mention) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.record, y.record))
	})
	var keys, values, records file.Encoder
	l := b.list()
	for len(mentions) > 0 {
		key, last := mentions[0].key, uint32(0)
		var best verdict
		var of uint32
		records.B = records.B[:0]
		for len(mentions) > 0 && mentions[0].key == key {
			m := mentions[0]
			mentions = mentions[1:]
			if v := verdicts[m.record]; m.rated && v.better(best) {
				best, of = v, m.record
			}
			if len(records.B) == 0 || m.record != last {
				records.Uint(uint64(m.record - last))
				last = m.record
			}
		}
		l.add(records.B)
		keys.Uint32(key)
		value := [cveWidth]byte{byte(best.severity), best.score, best.vector}
		if best.version != 0 {
			binary.LittleEndian.PutUint32(value[4:], of+1)
		}
		values.B = append(values.B, value[:]...)
	}
	if b.naming, err = l.end(); err != nil {
		return err
	}
	b.cves = table{b.naming.n, b.w.Offset(), b.w.Offset() + uint64(len(keys.B)), cveWidth}
	b.w.Write(keys.B)
	b.w.Write(values.B)
	return nil
}

// writeEcosystems writes the groups of one ecosystem after the other, so that only
// one is in memory.
func (b *builder) writeEcosystems(ctx context.Context) error {
	members := make([][]member, len(b.names))
	add := func(i int, r *ref) {
		for _, eco := range r.ecosystems {
			members[eco] = append(members[eco], member{uint32(i), r})
		}
	}
	for i := range b.refs {
		add(i, &b.refs[i])
		for j := range b.refs[i].also {
			add(i, &b.refs[i].also[j])
		}
	}
	order := make([]uint16, len(b.names))
	for i := range order {
		order[i] = uint16(i)
	}
	slices.SortFunc(order, func(x, y uint16) int { return strings.Compare(b.names[x], b.names[y]) })
	for _, eco := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.writeEcosystem(eco, members[eco]); err != nil {
			return err
		}
	}
	return nil
}

// member is a record that has packages of an ecosystem.
type member struct {
	record uint32
	ref    *ref
}

func (b *builder) writeEcosystem(eco uint16, members []member) error {
	var list []*pending
	for _, m := range members {
		r := m.ref
		part, err := b.read(nil, r.offset+int64(r.hot)+int64(r.cold), r.affects)
		if err != nil {
			return err
		}
		list = append(list, unspill(part, eco, m.record)...)
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, comparePending)
	l := b.list()
	var e file.Encoder
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].name == list[0].name && list[n].order == list[0].order {
			n++
		}
		e.B = e.B[:0]
		encodeGroup(&e, list[:n])
		l.add(e.B)
		list = list[n:]
	}
	s, err := l.end()
	if err != nil {
		return err
	}
	b.ecosystems = append(b.ecosystems, ecosystem{name: b.names[eco], section: s})
	return nil
}
