package workload

import (
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"

	corev1 "k8s.io/api/core/v1"
)

// escape is a way from a container to its node.
type escape struct {
	edge       string // KubeHound's name, IceKube's, or our own
	likelihood float64
	text       string
	rules      []string // whose findings say so
	holds      func(*pods, *kube.Container) bool
}

// escapes are all ways of settings alone. Those of volumes are in mount.go.
var escapes = []escape{
	{"CE_PRIV_MOUNT", 1, "mounts the node's disk", []string{"workload/privileged"}, func(_ *pods, c *kube.Container) bool { return privileged(c) }},
	{"CE_MODULE_LOAD", 0.95, "loads a kernel module", []string{"workload/cap-sys-module", "workload/cap-all"}, func(_ *pods, c *kube.Container) bool { return has(c, "SYS_MODULE") }},
	{"CE_NSENTER", 1, "enters the namespaces of process 1 of the node", []string{"workload/privileged", "workload/host-pid"}, func(p *pods, c *kube.Container) bool { return privileged(c) && p.Spec.HostPID }},
	{"CE_SYS_PTRACE", 0.9, "takes over a process of the node by ptrace", []string{"workload/cap-sys-ptrace", "workload/host-pid", "workload/cap-all"}, func(p *pods, c *kube.Container) bool {
		return p.Spec.HostPID && has(c, "SYS_PTRACE") && has(c, "SYS_ADMIN")
	}},
	{"CE_CGROUP_RELEASE", 0.9, "has the kernel start a program of its own on the node (cgroup release_agent)", []string{"workload/cap-sys-admin", "workload/cap-all"}, func(_ *pods, c *kube.Container) bool { return has(c, "SYS_ADMIN") }},
	{"CE_DAC_READ_SEARCH", 0.8, "reads the node's files by handle", []string{"workload/cap-dac-read-search", "workload/cap-all"}, func(_ *pods, c *kube.Container) bool { return has(c, "DAC_READ_SEARCH") }},
	{"CE_RAW_DISK", 0.7, "writes the node's memory or disk directly", []string{"workload/cap-sys-rawio", "workload/cap-all"}, func(_ *pods, c *kube.Container) bool { return has(c, "SYS_RAWIO") }},
}

func (p *pods) escapes(c *kube.Container, at bulwark.VertexID, nodes []bulwark.VertexID) {
	if p.Windows() {
		return
	}
	if p.Spec.HostUsers != nil && !*p.Spec.HostUsers {
		return // root of the container is nobody on the node
	}
	for _, e := range escapes {
		if e.holds(p, c) {
			p.toNodes(at, nodes, e.edge, e.likelihood, e.text, e.rules...)
		}
	}
	for _, m := range c.VolumeMounts {
		if v := p.volume(m.Name); v != nil && v.HostPath != nil {
			p.hostPath(v.HostPath.Path, m.ReadOnly, at, nodes)
		}
	}
}

func (p *pods) toNodes(at bulwark.VertexID, nodes []bulwark.VertexID, edge string, likelihood float64, text string, rules ...string) {
	for _, n := range nodes {
		r := bulwark.Relation{From: at, To: n, Type: edge, Likelihood: likelihood, Text: text}
		p.known.Because(&r, p.ID(), rules...)
		p.to.Relation(r)
	}
}

// sockets are those of container runtimes.
var sockets = []string{"docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock", "dockershim.sock", "buildkitd.sock"}

// writable are the folders of a node that may be written without taking it.
var writable = []string{"/dev/shm", "/tmp", "/var/tmp", "/var/lib/docker/volumes", "/mnt", "/media", "/opt/data"}

// hostPath relates a container by a folder of the node that it sees.
func (p *pods) hostPath(dir string, readOnly bool, at bulwark.VertexID, nodes []bulwark.VertexID) {
	dir = path.Clean(dir)
	rules := []string{"workload/hostpath-root", "workload/runtime-socket", "workload/hostpath-writable", "workload/hostpath-kubelet", "workload/hostpath-etc", "workload/hostpath-control-plane", "workload/hostpath-dev", "workload/hostpath-cgroup", "workload/hostpath-boot", "workload/hostpath-cron", "workload/hostpath-cni"}
	within := func(root string) bool {
		return dir == "/" || dir == root || strings.HasPrefix(dir, root+"/") || strings.HasPrefix(root, dir+"/")
	}
	switch {
	case slices.Contains(sockets, path.Base(dir)) || within("/run/containerd") && dir != "/":
		p.toNodes(at, nodes, "EXPLOIT_CONTAINERD_SOCK", 1, "starts a container of its own by the runtime's socket "+dir, rules...)
	case within("/proc") && dir != "/" && !readOnly:
		p.toNodes(at, nodes, "CE_UMH_CORE_PATTERN", 0.9, "sets the node's core_pattern by "+dir, rules...)
	case !readOnly && !slices.ContainsFunc(writable, func(w string) bool { return dir == w || strings.HasPrefix(dir, w+"/") }):
		p.toNodes(at, nodes, "EXPLOIT_HOST_WRITE", 0.95, "writes "+dir+" of the node", rules...)
	case readOnly && (dir == "/" || within("/etc/kubernetes") || within("/root") || within("/home") || within("/var/lib/kubelet") || within("/etc/shadow")):
		p.toNodes(at, nodes, "EXPLOIT_HOST_READ", 0.8, "reads "+dir+" of the node", rules...)
	}
	if within("/var/lib/kubelet/pods") {
		p.toNodes(at, nodes, "EXPLOIT_HOST_TRAVERSE", 0.95, "reads the tokens of other pods in "+dir, rules...)
	}
}

func (p *pods) volume(volume string) *corev1.Volume {
	for i := range p.Spec.Volumes {
		if p.Spec.Volumes[i].Name == volume {
			return &p.Spec.Volumes[i]
		}
	}
	return nil
}

func privileged(c *kube.Container) bool {
	return c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
}

// has tells whether a container is given a capability, by its name or all of them. What a
// privileged one has is a relation of its own, since taking the capability out removes nothing.
func has(c *kube.Container, capability corev1.Capability) bool {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return false
	}
	return slices.ContainsFunc(c.SecurityContext.Capabilities.Add, func(added corev1.Capability) bool {
		one := strings.TrimPrefix(strings.ToUpper(string(added)), "CAP_")
		return one == string(capability) || one == "ALL"
	})
}
