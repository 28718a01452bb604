package workload

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"

	corev1 "k8s.io/api/core/v1"
)

// escape is a way from a container to its node by settings alone. Those of folders are in
// hostpath.go.
type escape struct {
	edge       string // KubeHound's name, IceKube's, or our own
	likelihood float64
	// mapped is the likelihood where root of the container is nobody on the node (hostUsers:
	// false); 0: the kernel refuses it then.
	mapped float64
	text   string
	// privileged: that is enough; caps: all of them are, as is ALL.
	privileged bool
	caps       []string
	hostPID    bool // is needed besides
	also       func(*pods, *kube.Container) float64
}

var escapes = []escape{
	{edge: "CE_PRIV_MOUNT", likelihood: 1, mapped: 0.05, text: "mounts the node's disk", privileged: true},
	{edge: "CE_MODULE_LOAD", likelihood: 0.95, text: "loads a kernel module", privileged: true, caps: []string{"SYS_MODULE"}},
	{edge: "CE_NSENTER", likelihood: 1, text: "enters the namespaces of process 1 of the node", privileged: true, hostPID: true},
	{edge: "CAN_NSENTER_HOST", likelihood: 0.9, text: "enters the namespaces of process 1 of the node", caps: []string{"SYS_ADMIN", "SYS_PTRACE"}, hostPID: true, also: (*pods).unconfined},
	{edge: "CE_SYS_PTRACE", likelihood: 0.9, text: "takes over a process of the node by ptrace", caps: []string{"SYS_PTRACE", "SYS_ADMIN"}, hostPID: true, also: (*pods).unconfined},
	{edge: "CAN_CGROUP_BREAKOUT", likelihood: 0.8, mapped: 0.05, text: "has the kernel start a program of its own on the node (release_agent of cgroup v1)", caps: []string{"SYS_ADMIN"}},
	{edge: "CAN_ACCESS_HOST_FD", likelihood: 0.8, text: "opens the node's files by their handles", caps: []string{"DAC_READ_SEARCH"}},
	{edge: "CE_RAW_IO", likelihood: 0.3, text: "writes the node's memory or ports directly", caps: []string{"SYS_RAWIO"}},
	{edge: "CE_BPF", likelihood: 0.4, text: "has the kernel run its BPF programs in processes of the node", caps: []string{"BPF"}},
}

// sandboxed is how likely what takes a node takes a sandbox's outer side.
const sandboxed = 0.02

func (p *pods) escapes(c *kube.Container, at bulwark.VertexID) {
	if hostProcess(p.Workload, c) {
		p.toNode(at, "HOST_PROCESS", 1, "is a process of the Windows node", "workload/windows-host-process")
	}
	if !p.Windows() {
		for i := range escapes {
			p.escape(&escapes[i], c, at)
		}
		p.procMount(c, at)
		p.flaws(c, at)
		p.devices(c, at)
	}
	if p.Spec.HostPID && !p.Windows() && mayBeRoot(p.Workload, c) {
		r := bulwark.Relation{From: at, To: p.held(), Type: "HOST_PID", Likelihood: 0.6, Text: "reads the tokens of the node's pods by /proc/PID/root"}
		p.known.Because(&r, p.id, "workload/host-pid")
		p.to.Relation(r)
		p.toNode(at, "HOST_PID", 0.2, "reads what commands and environments of the node's processes give away", "workload/host-pid")
	}
	if p.Spec.HostNetwork {
		p.toNode(at, "HOST_NETWORK", 0.2, "reaches what listens on the node's loopback, and the cloud's metadata as the node", "workload/host-network")
	}
	if p.Spec.HostIPC {
		p.toNode(at, "HOST_IPC", 0.1, "changes what processes of the node keep in shared memory", "workload/host-ipc")
	}
	p.hostPaths(c, at)
}

// escape tells of each cause that is enough for it.
func (p *pods) escape(e *escape, c *kube.Container, at bulwark.VertexID) {
	causes, likelihood := e.causes(c), e.likelihood
	if len(causes) == 0 {
		return
	}
	if no(p.Spec.HostUsers) {
		likelihood = e.mapped
	}
	if e.also != nil {
		likelihood *= e.also(p, c)
	}
	if e.hostPID && !p.Spec.HostPID || likelihood == 0 {
		return
	}
	text := e.text
	if p.sandbox() {
		likelihood *= sandboxed
		text += ", and leaves the sandbox"
	}
	if user := p.powers(c); user < 1 {
		likelihood *= user
		text += ", once a set-uid program makes it root"
	}
	for _, rules := range causes {
		if e.hostPID {
			rules = append(rules, "workload/host-pid")
		}
		p.toNode(at, e.edge, likelihood, text, rules...)
	}
}

