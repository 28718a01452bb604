package tree

import (
	"slices"
	"unique"

	"bulwark"
)

const cloneThread = 0x10000

var (
	kindExecAt = kindOf("execveat")
	kindChdir  = kindOf("chdir")
	kindFchdir = kindOf("fchdir")
	kindSetsid = kindOf("setsid")
	clones     = []bulwark.Kind{bulwark.KindClone, kindOf("clone3"), kindOf("fork"), kindOf("vfork")}

	// packets tell of a process as it was when it last sent something.
	packets = []bulwark.Kind{bulwark.KindPayload, bulwark.KindDNS, bulwark.KindFlow}
)

func kindOf(name string) bulwark.Kind {
	k, ok := bulwark.KindNamed(name)
	if !ok {
		panic("no kind of event is called " + name)
	}
	return k
}

// Kinds are what a tree has to see.
func Kinds() []bulwark.Kind {
	return append(slices.Clone(clones), bulwark.KindExec, kindExecAt, bulwark.KindExit, kindChdir, kindFchdir, kindSetsid)
}

// Apply takes in what the event tells, and gives the process that made it. e.Process is as the sensor gave it, and not kept.
func (t *Tree) Apply(e *bulwark.Event) *bulwark.Process {
	told := e.Process
	switch {
	case slices.Contains(clones, e.Kind):
		return t.clone(e, told)
	case (e.Kind == bulwark.KindExec || e.Kind == kindExecAt) && e.Result == 0:
		return t.exec(e, told)
	case e.Kind == bulwark.KindExit:
		return t.exit(e, told)
	}
	n, p := t.of(told, e.Time)
	if n == nil {
		return p
	}
	if told.PID == 0 || !slices.Contains(packets, e.Kind) {
		t.refresh(n, told)
	}
	if (e.Kind == kindChdir || e.Kind == kindFchdir) && e.Result == 0 && len(e.FD.Name) > 0 && string(e.FD.Name) != n.p.CWD {
		n.p.CWD = string(e.FD.Name)
		t.changed(n)
	}
	if e.Kind == kindSetsid && e.Result > 0 {
		n.p.SID, n.p.PGID, n.p.TTY = n.p.PID, n.p.PID, 0
		t.changed(n)
	}
	return p
}

// of is the process that a sensor told of; n is nil where there is no room for it.
func (t *Tree) of(told *bulwark.Process, now int64) (n *node, p *bulwark.Process) {
	if n = t.find(told.PID, told.Start); n != nil {
		if told.Start != 0 && n.p.Start != told.Start {
			n.p.Start, n.about = told.Start, false
			t.changed(n)
		}
		return n, &n.p
	}
	one := *told
	one.Args, one.Env = slices.Clone(told.Args), slices.Clone(told.Env)
	return t.put(one, now)
}

// put gives a process that is new its place; n is nil where there is no room for it.
func (t *Tree) put(one bulwark.Process, now int64) (n *node, p *bulwark.Process) {
	one.Parent, one.Ended = nil, false
	if one.Name == "" && one.Path == "" {
		t.ask(&one)
	}
	if n = t.insert(one, now); n != nil {
		t.changed(n)
		return n, &n.p
	}
	if one.Missing == "" {
		one.Missing = "more processes run than are kept"
	}
	if up := t.byPID[one.PPID]; up != nil && one.PPID != 0 {
		one.Parent = &up.p
	}
	return nil, &one
}

// ask fills a process whose beginning was not seen.
func (t *Tree) ask(p *bulwark.Process) {
	p.Missing = "its beginning was not seen, and it was gone when it was looked for"
	if t.o.Read == nil {
		p.Missing = "its beginning was not seen"
		return
	}
	found, ok := t.o.Read(p.PID)
	if !ok || p.Start != 0 && found.Start/tick != p.Start/tick {
		return
	}
	if p.Start != 0 {
		found.Start = p.Start
	}
	if p.Cgroup != 0 {
		found.Cgroup = p.Cgroup
	}
	found.UID = p.UID
	*p = found
}

// refresh takes over what every event tells.
func (t *Tree) refresh(n *node, told *bulwark.Process) {
	moved := told.Cgroup != 0 && told.Cgroup != n.p.Cgroup
	if ns := told.Namespaces; ns.Mount != 0 { // with them all is told that a process can change by itself
		at := &n.p.Namespaces
		if ns.Mount != at.Mount || ns.Net != at.Net || ns.User != at.User || ns.Cgroup != at.Cgroup || told.Effective != n.p.Effective {
			at.Mount, at.Net, at.User, at.Cgroup = ns.Mount, ns.Net, ns.User, ns.Cgroup
			n.p.Effective = told.Effective
			t.changed(n)
		}
	}
	if !moved && told.UID == n.p.UID && (told.Name == "" || told.Name == n.p.Name) && (told.Effective == 0 || told.Effective == n.p.Effective) {
		return
	}
	if moved {
		n.p.Cgroup = told.Cgroup
	}
	if n.p.UID = told.UID; told.Name != "" {
		n.p.Name = intern(told.Name)
	}
	if told.Effective != 0 {
		n.p.Effective = told.Effective
	}
	t.changed(n)
}

func intern(s string) string { return unique.Make(s).Value() }

