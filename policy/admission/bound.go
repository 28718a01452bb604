package admission

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/policy/internal/apiview"
)

// mostMade is how large the value of a variable may be: elements, and texts by 16 bytes.
const mostMade = 100_000

// made counts down what a value takes that an expression made, lists in lists written out. It
// is false when that is too much: variables that are made of each other double with each.
func made(v ref.Val, left *int, depth int) bool {
	if *left--; *left < 0 || depth > 64 {
		return false
	}
	switch t := v.(type) {
	case types.String:
		*left -= len(t) / 16
	case types.Bytes:
		*left -= len(t) / 16
	case *apiview.Map, *apiview.List: // of the object
	case traits.Mapper:
		for it := t.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			if !made(key, left, depth+1) || !made(t.Get(key), left, depth+1) {
				return false
			}
		}
	case traits.Lister:
		for it := t.Iterator(); it.HasNext() == types.True; {
			if !made(it.Next(), left, depth+1) {
				return false
			}
		}
	}
	return *left >= 0
}