// causes are the rules of the settings of a container that are enough, for each set of them.
func (e *escape) causes(c *kube.Container) [][]string {
	var list [][]string
	if e.privileged && privileged(c) {
		list = append(list, []string{"workload/privileged"})
	}
	if len(e.caps) == 0 {
		return list
	}
	if adds(c, "ALL") {
		list = append(list, []string{"workload/cap-all"})
	}
	var rules []string
	for _, name := range e.caps {
		if !adds(c, name) {
			return list
		}
		rules = append(rules, "workload/cap-"+strings.ReplaceAll(strings.ToLower(name), "_", "-"))
	}
	return append(list, rules)
}

// toNode tells of a way to the node that the findings of all of the rules make together.
func (p *pods) toNode(at bulwark.VertexID, edge string, likelihood float64, text string, rules ...string) {
	r := bulwark.Relation{From: at, To: p.node(), Type: edge, Likelihood: likelihood, Text: text}
	p.known.Because(&r, p.id, rules...)
	switch {
	case p.stranger:
		c := p.Containers[0].Name
		p.remedy(&r, p.id+" without "+c, "take the container "+c+" out of "+p.id+", or have what puts it there give it less than takes the node", nil)
	case len(r.Remedies) == 0: // nobody looked, or left the finding out
		p.at(&r)
		p.remedy(&r, p.id+" "+edge, "take out of "+p.id+" what "+strings.Join(rules, " and ")+" tells of", nil)
	}
	p.to.Relation(r)
}

// unconfined is how likely no profile of AppArmor stops ptrace: since 1.31 clusters say which
// one a container has, and the runtime's is what it has when it says nothing.
func (p *pods) unconfined(c *kube.Container) float64 {
	switch profile := p.appArmor(c); {
	case profile == "unconfined" || privileged(c):
		return 1
	case profile != "" || p.minor >= 31:
		return 0
	}
	return 0.8 // nodes without AppArmor, or older clusters
}

// appArmor is the profile that a container asks for; "" when it asks for none.
func (p *pods) appArmor(c *kube.Container) string {
	profile := p.Meta.Annotations["container.apparmor.security.beta.kubernetes.io/"+c.Name]
	if s := p.Spec.SecurityContext; profile == "" && s != nil && s.AppArmorProfile != nil {
		profile = string(s.AppArmorProfile.Type)
	}
	if s := c.SecurityContext; s != nil && s.AppArmorProfile != nil {
		profile = string(s.AppArmorProfile.Type)
	}
	return strings.ToLower(profile)
}

// procMount: with nothing over /proc, root writes the kernel's settings.
func (p *pods) procMount(c *kube.Container, at bulwark.VertexID) {
	s := c.SecurityContext
	if s != nil && s.ProcMount != nil && *s.ProcMount == corev1.UnmaskedProcMount && mayBeRoot(p.Workload, c) && !no(p.Spec.HostUsers) && !p.sandbox() {
		p.toNode(at, "CE_UMH_CORE_PATTERN", 0.9, "sets the kernel's core_pattern, by which it runs a program on the node", "workload/proc-mount")
	}
}

// privileged tells whether a container is.
func privileged(c *kube.Container) bool {
	return c.SecurityContext != nil && yes(c.SecurityContext.Privileged)
}

// adds tells whether a container adds a capability, by that name. What a privileged one has is
// another cause, since taking the capability out removes nothing.
func adds(c *kube.Container, capability string) bool {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return false
	}
	return slices.ContainsFunc(c.SecurityContext.Capabilities.Add, func(added corev1.Capability) bool {
		return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(string(added))), "CAP_") == capability
	})
}

// mayBeRoot tells whether a container runs as root or may: where nothing is said the image
// decides, and most run as root.
func mayBeRoot(w *kube.Workload, c *kube.Container) bool {
	user, nonRoot := (*int64)(nil), (*bool)(nil)
	if s := w.Spec.SecurityContext; s != nil {
		user, nonRoot = s.RunAsUser, s.RunAsNonRoot
	}
	if s := c.SecurityContext; s != nil {
		if s.RunAsUser != nil {
			user = s.RunAsUser
		}
		if s.RunAsNonRoot != nil {
			nonRoot = s.RunAsNonRoot
		}
	}
	if user != nil {
		return *user == 0
	}
	return !yes(nonRoot)
}

// powers is the chance that whoever holds the container has its capabilities: another user
// than root gets them by a set-uid program of the image alone.
func (p *pods) powers(c *kube.Container) float64 {
	switch {
	case mayBeRoot(p.Workload, c):
		return 1
	case c.SecurityContext != nil && !privileged(c) && no(c.SecurityContext.AllowPrivilegeEscalation):
		return 0.1
	}
	return 0.5
}

func hostProcess(w *kube.Workload, c *kube.Container) bool {
	if s := c.SecurityContext; s != nil && s.WindowsOptions != nil && s.WindowsOptions.HostProcess != nil {
		return *s.WindowsOptions.HostProcess
	}
	s := w.Spec.SecurityContext
	return s != nil && s.WindowsOptions != nil && yes(s.WindowsOptions.HostProcess)
}
