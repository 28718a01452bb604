package yara

import (
	"math"

	"bulwark/check/internal/yara/syntax"
)

// guard is what a condition asks of a file that is known before its strings are looked
// for: its size, and bytes of its head. Where that does not hold, the strings of the rule
// are not verified.
type guard struct {
	most  int64 // size
	magic []magic
}

// magic is a comparison such as uint32(0) == 0x464c457f.
type magic struct {
	reader integerReader
	off    int64
	want   int64
}

// newGuard gathers what must hold for a condition to hold.
func newGuard(e syntax.Expr) guard {
	g := guard{most: math.MaxInt64}
	g.gather(e)
	return g
}

func (g *guard) idle() bool { return g.most == math.MaxInt64 && len(g.magic) == 0 }

func (g *guard) gather(e syntax.Expr) {
	b, ok := e.(*syntax.Binary)
	if !ok {
		return
	}
	op, l, r := b.Op, b.L, b.R
	if op == "and" {
		g.gather(l)
		g.gather(r)
		return
	}
	n, ok := number(r)
	if !ok {
		if n, ok = number(l); !ok {
			return
		}
		op, l = map[string]string{">": "<", ">=": "<=", "==": "=="}[op], r
	}
	switch x := l.(type) {
	case *syntax.Name:
		if x.Name == "filesize" {
			g.size(op, n)
		}
	case *syntax.Call:
		name, ok := x.X.(*syntax.Name)
		if !ok || op != "==" || len(x.Args) != 1 {
			return
		}
		off, ok := number(x.Args[0])
		if rd := readers[name.Name]; ok && rd.size > 0 && off >= 0 && off < headSize-8 {
			g.magic = append(g.magic, magic{rd, off, n})
		}
	}
}

func (g *guard) size(op string, n int64) {
	switch op {
	case "<", "<=", "==":
		g.most = min(g.most, n)
	}
}

func number(e syntax.Expr) (int64, bool) {
	lit, ok := e.(*syntax.Literal)
	if !ok {
		return 0, false
	}
	n, ok := lit.Value.(int64)
	return n, ok
}

// guarded is what is known of a guard for one file.
type guarded struct {
	file uint64 // the number of the file
	shut bool
}

// shut tells whether a rule cannot match the file, whatever its strings are.
func (s *Scanner) shut(r *Rule) bool {
	if r.guard.idle() {
		return false
	}
	g := &s.guards[r.index]
	if g.file != s.files {
		*g = guarded{s.files, s.refuses(&r.guard)}
	}
	return g.shut
}

func (s *Scanner) refuses(g *guard) bool {
	if max(s.size, s.file.Size) > g.most {
		return true
	}
	for i := range g.magic {
		m := &g.magic[i]
		if m.off+m.reader.size > int64(len(s.head)) {
			return s.data.Last || len(s.head) == headSize
		}
		if v := m.reader.value(s.head[m.off:]); v.i != m.want {
			return true
		}
	}
	return false
}
