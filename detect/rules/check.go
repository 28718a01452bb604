package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// check is a comparison that was made ready.
type check struct {
	*lang.Check
	left  *term
	links []lang.Value // those that the path as it was given is compared with, too
	test  func(*event) bool
	cost  int
}

func (c *compiler) check(e *lang.Check) (*check, error) {
	left, err := c.term(e.Left)
	if err != nil {
		return nil, err
	}
	if err := typed(left, e); err != nil {
		return nil, err
	}
	c.look(left, e)
	k := &check{Check: e, left: left, cost: left.cost + opCost(e)}
	if e.Right != nil {
		k.test, err = c.dynamic(left, e)
	} else {
		k.test, err = c.static(left, e)
	}
	if err != nil {
		return nil, err
	}
	return k, k.seeGiven()
}

func opCost(e *lang.Check) int {
	switch e.Op {
	case lang.Regex:
		return 40
	case lang.Contains, lang.IContains, lang.Glob, lang.IGlob, lang.BContains, lang.PMatch:
		return 3 + len(e.Values)
	case lang.In:
		return 2
	}
	return 1 + len(e.Values)/4
}

// static compares with literals.
func (c *compiler) static(t *term, e *lang.Check) (func(*event) bool, error) {
	if e.Op == lang.Exists {
		return present(t), nil
	}
	switch {
	case t.list != nil:
		return listTest(t, e)
	case t.any != nil:
		return anyTest(t, e)
	case t.addr != nil && t.text != nil:
		return c.domain(t, e)
	case t.addr != nil:
		m, err := addressMatcher(e)
		return func(v *event) bool {
			a, ok := t.addr(v)
			return ok && m(a)
		}, err
	case t.num != nil:
		m, err := numberMatcher(t, e)
		return func(v *event) bool {
			n, ok := t.num(v)
			return ok && m(n)
		}, err
	}
	return textTest(t, e)
}

// present tells whether the event has the field at all.
func present(t *term) func(*event) bool {
	switch {
	case t.list != nil:
		return func(v *event) bool { _, ok := t.list(v); return ok }
	case t.addr != nil:
		return func(v *event) bool { _, ok := t.addr(v); return ok }
	case t.num != nil:
		return func(v *event) bool { _, ok := t.num(v); return ok }
	case t.text != nil:
		return func(v *event) bool { _, ok := t.text(v); return ok }
	case t.any.text != nil:
		return func(v *event) bool { return t.any.text(v, func(string) bool { return true }) }
	case t.any.num != nil:
		return func(v *event) bool { return t.any.num(v, func(int64) bool { return true }) }
	}
	return func(v *event) bool { return t.any.addr(v, func(netip.Addr) bool { return true }) }
}

func textTest(t *term, e *lang.Check) (func(*event) bool, error) {
	if err := forBytes(t, e.Op); err != nil {
		return nil, err
	}
	m, err := matcher(e.Op, e.Modifier, e.Values)
	if err != nil {
		return nil, err
	}
	plain := func(v *event) bool {
		s, ok := t.text(v)
		return ok && m(s)
	}
	if t.also == nil || e.Modifier != lang.Plain || !numbersOnly(e) {
		return plain, nil
	}
	n, err := numberMatcher(t, e)
	if err != nil {
		return plain, nil
	}
	return func(v *event) bool {
		if x, ok := t.also(v); ok && e.Op != lang.NotEq {
			return n(x) || plain(v)
		} else if ok {
			return n(x) && plain(v)
		}
		return plain(v)
	}, nil
}

// forBytes holds operators on bytes to fields of bytes, and others to fields of text.
func forBytes(t *term, op lang.Op) error {
	switch op {
	case lang.BContains, lang.BStartsWith:
		if t.typ != Bytes {
			return fmt.Errorf("%s is of bytes, and %s is text", op, t.name())
		}
	case lang.Less, lang.LessEq, lang.Greater, lang.GreaterEq, lang.IContains, lang.Glob, lang.IGlob, lang.Regex, lang.PMatch:
		if t.typ == Bytes {
			return fmt.Errorf("%s is of text, and %s is bytes: contains, startswith, endswith, =, in, bcontains and bstartswith are of bytes", op, t.name())
		}
	}
	return nil
}

