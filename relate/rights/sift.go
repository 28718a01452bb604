package rights

import (
	"cmp"
	"slices"
	"strings"

	"bulwark"
)

// mostDetailed are the permissions of which everything is told. Of more, what another relation
// says as well is left out: no path is lost or less likely by that, whatever is removed.
const mostDetailed = 1000

// mostSifted are relations of one permission that are compared with each other: it names
// objects if there are more.
const mostSifted = 200

// sieve keeps the relations of one permission, until it is known which of them say anything.
type sieve struct {
	from        bulwark.VertexID // "": nothing is kept
	kept        []bulwark.Relation
	order, told []int
}

// tell gives a relation away, or keeps it to be sifted.
func (e *engine) tell(r bulwark.Relation) {
	if e.sieve.from != "" && r.From == e.sieve.from {
		e.sieve.kept = append(e.sieve.kept, r)
		return
	}
	e.to.Relation(r)
}

// sifted tells what was kept of a permission, but for what leads to nobody and for what
// another relation does as likely and with no more that removes it.
func (e *engine) sifted(p *permission) {
	v, in := &e.sieve, areas{}
	if p.namespace != "" {
		in = areas{e.space(p.namespace)}
	}
	v.order, v.told = v.order[:0], v.told[:0]
	for i := range v.kept {
		if !in.nobody(v.kept[i].To) {
			v.order = append(v.order, i)
		}
	}
	slices.SortStableFunc(v.order, func(a, b int) int { return cmp.Compare(chance(&v.kept[b]), chance(&v.kept[a])) })
	for _, i := range v.order {
		if len(v.order) > mostSifted || !slices.ContainsFunc(v.told, func(other int) bool { return in.says(&v.kept[other], &v.kept[i]) }) {
			v.told = append(v.told, i)
		}
	}
	slices.Sort(v.told)
	for _, i := range v.told {
		e.to.Relation(v.kept[i])
	}
	clear(v.kept)
	v.from, v.kept = "", v.kept[:0]
}

// areas are the groups of a namespace; of none where a permission holds everywhere.
type areas struct{ *space }

// nobody tells whether a vertex is a group of the namespace in which nobody is.
func (in areas) nobody(v bulwark.VertexID) bool {
	if in.space == nil {
		return false
	}
	for _, g := range []*group{in.pods, in.accounts, in.secrets, in.tokens} {
		if g.id == v {
			return !g.any()
		}
	}
	return false
}

// says tells whether one relation says all that another does which is no likelier: it leads to
// the same, or to a group that the other's is in, and what removes it removes the other.
func (in areas) says(one, other *bulwark.Relation) bool {
	if one.To != other.To && (in.space == nil || in.wider(other.To) != one.To) {
		return false
	}
	return within(one.Remedies, other.Remedies) && within(one.Because, other.Because)
}

// wider is the group that one of the namespace is in.
func (in areas) wider(v bulwark.VertexID) bulwark.VertexID {
	if v == in.tokens.id {
		return in.accounts.id
	}
	for called, kind := range in.kinds {
		if kind.id == v && !strings.HasSuffix(called, " that are bound") && called != "roles" {
			return in.pods.id
		}
	}
	return ""
}

func chance(r *bulwark.Relation) float64 {
	if r.Likelihood == 0 {
		return 1
	}
	return r.Likelihood
}

// within tells whether all of a few are among others.
func within(few, others []string) bool {
	for _, one := range few {
		if !slices.Contains(others, one) {
			return false
		}
	}
	return true
}

// besides leaves out, of the options of a combination among very many permissions, those by a rule
// that allows everything in its namespace, which leads to all that the combination does. It
// tells whether there are others of each part.
func (e *engine) besides(c *combination, options [][]part) bool {
	if len(e.permissions) <= mostDetailed || c.beyond {
		return complete(options)
	}
	for j := range options {
		whole := func(one part) bool { return one.in.whole && one.class == full && one.names == nil }
		if slices.ContainsFunc(options[j], whole) {
			options[j] = slices.DeleteFunc(slices.Clone(options[j]), whole)
		}
	}
	return complete(options)
}
