package reach

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/relate/internal/found"
)

// limits are what policies say of endpoints, and what checks found wrong with it.
type limits struct {
	isolated [2][]bool // by direction and endpoint: some policy drops what none allows
	// wide are findings about policies that let too many in, by endpoint; asking are the
	// policies that limit what an endpoint sends.
	wide   map[int][]*bulwark.Finding
	asking map[int][]*network.Policy
	// letting are the rules of these that let them ask the metadata service.
	letting map[*network.Policy][]network.RuleView
	// left are findings about namespaces of which policies leave pods out.
	left [2]map[string]*bulwark.Finding
}

// leaving are the rules of findings about pods that no policy selects, by direction.
var leaving = [2]string{network.Ingress: "network/pods-unselected", network.Egress: "network/egress-unlimited"}

func (x *reach) limit(findings []bulwark.Finding) *limits {
	l := &limits{wide: map[int][]*bulwark.Finding{}, asking: map[int][]*network.Policy{}, letting: map[*network.Policy][]network.RuleView{}}
	for d := range l.isolated {
		l.isolated[d], l.left[d] = make([]bool, len(x.engine.Endpoints)), map[string]*bulwark.Finding{}
	}
	for i := range findings {
		f := &findings[i]
		for d, rule := range leaving {
			if f.Rule == rule && len(f.Evidence) > 0 {
				space, _, _ := strings.Cut(f.Evidence[0], ": ")
				l.left[d][space] = f
			}
		}
	}
	for _, p := range x.engine.Policies {
		x.subject(l, p)
	}
	return l
}

// mostPairs bounds how many pairs of a policy and an endpoint are kept.
const mostPairs = 1 << 20

// subject keeps what a policy says of its endpoints.
func (x *reach) subject(l *limits, p *network.Policy) {
	var wide []*bulwark.Finding
	if p.Object != nil {
		for _, rule := range []string{"network/database-for-all", "network/allow-all"} {
			wide = append(wide, x.known.Of(p.Object.ID(), rule)...)
		}
	}
	for i := range p.Subject() {
		if p.Isolates(network.Ingress) {
			l.isolated[network.Ingress][i] = true
			if len(wide) > 0 && len(l.wide) < mostPairs {
				l.wide[i] = append(l.wide[i], wide...)
			}
		}
		if p.Isolates(network.Egress) {
			l.isolated[network.Egress][i] = true
			if len(l.asking[i]) < 100 {
				l.asking[i] = append(l.asking[i], p)
			}
		}
	}
}

// let gives a relation to an endpoint the findings about what lets it through: policies that
// let too many in, or that leave the endpoint out, which a policy for all of its namespace mends.
func (l *limits) let(r *bulwark.Relation, d network.Direction, endpoint int, namespace string) {
	if !l.isolated[d][endpoint] {
		found.Add(r, l.left[d][namespace])
		return
	}
	for _, f := range l.wide[endpoint] { // another policy may let the same in: mending this one is no remedy
		r.Because = append(r.Because, f.Key)
	}
}

// out gives the relations of an endpoint that asks the metadata service: one for each policy
// that lets it, since what one allows no other takes back; the one that it is given where none
// limits it.
func (x *reach) out(l *limits, r bulwark.Relation, endpoint, block int) (list []bulwark.Relation) {
	for _, p := range l.asking[endpoint] {
		path := l.path(p, endpoint, block)
		if path == nil || p.Object == nil {
			continue
		}
		one := r
		one.Remedies, one.Text = nil, r.Text+", as "+p.Object.ID()+" lets it"
		x.known.Because(&one, p.Object.ID(), "network/metadata-open")
		if place := p.Object.Place(path...); one.Place == nil && place.File != "" {
			one.Place = &bulwark.Place{Path: place.File, Line: place.Line}
		}
		if len(one.Remedies) == 0 {
			one.Remedies = []string{x.mend.Remedy(p.Object.ID()+" without metadata", "take 169.254.169.254/32 out of what "+p.Object.ID()+" lets out", p.Object, except(p.Object, path)...)}
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		list = append(list, r)
	}
	return list
}

// path is where the rule is by which a policy lets an endpoint ask an address; nil where it
// does not.
func (l *limits) path(p *network.Policy, endpoint, block int) []any {
	rules, known := l.letting[p]
	if !known {
		rules = letting(p, block)
		l.letting[p] = rules
	}
	for i := range rules {
		if rules[i].HoldsFor(endpoint) {
			return rules[i].Path
		}
	}
	return nil
}

// letting are the rules of a policy that let its endpoints ask an address.
func letting(p *network.Policy, block int) (list []network.RuleView) {
	for _, r := range p.Rules(network.Egress) {
		if r.Action == network.Allow && r.Ports.Has(network.TCP, 80) && speaks(&r, block) {
			list = append(list, r)
		}
	}
	return list
}

func speaks(r *network.RuleView, block int) bool {
	for b := range r.Blocks() {
		if b >= block {
			return b == block
		}
	}
	return false
}

// except are the edits that take the metadata service out of the addresses of a NetworkPolicy's
// rule; none where it names none.
func except(o *kube.Object, path []any) (edits []kube.Edit) {
	if !o.Is("networking.k8s.io", "NetworkPolicy") {
		return nil
	}
	for i, to := range o.Root.At(path...).Get("to").Items() {
		cidr := to.Get("ipBlock", "cidr").Text()
		if !to.Get("ipBlock").Exists() {
			continue
		}
		if cidr != "0.0.0.0/0" && !strings.HasPrefix(cidr, "169.254.") {
			continue
		}
		at := append(append([]any{}, path...), "to", i, "ipBlock", "except")
		edits = append(edits, kube.Edit{Path: at, Value: "169.254.169.254/32", Append: true})
	}
	return edits
}
