// Package direct evaluates expressions of policies straight over the views of objects, which
// takes a fraction of the time that CEL's own interpreter takes.
//
// It knows what policies are mostly made of, and only how it goes when nothing goes wrong: at
// the first thing that is out of the ordinary (a field that is not there, a value of another
// type, an error of a function) it gives up, and CEL is asked from the start, whose answer,
// or error, it then is. What it does answer is what CEL would.
package direct

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"
)

// Roots gives what expressions name.
type Roots interface {
	Root(name string) ref.Val // nil: nothing is known of it
	// Whole is what it costs at most to go through all that they name.
	Whole() float64
}

// Program is an expression, ready to be evaluated, by many goroutines.
type Program struct {
	run   step
	slots int
	cost  float64 // of its nodes that are in no loop
}

// Frame is what programs are evaluated in, one within the other.
type Frame struct {
	Roots
	Object ref.Val
	Limit  float64 // of what one program may cost, in the API server's units
	spent  float64
	locals []ref.Val // variables of comprehensions
	base   int       // where those of the program start
}

// step gives a value, which is never an error; nil says that something is out of the ordinary.
type step func(f *Frame) ref.Val

// Compile makes a program of an expression that was checked; nil when there is something in it
// that only CEL can evaluate.
func Compile(env *cel.Env, tree *ast.AST) *Program {
	c := compiler{env: env, refs: tree.ReferenceMap()}
	run := c.compile(tree.Expr())
	if run == nil || c.failed {
		return nil
	}
	return &Program{run, c.slots, c.cost}
}

// Eval gives the value of the expression; ok is false when CEL has to be asked, as when a
// function panics, or when it may cost more than the limit.
func (p *Program) Eval(f *Frame) (v ref.Val, ok bool) {
	outer, spent := f.base, f.spent
	f.base, f.spent = len(f.locals), p.cost
	defer func() {
		f.locals, f.base, f.spent = f.locals[:f.base], outer, spent
		if recover() != nil {
			v, ok = nil, false
		}
	}()
	for range p.slots {
		f.locals = append(f.locals, nil)
	}
	v = p.run(f)
	return v, v != nil && f.spent <= f.Limit
}

func (f *Frame) set(slot int, v ref.Val) { f.locals[f.base+slot] = v }

// Reset forgets what was evaluated.
func (f *Frame) Reset() {
	locals := f.locals[:cap(f.locals)]
	clear(locals)
	*f = Frame{locals: locals[:0]}
}
