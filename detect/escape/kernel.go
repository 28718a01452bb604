package escape

import (
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

const (
	bpfProgLoad = 5
	exists      = -17 // the module is loaded
)

// The commands of reboot that only say what Ctrl-Alt-Del does.
const (
	rebootCADOn  = 0x89abcdef
	rebootCADOff = 0
)

// Operations of keyctl that everybody uses: GET_KEYRING_ID, JOIN_SESSION_KEYRING.
var keysOfAll = map[int64]bool{0: true, 1: true}

func kernel(s *state) []family.Rule {
	return []family.Rule{
		{Name: "kernel-module", Title: "A kernel module is loaded by who should not", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1547.006", "attack:T1014", "attack:T1611"}, References: []string{"https://attack.mitre.org/techniques/T1547/006/"},
			Why:   "A module is the kernel: it hides what it likes and obeys nobody. From a container it is an escape, hence critical; high where the kernel refused it, and on a node, by a program that is not there to load modules.",
			Noise: "Network plugins and kube-proxy load the node's own modules by modprobe; that is excused. Drivers that build and load modules on nodes are told.",
			Fix:   "Drop CAP_SYS_MODULE, and set kernel.modules_disabled=1 on nodes once they are up.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "init_module finit_module delete_module", Where: inside, If: func(h *family.Hit) bool {
					ofNode := strings.HasPrefix(h.Path(), "/lib/modules/") || strings.HasPrefix(h.Path(), "/usr/lib/modules/")
					return !(ofNode && !h.FD.Upper && who.Trusted(h.P, moduleTools) && who.Above(h.P, plugins) != nil)
				}},
				{Kinds: "init_module finit_module", Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.Yes}, If: func(h *family.Hit) bool {
					return h.Result != exists && !(who.Trusted(h.P, moduleTools) && who.Above(h.P, plugins) != nil)
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityHigh, h.Path()) }},
				{Kinds: "init_module finit_module delete_module", Where: bulwark.Where{Container: bulwark.No, Failed: bulwark.No}, If: func(h *family.Hit) bool {
					return !who.Trusted(h.P, moduleTools) && !who.Trusted(h.P, plugins)
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityHigh, h.Path()) }},
			}},
		{Name: "bpf-program", Title: "A container loads a program into the kernel", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1014", "attack:T1562", "attack:T1611"}, References: []string{"https://attack.mitre.org/techniques/T1014/"},
			Why:   "A BPF program sees what all processes of the node do and can change what they are answered: rootkits are made so. High: it takes CAP_BPF, and network plugins and monitors do it by design.",
			Noise: "Agents for networks and monitoring; those that are known are excused by their programs.",
			Fix:   "Drop CAP_BPF and CAP_SYS_ADMIN, and set kernel.unprivileged_bpf_disabled=1.", Every: time.Hour,
			Looks: []family.Look{{Kinds: "bpf", Where: inside, If: func(h *family.Hit) bool {
				return h.Num("cmd") == bpfProgLoad && outOfEngine(h) && !who.Trusted(h.P, bpfUsers)
			}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "kernel-surface", Title: "A container uses a part of the kernel that exploits are made with", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1068", "attack:T1611"}, References: []string{"https://docs.docker.com/engine/security/seccomp/"},
			Why:   "userfaultfd stops the kernel in the middle of a copy, perf_event_open and floods of keys are where holes were found again and again. The default seccomp profile refuses them. Medium: the call alone harms nobody.",
			Noise: "Emulators, checkpointing and profilers are excused by their programs; keys are told only when there are many at once.",
			Fix:   "Run the container with the default seccomp profile (seccompProfile: RuntimeDefault).", Every: time.Hour,
			Looks: []family.Look{
				{Kinds: "userfaultfd perf_event_open", Where: inside, If: func(h *family.Hit) bool { return outOfEngine(h) && !who.Trusted(h.P, profilers) },
					Do: func(h *family.Hit) { h.Tell(h.Kind.String()) }},
				{Kinds: "keyctl add_key", Where: inside, If: func(h *family.Hit) bool {
					return outOfEngine(h) && !keysOfAll[h.Num("op")] && s.keys.Of(h.Key()).Add(h.Time, keySpan, 1) >= manyKeys
				}, Do: func(h *family.Hit) { h.Tell("keys", fmt.Sprintf("%d calls about keys in %v", manyKeys, keySpan)) }},
			}},
		{Name: "node-control", Title: "A container commands the node as a whole", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1499", "attack:T1529"}, References: []string{"https://attack.mitre.org/techniques/T1529/"},
			Why:   "Loading another kernel, rebooting, changing swap or getting at ports of devices is for the node to do. Critical for another kernel and ports; high for the others, which stop work.",
			Noise: "Containers whose purpose is to manage nodes. systemd as first process of a container is excused.",
			Fix:   "Drop CAP_SYS_BOOT, CAP_SYS_ADMIN and CAP_SYS_RAWIO.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "kexec_load kexec_file_load iopl ioperm", Where: inside},
				{Kinds: "swapon swapoff reboot", Where: inside, If: func(h *family.Hit) bool {
					cmd := h.Num("cmd")
					return !(h.Kind.String() == "reboot" && (cmd == rebootCADOn || cmd == rebootCADOff)) && !who.Trusted(h.P, who.Names("systemd systemd-shutdown init"))
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityHigh, h.Kind.String()) }},
			}},
		{Name: "io-uring", Title: "A container works by io_uring", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1562", "attack:T1068"}, References: []string{"https://security.googleblog.com/2023/06/learnings-from-kctf-vrps-42-linux.html"},
			Why:   "What is asked for by io_uring makes no system call that sensors and seccomp see, and most holes that were paid for in Linux were there. Low: databases use it for speed, and this sensor sees what is submitted.",
			Noise: "Databases and runtimes that use it are excused where they are known; others are told once a day.",
			Fix:   "Use the default seccomp profile of recent engines, which refuses io_uring, or set kernel.io_uring_disabled=2.", Every: 24 * time.Hour,
			Looks: []family.Look{{Kinds: "io_uring_setup", Where: inside, If: func(h *family.Hit) bool { return !who.Trusted(h.P, ringUsers) },
				Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "pipe-page", Title: "One byte of a file is spliced into a pipe that is then written to", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1068"}, References: []string{"https://nvd.nist.gov/vuln/detail/CVE-2022-0847"},
			Why:   "This is how files that may only be read are changed in memory by the hole \"Dirty Pipe\" (CVE-2022-0847): a byte of the file is spliced into a pipe, and what is written to the pipe lands in the file. No other program splices single bytes. High: new kernels are not open to it.",
			Noise: "None known.",
			Fix:   "Update the kernel (5.16.11, 5.15.25, 5.10.102 or later), and reinstall the file that was named.", Every: time.Minute,
			Looks: []family.Look{{Kinds: "splice", Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool {
				key := procKey{h.P.PID, h.P.Start}
				if h.Result != 1 || h.Num("size") != 1 || h.FD.Kind != bulwark.FDFile && h.FD.Kind != bulwark.FDNone {
					return false
				}
				n := s.pipes.Of(key)
				*n++
				return *n == 1
			}}}},
	}
}

