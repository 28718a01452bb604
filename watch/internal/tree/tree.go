// Package tree keeps the processes of a node: who began whom, what each executes, and who has ended.
//
// A process that ends is kept while children of it live, since who began them matters more than who took them
// over; how many such are kept is bounded, and children of one that is forgotten get its parent.
package tree

import "bulwark"

// The bounds, where Options give none.
const (
	MaxLive  = 262_144
	MaxEnded = 32_768
	// grace is how long one that ended is found by its PID: events of other rings may come behind its end.
	grace = int64(2e9)
	// tick is how exact a start is that /proc tells.
	tick = int64(1e7)
)

// Options say how large a tree may be, and who wants to know what.
type Options struct {
	Live, Ended int // 0: MaxLive, MaxEnded
	// Read asks the node for a process whose beginning was not seen; nil: nobody is asked.
	Read func(pid int) (bulwark.Process, bool)
	// Changed is told of every process whose facts are others than before, Forgotten of those that no event
	// will name any more.
	Changed, Forgotten func(*bulwark.Process)
}

// node is a process with its place.
type node struct {
	p                   bulwark.Process
	parent              *node
	child, next, before *node // the first child, and siblings
	older               *node // had the same PID, and ended
	ended               int64 // when; 0: it lives
	about, forgotten    bool  // about: its start is only as exact as a tick
}

// Tree is the processes of a node. It is for one goroutine at a time.
type Tree struct {
	o     Options
	byPID map[int]*node
	live  int
	gone  []*node // ended, in that order; forgotten ones among them
	ended int
	over  uint64
}

// New returns an empty tree.
func New(o Options) *Tree {
	if o.Live == 0 {
		o.Live = MaxLive
	}
	if o.Ended == 0 {
		o.Ended = MaxEnded
	}
	return &Tree{o: o, byPID: make(map[int]*node, 1024)}
}

// Len is how many processes live, and how many that ended are kept.
func (t *Tree) Len() (live, ended int) { return t.live, t.ended }

// Over is how many processes found no room.
func (t *Tree) Over() uint64 { return t.over }

// Add puts a process in place that /proc told of, or takes over what it tells of one that is there. Its start is
// as exact as /proc has it. Its lists are kept.
func (t *Tree) Add(p bulwark.Process) *bulwark.Process {
	if n := t.find(p.PID, p.Start); n != nil && n.ended == 0 {
		start, parent, c := n.p.Start, n.p.Parent, n.p.Container
		if n.about = n.about && start/tick == p.Start/tick; n.p.Start == 0 {
			start, n.about = p.Start, true
		}
		n.p = p
		n.p.Start, n.p.Parent, n.p.Container = start, parent, c
		t.attach(n)
		t.changed(n)
		return &n.p
	}
	p.Parent, p.Ended = nil, false
	n := t.insert(p, 1)
	if n == nil {
		return nil
	}
	n.about = true
	return &n.p
}

// Attach gives parents to those that came before theirs did.
func (t *Tree) Attach() {
	for _, n := range t.byPID {
		if n.parent == nil && n.ended == 0 {
			t.attach(n)
		}
	}
}

// Each gives all that live.
func (t *Tree) Each(see func(*bulwark.Process)) {
	for _, n := range t.byPID {
		if n.ended == 0 {
			see(&n.p)
		}
	}
}

// Known tells whether the process lives here, with that name and executable where they are given.
func (t *Tree) Known(pid int, start int64, name string) bool {
	n := t.byPID[pid]
	return n != nil && n.ended == 0 && n.same(start) && n.p.Name == name
}

// Find gives a process that lives, or that ended not long ago; nil: none is known. The start is perhaps only as exact as /proc
// has it.
func (t *Tree) Find(pid int, start int64) *bulwark.Process {
	for n := t.byPID[pid]; n != nil; n = n.older {
		if n.same(start) || n.p.Start/tick == start/tick {
			return &n.p
		}
	}
	return nil
}

// Missed ends what lives here, was there before, and is no longer, by what alive says.
func (t *Tree) Missed(alive map[int]bool, now int64) {
	for pid, n := range t.byPID {
		if n.ended == 0 && n.p.Before && !alive[pid] {
			t.end(n, now, 0)
		}
	}
}

// same tells whether a start is the node's.
func (n *node) same(start int64) bool {
	if n.p.Start == start || start == 0 || n.p.Start == 0 {
		return true
	}
	return n.about && n.p.Start/tick == start/tick
}

// find is the process of that PID that began then.
func (t *Tree) find(pid int, start int64) *node {
	for n := t.byPID[pid]; n != nil; n = n.older {
		if n.same(start) {
			return n
		}
	}
	return nil
}

