package container

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
)

type object = map[string]any

// node is a fake one.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	tr := tree{t, t.TempDir()}
	tr.write("/sys/fs/cgroup/cgroup.controllers", "")
	return tr
}

func (tr tree) write(path string, content any) {
	tr.t.Helper()
	b, ok := content.(string)
	if !ok {
		j, err := json.Marshal(content)
		if err != nil {
			tr.t.Fatal(err)
		}
		b = string(j)
	}
	file := filepath.Join(tr.root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(b), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

// process is one of a container.
func (tr tree) process(pid int, cgroup, upper string) {
	tr.write("/sys/fs/cgroup"+cgroup+"/cgroup.procs", fmt.Sprintf("%d\n", pid))
	tr.write(fmt.Sprintf("/proc/%d/cgroup", pid), "0::"+cgroup+"\n")
	tr.write(fmt.Sprintf("/proc/%d/mountinfo", pid), "30 20 0:27 / / rw - overlay overlay rw,lowerdir=/l,upperdir="+upper+",workdir=/w\n")
}

func run(t *testing.T, o Options) *Finder {
	t.Helper()
	f := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// settled waits until no more is awaited, far longer than a caller would.
func settled(t *testing.T, f *Finder, cgroup uint64) *bulwark.Container {
	t.Helper()
	c, more, ok := f.Lookup(cgroup)
	if !ok {
		t.Fatal("it is not known")
	}
	if more != nil {
		select {
		case <-more:
		case <-time.After(20 * time.Second):
			t.Fatalf("it is never settled: %+v", c)
		}
	}
	c, _, _ = f.Lookup(cgroup)
	return c
}

func config(annotations object) object {
	return object{
		"process": object{"args": []string{"/bin/app", "-v"}, "env": []string{"A=1"}, "capabilities": object{"bounding": []string{"CAP_CHOWN"}}},
		"root":    object{"path": "/data/merged"},
		"mounts": []object{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/host", "type": "bind", "source": "/", "options": []string{"rbind", "rslave", "ro"}},
			{"destination": "/etc/hosts", "type": "bind", "source": "/x/hosts", "options": []string{"rbind"}},
		},
		"annotations": annotations,
		"linux":       object{"namespaces": []object{{"type": "network"}, {"type": "mount"}, {"type": "ipc"}}, "maskedPaths": []string{"/proc/kcore"}},
	}
}

// criOAnnotations are those that CRI-O gives a container of a pod whose sandbox is two, and more of its own.
func criOAnnotations(own object) object {
	all := object{"io.kubernetes.cri-o.SandboxID": two, "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": uid, "io.kubernetes.container.name": "app"}
	for key, value := range own {
		all["io.kubernetes.cri-o."+key] = value
	}
	return all
}

// criO lays out a container as CRI-O does.
func criO(tr tree, id string, own object) {
	tr.write("/run/containers/storage/overlay-containers/"+id+"/userdata/config.json", config(criOAnnotations(own)))
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var hostMount = []bulwark.Mount{{Source: "/", Dest: "/host", Mode: "ro", Propagation: "rslave"}}

// TestEngines holds what is found of each engine's containers.
func TestEngines(t *testing.T) {
	podOf := func(more bulwark.PodRef) *bulwark.PodRef {
		more.Name, more.Namespace, more.UID = "web-0", "shop", uid
		return &more
	}
	for _, tt := range []struct {
		name, path string
		lay        func(tree)
		want       bulwark.Container
	}{
		{
			"containerd for Kubernetes", "/kubepods.slice/kubepods-pod" + folded + ".slice/cri-containerd-" + one + ".scope",
			func(tr tree) {
				dir := "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + one
				tr.write(dir+"/config.json", config(object{
					"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": two, "io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.sandbox-name": "web-0",
					"io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.image-name": "registry.example/app:1@sha256:" + two,
				}))
				tr.write(dir+"/init.pid", "77")
				if err := os.Chtimes(filepath.Join(tr.root, dir, "config.json"), began, began); err != nil {
					tr.t.Fatal(err)
				}
			},
			bulwark.Container{
				ID: one, Name: "app", Engine: "containerd", Image: "registry.example/app:1@sha256:" + two, Digest: "sha256:" + two, Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"},
				Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up", Pod: podOf(bulwark.PodRef{Sandbox: two}), Started: began.UnixNano(),
			},
		},
		{
			"cri-o", "/kubepods/pod" + uid + "/crio-" + one,
			func(tr tree) {
				criO(tr, one, object{"ContainerType": "container", "Created": "2026-01-02T03:04:05Z", "ImageName": "quay.example/app:2", "ImageRef": two, "IP.0": "10.0.0.7", "Labels": `{"app":"x"}`})
				criO(tr, two, object{"ContainerType": "sandbox", "ImageName": "quay.example/pause:3", "Labels": `{"tier":"front","io.kubernetes.container.name":"POD"}`})
				tr.write("/var/lib/containers/storage/overlay-images/images.json", []object{{"id": one, "digest": "sha256:" + one}, {"id": two, "digest": "sha256:" + imageID[7:]}})
			},
			bulwark.Container{
				ID: one, Name: "app", Engine: "cri-o", Image: "quay.example/app:2", ImageID: two, Digest: imageID, Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"}, Labels: map[string]string{"app": "x"},
				Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up", Started: began.UnixNano(), Pod: podOf(bulwark.PodRef{Sandbox: two, IP: "10.0.0.7", Labels: map[string]string{"tier": "front"}}),
			},
		},
		{
			"cri-o's sandbox", "/kubepods/pod" + uid + "/crio-" + two,
			func(tr tree) {
				criO(tr, two, object{"ContainerType": "sandbox", "Image": "quay.example/pause:3", "ImageName": "quay.example/pause:3", "Labels": `{"tier":"front","io.kubernetes.container.name":"POD"}`})
				tr.write("/var/lib/containers/storage/overlay-containers/volatile-containers.json", []object{{"id": one}, {"id": two, "image": one, "names": []string{"k8s_POD_web-0"}, "metadata": `{"image-name":"no"}`}})
				tr.write("/var/lib/containers/storage/overlay-images/images.json", []object{{"id": one, "digest": imageID}})
			},
			bulwark.Container{
				ID: two, Name: "app", Engine: "cri-o", Image: "quay.example/pause:3", ImageID: one, Digest: imageID, Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"},
				Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up", Pod: podOf(bulwark.PodRef{Sandbox: two, Labels: map[string]string{"tier": "front"}}),
			},
		},
		{
			"cri-o, by the image's id, in folders of its own", "/kubepods.slice/kubepods-pod" + folded + ".slice/crio-" + one + ".scope",
			func(tr tree) {
				c := config(criOAnnotations(object{"ContainerType": "container", "Image": two, "ImageRef": two}))
				c["root"] = object{"path": "/srv/graph/overlay/layer/merged"}
				tr.write("/run/containers/storage/overlay-containers/"+one+"/userdata/config.json", c)
				tr.write("/srv/graph/overlay-images/images.json", []object{{"id": two, "digest": "sha256:\x1b", "names": []string{"quay.example/app:2"}}})
			},
			bulwark.Container{
				ID: one, Name: "app", Engine: "cri-o", Image: "quay.example/app:2", ImageID: two, Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"},
				Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up", Pod: podOf(bulwark.PodRef{Sandbox: two}),
			},
		},
		{
			"cri-o that names its image by digest", "/kubepods/pod" + uid + "/crio-" + one,
			func(tr tree) {
				criO(tr, one, object{"ContainerType": "container", "ImageName": "quay.example/app:2", "ImageRef": "quay.example/app@" + imageID})
				tr.write("/var/lib/containers/storage/overlay-containers/volatile-containers.json", []object{{"id": one, "image": two}})
			},
			bulwark.Container{
				ID: one, Name: "app", Engine: "cri-o", Image: "quay.example/app:2", ImageID: two, Digest: imageID, Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"},
				Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up", Pod: podOf(bulwark.PodRef{Sandbox: two}),
			},
		},
		{
			"podman", "/machine.slice/libpod-" + one + ".scope",
			func(tr tree) {
				tr.write("/var/lib/containers/storage/overlay-containers/"+one+"/userdata/config.json", config(object{"io.container.manager": "libpod"}))
				tr.write("/var/lib/containers/storage/overlay-containers/containers.json", []object{
					{"id": two, "metadata": "no"}, {"id": one, "image": "abc", "names": []string{"web"}, "metadata": `{"image-name":"docker.io/library/nginx:1","name":"web"}`},
				})
			},
			bulwark.Container{
				ID: one, Name: "web", Engine: "podman", Image: "docker.io/library/nginx:1", ImageID: "abc", Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"}, Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up",
			},
		},
		{
			"docker, by its files", "/docker/" + one,
			func(tr tree) {
				c := config(nil)
				c["root"] = object{"path": "/srv/docker/overlay2/x/merged"}
				c["mounts"] = []object{{"destination": "/etc/hostname", "type": "bind", "source": "/srv/docker/containers/" + one + "/hostname"}}
				tr.write("/run/containerd/io.containerd.runtime.v2.task/moby/"+one+"/config.json", c)
				tr.write("/srv/docker/containers/"+one+"/config.v2.json", object{
					"ID": one, "Name": "/web", "Path": "nginx", "Args": []string{"-g"}, "Image": "sha256:" + two, "Config": object{"Image": "nginx:1.27", "Labels": object{"a": "b"}},
					"MountPoints": object{"/s": object{"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/s", "RW": true, "Propagation": "rprivate"}},
				})
				tr.write("/srv/docker/containers/"+one+"/hostconfig.json", object{"Privileged": true, "PidMode": "host", "NetworkMode": "bridge", "IpcMode": "private"})
			},
			bulwark.Container{
				ID: one, Name: "web", Engine: "docker", Image: "nginx:1.27", ImageID: "sha256:" + two, Command: []string{"nginx", "-g"}, Env: []string{"A=1"}, Labels: map[string]string{"a": "b"},
				Mounts: []bulwark.Mount{{Source: "/var/run/docker.sock", Dest: "/s", Write: true, Propagation: "rprivate"}}, Privileged: true, HostPID: true, PID: 77, Upper: "/up",
			},
		},
		{
			"runc", "/web",
			func(tr tree) {
				tr.write("/run/runc/web/state.json", object{"id": "web", "init_process_pid": 77, "created": "2026-01-02T03:04:05Z", "config": object{"labels": []string{"x=y", "bundle=/home/b"}}})
				tr.write("/home/b/config.json", config(nil))
			},
			bulwark.Container{
				ID: "web", Engine: "runc", Command: []string{"/bin/app", "-v"}, Env: []string{"A=1"}, Mounts: hostMount, HostPID: true, PID: 77, Upper: "/up",
				Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano(), Missing: "a runtime alone made it (runc), which knows no image",
			},
		},
		{
			"nothing at all", "/docker/" + one, func(tree) {},
			bulwark.Container{ID: one, Engine: "docker", PID: 77, Upper: "/up", Missing: "docker: it has no socket here"},
		},
		{
			"garbage", "/docker/" + one,
			func(tr tree) {
				tr.write("/run/containerd/io.containerd.runtime.v2.task/moby/"+one+"/config.json", "{\x1b[31m")
				tr.write("/var/lib/docker/containers/"+one+"/config.v2.json", strings.Repeat(" ", maxFile+1))
			},
			bulwark.Container{
				ID: one, Engine: "docker", PID: 77, Upper: "/up",
				Missing: "config.json: no such document: malformed; Docker's config.v2.json: config.v2.json is larger than 8388608 bytes: limit exceeded; docker: it has no socket here",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t)
			tt.lay(tr)
			tr.process(77, tt.path, "/up")
			f := run(t, Options{Root: tr.root})
			if err := f.Walk(t.Context()); err != nil {
				t.Fatal(err)
			}
			cgroup := tr.cgroup(tt.path)
			settled(t, f, cgroup)
			got := eventually(f, cgroup, func(c *bulwark.Container) bool {
				return c.Missing == tt.want.Missing || strings.HasSuffix(c.Missing, tt.want.Missing)
			})
			tt.want.Cgroup = tt.path
			if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Missing" }, cmp.Comparer(func(a, b string) bool {
				return strings.Contains(a, b) || strings.Contains(b, a)
			}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// eventually is what is known once it is as wanted, or at the end.
func eventually(f *Finder, cgroup uint64, ok func(*bulwark.Container) bool) *bulwark.Container {
	for range 2000 {
		if c, _, _ := f.Lookup(cgroup); c != nil && ok(c) {
			return c
		}
		time.Sleep(5 * time.Millisecond)
	}
	c, _, _ := f.Lookup(cgroup)
	return c
}

func (tr tree) cgroup(path string) uint64 {
	tr.t.Helper()
	st, err := os.Stat(filepath.Join(tr.root, "/sys/fs/cgroup", path))
	if err != nil {
		tr.t.Fatal(err)
	}
	id, _ := inode(st)
	return id
}

// engine is a fake one at a socket.
func engine(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handle}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return "unix://" + socket
}

func inspect(id string) object {
	return object{
		"Id": id, "Name": "/web", "Image": "sha256:" + two, "Path": "app", "Config": object{"Image": "app:1"}, "State": object{"Pid": 5, "StartedAt": "2026-01-02T03:04:05Z"},
		"HostConfig": object{"Privileged": true}, "NetworkSettings": object{"Networks": object{"bridge": object{"IPAddress": "172.17.0.2"}}},
	}
}

func TestAsk(t *testing.T) {
	host := engine(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/containers/" + one + "/json":
			json.NewEncoder(w).Encode(inspect(one))
		case "/images/sha256:" + two + "/json":
			json.NewEncoder(w).Encode(object{"RepoDigests": []string{"other@sha256:" + one, "app@sha256:" + two}})
		default:
			http.Error(w, "{}", http.StatusNotFound)
		}
	})
	tr := newTree(t)
	f := run(t, Options{Root: tr.root, Sockets: map[string][]string{"docker": {host}}})
	f.Made(7, "/docker/"+one, nil)
	c := f.Wait(t.Context(), 7)
	want := bulwark.Container{
		ID: one, Name: "web", Engine: "docker", Image: "app:1", ImageID: "sha256:" + two, Digest: "sha256:" + two, Command: []string{"app"}, Privileged: true, IP: "172.17.0.2", PID: 5,
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano(), Cgroup: "/docker/" + one,
	}
	if diff := cmp.Diff(&want, c, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHostileEngines: whatever an engine does, a caller waits at most that long and reads why less is known.
func TestHostileEngines(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		want   string
	}{
		{"hangs", func(w http.ResponseWriter, r *http.Request) { <-hang }, "does not answer in time"},
		{"garbage", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{\"Id\": \x1b[31m") }, "malformed"},
		{"is huge", func(w http.ResponseWriter, r *http.Request) {
			for range 17 {
				w.Write(make([]byte, 1<<20))
			}
		}, "larger than"},
		{"another", func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(inspect(two)) }, "another container"},
		{"fails", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "{}", 500) }, "answers 500"},
		{"does not know", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "{}", 404) }, "answers 404"},
		{"goes away", nil, "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host, slow := "unix:///nonexistent", time.Minute
			if tt.name == "hangs" {
				slow = 50 * time.Millisecond
			}
			if tt.handle != nil {
				host = engine(t, tt.handle)
			}
			f := run(t, Options{Root: newTree(t).root, Sockets: map[string][]string{"docker": {host}}, Slow: slow, Wait: time.Millisecond})
			f.Made(7, "/docker/"+one, nil)
			if c := f.Wait(t.Context(), 7); c == nil || c.ID != one || c.Missing == "" {
				t.Errorf("at once: %+v", c)
			}
			c := eventually(f, 7, func(c *bulwark.Container) bool { return strings.Contains(c.Missing, tt.want) })
			if !strings.Contains(c.Missing, tt.want) || c.ID != one || c.Image != "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestHangsAlone: an engine that hangs delays no container of others.
func TestHangsAlone(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	host := engine(t, func(http.ResponseWriter, *http.Request) { <-hang })
	tr := newTree(t)
	tr.write("/run/containers/storage/overlay-containers/"+one+"/userdata/config.json", config(object{"io.kubernetes.cri-o.ContainerType": "sandbox", "io.kubernetes.cri-o.ImageName": "pause:3", "io.kubernetes.cri-o.SandboxID": one}))
	f := run(t, Options{Root: tr.root, Sockets: map[string][]string{"docker": {host}}, Slow: time.Minute, Wait: 10 * time.Second})
	for i := range uint64(20) {
		f.Made(100+i, fmt.Sprintf("/docker/%064x", i), nil)
	}
	f.Made(7, "/kubepods/crio-"+one, nil)
	if c := f.Wait(t.Context(), 7); c == nil || c.Image != "pause:3" {
		t.Errorf("%+v", c)
	}
}

// TestAtOnce: a cgroup is told with its container before anything is read, and its runtime's command line names those
// that no path tells.
func TestAtOnce(t *testing.T) {
	f := New(Options{Root: "/nonexistent"}) // and nobody runs it
	f.Made(1000, "/kubepods/pod"+uid+"/"+one, nil)
	c, more, ok := f.Lookup(1000)
	if want := (bulwark.Container{ID: one, Cgroup: "/kubepods/pod" + uid + "/" + one, Pod: &bulwark.PodRef{UID: uid}, Missing: "its engine was not asked yet"}); !ok || more == nil || !cmp.Equal(&want, c) {
		t.Errorf("%+v %v %v", c, more, ok)
	}
	f.Made(1001, "/web", &bulwark.Process{Args: []string{"run", "-b", "/b", "web"}})
	if c, _, _ := f.Lookup(1001); c == nil || c.ID != "web" || c.Engine != "runc" {
		t.Errorf("%+v", c)
	}
	f.Made(1002, "/web2", &bulwark.Process{Args: []string{"run", "web2"}, Container: &bulwark.Container{}})
	if c, _, _ := f.Lookup(1002); c != nil {
		t.Errorf("who runs in a container names one of the node: %+v", c)
	}
	f.Made(1003, "/system.slice/ssh.service", nil)
	if c, more, ok := f.Lookup(1003); c != nil || more != nil || !ok {
		t.Errorf("%+v %v %v", c, more, ok)
	}
	if _, _, ok := f.Lookup(9); ok {
		t.Error("a cgroup is known that nobody told of")
	}
}

// TestForget: what is gone is kept for a little, and what is kept is bounded.
func TestForget(t *testing.T) {
	f := New(Options{Max: 1000})
	path := func(i int) string { return fmt.Sprintf("/docker/%064x", i) }
	for i := range 10 {
		f.Made(uint64(i+10), path(i), nil)
		f.Made(uint64(i+5000), path(i)+"/init", nil)
		f.Gone(uint64(i + 10))
	}
	if c, _, _ := f.Lookup(10); c == nil {
		t.Error("it is forgotten while events of it may come")
	}
	for i := 10; i < 5000; i++ {
		f.Made(uint64(i+10000), path(i), nil)
		f.Gone(uint64(i + 10000))
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.cgroups) > kept+11 || len(f.items) > kept+11 || len(f.gone) > kept+1 {
		t.Errorf("%d cgroups, %d containers, %d gone", len(f.cgroups), len(f.items), len(f.gone))
	}
	if it := f.items["/"+fmt.Sprintf("%064x", 3)]; it == nil || it.refs != 1 {
		t.Errorf("a cgroup below is there, and its container is not: %+v", it)
	}
}

func TestBounded(t *testing.T) {
	f := New(Options{Max: 100})
	for i := range 1000 {
		f.Made(uint64(i+10), fmt.Sprintf("/docker/%064x", i), nil)
	}
	if n := len(f.cgroups); n > 100 {
		t.Errorf("%d cgroups are kept", n)
	}
	if n := len(f.Containers()); n > 100 {
		t.Errorf("%d containers are kept", n)
	}
}

// TestInside: what runs in a container is told with the container that it runs in, and no engine is believed about it.
func TestInside(t *testing.T) {
	asked := make(chan string, 10)
	host := engine(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		json.NewEncoder(w).Encode(inspect(one))
	})
	f := run(t, Options{Root: newTree(t).root, Sockets: map[string][]string{"docker": {host}}})
	f.Made(7, "/docker/"+one, nil)
	settled(t, f, 7)
	f.Made(8, "/docker/"+one+"/docker/"+two, nil)
	c := settled(t, f, 8)
	if c.ID != two || !strings.Contains(c.Missing, "it runs in container "+one[:12]+" (web app:1)") || c.Image != "" {
		t.Errorf("%+v", c)
	}
	close(asked)
	for path := range asked {
		if strings.Contains(path, two) && strings.HasPrefix(path, "/containers") {
			t.Errorf("%s is asked", path)
		}
	}
}

