package rbac

import (
	"hash/maphash"
	"slices"
)

var seed = maphash.MakeSeed()

// Sum is the same for roles with the same rules, and mostly another for others. It holds for
// one run of the program.
func (r *Role) Sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for i := range r.Rules {
		rule := &r.Rules[i]
		for _, list := range [][]string{rule.Verbs, rule.Groups, rule.Resources, rule.Names} {
			for _, word := range list {
				h.WriteString(word)
				h.WriteByte(0)
			}
			h.WriteByte(1)
		}
	}
	return h.Sum64()
}

// SameRules tells whether two roles have the same rules of their own, in the same order.
func (r *Role) SameRules(o *Role) bool {
	return slices.EqualFunc(r.Rules, o.Rules, func(a, b Rule) bool { return a.equal(&b) })
}
