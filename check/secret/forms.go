package secret

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"bulwark/check/secret/internal/rule"
	"bulwark/internal/match"
)

// form is how a text is written in a file.
type form uint8

const (
	plain     form = iota
	wide           // UTF-16, either order
	base64At0      // base 64, the anchor's first byte being the first, second, third of its group
	base64At1
	base64At2
	urlEscaped
	jsonEscaped
)

// stretch is how much longer a text is in any form at most, escapes of single characters aside.
const stretch = 2

// decoded names the form, for evidence.
func (f form) String() string {
	switch f {
	case wide:
		return "UTF-16"
	case base64At0, base64At1, base64At2:
		return "base 64"
	case urlEscaped:
		return "URL escapes"
	case jsonEscaped:
		return "JSON escapes"
	}
	return ""
}

type written struct {
	literal match.Literal
	form    form
}

// formsOf lists how an anchor may be written. Common words are looked for in text alone.
func formsOf(anchor string, fold, common bool) []written {
	out := []written{{match.Literal{Text: anchor, Fold: fold}, plain}}
	if len(anchor) >= 3 {
		out = append(out, written{match.Literal{Text: strings.Join(strings.Split(anchor, ""), "\x00"), Fold: fold}, wide})
	}
	if common {
		return out
	}
	if s := escaped(anchor, urlSafe, "%%%02X"); s != anchor {
		out = append(out, written{match.Literal{Text: s, Fold: true}, urlEscaped})
	}
	if s := escaped(anchor, jsonSafe, `\u%04x`); s != anchor {
		out = append(out, written{match.Literal{Text: s, Fold: true}, jsonEscaped})
	}
	if s := strings.ReplaceAll(anchor, "/", `\/`); s != anchor {
		out = append(out, written{match.Literal{Text: s, Fold: fold}, jsonEscaped})
	}
	return out
}

// codedForms lists how an anchor may be written in base 64.
func codedForms(anchor string, fold bool) []written {
	var out []written
	if len(anchor) < 4 {
		return nil
	}
	for _, cased := range casesOf(anchor, fold) {
		for at := range 3 {
			for _, text := range inBase64(cased, at) {
				out = append(out, written{match.Literal{Text: text}, base64At0 + form(at)})
			}
		}
	}
	return out
}

// casesOf lists how a word of any case is mostly written.
func casesOf(anchor string, fold bool) []string {
	if !fold {
		return []string{anchor}
	}
	lower := strings.ToLower(anchor)
	list := []string{lower, strings.ToUpper(anchor), strings.ToUpper(lower[:1]) + lower[1:]}
	slices.Sort(list)
	return slices.Compact(list)
}

// inBase64 is the characters that text has in base 64 whatever stands around it, when
// that many bytes of its group of three come before it. Four bytes in the middle of a group
// have four characters of their own, too few to be rare: with them come the four that the
// character before can be.
func inBase64(text string, before int) []string {
	encode := func(lead string) string { return base64.RawStdEncoding.EncodeToString([]byte(lead + text)) }
	first, last := firstBase64(before), (before+len(text))*8/6
	if before != 1 || len(text) > 4 {
		return []string{encode("\x00\x00"[:before])[first:last]}
	}
	var out []string
	for c := range 4 {
		out = append(out, encode(string([]byte{byte(c)}))[first-1:last])
	}
	return out
}

// firstBase64 is the first character that is the text's own.
func firstBase64(before int) int { return (before*8 + 5) / 6 }

func urlSafe(c byte) bool  { return isWord(c) || c == '-' || c == '.' || c == '~' }
func jsonSafe(c byte) bool { return strings.IndexByte(`<>&='+`, c) < 0 }

func escaped(s string, safe func(byte) bool, format string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !safe(byte(r)) }) {
		return s
	}
	var out strings.Builder
	for _, c := range []byte(s) {
		if safe(c) {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, format, c)
	}
	return out.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// window gives the text around an anchor that starts at a place of buf, and where in it
