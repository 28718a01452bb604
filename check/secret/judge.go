package secret

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// candidate is a match that passed for a secret.
type candidate struct {
	rule  *rule.Rule
	form  form
	value []byte // the secret, decoded
	key   string // the name that it was given, as far as one stands before it
	from  int64  // where it is in the text, roughly so in other forms than plain
	to    int64
	line  int
	doubt doubt // below unbelievable
	// public: everybody has the value.
	public bool
}

// candidate judges a match and keeps it. base is the offset of text in the buffer.
func (s *scan) candidate(u *use, text []byte, loc []int, base int64) {
	if u.m.Rule == certificates {
		s.certificate(text[loc[0]:loc[1]])
		return
	}
	from, to := u.m.Secret(loc)
	value := text[from:to]
	c := candidate{rule: u.m.Rule, form: u.form, from: s.at + base + int64(from), to: s.at + base + int64(to)}
	if c.repeats(s.found) {
		return
	}
	line := lineOf(text, from, to)
	if at := int(base) + from; u.form == plain && at >= 0 && at+to-from <= len(s.buf) {
		line = lineOf(s.buf[max(0, at-mostLine):min(len(s.buf), at+to-from+mostLine)], min(at, mostLine), min(at, mostLine)+to-from)
	}
	c.key = keyBefore(text[:from])
	if u.m.Generic {
		c.key = nameAt(text[loc[0]:from])
	}
	if s.program && !bytes.HasPrefix(value, []byte("-----BEGIN")) && !delimited(text, from, to) && !random(value) {
		return
	}
	if !s.believed(&c, value, text[loc[0]:loc[1]], line) {
		return
	}
	c.value = bytes.Clone(value)
	c.line = 1 + s.lines + bytes.Count(s.buf[:min(max(0, int(base)+from), len(s.buf))], []byte{'\n'})
	if s.byRule == nil {
		s.byRule = map[string]int{}
	}
	s.byRule[u.m.ID]++
	s.found = append(s.found, c)
}

// delimited tells whether a value ends where a word does, on both sides.
func delimited(text []byte, from, to int) bool {
	return from > 0 && to < len(text) && !isWord(text[from-1]) && !isWord(text[to])
}

// repeats tells whether the rule has found the same place by another anchor.
func (c *candidate) repeats(found []candidate) bool {
	for i := len(found) - 1; i >= 0 && i > len(found)-8; i-- {
		if f := &found[i]; f.rule == c.rule && f.from < c.to && c.from < f.to {
			return true
		}
	}
	return false
}

// believed asks everything that tells a secret from what looks like one, cheapest first.
func (s *scan) believed(c *candidate, value, match, line []byte) bool {
	r := c.rule
	if len(value) == 0 || r.Check != "" && !rule.Checks[r.Check](value) {
		return false
	}
	if r.Entropy > 0 && shannon(value) < r.Entropy {
		return false
	}
	if !r.AnyContext {
		if !proven(r) && placeholder(value) {
			return false
		}
		if c.doubt = s.place.doubts(r, value); c.doubt == unbelievable {
			return false
		}
	}
	if r.Generic && (!worthy(c.key, value, line) || s.place.prose(c.key, value, line)) || s.place.settings && s.place.source && !literal(r, value, line) {
		return false
	}
	if (r.Generic || r.ConfigOnly || r.Path != "") && s.place.settings && strength(value) < real && s.commented(c, line) {
		return false
	}
	if len(r.Allow) > 0 && r.Allowed(s.path, value, match, line) {
		return false
	}
	return !s.everybodys(c, value)
}

// everybodys tells what need not be told: a published value in the package that it came with, and an
// expired token in documentation.
func (s *scan) everybodys(c *candidate, value []byte) bool {
	if c.rule.Check == "jwt" {
		return c.doubt != believable && ofJWT(value, s.engine.now).severity == bulwark.SeverityLow
	}
	if bytes.HasPrefix(value, []byte("-----BEGIN")) {
		return false // those have a fingerprint of their own
	}
	sum := sha256.Sum256(value)
	c.public = published(hex.EncodeToString(sum[:]))
	return c.public && (s.place.packaged || c.rule.Generic) // of settings: what the program has without them
}

// literal tells whether a value in source code may be believed: code has much that only
// looks like a setting, so that a password of no known form has to be quoted and random.
func literal(r *rule.Rule, value, line []byte) bool {
	if !r.Generic {
		return !r.ConfigOnly || strength(value) >= real
	}
	at := bytes.Index(line, value)
	return at > 0 && bytes.IndexByte([]byte("\"'`"), line[at-1]) >= 0 && strength(value) >= unthought
}

