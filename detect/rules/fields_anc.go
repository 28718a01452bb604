package rules

import (
	"bulwark"
)

// maxAncestors bounds every walk from a process to its ancestors.
const maxAncestors = 100

// ancestorFields are those of ancestors: of the one whose number is given (0 is the process, 1 its parent), or where
// none is given of any.
func ancestorFields() []Field {
	of := bulwark.SourceSyscall
	const doc = " of the ancestor with that number: 0 is the process itself, 1 its parent; without a number, of any ancestor"
	return []Field{
		{Name: "proc.aname", Type: Text, Arg: MayIndex, Source: of, Doc: "name" + doc, bind: ancestor(func(_ *event, p *bulwark.Process) (string, bool) { return p.Name, true })},
		{Name: "proc.aexe", Type: Text, Arg: MayIndex, Source: of, Doc: "proc.exe" + doc, bind: ancestor(func(_ *event, p *bulwark.Process) (string, bool) { return p.Exe, true })},
		{Name: "proc.aexepath", Type: Text, Arg: MayIndex, Source: of, Doc: "proc.exepath" + doc, bind: ancestor(func(_ *event, p *bulwark.Process) (string, bool) { return p.Path, p.Path != "" })},
		{Name: "proc.acmdline", Type: Text, Arg: MayIndex, Source: of, Doc: "proc.cmdline" + doc, bind: ancestor(func(v *event, p *bulwark.Process) (string, bool) { return v.far.line(v, p) })},
		{Name: "proc.aargs", Type: Text, Arg: MayIndex, Source: of, Doc: "proc.args" + doc, bind: ancestor(func(v *event, p *bulwark.Process) (string, bool) { return v.far.args(v, p) })},
		{Name: "proc.apid", Type: Number, Arg: MayIndex, Source: of, Doc: "number" + doc, bind: ancestorPID},
		{Name: "proc.aenv", Type: Text, Arg: MayKey, Source: of, Doc: "environment of any ancestor, of the one with that number, or the value that the nearest has of the variable with that name", bind: ancestorEnv},
	}
}

// nth is the ancestor with that number.
func nth(p *bulwark.Process, n int) *bulwark.Process {
	for ; p != nil && n > 0; n-- {
		p = p.Parent
	}
	return p
}

func ancestor(of func(*event, *bulwark.Process) (string, bool)) func(string) (getter, error) {
	return func(arg string) (getter, error) {
		if n, ok := digits(arg); ok {
			return getter{cost: 2, text: func(v *event) (string, bool) {
				p := nth(v.p, min(n, maxAncestors))
				if p == nil {
					return "", false
				}
				return of(v, p)
			}}, nil
		}
		return getter{cost: dear, any: &several{text: func(v *event, match func(string) bool) bool {
			for p, n := parent(v), 0; p != nil && n < maxAncestors; p, n = p.Parent, n+1 {
				if s, ok := of(v, p); ok && match(s) {
					return true
				}
			}
			return false
		}}}, nil
	}
}

func ancestorPID(arg string) (getter, error) {
	if n, ok := digits(arg); ok {
		return getter{num: func(v *event) (int64, bool) {
			p := nth(v.p, min(n, maxAncestors))
			if p == nil {
				return 0, false
			}
			return int64(p.PID), true
		}}, nil
	}
	return getter{cost: dear, any: &several{num: func(v *event, match func(int64) bool) bool {
		for p, n := parent(v), 0; p != nil && n < maxAncestors; p, n = p.Parent, n+1 {
			if match(int64(p.PID)) {
				return true
			}
		}
		return false
	}}}, nil
}

func ancestorEnv(arg string) (getter, error) {
	var k kept
	whole := func(v *event, p *bulwark.Process) (string, bool) {
		if !k.fresh(v, p) {
			k.buf = appendJoined(k.buf, p.Env)
		}
		return str(k.buf), true
	}
	if _, isNumber := digits(arg); arg == "" || isNumber {
		return ancestor(whole)(arg)
	}
	return getter{cost: dear, text: func(v *event) (string, bool) {
		for p, n := parent(v), 0; p != nil && n < maxAncestors; p, n = p.Parent, n+1 {
			if s, ok := variable(p, arg); ok {
				return s, true
			}
		}
		return "", v.p != nil
	}}, nil
}

