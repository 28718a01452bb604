package rules

import (
	"net/netip"
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
	"bulwark/detect/rules/internal/names"
)

// reach is what events a condition can be true of, as far as a sensor can tell: any, or those that meet one of the
// list; never fewer than there are.
type reach struct {
	any  bool
	list []bulwark.Where
}

var anything = reach{any: true}

func only(w ...bulwark.Where) reach { return reach{list: w} }

// maxWheres bounds what is asked of a sensor: beyond it, what many ask is told as what all have in common.
const maxWheres = 64

// reachOf is the reach of a condition, or of its opposite, for events of a kind; with kind 0, of any.
func reachOf(n *cond, k bulwark.Kind, not bool) reach {
	if k != 0 {
		yes, no := n.may.has(k), n.mayNot.has(k)
		if not {
			yes, no = no, yes
		}
		if !yes {
			return reach{}
		}
		if !no {
			return anything
		}
	}
	switch n.op {
	case isCheck:
		return n.check.reach(k, not)
	case isNot:
		return reachOf(n.terms[0], k, !not)
	}
	both := n.op == isAnd != not
	r := reach{any: both}
	for _, t := range n.terms {
		m := reachOf(t, k, not)
		if both {
			r = r.and(m)
		} else {
			r = r.or(m)
		}
	}
	return r
}

func (r reach) or(m reach) reach {
	if r.any || m.any {
		return anything
	}
	return reach{list: bounded(slices.Concat(r.list, m.list))}
}

func (r reach) and(m reach) reach {
	switch {
	case r.any:
		return m
	case m.any:
		return r
	}
	if len(r.list)*len(m.list) > maxWheres {
		r.list, m.list = common(r.list), common(m.list)
	}
	var list []bulwark.Where
	for i := range r.list {
		for j := range m.list {
			if w, ok := both(&r.list[i], &m.list[j]); ok {
				list = append(list, w)
			}
		}
	}
	return reach{list: bounded(list)}.settled()
}

// settled is anything where one of the list is met by all.
func (r reach) settled() reach {
	if slices.ContainsFunc(r.list, func(w bulwark.Where) bool { return empty(&w) }) {
		return anything
	}
	return r
}

func empty(w *bulwark.Where) bool {
	return w.Container == 0 && w.Failed == 0 && w.Write == 0 && !w.Climbs && len(w.Paths)+len(w.Flags)+len(w.Ports)+len(w.Nets)+len(w.EitherPort)+len(w.First) == 0
}

// both is met by all that meet a and b, and by more where a list of each cannot be told as one.
func both(a, b *bulwark.Where) (w bulwark.Where, possible bool) {
	c, ok := bothTri(a.Container, b.Container)
	f, also := bothTri(a.Failed, b.Failed)
	o, still := bothTri(a.Write, b.Write)
	if !ok || !also || !still {
		return w, false
	}
	p := sharper(a, b)
	return bulwark.Where{
		Container: c, Failed: f, Write: o, Climbs: a.Climbs || b.Climbs,
		Paths: p.Paths, AsGiven: p.AsGiven, Flags: shorter(a.Flags, b.Flags), Ports: shorter(a.Ports, b.Ports), Nets: shorter(a.Nets, b.Nets),
	}, true
}

func bothTri(a, b bulwark.Tri) (bulwark.Tri, bool) {
	switch {
	case a == bulwark.Either:
		return b, true
	case b == bulwark.Either, a == b:
		return a, true
	}
	return 0, false
}

func shorter[T any](a, b []T) []T {
	if len(a) == 0 || len(b) > 0 && len(b) < len(a) {
		return b
	}
	return a
}

// sharper is the one of whose paths a sensor can tell more: what a path has anywhere it can hardly tell.
func sharper(a, b *bulwark.Where) *bulwark.Where {
	switch {
	case len(a.Paths) == 0:
		return b
	case len(b.Paths) == 0:
		return a
	}
	has := func(m bulwark.PathMatch) bool { return m.By == bulwark.PathHas }
	x, y := slices.ContainsFunc(a.Paths, has), slices.ContainsFunc(b.Paths, has)
	if x && !y || x == y && len(b.Paths) < len(a.Paths) {
		return b
	}
	return a
}

