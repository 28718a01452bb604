package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/names"
)

// argFields are those of the arguments of calls.
func argFields() []Field {
	of := bulwark.SourceSyscall
	return []Field{
		{Name: "evt.arg", Type: Text, Arg: DotOrKey, Source: of, Doc: "an argument by name or number, as text: evt.arg.flags, evt.arg[0]; paths are made absolute, numbers told by name", bind: argument},
		{Name: "evt.rawarg", Type: Number, Arg: DotOrKey, Source: of, Doc: "an argument by name, as it was given: a number, or for those that are text the text", bind: rawArgument},
		{Name: "evt.args", Type: Text, Source: of, Doc: "all arguments: name=value, with spaces between", bind: allArguments},
		{Name: "evt.info", Type: Text, Source: of, Doc: "the same as evt.args", bind: allArguments},
		{Name: "evt.abspath", Type: Text, Arg: DotOrNot, Source: of, Doc: "the path that the call is given, made absolute; .src and .dst for calls that have two", bind: absolutePath},
	}
}

// untold are arguments that events of Falco have and none has here: rules may name them.
const untold = `pos fdlimit pgft_maj pgft_min vm_size vm_rss vm_swap cgroups pidns_start_time source timeout fds maxevents initval whence
pgoffset clockid interval resource cur max newcur newmax oldcur oldmax next special quota_fmt quota_fmt_out quotafilepath dqb_bhardlimit
dqb_bsoftlimit dqb_curspace dqb_ihardlimit dqb_isoftlimit dqb_btime dqb_itime dqi_bgrace dqi_igrace dqi_flags semid nsops sem_num_0 sem_op_0
sem_flg_0 sem_num_1 sem_op_1 sem_flg_1 semnum nsems semflg sigmask sq_entries cq_entries sq_thread_cpu sq_thread_idle features arg nr_args len
value_bytebuf value_charbuf aux mask img image ip error description scope desc tags ratio operation event_type event_data ID nativeID plugin_id
container_id home shell msgcontrol cpu_usr cpu_sys`

// which says where the argument with that name or number is in each kind.
func which(arg string) ([]int16, error) {
	if n, err := strconv.ParseUint(arg, 10, 15); err == nil {
		list := make([]int16, len(bulwark.Kinds())+1)
		for k := range list {
			list[k] = -1
			if int(n) < len(bulwark.Kind(k).Params()) {
				list[k] = int16(n)
			}
		}
		return list, nil
	}
	at := paramAt(arg)
	if !slices.ContainsFunc(at, func(i int16) bool { return i >= 0 }) && !slices.Contains(strings.Fields(untold), arg) {
		return nil, fmt.Errorf("no event has an argument %s", arg)
	}
	return at, nil
}

func hasParam(at []int16) func(bulwark.Kind) bool {
	return func(k bulwark.Kind) bool { return int(k) < len(at) && at[k] >= 0 }
}

func argument(arg string) (getter, error) {
	at, err := which(arg)
	if err != nil {
		return getter{}, err
	}
	w := newWriter()
	g := getter{has: hasParam(at), cost: medium}
	g.text = func(v *event) (string, bool) {
		if int(v.Kind) >= len(at) || at[v.Kind] < 0 {
			return "", false
		}
		return w.text(v, int(at[v.Kind]))
	}
	g.also = func(v *event) (int64, bool) {
		if int(v.Kind) >= len(at) || at[v.Kind] < 0 {
			return 0, false
		}
		return rawNumber(v, int(at[v.Kind]))
	}
	return g, nil
}

func rawArgument(arg string) (getter, error) {
	at, err := which(arg)
	if err != nil {
		return getter{}, err
	}
	g := getter{has: hasParam(at)}
	if textual(at) {
		g.text = func(v *event) (string, bool) {
			a, ok := argAt(v, at)
			return str(a.Text), ok
		}
		return g, nil
	}
	g.num = func(v *event) (int64, bool) {
		if int(v.Kind) >= len(at) || at[v.Kind] < 0 {
			return 0, false
		}
		return rawNumber(v, int(at[v.Kind]))
	}
	return g, nil
}