// clone puts a new process in place. Sensors tell of it as the child that it is (the result is 0), or as the parent that made it.
func (t *Tree) clone(e *bulwark.Event, told *bulwark.Process) *bulwark.Process {
	if e.Result != 0 {
		n, p := t.of(told, e.Time)
		if n != nil {
			t.refresh(n, told)
		}
		if flags, ok := e.Arg("flags"); n != nil && e.Result > 0 && ok && flags.Num&cloneThread == 0 && t.byPID[int(e.Result)] == nil {
			child := bulwark.Process{PID: int(e.Result), PPID: n.p.PID, UID: n.p.UID, GID: n.p.GID, Login: n.p.Login, Cgroup: n.p.Cgroup, Container: n.p.Container}
			inherit(&child, &n.p)
			if c := t.insert(child, e.Time); c != nil {
				t.changed(c)
			}
		}
		return p
	}
	if e.TID != 0 && e.TID != told.PID { // a thread
		_, p := t.of(told, e.Time)
		return p
	}
	child := *told
	child.Parent, child.Ended = nil, false
	child.Args, child.Env = slices.Clone(told.Args), slices.Clone(told.Env)
	if up := t.byPID[told.PPID]; up != nil {
		inherit(&child, &up.p)
	}
	if n := t.find(told.PID, told.Start); n != nil { // /proc told of it, or an event that overtook this one
		n.p.Missing = ""
		if n.p.Start == 0 || n.about {
			n.p.Start, n.about = told.Start, false
		}
		if n.p.Exec == 0 && n.p.Name == "" {
			container := n.p.Container
			up := n.p.Parent
			n.p = child
			n.p.Container, n.p.Parent = container, up
		}
		n.p.PPID = told.PPID
		t.attach(n)
		t.changed(n)
		return &n.p
	}
	n, p := t.put(child, e.Time)
	if n != nil {
		n.p.Missing = ""
	}
	return p
}

// inherit gives a new process what it has of its parent, where the sensor did not tell.
func inherit(c, up *bulwark.Process) {
	if c.Name == "" {
		c.Name = up.Name
	}
	if c.Exe == "" && c.Args == nil {
		c.Exe, c.Args = up.Exe, up.Args
	}
	if c.Env == nil {
		c.Env = up.Env
	}
	if c.Path == "" {
		c.Path = up.Path
	}
	if c.CWD == "" {
		c.CWD = up.CWD
	}
	if c.File == (bulwark.Program{}) {
		c.File = up.File
	}
	if c.Namespaces == (bulwark.Namespaces{}) {
		c.Namespaces = up.Namespaces
	}
	if c.Permitted|c.Effective|c.Inheritable == 0 {
		c.Permitted, c.Effective, c.Inheritable = up.Permitted, up.Effective, up.Inheritable
	}
	if c.SID == 0 {
		c.SID, c.VSID, c.TTY = up.SID, up.VSID, up.TTY
	}
	if c.PGID == 0 {
		c.PGID, c.VPGID = up.PGID, up.VPGID
	}
	if c.Stdio == [3]bulwark.FDKind{} {
		c.Stdio = up.Stdio
	}
}

// exec makes the process one that executes something else.
func (t *Tree) exec(e *bulwark.Event, told *bulwark.Process) *bulwark.Process {
	n, p := t.of(told, e.Time)
	if n == nil {
		return p
	}
	old := n.p
	n.p = *told
	n.p.Parent, n.p.Container, n.p.Ended, n.p.Before = old.Parent, old.Container, old.Ended, old.Before && told.Path == ""
	if n.p.PPID == 0 {
		n.p.PPID = old.PPID
	}
	if n.p.Cgroup == 0 {
		n.p.Cgroup = old.Cgroup
	}
	if n.p.CWD == "" {
		n.p.CWD = old.CWD
	}
	if n.p.Namespaces == (bulwark.Namespaces{}) {
		n.p.Namespaces = old.Namespaces
	}
	if n.p.SID == 0 {
		n.p.SID, n.p.VSID = old.SID, old.VSID
	}
	if n.p.PGID == 0 {
		n.p.PGID, n.p.VPGID = old.PGID, old.VPGID
	}
	if n.p.VPID == 0 {
		n.p.VPID = old.VPID
	}
	if n.p.Exec == 0 {
		n.p.Exec = e.Time
	}
	n.p.Name, n.p.Exe, n.p.Path, n.p.CWD = intern(n.p.Name), intern(n.p.Exe), intern(n.p.Path), intern(n.p.CWD)
	n.p.Args, n.p.Env = slices.Clone(n.p.Args), slices.Clone(n.p.Env)
	for i, s := range n.p.Env {
		n.p.Env[i] = intern(s)
	}
	if n.parent == nil {
		t.attach(n)
	}
	t.changed(n)
	return p
}

// exit ends the process when its last thread does.
func (t *Tree) exit(e *bulwark.Event, told *bulwark.Process) *bulwark.Process {
	n, p := t.of(told, e.Time)
	if n == nil || e.TID != 0 && e.TID != told.PID {
		return p
	}
	t.refresh(n, told)
	reaper, _ := e.Arg("reaper_tid")
	t.end(n, e.Time, int(reaper.Num))
	return p
}
