package network

import (
	"slices"

	"bulwark/kube"
)

// Engine answers for one set of objects.
type Engine struct {
	Endpoints []*Endpoint // by name; the last is the ingress controller
	Policies  []*Policy   // in the order in which they decide
	Problems  []Problem

	words  int // of a set of endpoints
	blocks [2][]Block
	rowOf  [2][]row

	backends []backend
}

// New reads the workloads and policies of a set.
func New(s *kube.Set) *Engine {
	e := &Engine{Endpoints: endpoints(s)}
	e.words = (len(e.Endpoints) + 63) / 64
	r := newReader(e, s)
	r.read(s)
	e.Policies = r.policies
	slices.SortStableFunc(e.Policies, before)
	r.settleBlocks()
	for _, d := range []Direction{Ingress, Egress} {
		e.rowOf[d] = e.rows(d, e.selecting(d))
	}
	e.backends = r.fronts(s)
	return e
}

// Of is the engine of a set, made once.
func Of(s *kube.Set) *Engine { return kube.Memo(s, New) }

// selecting gives for each endpoint the policies that hold for it, in order.
func (e *Engine) selecting(d Direction) [][]int32 {
	list := make([][]int32, len(e.Endpoints))
	for i, p := range e.Policies {
		if p.holds(d) {
			for endpoint := range p.subject.each {
				list[endpoint] = append(list[endpoint], int32(i))
			}
		}
	}
	return list
}

// Ports are those on which one endpoint reaches another. Of an endpoint and itself they are
// those between two pods of it.
func (e *Engine) Ports(from, to int) Ports {
	return e.rowOf[Egress][from].ports(to).Intersect(e.rowOf[Ingress][to].ports(from))
}

// Blocks are the addresses that answers tell apart in a direction.
func (e *Engine) Blocks(d Direction) []Block { return e.blocks[d] }

// BlockPorts are those on which an endpoint receives from (Ingress) or reaches (Egress) a
// block of the direction.
func (e *Engine) BlockPorts(d Direction, endpoint, block int) Ports {
	return e.rowOf[d][endpoint].ports(e.words*64 + block)
}