// groupFields are those of the session and the process groups.
func groupFields() []Field {
	of := bulwark.SourceSyscall
	list := []Field{
		{Name: "proc.sid", Type: Number, Source: of, Doc: "its session, as its own pid namespace numbers it", bind: procNum(func(v *event) int64 { return session(v.p) })},
		{Name: "proc.sname", Type: Text, Source: of, Doc: "name of the session's leader", bind: leader(session, func(p *bulwark.Process) string { return p.Name })},
		{Name: "proc.is_sid_leader", Type: Bool, Source: of, Doc: "whether it leads its session", bind: flag(func(v *event) (bool, bool) { return v.p != nil && session(v.p) == int64(vpid(v.p)), v.p != nil })},
		{Name: "proc.pgid", Type: Number, Source: of, Doc: "its process group", bind: procNum(func(v *event) int64 { return group(v.p) })},
		{Name: "proc.is_pgid_leader", Type: Bool, Source: of, Doc: "whether it leads its process group", bind: flag(func(v *event) (bool, bool) { return v.p != nil && group(v.p) == int64(v.p.PID), v.p != nil })},
		{Name: "proc.vpgid", Type: Number, Source: of, Doc: "its process group, as its own pid namespace numbers it", bind: procNum(func(v *event) int64 { return vgroup(v.p) })},
		{Name: "proc.is_vpgid_leader", Type: Bool, Source: of, Doc: "whether it leads its process group: what a terminal starts does, what a script starts does not", bind: flag(func(v *event) (bool, bool) { return v.p != nil && vgroup(v.p) == int64(vpid(v.p)), v.p != nil })},
	}
	for _, l := range []struct {
		name string
		of   func(*bulwark.Process) int64
	}{{"sid", session}, {"pgid", group}, {"vpgid", vgroup}} {
		if l.name != "sid" {
			list = append(list, Field{Name: "proc." + l.name + ".name", Type: Text, Source: of, Doc: "name of the leader of proc." + l.name, bind: leader(l.of, func(p *bulwark.Process) string { return p.Name })})
		}
		list = append(list,
			Field{Name: "proc." + l.name + ".exe", Type: Text, Source: of, Doc: "proc.exe of the leader of proc." + l.name, bind: leader(l.of, func(p *bulwark.Process) string { return p.Exe })},
			Field{Name: "proc." + l.name + ".exepath", Type: Text, Source: of, Doc: "proc.exepath of the leader of proc." + l.name, bind: leader(l.of, func(p *bulwark.Process) string { return p.Path })})
	}
	return list
}

// vpid is the number in the own namespace; sensors may leave it out where that is the node's.
func vpid(p *bulwark.Process) int {
	if p.VPID == 0 {
		return p.PID
	}
	return p.VPID
}

func session(p *bulwark.Process) int64 {
	if p.VSID == 0 {
		return int64(p.SID)
	}
	return int64(p.VSID)
}

func group(p *bulwark.Process) int64 { return int64(p.PGID) }

func vgroup(p *bulwark.Process) int64 {
	if p.VPGID == 0 {
		return int64(p.PGID)
	}
	return int64(p.VPGID)
}

// leader is the oldest of the process and its ancestors, without a gap, that has the same number as the process.
func leader(of func(*bulwark.Process) int64, what func(*bulwark.Process) string) func(string) (getter, error) {
	return built(func(v *event) (string, bool) {
		if v.p == nil {
			return "", false
		}
		last := v.p
		for p, n := v.p.Parent, 0; p != nil && n < maxAncestors && of(p) == of(v.p); p, n = p.Parent, n+1 {
			last = p
		}
		return what(last), true
	})
}
