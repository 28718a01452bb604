package container

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
)

// spec is the part of a runtime's config.json that matters.
type spec struct {
	Process *struct {
		Args, Env    []string
		Capabilities *struct{ Bounding, Effective []string }
	} `json:"process"`
	Root   *struct{ Path string }
	Mounts []struct {
		Destination, Type, Source string
		Options                   []string
	}
	Annotations map[string]string
	Linux       *struct {
		CgroupsPath string
		Namespaces  []struct{ Type, Path string }
		MaskedPaths []string
		Resources   *struct {
			Devices []struct {
				Allow        bool
				Type, Access string
				Major        *int64
			}
		}
	}
}

// elsewhere tells whether the container's cgroup is surely not at that path, which has only its name in common with it.
func (s *spec) elsewhere(cgroup string) bool {
	if s.Linux == nil || s.Linux.CgroupsPath == "" || strings.Contains(s.Linux.CgroupsPath, ":") { // systemd's form
		return false
	}
	return !strings.HasSuffix(cgroup, filepath.Join("/", s.Linux.CgroupsPath))
}

// oci takes what a bundle tells of a container.
func (r *reading) oci(bundle string, s *spec) {
	c := &r.c
	if p := s.Process; p != nil {
		c.Command, c.Env = texts(p.Args), texts(p.Env)
	}
	if s.Root != nil && s.Root.Path != "" {
		r.root = s.Root.Path
		if !filepath.IsAbs(r.root) {
			r.root = filepath.Join(bundle, r.root)
		}
	}
	c.Mounts = s.mounts()
	c.Privileged = s.privileged()
	if s.Linux != nil {
		c.HostPID, c.HostNetwork, c.HostIPC = s.shares("pid"), s.shares("network"), s.shares("ipc")
		r.joined = s.joins("network")
	}
	r.containerd(s.Annotations)
	r.crio(s.Annotations)
	r.sandbox(bundle, s)
	if s.Annotations["io.container.manager"] == "libpod" {
		c.Engine = "podman"
	}
}

// shares tells that a container has no namespace of that kind.
func (s *spec) shares(kind string) bool {
	for _, n := range s.Linux.Namespaces {
		if n.Type == kind {
			return n.Path == "/proc/1/ns/"+kind
		}
	}
	return true
}

// joins tells that a container has the namespace of another process.
func (s *spec) joins(kind string) bool {
	for _, n := range s.Linux.Namespaces {
		if n.Type == kind {
			return n.Path != ""
		}
	}
	return false
}

// sandbox takes what only the bundle of a pod's sandbox tells: the pod's labels, where CRI-O wrote it, and which of the node's
// namespaces a container has by way of it: whatever the pod may have of the node, its containers join the sandbox.
func (r *reading) sandbox(bundle string, s *spec) {
	c := &r.c
	if s.Linux == nil || c.Pod == nil || !isID(c.Pod.Sandbox) || c.Pod.Sandbox == c.ID {
		return
	}
	var first spec
	dir := strings.Replace(bundle, "/"+c.ID, "/"+c.Pod.Sandbox, 1)
	if err := readJSON(filepath.Join(dir, "config.json"), &first); err != nil || first.Linux == nil {
		return // what the kernel tells of network is taken yet
	}
	if text := first.Annotations[crio+"Labels"]; text != "" {
		r.pod().Labels = podsOwn(labels(text))
	}
	c.HostPID = c.HostPID || s.joins("pid") && first.shares("pid")
	c.HostNetwork = c.HostNetwork || s.joins("network") && first.shares("network")
	c.HostIPC = c.HostIPC || s.joins("ipc") && first.shares("ipc")
}

// privileged is what engines make of that word: no path is masked, all devices are allowed, and it may do what an
// administrator may.
func (s *spec) privileged() bool {
	if s.Linux == nil || s.Process == nil || s.Process.Capabilities == nil || len(s.Linux.MaskedPaths) > 0 {
		return false
	}
	for _, name := range []string{"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_MAC_ADMIN"} {
		if !slices.Contains(s.Process.Capabilities.Bounding, name) {
			return false
		}
	}
	if s.Linux.Resources == nil {
		return true
	}
	devices := s.Linux.Resources.Devices
	return len(devices) == 0 || slices.ContainsFunc(devices, func(d struct {
		Allow        bool
		Type, Access string
		Major        *int64
	}) bool {
		return d.Allow && (d.Type == "" || d.Type == "a") && d.Access == "rwm" && d.Major == nil
	})
}

