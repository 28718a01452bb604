// Package vex reads statements on exploitability (OpenVEX, CycloneDX VEX, CSAF) as
// rules: what is not affected or fixed does not count. Products are compared leniently,
// because scanners and suppliers write the same package URL in different ways: see
// [bulwark/internal/purl.Matches].
package vex

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"bulwark"
	"bulwark/policy/internal/rule"
)

// maxReason bounds what a document may say about one statement, in bytes.
const maxReason = 1000

func decode(name, format string, data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %s: %w: %w", name, format, bulwark.ErrMalformed, err)
	}
	return nil
}

// statement gathers what one statement says until it is made a rule.
type statement struct {
	ids      []string
	products []rule.Product
	exempt   bool
	stated   time.Time
	status   string
	why      []string // justification and words, empty ones included
}

// collector turns statements into rules and counts those that name nothing.
type collector struct {
	file, author string
	rules        []rule.Rule
	unknown      int
}

func (c *collector) add(s statement) {
	known := s.products[:0:0]
	for _, p := range s.products {
		if p.Known() {
			known = append(known, p)
		}
	}
	ids := s.ids[:0:0]
	for _, id := range s.ids {
		if id = strings.TrimSpace(id); id != "" && !strings.ContainsAny(id, "*?") {
			ids = append(ids, id)
		}
	}
	if len(known) == 0 || len(ids) == 0 {
		c.unknown++
		return
	}
	c.rules = append(c.rules, rule.Rule{
		IDs: ids, Kind: bulwark.KindVulnerability, Products: known, Exempt: s.exempt, Stated: s.stated,
		Exception: bulwark.Exception{Reason: reason(s.status, s.why), Owner: clean(c.author), Source: c.file},
	})
}

func (c *collector) notes() []bulwark.Note {
	if c.unknown == 0 {
		return nil
	}
	return []bulwark.Note{{Plugin: "policy/vex", Path: c.file,
		Text: fmt.Sprintf("%d statements name no vulnerability or no product that could be recognised, and are not used", c.unknown)}}
}

func reason(status string, why []string) string {
	out := clean(strings.ReplaceAll(status, "_", " "))
	for _, w := range why {
		if w = clean(w); w != "" {
			out += ": " + w
		}
	}
	if len(out) > maxReason {
		out = strings.ToValidUTF8(out[:maxReason], "") + "..."
	}
	return out
}

// clean makes foreign text one printable line.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// when reads a document's time; the zero time when it cannot be read.
func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// purlsOf keeps what looks like a package URL.
func purlsOf(ss ...string) []string {
	var out []string
	for _, s := range ss {
		if strings.HasPrefix(s, "pkg:") {
			out = append(out, s)
		}
	}
	return out
}
