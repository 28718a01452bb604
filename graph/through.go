package graph

import "math"

// Weight says where a finding lies.
type Weight struct {
	// Likelihood is that of the likeliest path from a start to a goal that takes a step which
	// the finding makes; 0: there is none.
	Likelihood float64
	// Path is that path's start and goal.
	From, To string
}

// Weights says for every finding that makes a relation how likely the likeliest path is that
// passes through it, by the finding's key.
func (g *Graph) Weights(q Question) map[string]Weight {
	a := g.ask(q)
	forth, back := g.search(false, &heap{}), g.search(true, &heap{})
	forth.run(a.starts, a.until(g, g.price), nil)
	back.run(a.goals, a.until(g, g.price), nil)
	weights := map[string]Weight{}
	for r := range g.told {
		because := g.told[r].because
		if because == 0 || a.final != nil && a.final[g.from[r]] {
			continue
		}
		best := Weight{}
		for i := 2 * g.from[r]; i <= 2*g.from[r]+1; i++ {
			for j := 2 * g.ends[r]; j <= 2*g.ends[r]+1; j++ {
				l, m := &forth.labels[i], &back.labels[j]
				if l.by == unset || m.by == unset || !differ(l.side, m.side) {
					continue
				}
				likelihood := math.Exp(-float64(l.cost + g.cost[r] + m.cost))
				if likelihood > best.Likelihood {
					best = Weight{likelihood, string(g.names[forth.origin(i)]), string(g.names[back.origin(j)])}
				}
			}
		}
		for _, w := range g.lists.all[because-1] {
			if key := g.words.list[w]; best.Likelihood >= weights[key].Likelihood {
				weights[key] = best
			}
		}
	}
	return weights
}
