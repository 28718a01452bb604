// Package syntax reads YARA's language: rules, their strings as trees over bytes, and
// their conditions.
package syntax

import (
	"fmt"

	"bulwark/check/internal/yara/pattern"
)

// Pos is a place in a source, both from 1.
type Pos struct{ Line, Column int }

// Error is what is wrong with a source, and where.
type Error struct {
	Pos
	Rule string // the rule that it is in; empty outside of rules
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Text) }

// File is a source, parsed.
type File struct {
	Items  []Item
	Errors []*Error
}

// Item is one of import, include and rule.
type Item struct {
	Pos
	Import, Include string
	Rule            *Rule
}

// Rule is a rule that could be parsed.
type Rule struct {
	Pos
	Name            string
	Global, Private bool
	Tags            []string
	Meta            []Meta
	Strings         []*String
	Condition       Expr
}

// Meta is a line of a rule's meta section; Value is a string, int64 or bool.
type Meta struct {
	Name  string
	Value any
}

// String is one of the strings of a rule.
type String struct {
	Pos
	ID   string        // with its dollar sign; "$" alone when it has no name
	Text []byte        // of a text string
	Expr *pattern.Node // of a hex string or a regular expression
	Hex  bool

	NoCase, Wide, ASCII, FullWord, Private bool

	XOR            bool
	XORLo, XORHi   byte
	Base64         bool
	Base64Wide     bool
	Base64Alphabet string // 64 bytes
}

// Expr is part of a condition.
type Expr interface{ At() Pos }

// At tells where the expression begins.
func (p Pos) At() Pos { return p }

// Expressions.
type (
	// Literal is an int64, float64, string or bool.
	Literal struct {
		Pos
		Value any
	}
	// Regexp stands right of matches.
	Regexp struct {
		Pos
		Node *pattern.Node
	}
	// Name is a variable, an external, a module or a rule.
	Name struct {
		Pos
		Name string
	}
	// Field is X.Name.
	Field struct {
		Pos
		X    Expr
		Name string
	}
	// Index is X[I].
	Index struct {
		Pos
		X, I Expr
	}
	// Call is X(Args); the readers of integers are calls as well.
	Call struct {
		Pos
		X    Expr
		Args []Expr
	}
	// Unary is one of - ~ not defined.
	Unary struct {
		Pos
		Op string
		X  Expr
	}
	// Binary is an operator of two operands.
	Binary struct {
		Pos
		Op   string
		L, R Expr
	}
	// Match is $a, $a at Where, $a in In.
	Match struct {
		Pos
		ID    string
		Where Expr
		In    *Range
	}
	// Count is #a, #a in In.
	Count struct {
		Pos
		ID string
		In *Range
	}
	// Place is @a[I], or !a[I] with Length; I is nil for the first.
	Place struct {
		Pos
		ID     string
		I      Expr
		Length bool
	}
	// Of is Quantifier of Set, with a range or a place.
	Of struct {
		Pos
		Quantifier Quantifier
		Set        Set
		In         *Range
		Where      Expr
	}
	// ForOf is for Quantifier of Set : (Body).
	ForOf struct {
		Pos
		Quantifier Quantifier
		Set        Set
		Body       Expr
	}
	// ForIn is for Quantifier Vars in ... : (Body); one of Range, List and Over is set.
	ForIn struct {
		Pos
		Quantifier Quantifier
		Vars       []string
		Range      *Range
		List       []Expr
		Over       Expr
		Body       Expr
	}
)

// Range is (Lo..Hi), both included.
type Range struct{ Lo, Hi Expr }

// Quantifier says how many: Kind is any, all, none, count or percent, X the number of
// the last two.
type Quantifier struct {
	Kind string
	X    Expr
}

// Set names strings of the rule, or rules.
type Set struct {
	Pos
	Them  bool
	Rules bool
	Items []SetItem
}

// SetItem is a name, or the begin of names.
type SetItem struct {
	Pos
	Name string
	Wild bool
}
