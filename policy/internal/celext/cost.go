package celext

import (
	"math"

	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// costs says what calls of Kubernetes' functions cost, in the API server's units.
type costs struct{}

// CallCost is the cost of one call; nil where CEL's own rule holds.
func (costs) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	if len(args) == 0 {
		return nil
	}
	switch function {
	case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes":
		return cost(traversal(args[0], 0))
	case "url", "lowerAscii", "upperAscii", "substring", "trim", "cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver":
		if overload == "cidr_ip" {
			return cost(1)
		}
		return reading(size(args[0]), 1)
	case "replace", "split", "ip.isCanonical":
		return reading(size(args[0]), 2)
	case "join":
		return reading(size(result), 2)
	case "find", "findAll":
		return matching(size(args[0]), size(args[1]))
	case "validate":
		if f, ok := args[0].Value().(*format); ok {
			return matching(size(args[1]), uint64(f.cost))
		}
	case "containsIP", "containsCIDR":
		return cost(16) // of addresses of at most 16 bytes
	case "check":
		return cost(350_000)
	case "_==_":
		if _, ok := args[0].(*value); ok {
			return cost(1)
		}
	case "masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast",
		"sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub", "major", "minor", "patch",
		"getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery", "format.named":
		return cost(1)
	}
	return nil
}

func cost(n uint64) *uint64 { return &n }

func reading(size uint64, times float64) *uint64 {
	return cost(uint64(math.Ceil(float64(size) * times * common.StringTraversalCostFactor)))
}

func matching(text, pattern uint64) *uint64 {
	a := math.Ceil(float64(1+text) * common.StringTraversalCostFactor)
	b := math.Ceil(float64(pattern) * common.RegexStringLengthCostFactor)
	return cost(uint64(a) * uint64(b))
}

func size(v ref.Val) uint64 {
	if s, ok := v.(traits.Sizer); ok {
		if n, ok := s.Size().(types.Int); ok {
			return uint64(n)
		}
	}
	return 1
}

// traversal is what it costs to go through a value.
func traversal(v ref.Val, depth int) uint64 {
	switch t := v.(type) {
	case types.String:
		return uint64(float64(len(t)) * common.StringTraversalCostFactor)
	case types.Bytes:
		return uint64(float64(len(t)) * common.StringTraversalCostFactor)
	case traits.Lister:
		var n uint64
		for it := t.Iterator(); depth < 32 && it.HasNext() == types.True; {
			n += traversal(it.Next(), depth+1)
		}
		return n
	case traits.Mapper:
		return size(t)
	}
	return 1
}
