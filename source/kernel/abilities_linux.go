//go:build amd64 || arm64

package kernel

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"bulwark"
)

// missing says what this process or kernel lacks for the sensor; "": nothing.
func missing() string {
	var lacks []string
	have := capabilities()
	if have&(1<<unix.CAP_SYS_ADMIN) == 0 {
		for _, c := range []struct {
			bit  uint
			name string
		}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}} {
			if have&(1<<c.bit) == 0 {
				lacks = append(lacks, "capability "+c.name+" (run it as root)")
			}
		}
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		lacks = append(lacks, "the kernel's types (BTF) in /sys/kernel/btf/vmlinux")
	}
	if len(lacks) == 0 {
		lacks = hindrances(have&(1<<unix.CAP_SYS_ADMIN) != 0)
	}
	return strings.Join(lacks, ", ")
}

// capabilities are the effective ones of this process.
func capabilities() uint64 {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	if unix.Capget(&h, &d[0]) != nil {
		return 0
	}
	return uint64(d[0].Effective) | uint64(d[1].Effective)<<32
}

// Abilities are what can be seen here: see [bulwark.Sensor].
func (*Sensor) Abilities() []bulwark.Ability {
	why := missing()
	if why != "" {
		why = "it needs " + why
	}
	list := []bulwark.Ability{
		{Name: "see programs start", By: "raw tracepoint sched_process_exec", Why: why},
		{Name: "see processes begin and end", By: "raw tracepoints sched_process_fork, sched_process_exit", Why: why},
		{Name: "see control groups", By: "raw tracepoints cgroup_mkdir, cgroup_rmdir", Why: why},
		{Name: "see signals", By: "raw tracepoint signal_generate", Why: why},
	}
	calls, uring, oom, rounding := why, why, why, why
	t, err := openTracing()
	switch {
	case why != "":
	case err != nil:
		calls = "tracefs cannot be mounted: " + err.Error()
		uring, oom, rounding = calls, calls, calls
	default:
		calls = lacking(t, "syscalls/sys_exit_openat")
		if uring = lacking(t, "io_uring/io_uring_submit_req"); uring != "" {
			uring = lacking(t, "io_uring/"+requestPoint())
		}
		oom = lacking(t, "oom/mark_victim")
		rounding = lacking(t, "x86_fpu/x86_fpu_regs_deactivated")
	}
	if err == nil {
		t.close()
	}
	packets, who := why, why
	if h, err := new(Sensor).hierarchy(); why == "" {
		switch {
		case err != nil:
			who = err.Error()
		case h.root == "":
			who = "no control groups are mounted at /sys/fs/cgroup"
		}
		if h.root == "" || h.id != 0 {
			packets = "control groups of the second version are not mounted"
		} else {
			packets = noPackets()
		}
	}
	if lacks := unseen(); why == "" && lacks != "" {
		list = append(list, bulwark.Ability{Name: "see all of processes that were there before", By: "/proc", Why: "it needs " + lacks})
	}
	return append(list,
		bulwark.Ability{Name: "see which container it was", By: "the control group of each event", Why: who},
		bulwark.Ability{Name: "see first payloads, questions of DNS and how much goes where", By: "programs at packets of control groups", Why: packets},
		bulwark.Ability{Name: "see system calls", By: "tracepoints sys_exit of the calls that are wanted", Why: calls},
		bulwark.Ability{Name: "see io_uring requests", By: "raw tracepoint of submitted requests", Why: uring},
		bulwark.Ability{Name: "see processes killed for memory", By: "tracepoint mark_victim", Why: oom},
		bulwark.Ability{Name: "see how numbers are rounded", By: "raw tracepoint x86_fpu_regs_deactivated", Why: rounding},
		bulwark.Ability{Name: "see system calls of 32-bit programs", By: "tracepoints", Why: "tracepoints of single calls leave them out"},
	)
}

// unseen are the capabilities without which /proc does not show all of other users' processes.
func unseen() string {
	var lacks []string
	have := capabilities()
	if have&(1<<unix.CAP_SYS_PTRACE) == 0 {
		lacks = append(lacks, "capability CAP_SYS_PTRACE")
	}
	if have&(1<<unix.CAP_DAC_READ_SEARCH|1<<unix.CAP_DAC_OVERRIDE) == 0 {
		lacks = append(lacks, "capability CAP_DAC_READ_SEARCH")
	}
	return strings.Join(lacks, ", ")
}

// noPackets says why this process may not look at packets, though it may look at all else; "": it may.
func noPackets() string {
	if capabilities()&(1<<unix.CAP_NET_ADMIN|1<<unix.CAP_SYS_ADMIN) == 0 {
		return "it needs capability CAP_NET_ADMIN"
	}
	return ""
}

func lacking(t *tracing, point string) string {
	if _, err := t.id(point); err != nil {
		return "the kernel has no tracepoint " + point
	}
	return ""
}
