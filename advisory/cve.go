package advisory

import (
	"encoding/binary"
	"strings"

	"bulwark"
	"bulwark/advisory/internal/cvss"
	"bulwark/advisory/internal/file"
	"bulwark/advisory/internal/version"
)

// cveKey packs a CVE id into four bytes: year since 1970 in the upper seven bits.
func cveKey(id string) (uint32, bool) {
	rest, ok := strings.CutPrefix(id, "CVE-")
	if !ok || len(rest) < 6 || rest[4] != '-' || !number(rest[:4]) || !number(rest[5:]) || len(rest) > 13 {
		return 0, false
	}
	year, num := decimal(rest[:4])-1970, decimal(rest[5:])
	if year < 0 || year > 127 || num >= 1<<25 {
		return 0, false
	}
	return uint32(year)<<25 | uint32(num), true
}

func decimal(s string) int {
	n := 0
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n
}

// Score is the base score of a CVSS v2, v3 or v4 vector, 0 to 10. Its error wraps
// [bulwark.ErrMalformed].
func Score(vector string) (float64, error) { return cvss.Score(vector) }

// Placed tells whether the version of q can be placed in its ecosystem's order. One that
// cannot ("latest") matches only what enumerates it.
func Placed(q Query) bool {
	return version.Of(q.Ecosystem).Valid(normalVersion(q.Ecosystem, q.Name, q.Version))
}

// Compare orders two versions of an OSV ecosystem, whose release does not matter: -1, 0
// or 1. Its error wraps [bulwark.ErrUnsupported] for an ecosystem without a known order
// and [bulwark.ErrMalformed] for a version that the order cannot place.
func Compare(ecosystem, a, b string) (int, error) {
	o := version.Of(ecosystem)
	if o == nil {
		return 0, errNoOrder(ecosystem)
	}
	for _, v := range []string{a, b} {
		if !o.Valid(v) {
			return 0, errVersion(ecosystem, v)
		}
	}
	return o.Compare(a, b), nil
}

// The value of a CVE: severity, score times ten, which vector of the record, which
// record plus one (0: no vector).
const cveWidth = 8

// ByCVE gives the best rating that any record of the same CVE carries: one that has it
// as id or alias, or as its only upstream. The vector of the newest CVSS version leads,
// of those the highest; where there is none, the rating in words that a database which
// is no distribution's gives.
func (db *DB) ByCVE(cve string) (bulwark.Severity, *bulwark.CVSS) {
	key, ok := cveKey(cve)
	if !ok {
		return bulwark.SeverityUnknown, nil
	}
	v, _, err := db.lookup(db.cves, key)
	if err != nil || len(v) != cveWidth {
		return bulwark.SeverityUnknown, nil
	}
	severity := bulwark.Severity(min(v[0], byte(bulwark.SeverityCritical)))
	record := binary.LittleEndian.Uint32(v[4:])
	if record == 0 {
		return severity, nil
	}
	h, err := db.hot(record - 1)
	if err != nil || int(v[2]) >= len(h.list(3)) {
		return severity, nil
	}
	return severity, &bulwark.CVSS{Vector: h.list(3)[v[2]], Score: float64(v[1]) / 10}
}

// Naming lists the ids of the records that have a CVE as id, alias or upstream.
func (db *DB) Naming(cve string) []string {
	key, ok := cveKey(cve)
	if !ok {
		return nil
	}
	v, i, err := db.lookup(db.cves, key)
	if err != nil || v == nil {
		return nil
	}
	b, err := db.item(db.naming, i)
	if err != nil {
		return nil
	}
	var out []string
	record := uint32(0)
	for d := (file.Decoder{B: b}); len(d.B) > 0; {
		record += uint32(d.Uint())
		h, err := db.hot(record)
		if err != nil {
			return out
		}
		out = append(out, h.id)
	}
	return out
}

// mention is a CVE that a record names; rated where the record speaks of it alone.
type mention struct {
	key    uint32
	record uint32
	rated  bool
}

// verdict is what one record says of how bad it is.
type verdict struct {
	severity bulwark.Severity
	score    uint8 // times ten
	vector   uint8 // its number
	version  uint8 // of CVSS; 0: words only
}

// judge takes the record's best vector, else its words where it is no distribution's.
func judge(h *hot, distribution bool) verdict {
	for i := len(h.CVSS) - 1; i >= 0; i-- {
		if s, err := cvss.Score(h.CVSS[i]); err == nil {
			return verdict{bulwark.SeverityOfScore(s), uint8(s*10 + 0.5), uint8(i), uint8(cvss.Version(h.CVSS[i]))}
		}
	}
	if distribution {
		return verdict{}
	}
	return verdict{severity: h.Severity}
}

// better tells whether v leads over o.
func (v verdict) better(o verdict) bool {
	if v.version != o.version {
		return v.version > o.version
	}
	if v.score != o.score {
		return v.score > o.score
	}
	return v.severity > o.severity
}
