package workload

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/kube"
)

// hostMount is a path of the node in a container.
type hostMount struct {
	c        *kube.Container
	at       int    // its position among the container's mounts
	host     string // the node's path, clean, with the subPath
	readOnly bool
	mounted  string // where in the container
	via      string // how it comes there when not by a hostPath of the pods
	place    int    // what it means, as placeOf tells
	written  string // the node's path as it was written, where that is another
}

// text is the mount as evidence.
func (m *hostMount) text() string {
	mode := "writable"
	if m.readOnly {
		mode = "read-only"
	}
	if m.written != "" {
		return "hostPath " + m.written + m.via + " at " + m.mounted + " (" + mode + ")" + m.known()
	}
	return "hostPath " + m.host + m.via + " at " + m.mounted + " (" + mode + ")"
}

// known says what a path behind a process is.
func (m *hostMount) known() string {
	if strings.HasPrefix(m.written, "/proc/") {
		return ", which is the node's " + m.host
	}
	return ""
}

// mountsOf gives the paths of the node that containers have: hostPath volumes, and claims
// whose volume is one.
func mountsOf(s *kube.Set, w *kube.Workload) []hostMount {
	var list []hostMount
	add := func(volume, host, via, written string, readOnly bool) {
		if host == "" {
			return
		}
		for c := range each(w) {
			for at, m := range c.VolumeMounts {
				if m.Name == volume {
					p := path.Join("/", host, m.SubPath)
					list = append(list, hostMount{c, at, p, m.ReadOnly || readOnly, m.MountPath, via, placeOf(p), written})
				}
			}
		}
	}
	for i := range w.Spec.Volumes {
		v := &w.Spec.Volumes[i]
		host, via, readOnly := hostOf(s, w, v)
		add(v.Name, host, via, elsewise(v), readOnly)
	}
	for _, t := range w.Root.Get("spec", "volumeClaimTemplates").Items() {
		name := t.Get("metadata", "name").Text()
		add(name, folderOf(mayBind(s, w.Namespace, name+"-"+w.Name+"-0", t)), " (by the claims "+name+")", "", false)
	}
	return list
}

// folderOf is the node's folder that a persistent volume is. One of type local is a disk that
// was given away on purpose, unless it lies where something of the system's is.
func folderOf(pv *kube.Node) string {
	if p := pv.Get("spec", "hostPath", "path").Text(); p != "" {
		return clean(p)
	}
	if p := pv.Get("spec", "local", "path").Text(); p != "" && placeOf(clean(p)) >= 0 {
		return clean(p)
	}
	return ""
}

// hostOf is the path of the node that a volume is.
func hostOf(s *kube.Set, w *kube.Workload, v *corev1.Volume) (host, via string, readOnly bool) {
	if v.HostPath != nil {
		return clean(v.HostPath.Path), "", false
	}
	if v.PersistentVolumeClaim == nil {
		return "", "", false
	}
	pv := boundTo(s, w.Namespace, v.PersistentVolumeClaim.ClaimName)
	if host = folderOf(pv); host == "" {
		return "", "", false
	}
	return host, " (by the claim " + v.PersistentVolumeClaim.ClaimName + ")", v.PersistentVolumeClaim.ReadOnly
}

// elsewise is the path of a hostPath as it was written, where people would not know it again
// by what it means: of Windows, or behind a process.
func elsewise(v *corev1.Volume) string {
	if v.HostPath == nil || path.Clean("/"+v.HostPath.Path) == clean(v.HostPath.Path) {
		return ""
	}
	return v.HostPath.Path
}

// clean is a path of the node without dots and doubled slashes; of Windows without the drive.
func clean(p string) string {
	if strings.Contains(p, `\`) || len(p) == 2 && p[1] == ':' {
		p = strings.ReplaceAll(p, `\`, "/")
		if drive, rest, ok := strings.Cut(p, ":"); ok && len(drive) == 1 {
			p = rest
		}
	}
	p = path.Clean("/" + p)
	for _, root := range []string{"/proc/1/root", "/proc/self/root", "/proc/thread-self/root"} {
		if within(p, root) { // which is the node's own root folder
			return path.Clean("/" + p[len(root):])
		}
	}
	return p
}

// boundTo is the persistent volume that a claim names or has; nil when it is not known.
func boundTo(s *kube.Set, namespace, claim string) *kube.Node {
	if s == nil || claim == "" {
		return nil
	}
	pvc := s.Find(namespace + "/PersistentVolumeClaim/" + claim)
	if pvc == nil {
		return nil
	}
	if name := pvc.Root.Get("spec", "volumeName").Text(); name != "" {
		if pv := s.Find("PersistentVolume/" + name); pv != nil {
			return pv.Root
		}
		return nil
	}
	if s.Cluster != nil {
		return nil // it is not bound
	}
	return mayBind(s, namespace, claim, pvc.Root)
}

// mayBind is the volume of a manifest that a claim without a volume is made for: one that
// names it, else the only one of its class.
func mayBind(s *kube.Set, namespace, name string, claim *kube.Node) *kube.Node {
	if s == nil || s.Cluster != nil {
		return nil
	}
	var found *kube.Node
	class := claim.Get("spec", "storageClassName").Text()
	for i, pv := range s.Kind("", "PersistentVolume") {
		ref := pv.Root.Get("spec", "claimRef")
		switch {
		case i > 200:
			return nil
		case ref.Get("name").Text() == name && ref.Get("namespace").Text() == namespace:
			return pv.Root
		case !ref.Exists() && class != "" && pv.Root.Get("spec", "storageClassName").Text() == class:
			if found != nil {
				return nil
			}
			found = pv.Root
		}
	}
	return found
}

// within tells whether p is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || dir == "/" || len(p) > len(dir) && p[len(dir)] == '/' && strings.HasPrefix(p, dir)
}
