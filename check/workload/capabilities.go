package workload

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// capability is a right of root that a container may be given one by one.
type capability struct {
	name     string
	severity bulwark.Severity
	// leads is what somebody does with it who is root in the container.
	leads string
	fix   string
	noise string
	tags  []string
	// with gives the severity, tag and text where something else of the pods makes it worse.
	with func(s *kube.Set, w *kube.Workload, c *kube.Container) (bulwark.Severity, string, string)
}

var capabilities = []capability{
	{name: "ALL", severity: critical, leads: "it has every right of the node's root: it loads kernel modules, mounts and reads raw memory, with nothing but seccomp and devices between it and the node",
		fix: "name the capabilities that are needed, and drop ALL", noise: "node agents ask for it where a few would do",
		tags: []string{"cis:5.2.9", "edge:CE_MODULE_LOAD", "edge:CE_SYS_PTRACE"}, with: withTrace},
	{name: "SYS_ADMIN", severity: high, leads: "it mounts file systems and enters namespaces; with a writable cgroup v1 it names a release agent that the node runs as root (high: a few commands)",
		fix: "take it out; FUSE and mounts have their own ways (CSI, user namespaces)", noise: "FUSE mounters, CSI drivers and eBPF agents on old kernels need it", tags: []string{"edge:CE_PRIV_MOUNT"}},
	{name: "SYS_MODULE", severity: high, leads: "insmod puts its code into the node's kernel, and the node is taken (high, as all that takes a few commands of root's)",
		fix: "take it out, and have the node load its modules at boot", noise: "CNI plugins and storage drivers load modules; the node can do that instead", tags: []string{"attack:T1547.006", "edge:CE_MODULE_LOAD"}},
	{name: "SYS_PTRACE", severity: critical, leads: "it reads and changes the memory of every process that it sees: medium in a pod of its own, critical with hostPID, where those are the node's",
		fix: "take it out; debug in an ephemeral container when there is need", noise: "profilers and debuggers need it while they run", tags: []string{"attack:T1055.008"}, with: withTrace},
	{name: "SYS_RAWIO", severity: high, leads: "it reads and writes the node's memory and ports by /dev/mem and ioperm, where such a device is within reach",
		fix: "take it out", noise: "tools for disks' health (SMART, RAID) use it"},
	{name: "DAC_READ_SEARCH", severity: high, leads: "open_by_handle_at opens any file of a file system of which one file is mounted in the container (and hosts and resolv.conf always are): every secret of the node can be read",
		fix: "take it out; give the group or mode that the files need", noise: "backup agents read all files with it", tags: []string{"attack:T1005"}},
	{name: "DAC_OVERRIDE", severity: medium, leads: "it writes files whatever their mode says; told of where a folder of the node is mounted writable, medium",
		fix: "take it out, or mount the folder read-only", noise: "runtimes give it to root by default: what is added here is given also to containers that drop ALL", with: withWritableHost},
	{name: "BPF", severity: high, leads: "it loads programs into the kernel that watch and change what other containers do",
		fix: "take it out", noise: "eBPF agents (CNI, observability) live on it", tags: []string{"attack:T1014"}},
	{name: "PERFMON", severity: medium, leads: "it traces the kernel and other processes, and learns keys and addresses from that; it does not change them (medium)",
		fix: "take it out", noise: "profilers need it"},
	{name: "NET_ADMIN", severity: high, leads: "it changes addresses, routes and firewall rules: of the pod (medium: traffic past the mesh's sidecar and policies), of the whole node with hostNetwork (high)",
		fix: "take it out; a CNI plugin can set up what a mesh's init container does", noise: "VPN clients, service meshes' init containers and CNI plugins need it",
		tags: []string{"attack:T1557"}, with: withHostNetwork(medium, high, "it is the node's own network that it changes")},
	{name: "NET_RAW", severity: high, leads: "it forges packets: answers for others' addresses (ARP, DNS) on the pod network, which not every CNI stops (medium); with hostNetwork it reads the node's traffic (high)",
		fix: "drop it, and set net.ipv4.ping_group_range where ping is wanted", noise: "ping and network probes ask for it; most can do without",
		tags: []string{"cis:5.2.8", "attack:T1557", "attack:T1040", "kubelinter:drop-net-raw-capability"}, with: withHostNetwork(medium, high, "it is the node's traffic that it reads")},
	{name: "MKNOD", severity: low, leads: "it makes device files; the devices cgroup refuses to open most, which makes it low, but another process on the node may follow such a file in a shared folder",
		fix: "take it out", noise: "runtimes give it to root by default: what is added here is given also to containers that drop ALL"},
	{name: "SYS_TIME", severity: medium, leads: "it sets the node's clock: certificates and tokens become valid or not, and logs tell another time",
		fix: "take it out, and let the node keep time", noise: "NTP daemons in containers need it", tags: []string{"attack:T1070.006"}},
	{name: "SYS_BOOT", severity: high, leads: "it restarts the node, or loads another kernel by kexec",
		fix: "take it out", noise: "daemons that restart nodes after updates need it", tags: []string{"attack:T1529"}},
	{name: "SYSLOG", severity: low, leads: "it reads the kernel's log with its addresses, which makes an exploit of the kernel easier, and clears it (low: it needs another flaw)",
		fix: "take it out", noise: "log agents and eBPF tools read kernel symbols with it"},
	{name: "MAC_ADMIN", severity: high, leads: "it changes what AppArmor, SELinux or Smack allow, for the whole node",
		fix: "take it out", noise: "the Security Profiles Operator and the like load profiles", tags: []string{"attack:T1562"}},
	{name: "MAC_OVERRIDE", severity: high, leads: "Smack's rules do not hold for it", fix: "take it out", noise: "none is known", tags: []string{"attack:T1562"}},
	{name: "AUDIT_CONTROL", severity: medium, leads: "it turns the kernel's audit off or changes its rules: what happens next is not recorded",
		fix: "take it out", noise: "audit agents need it", tags: []string{"attack:T1562.001"}},
	{name: "AUDIT_READ", severity: low, leads: "it reads the node's audit log: commands, file names and sessions of everybody (low: it changes nothing)",
		fix: "take it out", noise: "audit agents need it"},
	{name: "CHECKPOINT_RESTORE", severity: medium, leads: "it chooses process ids and looks at the maps of other processes, which helps to take their place",
		fix: "take it out", noise: "tools that freeze and move processes (CRIU) need it"},
	{name: "LINUX_IMMUTABLE", severity: low, leads: "it makes files of a folder of the node unchangeable, also for the node's root: what it plants is hard to remove",
		fix: "take it out", noise: "none is common"},
	{name: "IPC_OWNER", severity: low, leads: "it opens shared memory whatever its mode: that of the node with hostIPC",
		fix: "take it out", noise: "none is common"},
	{name: "SYS_RESOURCE", severity: low, leads: "it raises limits past what it was given (open files, processes, disk quota), and so takes from its neighbours",
		fix: "take it out; set limits on the node or in the runtime", noise: "eBPF agents on kernels before 5.11 need it for locked memory"},
}

