package chart

import (
	"crypto/rand"
	"reflect"
	"sort"
	"strings"
	"text/template"
	"text/template/parse"

	"bulwark/internal/lazyregexp"
)

// Place is where a part of a manifest was written.
type Place struct {
	Path string
	Line int
	// Values is the path in the root chart's values that gave it; nil when a template did, or
	// several values together.
	Values []string
	// From and To are the bytes of the manifest that came from there.
	From, To int
}

// spot is a node of a template.
type spot struct {
	file   string
	line   int
	text   bool // lines of the output are lines of the template
	values []string
	opens  opening
}

// opening is the key that a condition writes when its values are there.
type opening struct {
	key    string
	indent int
	values []string // whose text follows the key
}

// mark says that what is written from an offset on comes from a spot.
type mark struct{ at, spot int }

// trace tells of the bytes of a manifest what wrote them.
type trace struct {
	marks []mark
	spots []spot
	text  string
}

// At is where the byte of the manifest at offset comes from.
func (m *Manifest) At(offset int) (Place, bool) {
	t := m.trace
	if t == nil {
		return Place{}, false
	}
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].at > offset }) - 1
	if i < 0 {
		return Place{}, false
	}
	s := t.spots[t.marks[i].spot]
	p := Place{Path: s.file, Line: s.line, Values: s.values, From: t.marks[i].at, To: len(t.text)}
	if i+1 < len(t.marks) {
		p.To = t.marks[i+1].at
	}
	if s.text && offset <= len(t.text) {
		p.Line += strings.Count(t.text[p.From:min(offset, p.To)], "\n")
	}
	return p, true
}

// Absent is where a key would be written, between two bytes of the manifest and indented so
// far, if the values that it depends on were there.
func (m *Manifest) Absent(from, to int, key string, indent int) (Place, bool) {
	if m.trace == nil {
		return Place{}, false
	}
	for _, mk := range m.trace.marks {
		s := &m.trace.spots[mk.spot]
		if mk.at >= from && mk.at <= to && s.opens.key == key && s.opens.indent == indent {
			return Place{Path: s.file, Line: s.line, Values: s.opens.values, From: mk.at, To: mk.at}, true
		}
	}
	return Place{}, false
}

// without takes a word out of the text, and moves the marks along.
func (t *trace) without(text, word string) string {
	if !strings.Contains(text, word) {
		t.text = text
		return text
	}
	var b strings.Builder
	gone, at, m := 0, 0, 0
	for {
		i := strings.Index(text[at:], word)
		if i < 0 {
			break
		}
		i += at
		for ; m < len(t.marks) && t.marks[m].at <= i; m++ {
			t.marks[m].at -= gone
		}
		b.WriteString(text[at:i])
		at, gone = i+len(word), gone+len(word)
	}
	for ; m < len(t.marks); m++ {
		t.marks[m].at = max(t.marks[m].at-gone, 0)
	}
	b.WriteString(text[at:])
	t.text = b.String()
	return t.text
}

// The functions that the injector calls in templates. No template can name them: their
// names are others in every run.
var (
	secret    = strings.ToLower(rand.Text())
	hookAt    = "at" + secret
	hookRound = "round" + secret
	hookEnter = "enter" + secret
	hookLeave = "leave" + secret
	hookPaid  = "paid" + secret
)

// hooks are those functions. Each gives an empty text, which writes nothing.
func (r *renderer) hooks() template.FuncMap {
	return template.FuncMap{
		hookAt: func(id int) string {
			if r.nested == 0 {
				r.trace.marks = append(r.trace.marks, mark{r.out.b.Len(), id})
			}
			return ""
		},
		hookRound: func(int) (string, error) { return "", r.step() },
		hookEnter: func(int) (string, error) {
			if r.calls++; r.calls > maxCalls {
				return "", tooMuch("templates that call each other without end")
			}
			return "", r.step()
		},
		hookLeave: func(int) string { r.calls--; return "" },
		hookPaid: func(v any) (any, error) {
			r.steps++
			if v == nil {
				return v, r.within()
			}
			return v, r.made("", reflect.ValueOf(v))
		},
	}
}

// injector puts calls into parsed templates: they tell the trace which node writes what,
// and hold loops and calls to the budget.
type injector struct {
	r      *renderer
	file   string // "" for a text, which is not traced
	text   string
	prefix []string

	counted int // how far lines were counted
	line    int
}

