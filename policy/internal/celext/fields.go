package celext

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// Fielder is a value that gives its fields by name, which CEL otherwise asks for by values of
// its own. What it gives is never an error or unknown when ok is true.
type Fielder interface {
	ref.Val
	Field(name string) (v ref.Val, ok bool)
}

// fields has chains of fields ("object.spec.containers") followed straight through Fielders,
// which is most of what policies do. Whatever is not as simple is left to CEL.
func fields() cel.ProgramOption {
	return cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		attr, ok := i.(interpreter.InterpretableAttribute)
		if !ok || attr.IsOptional() {
			return i, nil
		}
		if _, done := i.(*chain); done {
			return i, nil
		}
		named, ok := attr.Attr().(interpreter.NamespacedAttribute)
		if !ok || len(named.CandidateVariableNames()) != 1 || fmt.Sprintf("%T", i) != "*interpreter.evalAttr" {
			return i, nil
		}
		c := &chain{InterpretableAttribute: attr, name: named.CandidateVariableNames()[0], simple: true}
		for _, q := range named.Qualifiers() {
			c.add(q)
		}
		return c, nil
	})
}

// chain is a variable and the fields that are followed from it.
type chain struct {
	interpreter.InterpretableAttribute
	name   string
	fields []string
	tests  bool // whether the last field is there is asked, not what it is
	simple bool // nothing else is in the chain
}

func (c *chain) add(q interpreter.Qualifier) {
	k, constant := q.(interpreter.ConstantQualifier)
	if !constant || c.tests || q.IsOptional() {
		c.simple = false
		return
	}
	name, ok := k.Value().(types.String)
	switch fmt.Sprintf("%T", q) {
	case "*interpreter.testOnlyQualifier":
		c.tests = true
	case "*interpreter.stringQualifier":
	default:
		ok = false
	}
	c.fields = append(c.fields, string(name))
	c.simple = c.simple && ok
}

// AddQualifier adds a field while the program is planned.
func (c *chain) AddQualifier(q interpreter.Qualifier) (interpreter.Attribute, error) {
	c.add(q)
	return c.InterpretableAttribute.AddQualifier(q)
}

// Exec gives the value.
func (c *chain) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if v, ok := c.follow(frame); ok {
		return v
	}
	return c.InterpretableAttribute.Exec(frame)
}

// Resolve is Exec for what wraps attributes.
func (c *chain) Resolve(vars interpreter.Activation) (any, error) {
	if v, ok := c.follow(vars); ok {
		return v, nil
	}
	return c.InterpretableAttribute.Resolve(vars)
}

// follow goes from field to field; ok is false when that is not all there is to it.
func (c *chain) follow(vars interpreter.Activation) (ref.Val, bool) {
	if !c.simple {
		return nil, false
	}
	start, _ := vars.ResolveName(c.name)
	v, ok := start.(ref.Val)
	last := len(c.fields) - 1
	for i := 0; ok && i <= last; i++ {
		f, isFielder := v.(Fielder)
		if !isFielder {
			return nil, false
		}
		v, ok = f.Field(c.fields[i])
		if c.tests && i == last {
			return types.Bool(ok), v == nil || !types.IsUnknownOrError(v)
		}
	}
	return v, ok && !types.IsUnknownOrError(v)
}
