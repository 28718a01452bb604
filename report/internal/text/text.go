// Package text makes foreign strings safe to show and fits them into columns.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Clean gives s on one line, without anything that a terminal or a reader's eye would
// take for more than a character: control characters, ANSI escapes, overrides of the
// writing direction, invalid UTF-8. White space becomes a blank, the rest U+FFFD.
func Clean(s string) string {
	if clean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case hostile(r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// Lines cleans each line of s and keeps the line breaks.
func Lines(s string) string {
	if clean(s) {
		return s
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Clean(l)
	}
	return strings.Join(lines, "\n")
}

func clean(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return cleanRunes(s[i:])
		}
	}
	return true
}

func cleanRunes(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n <= 1 {
				return false
			}
		}
		if hostile(r) {
			return false
		}
	}
	return true
}

// hostile runes act on the text around them, or hide.
func hostile(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	case r == '\u061c', r == '\u200b', r == '\u200e', r == '\u200f', r == '\ufeff':
		return true
	case r >= '\u2028' && r <= '\u202e', r >= '\u2060' && r <= '\u206f':
		return true
	case r >= 0xe0000 && r <= 0xe007f: // tags, invisible
		return true
	}
	return false
}

// Width is the number of columns that s takes on a terminal.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cut shortens s to at most n columns; the last one then is "…".
func Cut(s string, n int) string {
	if n <= 0 || len(s) <= n || Width(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		w := runeWidth(r)
		if used+w > n-1 {
			return s[:i] + "…"
		}
		used += w
	}
	return s
}

// Middle shortens s to at most n columns by what stands in its middle: of a path the
// start and the end say most.
func Middle(s string, n int) string {
	if n <= 0 || len(s) <= n || Width(s) <= n {
		return s
	}
	head := (n - 1) / 3
	tail, used := len(s), 0
	for tail > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:tail])
		if used += runeWidth(r); used > n-1-head {
			break
		}
		tail -= size
	}
	front := ""
	if head > 0 {
		front = strings.TrimSuffix(Cut(s, head+1), "…")
	}
	return front + "…" + s[tail:]
}

// Pad adds blanks to fill n columns.
func Pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-Width(s)))
}

// Wrap breaks s at blanks into lines of at most n columns; n of 0 or less does not
// break. A word that is longer stands on a line of its own.
func Wrap(s string, n int) []string {
	if n <= 0 || Width(s) <= n {
		return []string{s}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// JSON replaces, in encoded JSON, the runes that a terminal would obey by their
// \u escapes. They stand inside strings alone, so the meaning stays. It may change b.
func JSON(b []byte) []byte {
	if asciiPrintable(b) {
		return b
	}
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(b)+16)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == '\n' || r == '\t' || !hostile(r) || r > 0xffff {
			out = append(out, b[i:i+n]...)
		} else {
			out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
		i += n
	}
	return out
}

func asciiPrintable(b []byte) bool {
	for _, c := range b {
		if c >= 0x7f {
			return false
		}
	}
	return true
}
