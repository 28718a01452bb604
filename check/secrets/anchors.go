package secrets

import (
	"math/bits"
	"strings"
	"sync"
)

// anchors finds which of up to 64 words are in a text, in one pass over it: texts of settings
// may be long, and have none of them.
type anchors struct {
	words                []string
	first, second, third [256]uint64 // the words that have a byte there
}

func newAnchors(words []string) *anchors {
	a := &anchors{words: words}
	for i, w := range words {
		bit := uint64(1) << i
		a.first[w[0]] |= bit
		a.second[w[1]] |= bit
		if len(w) > 2 {
			a.third[w[2]] |= bit
			continue
		}
		for c := range a.third {
			a.third[c] |= bit
		}
	}
	return a
}

// in has a bit for each of the words that stands in a text.
func (a *anchors) in(text string) (found uint64) {
	for i := 0; i+1 < len(text); i++ {
		may := a.first[text[i]] & a.second[text[i+1]]
		if may == 0 {
			continue
		}
		if i+2 < len(text) {
			may &= a.third[text[i+2]]
		}
		for may &^= found; may != 0; may &= may - 1 {
			if n := bits.TrailingZeros64(may); strings.HasPrefix(text[i:], a.words[n]) {
				found |= 1 << n
			}
		}
	}
	return found
}

// names are parts of the names of secrets.
var names = []string{"pass", "PASS", "Pass", "secret", "SECRET", "Secret", "token", "TOKEN", "Token", "key", "KEY", "Key", "pwd", "PWD", "pw"}

// anchored are the anchors of tokens, in their order, and the names of secrets behind them.
var anchored = sync.OnceValue(func() *anchors {
	var words []string
	for i := range tokens {
		words = append(words, tokens[i].anchor)
	}
	return newAnchors(append(words, names...))
})

// shortest is the length of the shortest text that has a token.
const shortest = 20

// vendor names the token that stands in a text; "" when there is none.
func vendor(text string) string {
	if len(text) < shortest {
		return ""
	}
	return vendorOf(text, anchored().in(text))
}

// vendorOf does so where it is known which anchors stand in the text.
func vendorOf(text string, found uint64) string {
	for i := range tokens {
		if found&(1<<i) == 0 {
			continue
		}
		if m := tokens[i].re.FindString(text); m != "" && !strings.HasSuffix(m, "EXAMPLE") {
			return tokens[i].what
		}
	}
	return ""
}

// mentions tells whether names of secrets may stand in a text.
func mentions(text string) bool {
	if len(text) < 1<<10 {
		for _, word := range names {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	return anchored().in(text)>>len(tokens) != 0
}