// common is what all of a list have in common, as a list of one.
func common(list []bulwark.Where) []bulwark.Where {
	if len(list) == 0 {
		return nil
	}
	w := list[0]
	for _, o := range list[1:] {
		w.Container, w.Failed, w.Write = sameTri(w.Container, o.Container), sameTri(w.Failed, o.Failed), sameTri(w.Write, o.Write)
		w.Climbs, w.AsGiven = w.Climbs && o.Climbs, w.AsGiven || o.AsGiven
		w.Paths, w.Ports, w.Nets = union(w.Paths, o.Paths), union(w.Ports, o.Ports), union(w.Nets, o.Nets)
		if !slices.Equal(w.Flags, o.Flags) {
			w.Flags = nil
		}
	}
	return []bulwark.Where{w}
}

func sameTri(a, b bulwark.Tri) bulwark.Tri {
	if a == b {
		return a
	}
	return bulwark.Either
}

func union[T comparable](a, b []T) []T {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	all := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}

// bounded joins those that differ in their paths alone, and where there are too many still tells what all have in common.
func bounded(list []bulwark.Where) []bulwark.Where {
	var out []joint
	for _, w := range list {
		if empty(&w) {
			return []bulwark.Where{w}
		}
		i := slices.IndexFunc(out, func(o joint) bool { return butPaths(&o.Where, &w) })
		if i < 0 {
			i = len(out)
			out = append(out, joint{Where: w})
			out[i].Paths, out[i].any = nil, len(w.Paths) == 0
		}
		out[i].join(w.Paths)
	}
	joined := make([]bulwark.Where, 0, len(out))
	for i := range out {
		joined = append(joined, out[i].Where)
	}
	if len(joined) > maxWheres {
		return common(joined)
	}
	return joined
}

// joint is met by what one of several, which differ in their paths alone, is met by.
type joint struct {
	bulwark.Where
	seen map[bulwark.PathMatch]struct{}
	any  bool // one of them asks for no path
}

func (j *joint) join(paths []bulwark.PathMatch) {
	if j.any = j.any || len(paths) == 0; j.any {
		j.Paths = nil
		return
	}
	if j.seen == nil {
		j.seen = map[bulwark.PathMatch]struct{}{}
	}
	for _, p := range paths {
		if _, ok := j.seen[p]; !ok {
			j.seen[p] = struct{}{}
			j.Paths = append(j.Paths, p)
		}
	}
}

func butPaths(a, b *bulwark.Where) bool {
	return a.Container == b.Container && a.Failed == b.Failed && a.Write == b.Write && a.Climbs == b.Climbs && a.AsGiven == b.AsGiven &&
		slices.Equal(a.Flags, b.Flags) && slices.Equal(a.Ports, b.Ports) && slices.Equal(a.Nets, b.Nets)
}

// reach is what a sensor can tell of a comparison. Of its opposite little is known: that a field is missing makes it true.
func (k *check) reach(kind bulwark.Kind, not bool) reach {
	f := k.left.field
	if f == nil || k.Right != nil || f.Source != bulwark.SourceSyscall {
		return anything
	}
	if r, ok := k.containerReach(not); ok {
		return r
	}
	if kind == 0 {
		return anything
	}
	if r, ok := k.resultReach(kind, not); ok {
		return r
	}
	if not {
		return anything
	}
	switch f.Name {
	case "fd.name", "fd.directory", "fd.filename":
		return k.pathReach(kind)
	case "fd.nameraw":
		return k.climbReach(kind)
	case "evt.arg", "evt.rawarg":
		return k.flagReach(kind)
	}
	return k.addressReach(kind)
}

func (k *check) containerReach(not bool) (reach, bool) {
	f := k.left.field.Name
	yes := only(bulwark.Where{Container: bulwark.Yes})
	switch {
	case f == "container.id":
		return k.idReach(not), true
	case not, f == "container.name", f == "container.info":
		return anything, strings.HasPrefix(f, "container.")
	case strings.HasPrefix(f, "container."), strings.HasPrefix(f, "k8s."):
		return yes, true // processes of the node have no such field
	}
	return anything, false
}

// idReach knows that outside of containers the id is "host", and inside never.
func (k *check) idReach(not bool) reach {
	if k.Modifier != lang.Plain || k.Op != lang.Eq && k.Op != lang.NotEq && k.Op != lang.In {
		return anything
	}
	host := slices.ContainsFunc(k.Values, func(v lang.Value) bool { return v.Text == onHost })
	other := slices.ContainsFunc(k.Values, func(v lang.Value) bool { return v.Text != onHost })
	if k.Op == lang.NotEq {
		not = !not
	}
	switch {
	case host && !other && !not:
		return only(bulwark.Where{Container: bulwark.No})
	case host && not, !host && other && !not:
		return only(bulwark.Where{Container: bulwark.Yes})
	}
	return anything
}

