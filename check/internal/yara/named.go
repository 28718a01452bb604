package yara

import (
	"path"
	"strings"

	"bulwark/check/internal/yara/syntax"
)

// headConstant tells whether bytes at a constant place are in the head of every file.
func headConstant(lit *value) bool {
	return lit != nil && lit.k == integer && lit.i >= 0 && lit.i < headSize-8
}

// name compiles a name that stands alone, or before a dot.
func (x *expression) name(e *syntax.Name) compiled {
	for i := len(x.vars) - 1; i >= 0; i-- {
		if v := x.vars[i]; v.name == e.Name {
			return compiled{t: v.t, run: func(ev *evaluator) value { return ev.vars[v.slot] }}
		}
	}
	switch {
	case e.Name == "filesize":
		return compiled{t: anInteger, run: func(v *evaluator) value { return intValue(v.s.size) }}
	case e.Name == "entrypoint":
		x.whole = true
		return compiled{t: anInteger, run: func(v *evaluator) value { return v.entrypoint() }}
	case x.c.space.modules[e.Name] != nil:
		return x.module(e)
	case x.c.space.rules[e.Name] != nil:
		r := x.c.space.rules[e.Name]
		return compiled{t: aBoolean, run: func(v *evaluator) value { return boolValue(v.s.matched[r.index]) }}
	case x.c.space.refused[e.Name] != "":
		return x.fail(e.Pos, "it refers to rule %s: %s", e.Name, x.c.space.refused[e.Name])
	case isExternal(e.Name):
		return compiled{t: aString, run: func(v *evaluator) value { return externalValue(e.Name, v.s.file.Path) }}
	}
	if _, ok := modules[e.Name]; ok {
		return x.fail(e.Pos, "module %s is not imported", e.Name)
	}
	return x.fail(e.Pos, "%q is not defined: no rule, module or external variable", e.Name)
}

// externalValue gives the external variables that rule sets expect. What is not known of
// a file (its type in words, its owner's name) is empty.
func externalValue(name, p string) value {
	switch name {
	case "filename":
		return strValue(path.Base("/" + p))
	case "filepath":
		return strValue("/" + strings.TrimPrefix(p, "/"))
	case "extension":
		return strValue(path.Ext(p))
	}
	return strValue("")
}

func (x *expression) module(e *syntax.Name) compiled {
	t := x.c.space.modules[e.Name]
	if t.refuse != "" {
		return x.fail(e.Pos, "module %s %s", e.Name, t.refuse)
	}
	load := moduleValues[e.Name]
	if e.Name == "elf" || e.Name == "math" || e.Name == "hash" {
		x.whole = true
	}
	return compiled{t: t, run: func(v *evaluator) value {
		if load == nil {
			return value{k: module}
		}
		return value{k: module, fields: load(v)}
	}}
}

func (x *expression) field(e *syntax.Field) compiled {
	of := x.compile(e.X)
	if x.err != nil {
		return nowhere
	}
	if of.t.k != structure && of.t.k != module {
		return x.fail(e.Pos, "a %s has no fields", of.t.k)
	}
	t := of.t.fields[e.Name]
	switch {
	case t == nil:
		return x.fail(e.Pos, "there is no field %q here", e.Name)
	case t.refuse != "":
		return x.fail(e.Pos, "%s %s", e.Name, t.refuse)
	}
	return compiled{t: t, run: func(v *evaluator) value { return of.run(v).fields[e.Name] }}
}

func (x *expression) index(e *syntax.Index) compiled {
	of := x.compile(e.X)
	i := x.operand(e.I, "index", integer)
	if x.err != nil {
		return nowhere
	}
	if of.t.k != array {
		return x.fail(e.Pos, "a %s has no elements", of.t.k)
	}
	return compiled{t: of.t.elem, run: func(v *evaluator) value {
		list, at := of.run(v).items, i.run(v)
		if at.k != integer || at.i < 0 || at.i >= int64(len(list)) {
			return value{}
		}
		return list[at.i]
	}}
}

// call compiles a call of a module's function, or of a reader of integers.
func (x *expression) call(e *syntax.Call) compiled {
	if n, ok := e.X.(*syntax.Name); ok && len(e.Args) == 1 && readers[n.Name].size > 0 {
		return x.reader(n.Name, e.Args[0])
	}
	f := x.compile(e.X)
	if x.err != nil {
		return nowhere
	}
	if f.t.k != function {
		return x.fail(e.Pos, "a %s cannot be called", f.t.k)
	}
	args := make([]compiled, len(e.Args))
	nothing := false
	for i, a := range e.Args {
		args[i] = x.compile(a)
		nothing = nothing || args[i].nothing
	}
	if x.err != nil {
		return nowhere
	}
	form, ok := f.t.call.form(args)
	if !ok {
		return x.fail(e.Pos, "wrong arguments")
	}
	do := f.t.call.do
	return compiled{t: f.t.call.result, void: nothing, nothing: nothing, run: func(v *evaluator) value {
		if !v.spend(16) {
			return value{}
		}
		values := make([]value, len(args))
		for i := range args {
			values[i] = args[i].run(v)
			if values[i].k == undefined {
				return value{}
			}
			if form[i] == 'f' {
				values[i] = floatValue(values[i].real())
			}
		}
		return do(v, values)
	}}
}

// form finds the parameters that fit.
func (b *builtin) form(args []compiled) (string, bool) {
	for _, f := range b.forms {
		if len(f) != len(args) {
			continue
		}
		ok := true
		for i := range args {
			k := args[i].t.k
			switch f[i] {
			case 'i':
				ok = ok && k == integer
			case 'f':
				ok = ok && (k == float || k == integer)
			case 's':
				ok = ok && k == str
			case 'r':
				ok = ok && k == regexp
			case 'b':
				ok = ok && k == boolean
			}
		}
		if ok {
			return f, true
		}
	}
	return "", false
}

func (x *expression) reader(name string, at syntax.Expr) compiled {
	r, off := readers[name], x.operand(at, name, integer)
	if !headConstant(off.lit) {
		x.whole = true
	}
	return compiled{t: anInteger, void: off.nothing, nothing: off.nothing, run: func(v *evaluator) value {
		o := off.run(v)
		if o.k != integer || !v.spend(2) {
			return value{}
		}
		return v.read(r, o.i)
	}}
}
