package rules

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
	"bulwark/internal/near"
)

// renamed are kinds that rules call otherwise than the kernel does.
var renamed = map[string]string{"pread64": "pread", "pwrite64": "pwrite", "prlimit64": "prlimit", "k8s_audit": "pluginevent"}

// eventNames are what rules call the kinds.
var eventNames = makeEventNames()

func makeEventNames() []string {
	list := []string{""}
	for _, k := range bulwark.Kinds() {
		list = append(list, ruleName(k.String()))
	}
	return list
}

func ruleName(name string) string {
	if other := renamed[name]; other != "" {
		return other
	}
	return name
}

// eventName is what rules call the kind of the event.
func eventName(v *event) string {
	if int(v.Kind) < len(eventNames) {
		return eventNames[v.Kind]
	}
	return v.Kind.String()
}

// elsewhere are events that Falco knows and that never happen here: rules may name them.
const elsewhere = `syscall switch infra procinfo cpu_hotplug page_fault asyncevent notification userevent useradded userdeleted
groupadded groupdeleted k8s mesos tracer scapevent sysdigevent NA send recv getdents sigreturn signal nice stime waitpid oldfstat
oldlstat oldolduname oldstat oldumount olduname break bdflush ftime gtty idle lock mpx phys_readlink prof profil readdir sgetmask
sigaction sigpending sigprocmask sigsuspend ssetmask stty ulimit socketcall ipc fcntl64 fstat64 fstatat64 fstatfs64 ftruncate64
getegid32 geteuid32 getgid32 getgroups32 getresgid32 getresuid32 getuid32 lchown32 lstat64 setfsgid32 setfsuid32 setgid32
setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 stat64 statfs64 truncate64 chown32 fchown32 mmap2 _llseek llseek
_newselect _sysctl afs_syscall create_module get_kernel_syms getpmsg putpmsg nfsservctl query_module security tuxcall uselib vserver
epoll_ctl_old epoll_wait_old vm86 vm86old modify_ldt sync_file_range2 clock_gettime64 clock_settime64 futex_time64 ppoll_time64
pselect6_time64 recvmmsg_time64 s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_guarded_storage s390_sthyi sigaltstack
spu_create spu_run swapcontext subpage_prot switch_endian sys_debug_setcontext multiplexer pciconfig_iobase pciconfig_read
pciconfig_write rtas timerfd riscv_flush_icache riscv_hwprobe uretprobe uprobe file_getattr file_setattr`

// typed holds what evt.type is compared with to names that events have.
func typed(t *term, e *lang.Check) error {
	if t.field == nil || t.field.Name != "evt.type" || e.Right != nil {
		return nil
	}
	if e.Op != lang.Eq && e.Op != lang.NotEq && e.Op != lang.In && e.Op != lang.Intersects {
		return nil
	}
	for i, v := range e.Values {
		name := ruleName(v.Text)
		if !slices.Contains(eventNames, name) && !slices.Contains(strings.Fields(elsewhere), name) {
			return &placed{pos: v.Pos, unknown: true, err: noEvent(v.Text)}
		}
		if name != v.Text {
			e.Values = slices.Clone(e.Values) // lists are shared
			e.Values[i].Text = name
		}
	}
	return nil
}

func noEvent(name string) error {
	hint := ""
	if n := near.Nearest(name, slices.Values(eventNames)); n != "" {
		hint = "; is " + n + " meant?"
	}
	return fmt.Errorf("there is no event %s%s", visible(name), hint)
}
