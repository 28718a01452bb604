package tree

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"bulwark"
)

// tell makes an event of a process.
func tell(k bulwark.Kind, at int64, p bulwark.Process) *bulwark.Event {
	return &bulwark.Event{Kind: k, Time: at, TID: p.PID, Process: &p}
}

func clone(t *Tree, at int64, pid, ppid int, start int64) *bulwark.Process {
	return t.Apply(tell(bulwark.KindClone, at, bulwark.Process{PID: pid, PPID: ppid, Start: start}))
}

func exit(t *Tree, at int64, pid int, start int64, reaper int) {
	e := tell(bulwark.KindExit, at, bulwark.Process{PID: pid, Start: start})
	e.Args = []bulwark.Arg{{}, {}, {}, {}, {Num: int64(reaper)}}
	t.Apply(e)
}

func TestChildrenInherit(t *testing.T) {
	tr := New(Options{})
	tr.Apply(tell(bulwark.KindExec, 1, bulwark.Process{PID: 1, Start: 1, Name: "init", Path: "/init", Args: []string{"a"}, CWD: "/x", SID: 1, Login: 7}))
	c := clone(tr, 2, 2, 1, 2)
	if c.Path != "/init" || c.Args[0] != "a" || c.CWD != "/x" || c.SID != 1 || c.Parent.PID != 1 {
		t.Errorf("child %+v", c)
	}
	tr.Apply(tell(bulwark.KindExec, 3, bulwark.Process{PID: 2, Start: 2, Name: "sh", Path: "/bin/sh"}))
	if c.Path != "/bin/sh" || len(c.Args) != 0 || c.CWD != "/x" || c.Exec != 3 || c.Parent.PID != 1 {
		t.Errorf("after execve %+v", c)
	}
}

func TestFailedExecChangesNothing(t *testing.T) {
	tr := New(Options{})
	tr.Apply(tell(bulwark.KindExec, 1, bulwark.Process{PID: 1, Start: 1, Path: "/init"}))
	e := tell(bulwark.KindExec, 2, bulwark.Process{PID: 1, Start: 1, Path: "/other"})
	e.Result = -2
	if p := tr.Apply(e); p.Path != "/init" {
		t.Errorf("path %s", p.Path)
	}
}

func TestThreadsShareTheirProcess(t *testing.T) {
	tr := New(Options{})
	p := clone(tr, 1, 5, 1, 5)
	e := tell(bulwark.KindClone, 2, bulwark.Process{PID: 5, Start: 5})
	e.TID = 6
	if tr.Apply(e) != p {
		t.Error("a thread is a process of its own")
	}
	e = tell(bulwark.KindExit, 3, bulwark.Process{PID: 5, Start: 5})
	e.TID = 6
	if tr.Apply(e); p.Ended {
		t.Error("the end of a thread ends the process")
	}
	if exit(tr, 4, 5, 5, 1); !p.Ended {
		t.Error("the process does not end")
	}
}

func TestEventsTellOfNamespacesAndCapabilities(t *testing.T) {
	tr := New(Options{})
	before := bulwark.Namespaces{Mount: 1, Net: 2, User: 3, Cgroup: 4, PID: 5, UTS: 6, IPC: 7}
	p := tr.Apply(tell(bulwark.KindExec, 1, bulwark.Process{PID: 5, Start: 5, Effective: 3, Namespaces: before}))
	tr.Apply(tell(kindOf("setns"), 2, bulwark.Process{PID: 5, Start: 5, Namespaces: bulwark.Namespaces{Mount: 11, Net: 2, User: 3, Cgroup: 4}}))
	if before.Mount = 11; p.Namespaces != before || p.Effective != 0 {
		t.Errorf("%+v, capabilities %x", p.Namespaces, p.Effective)
	}
	tr.Apply(tell(kindOf("setuid"), 3, bulwark.Process{PID: 5, Start: 5})) // of a sensor that tells neither
	if p.Namespaces != before {
		t.Errorf("%+v", p.Namespaces)
	}
}

func TestPacketsTellOfThePast(t *testing.T) {
	tr := New(Options{})
	p := tr.Apply(tell(bulwark.KindExec, 1, bulwark.Process{PID: 5, Start: 5, UID: 0, Cgroup: 7}))
	tr.Apply(tell(kindOf("setuid"), 2, bulwark.Process{PID: 5, Start: 5, UID: 33, Cgroup: 7}))
	if tr.Apply(tell(bulwark.KindFlow, 3, bulwark.Process{PID: 5, Start: 5, UID: 0, Cgroup: 7})) != p || p.UID != 33 {
		t.Errorf("user %d after a packet of what root has sent", p.UID)
	}
}

func TestParentsThatEndedAreKept(t *testing.T) {
	tr := New(Options{})
	clone(tr, 1, 1, 0, 1)
	clone(tr, 2, 2, 1, 2)
	c := clone(tr, 3, 3, 2, 3)
	exit(tr, 4, 2, 2, 1)
	tr.Expire(4 + 10*grace)
	if c.Parent == nil || c.Parent.PID != 2 || !c.Parent.Ended || c.PPID != 1 || c.Parent.Parent.PID != 1 {
		t.Errorf("child %+v", c)
	}
	exit(tr, 5, 3, 3, 1)
	tr.Expire(5 + 20*grace)
	tr.Expire(5 + 30*grace)
	if live, ended := tr.Len(); live != 1 || ended != 0 {
		t.Errorf("%d live, %d ended", live, ended)
	}
}

