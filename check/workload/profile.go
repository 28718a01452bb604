package workload

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// volumeRules are about volumes and devices beside folders of the node.
var volumeRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/mount-propagation", Severity: medium, Title: "What a container mounts appears on the node",
			Tags: []string{"cis-docker:5.20", "attack:T1611"}, Fix: "take mountPropagation: Bidirectional out; HostToContainer sees the node's mounts without making any",
			Why:   "it lays a file system over any folder below on the node and in all other pods that see it. Medium: the container has to be privileged for it, and that is told of too",
			Noise: "CSI drivers mount volumes for pods this way", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#mount-propagation"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for c := range each(w) {
				for i, m := range c.VolumeMounts {
					if m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional {
						danger(h, w, at(w, c, "mountPropagation: Bidirectional at "+m.MountPath, "volumeMounts", i, "mountPropagation"))
					}
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/block-device", Severity: medium, Title: "A container has a raw block device",
			Tags: []string{"cis-docker:5.18", "attack:T1006"}, Fix: "use a volume with a file system (volumeMode: Filesystem)",
			Why:   "it reads and writes the disk below any file system: what was there before, and what the kernel then parses. Low for a disk of its own; medium where the volume is a disk of the node (local or hostPath)",
			Noise: "databases and virtual machines take whole disks", Refs: []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support"}},
		Workload: blockDevices,
	},
	{
		Rule: misconfig.Rule{ID: "workload/hostpath-claim", Severity: low, Hygiene: true, Title: "A claim leads to a folder of the node",
			Tags: []string{"cis:5.1.9", "attack:T1611"}, Fix: "use a storage class that makes volumes, or a local volume with node affinity",
			Why:   "the Pod Security Standards forbid hostPath in pods but do not look behind claims: a namespace that enforces restricted lets this in. Hygiene: somebody with rights over the cluster's volumes made it, and what the folder gives away has a finding as any folder of the node",
			Noise: "clusters of one node and provisioners of local paths store data this way", Refs: []string{"https://kubernetes.io/docs/concepts/storage/persistent-volumes/", docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i := range w.Spec.Volumes {
				v := &w.Spec.Volumes[i]
				if host, _, _ := hostOf(h.Set, w, v); host != "" && v.PersistentVolumeClaim != nil {
					h.Add(inPod(w, "the claim "+v.PersistentVolumeClaim.ClaimName+" has a volume that is "+host+" of the node", "volumes", i))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/volume-type", Severity: low, Hygiene: true, Title: "A volume is of a kind that pods should not name themselves",
			Tags: []string{"pss:restrictedVolumes"}, Fix: "ask for storage by a PersistentVolumeClaim",
			Why:   "pods that name a server or a driver themselves carry its credentials and choose what the node mounts as root. Hygiene: it is the server that decides",
			Noise: "NFS shares are often mounted this way", Refs: []string{docsPSS, "https://kubernetes.io/docs/concepts/storage/volumes/"}},
		Workload: volumeTypes,
	},
	{
		Rule: misconfig.Rule{ID: "workload/git-repo-volume", Severity: high, Title: "A volume is filled by git on the node",
			Tags: []string{"pss:restrictedVolumes", "attack:T1611"}, Fix: "clone in an init container into an emptyDir",
			Why:   "the kubelet runs git as root on the node with an address that the pods choose, and hooks of a repository have run there (CVE-2024-10220). Kubernetes 1.33 and later refuse it unless told otherwise",
			Noise: "clusters that are patched and name a repository of their own", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#gitrepo", "https://github.com/kubernetes/kubernetes/issues/128885"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i, v := range w.Spec.Volumes {
				if v.GitRepo != nil {
					h.Add(inPod(w, "volume "+v.Name+": gitRepo", "volumes", i, "gitRepo"))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/memory-volume", Severity: low, Title: "A volume in memory has no limit",
			Tags: []string{"attack:T1499"}, Fix: "set emptyDir.sizeLimit",
			Why:   "what is written to it is the node's memory: without sizeLimit and without a memory limit of every container, one pod takes all of it. Low: told of only where both are missing",
			Noise: "shared memory (/dev/shm) of databases and browsers", Refs: []string{"https://kubernetes.io/docs/concepts/storage/volumes/#emptydir"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for i, v := range w.Spec.Volumes {
				if v.EmptyDir != nil && v.EmptyDir.Medium == corev1.StorageMediumMemory && v.EmptyDir.SizeLimit == nil && unlimited(h.Set, w) {
					h.Add(inPod(w, "emptyDir "+v.Name+" with medium: Memory, no sizeLimit and no memory limit", "volumes", i, "emptyDir"))
				}
			}
		},
	},
}

// unlimited tells whether a container of a workload has no memory limit.
func unlimited(s *kube.Set, w *kube.Workload) bool {
	for c := range lasting(w) {
		if !limited(s, w, c, corev1.ResourceMemory) {
			return true
		}
	}
	return false
}

func blockDevices(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		for i, d := range c.VolumeDevices {
			hit := at(w, c, "volumeDevices: "+d.Name+" at "+d.DevicePath, "volumeDevices", i)
			hit.Severity = low
			for j := range w.Spec.Volumes {
				v := &w.Spec.Volumes[j]
				if v.Name != d.Name || v.PersistentVolumeClaim == nil {
					continue
				}
				pv := boundTo(h.Set, w.Namespace, v.PersistentVolumeClaim.ClaimName)
				if own := pv.Get("spec", "local", "path").Text() + pv.Get("spec", "hostPath", "path").Text(); own != "" {
					hit.Severity = medium
					hit.Evidence += ", which is " + own + " of the node"
				}
			}
			danger(h, w, hit)
		}
	}
}

func volumeTypes(h *posture.Hits, w *kube.Workload) {
	for i, v := range w.Spec.Volumes {
		var kind string
		switch s := v.VolumeSource; {
		case s.NFS != nil:
			kind = "nfs"
		case s.ISCSI != nil:
			kind = "iscsi"
		case s.Glusterfs != nil:
			kind = "glusterfs"
		case s.RBD != nil:
			kind = "rbd"
		case s.FlexVolume != nil:
			kind = "flexVolume"
		case s.Cinder != nil:
			kind = "cinder"
		case s.CephFS != nil:
			kind = "cephfs"
		case s.Flocker != nil:
			kind = "flocker"
		case s.FC != nil:
			kind = "fc"
		case s.AzureFile != nil:
			kind = "azureFile"
		case s.AzureDisk != nil:
			kind = "azureDisk"
		case s.GCEPersistentDisk != nil:
			kind = "gcePersistentDisk"
		case s.AWSElasticBlockStore != nil:
			kind = "awsElasticBlockStore"
		case s.VsphereVolume != nil:
			kind = "vsphereVolume"
		case s.Quobyte != nil:
			kind = "quobyte"
		case s.PortworxVolume != nil:
			kind = "portworxVolume"
		case s.ScaleIO != nil:
			kind = "scaleIO"
		case s.StorageOS != nil:
			kind = "storageos"
		default:
			continue
		}
		h.Add(inPod(w, "volume "+v.Name+": "+kind, "volumes", i, kind))
	}
}

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
			Tags: []string{"cis:5.6.3", "cis-docker:5.1", "pss:appArmorProfile", "attack:T1611", "kubescape:C-0055"}, Fix: "take the profile out: the runtime's own then holds",
			Why:   "the runtime's profile keeps root from mounting and from writing to /proc and /sys: without it, escapes by cgroups and core_pattern are open to whoever has SYS_ADMIN. Medium: a capability is needed besides",
			Noise: "CNI plugins and containers that mount need it", Refs: []string{"https://kubernetes.io/docs/tutorials/security/apparmor/", docsPSS}},
		Workload: appArmor,
	},
	{
		Rule: misconfig.Rule{ID: "workload/selinux-options", Severity: high, Title: "A container chooses an SELinux type or user of its own",
			Tags: []string{"cis:5.6.3", "cis-docker:5.2", "pss:seLinuxOptions", "attack:T1611"}, Fix: "take type, user and role out; container_t holds then",
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

func seccompUnconfined(h *posture.Hits, w *kube.Workload) {
	if s := w.Spec.SecurityContext; s != nil && s.SeccompProfile != nil && s.SeccompProfile.Type == corev1.SeccompProfileTypeUnconfined {
		hit := inPod(w, "seccompProfile: Unconfined for all containers", "securityContext", "seccompProfile", "type")
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
	if s := w.Spec.SecurityContext; s != nil && s.AppArmorProfile != nil && s.AppArmorProfile.Type == corev1.AppArmorProfileTypeUnconfined {
		hit := inPod(w, "appArmorProfile: Unconfined for all containers", "securityContext", "appArmorProfile")
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
