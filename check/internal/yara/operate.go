package yara

import (
	"math"
	"strings"
)

// arithmetic applies an operator to numbers.
func arithmetic(op string, l, r value) value {
	if l.k == undefined || r.k == undefined {
		return value{}
	}
	if l.k == float || r.k == float {
		return realArithmetic(op, l.real(), r.real())
	}
	a, b := l.i, r.i
	switch op {
	case "+":
		return intValue(a + b)
	case "-":
		return intValue(a - b)
	case "*":
		return intValue(a * b)
	case `\`:
		if b == 0 || a == math.MinInt64 && b == -1 {
			return value{}
		}
		return intValue(a / b)
	case "%":
		if b == 0 || a == math.MinInt64 && b == -1 {
			return value{}
		}
		return intValue(a % b)
	case "&":
		return intValue(a & b)
	case "|":
		return intValue(a | b)
	case "^":
		return intValue(a ^ b)
	}
	return shift(op, a, b)
}

func shift(op string, a, b int64) value {
	switch {
	case b < 0:
		return value{}
	case b >= 64:
		return intValue(0)
	case op == "<<":
		return intValue(a << b)
	}
	return intValue(a >> b)
}

func realArithmetic(op string, a, b float64) value {
	switch op {
	case "+":
		return floatValue(a + b)
	case "-":
		return floatValue(a - b)
	case "*":
		return floatValue(a * b)
	case `\`:
		if b != 0 {
			return floatValue(a / b)
		}
	}
	return value{}
}

// compare applies a comparison to two numbers or two strings.
func compare(op string, l, r value) value {
	if l.k == undefined || r.k == undefined {
		return value{}
	}
	c := 0
	switch {
	case l.k == str:
		c = strings.Compare(l.s, r.s)
	case l.k == float || r.k == float:
		c = order(l.real(), r.real())
	default:
		c = order(l.i, r.i)
	}
	switch op {
	case "==":
		return boolValue(c == 0)
	case "!=":
		return boolValue(c != 0)
	case "<":
		return boolValue(c < 0)
	case "<=":
		return boolValue(c <= 0)
	case ">":
		return boolValue(c > 0)
	}
	return boolValue(c >= 0)
}

// epsilon is how near two floats are that libyara takes for equal.
const epsilon = 2.220446049250313e-16

func order[T int64 | float64](a, b T) int {
	switch d := any(a - b).(type) {
	case float64:
		if math.Abs(d) < epsilon {
			return 0
		}
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// stringOperator applies an operator to two strings.
func stringOperator(op string, l, r value) value {
	if l.k == undefined || r.k == undefined {
		return value{}
	}
	a, b := l.s, r.s
	if op[0] == 'i' {
		a, b, op = lower(a), lower(b), op[1:]
	}
	switch op {
	case "contains":
		return boolValue(strings.Contains(a, b))
	case "startswith":
		return boolValue(strings.HasPrefix(a, b))
	case "endswith":
		return boolValue(strings.HasSuffix(a, b))
	}
	return boolValue(a == b)
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
