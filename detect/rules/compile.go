package rules

import (
	"errors"
	"fmt"
	"slices"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// cond is a condition whose fields are bound. What macros stand for is shared by all rules of a source.
type cond struct {
	op    condOp
	terms []*cond
	check *check
	macro string // what it is called, where it is a macro
	expr  lang.Expr
	// may and mayNot are the kinds of event of which it can be true, and false.
	may, mayNot kinds
}

type condOp uint8

const (
	isCheck condOp = iota
	isAnd
	isOr
	isNot
)

// compiler binds the conditions of one source.
type compiler struct {
	source  string
	conds   map[lang.Expr]*cond
	made    map[madeKey]code
	domains []string // names that addresses are compared with
	odd     []oddity // what was seen since it was last asked for
}

type madeKey struct {
	of *cond
	k  bulwark.Kind
}

// oddity is something in a rule that is probably not meant so.
type oddity struct {
	pos        lang.Pos
	code, text string
}

// oddities gives what was seen since it was last called, each once.
func (c *compiler) oddities() (list []oddity) {
	for _, o := range c.odd {
		if !slices.ContainsFunc(list, func(p oddity) bool { return p.text == o.text }) {
			list = append(list, o)
		}
	}
	c.odd = nil
	return list
}

func newCompiler(source string) *compiler {
	return &compiler{source: source, conds: map[lang.Expr]*cond{}, made: map[madeKey]code{}}
}

// placed is an error with its place.
type placed struct {
	pos     lang.Pos
	unknown bool
	err     error
}

func (e *placed) Error() string { return e.err.Error() }

func placedAt(pos lang.Pos, err error) error {
	var p *placed
	var f *unknownField
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f):
		return &placed{f.pos, f.unknown, f.err}
	}
	return &placed{pos: pos, err: err}
}

func (c *compiler) cond(e lang.Expr) (*cond, error) {
	if n, ok := c.conds[e]; ok {
		return n, nil
	}
	n, err := c.bind(e)
	if err != nil {
		return nil, err
	}
	n.expr = e
	n.analyse()
	c.conds[e] = n
	return n, nil
}

func (c *compiler) bind(e lang.Expr) (*cond, error) {
	switch e := e.(type) {
	case *lang.And:
		return c.group(isAnd, e.Terms)
	case *lang.Or:
		return c.group(isOr, e.Terms)
	case *lang.Not:
		return c.group(isNot, []lang.Expr{e.Term})
	case *lang.Macro:
		n, err := c.cond(e.Expr)
		if err != nil {
			return nil, err
		}
		named := *n
		named.macro = e.Name
		return &named, nil
	case *lang.Check:
		k, err := c.check(e)
		if err != nil {
			return nil, placedAt(e.Pos, err)
		}
		return &cond{check: k}, nil
	}
	return nil, fmt.Errorf("%T is no condition", e)
}

func (c *compiler) group(op condOp, terms []lang.Expr) (*cond, error) {
	n := &cond{op: op}
	for _, t := range terms {
		m, err := c.cond(t)
		if err != nil {
			return nil, err
		}
		n.terms = append(n.terms, m)
	}
	return n, nil
}

// analyse works out for which kinds the condition can be true and false.
func (n *cond) analyse() {
	if n.may != nil {
		return
	}
	n.may, n.mayNot = noKinds(), noKinds()
	switch n.op {
	case isCheck:
		probe := newProbe()
		for k := bulwark.Kind(1); int(k) < len(eventNames); k++ {
			is, known := n.check.fixed(probe, k)
			if is || !known {
				n.may.add(k)
			}
			if !is || !known {
				n.mayNot.add(k)
			}
		}
	case isNot:
		n.may, n.mayNot = n.terms[0].mayNot, n.terms[0].may
	case isAnd:
		copy(n.may, n.terms[0].may)
		for _, t := range n.terms {
			n.may.and(t.may)
			n.mayNot.or(t.mayNot)
		}
	case isOr:
		copy(n.mayNot, n.terms[0].mayNot)
		for _, t := range n.terms {
			n.mayNot.and(t.mayNot)
			n.may.or(t.may)
		}
	}
}

// code is a condition for one kind of event, or for all. With known set it is always what is says.
type code struct {
	test  func(*event) bool
	known bool
	is    bool
	cost  int
}

// make makes the code of a condition for a kind; with kind 0, for all kinds.
func (c *compiler) make(n *cond, k bulwark.Kind) code {
	key := madeKey{n, k}
	if m, ok := c.made[key]; ok {
		return m
	}
	m := c.build(n, k)
	c.made[key] = m
	return m
}

func (c *compiler) build(n *cond, k bulwark.Kind) code {
	if k != 0 && !n.may.has(k) {
		return code{known: true}
	}
	if k != 0 && !n.mayNot.has(k) {
		return code{known: true, is: true}
	}
	switch n.op {
	case isCheck:
		return code{test: n.check.test, cost: n.check.cost}
	case isNot:
		m := c.make(n.terms[0], k)
		if m.known {
			return code{known: true, is: !m.is}
		}
		return code{test: func(v *event) bool { return !m.test(v) }, cost: m.cost}
	}
	var list []code
	want := n.op == isAnd // what a term has to be for the others to matter
	for _, t := range n.terms {
		m := c.make(t, k)
		if m.known && m.is != want {
			return m
		}
		if !m.known {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b code) int { return a.cost - b.cost })
	return joined(list, want)
}

// joined is true where all of the tests are, or with all unset where any is.
func joined(list []code, all bool) code {
	switch len(list) {
	case 0:
		return code{known: true, is: all}
	case 1:
		return list[0]
	}
	cost := 0
	tests := make([]func(*event) bool, len(list))
	for i, m := range list {
		tests[i] = m.test
		cost += m.cost/(i+1) + 1
	}
	a, b := tests[0], tests[1]
	switch {
	case len(tests) == 2 && all:
		return code{cost: cost, test: func(v *event) bool { return a(v) && b(v) }}
	case len(tests) == 2:
		return code{cost: cost, test: func(v *event) bool { return a(v) || b(v) }}
	case all:
		return code{cost: cost, test: func(v *event) bool {
			for _, t := range tests {
				if !t(v) {
					return false
				}
			}
			return true
		}}
	}
	return code{cost: cost, test: func(v *event) bool {
		for _, t := range tests {
			if t(v) {
				return true
			}
		}
		return false
	}}
}
