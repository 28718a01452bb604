// Package family makes detectors out of rules that are data: what a rule is about, in which events it looks, and how
// those who read its alerts shall judge it. A family of rules is a plugin.
package family

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/recent"
)

// Rule is one thing that a family looks for.
type Rule struct {
	Name       string // without the family's
	Title      string
	Severity   bulwark.Severity // the most that its findings have
	Why        string           // why it matters, and what argues for the severity
	Noise      string           // when it is wrong
	Fix        string           // what to do
	Tags       []string         // "attack:T1611"
	References []string
	// Every is for how long nothing more is told of the same subject in the same container; 0: every time is told.
	Every time.Duration
	Looks []Look
}

// Look is one way in which what a rule is about shows in an event.
type Look struct {
	Kinds string // names of kinds of event
	// Where is what the event must meet. Sensors get as much of it as they can hold to, this package holds to all: a
	// call in progress did not fail, and paths are also compared after they were joined with the working directory.
	Where bulwark.Where
	// Magic: the file is on one of these file systems, where that is known; none: on any.
	Magic []uint64
	// If tells whether it is what the rule is about; nil: it is.
	If func(*Hit) bool
	// Do tells it; nil: by [Hit.Tell] with the path as subject.
	Do func(*Hit)
}

// Family is a detector made of rules.
type Family struct {
	name, summary string
	rules         []Rule
	byKind        [][]*look
	ticks         []func(*Hit)
	told          *recent.Table[subject, int64]
	hit           Hit
}

type look struct {
	*Look
	rule *Rule
}

type subject struct {
	rule            *Rule
	container, what uint64
}

// remembered is how many subjects are kept that were told.
const remembered = 4096

var (
	_ bulwark.Detector = (*Family)(nil)
	_ bulwark.Ticker   = (*Family)(nil)
	_ bulwark.Ruler    = (*Family)(nil)
)

// New makes a family; it is called as its folder is, "escape" of "detect/escape". It panics where a rule names a kind
// of event that there is not: rules are part of the program.
func New(name, summary string, rules []Rule) *Family {
	f := &Family{name: name, summary: summary, rules: rules, told: recent.NewTable[subject, int64](remembered)}
	f.hit.family = f
	for i := range rules {
		for j := range rules[i].Looks {
			l := &look{&rules[i].Looks[j], &rules[i]}
			for _, k := range kindsOf(l.Kinds) {
				f.byKind = append(f.byKind, make([][]*look, max(0, int(k)+1-len(f.byKind)))...)
				f.byKind[k] = append(f.byKind[k], l)
			}
		}
	}
	return f
}

// kindsOf are the kinds of these names.
func kindsOf(names string) []bulwark.Kind {
	var list []bulwark.Kind
	for name := range strings.FieldsSeq(names) {
		k, ok := bulwark.KindNamed(name)
		if !ok {
			panic("no kind of event is called " + name)
		}
		list = append(list, k)
	}
	return list
}

// OnTick has f called once a second or so.
func (f *Family) OnTick(rule string, do func(*Hit)) *Family {
	i := slices.IndexFunc(f.rules, func(r Rule) bool { return r.Name == rule })
	f.ticks = append(f.ticks, func(h *Hit) { h.rule = &f.rules[i]; do(h) })
	return f
}

// EachTime has rules tell every time: those about which something is done each time.
func (f *Family) EachTime(is func(rule string) bool) {
	for i := range f.rules {
		if is(f.name + "/" + f.rules[i].Name) {
			f.rules[i].Every = 0
		}
	}
}

// Info describes the family.
func (f *Family) Info() bulwark.Info {
	return bulwark.Info{Name: "detect/" + f.name, Summary: f.summary, Version: 1, Needs: bulwark.Needs{Root: true, Linux: true}}
}

// Rules lists the rules.
func (f *Family) Rules() []bulwark.Rule {
	list := make([]bulwark.Rule, 0, len(f.rules))
	for _, r := range f.rules {
		list = append(list, bulwark.Rule{ID: f.name + "/" + r.Name, Title: r.Title, Severity: r.Severity, Reason: r.Why, FalsePositives: r.Noise, Tags: r.Tags, Fix: r.Fix, References: r.References})
	}
	slices.SortFunc(list, func(a, b bulwark.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Interest is what the rules look at.
func (f *Family) Interest() bulwark.Interest {
	want := bulwark.Interest{}
	for k, looks := range f.byKind {
		for _, l := range looks {
			want[bulwark.Kind(k)] = join(want[bulwark.Kind(k)], pushed(bulwark.Kind(k), l.Where))
		}
	}
	for k, list := range want {
		if slices.ContainsFunc(list, everything) {
			want[k] = []bulwark.Where{{}}
		}
	}
	return want
}

// Observe looks at an event.
func (f *Family) Observe(e *bulwark.Event) []bulwark.Finding {
	if int(e.Kind) >= len(f.byKind) || f.byKind[e.Kind] == nil {
		return nil
	}
	h := &f.hit
	h.begin(e)
	for _, l := range f.byKind[e.Kind] {
		if !meets(h, l.Look) {
			continue
		}
		h.rule = l.rule
		if l.If != nil && !l.If(h) {
			continue
		}
		if l.Do != nil {
			l.Do(h)
		} else {
			h.Tell(h.Path())
		}
	}
	return h.end()
}

// Tick lets rules tell what no event shows.
func (f *Family) Tick(now time.Time) []bulwark.Finding {
	if len(f.ticks) == 0 {
		return nil
	}
	h := &f.hit
	h.begin(&bulwark.Event{Time: now.UnixNano()})
	h.Now = now
	for _, do := range f.ticks {
		do(h)
	}
	return h.end()
}
