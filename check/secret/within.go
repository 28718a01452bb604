package secret

import "bulwark/internal/match"

// grams tells which literals a short text may hold, by the three bytes in a row that the
// text has. An engine that is made for one text has few literals, and is made twenty
// times as fast: a scan of layers that are all known looks at nothing but the image's configuration.
type grams struct {
	bits   [1 << 16 / 64]uint64
	base64 bool // the text may hold base 64
}

// shortestRun is how many characters of base 64 in a row are looked at.
const shortestRun = shortestBase64

// add takes another text.
func (g *grams) add(text string) {
	run, upper, lower := 0, false, false
	for i := range len(text) {
		if i+3 <= len(text) {
			h := gram(text[i : i+3])
			g.bits[h>>6] |= 1 << (h & 63)
		}
		c := text[i]
		if !inAlphabet(c) {
			run, upper, lower = 0, false, false
			continue
		}
		run++
		upper, lower = upper || c >= 'A' && c <= 'Z', lower || c >= 'a' && c <= 'z'
		g.base64 = g.base64 || run >= shortestRun && upper && lower
	}
}

// gram is a hash of three bytes in any case.
func gram(s string) uint32 {
	return (uint32(s[0]|0x20) | uint32(s[1]|0x20)<<8 | uint32(s[2]|0x20)<<16) * 0x9E3779B1 >> 16
}

// mayHold tells whether a literal may be in one of the texts; a nil g knows of none.
func (g *grams) mayHold(l match.Literal) bool {
	for i := 0; g != nil && i+3 <= len(l.Text); i++ {
		if h := gram(l.Text[i : i+3]); g.bits[h>>6]>>(h&63)&1 == 0 {
			return false
		}
	}
	return true
}
