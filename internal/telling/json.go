package telling

import (
	"bytes"
	"encoding/json"
	"strings"
)

// MaskJSON is [Mask] of a JSON document, which it stays: each text in it is masked as it is when it is read, also where it is a
// document in its turn, and whatever has the name of a secret. What hides nothing is kept as it is written. Behind most bytes
// it ends, with "...". ok is false where s is no object or list.
func MaskJSON(s string, most int) (masked string, ok bool) {
	return maskJSON(s, most, 4)
}

const cut = "..."

func maskJSON(s string, most, deep int) (string, bool) {
	t := strings.TrimLeft(s, " \t\r\n")
	if t == "" || t[0] != '{' && t[0] != '[' || !json.Valid([]byte(s)) {
		return "", false
	}
	m := masker{in: s, most: most, deep: deep}
	for m.at < len(s) && m.out.Len() <= most {
		m.step()
	}
	if m.out.Len() > most {
		return m.out.String()[:most] + cut, true
	}
	return m.out.String(), true
}

// masker goes through a valid document.
type masker struct {
	in   string
	at   int
	out  strings.Builder
	most int
	deep int // how deep in texts documents are still looked for
	open []level
}

// level is an object or a list that has not ended.
type level struct {
	object bool
	value  bool   // of an object: the value comes next, and not the name
	secret bool   // what comes next is a secret by its name
	name   string // what the object has as its name: containers have variables so, {"name":"PASSWORD","value":"..."}
	last   string // the name of the value that comes next
}

// step takes one sign, text or number.
func (m *masker) step() {
	top := &level{}
	if n := len(m.open); n > 0 {
		top = &m.open[n-1]
	}
	switch c := m.in[m.at]; c {
	case '{':
		m.open = append(m.open, level{object: true})
	case '[':
		m.open = append(m.open, level{secret: top.secret})
	case '}', ']':
		m.open = m.open[:len(m.open)-1]
	case ':':
		top.value = true
	case ',':
		top.value = false
	case ' ', '\t', '\r', '\n':
	case '"':
		m.text(top)
		return
	default:
		m.number(top)
		return
	}
	m.out.WriteByte(m.in[m.at])
	m.at++
}

// text takes a text in quotes.
func (m *masker) text(top *level) {
	end := m.at + 1
	for ; m.in[end] != '"'; end++ {
		if m.in[end] == '\\' {
			end++
		}
	}
	end++
	raw := m.in[m.at:end]
	m.at = end
	var s string
	_ = json.Unmarshal([]byte(raw), &s) // the document is valid
	var masked string
	switch {
	case top.object && !top.value:
		top.last, top.secret = s, secretName(s) || s == "value" && secretName(top.name)
		masked = Mask(s)
	case top.secret && !open(s):
		masked = "***"
	default:
		if top.object && top.last == "name" {
			top.name = s
		}
		masked = m.inner(s)
	}
	if masked != s {
		raw = quoted(masked)
	}
	m.out.WriteString(raw)
}

// inner masks a text that may be a document itself.
func (m *masker) inner(s string) string {
	room := max(m.most-m.out.Len(), 0)
	if m.deep > 0 {
		if masked, ok := maskJSON(s, room, m.deep-1); ok {
			return masked
		}
	}
	if len(s) > room {
		return Mask(s[:room]) + cut
	}
	return Mask(s)
}

// number takes what is no text: a number, true, false or null.
func (m *masker) number(top *level) {
	n := strings.IndexAny(m.in[m.at:], ",]} \t\r\n")
	if n < 0 {
		n = len(m.in) - m.at
	}
	raw := m.in[m.at : m.at+n]
	m.at += n
	if top.secret && !open(raw) {
		raw = `"***"`
	}
	m.out.WriteString(raw)
}

// open tells whether a value is no secret though its name says so.
func open(s string) bool {
	return s == "" || harmless[strings.ToLower(s)] || strings.HasPrefix(s, "${") || strings.HasPrefix(s, "$(")
}

// secretName tells whether a name is that of a secret.
func secretName(name string) bool {
	line := name + "=x"
	return Mask(line) != line
}

// quoted is s as JSON has it.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has no error
	return strings.TrimSuffix(b.String(), "\n")
}
