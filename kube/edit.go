package kube

// Edit is one change to an object.
type Edit struct {
	Path []any // of names (string) and positions in lists (int)
	// Value is set at Path, where it takes the place of what is there; objects and lists on
	// the way are made. It is made of map[string]any, []any, string, bool, int and nil.
	Value any
	// Append adds Value to the list at Path, which is made when there is none.
	Append bool
	// Remove takes the field or element at Path out instead.
	Remove bool
}

// Put is the edit that sets a value.
func Put(value any, path ...any) Edit { return Edit{Path: path, Value: value} }

// Drop is the edit that takes a field or an element of a list out.
func Drop(path ...any) Edit { return Edit{Path: path, Remove: true} }
