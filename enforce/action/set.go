package action

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"bulwark"
)

// Options are what a Set is made of.
type Options struct {
	Entries []Entry // the first one that speaks of a rule and of a container decides
	Rules   []bulwark.Rule
	// Asked are what rules that are not built in can be denied by, by id.
	Asked     map[string]Asked
	Abilities []bulwark.Ability // of guard and hands
	Hands     Hands
	// Containers are those that are known now; nil: none.
	Containers func() []*bulwark.Container
}

// Asked is what stops what a rule is about, or why nothing does.
type Asked struct {
	Block bulwark.Block
	Holds func(*bulwark.Container) bool
	Why   string
}

// Set is what is to be done. Its methods may be called by several goroutines at once.
type Set struct {
	entries []Entry
	rules   map[string]bulwark.Rule
	denials []denial
	hands   Hands
	own     []string // cgroups of bulwark

	containers func() []*bulwark.Container

	mu     sync.Mutex
	acting map[string]*deed
}

// denial is what an entry denies by one rule.
type denial struct {
	rule  string
	entry *Entry
	block bulwark.Block
	holds func(*bulwark.Container) bool
}

// New makes a Set, or says what of it cannot be had.
func New(o Options) (*Set, []Problem) {
	s := &Set{entries: o.Entries, rules: map[string]bulwark.Rule{}, hands: o.Hands, own: ownGroups(), containers: o.Containers, acting: map[string]*deed{}}
	for _, r := range o.Rules {
		s.rules[r.ID] = r
	}
	var problems []Problem
	for i := range s.entries {
		e := &s.entries[i]
		if e.Deny != nil && e.Deny.Name != "" {
			s.rules["deny/"+e.Deny.Name] = bulwark.Rule{ID: "deny/" + e.Deny.Name, Title: denied.Title + ": " + e.Deny.Name, Severity: denied.Severity}
		}
	}
	for i := range s.entries {
		for _, p := range s.take(&s.entries[i], &o) {
			p.Place = s.entries[i].Place
			problems = append(problems, p)
		}
	}
	return s, problems
}

// take looks whether an entry can be had.
func (s *Set) take(e *Entry, o *Options) (problems []Problem) {
	var ids []string
	for _, pattern := range e.Rules {
		one := Entry{Rules: []string{pattern}}
		n := len(ids)
		for id := range s.rules {
			if one.about(id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == n {
			problems = append(problems, Problem{Text: "no rule that is run is called " + quote(pattern) + " (bulwark rule list)"})
		}
	}
	if e.Action == Deny && e.Deny != nil && e.Deny.Name != "" && len(e.Rules) == 0 {
		ids = append(ids, "deny/"+e.Deny.Name)
		e.Rules = ids
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch e.Action {
	case Freeze, Kill:
		if why := unable(o.Abilities, string(e.Action)); why != "" {
			problems = append(problems, Problem{Rule: strings.Join(e.Rules, " "), Text: string(e.Action) + " cannot be done here: " + why})
		}
	case Deny:
		for _, id := range ids {
			if why := s.deny(e, id, o); why != "" {
				problems = append(problems, Problem{Rule: id, Text: "it cannot be denied: " + why})
			}
		}
	}
	return problems
}

// deny takes one rule of an entry, or says why it cannot be denied.
func (s *Set) deny(e *Entry, id string, o *Options) (why string) {
	d := denial{rule: id, entry: e}
	asked, known := o.Asked[id]
	builtIn, has := Deeds()[id]
	switch {
	case e.Deny != nil:
		d.block = e.Deny.Block
	case has:
		d.block = builtIn
	case known && asked.Why != "":
		return asked.Why + "; an entry of --actions may say what is to be denied (deed: ...)"
	case known:
		d.block, d.holds = asked.Block, asked.Holds
	default:
		return "no hook stops what it tells of before it is done"
	}
	if why := unable(o.Abilities, hooks[d.block.Deed]...); why != "" {
		return fmt.Sprintf("this kernel cannot stop %s: %s", d.block.Deed, why)
	}
	d.block.Rule = id
	s.denials = append(s.denials, d)
	return ""
}

// Denies tells whether anything is denied, and so a guard is needed.
func (s *Set) Denies() bool { return len(s.denials) > 0 }

// Acts tells whether something is done each time when the rule tells.
func (s *Set) Acts(rule string) bool {
	return slices.ContainsFunc(s.entries, func(e Entry) bool { return (e.Action == Freeze || e.Action == Kill) && e.about(rule) })
}

// decide is the entry that decides about a rule in a container; nil: none does.
func (s *Set) decide(rule string, c *bulwark.Container) *Entry {
	for i := range s.entries {
		if e := &s.entries[i]; e.about(rule) && e.covers(c) {
			return e
		}
	}
	return nil
}

// decideUnknown is that of a container of which nothing is known yet.
func (s *Set) decideUnknown(rule string) *Entry {
	for i := range s.entries {
		if e := &s.entries[i]; e.about(rule) && e.Only.empty() && (e.Holds == nil || e.Holds(&unknown)) {
			return e
		}
	}
	return nil
}

var unknown = bulwark.Container{ID: strings.Repeat("0", 64)}

// Summary says in a line what is done.
func (s *Set) Summary() string {
	count := map[Action]int{}
	for i := range s.entries {
		count[s.entries[i].Action]++
	}
	var parts []string
	for _, a := range []Action{Deny, Kill, Freeze, Alert} {
		if n := count[a]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s by %d", a, n))
		}
	}
	return strings.Join(parts, ", ")
}