// own are files that engines themselves mount into every container.
var own = []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm", "/run/.containerenv", "/run/secrets", "/dev/termination-log"}

func (s *spec) mounts() []bulwark.Mount {
	var list []bulwark.Mount
	for _, m := range s.Mounts {
		bind := m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
		if !bind || !filepath.IsAbs(m.Source) || slices.Contains(own, m.Destination) || len(list) == maxPairs {
			continue
		}
		one := bulwark.Mount{Source: clip(m.Source), Dest: clip(m.Destination), Write: !slices.Contains(m.Options, "ro")}
		var mode []string
		for _, o := range m.Options {
			switch o {
			case "private", "rprivate", "shared", "rshared", "slave", "rslave":
				one.Propagation = o
			case "bind", "rbind":
			default:
				mode = append(mode, o)
			}
		}
		one.Mode = clip(strings.Join(mode, ","))
		list = append(list, one)
	}
	return list
}

// containerd takes the annotations that its part for Kubernetes writes.
func (r *reading) containerd(a map[string]string) {
	const at = "io.kubernetes.cri."
	if a[at+"container-type"] == "" && a[at+"sandbox-id"] == "" {
		return
	}
	c := &r.c
	c.Engine = "containerd"
	p := r.pod()
	p.Sandbox, p.Name, p.Namespace = clip(a[at+"sandbox-id"]), clip(a[at+"sandbox-name"]), clip(a[at+"sandbox-namespace"])
	p.UID = cmp.Or(clip(a[at+"sandbox-uid"]), p.UID)
	c.Name = clip(a[at+"container-name"])
	r.image(cmp.Or(a[at+"image-name"], a[at+"podsandbox.image-name"]))
}

// crio is how the names of annotations begin that CRI-O writes.
const crio = "io.kubernetes.cri-o."

// crio takes the annotations that CRI-O writes.
func (r *reading) crio(a map[string]string) {
	const at = crio
	if a[at+"ContainerType"] == "" && a[at+"SandboxID"] == "" {
		return
	}
	c := &r.c
	c.Engine = "cri-o"
	p := r.pod()
	p.Sandbox, p.Name, p.Namespace = clip(a[at+"SandboxID"]), clip(cmp.Or(a["io.kubernetes.pod.name"], a[at+"KubeName"])), clip(cmp.Or(a["io.kubernetes.pod.namespace"], a[at+"Namespace"]))
	p.UID = cmp.Or(clip(a["io.kubernetes.pod.uid"]), p.UID)
	if a[at+"ContainerType"] == "sandbox" {
		p.Sandbox = c.ID
		p.Labels = podsOwn(labels(a[at+"Labels"]))
	} else {
		c.Labels = labels(a[at+"Labels"])
	}
	p.IP = clip(cmp.Or(a[at+"IP.0"], p.IP))
	c.Name = clip(cmp.Or(a["io.kubernetes.container.name"], a[at+"Name"]))
	r.image(cmp.Or(a[at+"ImageName"], a[at+"Image"]))
	if _, digest, ok := strings.Cut(a[at+"ImageRef"], "@"); ok { // of a version that names images so
		c.Digest = clip(digest)
	} else {
		c.ImageID = cmp.Or(clip(a[at+"ImageRef"]), c.ImageID)
	}
	if made, err := time.Parse(time.RFC3339Nano, a[at+"Created"]); err == nil && c.Started == 0 {
		r.started(made)
	}
}

// pod is a copy of the pod that is known, to be changed.
func (r *reading) pod() *bulwark.PodRef {
	var p bulwark.PodRef
	if r.c.Pod != nil {
		p = *r.c.Pod
	}
	r.c.Pod = &p
	return &p
}

// image takes a reference, which may have a digest.
func (r *reading) image(ref string) {
	if ref == "" {
		return
	}
	r.c.Image = clip(ref)
	if _, digest, ok := strings.Cut(r.c.Image, "@"); ok && strings.HasPrefix(digest, "sha256:") {
		r.c.Digest = digest
	}
}

func clip(s string) string { return strings.Clone(s[:min(len(s), 4096)]) }

// texts keeps what fits.
func texts(list []string) []string {
	left := maxTexts
	for i, s := range list {
		if left -= len(s) + 1; left < 0 {
			return slices.Clone(list[:i])
		}
	}
	return list
}

func pairs(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := map[string]string{}
	left := 4 * maxTexts
	for k, v := range m {
		if left -= len(k) + len(v); left < 0 || len(out) == maxPairs {
			break
		}
		out[k] = v
	}
	return out
}