func TestKubelet(t *testing.T) {
	host := engine(t, func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(object{"items": []object{{"metadata": object{"name": "web-0", "namespace": "shop", "uid": uid, "labels": object{"app": "web"}}, "status": object{"podIP": "10.0.0.9"}}}})
	})
	tr := newTree(t)
	tr.write("/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+one+"/config.json", config(object{"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": two, "io.kubernetes.cri.image-name": "app:1"}))
	f := run(t, Options{Root: tr.root, Kubelet: host})
	f.Made(7, "/kubepods/pod"+uid+"/"+one, nil)
	c := eventually(f, 7, func(c *bulwark.Container) bool { return c.Missing == "" })
	if want := (&bulwark.PodRef{Name: "web-0", Namespace: "shop", UID: uid, Sandbox: two, IP: "10.0.0.9", Labels: map[string]string{"app": "web"}}); !cmp.Equal(want, c.Pod) || c.Missing != "" {
		t.Errorf("%+v %s", c.Pod, c.Missing)
	}
}

// TestKubeletLater: an address that the kubelet did not have yet is asked for again, and why it does not answer is told of all pods.
func TestKubeletLater(t *testing.T) {
	f := New(Options{Root: newTree(t).root, Kubelet: "unix:///nonexistent"})
	for range 2 {
		if _, err := f.pod(t.Context(), uid); err == nil {
			t.Error("a kubelet that is not there is no error")
		}
	}
	var asked atomic.Int64
	f = New(Options{Root: newTree(t).root, Kubelet: engine(t, func(w http.ResponseWriter, r *http.Request) {
		status := object{}
		if asked.Add(1) > 1 {
			status["podIP"] = "10.0.0.9"
		}
		json.NewEncoder(w).Encode(object{"items": []object{{"metadata": object{"name": "web-0", "namespace": "shop", "uid": uid}, "status": status}}})
	})})
	for i, want := range []string{"", "", "10.0.0.9", "10.0.0.9"} {
		if i == 2 {
			f.pods.asked = time.Time{} // some seconds ago
		}
		if p, err := f.pod(t.Context(), uid); err != nil || p.IP != want || p.Name != "web-0" {
			t.Errorf("%d: %+v %v", i, p, err)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestKubeletBack: a pod that the kubelet did not know yet is asked for again, and is known then.
func TestKubeletBack(t *testing.T) {
	var asked atomic.Int64
	host := engine(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			json.NewEncoder(w).Encode(object{"items": nil})
			return
		}
		json.NewEncoder(w).Encode(object{"items": []object{{"metadata": object{"name": "web-0", "namespace": "shop", "uid": uid, "labels": object{"app": "web"}}}}})
	})
	tr := newTree(t)
	tr.write("/run/containers/storage/overlay-containers/"+one+"/userdata/config.json", config(object{"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.cri-o.SandboxID": two, "io.kubernetes.cri-o.ImageName": "app:1"}))
	f := New(Options{Root: tr.root, Kubelet: host, Sockets: map[string][]string{}})
	f.again = []time.Duration{time.Millisecond, 100 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	f.Made(7, "/kubepods/pod"+uid+"/crio-"+one, nil)
	if c := settled(t, f, 7); c.Missing != "kubelet did not tell of its pod" {
		t.Errorf("%+v", c)
	}
	if c := eventually(f, 7, func(c *bulwark.Container) bool { return c.Missing == "" }); c.Missing != "" || c.Pod.Labels["app"] != "web" {
		t.Errorf("%+v %+v", c, c.Pod)
	}
}

// TestHierarchies: v1, v2 and hybrid.
func TestHierarchies(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"/sys/fs/cgroup/cgroup.controllers", ""},
		{"/sys/fs/cgroup/unified/cgroup.controllers", "unified"},
		{"/sys/fs/cgroup/memory/cgroup.procs", "memory"},
		{"/sys/fs/cgroup/systemd/cgroup.procs", "systemd"},
	} {
		tr := tree{t, t.TempDir()}
		tr.write(tt.file, "")
		tr.write(filepath.Join("/sys/fs/cgroup", tt.want, "/docker", one, "cgroup.procs"), "")
		f := New(Options{Root: tr.root})
		if err := f.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list := f.Containers(); len(list) != 1 || list[0].ID != one {
			t.Errorf("%s: %v", tt.file, list)
		}
	}
	if err := New(Options{Root: t.TempDir()}).Walk(t.Context()); err == nil {
		t.Error("no cgroups are no error")
	}
}

