package rules

import (
	"bulwark"
	"bulwark/detect/rules/internal/names"
)

// programFields are those of the file that is executed.
func programFields() []Field {
	of := bulwark.SourceSyscall
	return []Field{
		{Name: "proc.is_exe_writable", Type: Bool, Source: of, Doc: "whether who executes the file may write it", bind: program(func(p *bulwark.Program) bool { return p.Writable })},
		{Name: "proc.is_exe_upper_layer", Type: Bool, Source: of, Doc: "whether the file is in the upper layer of an overlay: not in the image, or changed since", bind: program(func(p *bulwark.Program) bool { return p.Upper })},
		{Name: "proc.is_exe_lower_layer", Type: Bool, Source: of, Doc: "whether the file is in a lower layer of an overlay: as the image has it", bind: program(func(p *bulwark.Program) bool { return p.Lower })},
		{Name: "proc.is_exe_from_memfd", Type: Bool, Source: of, Doc: "whether the file is in memory only, of memfd_create", bind: program(func(p *bulwark.Program) bool { return p.Memory })},
		{Name: "proc.exe_ino", Type: Number, Source: of, Doc: "inode of the file", bind: procNum(func(v *event) int64 { return int64(v.p.File.Inode) })},
		{Name: "proc.exe_ino.ctime", Type: Time, Source: of, Doc: "when the file or what the inode says of it was changed", bind: num(fileTime(func(p *bulwark.Program) int64 { return p.Changed }))},
		{Name: "proc.exe_ino.mtime", Type: Time, Source: of, Doc: "when the file was written", bind: num(fileTime(func(p *bulwark.Program) int64 { return p.Modified }))},
		{Name: "proc.exe_ino.ctime_duration_proc_start", Type: Span, Source: of, Doc: "nanoseconds from the change of the file to the start of the process", bind: num(func(v *event) (int64, bool) {
			at, ok := began(v, v.p)
			if !ok || v.p.File.Changed == 0 {
				return 0, false
			}
			return at - v.p.File.Changed, true
		})},
		{Name: "proc.exe_ino.ctime_duration_pidns_start", Type: Span, Source: of, Doc: "nanoseconds from the start of the pid namespace to the change of the file", bind: num(func(v *event) (int64, bool) {
			at, ok := namespaceStart(v)
			if !ok || v.p.File.Changed < at {
				return 0, false
			}
			return v.p.File.Changed - at, true
		})},
		{Name: "proc.pidns_init_start_ts", Type: Time, Source: of, Doc: "when the pid namespace began: of a container, when it started", bind: num(namespaceStart)},
	}
}

func program(f func(*bulwark.Program) bool) func(string) (getter, error) {
	return flag(func(v *event) (bool, bool) { return v.p != nil && f(&v.p.File), v.p != nil })
}

func fileTime(f func(*bulwark.Program) int64) func(*event) (int64, bool) {
	return func(v *event) (int64, bool) {
		if v.p == nil || f(&v.p.File) == 0 {
			return 0, false
		}
		return f(&v.p.File), true
	}
}

func namespaceStart(v *event) (int64, bool) {
	if v.p == nil {
		return 0, false
	}
	if c := v.p.Container; c != nil {
		return c.Started, c.Started != 0
	}
	return v.env.boot, v.env.boot != 0
}

// threadFields are those of the thread.
func threadFields() []Field {
	of := bulwark.SourceSyscall
	list := []Field{
		{Name: "thread.tid", Type: Number, Source: of, Doc: "its number", bind: num(func(v *event) (int64, bool) { return int64(v.TID), v.TID != 0 })},
		{Name: "thread.ismain", Type: Bool, Source: of, Doc: "whether it is the first thread of its process", bind: flag(func(v *event) (bool, bool) { return v.p != nil && v.TID == v.p.PID, v.p != nil })},
		{Name: "thread.vtid", Type: Number, Source: of, Doc: "its number in its own pid namespace; known of the first thread", bind: num(func(v *event) (int64, bool) {
			if v.p == nil || v.TID != v.p.PID {
				return 0, false
			}
			return int64(vpid(v.p)), true
		})},
		{Name: "thread.nametid", Type: Text, Source: of, Doc: "name of the process and number of the thread together", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			if v.p == nil {
				return b, false
			}
			return appendNumber(append(b, v.p.Name...), int64(v.TID)), true
		})},
		{Name: "thread.cgroups", Type: Text, Source: of, Doc: "path of its control group", bind: text(cgroup)},
		{Name: "thread.cgroup", Type: Text, Arg: DotOrKey, Source: of, Doc: "path of its control group; all subsystems have the same", bind: text(cgroup)},
		{Name: "thread.cap_permitted", Type: Text, Source: of, Doc: "capabilities that it may make effective, with spaces between", bind: capabilities(func(p *bulwark.Process) uint64 { return p.Permitted })},
		{Name: "thread.cap_inheritable", Type: Text, Source: of, Doc: "capabilities that it may hand on", bind: capabilities(func(p *bulwark.Process) uint64 { return p.Inheritable })},
		{Name: "thread.cap_effective", Type: Text, Source: of, Doc: "capabilities that it has", bind: capabilities(func(p *bulwark.Process) uint64 { return p.Effective })},
	}
	for _, name := range []string{"pfmajor", "pfminor", "exectime", "totexectime", "cpu", "cpu.user", "cpu.system", "vmsize", "vmrss", "vmsize.b", "vmrss.b"} {
		list = append(list, Field{Name: "thread." + name, Type: Number, Source: of, Doc: "no event has it: the figures of containers are told apart from events", bind: absent(Number)})
	}
	return list
}

func cgroup(v *event) (string, bool) {
	if v.p == nil || v.p.Container == nil {
		return "", false
	}
	return v.p.Container.Cgroup, v.p.Container.Cgroup != ""
}

func capabilities(of func(*bulwark.Process) uint64) func(string) (getter, error) {
	return func(string) (getter, error) {
		texts := newMemo(func(n int64) string { return names.Caps(uint64(n)) })
		return getter{cost: 1, text: func(v *event) (string, bool) {
			if v.p == nil {
				return "", false
			}
			return texts.text(int64(of(v.p))), true
		}}, nil
	}
}
