package workload

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// hostRules are about what is shared with the node as a whole.
var hostRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/privileged", Severity: critical, Title: "A container is privileged",
			Tags:  []string{"cis:5.2.2", "cis-docker:5.5", "pss:privileged", "attack:T1611", "edge:CE_PRIV_MOUNT", "edge:CE_MODULE_LOAD", "kubelinter:privileged-container", "kubescape:C-0057"},
			Fix:   "take privileged out, and add the one capability or device that is needed",
			Why:   "it has every capability and every device of the node: root in it mounts the node's disk or loads a kernel module, without any flaw. High; critical together with hostPID or the node's root folder, where one command is enough",
			Noise: "CNI plugins, CSI drivers and node agents of the system need it, and are worth an exception with an owner",
			Refs:  []string{docsPSS, attackEscape}},
		Workload: privilegedContainers,
	},
	{
		Rule: misconfig.Rule{ID: "workload/host-pid", Severity: high, Title: "Pods see all processes of the node",
			Tags:  []string{"cis:5.2.3", "cis-docker:5.16", "pss:hostNamespaces", "attack:T1611", "attack:T1057", "kubelinter:host-pid", "kubescape:C-0038"},
			Fix:   "take hostPID out; to see the processes of the pod's other containers, shareProcessNamespace is enough",
			Why:   "root in it reads the environment, with passwords and tokens, and the files (/proc/PID/root) of processes in other containers, and may kill any process of the node; with SYS_PTRACE or privileged it takes the node over",
			Noise: "node exporters and security agents look at all processes on purpose",
			Refs:  []string{docsPSS, attackEscape}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Spec.HostPID {
				hit := inPod(w, "hostPID: true", "hostPID")
				hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
				danger(h, w, hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/host-ipc", Severity: medium, Title: "Pods share the node's shared memory and semaphores",
			Tags:  []string{"cis:5.2.4", "cis-docker:5.17", "pss:hostNamespaces", "attack:T1611", "kubelinter:host-ipc", "kubescape:C-0038"},
			Fix:   "take hostIPC out; containers of one pod share memory without it",
			Why:   "it reads and changes what processes of the node, and other pods that do the same, keep in shared memory (/dev/shm, System V): data of databases and sessions. Medium: what can be had depends on what runs there",
			Noise: "programs on several graphics cards of one node share memory this way",
			Refs:  []string{docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Spec.HostIPC {
				hit := inPod(w, "hostIPC: true", "hostIPC")
				hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
				danger(h, w, hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/host-network", Severity: high, Title: "Pods use the network of the node",
			Tags:  []string{"cis:5.2.5", "cis-docker:5.10", "pss:hostNamespaces", "attack:T1040", "attack:T1552.005", "kubelinter:host-network", "kubescape:C-0041"},
			Fix:   "take hostNetwork out, and publish ports by a Service",
			Why:   "no NetworkPolicy holds for it; it reaches what listens on the node's loopback (kubelet, etcd, agents), the cloud's metadata service with the node's credentials, and with NET_RAW it reads the node's traffic",
			Noise: "CNI plugins, kube-proxy, node exporters and some ingress controllers need the node's network",
			Refs:  []string{docsPSS, "https://attack.mitre.org/techniques/T1552/005/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Spec.HostNetwork {
				hit := inPod(w, "hostNetwork: true: the node's loopback and metadata service are within reach", "hostNetwork")
				if !w.Windows() { // whose host processes cannot be without it
					hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
				}
				danger(h, w, hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/host-port", Severity: low, Title: "A port is opened on the node itself",
			Tags:  []string{"cis:5.2.12", "pss:hostPorts", "kubescape:C-0044"},
			Fix:   "take hostPort out, and publish the port by a Service",
			Why:   "the port is open on every address of the node, past Services and often past NetworkPolicies. Low: it opens one port of one container",
			Noise: "ingress controllers and node agents listen on the node on purpose",
			Refs:  []string{docsPSS, "https://kubernetes.io/docs/concepts/configuration/overview/"}},
		Workload: hostPorts,
	},
	{
		Rule: misconfig.Rule{ID: "workload/share-process-namespace", Severity: low, Title: "The containers of a pod see each other's processes",
			Tags:  []string{"attack:T1057", "edge:SHARE_PS_NAMESPACE"},
			Fix:   "take shareProcessNamespace out",
			Why:   "a container that is broken into reads the environment and files of its neighbours and sends them signals. Low: it stays in the pod; medium where a neighbour has privileges that it gives away",
			Noise: "sidecars that reload the main process need it",
			Refs:  []string{"https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"}},
		Workload: shareProcesses,
	},
	{
		Rule: misconfig.Rule{ID: "workload/host-probe", Severity: low, Title: "A probe or hook sends the kubelet to another host",
			Tags:  []string{"pss:hostProbesAndHostLifecycle", "attack:T1018"},
			Fix:   "take host out: without it the pod itself is asked",
			Why:   "the kubelet asks that address from the node's network, where loopback and the metadata service are: whoever writes pods asks with the kubelet's hands. Low: the answer is not handed on, only whether it is good",
			Noise: "pods on the node's network name 127.0.0.1, where they listen",
			Refs:  []string{docsPSS}},
		Workload: hostProbes,
	},
	{
		Rule: misconfig.Rule{ID: "workload/windows-host-process", Severity: high, Title: "A Windows container runs as a process of the node",
			Tags:  []string{"cis:5.2.10", "pss:windowsHostProcess", "attack:T1611"},
			Fix:   "take hostProcess out",
			Why:   "it has the node's file system, network and, as a rule, the rights of the system account: there is no container around it",
			Noise: "CNI plugins, CSI drivers and kube-proxy for Windows run so",
			Refs:  []string{docsPSS, "https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/"}},
		Workload: hostProcess,
	},
}

func privilegedContainers(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		if !privileged(c) {
			continue
		}
		hit := at(w, c, "privileged: true", "securityContext", "privileged")
		hit.Severity = high
		if !propagates(c) && !needsRights(c) { // which Kubernetes refuses to any other, or the kernel does
			hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
		}
		if w.Spec.HostPID {
			hit.Severity, hit.Tags = critical, []string{"edge:CE_NSENTER"}
			hit.Evidence += "; with hostPID, nsenter into process 1 is a root shell on the node"
		} else if mountsRoot(h.Set, w, c) {
			hit.Severity = critical
			hit.Evidence += "; with the node's root folder, chroot into it is a root shell on the node"
		}
		danger(h, w, hit)
	}
}

// needsRights tells whether a container's command is one that the kernel lets only the node's
// root do: without its rights it would fail at once.
func needsRights(c *kube.Container) bool {
	text := joined(c.Command, c.Args)
	for _, word := range []string{"sysctl", "mount ", "modprobe", "insmod", "iptables", "nsenter", "dockerd", "chroot", "losetup", "mkfs"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// propagates tells whether what a container mounts appears on the node.
func propagates(c *kube.Container) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional
	})
}

// mountsRoot tells whether a container has the root folder of the node.
func mountsRoot(s *kube.Set, w *kube.Workload, c *kube.Container) bool {
	for _, m := range hostMounts(s, w) {
		if m.c == c && m.host == "/" {
			return true
		}
	}
	return false
}

func hostPorts(h *posture.Hits, w *kube.Workload) {
	if w.Spec.HostNetwork {
		return // every port is one of the node's, and told of as such
	}
	for c := range each(w) {
		for i, p := range c.Ports {
			if p.HostPort != 0 {
				hit := at(w, c, "hostPort: "+strconv.Itoa(int(p.HostPort)), "ports", i, "hostPort")
				hit.Edits = []kube.Edit{kube.Drop(w.ContainerPath(c, "ports", i, "hostPort")...)}
				danger(h, w, hit)
			}
		}
	}
}

func shareProcesses(h *posture.Hits, w *kube.Workload) {
	if !yes(w.Spec.ShareProcessNamespace) || len(w.Spec.Containers) < 2 {
		return
	}
	hit := inPod(w, "shareProcessNamespace: true", "shareProcessNamespace")
	for c := range each(w) {
		if privileged(c) || adds(c, "SYS_PTRACE") >= 0 || adds(c, "SYS_ADMIN") >= 0 {
			hit.Severity = medium
			hit.Evidence += "; container " + c.Name + " has privileges that its neighbours come to through its processes"
			break
		}
	}
	hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
	h.Add(hit)
}

func hostProbes(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		look := func(a corev1.ProbeHandler, path ...any) {
			if a.HTTPGet != nil && a.HTTPGet.Host != "" {
				probeHit(h, w, c, a.HTTPGet.Host, slices.Concat(path, []any{"httpGet", "host"}))
			}
			if a.TCPSocket != nil && a.TCPSocket.Host != "" {
				probeHit(h, w, c, a.TCPSocket.Host, slices.Concat(path, []any{"tcpSocket", "host"}))
			}
		}
		probes := []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe}
		for i, name := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
			if probes[i] != nil {
				look(probes[i].ProbeHandler, name)
			}
		}
		if c.Lifecycle == nil {
			continue
		}
		hooks := []*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop}
		for i, name := range []string{"postStart", "preStop"} {
			if hooks[i] != nil {
				look(corev1.ProbeHandler{HTTPGet: hooks[i].HTTPGet, TCPSocket: hooks[i].TCPSocket}, "lifecycle", name)
			}
		}
	}
}

func probeHit(h *posture.Hits, w *kube.Workload, c *kube.Container, host string, path []any) {
	hit := at(w, c, kube.PathText(path...)+": "+host, path...)
	hit.Edits = []kube.Edit{kube.Drop(w.ContainerPath(c, path...)...)}
	if w.Spec.HostNetwork && (host == "127.0.0.1" || host == "localhost" || host == "::1") {
		hit.Edits = nil // it may listen there alone
	}
	danger(h, w, hit)
}

func hostProcess(h *posture.Hits, w *kube.Workload) {
	if s := w.Spec.SecurityContext; s != nil && s.WindowsOptions != nil && yes(s.WindowsOptions.HostProcess) {
		hit := inPod(w, "windowsOptions.hostProcess: true", "securityContext", "windowsOptions", "hostProcess")
		hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
		danger(h, w, hit)
	}
	for c := range each(w) {
		if s := c.SecurityContext; s != nil && s.WindowsOptions != nil && yes(s.WindowsOptions.HostProcess) {
			hit := at(w, c, "windowsOptions.hostProcess: true", "securityContext", "windowsOptions", "hostProcess")
			hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
			danger(h, w, hit)
		}
	}
}
