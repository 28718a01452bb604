package graph

import (
	"cmp"
	"slices"

	"bulwark"
)

// count puts the remedies into the order in which they are worth most, and says how many of
// the paths each removes. Those that are worth the same are told by what they say, so that
// what is to be done to many objects stands together.
func (g *Graph) count(c *Cut) {
	slices.SortFunc(c.Remedies, func(a, b bulwark.Remedy) int {
		return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(file(&a), file(&b)), cmp.Compare(a.ID, b.ID))
	})
	paths := g.removed(c)
	gone := make([]bool, len(c.Paths))
	left, worth := make([]int, len(paths)), make([]float64, len(paths)) // worth is an upper bound: it only falls
	value := func(i int) (v float64) {
		for _, p := range paths[i] {
			if !gone[p] {
				v += c.Paths[p].Likelihood
			}
		}
		return v
	}
	for i := range left {
		left[i], worth[i] = i, value(i)
	}
	remedies, total := c.Remedies, 0
	c.Remedies, c.Removes, c.Together = nil, nil, nil
	for len(left) > 0 {
		best := -1
		for k, i := range left {
			if best >= 0 && !above(worth[i], worth[left[best]]) {
				continue
			}
			if worth[i] = value(i); best < 0 || above(worth[i], worth[left[best]]) {
				best = k
			}
		}
		i := left[best]
		left = slices.Delete(left, best, best+1)
		for _, p := range paths[i] {
			if !gone[p] {
				gone[p] = true
				total++
			}
		}
		c.Remedies, c.Removes, c.Together = append(c.Remedies, remedies[i]), append(c.Removes, len(paths[i])), append(c.Together, total)
	}
}

// file is the one that a remedy changes; "" where that is not known.
func file(r *bulwark.Remedy) string {
	if r.Fix == nil || r.Fix.Patch == nil {
		return ""
	}
	return r.Fix.Patch.File
}

// above leaves out what rounding makes.
func above(a, b float64) bool { return a > b+1e-9 }

// removed lists for each remedy of a cut the numbers of the paths that it removes.
func (g *Graph) removed(c *Cut) [][]int {
	number := make(map[string]int32, len(g.byCut))
	for n, id := range g.byCut {
		number[id] = int32(n)
	}
	at := map[int32]int{} // number -> in c.Remedies
	for i := range c.Remedies {
		at[number[c.Remedies[i].ID]] = i
	}
	paths := make([][]int, len(c.Remedies))
	for i := range c.Paths {
		for _, n := range g.remediesOf(c.Paths[i].relations) {
			if k, ok := at[n]; ok {
				paths[k] = append(paths[k], i)
			}
		}
	}
	return paths
}