// prose tells whether a name and its value are words in a text: in notes they have a line of
// their own, in JSON the name is quoted.
func (w place) prose(key string, value, line []byte) bool {
	from, to := bytes.Index(line, []byte(key)), bytes.LastIndex(line, value)
	switch {
	case from < 0 || to < 0 || key == "":
		return false
	case w.json:
		return (from == 0 || line[from-1] != '"') && strength(value) < unthought
	case w.note:
		return len(bytes.Trim(line[:from], " \t\"'-*>$")) > len("export ") || len(bytes.Trim(line[to+len(value):], " \t\r\"',;.")) > 0
	}
	return false
}

// unthought is the strength from which nobody has thought of a value.
const unthought = 70

// nameAt is the name that a match begins with.
func nameAt(text []byte) string {
	n := 0
	for n < len(text) && (isWord(text[n]) || text[n] == '-' || text[n] == '.') {
		n++
	}
	return string(bytes.Trim(text[:n], "-."))
}

// real is the strength from which a value in a comment is no example.
const real = 40

// commented tells whether a value stands in a comment.
func (s *scan) commented(c *candidate, line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	for _, mark := range []string{"#", "//", ";", "--", "rem "} {
		if rest, ok := bytes.CutPrefix(line, []byte(mark)); ok && (mark != "//" || !isHost(rest)) {
			return true
		}
	}
	before := s.buf[:min(max(0, int(c.from-s.at)), len(s.buf))]
	return bytes.LastIndex(before, []byte("<!--")) > bytes.LastIndex(before, []byte("-->"))
}

// isHost: what follows two slashes is a host with a path, as in .npmrc and fstab, and no comment.
func isHost(rest []byte) bool {
	word, _, _ := bytes.Cut(rest, []byte(" "))
	return bytes.IndexByte(word, '/') > 0
}

// proven: the value has passed a checksum that no placeholder passes.
func proven(r *rule.Rule) bool {
	return r.Check == "github-crc32" || r.Check == "base58check"
}

// mostLine is how much of a line before and after a secret is looked at.
const mostLine = 2 << 10

// lineOf is the line that the secret is on.
func lineOf(text []byte, from, to int) []byte {
	start := bytes.LastIndexByte(text[:from], '\n') + 1
	end := len(text)
	if i := bytes.IndexByte(text[to:], '\n'); i >= 0 {
		end = to + i
	}
	return text[start:end]
}

// keyBefore is the name that stands before a value: NAME=, "name": , <name>, --name.
func keyBefore(text []byte) string {
	i := len(text)
	for i > 0 && bytes.IndexByte([]byte(" \t\"'`=:>,([{|&?"), text[i-1]) >= 0 {
		i--
	}
	end := i
	for i > 0 && (isWord(text[i-1]) || text[i-1] == '-' || text[i-1] == '.') && end-i < 64 {
		i--
	}
	if end == len(text) {
		return "" // the value begins in the middle of a word
	}
	return string(bytes.Trim(text[i:end], "-."))
}

// shannon is the entropy in bits a byte.
func shannon(b []byte) float64 {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// strength estimates how many bits a guesser would have to find, low rather than high: a
// letter that goes on from another counts as in a word, a digit after a digit as in a number,
// and what has stood there before counts nothing.
func strength(b []byte) float64 {
	seen := map[[3]byte]bool{}
	sum, fresh := 0.0, 0.0
	for i, c := range b {
		kind := classOf(c)
		bits := map[byte]float64{'a': 4.7, 'A': 4.7, '0': 3.3, '.': 3}[kind]
		if i > 0 && classOf(b[i-1]) == kind {
			bits = map[byte]float64{'a': 2.3, 'A': 2.3, '0': 2, '.': 1}[kind]
		}
		sum += bits
		if i >= 2 {
			three := [3]byte{b[i-2], b[i-1], c}
			if !seen[three] {
				fresh++
			}
			seen[three] = true
		}
	}
	return sum * fresh / max(1, float64(len(b)-2))
}

func classOf(c byte) byte {
	switch {
	case c >= 'a' && c <= 'z':
		return 'a'
	case c >= 'A' && c <= 'Z':
		return 'A'
	case c >= '0' && c <= '9':
		return '0'
	}
	return '.'
}

// enough is the strength from which a hash gives nothing away.
const enough = 80

// leading leaves of candidates in one place the one that says most, and of each rule those
// that are enough of them.
func leading(found []candidate) []candidate {
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.from, b.from), rank(&b)-rank(&a), cmp.Compare(b.to, a.to))
	})
	var out []candidate
	for _, c := range found {
		if n := len(out); n > 0 && c.from < out[n-1].to {
			if rank(&c) > rank(&out[n-1]) {
				out[n-1] = c
			}
			continue
		}
		out = append(out, c)
	}
	return out
}

// rank is how much a rule knows of what it finds.
func rank(c *candidate) int {
	n := int(c.rule.Severity)
	if !c.rule.Generic {
		n += 20
	}
	if c.rule.Check != "" {
		n += 10
	}
	if c.form != plain {
		n += 5 // what was decoded has passed as more than a blob
	}
	return n
}
