package workload

import (
	"path"
	"strings"

	"bulwark/kube"

	corev1 "k8s.io/api/core/v1"
)

// volume is that of the pods of a name; nil when there is none.
func (p *pods) volume(volume string) *corev1.Volume {
	if p.named == nil {
		p.named = make(map[string]*corev1.Volume, len(p.Spec.Volumes))
		for i := range p.Spec.Volumes {
			if v := &p.Spec.Volumes[i]; p.named[v.Name] == nil {
				p.named[v.Name] = v
			}
		}
	}
	return p.named[volume]
}

// source is the folder of the node that a volume is.
type source struct {
	dir      string // "": none
	pv       string // the persistent volume that is it; "" for none
	readOnly bool
}

// hostMounts are the folders of the node that a container has: by hostPath volumes, and by
// claims whose volume is one. There are none without a volume of such a kind.
func (p *pods) hostMounts(c *kube.Container) []hostMount {
	if p.sources == nil {
		p.sources = p.hostVolumes()
	}
	var list []hostMount
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		v, ok := p.sources[m.Name]
		if !ok {
			continue
		}
		deep := m.RecursiveReadOnly != nil && *m.RecursiveReadOnly != corev1.RecursiveReadOnlyDisabled
		list = append(list, hostMount{c, path.Join("/", v.dir, m.SubPath, expanded(m.SubPathExpr, c.Env)), m.ReadOnly || v.readOnly, deep, m.MountPath, v.pv, i})
	}
	return list
}

// hostVolumes are the volumes that are folders of the node.
func (p *pods) hostVolumes() map[string]source {
	known := map[string]source{}
	add := func(volume, dir, pv string, readOnly bool) {
		if dir != "" {
			known[volume] = source{dir, pv, readOnly}
		}
	}
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		switch {
		case v.HostPath != nil:
			add(v.Name, clean(v.HostPath.Path), "", false)
		case v.PersistentVolumeClaim != nil:
			pv := p.bound(p.Namespace, v.PersistentVolumeClaim.ClaimName)
			add(v.Name, folderOf(pv, false), nameOf(pv), v.PersistentVolumeClaim.ReadOnly)
		}
	}
	for _, t := range p.Root.Get("spec", "volumeClaimTemplates").Items() {
		volume := t.Get("metadata", "name").Text()
		pv := p.bound(p.Namespace, volume+"-"+p.Name+"-0")
		add(volume, folderOf(pv, false), nameOf(pv), false)
	}
	return known
}

// longest is how long a path of a file can be.
const longest = 4096

// expanded is a path with $(NAME) replaced by what the container's variables say, where they do.
func expanded(expr string, env []corev1.EnvVar) string {
	if !strings.Contains(expr, "$(") {
		return expr
	}
	for _, e := range env {
		if e.Value != "" && len(expr) < longest && len(e.Value) < longest {
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

// claims tells which persistent volume a claim among manifests may have: the one that names
// it, or the only one of its class.
type claims struct {
	by    map[string]*kube.Object // by namespace and name of the claim
	only  map[string]*kube.Object // by class, of those that name none
	twice map[string]bool         // classes that have several
}

func claimsOf(s *kube.Set) *claims {
	c := &claims{map[string]*kube.Object{}, map[string]*kube.Object{}, map[string]bool{}}
	for _, pv := range s.Kind("", "PersistentVolume") {
		ref, class := pv.Root.Get("spec", "claimRef"), pv.Root.Get("spec", "storageClassName").Text()
		switch {
		case ref.Exists():
			c.by[ref.Get("namespace").Text()+"/"+ref.Get("name").Text()] = pv
		case class != "" && c.only[class] != nil:
			c.twice[class] = true
		case class != "":
			c.only[class] = pv
		}
	}
	return c
}

// bound is the persistent volume that a claim has; nil when it is not known.
func (w *world) bound(namespace, claim string) *kube.Object {
	if claim == "" {
		return nil
	}
	class := ""
	if pvc := w.set.Find(namespace + "/PersistentVolumeClaim/" + claim); pvc != nil {
		if pv := pvc.Root.Get("spec", "volumeName").Text(); pv != "" {
			return w.set.Find("PersistentVolume/" + pv)
		}
		class = pvc.Root.Get("spec", "storageClassName").Text()
	}
	if w.set.Cluster != nil {
		return nil // it is not bound
	}
	if w.claims == nil {
		w.claims = claimsOf(w.set)
	}
	if pv := w.claims.by[namespace+"/"+claim]; pv != nil {
		return pv
	}
	if w.claims.twice[class] {
		return nil
	}
	return w.claims.only[class]
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