// TestProcess: a process in a cgroup that nobody told of, and one that is in a container in an older hierarchy alone.
func TestProcess(t *testing.T) {
	tr := newTree(t)
	tr.write("/proc/5/cgroup", "4:memory:/docker/"+one+"\n1:name=systemd:/docker/"+one+"\n0::/\n")
	tr.write("/proc/6/cgroup", "0::/docker/"+two+"/sub\n")
	tr.write("/proc/7/cgroup", "4:memory:/\n0::/user.slice\n")
	f := New(Options{Root: tr.root})
	var got []string
	for pid, cgroup := range []uint64{5: 1, 6: 99, 7: 98, 8: 97} {
		if c, _ := f.Process(pid, cgroup); c != nil {
			got = append(got, c.ID)
		}
	}
	if want := []string{one, two}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if c, _, ok := f.Lookup(99); !ok || c.ID != two {
		t.Errorf("%+v %v", c, ok)
	}
}

// TestEngineStartedAgain: a container of which a dead engine told nothing is known once the engine is back, and its reason
// until then is the dead socket.
func TestEngineStartedAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "d.sock")
	f := New(Options{Root: newTree(t).root, Sockets: map[string][]string{"docker": {"unix://" + socket}}})
	f.again, f.rest = []time.Duration{time.Millisecond, 5 * time.Millisecond}, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	f.Made(7, "/docker/"+one, nil)
	if c := settled(t, f, 7); c.ID != one || !strings.Contains(c.Missing, "d.sock") {
		t.Errorf("with a dead socket: %+v", c)
	}
	for _, id := range []string{one, two} { // the second time the engine has ended in between
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(inspect(id)) })}
		go s.Serve(l)
		f.Made(uint64(len(id)+int(id[0])), "/docker/"+id, nil)
		c := eventually(f, uint64(len(id)+int(id[0])), func(c *bulwark.Container) bool { return c.Missing == "" })
		if c.Image != "app:1" || c.Missing != "" {
			t.Errorf("once the engine is back: %+v", c)
		}
		s.Close()
	}
	if c, _, _ := f.Lookup(7); c.Image != "app:1" {
		t.Errorf("the first: %+v", c)
	}
}
