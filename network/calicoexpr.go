package network

import (
	"fmt"
	"strings"
)

// expression is a selector in Calico's language: has(a) && b in {"x"} || !all().
type expression struct {
	op     string // "&&", "||", "!", "all", "global", "has", "==", "!=", "in", "not in", "contains", "starts with", "ends with"
	of     []*expression
	key    string
	values []string
}

// maxNesting is how deep expressions may nest.
const maxNesting = 100

// expressionOf reads one. An empty text selects everything.
func expressionOf(text string) (*expression, error) {
	if strings.TrimSpace(text) == "" {
		return &expression{op: "all"}, nil
	}
	p := &expressionParser{rest: text}
	x, err := p.either(0)
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("%q is not expected", p.peek())
	}
	return x, err
}

// expressionParser goes through a text, one token at a time.
type expressionParser struct {
	rest  string
	token string // the next; "" when it was not read
}

// peek is the next token; "" at the end. Texts begin with their quote.
func (p *expressionParser) peek() string {
	if p.token == "" {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		n := tokenLength(p.rest)
		p.token, p.rest = p.rest[:n], p.rest[n:]
	}
	return p.token
}

func tokenLength(s string) int {
	switch {
	case s == "":
		return 0
	case s[0] == '\'' || s[0] == '"':
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return end + 2
		}
		return len(s)
	case len(s) > 1 && (s[:2] == "&&" || s[:2] == "||" || s[:2] == "==" || s[:2] == "!="):
		return 2
	}
	n := 0
	for n < len(s) && (alphanumeric(s[n]) || strings.IndexByte("_./-", s[n]) >= 0) {
		n++
	}
	return max(n, 1)
}

func (p *expressionParser) next() string {
	t := p.peek()
	p.token = ""
	return t
}

func (p *expressionParser) want(token string) error {
	if got := p.next(); got != token {
		return fmt.Errorf("%q is expected, not %q", token, got)
	}
	return nil
}

func (p *expressionParser) either(depth int) (*expression, error) {
	return p.chain("||", depth, p.every)
}
func (p *expressionParser) every(depth int) (*expression, error) { return p.chain("&&", depth, p.one) }

// chain reads what an operator joins.
func (p *expressionParser) chain(op string, depth int, part func(int) (*expression, error)) (*expression, error) {
	x, err := part(depth)
	if err != nil || p.peek() != op {
		return x, err
	}
	all := &expression{op: op, of: []*expression{x}}
	for p.peek() == op {
		p.next()
		if x, err = part(depth); err != nil {
			return nil, err
		}
		all.of = append(all.of, x)
	}
	return all, nil
}

// one reads what stands for itself.
func (p *expressionParser) one(depth int) (*expression, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("it nests deeper than %d", maxNesting)
	}
	switch t := p.next(); {
	case t == "!":
		x, err := p.one(depth + 1)
		return &expression{op: "!", of: []*expression{x}}, err
	case t == "(":
		x, err := p.either(depth + 1)
		if err == nil {
			err = p.want(")")
		}
		return x, err
	case t == "":
		return nil, fmt.Errorf("it ends too early")
	case (t == "all" || t == "global" || t == "has") && p.peek() == "(":
		p.next()
		x := &expression{op: t}
		if t == "has" {
			x.key = p.next()
		}
		return x, p.want(")")
	case !alphanumeric(t[0]) && t[0] != '_':
		return nil, fmt.Errorf("%q is not expected", t)
	default:
		return p.comparison(&expression{key: t})
	}
}

// comparison reads what comes after a label's name.
func (p *expressionParser) comparison(x *expression) (*expression, error) {
	x.op = p.next()
	switch x.op {
	case "==", "!=", "contains":
	case "starts", "ends":
		x.op += " with"
		if err := p.want("with"); err != nil {
			return nil, err
		}
	case "not":
		x.op = "not in"
		if err := p.want("in"); err != nil {
			return nil, err
		}
		fallthrough
	case "in":
		return x, p.list(x)
	default:
		return nil, fmt.Errorf("unknown operator %q", x.op)
	}
	return x, p.value(x)
}

func (p *expressionParser) list(x *expression) error {
	if err := p.want("{"); err != nil {
		return err
	}
	for p.peek() != "}" {
		if err := p.value(x); err != nil {
			return err
		}
		if p.peek() == "," {
			p.next()
		} else if p.peek() != "}" {
			return fmt.Errorf("%q is expected, not %q", "}", p.peek())
		}
	}
	p.next()
	return nil
}

// value reads a text in quotes.
func (p *expressionParser) value(x *expression) error {
	t := p.next()
	if len(t) < 2 || t[0] != '\'' && t[0] != '"' || t[len(t)-1] != t[0] {
		return fmt.Errorf("a text in quotes is expected, not %q", t)
	}
	x.values = append(x.values, t[1:len(t)-1])
	return nil
}

// match gives the things of an index that the expression selects, with prefix before the
// names of labels. The set is the caller's.
func (x *expression) match(labels *index, prefix string) set {
	n := len(labels.labels)
	switch x.op {
	case "all":
		return full(n)
	case "global": // neither in a namespace nor of one
		s := full(n)
		s.without(labels.with(spaceLabel, func(string) bool { return true }))
		return s
	case "!":
		s := full(n)
		s.without(x.of[0].match(labels, prefix))
		return s
	case "&&", "||":
		s := x.of[0].match(labels, prefix)
		for _, y := range x.of[1:] {
			if x.op == "&&" {
				s.and(y.match(labels, prefix))
			} else {
				s.or(y.match(labels, prefix))
			}
		}
		return s
	}
	s := labels.with(prefix+x.key, x.fits)
	if x.op == "!=" || x.op == "not in" {
		rest := full(n)
		rest.without(s)
		return rest
	}
	return s
}

// fits tells whether a label's value is what the expression compares with, or excludes.
func (x *expression) fits(value string) bool {
	switch x.op {
	case "has":
		return true
	case "contains":
		return strings.Contains(value, x.values[0])
	case "starts with":
		return strings.HasPrefix(value, x.values[0])
	case "ends with":
		return strings.HasSuffix(value, x.values[0])
	}
	for _, v := range x.values {
		if v == value {
			return true
		}
	}
	return false
}

// with gives the things that have a label with such a value.
func (x *index) with(key string, fits func(string) bool) set {
	s := newSet(len(x.labels))
	for value, list := range x.values(key) {
		if fits(value) {
			for _, i := range list {
				s.add(int(i))
			}
		}
	}
	return s
}