const (
	keySpan  = 10 * time.Second
	manyKeys = 200
)

var (
	moduleTools = who.Names("modprobe insmod rmmod kmod depmod systemd-modules-load systemd-udevd udevd dkms busybox")
	plugins     = who.Names("kube-proxy calico-node cilium-agent flanneld iptables ip6tables xtables-nft-multi xtables-legacy-multi ipset dockerd containerd cni kube-router weave antrea-agent systemd systemd-udevd wg-quick start_runit install-cni kubelet")
	bpfUsers    = who.Names("systemd runc crun cilium-agent cilium calico-node felix tetragon falco bulwark system-probe agent datadog-agent containerd dockerd tracee beyla alloy parca-agent pixie hubble kepler retina antrea-agent bpftrace node-agent coroot-node-agent pyroscope otelcol")
	profilers   = who.Names("perf node_exporter agent system-probe qemu-system-x86_ qemu-system-aarch qemu-kvm criu firecracker cloud-hypervisor async-profiler parca-agent falco tetragon cadvisor bulwark kepler vtune")
	ringUsers   = who.Names("mariadbd mysqld postgres scylla redpanda tigerbeetle ceph-osd qemu-system-x86_ qemu-system-aarch node bun deno fio nginx clickhouse clickhouse-server rocksdb dragonfly seastar samba smbd haproxy libvirtd spdk_tgt java dotnet ydbd etcd")
)
