package watch

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"bulwark"
)

// alerts are the findings that were told, and those that are held back.
type alerts struct {
	*core
	groups   map[groupKey]*group
	order    []*group // by when they began
	rules    map[string]*bucket
	whole    bucket
	notes    bucket
	unsaid   int // notes
	heldBack map[string]int
	saidAt   int64 // when it was last told how many are held back
	told     map[bulwark.Severity]int
	seen     int // findings, repeats included
	excepted int
	below    int // not worth telling, by Keep
}

// groupKey is what repeats have in common.
type groupKey struct{ rule, asset, container, path, subject, done string }

// group is a finding with its repeats.
type group struct {
	key    groupKey
	last   *bulwark.Finding
	count  int // since the beginning
	told   int // of them, by the last count
	began  int64
	window int64
	shown  bool // the first one was told, not held back
}

// bucket is a budget that fills again with time.
type bucket struct {
	level float64
	at    int64
	begun bool
}

func (b *bucket) take(now int64, burst, perSecond float64) bool {
	if !b.begun {
		b.level, b.begun = burst, true
	}
	b.level = min(burst, b.level+perSecond*float64(now-b.at)/1e9)
	b.at = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

const (
	longest  = int64(time.Hour)
	mostKeys = 4096 // rules with a budget of their own
)

// found takes a finding of a detector; e is nil when nothing happened but time.
func (c *core) found(f bulwark.Finding, e *bulwark.Event, d *detector) {
	a := &c.alerts
	a.seen++
	asset := c.complete(&f, e, d)
	if c.activity != nil && e != nil && e.Process != nil {
		c.activity.of(e.Process.Container).Findings++
	}
	for _, p := range c.Policies {
		p.Apply(&asset, &f)
	}
	if f.Exception != nil {
		a.excepted++
		return
	}
	if c.respond(&f, e, asset) {
		return
	}
	if c.Keep != nil && !c.Keep(&f) {
		a.below++
		return
	}
	a.add(&f, asset)
}

func (a *alerts) add(f *bulwark.Finding, asset bulwark.Asset) {
	key := groupKey{rule: f.Rule, asset: string(f.Asset), subject: f.Subject}
	if f.Process != nil {
		key.path = f.Process.Path
	}
	if f.Container != nil {
		key.container = f.Container.ID
	}
	if f.Response != nil {
		key.done = f.Response.Action
		if !f.Response.Done {
			key.done += " failed"
		}
	}
	if g := a.groups[key]; g != nil {
		g.count++
		g.last = f
		return
	}
	if len(a.order) >= a.Limits.Groups {
		a.evict(len(a.order)/8 + 1)
	}
	if a.groups == nil {
		a.groups = map[groupKey]*group{}
	}
	g := &group{key: key, last: f, count: 1, told: 1, began: a.clock.now, window: int64(a.Limits.Window)}
	a.groups[key] = g
	a.order = append(a.order, g)
	g.shown = a.show(f, &asset)
}

// show tells a finding, if the budgets allow.
func (a *alerts) show(f *bulwark.Finding, asset *bulwark.Asset) bool {
	if !a.may(f) {
		a.back(f.Rule, 1)
		return false
	}
	if asset != nil {
		if whole := a.cluster(); asset.Parent == whole.ID {
			a.about(whole)
		}
		a.about(*asset)
	}
	if a.told == nil {
		a.told = map[bulwark.Severity]int{}
	}
	a.told[f.Severity]++
	a.tell(bulwark.Record{Finding: f})
	a.traces.found(f)
	return true
}

// about tells of an asset, once.
func (a *alerts) about(asset bulwark.Asset) {
	if a.assets[asset.ID] || len(a.assets) >= mostCgroups {
		return
	}
	a.assets[asset.ID] = true
	a.tell(bulwark.Record{Asset: &asset})
}

func (a *alerts) may(f *bulwark.Finding) bool {
	if a.rules == nil {
		a.rules = map[string]*bucket{}
	}
	name := f.Rule
	b := a.rules[name]
	if b == nil {
		if len(a.rules) >= mostKeys {
			name = "" // they share one
		}
		if b = a.rules[name]; b == nil {
			b = &bucket{at: a.clock.now}
			a.rules[name] = b
		}
	}
	if !b.take(a.clock.now, float64(a.Limits.PerRule), 1) {
		return false
	}
	return f.Severity == bulwark.SeverityCritical || a.whole.take(a.clock.now, float64(a.Limits.Whole), 10)
}

// back counts what is held back, and says at once that something is.
func (a *alerts) back(rule string, n int) {
	if a.heldBack == nil {
		a.heldBack = map[string]int{}
	}
	if len(a.heldBack) >= mostKeys && a.heldBack[rule] == 0 {
		rule = "all other rules"
	}
	if len(a.heldBack) == 0 {
		a.saidAt = a.clock.now
		a.note("watch", fmt.Sprintf("%s found more than is told at once: further findings are counted and held back (limits: %d of a rule, %d of all)", rule, a.Limits.PerRule, a.Limits.Whole), false)
	}
	a.heldBack[rule] += n
}

// sayBack tells how many findings were held back.
func (a *alerts) sayBack() {
	for _, rule := range slices.Sorted(maps.Keys(a.heldBack)) {
		a.note("watch", rule+": "+count(a.heldBack[rule], "finding was", "findings were")+" held back", false)
	}
	a.heldBack = nil
}

// flush tells the counts of those whose window is over; all of them at the end.
func (a *alerts) flush(all bool) {
	now := a.clock.now
	kept := a.order[:0]
	for _, g := range a.order {
		if !all && now-g.began < g.window {
			kept = append(kept, g)
			continue
		}
		again := g.count > g.told
		if again {
			a.sum(g)
		}
		if all || !again {
			delete(a.groups, g.key)
			continue
		}
		g.began, g.window = now, min(2*g.window, longest)
		kept = append(kept, g)
	}
	clear(a.order[len(kept):])
	a.order = kept
	if len(a.heldBack) > 0 && (all || now-a.saidAt >= int64(a.Limits.Window)) {
		a.sayBack()
	}
}

// sum tells how often a finding was made. One of which not even the first was told is in the count of those held back.
func (a *alerts) sum(g *group) {
	if !g.shown {
		a.back(g.key.rule, g.count-g.told)
		g.told = g.count
		return
	}
	f := *g.last
	f.Count = g.count
	a.told[f.Severity]++
	a.tell(bulwark.Record{Finding: &f})
	g.told = g.count
}

// evict forgets the oldest groups, and tells their counts.
func (a *alerts) evict(n int) {
	for _, g := range a.order[:n] {
		if g.count > g.told {
			a.sum(g)
		}
		delete(a.groups, g.key)
	}
	a.order = slices.Delete(a.order, 0, n)
}

// mayNote bounds notes, whose texts an attacker may be able to bring about.
func (a *alerts) mayNote() bool {
	if a.notes.take(a.clock.now, 200, 1) {
		return true
	}
	a.unsaid++
	return false
}
