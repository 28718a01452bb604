package export

import (
	"maps"
	"slices"
	"strings"

	"bulwark/detect/profile"
)

// needs are the capabilities that a call of root's may need: what is known where their use was not seen.
var needs = map[string]string{
	"chown": "CAP_CHOWN", "fchown": "CAP_CHOWN", "lchown": "CAP_CHOWN", "fchownat": "CAP_CHOWN",
	"chmod": "CAP_FOWNER", "fchmod": "CAP_FOWNER", "fchmodat": "CAP_FOWNER", "fchmodat2": "CAP_FOWNER", "utimensat": "CAP_FOWNER",
	"setuid": "CAP_SETUID", "setreuid": "CAP_SETUID", "setresuid": "CAP_SETUID", "setfsuid": "CAP_SETUID",
	"setgid": "CAP_SETGID", "setregid": "CAP_SETGID", "setresgid": "CAP_SETGID", "setfsgid": "CAP_SETGID", "setgroups": "CAP_SETGID",
	"chroot": "CAP_SYS_CHROOT", "mount": "CAP_SYS_ADMIN", "umount2": "CAP_SYS_ADMIN", "pivot_root": "CAP_SYS_ADMIN", "setns": "CAP_SYS_ADMIN", "unshare": "CAP_SYS_ADMIN",
	"sethostname": "CAP_SYS_ADMIN", "setdomainname": "CAP_SYS_ADMIN", "mknod": "CAP_MKNOD", "mknodat": "CAP_MKNOD", "ptrace": "CAP_SYS_PTRACE", "process_vm_readv": "CAP_SYS_PTRACE",
	"kill": "CAP_KILL", "setpriority": "CAP_SYS_NICE", "sched_setscheduler": "CAP_SYS_NICE", "mlock": "CAP_IPC_LOCK", "mlockall": "CAP_IPC_LOCK",
	"settimeofday": "CAP_SYS_TIME", "clock_settime": "CAP_SYS_TIME", "adjtimex": "CAP_SYS_TIME", "syslog": "CAP_SYSLOG", "bpf": "CAP_BPF", "reboot": "CAP_SYS_BOOT",
	"init_module": "CAP_SYS_MODULE", "finit_module": "CAP_SYS_MODULE", "open_by_handle_at": "CAP_DAC_READ_SEARCH", "capset": "CAP_SETPCAP",
}

// Capabilities are those that containers of the image need, with why. Where the kernel does not show their use, they are
// inferred from what else was seen, which gives more than is needed.
func Capabilities(p *profile.Profile) map[string]string {
	all := map[string]string{}
	for name, u := range p.Capabilities {
		all[name] = u.String()
	}
	if p.Granted || p.Users["0"] == nil && len(p.Users) > 0 {
		return all
	}
	const inferred = "inferred, since this kernel does not show the use of capabilities: "
	put := func(name, why string) {
		if all[name] == "" {
			all[name] = inferred + why
		}
	}
	for _, call := range slices.Sorted(maps.Keys(p.Syscalls)) {
		if c := needs[call]; c != "" {
			put(c, p.Syscalls[call].String())
		}
	}
	for _, l := range p.Listeners {
		if l.Port > 0 && l.Port < 1024 {
			put("CAP_NET_BIND_SERVICE", l.String())
		}
	}
	put("CAP_DAC_OVERRIDE", "root reads and writes files of others; try without it")
	return all
}

// CapabilityList is a list for runtimes: all are dropped but these.
func CapabilityList(p *profile.Profile) (string, error) {
	var b strings.Builder
	b.WriteString(comment(head(p, "Capabilities")))
	caps := Capabilities(p)
	names := slices.Sorted(maps.Keys(caps))
	b.WriteString("# docker run --cap-drop ALL")
	for _, name := range names {
		b.WriteString(" --cap-add " + clean(strings.TrimPrefix(name, "CAP_")))
	}
	b.WriteString("\ndrop ALL\n")
	for _, name := range names {
		b.WriteString("add " + clean(name) + " # " + clean(caps[name]) + "\n")
	}
	return b.String(), nil
}
