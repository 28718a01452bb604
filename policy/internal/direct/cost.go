package direct

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/policy/internal/apiview"
	"bulwark/policy/internal/celext"
)

// The API server counts what an expression costs while it evaluates it. Counting as it does
// takes as long as evaluating, so more is counted here, which takes nothing: the nodes of
// loops when a round begins, and of functions all of what they are given and give. When that
// is above the limit CEL counts exactly.

// What CEL takes at most for one node of these.
const (
	ofNode  = 1
	ofList  = 10
	ofMap   = 30
	ofRound = 8 // condition, step and accumulator of a loop
)

// spend notes a cost, and tells whether that is still within the limit.
func (f *Frame) spend(n float64) bool {
	f.spent += n
	return f.spent <= f.Limit
}

// weight is what it costs at most to go through a value once.
func (f *Frame) weight(v ref.Val) float64 {
	switch v := v.(type) {
	case types.String:
		return 1 + float64(len(v))/10
	case types.Bytes:
		return 1 + float64(len(v))/10
	case *apiview.List:
		total := 1.0
		for _, item := range v.Items() {
			if total += f.weight(item); total > f.Limit {
				break
			}
		}
		return total
	case traits.Lister:
		total := 1.0
		for it := v.Iterator(); total <= f.Limit && it.HasNext() == types.True; {
			total += f.weight(it.Next())
		}
		return total
	case *types.Optional:
		if v.HasValue() {
			return 1 + f.weight(v.GetValue())
		}
	case traits.Mapper:
		return f.Whole() + 100 // which is more than the request is
	}
	return 1
}

// squared are functions that compare every element with every other.
var squared = map[string]bool{"sets.contains": true, "sets.intersects": true, "sets.equivalent": true, "distinct": true, "sort": true, "sortBy": true}

// cost is what a function costs with these arguments.
func (f *Frame) cost(function string, result ref.Val, args ...ref.Val) float64 {
	total, product := f.weight(result), 1.0
	for _, a := range args {
		w := f.weight(a)
		total += w
		product *= w
	}
	switch {
	case squared[function]:
		return total + total*total
	case function == "matches" || function == "find" || function == "findAll":
		return total + 4*product
	case function == "validate":
		return total * celext.LongestFormat
	}
	return 1 + 2*total
}
