package rights

import "slices"

// room are the parts that somebody has in a namespace, by power.
type room struct {
	namespace string
	parts     [powers][]part
}

// rooms are those of whom is looked at; the ones behind n are there to be used again.
type rooms struct {
	list []*room
	n    int
	by   map[string]*room
}

// lay sorts what somebody holds by namespace and power.
func (t *rooms) lay(holds []*holding) {
	t.n = 0
	if clear(t.by); t.by == nil {
		t.by = map[string]*room{}
	}
	for _, one := range holds {
		r := t.room(one.namespace)
		for _, g := range one.grants {
			if combined[g.power] {
				r.parts[g.power] = append(r.parts[g.power], part{g, one.permission, one.binding})
			}
		}
	}
}

func (t *rooms) all() []*room { return t.list[:t.n] }

func (t *rooms) room(namespace string) *room {
	r := t.by[namespace]
	if r != nil {
		return r
	}
	if t.n == len(t.list) {
		t.list = append(t.list, &room{})
	}
	r = t.list[t.n]
	t.n++
	r.namespace = namespace
	for i := range r.parts {
		r.parts[i] = r.parts[i][:0]
	}
	t.by[namespace] = r
	return r
}

// options are those of some powers in a namespace and everywhere. ok tells whether each power is
// there, and one of them in the namespace.
func (t *rooms) options(parts []power, r *room) (list [][]part, ok bool) {
	wide, here := t.by[""], false
	for _, p := range parts {
		if len(r.parts[p]) == 0 && (wide == nil || len(wide.parts[p]) == 0) {
			return nil, false
		}
		here = here || len(r.parts[p]) > 0
	}
	if !here {
		return nil, false
	}
	list = make([][]part, len(parts))
	for j, p := range parts {
		if list[j] = r.parts[p]; wide != nil && r != wide && len(wide.parts[p]) > 0 {
			list[j] = slices.Concat(list[j], wide.parts[p])
		}
	}
	return list, true
}

// combined are the powers that any combination has.
var combined = func() (list [powers]bool) {
	for _, c := range combinations {
		for _, p := range c.parts {
			list[p] = true
		}
	}
	return list
}()