func argAt(v *event, at []int16) (bulwark.Arg, bool) {
	if int(v.Kind) >= len(at) || at[v.Kind] < 0 || int(at[v.Kind]) >= len(v.Args) {
		return bulwark.Arg{}, false
	}
	return v.Args[at[v.Kind]], true
}

// textual tells whether every kind has the argument as text.
func textual(at []int16) bool {
	for k, i := range at {
		if i >= 0 && !isText(bulwark.Kind(k).Params()[i].Type) {
			return false
		}
	}
	return true
}

func isText(t bulwark.ParamType) bool {
	switch t {
	case bulwark.ParamText, bulwark.ParamPath, bulwark.ParamBytes, bulwark.ParamList:
		return true
	}
	return false
}

// rawNumber is an argument that is a number. What the event itself does not say of who executes is said by its process.
func rawNumber(v *event, i int) (int64, bool) {
	p := v.Kind.Params()[i]
	if isText(p.Type) || p.Type == bulwark.ParamTuple || p.Type == bulwark.ParamAddress {
		return 0, false
	}
	if i < len(v.Args) {
		return v.Args[i].Num, true
	}
	if i == 0 && returns(v.Kind) {
		return v.Result, true
	}
	if v.p == nil || !bornOrExec(v.Kind) {
		return 0, false
	}
	return processNumber(v, p.Name)
}

func bornOrExec(k bulwark.Kind) bool {
	return k == bulwark.KindExec || k == kindExecveat || k == bulwark.KindClone
}

func processNumber(v *event, param string) (int64, bool) {
	p := v.p
	switch param {
	case "tid":
		return int64(v.TID), true
	case "pid":
		return int64(p.PID), true
	case "ptid":
		return int64(p.PPID), true
	case "vpid", "vtid":
		return int64(p.VPID), true
	case "pgid":
		return int64(p.PGID), true
	case "vpgid":
		return int64(p.VPGID), true
	case "tty":
		return int64(p.TTY), true
	case "loginuid":
		return login(p), true
	case "uid":
		return int64(p.UID), true
	case "gid":
		return int64(p.GID), true
	case "flags":
		return exeFlags(p), v.Kind != bulwark.KindClone
	case "cap_inheritable":
		return int64(p.Inheritable), true
	case "cap_permitted":
		return int64(p.Permitted), true
	case "cap_effective":
		return int64(p.Effective), true
	case "exe_ino":
		return int64(p.File.Inode), true
	case "exe_ino_ctime":
		return p.File.Changed, true
	case "exe_ino_mtime":
		return p.File.Modified, true
	}
	return 0, false
}

func exeFlags(p *bulwark.Process) (f int64) {
	f |= one(p.File.Writable) * names.ExeWritable
	f |= one(p.File.Upper) * names.ExeUpper
	f |= one(p.File.Memory) * names.ExeMemory
	return f | one(p.File.Lower)*names.ExeLower
}

func processText(p *bulwark.Process, param string) (string, bool) {
	switch param {
	case "exe":
		return p.Exe, true
	case "comm":
		return p.Name, true
	case "cwd":
		return p.CWD, p.CWD != ""
	case "trusted_exepath", "filename":
		return p.Path, p.Path != ""
	}
	return "", false
}

func allArguments(string) (getter, error) {
	w := newWriter()
	var k kept
	return getter{cost: dear, text: func(v *event) (string, bool) {
		if k.fresh(v, nil) {
			return str(k.buf), len(k.buf) > 0
		}
		for i, p := range v.Kind.Params() {
			s, ok := w.text(v, i)
			if !ok {
				continue
			}
			if len(k.buf) > 0 {
				k.buf = append(k.buf, ' ')
			}
			k.buf = append(append(k.buf, p.Name...), '=')
			n, isNumber := rawNumber(v, i)
			if !isNumber || p.Type == bulwark.ParamInt || p.Type == bulwark.ParamHex || p.Type == bulwark.ParamOctal || p.Type == bulwark.ParamCaps || p.Type == bulwark.ParamTime {
				k.buf = append(k.buf, s...)
				continue
			}
			k.buf = strconv.AppendInt(k.buf, n, 10)
			if strconv.FormatInt(n, 10) != s {
				k.buf = append(append(append(k.buf, '('), s...), ')')
			}
		}
		return str(k.buf), len(k.buf) > 0
	}}, nil
}
