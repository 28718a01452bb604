package admission

import (
	"math"

	"bulwark/kube"
	"bulwark/policy/internal/celext"
)

// weight is what it costs at most to go through all that an expression is asked about.
type weight float64

func (w *weight) add(n *kube.Node, depth int) {
	*w += weight(1 + float64(len(n.Text()))/10)
	if depth > 200 || *w > celext.CallLimit { // aliases can make any number of values of few
		*w = weight(math.Inf(1))
		return
	}
	for _, item := range n.Items() {
		w.add(item, depth+1)
	}
	for name, v := range n.Fields() {
		*w += weight(float64(len(name)) / 10)
		w.add(v, depth+1)
	}
}