// numbersOnly tells whether a check that is about names compares with their numbers.
func numbersOnly(e *lang.Check) bool {
	switch e.Op {
	case lang.Eq, lang.NotEq, lang.In, lang.Less, lang.LessEq, lang.Greater, lang.GreaterEq:
		return len(e.Values) > 0 && !slices.ContainsFunc(e.Values, func(v lang.Value) bool {
			_, err := number64(v.Text)
			return err != nil
		})
	}
	return false
}

// listTest compares the values of a field that has many: in wants all of them to be in the list, intersects one.
func listTest(t *term, e *lang.Check) (func(*event) bool, error) {
	if e.Modifier != lang.Plain || e.Op != lang.In && e.Op != lang.Intersects {
		return nil, fmt.Errorf("%s has many values: it is compared with exists, in and intersects", t.name())
	}
	m := oneOf(e.Values)
	all := e.Op == lang.In
	return func(v *event) bool {
		list, ok := t.list(v)
		if !ok {
			return false
		}
		for _, s := range list {
			if m(s) != all {
				return !all
			}
		}
		return all
	}, nil
}

// anyTest compares each of several values.
func anyTest(t *term, e *lang.Check) (func(*event) bool, error) {
	if t.any.unequal && e.Op == lang.NotEq && e.Modifier == lang.Plain {
		same := *e
		same.Op = lang.Eq
		equal, err := anyTest(t, &same)
		has := present(t)
		return func(v *event) bool { return has(v) && !equal(v) }, err
	}
	switch {
	case t.any.num != nil:
		m, err := numberMatcher(t, e)
		return func(v *event) bool { return t.any.num(v, m) }, err
	case t.any.addr != nil:
		m, err := addressMatcher(e)
		return func(v *event) bool { return t.any.addr(v, m) }, err
	}
	m, err := matcher(e.Op, e.Modifier, e.Values)
	return func(v *event) bool { return t.any.text(v, m) }, err
}

func numberMatcher(t *term, e *lang.Check) (func(int64) bool, error) {
	if e.Modifier == lang.OneOf || e.Modifier == lang.AllOf {
		return nil, fmt.Errorf("%s is a number: it goes with anyof, not with the other modifiers", t.name())
	}
	var list []int64
	for _, v := range e.Values {
		n, err := t.number(v.Text)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	switch e.Op {
	case lang.In, lang.Intersects:
		return numberIn(list), nil
	case lang.Eq, lang.NotEq, lang.Less, lang.LessEq, lang.Greater, lang.GreaterEq:
	default:
		return nil, fmt.Errorf("%s is a number: it is compared with =, !=, <, <=, >, >=, in and exists", t.name())
	}
	if e.Modifier == lang.AnyOf {
		in := numberIn(list)
		return func(n int64) bool { return in(n) == (e.Op == lang.Eq) }, nil
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("the operator wants one value, not %d", len(list))
	}
	want, op := list[0], e.Op
	if t.field != nil && t.field.Name == "evt.around" {
		op = lang.LessEq
	}
	if op == lang.Eq {
		return func(n int64) bool { return n == want }, nil
	}
	return func(n int64) bool { return holds(op, n, want) }, nil
}

func numberIn(list []int64) func(int64) bool {
	if len(list) <= 2*fewValues {
		return func(n int64) bool { return slices.Contains(list, n) }
	}
	set := make(map[int64]struct{}, len(list))
	for _, n := range list {
		set[n] = struct{}{}
	}
	return func(n int64) bool { _, ok := set[n]; return ok }
}

// number reads a value that the term is compared with.
func (t *term) number(s string) (int64, error) {
	if t.typ == Bool {
		switch s {
		case "true", "1":
			return 1, nil
		case "false", "0":
			return 0, nil
		}
		return 0, fmt.Errorf("%s is true or false, not %q", t.name(), s)
	}
	n, err := number64(s)
	if err == nil {
		return n, nil
	}
	if p, ok := services[s]; ok && t.field != nil && strings.HasPrefix(t.field.Name, "fd.") {
		return int64(p), nil
	}
	return 0, fmt.Errorf("%s is a number, and %w", t.name(), err)
}

func addressMatcher(e *lang.Check) (func(netip.Addr) bool, error) {
	switch e.Op {
	case lang.Eq, lang.NotEq, lang.In, lang.Intersects:
	default:
		return nil, fmt.Errorf("addresses are compared with =, !=, in and exists")
	}
	if e.Modifier == lang.OneOf || e.Modifier == lang.AllOf {
		return nil, fmt.Errorf("addresses go with anyof, not with the other modifiers")
	}
	var nets []netip.Prefix
	for _, v := range e.Values {
		n, err := network(v.Text)
		if err != nil {
			return nil, err
		}
		nets = append(nets, n)
	}
	not := e.Op == lang.NotEq
	return func(a netip.Addr) bool {
		for _, n := range nets {
			if n.Contains(a) {
				return !not
			}
		}
		return not
	}, nil
}

// network reads an address or a network.
func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network", s)
	}
	return p.Masked(), nil
}

