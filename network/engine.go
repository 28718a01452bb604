package network

import (
	"iter"
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
	// byAddress are the numbers of the blocks in the order of their addresses; nil: they are in it.
	byAddress [2][]int32
	settled   [2]int // how many blocks there were when all were cut
	// domains are the names that rules of a direction know peers by.
	domains [2][]string
	rowOf   [2][]row
	mesh    []row    // what a mesh lets in; nil: there is none
	sure    [3][]row // of rowOf and mesh, what depends on no condition; nil: all of it

	set      *kube.Set
	backends []backend
	// ofBackends are the positions of the backends, by their endpoints.
	ofBackends []int32

	reader  *reader  // for policies that come later
	changes []change // since the set
}

// New reads the workloads and policies of a set.
func New(s *kube.Set) *Engine {
	e := &Engine{Endpoints: endpoints(s), set: s}
	e.words = (len(e.Endpoints) + 63) / 64
	r := newReader(e, s)
	r.read(s)
	e.Policies = r.policies
	slices.SortStableFunc(e.Policies, before)
	e.reader = r
	r.notes(s)
	e.settleBlocks()
	e.settleRows()
	e.backends = r.fronts(s)
	e.orderBackends()
	return e
}

// settleRows makes all rows.
func (e *Engine) settleRows() {
	for _, d := range []Direction{Ingress, Egress} {
		e.rowOf[d] = e.rows(d, e.selecting(d, false), false)
	}
	e.mesh, e.sure = nil, [3][]row{}
	e.layers()
}

// Of is the engine of a set, made once.
func Of(s *kube.Set) *Engine { return kube.Memo(s, New) }

// selecting gives for each endpoint the policies that hold for it, in order: those of the
// network or of the mesh.
func (e *Engine) selecting(d Direction, mesh bool) [][]int32 {
	list := make([][]int32, len(e.Endpoints))
	for i, p := range e.Policies {
		if p.holds(d) && (p.tier == tierMesh) == mesh {
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
	p := e.rowOf[Egress][from].ports(to).Intersect(e.rowOf[Ingress][to].ports(from))
	if e.mesh != nil {
		return p.Intersect(e.mesh[to].ports(from))
	}
	return p
}

// Blocks are the addresses that answers tell apart in a direction, in their order; of an
// engine that came out of another the blocks that are new stand at the end.
func (e *Engine) Blocks(d Direction) []Block { return e.blocks[d] }

// Named are the positions in [Engine.Blocks] of those that an endpoint may receive from or reach
// on some port, each once.
func (e *Engine) Named(d Direction, endpoint int) iter.Seq[int] {
	var all runs
	for _, c := range e.rowOf[d][endpoint] {
		if len(all) == 0 {
			all = c.outside
			continue
		}
		all = joinedRuns(slices.Concat(all, c.outside))
	}
	return func(yield func(int) bool) {
		for i := range all.each {
			if i >= len(e.blocks[d]) || !yield(i) {
				return
			}
		}
	}
}

// BlockPorts are those on which an endpoint receives from (Ingress) or reaches (Egress) a
// block of the direction.
func (e *Engine) BlockPorts(d Direction, endpoint, block int) Ports {
	p := e.rowOf[d][endpoint].beyond(block)
	if d == Ingress && e.mesh != nil {
		return p.Intersect(e.mesh[endpoint].beyond(block))
	}
	return p
}
