package container

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tasks are the folders in which containerd keeps a folder for each task, by namespace.
var tasks = []string{
	"/run/containerd", "/run/docker/containerd/daemon", "/run/k3s/containerd", "/run/k0s/containerd", "/var/snap/microk8s/common/run/containerd",
}

// roots are the folders in which runtimes keep a folder for each container.
var roots = []struct{ path, engine string }{
	{"/run/runc", "runc"}, {"/run/crun", "crun"}, {"/run/youki", "youki"},
}

// files reads all that lies in files.
func (r *reading) files() {
	for _, find := range []func() string{r.bundled, r.task, r.stored, r.state, r.shim} {
		b := find()
		if b == "" {
			continue
		}
		if r.ofTask(b); r.config(b) {
			break
		}
	}
	r.docker()
	r.storage()
	if !r.it.found && r.it.id == "" {
		return
	}
	r.proc()
	r.f.kubelet(r)
}

// bundled is the bundle that whoever made the container named.
func (r *reading) bundled() string {
	if r.it.bundle == "" {
		return ""
	}
	return r.f.at(r.it.bundle)
}

// name is what states know the container by.
func (r *reading) name() string {
	if r.it.id != "" {
		return r.it.id
	}
	return r.it.maybe
}

// task is a folder of containerd.
func (r *reading) task() string {
	for _, base := range tasks {
		dir := r.f.at(base, taskFolder)
		for _, ns := range folders(dir) {
			if b := filepath.Join(dir, ns, r.name()); isName(ns) && exists(filepath.Join(b, "config.json")) {
				r.it.found = true
				return b
			}
		}
	}
	return ""
}

const taskFolder = "io.containerd.runtime.v2.task"

// ofTask takes containerd's namespace, and its socket, from where a bundle is, whoever told of it.
func (r *reading) ofTask(bundle string) {
	base, rest, ok := strings.Cut(bundle, "/"+taskFolder+"/")
	ns, _, _ := strings.Cut(rest, "/")
	if !ok || !isName(ns) {
		return
	}
	r.inNamespace(ns)
	if rel, err := filepath.Rel(r.f.o.Root, base); err == nil && exists(filepath.Join(base, "containerd.sock")) {
		r.it.address = filepath.Join("/", rel, "containerd.sock")
	}
}

// inNamespace takes containerd's, of which Docker has one.
func (r *reading) inNamespace(ns string) {
	if ns == "moby" {
		r.engine("docker")
		return
	}
	r.engine("containerd")
	r.it.namespace = ns
}

// engine says whose it is, where the path of the cgroup did not.
func (r *reading) engine(name string) {
	if r.c.Engine == "" || r.runtime() {
		r.c.Engine = name
	}
}

// runtime tells that no engine is known to be above the runtime.
func (r *reading) runtime() bool {
	return slices.ContainsFunc(roots, func(one struct{ path, engine string }) bool { return one.engine == r.c.Engine })
}

// stored is a folder of Podman or CRI-O.
func (r *reading) stored() string {
	for _, base := range []string{"/run/containers/storage", "/var/lib/containers/storage"} {
		for _, driver := range folders(r.f.at(base)) {
			if b := r.f.at(base, driver, r.name(), "userdata"); strings.HasSuffix(driver, "-containers") && exists(filepath.Join(b, "config.json")) {
				r.it.found = true
				return b
			}
		}
	}
	return ""
}

// state is a runtime's own.
func (r *reading) state() string {
	for _, root := range roots {
		dir := r.f.at(root.path, r.name())
		if !exists(dir) {
			continue
		}
		r.it.found = true
		r.engine(root.engine)
		r.it.plain = r.c.Engine == root.engine
		var s struct {
			Pid     int    `json:"pid"` // of crun's
			Bundle  string // of crun's
			First   int    `json:"init_process_pid"`
			Created time.Time
			Config  struct{ Labels []string }
		}
		file := filepath.Join(dir, "state.json")
		if root.engine == "crun" {
			file = filepath.Join(dir, "status")
		}
		err := readJSON(file, &s)
		if errors.Is(err, fs.ErrNotExist) {
			return "" // it is about to be written
		}
		if err != nil {
			r.fail(root.engine+"'s state", err)
			return ""
		}
		r.started(s.Created)
		if pid := max(s.First, s.Pid); pid > 0 {
			r.c.PID = pid
		}
		for _, l := range s.Config.Labels {
			if b, ok := strings.CutPrefix(l, "bundle="); ok && filepath.IsAbs(b) {
				s.Bundle = b
			}
		}
		if filepath.IsAbs(s.Bundle) {
			return r.f.at(s.Bundle)
		}
	}
	return ""
}

func (r *reading) started(t time.Time) {
	if t.Unix() > 0 {
		r.c.Started = t.UnixNano()
	}
}

// config reads a bundle.
func (r *reading) config(bundle string) bool {
	var s spec
	if err := readJSON(filepath.Join(bundle, "config.json"), &s); err != nil {
		r.fail("config.json", err)
		return false
	}
	if r.it.id == "" && s.elsewhere(r.it.path) {
		r.it.found = false
		return false
	}
	r.it.found, r.bundle = true, bundle
	r.oci(bundle, &s)
	if r.c.Engine == "containerd" && r.c.Started == 0 { // it writes the bundle anew for each start, and tells of none
		if st, err := os.Lstat(filepath.Join(bundle, "config.json")); err == nil {
			r.started(st.ModTime())
		}
	}
	r.dockerHome(&s)
	if pid := number(filepath.Join(bundle, "init.pid")); pid > 0 { // containerd's
		r.c.PID = pid
	}
	if !r.runtime() {
		r.it.plain = false
	}
	return true
}

// created reads the command line of a runtime that makes a container: its name, and its bundle.
func created(args []string) (name, bundle string) {
	verb := slices.IndexFunc(args, func(a string) bool { return a == "create" || a == "run" })
	if verb < 0 || verb == len(args)-1 {
		return "", ""
	}
	for i, a := range args[verb:] {
		switch key, value, ok := strings.Cut(a, "="); {
		case (key == "--bundle" || key == "-b" || key == "-bundle") && ok:
			bundle = value
		case (key == "--bundle" || key == "-b" || key == "-bundle") && verb+i+1 < len(args):
			bundle = args[verb+i+1]
		}
	}
	name = args[len(args)-1]
	if !isName(name) {
		return "", ""
	}
	if !filepath.IsAbs(bundle) {
		bundle = ""
	}
	return name, bundle
}
