package workload

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// profileRules are about what the kernel refuses to a container.
var profileRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/seccomp-unconfined", Severity: medium, Title: "A container may call every system call",
			Tags: []string{"cis:5.6.2", "cis-docker:5.22", "pss:seccompProfile_baseline", "attack:T1611", "kubescape:C-0210"}, Fix: "set seccompProfile.type: RuntimeDefault",
			Why:   "the runtime's profile stops the system calls that most escapes begin with (mount, unshare, keyctl, bpf, ptrace on old kernels). Medium: it needs a flaw of the kernel or a capability besides",
			Noise: "debuggers, and containers that run containers, ask for it", Refs: []string{docsSeccomp, docsPSS}},
		Workload: seccompUnconfined,
	},
	{
		Rule: misconfig.Rule{ID: "workload/seccomp-unset", Severity: low, Hygiene: true, Title: "A container has no seccomp profile",
			Tags: []string{"cis:5.6.2", "pss:seccompProfile_restricted", "kubescape:C-0210"}, Fix: "set securityContext.seccompProfile.type: RuntimeDefault for the pods",
			Why:   "without one Kubernetes runs containers unconfined, unless the kubelet is set to another default. Hygiene: it is what every pod has that nobody hardened, and needs a flaw of the kernel besides",
			Noise: "with the kubelet's seccompDefault every pod has the runtime's profile", Refs: []string{docsSeccomp, docsPSS}},
		Workload: seccompUnset,
	},
	{
		Rule: misconfig.Rule{ID: "workload/apparmor-unconfined", Severity: medium, Title: "A container is free of AppArmor",
			Tags: []string{"cis:5.6.3", "cis-docker:5.2", "pss:appArmorProfile", "attack:T1611", "kubescape:C-0055"}, Fix: "take the profile out: the runtime's own then holds",
			Why:   "the runtime's profile keeps root from mounting and from writing to /proc and /sys: without it, escapes by cgroups and core_pattern are open to whoever has SYS_ADMIN. Medium: a capability is needed besides",
			Noise: "CNI plugins and containers that mount need it", Refs: []string{"https://kubernetes.io/docs/tutorials/security/apparmor/", docsPSS}},
		Workload: appArmor,
	},
	{
		Rule: misconfig.Rule{ID: "workload/selinux-options", Severity: high, Title: "A container chooses an SELinux type or user of its own",
			Tags: []string{"cis:5.6.3", "cis-docker:5.3", "pss:seLinuxOptions", "attack:T1611"}, Fix: "take type, user and role out; container_t holds then",
			Why:   "spc_t and unconfined_t are no confinement at all (high); other types, users and roles are rules that nobody has read (medium)",
			Noise: "node agents on SELinux systems run as spc_t; types that were written for one program are tighter than the default", Refs: []string{docsContext, docsPSS}},
		Workload: seLinux,
	},
	{
		Rule: misconfig.Rule{ID: "workload/proc-mount", Severity: high, Title: "A container sees /proc unmasked",
			Tags: []string{"pss:procMount", "pss:procMount_restricted", "attack:T1611", "edge:CE_UMH_CORE_PATTERN", "kubelinter:unsafe-proc-mount"}, Fix: "take procMount: Unmasked out",
			Why:   "/proc/sys and what runtimes hide of /proc become writable: root names a program in core_pattern that the node runs. With a user namespace of its own (hostUsers: false) the container is not the node's root, and it is low",
			Noise: "builds of images inside containers need it, and then hostUsers: false", Refs: []string{docsPSS, docsUserNS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for c := range each(w) {
				if s := c.SecurityContext; s != nil && s.ProcMount != nil && *s.ProcMount == corev1.UnmaskedProcMount {
					hit := at(w, c, "procMount: Unmasked", "securityContext", "procMount")
					hit.Severity = lesser(w, high)
					hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
					h.Add(hit)
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/sysctl", Severity: high, Title: "Pods set a kernel parameter that is not known to be safe",
			Tags: []string{"pss:sysctls", "attack:T1611", "kubelinter:unsafe-sysctls"}, Fix: "take it out, or set it on the node",
			Why:   "the kubelet lets pods set it only when the node allows it on purpose. Parameters of the pod's own network and IPC can exhaust the node or weaken the network (low); others (kernel., vm., fs.) are the whole node's (high)",
			Noise: "load balancers raise limits of their own network (net.core.somaxconn)", Refs: []string{"https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/", docsPSS}},
		Workload: sysctls,
	},
	{
		Rule: misconfig.Rule{ID: "workload/runtime-annotation", Severity: medium, Title: "An annotation gives devices or settings past the API",
			Tags: []string{"attack:T1611"}, Fix: "take the annotation out, and ask for devices by a device plugin",
			Why:   "CRI-O, CDI and Kata read it themselves: devices of the node, or the program that runs the virtual machine, come in where no policy looks. Medium: the node has to allow it",
			Noise: "device plugins and Kata installations that are set up for it", Refs: []string{"https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md", "https://github.com/cncf-tags/container-device-interface"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for _, name := range slices.Sorted(maps.Keys(w.Meta.Annotations)) {
				if strings.HasPrefix(name, "io.kubernetes.cri-o.Devices") || strings.HasPrefix(name, "cdi.k8s.io/") || strings.HasPrefix(name, "io.katacontainers.config.") && strings.Contains(name, "path") {
					h.Add(posture.Hit{Object: w.Object, Path: metaPath(w, "annotations", name), Evidence: name + ": " + w.Meta.Annotations[name], Edits: []kube.Edit{kube.Drop(metaPath(w, "annotations", name)...)}})
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/user-namespace", Severity: low, Hygiene: true, Title: "Root in the container is root on the node",
			Tags: []string{"cis-docker:5.31", "attack:T1611"}, Fix: "set hostUsers: false, where nodes run Linux 6.3 or later and containerd 2 or CRI-O",
			Why:   "with user namespaces, who gets out of the container is nobody on the node. Hygiene: few clusters use them yet",
			Noise: "pods with host namespaces, or volumes that cannot be mapped, cannot have them", Refs: []string{docsUserNS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Spec.HostUsers != nil && !*w.Spec.HostUsers || w.Windows() || w.Spec.HostPID || w.Spec.HostIPC || w.Spec.HostNetwork {
				return
			}
			for c := range each(w) {
				if mayBeRoot(w, c) {
					h.Add(inPod(w, "hostUsers is not false, and container "+c.Name+" may be root", "hostUsers"))
					return
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-sandbox", Severity: low, Title: "What runs other people's code shares the node's kernel",
			Tags: []string{"attack:T1611"}, Fix: "run it with a RuntimeClass of gVisor or Kata, on nodes of its own",
			Why:   "a build runner, notebook or function runs code that its users bring: one flaw of the kernel, and they are on the node. Low: told by the image's name alone, and it needs such a flaw",
			Noise: "who may run code there may be trusted as much as the cluster's people; the name of an image is a guess", Refs: []string{"https://kubernetes.io/docs/concepts/containers/runtime-class/", "https://gvisor.dev/docs/"}},
		Workload: noSandbox,
	},
}

// inherits tells whether a container has no setting of its own and takes that of its pod.
func inherits(w *kube.Workload, own func(*corev1.SecurityContext) bool) bool {
	for c := range each(w) {
		if c.SecurityContext == nil || !own(c.SecurityContext) {
			return true
		}
	}
	return false
}

func seccompUnconfined(h *posture.Hits, w *kube.Workload) {
	if s := w.Spec.SecurityContext; s != nil && s.SeccompProfile != nil && s.SeccompProfile.Type == corev1.SeccompProfileTypeUnconfined && inherits(w, func(s *corev1.SecurityContext) bool { return s.SeccompProfile != nil }) {
		hit := inPod(w, "seccompProfile: Unconfined for all containers that have none of their own", "securityContext", "seccompProfile", "type")
		hit.Edits = []kube.Edit{kube.Put("RuntimeDefault", hit.Path...)}
		danger(h, w, hit)
	}
	for c := range each(w) {
		if s := c.SecurityContext; s != nil && s.SeccompProfile != nil && s.SeccompProfile.Type == corev1.SeccompProfileTypeUnconfined && !privileged(c) {
			hit := at(w, c, "seccompProfile: Unconfined", "securityContext", "seccompProfile", "type")
			hit.Edits = []kube.Edit{kube.Put("RuntimeDefault", hit.Path...)}
			danger(h, w, hit)
		}
	}
	for _, name := range unconfinedBy(w, "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/") {
		hit := posture.Hit{Object: w.Object, Path: metaPath(w, "annotations", name), Evidence: name + ": unconfined (read by Kubernetes before 1.27)"}
		hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
		danger(h, w, hit)
	}
}

// unconfinedBy gives the annotations of that name, or that begin so, that say unconfined.
func unconfinedBy(w *kube.Workload, name, prefix string) []string {
	var list []string
	for key, value := range w.Meta.Annotations {
		if (key == name || strings.HasPrefix(key, prefix)) && value == "unconfined" {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	return list
}

// metaPath is where a field of the pods' metadata stands.
func metaPath(w *kube.Workload, path ...any) []any {
	return slices.Concat(w.At, []any{"metadata"}, path)
}

func seccompUnset(h *posture.Hits, w *kube.Workload) {
	if w.Windows() || w.Meta.Annotations["seccomp.security.alpha.kubernetes.io/pod"] != "" {
		return
	}
	for c := range each(w) {
		if seccomp(w, c) == nil && !privileged(c) {
			hit := at(w, c, "no seccompProfile", "securityContext", "seccompProfile")
			hit.Edits = []kube.Edit{kube.Put("RuntimeDefault", w.Path("securityContext", "seccompProfile", "type")...)}
			h.Add(hit)
		}
	}
}

func appArmor(h *posture.Hits, w *kube.Workload) {
	if s := w.Spec.SecurityContext; s != nil && s.AppArmorProfile != nil && s.AppArmorProfile.Type == corev1.AppArmorProfileTypeUnconfined && inherits(w, func(s *corev1.SecurityContext) bool { return s.AppArmorProfile != nil }) {
		hit := inPod(w, "appArmorProfile: Unconfined for all containers that have none of their own", "securityContext", "appArmorProfile")
		hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
		danger(h, w, hit)
	}
	for c := range each(w) {
		if s := c.SecurityContext; s != nil && s.AppArmorProfile != nil && s.AppArmorProfile.Type == corev1.AppArmorProfileTypeUnconfined {
			hit := at(w, c, "appArmorProfile: Unconfined", "securityContext", "appArmorProfile")
			hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
			danger(h, w, hit)
		}
	}
	for _, name := range unconfinedBy(w, "", "container.apparmor.security.beta.kubernetes.io/") {
		hit := posture.Hit{Object: w.Object, Path: metaPath(w, "annotations", name), Evidence: name + ": unconfined"}
		hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
		danger(h, w, hit)
	}
}

func seLinux(h *posture.Hits, w *kube.Workload) {
	if s := w.Spec.SecurityContext; s != nil && s.SELinuxOptions != nil {
		seLinuxHit(h, w, s.SELinuxOptions, inPod(w, "", "securityContext", "seLinuxOptions"))
	}
	for c := range each(w) {
		if s := c.SecurityContext; s != nil && s.SELinuxOptions != nil {
			seLinuxHit(h, w, s.SELinuxOptions, at(w, c, "", "securityContext", "seLinuxOptions"))
		}
	}
}

func seLinuxHit(h *posture.Hits, w *kube.Workload, o *corev1.SELinuxOptions, hit posture.Hit) {
	var said []string
	at := hit.Path
	for _, f := range []struct{ name, value string }{{"type", o.Type}, {"user", o.User}, {"role", o.Role}} {
		if f.value == "" || f.name == "type" && strings.HasPrefix(f.value, "container_") && slices.Contains([]string{"container_t", "container_init_t", "container_kvm_t", "container_engine_t"}, f.value) {
			continue
		}
		said = append(said, "seLinuxOptions."+f.name+": "+f.value)
		hit.Edits = append(hit.Edits, kube.Drop(slices.Concat(at, []any{f.name})...))
	}
	if len(said) == 0 {
		return
	}
	hit.Severity = medium
	if o.Type == "spc_t" || strings.HasPrefix(o.Type, "unconfined") {
		hit.Severity = high
	}
	hit.Evidence += strings.Join(said, ", ")
	danger(h, w, hit)
}

// safeSysctls are those that the kubelet lets every pod set.
var safeSysctls = map[string]bool{
	"kernel.shm_rmid_forced": true, "net.ipv4.ip_local_port_range": true, "net.ipv4.tcp_syncookies": true, "net.ipv4.ping_group_range": true, "net.ipv4.ip_unprivileged_port_start": true,
	"net.ipv4.ip_local_reserved_ports": true, "net.ipv4.tcp_keepalive_time": true, "net.ipv4.tcp_fin_timeout": true, "net.ipv4.tcp_keepalive_intvl": true, "net.ipv4.tcp_keepalive_probes": true,
	"net.ipv4.tcp_rmem": true, "net.ipv4.tcp_wmem": true, "net.ipv4.tcp_slow_start_after_idle": true, "net.ipv4.tcp_notsent_lowat": true,
}

func sysctls(h *posture.Hits, w *kube.Workload) {
	if w.Spec.SecurityContext == nil {
		return
	}
	// From the last on: what is taken out moves those behind it.
	for i, s := range slices.Backward(w.Spec.SecurityContext.Sysctls) {
		name := strings.ReplaceAll(s.Name, "/", ".")
		if safeSysctls[name] {
			continue
		}
		hit := inPod(w, "sysctl "+name, "securityContext", "sysctls", i)
		hit.Severity = low
		if !strings.HasPrefix(name, "net.") && !strings.HasPrefix(name, "fs.mqueue.") && !strings.HasPrefix(name, "kernel.msg") && !strings.HasPrefix(name, "kernel.shm") && !strings.HasPrefix(name, "kernel.sem") {
			hit.Severity = high
			hit.Evidence += ", which is the whole node's"
		}
		hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
		h.Add(hit)
	}
}

// runners are images that run code which their users bring.
var runners = []string{
	"gitlab-runner", "actions-runner", "github-runner", "jenkins/inbound-agent", "jenkins/agent", "jnlp-slave", "buildkite/agent", "drone-runner", "concourse", "teamcity-agent", "circleci", "woodpecker-agent", "act_runner",
	"jupyter", "jupyterhub", "singleuser", "notebook", "code-server", "rstudio", "coder", "openfaas", "fission", "nuclio", "kubeless", "judge0", "piston",
}

// runnerKinds are custom resources whose pods do.
var runnerKinds = map[string]bool{
	"Notebook.kubeflow.org": true, "RunnerDeployment.actions.summerwind.dev": true, "RunnerSet.actions.summerwind.dev": true, "AutoscalingRunnerSet.actions.github.com": true, "EphemeralRunnerSet.actions.github.com": true,
}

func noSandbox(h *posture.Hits, w *kube.Workload) {
	if w.Spec.RuntimeClassName != nil && *w.Spec.RuntimeClassName != "" {
		return
	}
	if runnerKinds[w.Kind+"."+w.Group()] {
		h.Add(inPod(w, "a "+w.Kind+" runs its users' code, and there is no runtimeClassName", "runtimeClassName"))
		return
	}
	for c := range lasting(w) {
		repo := parseImage(c.Image).repository
		for _, r := range runners {
			if repo != "" && strings.Contains(repo, r) {
				h.Add(at(w, c, "image "+c.Image+" is named like one that runs its users' code, and there is no runtimeClassName", "image"))
				break
			}
		}
	}
}
