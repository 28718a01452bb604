package lang

import "strings"

// parseOutput reads a format: literal text, and fields behind %.
func parseOutput(t *text) (Output, error) {
	out := Output{Text: t.s, Strict: !strings.HasPrefix(t.s, "*")}
	p := parser{lexer: lexer{text: t, s: t.s, code: CodeOutput}}
	if !out.Strict {
		p.i++
	}
	for !p.end() {
		n := strings.IndexByte(p.rest(), '%')
		if n < 0 {
			n = len(p.rest())
		}
		if n > 0 {
			out.Pieces = append(out.Pieces, Piece{Text: p.rest()[:n], Pos: p.pos()})
			p.i += n
			continue
		}
		piece, err := p.piece()
		if err != nil {
			return out, err
		}
		out.Pieces = append(out.Pieces, piece)
	}
	return out, nil
}

// piece reads a field behind %.
func (p *parser) piece() (Piece, error) {
	from, out := p.i, Piece{Pos: p.pos()}
	p.i++
	for !p.end() && digit(p.s[p.i]) && out.Width < 10000 {
		out.Width = out.Width*10 + int(p.s[p.i]-'0')
		p.i++
	}
	begin := p.i
	name := p.name()
	if _, ok := transformers[name]; !strings.Contains(name, ".") && !(ok && p.opens(len(name))) {
		return out, p.fail(from, "%% has to be followed by the name of a field, such as %%proc.name; found %s", quoteOf(p.shown()))
	}
	t, err := p.term()
	out.Term, out.Text = t, p.s[begin:p.i]
	return out, err
}