// resultReach tells whether the call has failed, and whether an open is for writing.
func (k *check) resultReach(kind bulwark.Kind, not bool) (reach, bool) {
	f := k.left.field.Name
	if f == "evt.is_open_write" && slices.Contains(opens, kind) {
		yes, ok := k.truth()
		if !ok {
			return anything, true
		}
		return only(bulwark.Where{Write: tri(yes != not)}), true
	}
	if !returns(kind) {
		return anything, false
	}
	switch f {
	case "evt.failed":
		if yes, ok := k.truth(); ok {
			return only(bulwark.Where{Failed: tri(yes != not)}), true
		}
	case "evt.res":
		return k.nameReach(not), true
	case "evt.rawres":
		return k.numberReach(not), true
	case "fd.num":
		if makesFD(kind) && !not {
			return k.numberReach(false), true
		}
	}
	return anything, false
}

func tri(yes bool) bulwark.Tri {
	if yes {
		return bulwark.Yes
	}
	return bulwark.No
}

// truth is what a comparison with true or false wants; ok is false where it is another one.
func (k *check) truth() (want, ok bool) {
	if k.Modifier != lang.Plain || len(k.Values) != 1 || k.Op != lang.Eq && k.Op != lang.NotEq {
		return false, false
	}
	n, err := k.left.number(k.Values[0].Text)
	return (n != 0) == (k.Op == lang.Eq), err == nil
}

// nameReach is that of evt.res, which is SUCCESS or the name of an error.
func (k *check) nameReach(not bool) reach {
	m, err := matcher(k.Op, k.Modifier, k.Values)
	if k.Op == lang.Exists || err != nil {
		return anything
	}
	if m("SUCCESS") != not {
		if k.Op == lang.Eq && !not {
			return only(bulwark.Where{Failed: bulwark.No})
		}
		return anything
	}
	return only(bulwark.Where{Failed: bulwark.Yes})
}

// numberReach is that of a number that is below zero where the call failed, and never else.
func (k *check) numberReach(not bool) reach {
	if k.Modifier != lang.Plain || k.Op == lang.Exists || not {
		return anything
	}
	var below, above bool
	for _, v := range k.Values {
		n, err := number64(v.Text)
		if err != nil {
			return anything
		}
		b, a := signs(k.Op, n)
		below, above = below || b, above || a
	}
	switch {
	case below && above:
		return anything
	case below:
		return only(bulwark.Where{Failed: bulwark.Yes})
	case above:
		return only(bulwark.Where{Failed: bulwark.No})
	}
	return anything
}

// signs tells whether numbers below zero, and others, can compare so with n.
func signs(op lang.Op, n int64) (below, above bool) {
	switch op {
	case lang.Eq, lang.In:
		return n < 0, n >= 0
	case lang.Less:
		return true, n > 0
	case lang.LessEq:
		return true, n >= 0
	case lang.Greater:
		return n < -1, true
	case lang.GreaterEq:
		return n < 0, true
	}
	return true, true
}

// pathReach is that of the name of a file. Where an open failed, the name is worked out of what was asked for, which
// a sensor cannot.
func (k *check) pathReach(kind bulwark.Kind) reach {
	if k.Modifier != lang.Plain {
		return anything
	}
	opened := slices.Contains(openers, kind)
	var paths []bulwark.PathMatch
	for _, v := range k.Values {
		p, ok := k.paths(v.Text, opened)
		if !ok {
			return anything
		}
		paths = append(paths, p...)
	}
	if len(paths) == 0 {
		return anything
	}
	if !opened {
		return only(bulwark.Where{Paths: paths})
	}
	r := only(bulwark.Where{Failed: bulwark.No, Paths: paths}, bulwark.Where{Failed: bulwark.Yes})
	if len(k.links) == 0 || kind == kindHandle {
		return r
	}
	given, ok := k.givenReach()
	if !ok {
		return anything
	}
	return r.or(only(given...))
}

