package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// Ask is what a rule wants to be done, and what it tells of is stopped by.
type Ask struct {
	Rule   string // its id, as findings have it
	Action string // alert, freeze, kill, deny; "": it wants nothing
	Place  string // file:line:column of the action, or of the rule where it wants nothing
	Block  bulwark.Block
	// Holds tells whether the rule is about that container; nil: it is about all.
	Holds func(*bulwark.Container) bool
	// Why there is no Block that stops what the rule tells of, and nothing else; "": there is one.
	Why string
}

// Asks are what the rules that are run want.
func (d *Detector) Asks() []Ask {
	var list []Ask
	for _, r := range d.rules {
		a := Ask{Rule: "falco/" + r.slug, Action: r.Action, Place: r.place}
		if r.Action != "" {
			a.Place = r.actionPlace
		}
		b := &blocker{rule: r, env: d.view.env}
		if err := b.conjunction(r.cond); err != nil {
			a.Why = err.Error()
		} else if a.Block, err = b.block(); err != nil {
			a.Why = err.Error()
		}
		if a.Why == "" && len(b.about) > 0 {
			a.Holds = b.holds()
		}
		list = append(list, a)
	}
	return list
}

// blocker makes a block of a rule: one that stops exactly what the rule is about, or none.
type blocker struct {
	rule  *rule
	env   *environment
	deeds []bulwark.Deed
	below []string
	nets  []bulwark.Destination
	ports []uint16
	proto uint8
	about []*cond // what it asks of the container
}

// conjunction takes all that a rule asks for.
func (b *blocker) conjunction(n *cond) error {
	if n.op == isAnd {
		for _, t := range n.terms {
			if err := b.conjunction(t); err != nil {
				return err
			}
		}
		return nil
	}
	fields := fieldsOf(n, nil)
	switch {
	case b.always(n), ofOutcome(fields):
		return nil
	case all(fields, func(f string) bool { return strings.HasPrefix(f, "container.") || strings.HasPrefix(f, "k8s.") }):
		b.about = append(b.about, n)
		return nil
	case n.op == isNot && n.terms[0].op == isCheck && fields[0] == "evt.num" && n.terms[0].check.Op == lang.Eq:
		return nil // Falco's never_true: no event has the number 0
	case n.op == isCheck && n.check.left.field != nil && n.check.Modifier == lang.Plain && b.deed(n.check):
		return nil
	case len(fields) == 0:
		return fmt.Errorf("it asks for what no hook knows")
	}
	return fmt.Errorf("it also asks for %s, which no hook knows, and the hook would stop more than the rule is about", fields[0])
}

// always tells whether the term is true of all events that the rule may match.
func (b *blocker) always(n *cond) bool {
	return !slices.ContainsFunc(b.rule.kinds.list(), n.mayNot.has)
}

// ofOutcome tells whether only that is asked which a call that is stopped has not: its result, and a socket's kind,
// which is that of the hook.
func ofOutcome(fields []string) bool {
	return all(fields, func(f string) bool {
		return slices.Contains([]string{"evt.rawres", "evt.res", "evt.failed", "fd.typechar", "fd.type", "evt.dir"}, f)
	})
}

func all(list []string, is func(string) bool) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return !is(s) })
}

// fieldsOf are the names of the fields that a condition looks at.
func fieldsOf(n *cond, list []string) []string {
	if n.op != isCheck {
		for _, t := range n.terms {
			list = fieldsOf(t, list)
		}
		return list
	}
	if n.check.left.field == nil {
		return append(list, "a transformer")
	}
	if n.check.Right != nil {
		list = append(list, "another field")
	}
	return append(list, n.check.left.field.Name)
}

// deed takes a comparison that a hook can make; false: it is none.
func (b *blocker) deed(k *check) bool {
	switch f := k.left.field.Name; f {
	case "proc.is_exe_upper_layer", "proc.is_exe_from_memfd":
		yes, ok := k.truth()
		if !ok || !yes {
			return false
		}
		deed := bulwark.DeedExecDrift
		if f == "proc.is_exe_from_memfd" {
			deed = bulwark.DeedExecMemory
		}
		b.deeds = append(b.deeds, deed)
		return true
	case "proc.exepath":
		return b.folders(k)
	case "fd.sip", "fd.rip", "fd.snet", "fd.rnet":
		return b.addresses(k)
	case "fd.sport", "fd.rport":
		return b.portsOf(k)
	case "fd.l4proto":
		return b.protocol(k)
	}
	return false
}

