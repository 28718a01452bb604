package workload

import (
	"path"
	"strings"

	"bulwark/kube"

	corev1 "k8s.io/api/core/v1"
)

// volume is that of the pods of a name; nil when there is none.
func (p *pods) volume(volume string) *corev1.Volume {
	for i := range p.Spec.Volumes {
		if p.Spec.Volumes[i].Name == volume {
			return &p.Spec.Volumes[i]
		}
	}
	return nil
}

// hostMounts are the folders of the node that containers have: by hostPath volumes, and by
// claims whose volume is one.
func (p *pods) hostMounts() []hostMount {
	var list []hostMount
	add := func(volume, dir, pv string, readOnly bool) {
		if dir == "" {
			return
		}
		for i := range p.Containers {
			c := &p.Containers[i]
			for _, m := range c.VolumeMounts {
				if m.Name == volume {
					deep := m.RecursiveReadOnly != nil && *m.RecursiveReadOnly != corev1.RecursiveReadOnlyDisabled
					list = append(list, hostMount{c, path.Join("/", dir, m.SubPath, expanded(m.SubPathExpr, c.Env)), m.ReadOnly || readOnly, deep, m.MountPath, pv})
				}
			}
		}
	}
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		switch {
		case v.HostPath != nil:
			add(v.Name, clean(v.HostPath.Path), "", false)
		case v.PersistentVolumeClaim != nil:
			pv := p.bound(v.PersistentVolumeClaim.ClaimName)
			add(v.Name, folderOf(pv, false), nameOf(pv), v.PersistentVolumeClaim.ReadOnly)
		}
	}
	for _, t := range p.Root.Get("spec", "volumeClaimTemplates").Items() {
		volume := t.Get("metadata", "name").Text()
		pv := p.bound(volume + "-" + p.Name + "-0")
		add(volume, folderOf(pv, false), nameOf(pv), false)
	}
	return list
}

// expanded is a path with $(NAME) replaced by what the container's variables say, where they do.
func expanded(expr string, env []corev1.EnvVar) string {
	if !strings.Contains(expr, "$(") {
		return expr
	}
	for _, e := range env {
		if e.Value != "" {
			expr = strings.ReplaceAll(expr, "$("+e.Name+")", e.Value)
		}
	}
	return expr
}

// folderOf is the node's folder that a persistent volume is; local ones, which were given
// away on purpose, where they are asked for or lie where something of the system's is.
func folderOf(pv *kube.Object, local bool) string {
	if pv == nil {
		return ""
	}
	if dir := pv.Root.Get("spec", "hostPath", "path").Text(); dir != "" {
		return clean(dir)
	}
	dir := pv.Root.Get("spec", "local", "path").Text()
	if dir != "" && (local || placeOf(clean(dir)).write > elsewhere.write) {
		return clean(dir)
	}
	return ""
}

func nameOf(o *kube.Object) string {
	if o == nil {
		return ""
	}
	return o.Name
}

// bound is the persistent volume that a claim of the pods has; among manifests the one that
// it is made for: that names it, or is the only one of its class. nil when it is not known.
func (p *pods) bound(claim string) *kube.Object {
	if claim == "" {
		return nil
	}
	pvc := p.set.Find(p.Namespace + "/PersistentVolumeClaim/" + claim)
	class := ""
	if pvc != nil {
		if pv := pvc.Root.Get("spec", "volumeName").Text(); pv != "" {
			return p.set.Find("PersistentVolume/" + pv)
		}
		class = pvc.Root.Get("spec", "storageClassName").Text()
	}
	if p.set.Cluster != nil {
		return nil // it is not bound
	}
	var only *kube.Object
	for i, pv := range p.set.Kind("", "PersistentVolume") {
		ref := pv.Root.Get("spec", "claimRef")
		switch {
		case i > 200:
			return nil
		case ref.Get("name").Text() == claim && ref.Get("namespace").Text() == p.Namespace:
			return pv
		case !ref.Exists() && class != "" && pv.Root.Get("spec", "storageClassName").Text() == class:
			if only != nil {
				return nil
			}
			only = pv
		}
	}
	return only
}

// clean is a path of the node without dots and doubled slashes; of Windows without the drive;
// behind the first process, which is the node's own root, without that.
func clean(dir string) string {
	if strings.Contains(dir, `\`) || len(dir) == 2 && dir[1] == ':' {
		dir = strings.ReplaceAll(dir, `\`, "/")
		if drive, rest, ok := strings.Cut(dir, ":"); ok && len(drive) == 1 {
			dir = rest
		}
	}
	dir = path.Clean("/" + dir)
	for _, root := range []string{"/proc/1/root", "/proc/self/root", "/proc/thread-self/root"} {
		if within(dir, root) {
			return path.Clean("/" + dir[len(root):])
		}
	}
	return dir
}
