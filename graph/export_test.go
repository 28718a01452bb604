package graph

// Hasten lets the smallest set, and the likeliest paths, take less work than they would.
func (g *Graph) Hasten(work int) { g.work = work }

// Searched is what it takes to look for the likeliest paths.
func (g *Graph) Searched(q Question, k int) int {
	y := g.yen(q)
	for range k {
		y.next()
	}
	return mostSearched - y.work
}
