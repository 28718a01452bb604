package workload

import (
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/found"
)

// hostMount is a path of the node in a container.
type hostMount struct {
	c        *kube.Container
	dir      string // of the node, clean, with the subPath
	readOnly bool
	deep     bool   // what is mounted below is read-only too
	at       string // where in the container
	pv       string // the persistent volume that is this folder; "" for none
	index    int    // of the container's mounts
}

// sockets are the files by which container runtimes are asked, folders the ones they lie in.
var (
	sockets = []string{"docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock", "dockershim.sock", "buildkitd.sock", "frakti.sock", "docker_engine", "containerd-containerd"}
	folders = []string{"/run", "/run/containerd", "/run/crio", "/run/podman", "/run/docker", "/run/k3s", "/run/k3s/containerd", "/run/k0s", "/run/nri", "/run/buildkit"}
)

// most is how many folders of the node a container has of which each is told apart.
const most = 64

// hostPaths relates a container by the folders of the node that it has.
func (p *pods) hostPaths(c *kube.Container, at bulwark.VertexID) {
	mounts := p.hostMounts(c)
	if len(mounts) > most {
		p.manyPaths(mounts, at)
		return
	}
	for i := range mounts {
		p.hostPath(&mounts[i], at)
	}
}

// manyPaths relates a container that has more of them than anybody mends one by one: by the
// likeliest of each kind, which all have to be taken out together.
func (p *pods) manyPaths(mounts []hostMount, at bulwark.VertexID) {
	f, to := &likeliest{by: map[string]*bulwark.Relation{}}, p.to
	p.to, p.folding = f, true
	for i := range mounts {
		p.hostPath(&mounts[i], at)
	}
	p.to, p.folding = to, false
	c := mounts[0].c
	for _, kind := range f.order {
		r := f.by[kind]
		r.Remedies = nil
		p.remedy(r, p.id+" mounts "+c.Name, "take the mounts of the node's folders out of the container "+c.Name+" of "+p.id+", but for those that it needs", nil)
		p.to.Relation(*r)
	}
}

// likeliest keeps the likeliest relation of each kind.
type likeliest struct {
	by    map[string]*bulwark.Relation
	order []string
}

func (l *likeliest) Relation(r bulwark.Relation) {
	key := r.Type + " " + string(r.To)
	known := l.by[key]
	switch {
	case known == nil:
		l.by[key] = &r
		l.order = append(l.order, key)
	case known.Likelihood > 0 && (r.Likelihood == 0 || r.Likelihood > known.Likelihood):
		*known = r
	}
}

func (*likeliest) Remedy(bulwark.Remedy) {}
func (*likeliest) Note(bulwark.Note)     {}

// hostPath relates a container by a folder of the node that it has.
func (p *pods) hostPath(m *hostMount, at bulwark.VertexID) {
	dir := m.dir
	if rest, ok := strings.CutPrefix(dir, "/var/run"); ok {
		dir = "/run" + rest // it is a link to that
	}
	is := placeOf(dir)
	mapped := no(p.Spec.HostUsers)
	root := mayBeRoot(p.Workload, m.c)
	user := 1.0
	if !root {
		user = 0.4 // most of what is worth it is root's
	}
	switch {
	case slices.Contains(sockets, path.Base(dir)):
		p.byMount(m, at, "EXPLOIT_CONTAINERD_SOCK", user, "starts a container of its own by the runtime's socket "+m.dir)
		return // there is nothing else in a socket
	case slices.Contains(folders, dir):
		p.byMount(m, at, "EXPLOIT_CONTAINERD_SOCK", 0.8*user, "starts a container of its own by the runtime's socket in "+m.dir)
	}
	if core := within("/proc/sys/kernel/core_pattern", dir); core && root && !mapped && (!m.readOnly || dir == "/" && !m.deep) {
		p.byMount(m, at, "CE_UMH_CORE_PATTERN", 0.9, "sets the kernel's core_pattern by "+m.dir+", by which it runs a program on the node")
	}
	if write := is.write * user; !m.readOnly && write > 0 && !(mapped && is.kernel) {
		p.byMount(m, at, "EXPLOIT_HOST_WRITE", write, writes(dir, m.dir, is.text))
	}
	if read := is.read * user; m.readOnly && read > 0 {
		p.byMount(m, at, "EXPLOIT_HOST_READ", read, "reads "+m.dir+" of the node: "+is.text)
	}
	if within(dir, "/var/lib/kubelet/pods") || within("/var/lib/kubelet/pods", dir) {
		r := p.mounted(m, bulwark.Relation{From: at, To: p.held(), Type: "EXPLOIT_HOST_TRAVERSE", Likelihood: user, Text: "reads the tokens and Secrets of the node's pods in " + m.dir})
		p.to.Relation(r)
	}
	p.varLog(m, dir, at)
	p.folder(m, is, at)
}

func writes(dir, written, text string) string {
	if within("/etc/kubernetes/manifests", dir) && dir != "/" && dir != "/etc" {
		return "has the kubelet run a pod of its own by a manifest in " + written
	}
	return "writes " + written + " of the node: " + text
}

// varLog: the kubelet shows the file that a link in its logs leads to, to whoever may read logs.
func (p *pods) varLog(m *hostMount, dir string, at bulwark.VertexID) {
	if m.readOnly || !within("/var/log/pods", dir) && !within(dir, "/var/log/pods") || !p.automounts() {
		return
	}
	who := rbac.Account(p.Namespace, p.ServiceAccount()).Identity()
	rights := rbac.Of(p.set)
	_, ok := rights.Can(who, rbac.Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: p.Namespace})
	if !ok {
		_, ok = rights.Can(who, rbac.Request{Verb: "get", Resource: "nodes", Subresource: "log"})
	}
	if !ok {
		return
	}
	r := p.mounted(m, bulwark.Relation{From: at, To: p.node(), Type: "CE_VAR_LOG_SYMLINK", Likelihood: 0.8, Text: "reads any file of the node by a link in " + m.dir + ", as the log of a pod that its account may read"})
	p.known.Because(&r, p.id, "rbac/log-read")
	p.to.Relation(r)
}

func (p *pods) byMount(m *hostMount, at bulwark.VertexID, edge string, likelihood float64, text string) {
	p.to.Relation(p.mounted(m, bulwark.Relation{From: at, To: p.node(), Type: edge, Likelihood: likelihood, Text: text}))
}

// mounted gives a relation what takes the mount away.
func (p *pods) mounted(m *hostMount, r bulwark.Relation) bulwark.Relation {
	if p.lines == nil {
		p.lines = append(make([]found.Line, 0, 1), p.known.Lines(p.id, "workload/", ": hostPath ")...)
	}
	begins, has := "container "+m.c.Name+": hostPath ", " at "+m.at+" ("
	if i := slices.IndexFunc(p.lines, func(l found.Line) bool { return strings.HasPrefix(l.Text, begins) && strings.Contains(l.Text, has) }); i >= 0 {
		found.Add(&r, p.lines[i].Of)
	}
	if m.pv != "" {
		p.known.Because(&r, "PersistentVolume/"+m.pv, "exposure/volume-on-host")
	}
	if len(r.Remedies) == 0 {
		p.at(&r, "volumes")
		if p.folding {
			return r // they are mended together
		}
		p.remedy(&r, p.id+" mount "+m.c.Name+" "+m.at, "take the mount of "+m.dir+" of the node out of the container "+m.c.Name+" of "+p.id,
			p.Object, kube.Drop(p.ContainerPath(m.c, "volumeMounts", m.index)...))
	}
	return r
}

// within tells whether p is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}