// paths are where a path has to have what for the comparison to hold. Names of sockets never begin with a stroke
// but where they are paths; what a name ends with or has is asked of files only.
func (k *check) paths(text string, opened bool) ([]bulwark.PathMatch, bool) {
	one := func(by bulwark.PathBy, s string) ([]bulwark.PathMatch, bool) {
		anywhere := by == bulwark.PathEnds || by == bulwark.PathHas
		if s == "" || !anywhere && s[0] != '/' || anywhere && !opened {
			return nil, false
		}
		return []bulwark.PathMatch{{By: by, Text: s}}, true
	}
	switch name := k.left.field.Name; {
	case text == "/" && name != "fd.name":
		return nil, false // also said of names without a folder
	case name == "fd.filename":
		if k.Op == lang.Eq || k.Op == lang.In {
			return one(bulwark.PathEnds, text)
		}
		if k.Op == lang.EndsWith {
			return one(bulwark.PathEnds, text)
		}
	case name == "fd.directory" && (k.Op == lang.Eq || k.Op == lang.In):
		is, ok := one(bulwark.PathIs, text)
		return append(is, bulwark.PathMatch{By: bulwark.PathBegins, Text: strings.TrimSuffix(text, "/") + "/"}), ok
	case name == "fd.directory" && k.Op == lang.StartsWith, name == "fd.name" && k.Op == lang.StartsWith:
		return one(bulwark.PathBegins, text)
	case name == "fd.name" && (k.Op == lang.Eq || k.Op == lang.In):
		return one(bulwark.PathIs, text)
	case name == "fd.name" && k.Op == lang.EndsWith:
		return one(bulwark.PathEnds, text)
	case name == "fd.name" && k.Op == lang.Contains:
		return one(bulwark.PathHas, text)
	case name == "fd.name" && k.Op == lang.Glob:
		return one(bulwark.PathBegins, globStart(text))
	case name == "fd.name" && k.Op == lang.PMatch:
		return one(bulwark.PathBegins, prefixOf(text))
	}
	return nil, false
}

// climbReach is that of a path as it was given to an open, where it has to have "../" in it. Files that are
// opened by handle are asked for by no path.
func (k *check) climbReach(kind bulwark.Kind) reach {
	if !slices.Contains(openers, kind) || kind == kindHandle || k.Modifier != lang.Plain || len(k.Values) == 0 {
		return anything
	}
	for _, v := range k.Values {
		climbs := strings.Contains(v.Text, climb)
		switch k.Op {
		case lang.Contains, lang.StartsWith, lang.EndsWith, lang.Eq, lang.In:
		case lang.Glob:
			climbs = climbs && !strings.ContainsAny(v.Text, `[\`)
		default:
			return anything
		}
		if !climbs {
			return anything
		}
	}
	return only(bulwark.Where{Climbs: true})
}

const climb = "../"

// prefixOf is what every path begins with that a value of pmatch fits, or nothing where that is not simple.
func prefixOf(path string) string {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return ""
	}
	return strings.TrimRight(globStart(path), "/")
}

// flagReach is that of an argument that is made of bits.
func (k *check) flagReach(kind bulwark.Kind) reach {
	at, err := which(k.left.arg)
	if err != nil || at[kind] < 0 || k.Modifier != lang.Plain || k.left.field.Name != "evt.arg" || bornOrExec(kind) {
		return anything
	}
	i := int(at[kind])
	p := kind.Params()[i]
	if p.Type != bulwark.ParamFlags && p.Type != bulwark.ParamEnum || k.Op != lang.Contains && k.Op != lang.Eq && k.Op != lang.In {
		return anything
	}
	var any int64
	for _, v := range k.Values {
		bits, ok := names.Bits(p.Names, v.Text)
		if !ok || strings.Trim(v.Text, "-+0123456789abcdefxABCDEFX") == "" {
			return anything
		}
		any |= bits
	}
	return only(bulwark.Where{Flags: []bulwark.FlagMatch{{Param: i, Any: any}}})
}

// addressReach is that of the other end. Who connects has it in the server.
func (k *check) addressReach(kind bulwark.Kind) reach {
	if k.Modifier != lang.Plain || k.Op != lang.Eq && k.Op != lang.In {
		return anything
	}
	name, connects := k.left.field.Name, kind == kindConnect
	switch {
	case name == "fd.rport", name == "fd.sport" && connects:
		return k.portReach()
	case name == "fd.rip", name == "fd.rnet", connects && (name == "fd.sip" || name == "fd.snet"):
		return k.netReach()
	}
	return anything
}

func (k *check) portReach() reach {
	var ports []uint16
	for _, v := range k.Values {
		n, err := k.left.number(v.Text)
		if err != nil || n < 0 || n > 1<<16-1 {
			return anything
		}
		ports = append(ports, uint16(n))
	}
	return only(bulwark.Where{Ports: ports})
}

func (k *check) netReach() reach {
	var nets []netip.Prefix
	for _, v := range k.Values {
		n, err := network(v.Text)
		if err != nil {
			return anything
		}
		nets = append(nets, n)
		if a := n.Addr(); a.Is4() {
			nets = append(nets, netip.PrefixFrom(netip.AddrFrom16(a.As16()), n.Bits()+96)) // as sockets of IPv6 have it
		}
	}
	return only(bulwark.Where{Nets: nets})
}