// scope is what is known of the dot and the variables at a place: their paths below the
// root of what a template sees.
type scope struct {
	dot   []string // nil: not known; empty: the root
	known bool
	vars  map[string][]string
}

func (in *injector) tree(t *parse.Tree) {
	in.list(t.Root, scope{known: true, vars: map[string][]string{"$": {}}})
	if t.Root != nil {
		t.Root.Nodes = append(append([]parse.Node{call(hookEnter, 0)}, t.Root.Nodes...), call(hookLeave, 0))
	}
}

func call(name string, id int) parse.Node {
	arg := &parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(id), Text: "0"}
	cmd := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(name), arg}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{cmd}}}
}

func (in *injector) list(l *parse.ListNode, s scope) {
	if l == nil {
		return
	}
	var out []parse.Node
	for _, n := range l.Nodes {
		if in.file != "" {
			out = append(out, call(hookAt, in.spot(n, s)))
		}
		out = append(out, n)
		in.inside(n, s)
	}
	l.Nodes = out
}

// inside goes on with what a node holds.
func (in *injector) inside(n parse.Node, s scope) {
	in.within(n, s)
	switch n := n.(type) {
	case *parse.ActionNode:
		paid(n.Pipe)
	case *parse.IfNode:
		paid(n.Pipe)
	case *parse.WithNode:
		paid(n.Pipe)
	case *parse.RangeNode:
		paid(n.Pipe)
	case *parse.TemplateNode:
		paid(n.Pipe)
	}
}

// paid has the results of methods counted, as those of functions are: they are passed on by
// way of a function.
func paid(p *parse.PipeNode) {
	if p == nil {
		return
	}
	var cmds []*parse.CommandNode
	for _, c := range p.Cmds {
		for i, arg := range c.Args {
			if chain, ok := arg.(*parse.ChainNode); ok {
				if inner, ok := chain.Node.(*parse.PipeNode); ok {
					paid(inner)
				}
			}
			switch a := arg.(type) {
			case *parse.PipeNode:
				paid(a)
			case *parse.FieldNode, *parse.VariableNode, *parse.ChainNode:
				if i > 0 && method(a) {
					c.Args[i] = &parse.PipeNode{NodeType: parse.NodePipe, Pos: a.Position(), Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: a.Position(), Args: []parse.Node{a}}, through()}}
				}
			}
		}
		if cmds = append(cmds, c); calls(c) {
			cmds = append(cmds, through())
		}
	}
	p.Cmds = cmds
}

func through() *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(hookPaid)}}
}

// calls tells whether a command calls a method, or may.
func calls(c *parse.CommandNode) bool {
	switch c.Args[0].(type) {
	case *parse.FieldNode, *parse.VariableNode, *parse.ChainNode:
		return len(c.Args) > 1 || method(c.Args[0])
	}
	return false
}

// method tells whether an operand is a call of a method without arguments, or of one that is
// given the value before it.
func method(n parse.Node) bool {
	var names []string
	switch n := n.(type) {
	case *parse.FieldNode:
		names = n.Ident
	case *parse.VariableNode:
		names = n.Ident
	case *parse.ChainNode:
		names = n.Field
	}
	return len(names) > 0 && methods[names[len(names)-1]]
}

var methods = words("AsConfig AsSecrets YAML AsMap Lines Get GetBytes Glob Format String")

// within goes on with the lists that a node holds.
func (in *injector) within(n parse.Node, s scope) {
	switch n := n.(type) {
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 1 {
			s.vars[n.Pipe.Decl[0].Ident[0]], _ = s.path(n.Pipe)
		}
	case *parse.IfNode:
		in.list(n.List, s.inner())
		in.list(n.ElseList, s.inner())
	case *parse.WithNode:
		in.list(n.List, s.with(n.Pipe))
		in.list(n.ElseList, s.inner())
	case *parse.RangeNode:
		inner := s.inner()
		inner.known = false
		for _, d := range n.Pipe.Decl {
			inner.vars[d.Ident[0]] = nil
		}
		in.list(n.List, inner)
		n.List.Nodes = append([]parse.Node{call(hookRound, 0)}, n.List.Nodes...)
		in.list(n.ElseList, s.inner())
	}
}