// the anchor starts; -1 when it is not there after all.
func (u *use) window(buf []byte, start int, scratch []byte) (text []byte, at int) {
	before, after := u.m.Span()
	switch u.form {
	case plain:
		from := max(0, start-before)
		from += bytes.LastIndexByte(buf[from:start], 0) + 1
		text = buf[from:min(len(buf), start+after)]
		if i := bytes.IndexByte(text[start-from:], 0); i >= 0 {
			text = text[:start-from+i]
		}
		return text, start - from
	case wide:
		return narrowed(buf, start, before, after, scratch)
	case urlEscaped, jsonEscaped:
		from := max(0, start-before)
		text = unescape(scratch[:0], buf[from:start], u.form)
		at = len(text)
		return unescape(text, buf[start:min(len(buf), start+after*stretch)], u.form), at
	}
	return u.fromBase64(buf, start, before, after, scratch)
}

// narrowed takes every second byte while those between are zero.
func narrowed(buf []byte, start, before, after int, scratch []byte) ([]byte, int) {
	from := start
	for from >= 2 && from > start-2*before && buf[from-1] == 0 && buf[from-2] != 0 {
		from -= 2
	}
	text := scratch[:0]
	for i := from; i < len(buf) && i < start+2*after && buf[i] != 0; i += 2 {
		text = append(text, buf[i])
		if i+1 < len(buf) && buf[i+1] != 0 {
			break
		}
	}
	return text, (start - from) / 2
}

// shortestBase64 is how many characters a secret has in base 64, from its anchor on.
const shortestBase64 = 14

// fromBase64 decodes what stands around the characters of the anchor.
func (u *use) fromBase64(buf []byte, start, before, after int, scratch []byte) ([]byte, int) {
	ahead := int(u.form - base64At0)
	first := start - firstBase64(ahead) // where the group begins that the anchor begins in
	if ahead == 1 && len(u.text) == 4 {
		first++
	}
	if first < 0 {
		return nil, -1
	}
	to := start
	for to < len(buf) && to < start+after*4/3 && inAlphabet(buf[to]) {
		to++
	}
	if to-start < shortestBase64 {
		return nil, -1
	}
	from := first
	for from >= 4 && from > first-before*4/3 && allBase64(buf[from-4:from]) {
		from -= 4
	}
	if (to-from)*3/4 < u.m.some.least {
		return nil, -1 // too short for a match, and so not worth decoding
	}
	text, ok := rule.Base64(buf[from : to-(to-from)%4])
	if !ok || (to-from)%4 > 1 {
		more, _ := rule.Base64(buf[from:to])
		if len(more) > len(text) {
			text = more
		}
	}
	at := (first-from)/4*3 + ahead
	if at+len(u.text) > len(text) || !strings.EqualFold(string(text[at:at+len(u.text)]), u.text) {
		return nil, -1
	}
	return text, at
}

func allBase64(b []byte) bool {
	for _, c := range b {
		if !inAlphabet(c) {
			return false
		}
	}
	return true
}

func inAlphabet(c byte) bool {
	return c != '_' && isWord(c) || c == '+' || c == '/'
}

// unescape appends text without the escapes of the form.
func unescape(out, text []byte, f form) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '%' && f == urlEscaped && i+2 < len(text) && hexOf(text[i+1:i+3]) >= 0:
			c = byte(hexOf(text[i+1 : i+3]))
			i += 2
		case c == '\\' && f == jsonEscaped && i+1 < len(text):
			var n int
			c, n = jsonEscape(text[i+1:])
			i += n
		}
		out = append(out, c)
	}
	return out
}

// jsonEscape is the character after a backslash, and how many bytes it took.
func jsonEscape(text []byte) (byte, int) {
	switch text[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'u':
		if len(text) >= 5 && hexOf(text[1:3]) == 0 && hexOf(text[3:5]) >= 0 {
			return byte(hexOf(text[3:5])), 5
		}
		return '\\', 0
	case '"', '/', '\\', '\'':
		return text[0], 1
	}
	return '\\', 0
}

// hexOf is the number that two hexadecimal digits stand for; -1 for others.
func hexOf(b []byte) int {
	n := 0
	for _, c := range b[:2] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}