// standing are those that runtimes give to root by default.
var standing = map[string]bool{
	"AUDIT_WRITE": true, "CHOWN": true, "DAC_OVERRIDE": true, "FOWNER": true, "FSETID": true, "KILL": true, "MKNOD": true, "NET_BIND_SERVICE": true,
	"SETFCAP": true, "SETGID": true, "SETPCAP": true, "SETUID": true, "SYS_CHROOT": true,
}

func capabilityRules() []*posture.Rule {
	var list []*posture.Rule
	known := map[string]bool{}
	for i := range capabilities {
		c := &capabilities[i]
		known[c.name] = true
		list = append(list, c.rule())
	}
	return append(list, &posture.Rule{
		Rule: misconfig.Rule{ID: "workload/cap-other", Severity: low, Hygiene: true, Title: "A capability is added that the Pod Security Standards do not allow",
			Tags: []string{"cis:5.2.9", "pss:capabilities_baseline"}, Fix: "take it out, or say why it is needed",
			Why:   "it leads nowhere by itself as far as is known, but no namespace that enforces baseline takes the pods",
			Noise: "IPC_LOCK keeps keys out of swap; databases and Vault ask for it", Refs: []string{manCaps, docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) { otherCapabilities(h, w, known) },
	}, &posture.Rule{
		Rule: misconfig.Rule{ID: "workload/caps-not-dropped", Severity: low, Hygiene: true, Title: "A container keeps the runtime's default capabilities",
			Tags: []string{"cis:5.2.9", "cis-docker:5.4", "pss:capabilities_restricted", "kubescape:C-0055"}, Fix: "drop ALL, and add what is needed",
			Why:   "root in it may change owners, forge packets and more. Hygiene: it is what every container has that nobody hardened, and none of it leads out alone",
			Noise: "programs that begin as root and change their user need SETUID, SETGID and CHOWN", Refs: []string{docsPSS, manCaps}},
		Workload: notDropped,
	})
}

func (c *capability) rule() *posture.Rule {
	tags := append([]string{"pss:capabilities_baseline", "attack:T1611", "cis-docker:5.4", "kubescape:C-0046"}, c.tags...)
	if standing[c.name] {
		tags[0] = "pss:capabilities_restricted"
	}
	title := "A container has the capability " + c.name
	if c.name == "ALL" {
		title = "A container has all capabilities"
	}
	return &posture.Rule{
		Rule: misconfig.Rule{ID: "workload/cap-" + strings.ReplaceAll(strings.ToLower(c.name), "_", "-"), Severity: c.severity, Title: title,
			Tags: tags, Fix: c.fix, Why: c.leads, Noise: c.noise, Refs: []string{manCaps, docsPSS}},
		Workload: c.look,
	}
}

// look finds the containers that add the capability.
func (c *capability) look(h *posture.Hits, w *kube.Workload) {
	for k := range each(w) {
		i := adds(k, c.name)
		if i < 0 {
			continue
		}
		hit := at(w, k, "capabilities.add: "+c.name, "securityContext", "capabilities", "add", i)
		hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
		hit.Severity = c.severity
		if c.with != nil {
			severity, tag, text := c.with(h.Set, w, k)
			if severity == bulwark.SeverityUnknown {
				continue
			}
			hit.Severity = severity
			if tag != "" {
				hit.Tags = []string{tag}
			}
			if text != "" {
				hit.Evidence += "; " + text
			}
		}
		hit.Severity = lesser(w, hit.Severity)
		danger(h, w, hit)
	}
}

// adds is the position of a capability among those that a container adds; -1 without it.
func adds(c *kube.Container, name string) int {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return -1
	}
	for i, a := range c.SecurityContext.Capabilities.Add {
		if capName(string(a)) == name {
			return i
		}
	}
	return -1
}

