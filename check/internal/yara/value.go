package yara

import "bulwark/check/internal/yara/pattern"

// kind is the type of a value.
type kind uint8

const (
	undefined kind = iota
	integer
	float
	str
	boolean
	regexp
	structure
	array
	function
	module
)

var kindNames = [...]string{"undefined", "integer", "float", "string", "boolean", "regular expression", "structure", "array", "function", "module"}

func (k kind) String() string { return kindNames[k] }

// value is what an expression has; the zero value is undefined.
type value struct {
	k      kind
	i      int64 // of integers and booleans
	f      float64
	s      string
	fields map[string]value
	items  []value
	node   *pattern.Node
}

func intValue(i int64) value     { return value{k: integer, i: i} }
func floatValue(f float64) value { return value{k: float, f: f} }
func strValue(s string) value    { return value{k: str, s: s} }

func boolValue(b bool) value {
	v := value{k: boolean}
	if b {
		v.i = 1
	}
	return v
}

// truth is the value as a condition: undefined is false.
func (v *value) truth() bool {
	switch v.k {
	case integer, boolean:
		return v.i != 0
	case float:
		return v.f != 0
	case str:
		return v.s != ""
	}
	return false
}

func (v *value) real() float64 {
	if v.k == float {
		return v.f
	}
	return float64(v.i)
}

// typ is what is known of a value before there is one.
type typ struct {
	k      kind
	fields map[string]*typ // of a structure or module
	elem   *typ            // of an array
	call   *builtin        // of a function
	refuse string          // why it cannot be used
}

var (
	anInteger = &typ{k: integer}
	aFloat    = &typ{k: float}
	aString   = &typ{k: str}
	aBoolean  = &typ{k: boolean}
)

// builtin is a function of a module.
type builtin struct {
	// forms are the parameters that it takes: i integer, f float, s string, r regular
	// expression, v any.
	forms  []string
	result *typ
	do     func(e *evaluator, args []value) value
}