// spot makes the spot of a node.
func (in *injector) spot(n parse.Node, s scope) int {
	p := spot{file: in.file, line: in.lineAt(int(n.Position()))}
	switch n := n.(type) {
	case *parse.TextNode:
		p.text = true
	case *parse.ActionNode:
		p.values = in.values(n.Pipe, s)
	case *parse.WithNode:
		p.values = in.values(n.Pipe, s)
		p.opens = in.opens(n.List, s.with(n.Pipe))
	case *parse.IfNode:
		p.values = in.values(n.Pipe, s)
		p.opens = in.opens(n.List, s)
	}
	in.r.spots = append(in.r.spots, p)
	return len(in.r.spots) - 1
}

var lastKey = lazyregexp.New(`(?:^|\n)( *)(?:- )?([A-Za-z][A-Za-z0-9]*): *\s*$`)

// opens is the key at the start of a list of nodes, when values alone follow it.
func (in *injector) opens(l *parse.ListNode, s scope) opening {
	if l == nil || len(l.Nodes) < 2 {
		return opening{}
	}
	text, ok := l.Nodes[0].(*parse.TextNode)
	action, okToo := l.Nodes[1].(*parse.ActionNode)
	if !ok || !okToo {
		return opening{}
	}
	m := lastKey.FindSubmatch(text.Text)
	values := in.values(action.Pipe, s)
	if m == nil || values == nil {
		return opening{}
	}
	return opening{key: string(m[2]), indent: len(m[1]), values: values}
}

// lineAt is the line of a byte of the template; nodes come mostly in their order.
func (in *injector) lineAt(at int) int {
	if at < in.counted || in.line == 0 {
		in.counted, in.line = 0, 1
	}
	at = min(at, len(in.text))
	in.line += strings.Count(in.text[in.counted:at], "\n")
	in.counted = at
	return in.line
}

// values is the path, in the root's values, of what a pipeline reads of them.
func (in *injector) values(p *parse.PipeNode, s scope) []string {
	path, ok := s.path(p)
	if !ok || len(path) < 2 || path[0] != "Values" {
		return nil
	}
	if path[1] == "global" {
		return path[1:]
	}
	return append(append([]string(nil), in.prefix...), path[1:]...)
}

func (s scope) inner() scope {
	vars := make(map[string][]string, len(s.vars))
	for k, v := range s.vars {
		vars[k] = v
	}
	s.vars = vars
	return s
}

func (s scope) with(p *parse.PipeNode) scope {
	inner := s.inner()
	inner.dot, inner.known = s.path(p)
	if len(p.Decl) == 1 {
		inner.vars[p.Decl[0].Ident[0]] = inner.dot
	}
	return inner
}

// path is the one path that a pipeline reads; ok is false when there is none, or several.
func (s scope) path(p *parse.PipeNode) (path []string, ok bool) {
	if p == nil {
		return nil, false
	}
	for i := len(p.Cmds) - 1; i >= 0; i-- {
		cmd := p.Cmds[i]
		byDefault := isCall(cmd, "default")
		for j := len(cmd.Args) - 1; j >= 0; j-- {
			got, found := s.operand(cmd.Args[j])
			if !found || len(got) > 0 && got[0] != "Values" || len(got) == 0 {
				continue
			}
			if ok && strings.Join(path, ".") != strings.Join(got, ".") && !byDefault {
				if i == 0 && len(p.Cmds) > 1 && isCall(p.Cmds[1], "default") {
					return got, true // what is piped wins over what default has
				}
				return nil, false
			}
			if !ok || i == 0 && !byDefault {
				path, ok = got, true
			}
		}
	}
	return path, ok
}

func isCall(c *parse.CommandNode, name string) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && id.Ident == name
}

// operand is the path that one operand reads.
func (s scope) operand(n parse.Node) ([]string, bool) {
	switch n := n.(type) {
	case *parse.DotNode:
		return s.dot, s.known
	case *parse.FieldNode:
		return join(s.dot, n.Ident), s.known
	case *parse.VariableNode:
		base, ok := s.vars[n.Ident[0]]
		if base == nil {
			ok = false
		}
		return join(base, n.Ident[1:]), ok
	case *parse.PipeNode:
		return s.path(n)
	}
	return nil, false
}

func join(a, b []string) []string { return append(append([]string(nil), a...), b...) }