// domain compares an address with those that names have.
func (c *compiler) domain(t *term, e *lang.Check) (func(*event) bool, error) {
	if e.Modifier != lang.Plain || e.Op != lang.Eq && e.Op != lang.NotEq && e.Op != lang.In && e.Op != lang.Intersects {
		return textTest(t, e)
	}
	var names []string
	for _, v := range e.Values {
		names = append(names, strings.TrimSuffix(strings.ToLower(v.Text), "."))
	}
	c.domains = append(c.domains, names...)
	not := e.Op == lang.NotEq
	return func(v *event) bool {
		a, ok := t.addr(v)
		if !ok {
			return false
		}
		for _, n := range names {
			if v.env.resolver.Has(n, a) {
				return !not
			}
		}
		return not
	}, nil
}

// dynamic compares with another field.
func (c *compiler) dynamic(left *term, e *lang.Check) (func(*event) bool, error) {
	right, err := c.term(e.Right)
	if err != nil {
		return nil, err
	}
	if l, r := left.sort(), right.sort(); l != r {
		return nil, fmt.Errorf("%s is %s, and %s is %s: they cannot be compared", left.name(), l, right.name(), r)
	}
	op := e.Op
	if left.list == nil && right.list == nil && (op == lang.In || op == lang.Intersects) {
		op = lang.Eq // one value is in another where they are equal
	}
	if left.num != nil && right.num != nil {
		return func(v *event) bool {
			a, ok := left.num(v)
			b, also := right.num(v)
			return ok && also && holds(op, a, b)
		}, forNumbers(op)
	}
	if right.list != nil && (e.Op == lang.In || e.Op == lang.Intersects) {
		return inList(left, right, e.Op)
	}
	a, b := left.read(), right.read()
	if a == nil || b == nil || left.list != nil || right.list != nil {
		return nil, fmt.Errorf("%s and %s cannot be compared so", left.name(), right.name())
	}
	if _, err := single(op, ""); err != nil && op != lang.PMatch || op == lang.Regex || op == lang.BContains || op == lang.BStartsWith {
		return nil, fmt.Errorf("the operator wants literals on its right")
	}
	return func(v *event) bool {
		x, ok := a(v)
		y, also := b(v)
		return ok && also && textHolds(op, x, y)
	}, nil
}

func forNumbers(op lang.Op) error {
	switch op {
	case lang.Eq, lang.NotEq, lang.Less, lang.LessEq, lang.Greater, lang.GreaterEq:
		return nil
	}
	return fmt.Errorf("numbers are compared with =, !=, <, <=, > and >=")
}

