package rules

import (
	"strconv"
	"strings"

	"bulwark"
)

// processFields are those of the process and its parent.
func processFields() []Field {
	of := bulwark.SourceSyscall
	list := []Field{
		{Name: "proc.name", Type: Text, Source: of, Doc: "name that the kernel has for it: 15 bytes at most", bind: ofProcess(func(p *bulwark.Process) (string, bool) { return p.Name, p.Name != "" })},
		{Name: "proc.exe", Type: Text, Source: of, Doc: "first word of the command line, as the caller of execve gave it", bind: ofProcess(func(p *bulwark.Process) (string, bool) { return p.Exe, true })},
		{Name: "proc.exepath", Type: Text, Source: of, Doc: "path of the executable, links resolved", bind: ofProcess(func(p *bulwark.Process) (string, bool) { return p.Path, p.Path != "" })},
		{Name: "proc.args", Type: Text, Source: of, Doc: "the command line without its first word", bind: built(func(v *event) (string, bool) { return v.own.args(v, v.p) })},
		{Name: "proc.cmdline", Type: Text, Source: of, Doc: "name and arguments", bind: built(func(v *event) (string, bool) { return v.own.line(v, v.p) })},
		{Name: "proc.exeline", Type: Text, Source: of, Doc: "proc.exe and arguments", bind: built(func(v *event) (string, bool) { return v.own.exeline(v, v.p) })},
		{Name: "proc.cmdnargs", Type: Number, Source: of, Doc: "how many arguments there are", bind: procNum(func(v *event) int64 { return int64(len(v.p.Args)) })},
		{Name: "proc.cmdlenargs", Type: Number, Source: of, Doc: "how long the arguments are together", bind: procNum(func(v *event) (n int64) {
			for _, a := range v.p.Args {
				n += int64(len(a))
			}
			return n
		})},
		{Name: "proc.env", Type: Text, Arg: MayKey, Source: of, Doc: "environment that execve was given, or the value of one variable, which is empty where it is not set", bind: environmentOf},
		{Name: "proc.cwd", Type: Text, Source: of, Doc: "working directory, with a stroke at its end", bind: workingDirectory},
		{Name: "proc.tty", Type: Number, Source: of, Doc: "number of its terminal's device; 0: none", bind: procNum(func(v *event) int64 { return int64(v.p.TTY) })},
		{Name: "proc.pid", Type: Number, Source: of, Doc: "its number", bind: procNum(func(v *event) int64 { return int64(v.p.PID) })},
		{Name: "proc.ppid", Type: Number, Source: of, Doc: "its parent's number", bind: procNum(func(v *event) int64 { return int64(v.p.PPID) })},
		{Name: "proc.vpid", Type: Number, Source: of, Doc: "its number in its own pid namespace", bind: procNum(func(v *event) int64 { return int64(v.p.VPID) })},
		{Name: "proc.pvpid", Type: Number, Source: of, Doc: "its parent's number in the parent's pid namespace", bind: ofParentNum(func(p *bulwark.Process) int64 { return int64(p.VPID) })},
		{Name: "proc.loginshellid", Type: Number, Source: of, Doc: "number of the oldest shell among it and its ancestors", bind: num(loginShell)},
		{Name: "proc.pname", Type: Text, Source: of, Doc: "name of the parent", bind: ofParent(func(p *bulwark.Process) (string, bool) { return p.Name, p.Name != "" })},
		{Name: "proc.pexe", Type: Text, Source: of, Doc: "proc.exe of the parent", bind: ofParent(func(p *bulwark.Process) (string, bool) { return p.Exe, true })},
		{Name: "proc.pexepath", Type: Text, Source: of, Doc: "proc.exepath of the parent", bind: ofParent(func(p *bulwark.Process) (string, bool) { return p.Path, p.Path != "" })},
		{Name: "proc.pcmdline", Type: Text, Source: of, Doc: "proc.cmdline of the parent", bind: built(func(v *event) (string, bool) { return v.above.line(v, parent(v)) })},
		{Name: "proc.duration", Type: Span, Source: of, Doc: "nanoseconds since it began", bind: num(func(v *event) (int64, bool) { return age(v, v.p) })},
		{Name: "proc.ppid.duration", Type: Span, Source: of, Doc: "nanoseconds since its parent began", bind: num(func(v *event) (int64, bool) { return age(v, parent(v)) })},
		{Name: "proc.pid.ts", Type: Time, Source: of, Doc: "when it began", bind: num(func(v *event) (int64, bool) { return began(v, v.p) })},
		{Name: "proc.ppid.ts", Type: Time, Source: of, Doc: "when its parent began", bind: num(func(v *event) (int64, bool) { return began(v, parent(v)) })},
		{Name: "proc.stdin.type", Type: Text, Source: of, Doc: "what its standard input was when it was executed", bind: stdioType(0)},
		{Name: "proc.stdout.type", Type: Text, Source: of, Doc: "what its standard output was", bind: stdioType(1)},
		{Name: "proc.stderr.type", Type: Text, Source: of, Doc: "what its standard error was", bind: stdioType(2)},
		{Name: "proc.stdin.name", Type: Text, Source: of, Doc: "no event has it: descriptors are read when a call uses them", bind: absent(Text)},
		{Name: "proc.stdout.name", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
		{Name: "proc.stderr.name", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
	}
	for _, name := range []string{"healthcheck", "liveness_probe", "readiness_probe"} {
		list = append(list, Field{Name: "proc.is_container_" + name, Type: Bool, Source: of, Doc: "always false: engines are not asked for probes", bind: flag(func(v *event) (bool, bool) { return false, v.p != nil })})
	}
	for _, name := range []string{"fdopencount", "fdlimit", "fdusage", "vmsize", "vmrss", "vmswap", "nthreads", "nchilds"} {
		list = append(list, Field{Name: "proc." + name, Type: Number, Source: of, Doc: "no event has it: the figures of containers are told apart from events", bind: absent(Number)})
	}
	return list
}

func parent(v *event) *bulwark.Process {
	if v.p == nil {
		return nil
	}
	return v.p.Parent
}

func ofProcess(f func(*bulwark.Process) (string, bool)) func(string) (getter, error) {
	return text(func(v *event) (string, bool) {
		if v.p == nil {
			return "", false
		}
		return f(v.p)
	})
}

func ofParent(f func(*bulwark.Process) (string, bool)) func(string) (getter, error) {
	return text(func(v *event) (string, bool) {
		p := parent(v)
		if p == nil {
			return "", false
		}
		return f(p)
	})
}

func ofParentNum(f func(*bulwark.Process) int64) func(string) (getter, error) {
	return num(func(v *event) (int64, bool) {
		p := parent(v)
		if p == nil {
			return 0, false
		}
		return f(p), true
	})
}

func procNum(f func(*event) int64) func(string) (getter, error) {
	return num(func(v *event) (int64, bool) {
		if v.p == nil {
			return 0, false
		}
		return f(v), true
	})
}

// commandText puts command lines together, once for an event and process.
type commandText struct {
	whole, exe kept
}

func (t *commandText) line(v *event, p *bulwark.Process) (string, bool) {
	if p == nil {
		return "", false
	}
	if !t.whole.fresh(v, p) {
		t.whole.buf = append(t.whole.buf, p.Name...)
		if len(p.Args) > 0 {
			t.whole.buf = appendJoined(append(t.whole.buf, ' '), p.Args)
		}
	}
	return str(t.whole.buf), true
}

// args is the line behind the name.
func (t *commandText) args(v *event, p *bulwark.Process) (string, bool) {
	s, ok := t.line(v, p)
	if !ok || len(p.Args) == 0 {
		return "", ok
	}
	return s[len(p.Name)+1:], true
}

func (t *commandText) exeline(v *event, p *bulwark.Process) (string, bool) {
	if p == nil {
		return "", false
	}
	if !t.exe.fresh(v, p) {
		t.exe.buf = append(t.exe.buf, p.Exe...)
		if len(p.Args) > 0 {
			t.exe.buf = appendJoined(append(t.exe.buf, ' '), p.Args)
		}
	}
	return str(t.exe.buf), true
}

func workingDirectory(string) (getter, error) {
	var k kept
	return getter{text: func(v *event) (string, bool) {
		if v.p == nil || v.p.CWD == "" {
			return "", false
		}
		if strings.HasSuffix(v.p.CWD, "/") {
			return v.p.CWD, true
		}
		if !k.fresh(v, v.p) {
			k.buf = append(append(k.buf, v.p.CWD...), '/')
		}
		return str(k.buf), true
	}}, nil
}

func environmentOf(name string) (getter, error) {
	if name != "" {
		return getter{cost: medium, text: func(v *event) (string, bool) {
			if v.p == nil {
				return "", false
			}
			s, _ := variable(v.p, name)
			return s, true // one that is not set is empty, as in Falco
		}}, nil
	}
	var k kept
	return getter{cost: dear, text: func(v *event) (string, bool) {
		if v.p == nil {
			return "", false
		}
		if !k.fresh(v, v.p) {
			k.buf = appendJoined(k.buf, v.p.Env)
		}
		return str(k.buf), true
	}}, nil
}

func variable(p *bulwark.Process, name string) (string, bool) {
	for _, e := range p.Env {
		if len(e) > len(name) && e[len(name)] == '=' && e[:len(name)] == name {
			return e[len(name)+1:], true
		}
	}
	return "", false
}

// loginShell is the oldest shell above the process: as in Falco, whatever ends with "sh".
func loginShell(v *event) (pid int64, ok bool) {
	for p, n := v.p, 0; p != nil && n < maxAncestors; p, n = p.Parent, n+1 {
		if strings.HasSuffix(p.Name, "sh") {
			pid, ok = int64(p.PID), true
		}
	}
	return pid, ok
}

// began is when a process began. Without the time that the node started at, it is not known.
func began(v *event, p *bulwark.Process) (int64, bool) {
	if p == nil || p.Start == 0 || v.env.boot == 0 {
		return 0, false
	}
	return v.env.boot + p.Start, true
}

func age(v *event, p *bulwark.Process) (int64, bool) {
	at, ok := began(v, p)
	return max(v.Time-at, 0), ok
}

func login(p *bulwark.Process) int64 {
	if p.Login == ^uint32(0) {
		return -1
	}
	return int64(p.Login)
}

func digits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}
