package apiview

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// List is a list of values.
type List struct {
	items []ref.Val
	up    *Map // whose field it is, when what is read is traced
	name  string
}

var _ traits.Lister = (*List)(nil)

// NewList is a list of these values.
func NewList(items []ref.Val) *List { return &List{items: items} }

// Items are the values; they are not to be changed.
func (l *List) Items() []ref.Val { return l.items }

// Len is how many there are.
func (l *List) Len() int { return len(l.items) }

// Ended says that somebody has gone through the list to its end.
func (l *List) Ended() {
	if l.up != nil {
		l.up.top.trace.through = l
	}
}

// cel is the list as CEL itself makes them, for what is seldom asked.
func (l *List) cel() traits.Lister { return types.NewRefValList(types.DefaultTypeAdapter, l.items) }

// Add gives a list of both.
func (l *List) Add(other ref.Val) ref.Val {
	if o, ok := other.(*List); ok {
		return NewList(append(append(make([]ref.Val, 0, len(l.items)+len(o.items)), l.items...), o.items...))
	}
	return l.cel().Add(other)
}

// Contains tells whether a value is among those of the list.
func (l *List) Contains(v ref.Val) ref.Val {
	want, isText := v.(types.String)
	for _, item := range l.items {
		if have, ok := item.(types.String); ok && isText {
			if have == want {
				return types.True
			}
			continue
		}
		if types.Equal(item, v) == types.True {
			return types.True
		}
	}
	return types.False
}

// Get gives the value at a position.
func (l *List) Get(index ref.Val) ref.Val {
	if i, ok := index.(types.Int); ok && i >= 0 && int64(i) < int64(len(l.items)) {
		return l.items[i]
	}
	return l.cel().Get(index)
}

// Size is the number of values.
func (l *List) Size() ref.Val { return types.Int(len(l.items)) }

// Equal compares value by value.
func (l *List) Equal(other ref.Val) ref.Val { return l.cel().Equal(other) }

// Type is list.
func (l *List) Type() ref.Type { return types.ListType }

// Value is the list as Go has it.
func (l *List) Value() any { return l.cel().Value() }

// ConvertToNative gives slices of Go.
func (l *List) ConvertToNative(t reflect.Type) (any, error) { return l.cel().ConvertToNative(t) }

// ConvertToType converts to a list or its type alone.
func (l *List) ConvertToType(t ref.Type) ref.Val {
	if t == types.ListType {
		return l
	}
	return l.cel().ConvertToType(t)
}

// Iterator goes through the values.
func (l *List) Iterator() traits.Iterator { return &values{l: l} }

type values struct {
	traits.Iterator // CEL asks for HasNext and Next alone
	l               *List
	next            int
}

func (v *values) HasNext() ref.Val {
	if v.next < len(v.l.items) {
		return types.True
	}
	v.l.Ended()
	return types.False
}

func (v *values) Next() ref.Val {
	if v.next >= len(v.l.items) {
		return nil
	}
	v.next++
	return v.l.items[v.next-1]
}
