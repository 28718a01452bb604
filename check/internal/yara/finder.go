package yara

import (
	"bulwark/check/internal/yara/pattern"
	"bulwark/internal/match"
)

// finder finds the places where patterns are to be verified.
type finder struct {
	set    *match.Set
	byAtom [][]anchor // by the literal of set
	slow   []anchor   // tried at every byte that may begin them
	// back and front are how far from the place of an atom verification may look.
	back, front int
}

// anchor is an atom of a pattern of a part of a string.
type anchor struct {
	text, part int32
	pattern    *pattern.Pattern
	atom       *pattern.Atom
}

func newFinder(texts []*text) finder {
	f := finder{back: 2, front: 2}
	index := map[match.Literal]int{}
	var literals []match.Literal
	for i, t := range texts {
		for j := range t.parts {
			for _, p := range t.parts[j].patterns {
				back, front := p.Reach()
				f.back, f.front = max(f.back, back), max(f.front, front)
				if len(p.Atoms) == 0 {
					f.slow = append(f.slow, anchor{int32(i), int32(j), p, &p.Slow})
				}
				for k := range p.Atoms {
					a := &p.Atoms[k]
					l := match.Literal{Text: a.Bytes, Fold: a.Fold}
					at, ok := index[l]
					if !ok {
						at = len(literals)
						index[l] = at
						literals = append(literals, l)
						f.byAtom = append(f.byAtom, nil)
					}
					f.byAtom[at] = append(f.byAtom[at], anchor{int32(i), int32(j), p, a})
				}
			}
		}
	}
	if len(literals) > 0 {
		f.set = match.New(literals)
		f.back = max(f.back, f.set.Longest())
	}
	return f
}
