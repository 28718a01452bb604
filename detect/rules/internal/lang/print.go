package lang

import (
	"strconv"
	"strings"
)

// Print is a condition as rules write it, with what macros stand for in parentheses in place of their names where
// expand is. It ends with "..." where it is longer than most bytes.
func Print(e Expr, expand bool, most int) string {
	p := printer{expand: expand, most: most}
	p.expr(e, 0)
	if p.b.Len() > most {
		return p.b.String()[:most] + "..."
	}
	return p.b.String()
}

type printer struct {
	b      strings.Builder
	expand bool
	most   int
}

// The strengths of what stands around an expression: one that binds less needs parentheses.
const (
	inOr = iota + 1
	inAnd
	inNot
)

func (p *printer) expr(e Expr, in int) {
	if p.b.Len() > p.most {
		return
	}
	switch e := e.(type) {
	case *Or:
		p.terms(e.Terms, " or ", in > inOr, inOr)
	case *And:
		p.terms(e.Terms, " and ", in > inAnd, inAnd)
	case *Not:
		p.b.WriteString("not ")
		p.expr(e.Term, inNot)
	case *Macro:
		if p.expand && e.Expr != nil {
			p.b.WriteByte('(')
			p.expr(e.Expr, 0)
			p.b.WriteByte(')')
			return
		}
		p.b.WriteString(e.Name)
	case *Check:
		p.check(e)
	}
}

func (p *printer) terms(terms []Expr, between string, enclosed bool, in int) {
	if enclosed {
		p.b.WriteByte('(')
		defer p.b.WriteByte(')')
	}
	for i, t := range terms {
		if i > 0 {
			p.b.WriteString(between)
		}
		p.expr(t, in+1)
	}
}

func (p *printer) check(c *Check) {
	p.term(c.Left)
	p.b.WriteString(" " + c.Op.String())
	if c.Modifier != Plain {
		p.b.WriteString(" " + c.Modifier.String())
	}
	if c.Op == Exists {
		return
	}
	p.b.WriteByte(' ')
	switch f, field := c.Right.(*Field); {
	case field:
		p.b.WriteString("val(")
		p.term(f)
		p.b.WriteByte(')')
	case c.Right != nil:
		p.term(c.Right)
	case c.Op.List() || c.Modifier != Plain:
		p.b.WriteByte('(')
		for i, v := range c.Values {
			if i > 0 {
				p.b.WriteString(", ")
			}
			if p.b.Len() > p.most {
				break
			}
			p.value(&v)
		}
		p.b.WriteByte(')')
	default:
		p.value(&c.Values[0])
	}
}

// value writes a text so that it is read as the same: bare where that can be.
func (p *printer) value(v *Value) {
	s := v.Text
	if s != "" && !v.Quoted && !strings.ContainsAny(s, " \t\r\n\b\v\f"+stopsValue) {
		p.b.WriteString(s)
		return
	}
	p.b.WriteByte('"')
	p.b.WriteString(escaper.Replace(s))
	p.b.WriteByte('"')
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)

func (p *printer) term(t Term) {
	switch t := t.(type) {
	case *Field:
		p.b.WriteString(t.Name)
		if !t.HasArg {
			return
		}
		arg := Value{Text: t.Arg}
		p.b.WriteByte('[')
		if t.Arg == "" || strings.ContainsAny(t.Arg, stopsArg+" \t\r\n\b\v\f") {
			arg.Quoted = true
			p.value(&arg)
		} else {
			p.b.WriteString(t.Arg)
		}
		p.b.WriteByte(']')
	case *Call:
		p.b.WriteString(t.Name)
		p.arguments(t.Args)
	case *List:
		p.arguments(t.Items)
	case *Value:
		if !t.Quoted {
			p.b.WriteString(t.Text)
			return
		}
		p.value(t)
	}
}

func (p *printer) arguments(terms []Term) {
	p.b.WriteByte('(')
	for i, t := range terms {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.term(t)
	}
	p.b.WriteByte(')')
}

// String is the output piece as it is written.
func (p Piece) String() string {
	switch {
	case p.Term == nil:
		return p.Text
	case p.Width > 0:
		return "%" + strconv.Itoa(p.Width) + p.Text
	}
	return "%" + p.Text
}