func TestChainsOfEndedParentsAreBounded(t *testing.T) {
	tr := New(Options{})
	clone(tr, 1, 1, 0, 1)
	p := clone(tr, 2, 2, 1, 2)
	for i := 3; i < 10_000; i++ { // each forks and ends
		p = clone(tr, int64(i), i, i-1, int64(i))
		exit(tr, int64(i), i-1, int64(i-1), 1)
	}
	n := 0
	last := p
	for up := p.Parent; up != nil; up = up.Parent {
		n, last = n+1, up
	}
	if n > mostEnded+1 || last.PID != 1 {
		t.Errorf("%d ancestors, the last one is %d", n, last.PID)
	}
}

func TestPIDsAreUsedAgain(t *testing.T) {
	tr := New(Options{})
	old := clone(tr, 1, 9, 1, 100)
	late := tell(bulwark.KindExit, 5, bulwark.Process{PID: 9, Start: 100})
	again := clone(tr, 4, 9, 1, 200) // overtakes the end of the old one
	if again == old || !old.Ended {
		t.Fatal("the second one is taken for the first")
	}
	if tr.Apply(late) != old || again.Ended {
		t.Error("the end of the first one ends the second")
	}
	if got := tr.Apply(tell(bulwark.KindOOM, 6, bulwark.Process{PID: 9, Start: 200})); got != again {
		t.Error("the second one is not found")
	}
	if got := tr.Apply(tell(bulwark.KindOOM, 6, bulwark.Process{PID: 9, Start: 50})); got == again || got == old {
		t.Error("one from long ago is taken for another")
	}
}

func TestSeeds(t *testing.T) {
	tr := New(Options{})
	tr.Add(bulwark.Process{PID: 3, PPID: 1, Start: 7 * tick, Name: "c", Path: "/c", Before: true})
	one := tr.Add(bulwark.Process{PID: 1, Start: tick, Name: "init", Before: true})
	tr.Attach()
	p := tr.Apply(tell(bulwark.KindOOM, 1, bulwark.Process{PID: 3, Start: 7*tick + 4321}))
	if p.Path != "/c" || p.Start != 7*tick+4321 || p.Parent != one {
		t.Errorf("seeded %+v", p)
	}
	if q := tr.Apply(tell(bulwark.KindOOM, 1, bulwark.Process{PID: 3, Start: 7*tick + 5})); q == p {
		t.Error("a start that is known exactly fits another")
	}
	tr.Missed(map[int]bool{1: true}, 9)
	if one.Ended {
		t.Error("one that lives is taken to have ended")
	}
}

func TestParentsThatComeLater(t *testing.T) {
	tr := New(Options{})
	c := tr.Apply(tell(bulwark.KindExec, 1, bulwark.Process{PID: 3, PPID: 2, Start: 30, Path: "/c"}))
	if c.Parent != nil {
		t.Fatal("a parent from nowhere")
	}
	clone(tr, 2, 2, 1, 20)
	clone(tr, 2, 3, 2, 30) // the event of the fork comes behind that of execve
	if c.Parent == nil || c.Parent.PID != 2 || c.Path != "/c" || c.Missing != "" {
		t.Errorf("child %+v", c)
	}
}

func TestUnknownProcessesAreAskedFor(t *testing.T) {
	tr := New(Options{Read: func(pid int) (bulwark.Process, bool) {
		return bulwark.Process{PID: pid, Start: 5 * tick, Name: "asked", Path: "/asked"}, pid == 5
	}})
	if p := tr.Apply(tell(bulwark.KindOOM, 1, bulwark.Process{PID: 5, Start: 5*tick + 9, UID: 3})); p.Path != "/asked" || p.UID != 3 || p.Start != 5*tick+9 || p.Missing != "" {
		t.Errorf("process %+v", p)
	}
	if p := tr.Apply(tell(bulwark.KindOOM, 1, bulwark.Process{PID: 6, Start: 9})); p.Missing == "" {
		t.Error("nothing says why nothing is known")
	}
}

// TestRandomLives plays random lives, and holds the tree to what must always be true.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		gone := map[*bulwark.Process]bool{}
		tr := New(Options{Live: 60, Ended: 30, Forgotten: func(p *bulwark.Process) { gone[p] = true }})
		starts := map[int]int64{}
		for i := int64(1); i < 4000; i++ {
			pid := 1 + r.IntN(80)
			switch r.IntN(6) {
			case 0, 1, 2:
				starts[pid] = i
				clone(tr, i*1e8, pid, 1+r.IntN(80), i)
			case 3:
				exit(tr, i*1e8, pid, starts[pid], 1)
			case 4:
				tr.Apply(tell(bulwark.KindExec, i*1e8, bulwark.Process{PID: pid, Start: starts[pid], Path: fmt.Sprint(i)}))
			case 5:
				tr.Expire(i * 1e8)
			}
			check(t, tr, gone)
		}
	}
}

func check(t *testing.T, tr *Tree, gone map[*bulwark.Process]bool) {
	t.Helper()
	live, ended := 0, 0
	for pid, n := range tr.byPID {
		for ; n != nil; n = n.older {
			if n.p.PID != pid || n.forgotten {
				t.Fatalf("%d is found as %d, forgotten %v", n.p.PID, pid, n.forgotten)
			}
			if n.ended == 0 {
				live++
			}
			up := 0
			for q := n; q != nil; q = q.parent {
				if up++; up > 200 {
					t.Fatal("a ring")
				}
				if gone[&q.p] {
					t.Fatal("an ancestor is forgotten")
				}
				if (q.parent == nil) != (q.p.Parent == nil) || q.parent != nil && q.p.Parent != &q.parent.p {
					t.Fatal("a parent is not what it is told as")
				}
			}
		}
	}
	for _, n := range tr.gone {
		if !n.forgotten {
			ended++
		}
	}
	if live != tr.live || live > tr.o.Live || ended != tr.ended || ended > tr.o.Ended {
		t.Fatalf("%d live (%d counted), %d ended (%d counted)", live, tr.live, ended, tr.ended)
	}
}