func capName(s string) string {
	return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "CAP_")
}

// withTrace judges what may look into other processes.
func withTrace(_ *kube.Set, w *kube.Workload, c *kube.Container) (bulwark.Severity, string, string) {
	switch {
	case w.Spec.HostPID:
		return critical, "edge:CE_SYS_PTRACE", "with hostPID, a debugger on any process of the node is a root shell there"
	case adds(c, "ALL") >= 0:
		return high, "", ""
	case yes(w.Spec.ShareProcessNamespace):
		return medium, "edge:SHARE_PS_NAMESPACE", "the processes of its neighbours in the pod are within reach"
	}
	return medium, "", ""
}

func withHostNetwork(alone, with bulwark.Severity, text string) func(*kube.Set, *kube.Workload, *kube.Container) (bulwark.Severity, string, string) {
	return func(_ *kube.Set, w *kube.Workload, _ *kube.Container) (bulwark.Severity, string, string) {
		if w.Spec.HostNetwork {
			return with, "", text
		}
		return alone, "", ""
	}
}

func withWritableHost(s *kube.Set, w *kube.Workload, c *kube.Container) (bulwark.Severity, string, string) {
	for _, m := range hostMounts(s, w) {
		if m.c == c && !m.readOnly {
			return medium, "edge:EXPLOIT_HOST_WRITE", "the node's " + m.host + " is mounted writable"
		}
	}
	return bulwark.SeverityUnknown, "", ""
}

func otherCapabilities(h *posture.Hits, w *kube.Workload, known map[string]bool) {
	for c := range each(w) {
		if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
			continue
		}
		// From the last on: what is taken out moves those behind it.
		for i, a := range slices.Backward(c.SecurityContext.Capabilities.Add) {
			if name := capName(string(a)); !known[name] && !standing[name] {
				hit := at(w, c, "capabilities.add: "+name, "securityContext", "capabilities", "add", i)
				hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
				h.Add(hit)
			}
		}
	}
}

func notDropped(h *posture.Hits, w *kube.Workload) {
	if w.Windows() {
		return
	}
	for c := range each(w) {
		if privileged(c) || dropsAll(c) {
			continue
		}
		hit := at(w, c, "capabilities.drop has no ALL", "securityContext", "capabilities", "drop")
		if !mayBeRoot(w, c) && adds(c, "ALL") < 0 && !ownUsers(w) {
			// Who is not root has none of them anyway.
			hit.Edits = []kube.Edit{kube.Put([]any{"ALL"}, hit.Path...)}
		}
		h.Add(hit)
	}
}

func dropsAll(c *kube.Container) bool {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return false
	}
	for _, d := range c.SecurityContext.Capabilities.Drop {
		if capName(string(d)) == "ALL" {
			return true
		}
	}
	return false
}
