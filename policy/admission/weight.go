package admission

import (
	"math"

	"bulwark/kube"
	"bulwark/policy/internal/celext"
)

// weight is what it costs at most to go through all that an expression is asked about.
type weight float64

func (w *weight) add(n *kube.Node) {
	values, bytes, ok := n.Size(celext.CallLimit)
	if !ok { // aliases can make any number of values of few
		*w = weight(math.Inf(1))
		return
	}
	*w += weight(values) + weight(bytes)/10
}
