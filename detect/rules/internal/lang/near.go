package lang

import (
	"iter"

	"bulwark/internal/near"
)

// meant is ", X?" behind what is wrong, where a name is near.
func meant(name string, names iter.Seq[string]) string {
	if n := near.Nearest(name, names); n != "" {
		return "; is " + n + " meant?"
	}
	return ""
}