func inList(left, right *term, op lang.Op) (func(*event) bool, error) {
	if left.list != nil {
		return func(v *event) bool {
			x, ok := left.list(v)
			y, also := right.list(v)
			if !ok || !also {
				return false
			}
			missing := func(s string) bool { return !slices.Contains(y, s) }
			if op == lang.In {
				return !slices.ContainsFunc(x, missing)
			}
			return slices.ContainsFunc(x, func(s string) bool { return !missing(s) })
		}, nil
	}
	read := left.read()
	if read == nil {
		return nil, fmt.Errorf("%s cannot be compared with a list of another field", left.name())
	}
	return func(v *event) bool {
		s, ok := read(v)
		list, also := right.list(v)
		return ok && also && slices.Contains(list, s)
	}, nil
}

func textHolds(op lang.Op, a, b string) bool {
	switch op {
	case lang.Contains:
		return strings.Contains(a, b)
	case lang.StartsWith:
		return strings.HasPrefix(a, b)
	case lang.EndsWith:
		return strings.HasSuffix(a, b)
	case lang.IContains:
		return containsFold(a, b)
	case lang.Glob, lang.IGlob:
		return globMatch(b, a, op == lang.IGlob)
	case lang.PMatch:
		return below(b, a)
	}
	return holds(op, int64(strings.Compare(a, b)), 0)
}

// below tells whether a path is the folder or in it.
func below(folder, path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, "/"))
	return ok && folder != "" && (rest == "" || rest[0] == '/')
}

// newProbe is an event of which no more than the kind is looked at.
func newProbe() *event { return &event{Event: &bulwark.Event{}, env: &environment{}} }

// fixed tells what the check says of all events of a kind, where that is always the same.
func (k *check) fixed(probe *event, kind bulwark.Kind) (is, known bool) {
	if k.left.has != nil && !k.left.has(kind) {
		return false, true
	}
	if k.Right == nil && k.Op != lang.Exists && len(k.Values) == 0 {
		return false, true // nothing is in an empty list
	}
	if k.Right != nil || k.left.field == nil {
		return false, false
	}
	if k.left.field.Name == "evt.num" {
		return k.numbered()
	}
	if k.left.field.Name == "evt.category" {
		return k.sorted(probe, kind)
	}
	if of, ok := byKind[k.left.field.Name]; ok && (of == nil || !of(kind)) {
		probe.Kind = kind
		return k.test(probe), true
	}
	return false, false
}

// sorted knows the category of a kind: that of reads and writes is one of two.
func (k *check) sorted(probe *event, kind bulwark.Kind) (is, known bool) {
	probe.Kind = kind
	probe.FD.Kind = bulwark.FDIPv4
	is = k.test(probe)
	probe.FD.Kind = bulwark.FDNone
	return is, is == k.test(probe)
}

// numbered knows that events are numbered from 1: comparisons that tell 0 from them are how rules write true and false.
func (k *check) numbered() (is, known bool) {
	if len(k.Values) != 1 || k.Modifier != lang.Plain {
		return false, false
	}
	n, err := number64(k.Values[0].Text)
	switch {
	case err != nil:
	case k.Op == lang.Eq && n <= 0, k.Op == lang.Less && n <= 1, k.Op == lang.LessEq && n <= 0:
		return false, true
	case k.Op == lang.NotEq && n <= 0, k.Op == lang.Greater && n <= 0, k.Op == lang.GreaterEq && n <= 1:
		return true, true
	}
	return false, false
}

// byKind has the fields whose value follows from the kind of the event: of all, or of those for which the function is false.
var byKind = map[string]func(bulwark.Kind) bool{
	"evt.type": nil, "evt.type.is": nil, "syscall.type": nil, "evt.dir": nil, "evt.count": nil, "evt.count.exit": nil, "evt.is_async": nil,
	"evt.is_io": nil, "evt.is_io_read": nil, "evt.is_io_write": nil, "evt.io_dir": nil, "evt.is_wait": nil,
	"evt.is_open_read":   func(k bulwark.Kind) bool { return slices.Contains(opens, k) },
	"evt.is_open_write":  func(k bulwark.Kind) bool { return slices.Contains(opens, k) },
	"evt.is_open_exec":   func(k bulwark.Kind) bool { return slices.Contains(openers, k) },
	"evt.is_open_create": func(k bulwark.Kind) bool { return slices.Contains(opens, k) },
}
