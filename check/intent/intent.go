package intent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/network/reason"
)

var beyond = &misconfig.Rule{
	ID: "intent/unintended-flow", Severity: bulwark.SeverityMedium, Title: "A connection that the contract of intended flows does not name",
	Fix:   "narrow the policies that let it through, or add the flow to the contract",
	Why:   "Who has taken over one workload tries whatever he reaches from there. A connection that nobody needs gives him a way and nobody else anything. From outside the cluster it is rated high.",
	Noise: "The contract is out of date: the flow is needed. Add it there.",
	Refs:  []string{"https://kubernetes.io/docs/concepts/services-networking/network-policies/"},
}

var shut = &misconfig.Rule{
	ID: "intent/closed-flow", Severity: bulwark.SeverityMedium, Title: "An intended connection that policies drop",
	Fix:   "let a policy allow it, or mark the flow optional in the contract",
	Why:   "What the contract names is needed: where policies drop it, something does not work, and people open more than is needed in a hurry.",
	Noise: "The network plugin does not enforce policies, or the flow is no longer needed.",
	Refs:  []string{"https://kubernetes.io/docs/concepts/services-networking/network-policies/"},
}

// Check holds the connections of a target against a contract.
type Check struct{ contract *Contract }

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
)

// New returns a check of a contract; without one it finds nothing.
func New(c *Contract) *Check { return &Check{c} }

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: "check/intent", Summary: "Holds what network policies let through against a contract of intended flows (bulwark network check --allow)."}
}

// Rules lists what it looks for.
func (*Check) Rules() []bulwark.Rule { return misconfig.List([]*misconfig.Rule{beyond, shut}) }

// most is how many connections of one target are told.
const most = 5000

// Check emits a finding for each connection that is not as the contract says.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s == nil || c.contract == nil {
		return nil
	}
	x := &look{e: network.Of(s), c: c.contract, emit: emit}
	x.match(s)
	groups := x.groups()
	for _, to := range groups[:len(groups)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, from := range groups {
			x.pairs(from, to)
		}
		for _, d := range []network.Direction{network.Ingress, network.Egress} {
			if hits := x.try(func() { x.outside(d, to[0]) }); hits > 0 {
				x.each(to, hits, func(i int) { x.outside(d, i) })
			}
		}
	}
	for i := range x.c.Flows {
		if f := &x.c.Flows[i]; !x.used[i] {
			x.note(strings.Join(strings.Fields(fmt.Sprintf("%s:%d: the flow %s names nobody who is there", x.c.File, f.Line, misconfig.Clean(f.Name))), " "))
		}
	}
	if x.told > most {
		x.note(fmt.Sprintf("%d more connections are not as the contract says", x.told-most))
	}
	return nil
}

// look is one check of one target.
type look struct {
	e        *network.Engine
	c        *Contract
	emit     func(bulwark.Record)
	from, to [][]int // of endpoints: the flows whose end they are
	used     []bool  // of flows: whether both ends are there
	told     int
	trial    bool // findings are counted in hits alone
	hits     int
}

func (x *look) note(text string) {
	x.emit(bulwark.Record{Note: &bulwark.Note{Plugin: "check/intent", Text: text, Incomplete: x.told > most}})
}

// match finds who is at which end of which flow.
func (x *look) match(s *kube.Set) {
	spaces := map[string]map[string]string{}
	for _, o := range s.Kind("", "Namespace") {
		spaces[o.Name] = map[string]string{}
		for k, v := range o.Labels {
			spaces[o.Name][k] = v
		}
	}
	for _, e := range x.e.Endpoints {
		if spaces[e.Namespace] == nil {
			spaces[e.Namespace] = map[string]string{}
		}
		spaces[e.Namespace]["kubernetes.io/metadata.name"] = e.Namespace
	}
	x.from, x.to = make([][]int, len(x.e.Endpoints)), make([][]int, len(x.e.Endpoints))
	x.used = make([]bool, len(x.c.Flows))
	for k := range x.c.Flows {
		f := &x.c.Flows[k]
		ends := [2]bool{}
		for side, peers := range [][]peer{f.From, f.To} {
			into := [2][][]int{x.from, x.to}[side]
			for _, p := range peers {
				ends[side] = ends[side] || len(p.blocks) > 0
			}
			for i, e := range x.e.Endpoints {
				if slices.ContainsFunc(peers, func(p peer) bool { return p.matches(e, spaces) }) {
					into[i] = append(into[i], k)
					ends[side] = true
				}
			}
		}
		x.used[k] = ends[0] && ends[1]
	}
}