func (b *blocker) folders(k *check) bool {
	if k.Op != lang.StartsWith && k.Op != lang.PMatch {
		return false
	}
	for _, v := range k.Values {
		if !strings.HasPrefix(v.Text, "/") || k.Op == lang.StartsWith && !strings.HasSuffix(v.Text, "/") || strings.ContainsAny(v.Text, "*?[") {
			return false
		}
		b.below = append(b.below, v.Text)
	}
	b.deeds = append(b.deeds, bulwark.DeedExecBelow)
	return true
}

func (b *blocker) addresses(k *check) bool {
	if k.Op != lang.Eq && k.Op != lang.In || len(b.nets) > 0 {
		return false
	}
	for _, v := range k.Values {
		n, err := network(v.Text)
		if err != nil {
			return false
		}
		b.nets = append(b.nets, bulwark.Destination{Net: n})
	}
	return len(b.nets) > 0
}

func (b *blocker) portsOf(k *check) bool {
	if k.Op != lang.Eq && k.Op != lang.In || len(b.ports) > 0 {
		return false
	}
	for _, v := range k.Values {
		n, err := k.left.number(v.Text)
		if err != nil || n < 1 || n > 1<<16-1 {
			return false
		}
		b.ports = append(b.ports, uint16(n))
	}
	return len(b.ports) > 0
}

func (b *blocker) protocol(k *check) bool {
	if k.Op != lang.Eq || b.proto != 0 {
		return false
	}
	b.proto = map[string]uint8{"tcp": 6, "udp": 17}[k.Values[0].Text]
	return b.proto != 0
}

// block is what was asked for, put together.
func (b *blocker) block() (bulwark.Block, error) {
	none := bulwark.Block{}
	kinds := b.rule.kinds.list()
	executes := !slices.ContainsFunc(kinds, func(k bulwark.Kind) bool { return !slices.Contains([]string{"execve", "execveat"}, k.String()) })
	connects := !slices.ContainsFunc(kinds, func(k bulwark.Kind) bool {
		return !slices.Contains([]string{"connect", "sendto", "sendmsg", "sendmmsg"}, k.String())
	})
	slices.Sort(b.deeds)
	deeds := slices.Compact(b.deeds)
	switch {
	case len(kinds) == 0:
		return none, fmt.Errorf("it can never match")
	case executes && len(deeds) == 1 && len(b.nets)+len(b.ports) == 0 && b.proto == 0:
		if deeds[0] == bulwark.DeedExecBelow && len(b.deeds) > 1 {
			return none, fmt.Errorf("it asks for several folders at once")
		}
		return bulwark.Block{Deed: deeds[0], Below: b.below}, nil
	case executes && len(deeds) == 0:
		return none, fmt.Errorf("it is about what any program may be: a hook needs proc.is_exe_upper_layer=true, proc.is_exe_from_memfd=true or proc.exepath startswith FOLDER/")
	case executes:
		return none, fmt.Errorf("it asks for several things at once that hooks tell apart")
	case connects && slices.Contains(kinds, kindConnect) && len(deeds) == 0 && len(b.nets)+len(b.ports) > 0:
		return bulwark.Block{Deed: bulwark.DeedConnect, Nets: b.destinations()}, nil
	case connects:
		return none, fmt.Errorf("it names no address and no port to connect to")
	}
	return none, fmt.Errorf("no hook stops %s: it could only be killed after it was done", kinds[0])
}

func (b *blocker) destinations() (list []bulwark.Destination) {
	nets := b.nets
	if len(nets) == 0 {
		nets = []bulwark.Destination{{}}
	}
	ports := b.ports
	if len(ports) == 0 {
		ports = []uint16{0}
	}
	for _, n := range nets {
		for _, p := range ports {
			list = append(list, bulwark.Destination{Net: n.Net, Ports: [2]uint16{p, p}, Proto: b.proto})
		}
	}
	return list
}

// holds asks what the rule asks of the container.
func (b *blocker) holds() func(*bulwark.Container) bool {
	var tests []code
	for _, n := range b.about {
		tests = append(tests, b.rule.c.make(n, 0))
	}
	var mu sync.Mutex
	env := *b.env
	return func(c *bulwark.Container) bool {
		mu.Lock()
		defer mu.Unlock()
		v := &event{env: &env}
		v.set(&bulwark.Event{Source: bulwark.SourceSyscall, Kind: bulwark.KindExec, Time: 1, Process: &bulwark.Process{Container: c}})
		return !slices.ContainsFunc(tests, func(m code) bool {
			if m.known {
				return !m.is
			}
			return !m.test(v)
		})
	}
}
