package dockerfile

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is a word's text: quotes taken away, variables of the Dockerfile replaced, anything
// else that the shell would replace as it is written.
func (w *walker) word(word *syntax.Word) string {
	if word == nil {
		return ""
	}
	var b strings.Builder
	w.text(&b, word.Parts, false)
	return b.String()
}

func (w *walker) text(b *strings.Builder, parts []syntax.WordPart, quoted bool) {
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			unescape(b, p.Value, quoted)
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			w.text(b, p.Parts, true)
		case *syntax.ParamExp:
			w.param(b, p)
		default:
			w.raw(b, p)
		}
	}
}

// unescape takes backslashes away: all of them, or within double quotes those that mean something there.
func unescape(b *strings.Builder, s string, quoted bool) {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			b.WriteString(s)
			return
		}
		b.WriteString(s[:i])
		if quoted && !strings.ContainsRune("$`\"\\\n", rune(s[i+1])) {
			b.WriteByte('\\')
		}
		if s[i+1] != '\n' {
			b.WriteByte(s[i+1])
		}
		s = s[i+2:]
	}
}

// param writes a variable's value where the Dockerfile has one, and the use is plain or has a default.
func (w *walker) param(b *strings.Builder, p *syntax.ParamExp) {
	plain := !p.Excl && !p.Length && !p.Width && p.Index == nil && p.Slice == nil && p.Repl == nil && p.Exp == nil && p.Param != nil
	if plain && b.Len() < maxWord {
		if value, ok := w.vars.value[p.Param.Value]; ok {
			b.WriteString(value)
			return
		}
	}
	w.raw(b, p)
}

// raw writes a part as it stands in the source.
func (w *walker) raw(b *strings.Builder, n syntax.Node) {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from >= 0 && from <= to && to <= len(w.src) {
		b.WriteString(w.src[from:to])
	}
}