func (x *look) peer(endpoint int) reason.Peer {
	return reason.Peer{Name: x.e.Endpoints[endpoint].String(), Endpoints: []int{endpoint}}
}

// counted counts a finding, and tells whether that is all.
func (x *look) counted() bool {
	if x.trial {
		x.hits++
		return true
	}
	x.told++
	return x.told > most
}

func (x *look) beyond(from, to reason.Peer, ports network.Ports, at int, outside bool) {
	if x.counted() {
		return
	}
	f := x.finding(beyond, from, to, ports, at, true)
	if outside {
		f.Severity = bulwark.SeverityHigh
		beyond.Rate(f, bulwark.SeverityHigh)
	}
	f.Fix = &bulwark.Fix{Text: beyond.Fix}
	x.emit(bulwark.Record{Finding: f})
}

func (x *look) closed(flow *Flow, from, to reason.Peer, ports network.Ports, at int) {
	if x.counted() {
		return
	}
	f := x.finding(shut, from, to, ports, at, false)
	name := fmt.Sprintf("%s:%d", x.c.File, flow.Line)
	if flow.Name != "" {
		name += " (" + flow.Name + ")"
	}
	f.Evidence = append(f.Evidence, "meant by "+misconfig.Clean(name))
	if f.Fix == nil {
		f.Fix = &bulwark.Fix{Text: shut.Fix}
	}
	x.emit(bulwark.Record{Finding: f})
}

// finding is one about a connection, with the policies that let it through or drop it.
func (x *look) finding(r *misconfig.Rule, from, to reason.Peer, ports network.Ports, at int, open bool) *bulwark.Finding {
	subject := x.e.Endpoints[at]
	id := subject.Namespace + "/" + subject.Kind + "/" + subject.Name
	flow := from.Name + " => " + to.Name
	f := r.Finding(id, flow, flow+" : "+ports.String())
	f.Kind = bulwark.KindExposure
	if f.Key = bulwark.Key(f.Kind, r.ID, id, flow); len(from.Blocks)+len(to.Blocks) > 0 { // which ones, others' policies change
		f.Key = bulwark.Key(f.Kind, r.ID, id, fmt.Sprint(len(to.Blocks) > 0, ports.String(), !open))
	}
	if w := subject.Workload; w != nil {
		l := w.Place()
		f.Path, f.Line = l.File, l.Line
	}
	q := reason.Question{Engine: x.e, From: from, To: to, Ports: ports}
	for _, a := range q.Answers() {
		for _, s := range a.Sides {
			if a.Allowed != open || s.Allowed != open {
				continue
			}
			x.why(f, &s, open)
		}
	}
	return f
}

// why adds what one side says to the evidence, and what changes it to the fix.
func (x *look) why(f *bulwark.Finding, s *reason.Side, open bool) {
	for _, r := range s.Reasons {
		if line := fmt.Sprintf("%s: %s %s %s (%s:%d)", s.Direction, r.Policy, r.Rule, r.Text, r.File, r.Line); !slices.Contains(f.Evidence, misconfig.Clean(line)) {
			f.Evidence = append(f.Evidence, misconfig.Clean(line))
		}
		if f.Path = r.File; r.Line > 0 {
			f.Line = r.Line
		}
	}
	if len(s.Reasons) == 0 {
		f.Evidence = append(f.Evidence, misconfig.Clean(s.Direction+": "+s.Why))
	}
	if !open && f.Fix == nil && s.Change != "" {
		f.Fix = &bulwark.Fix{Text: strings.TrimSpace(s.Change + "\n" + strings.Join(s.Add, "\n"))}
	}
}