// insert puts a new process in place; nil: there is no room.
func (t *Tree) insert(p bulwark.Process, now int64) *node {
	old := t.byPID[p.PID]
	if old != nil && old.ended == 0 {
		if old.p.Start > p.Start && p.Start != 0 {
			return nil // of one that ended long ago
		}
		t.end(old, now, 0) // its end was not seen
		old = t.byPID[p.PID]
	}
	if t.live >= t.o.Live {
		t.over++
		return nil
	}
	n := &node{p: p, older: old}
	t.byPID[p.PID] = n
	t.live++
	t.attach(n)
	return n
}

// attach gives the node the parent that its PPID names.
func (t *Tree) attach(n *node) {
	up := t.byPID[n.p.PPID]
	if n.parent != nil || n.p.PPID == 0 || up == nil || up == n || up.p.Start > n.p.Start && n.p.Start != 0 && !n.about || t.below(up, n) {
		return
	}
	t.link(n, up)
}

// mostUp is how many ancestors anybody looks at.
const mostUp = 4096

// below tells whether up descends from n, which no real process does: starts that lie would make a ring.
func (t *Tree) below(up, n *node) bool {
	for i := 0; up != nil; i++ {
		if up == n || i == mostUp {
			return true
		}
		up = up.parent
	}
	return false
}

func (t *Tree) link(n, up *node) {
	n.parent, n.p.Parent = up, &up.p
	n.before, n.next = nil, up.child
	if up.child != nil {
		up.child.before = n
	}
	up.child = n
}

func (t *Tree) unlink(n *node) {
	if n.parent == nil {
		return
	}
	if n.before != nil {
		n.before.next = n.next
	} else {
		n.parent.child = n.next
	}
	if n.next != nil {
		n.next.before = n.before
	}
	n.parent, n.p.Parent, n.next, n.before = nil, nil, nil, nil
}

func (t *Tree) changed(n *node) {
	if t.o.Changed != nil {
		t.o.Changed(&n.p)
	}
}

// end marks the process as ended; reaper takes its children over where it is known.
func (t *Tree) end(n *node, now int64, reaper int) {
	if n.ended != 0 {
		return
	}
	n.ended, n.p.Ended = max(now, 1), true
	t.live--
	t.ended++
	t.gone = append(t.gone, n)
	for c := n.child; c != nil && reaper > 0; c = c.next {
		if c.ended == 0 {
			c.p.PPID = reaper
			t.changed(c)
		}
	}
	t.changed(n)
	t.trim(n)
	if t.ended > t.o.Ended {
		t.room()
	}
}

// mostEnded is how many ended ancestors in a row are kept.
const mostEnded = 16

// trim forgets the ended ancestor of n that is too far away.
func (t *Tree) trim(n *node) {
	up := n.parent
	for i := 1; up != nil && up.ended != 0; i++ {
		if i == mostEnded {
			t.forget(up)
			return
		}
		up = up.parent
	}
}

// room forgets those that ended first.
func (t *Tree) room() {
	for t.ended > t.o.Ended-t.o.Ended/8 && len(t.gone) > 0 {
		n := t.gone[0]
		t.gone[0], t.gone = nil, t.gone[1:]
		t.forget(n)
	}
}

// Expire forgets those that ended a while ago and have no children left.
func (t *Tree) Expire(now int64) {
	kept := t.gone[:0]
	for _, n := range t.gone {
		switch {
		case n.forgotten:
		case n.ended > now: // the clock went back
			n.ended = max(now, 1)
			kept = append(kept, n)
		case now-n.ended < grace:
			kept = append(kept, n)
		case n.child == nil:
			t.forget(n)
		default:
			t.hide(n)
			kept = append(kept, n)
		}
	}
	clear(t.gone[len(kept):])
	t.gone = kept
}

// forget takes an ended process out; its children get its parent.
func (t *Tree) forget(n *node) {
	if n.forgotten {
		return
	}
	n.forgotten = true
	t.ended--
	up := n.parent
	for c := n.child; c != nil; c = n.child {
		t.unlink(c)
		if up != nil {
			t.link(c, up)
		}
		t.changed(c)
	}
	t.unlink(n)
	t.hide(n)
	if t.o.Forgotten != nil {
		t.o.Forgotten(&n.p)
	}
}

// hide takes an ended process out of those that its PID finds.
func (t *Tree) hide(n *node) {
	at := t.byPID[n.p.PID]
	if at == n {
		if n.older == nil {
			delete(t.byPID, n.p.PID)
		} else {
			t.byPID[n.p.PID] = n.older
		}
	}
	for ; at != nil; at = at.older {
		if at.older == n {
			at.older = n.older
			break
		}
	}
	n.older = nil
}
