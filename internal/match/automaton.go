package match

import "slices"

// automaton is the deterministic one of Aho and Corasick: the next state for every state
// and class of bytes, in one table.
type automaton struct {
	class [256]uint8 // bytes that no literal tells apart share a class
	width int32      // classes
	// next is, at state + class, the next state, or its complement when literals end there.
	// A state is a multiple of width; the first is 0.
	next []int32
	hits [][]int32 // by state/width
}

// newAutomaton is that of the literals of those ids, all of them exact or all folded; nil when there are none.
func newAutomaton(literals []Literal, ids []int, folded bool) *automaton {
	if len(ids) == 0 {
		return nil
	}
	a := &automaton{}
	a.classify(literals, ids, folded)
	n := states(literals, ids)
	a.next, a.hits = make([]int32, 0, n*int(a.width)), make([][]int32, 0, n)
	a.grow()
	for _, id := range ids {
		a.add(literals[id].Text, int32(id))
	}
	a.link()
	return a
}

// classify gives each byte that a literal has a class of its own and all others one;
// folded, an upper-case letter is in the class of the lower-case one.
func (a *automaton) classify(literals []Literal, ids []int, folded bool) {
	var used [256]bool
	n := 0
	for _, id := range ids {
		for _, c := range []byte(literals[id].Text) {
			if !used[c] {
				used[c] = true
				n++
			}
		}
	}
	class := 0
	if n < 256 {
		class = 1 // 0 is all others
	}
	for c, u := range used {
		if u {
			a.class[c] = uint8(class)
			class++
		}
	}
	a.width = int32(class)
	if folded {
		for c := 'A'; c <= 'Z'; c++ {
			a.class[c] = a.class[c+'a'-'A']
		}
	}
}

// states is how many an automaton of literals has, its first among them: one for each beginning of
// theirs. Tables of that size are made at once, since those of 10,000 rules take 50 MB, and as much
// again while they are moved.
func states(literals []Literal, ids []int) int {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = literals[id].Text
	}
	slices.Sort(texts)
	n, last := 1, ""
	for _, t := range texts {
		same := 0
		for same < min(len(t), len(last)) && t[same] == last[same] {
			same++
		}
		n += len(t) - same
		last = t
	}
	return n
}

// grow adds a state that leads nowhere.
func (a *automaton) grow() int32 {
	n := len(a.next)
	a.next = a.next[:n+int(a.width)]
	a.hits = append(a.hits, nil)
	return int32(n)
}

func (a *automaton) add(text string, id int32) {
	at := int32(0)
	for _, c := range []byte(text) {
		i := at + int32(a.class[c])
		if a.next[i] == 0 {
			fresh := a.grow()
			a.next[i] = fresh
		}
		at = a.next[i]
	}
	a.hits[at/a.width] = append(a.hits[at/a.width], id)
}

// link makes an automaton of the tree: where a state leads nowhere, its longest suffix
// that is a state too leads on. Breadth first, so that suffixes are done before.
func (a *automaton) link() {
	suffix := make([]int32, len(a.hits))
	queue := make([]int32, 0, len(a.hits))
	for _, to := range a.next[:a.width] {
		if to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		back := suffix[at/a.width]
		a.hits[at/a.width] = append(a.hits[at/a.width], a.hits[back/a.width]...)
		for c := range a.width {
			to := &a.next[at+c]
			if *to == 0 {
				*to = a.next[back+c]
				continue
			}
			suffix[*to/a.width] = a.next[back+c]
			queue = append(queue, *to)
		}
	}
	for i, to := range a.next {
		if len(a.hits[to/a.width]) > 0 {
			a.next[i] = ^to
		}
	}
}

// run steps through a text, reports what ends in it and where, and gives the state at its end.
func (a *automaton) run(state int32, text []byte, hit func(id, end int)) int32 {
	next := a.next
	for i, c := range text {
		state = next[state+int32(a.class[c])]
		if state >= 0 {
			continue
		}
		state = ^state
		for _, id := range a.hits[state/a.width] {
			hit(int(id), i+1)
		}
	}
	return state
}
