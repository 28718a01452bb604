package advisory

import (
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/osv"
)

// A record lies in two places. The hot part, what every hit shows, is plain bytes in
// the order of ids. The cold part, what explain and html show, is in compressed blocks.

const flagWithdrawn = 1

// encodeHot writes all of the hot part but where the cold part lies.
func encodeHot(e *file.Encoder, r *osv.Record) {
	var flags byte
	if r.Withdrawn {
		flags |= flagWithdrawn
	}
	e.String(r.ID)
	e.Byte(flags)
	e.Byte(byte(r.Severity))
	e.Time(r.Published)
	e.Time(r.Modified)
	e.String(r.Summary)
	e.Uint(uint64(len(r.Aliases)))
	e.Uint(uint64(len(r.Upstream)))
	e.Uint(uint64(len(r.Related)))
	e.Uint(uint64(len(r.CVSS)))
	for _, list := range [][]string{r.Aliases, r.Upstream, r.Related, r.CVSS} {
		for _, s := range list {
			e.String(s)
		}
	}
}

// hot is a decoded hot part. Its lists are what hits share.
type hot struct {
	Hit
	coldBlock, coldOffset uint64
}

// decodeHot reads a hot part whose strings stay views of b.
func decodeHot(b []byte) (*hot, bool) {
	d := file.Decoder{B: b}
	h := &hot{}
	h.ID = d.String()
	h.Withdrawn = d.Byte()&flagWithdrawn != 0
	h.Severity = bulwark.Severity(min(d.Byte(), byte(bulwark.SeverityCritical)))
	h.Published, h.Modified = d.Time(), d.Time()
	h.Summary = d.String()
	var counts [4]int
	total := 0
	for i := range counts {
		counts[i] = d.Count()
		total += counts[i]
	}
	if d.Bad || total > len(d.B) {
		return nil, false
	}
	all := make([]string, total)
	for i := range all {
		all[i] = d.String()
	}
	for i, list := range []*[]string{&h.Aliases, &h.Upstream, &h.Related, &h.CVSS} {
		if n := counts[i]; n > 0 {
			*list, all = all[:n:n], all[n:]
		}
	}
	h.coldBlock, h.coldOffset = d.Uint(), d.Uint()
	return h, !d.Bad
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
func (h *hot) record() Record {
	copied := func(list []string) []string { return clones(append([]string(nil), list...)) }
	return Record{
		ID: strings.Clone(h.ID), Summary: strings.Clone(h.Summary),
		Aliases: copied(h.Aliases), Upstream: copied(h.Upstream), Related: copied(h.Related),
		Severity: h.Severity, CVSS: copied(h.CVSS), Published: h.Published, Modified: h.Modified,
	}
}

// withdrawnSince is a time for records that do not tell a readable one.
func withdrawnSince(r *Record, h *hot) {
	if h.Withdrawn && r.Withdrawn.IsZero() {
		r.Withdrawn = time.Unix(0, 0).UTC()
	}
	if !h.Withdrawn {
		r.Withdrawn = time.Time{}
	}
}
