package syntax

import (
	"slices"
	"strings"
)

const (
	maxErrors  = 100_000
	maxNesting = 200 // of a condition
	maxStrings = 10_000
	maxNodes   = 20_000 // of a condition: operators and loops may not nest deeper either
)

type parser struct {
	lexer
	tok   token
	depth int
	nodes int  // of the condition
	bare  bool // what is read is a quantifier: of is not part of it
	rule  string
	late  *Error // of the token after a rule
}

// Parse reads a source. What it cannot read is in the Errors of the file, and it goes on
// with the next rule.
func Parse(src string) *File {
	p := &parser{lexer: lexer{src: src, line: 1}}
	p.shift()
	p.late, p.err = p.err, nil
	f := &File{}
	for p.tok.kind != tEOF || p.err != nil || p.late != nil {
		start := p.tok
		item := p.item()
		if p.err == nil {
			f.Items = append(f.Items, item)
			continue
		}
		p.err.Rule = p.rule
		f.Errors = append(f.Errors, p.err)
		if len(f.Errors) >= maxErrors {
			f.Errors = append(f.Errors, &Error{Pos: start.Pos, Text: "too many problems; the rest of the file was not read"})
			break
		}
		p.recover(start)
	}
	return f
}

// itemLine gives where from off on the first line begins that looks like the begin of an
// item; off begins a line.
func itemLine(src string, off int) int {
	for off < len(src) {
		line := src[off:]
		next := len(src)
		if n := strings.IndexByte(line, '\n'); n >= 0 {
			line, next = line[:n], off+n+1
		}
		line = strings.TrimLeft(line, " \t")
		for _, word := range []string{"rule", "private", "global", "import", "include"} {
			if rest, ok := strings.CutPrefix(line, word); ok && rest != "" && strings.IndexByte(" \t\"", rest[0]) >= 0 {
				return off
			}
		}
		off = next
	}
	return len(src)
}

// recover goes on with the next line after the error that looks like the begin of an
// item, the line of the error included when the item began on another.
func (p *parser) recover(start token) {
	off, failed := min(start.from, len(p.src)), p.err.Line
	p.err, p.depth, p.bare = nil, 0, false
	p.off, p.line, p.bol = off, start.Line, off-start.Column+1
	for line := start.Line; line < max(failed, start.Line+1); line++ {
		n := strings.IndexByte(p.src[off:], '\n')
		if n < 0 {
			off = len(p.src)
			break
		}
		off += n + 1
	}
	p.advance(itemLine(p.src, off))
	p.shift()
	p.late, p.err = p.err, nil
}

func (p *parser) shift() { p.tok = p.next() }

// is tells whether the current token is this keyword or operator.
func (p *parser) is(text string) bool {
	return (p.tok.kind == tKeyword || p.tok.kind == tPunct) && p.tok.text == text && p.err == nil
}

// accept takes the keyword or operator when it is there.
func (p *parser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.shift()
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.unexpected(text)
	}
}

func (p *parser) unexpected(want string) {
	p.fail(p.tok.Pos, "syntax error: unexpected %s, %s was expected", p.tok.String(), want)
}

func (t token) String() string {
	switch t.kind {
	case tEOF:
		return "end of file"
	case tString:
		return "string"
	case tInt, tFloat:
		return "number"
	case tCount:
		return "#" + t.text[1:]
	case tAt:
		return "@" + t.text[1:]
	case tLen:
		return "!" + t.text[1:]
	}
	return `"` + t.text + `"`
}

// take takes a token of that kind.
func (p *parser) take(k kind, what string) token {
	t := p.tok
	if t.kind != k || p.err != nil {
		p.unexpected(what)
		return token{Pos: t.Pos}
	}
	p.shift()
	return t
}

func (p *parser) item() Item {
	p.rule = ""
	p.err, p.late = p.late, nil
	at := p.tok.Pos
	switch {
	case p.accept("import"):
		return Item{Pos: at, Import: p.take(tString, "a module's name").text}
	case p.accept("include"):
		return Item{Pos: at, Include: p.take(tString, "a file's name").text}
	}
	r := &Rule{}
	for {
		switch {
		case p.accept("private"):
			r.Private = true
			continue
		case p.accept("global"):
			r.Global = true
			continue
		}
		break
	}
	r.Pos = p.tok.Pos
	p.expect("rule")
	name := p.take(tName, "a name")
	r.Name, p.rule = name.text, name.text
	p.tags(r)
	p.expect("{")
	p.meta(r)
	p.strings(r)
	p.expect("condition")
	p.expect(":")
	p.nodes = 0
	r.Condition = p.expr()
	p.end()
	return Item{Pos: r.Pos, Rule: r}
}

// end takes the brace that ends a rule. An error in what follows is not the rule's.
func (p *parser) end() {
	if !p.is("}") {
		p.unexpected("}")
		return
	}
	p.shift()
	p.late, p.err = p.err, nil
}

func (p *parser) tags(r *Rule) {
	if !p.accept(":") {
		return
	}
	for p.err == nil {
		t := p.take(tName, "a tag")
		if slices.Contains(r.Tags, t.text) {
			p.fail(t.Pos, "duplicated tag %q", t.text)
		}
		r.Tags = append(r.Tags, t.text)
		if p.tok.kind != tName {
			return
		}
	}
}

func (p *parser) meta(r *Rule) {
	if !p.accept("meta") {
		return
	}
	p.expect(":")
	for p.err == nil && p.tok.kind == tName {
		m := Meta{Name: p.tok.text}
		p.shift()
		p.expect("=")
		switch t := p.tok; {
		case t.kind == tString:
			m.Value = t.text
		case t.kind == tInt:
			m.Value = t.num
		case p.is("true"), p.is("false"):
			m.Value = t.text == "true"
		case p.accept("-"):
			m.Value = -p.tok.num
			if p.tok.kind != tInt {
				p.unexpected("a number")
			}
		default:
			p.unexpected("a string, a number, true or false")
		}
		p.shift()
		r.Meta = append(r.Meta, m)
	}
}

func (p *parser) strings(r *Rule) {
	if !p.accept("strings") {
		return
	}
	p.expect(":")
	seen := map[string]bool{}
	for p.err == nil && p.tok.kind == tID {
		s := p.string()
		if s.ID != "$" && seen[s.ID] {
			p.fail(s.Pos, "duplicated string identifier %q", s.ID)
		}
		seen[s.ID] = true
		r.Strings = append(r.Strings, s)
		if len(r.Strings) > maxStrings {
			p.fail(s.Pos, "more than %d strings", maxStrings)
		}
	}
	if len(r.Strings) == 0 {
		p.unexpected("a string's name")
	}
}

func (p *parser) string() *String {
	s := &String{Pos: p.tok.Pos, ID: p.tok.text}
	p.shift()
	if !p.is("=") {
		p.unexpected("=")
		return s
	}
	p.shift()
	switch {
	case p.tok.kind == tString:
		s.Text = []byte(p.tok.text)
		if len(s.Text) == 0 {
			p.fail(p.tok.Pos, "empty string %q", s.ID)
		}
	case p.is("{"):
		s.Hex, s.Expr = true, p.hex()
	case p.is("/"):
		s.Expr = p.regexp()
	default:
		p.unexpected("a string")
		return s
	}
	p.shift()
	p.modifiers(s)
	return s
}
