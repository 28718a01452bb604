package container

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// field writes one of a message.
func field(number int, value string) string {
	b := binary.AppendUvarint(nil, uint64(number<<3|2))
	return string(binary.AppendUvarint(b, uint64(len(value)))) + value
}

func label(key, value string) string { return field(2, field(1, key)+field(2, value)) }

// containerdAt answers at a socket as containerd does, from a table by method, namespace and what is asked for.
func containerdAt(t *testing.T, socket string, answers map[string]string, raw func(http.ResponseWriter)) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if raw != nil {
			raw(w)
			return
		}
		b, _ := io.ReadAll(r.Body)
		method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '.')+1:]
		answer, ok := answers[method+" "+r.Header.Get("Containerd-Namespace")+" "+string(first(b[5:], 1))]
		if !ok {
			w.Header().Set("Grpc-Status", "5")
			return
		}
		w.Header().Set("Trailer", "Grpc-Status")
		frame := make([]byte, 5)
		binary.BigEndian.PutUint32(frame[1:], uint32(len(answer)))
		w.Write(append(frame, answer...))
		w.Header().Set("Grpc-Status", "0")
	})}
	srv.Protocols.SetUnencryptedHTTP2(true)
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
}

func shortRoot(t *testing.T) tree {
	t.Helper()
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	tr := tree{t, dir}
	tr.write("/sys/fs/cgroup/cgroup.controllers", "")
	return tr
}

func TestContainerd(t *testing.T) {
	tr := shortRoot(t)
	tr.write("/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+one+"/config.json", config(object{"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": two, "io.kubernetes.cri.container-name": "app"}))
	containerdAt(t, filepath.Join(tr.root, "/run/containerd/containerd.sock"), map[string]string{
		"Containers/Get k8s.io " + one:             field(1, field(1, one)+label("io.kubernetes.pod.name", "web-0")+label("io.kubernetes.pod.namespace", "shop")+label("io.kubernetes.container.name", "app")+field(3, "registry.example/app:1")),
		"Containers/Get k8s.io " + two:             field(1, field(1, two)+label("tier", "front")+label("io.kubernetes.pod.name", "web-0")+label("io.cri-containerd.kind", "sandbox")),
		"Images/Get k8s.io registry.example/app:1": field(1, field(1, "registry.example/app:1")+field(3, field(1, "application/x")+field(2, "sha256:"+two)+"\x18\x05")),
	}, nil)
	f := run(t, Options{Root: tr.root})
	f.Made(7, "/kubepods/pod"+uid+"/"+one, nil)
	settled(t, f, 7)
	c := eventually(f, 7, func(c *bulwark.Container) bool { return c.Digest != "" })
	if c.Image != "registry.example/app:1" || c.Digest != "sha256:"+two || c.Name != "app" || c.Missing != "" {
		t.Errorf("%+v", c)
	}
	if want := (&bulwark.PodRef{Name: "web-0", Namespace: "shop", UID: uid, Sandbox: two, Labels: map[string]string{"tier": "front"}}); !cmp.Equal(want, c.Pod) {
		t.Errorf("%+v", c.Pod)
	}
}

// extension is what containerd's part for Kubernetes keeps beside a container.
func extension(name, doc string) string {
	return field(10, field(1, name)+field(2, field(1, "github.com/containerd/cri/pkg/store/"+name+"/Metadata")+field(2, doc)))
}

const imageID = "sha256:a71d0f3864036cd07b429bac609a6f793f5fbd4dc35c6e05a394349a9f532232"

// kubernetes are containerd's answers about a container of a pod and its sandbox, as containerd 1.6 gave them to a kubelet's.
func kubernetes() map[string]string {
	return map[string]string{
		"Containers/Get k8s.io " + one: field(1, field(1, one)+label("io.kubernetes.pod.name", "web-0")+label("io.kubernetes.pod.namespace", "shop")+label("io.kubernetes.pod.uid", uid)+label("io.kubernetes.container.name", "app")+
			field(3, "registry.example/app:1")+
			extension("io.cri-containerd.container.metadata", `{"Version":"v1","Metadata":{"ID":"`+one+`","SandboxID":"`+two+`","Config":{"metadata":{"name":"app"}},"ImageRef":"`+imageID+`"}}`)),
		"Containers/Get k8s.io " + two: field(1, field(1, two)+label("tier", "front")+label("io.kubernetes.pod.name", "web-0")+label("io.cri-containerd.kind", "sandbox")+
			field(3, "registry.example/pause:1")+
			extension("io.cri-containerd.sandbox.metadata", `{"Version":"v1","Metadata":{"ID":"`+two+`","NetNSPath":"/var/run/netns/cni-9c","IP":"10.88.77.2","AdditionalIPs":null}}`)),
		"Images/Get k8s.io registry.example/app:1": field(1, field(1, "registry.example/app:1")+field(3, field(1, "application/x")+field(2, "sha256:"+one))), // the tag went on
		"Images/Get k8s.io " + imageID:             field(1, field(1, imageID)+field(3, field(1, "application/x")+field(2, "sha256:"+two))),
	}
}

func annotations() object {
	return object{
		"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": two, "io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.sandbox-name": "web-0",
		"io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.image-name": "registry.example/app:1",
	}
}

// TestFreshPod: the first finding in a container that begins has all that containerd knows, wherever containerd keeps its
// state, with runc naming the bundle as the cgroup is made, and its process gone before anybody looks.
func TestFreshPod(t *testing.T) {
	for _, state := range []string{"/run/containerd", "/srv/k8s/state"} {
		t.Run(state, func(t *testing.T) {
			tr := shortRoot(t)
			bundle, cgroup := state+"/"+taskFolder+"/k8s.io/"+one, "/kubepods/burstable/pod"+uid+"/"+one
			tr.write(bundle+"/config.json", config(annotations()))
			socket := "/run/containerd/containerd.sock"
			if state != "/run/containerd" {
				socket = "/srv/k8s/cd.sock"
			}
			containerdAt(t, filepath.Join(tr.root, socket), kubernetes(), nil)
			f := run(t, Options{Root: tr.root, Wait: 10 * time.Second})
			shim := &bulwark.Process{Path: "/usr/bin/containerd-shim-runc-v2", Args: []string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", two, "-address", socket}}
			f.Made(7, cgroup, &bulwark.Process{Args: []string{"runc", "--root", "/run/containerd/runc/k8s.io", "create", "--bundle", bundle, one}, Parent: shim})
			c := f.Wait(t.Context(), 7)
			if c.Image != "registry.example/app:1" || c.ImageID != imageID || c.Digest != "sha256:"+two || c.Name != "app" || c.Started == 0 || c.Missing != "" {
				t.Errorf("%+v", c)
			}
			if want := (&bulwark.PodRef{Name: "web-0", Namespace: "shop", UID: uid, IP: "10.88.77.2", Sandbox: two, Labels: map[string]string{"tier": "front"}}); !cmp.Equal(want, c.Pod) {
				t.Errorf("%+v", c.Pod)
			}
		})
	}
}

// shim is a process above that of the container, which stands in the bundle of the pod's sandbox.
func (tr tree) shim(bundle, socket string) {
	tr.t.Helper()
	tr.write("/proc/77/stat", "77 (app) S 50 77 77 0")
	tr.write("/proc/50/stat", "50 (containerd-shim) S 1 50 50 0")
	tr.write("/proc/50/cmdline", strings.Join([]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", two, "-address", socket, ""}, "\x00"))
	if err := os.Symlink(filepath.Join(filepath.Dir(bundle), two), filepath.Join(tr.root, "/proc/50/cwd")); err != nil {
		tr.t.Fatal(err)
	}
}

// TestRunningPod: a container that ran before, of a containerd that keeps its state where nobody looks, is found by the shim of
// its pod; and what of the node its sandbox has, it has as well.
func TestRunningPod(t *testing.T) {
	tr := shortRoot(t)
	tasks, cgroup := "/srv/k8s/state/"+taskFolder+"/k8s.io/", "/kubepods/besteffort/pod"+uid+"/"+one
	joined := config(annotations())
	joined["linux"] = object{"namespaces": []object{{"type": "pid", "path": "/proc/40/ns/pid"}, {"type": "ipc", "path": "/proc/40/ns/ipc"}, {"type": "mount"}, {"type": "network", "path": "/proc/40/ns/net"}}}
	sandbox := config(object{"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": two})
	sandbox["linux"] = object{"namespaces": []object{{"type": "ipc"}, {"type": "mount"}}}
	tr.write(tasks+one+"/config.json", joined)
	tr.write(tasks+two+"/config.json", sandbox)
	tr.shim(tasks+one, "/srv/k8s/cd.sock")
	tr.process(77, cgroup, "/up")
	containerdAt(t, filepath.Join(tr.root, "/srv/k8s/cd.sock"), kubernetes(), nil)
	f := run(t, Options{Root: tr.root, Wait: 10 * time.Second})
	if err := f.Walk(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := f.Wait(t.Context(), tr.cgroup(cgroup))
	if len(c.Command) != 2 || c.ImageID != imageID || c.Digest != "sha256:"+two || c.Pod.Labels["tier"] != "front" || c.Missing != "" {
		t.Errorf("%+v", c)
	}
	if !c.HostPID || !c.HostNetwork || c.HostIPC {
		t.Errorf("the node's: pid %v, network %v, ipc %v", c.HostPID, c.HostNetwork, c.HostIPC)
	}
}

// TestContainerdImageID: the image of a container that Kubernetes did not make, or of a pod's sandbox, is known by the id that scans
// give it, by its manifest and by an index.
func TestContainerdImageID(t *testing.T) {
	manifest, index := "sha256:"+one, "sha256:"+two
	platform := func(arch, digest string) object {
		return object{"digest": digest, "platform": object{"os": "linux", "architecture": arch}}
	}
	own := platform(runtime.GOARCH, manifest)
	for _, tt := range []struct {
		name, digest, want string
		blobs              map[string]object
	}{
		{"manifest", manifest, imageID, map[string]object{manifest: {"config": object{"digest": imageID}}}},
		{"index", index, imageID, map[string]object{index: {"manifests": []object{platform("other", index), own, platform("unknown", index)}}, manifest: {"config": object{"digest": imageID}}}},
		{"variants", index, "", map[string]object{index: {"manifests": []object{own, own}}, manifest: {"config": object{"digest": imageID}}}},
		{"no platform", index, "", map[string]object{index: {"manifests": []object{platform("other", manifest)}}}},
		{"of itself", index, "", map[string]object{index: {"manifests": []object{platform(runtime.GOARCH, index)}}}},
		{"no digest", manifest, "", map[string]object{manifest: {"config": object{"digest": "sha256:\x1b[31m"}}}},
		{"not there", manifest, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := shortRoot(t)
			answers := map[string]string{
				"Containers/Get default web":       field(1, field(1, "web")+field(3, "example/app:1")),
				"Images/Get default example/app:1": field(1, field(1, "example/app:1")+field(3, field(2, tt.digest))),
			}
			for digest, doc := range tt.blobs {
				b, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				answers["Content/Read default "+digest] = field(2, string(b))
			}
			containerdAt(t, filepath.Join(tr.root, "/run/containerd/containerd.sock"), answers, nil)
			bundle := "/run/containerd/" + taskFolder + "/default/web"
			tr.write(bundle+"/config.json", config(nil))
			f := run(t, Options{Root: tr.root, Wait: 10 * time.Second})
			f.Made(7, "/default/web", &bulwark.Process{Args: []string{"runc", "create", "--bundle", bundle, "web"}})
			if c := f.Wait(t.Context(), 7); c.ImageID != tt.want || c.Digest != tt.digest || c.Missing != "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestContainerdBack: while containerd does not answer, that is why less is known; once it does, all is.
func TestContainerdBack(t *testing.T) {
	tr := shortRoot(t)
	tr.write("/run/containerd/"+taskFolder+"/k8s.io/"+one+"/config.json", config(annotations()))
	socket := filepath.Join(tr.root, "/run/containerd/containerd.sock")
	tr.write("/run/containerd/containerd.sock", "") // a socket of which nobody takes connections is as much of one
	f := New(Options{Root: tr.root, Sockets: map[string][]string{}})
	f.again, f.rest = []time.Duration{time.Millisecond, 5 * time.Millisecond}, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	f.Made(7, "/kubepods/pod"+uid+"/"+one, nil)
	if c := settled(t, f, 7); !strings.Contains(c.Missing, "containerd: ") || c.Image == "" {
		t.Errorf("with a dead socket: %+v", c)
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	containerdAt(t, socket, kubernetes(), nil)
	if c := eventually(f, 7, func(c *bulwark.Container) bool { return c.Digest != "" }); c.Digest != "sha256:"+two || c.Missing != "" {
		t.Errorf("once it is back: %+v", c)
	}
}

func TestHostileContainerd(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, tt := range []struct {
		name string
		raw  func(http.ResponseWriter)
		want string
	}{
		{"hangs", func(http.ResponseWriter) { <-hang }, "does not answer in time"},
		{"no frame", func(w http.ResponseWriter) { w.Header().Set("Grpc-Status", "0"); io.WriteString(w, "x") }, "malformed"},
		{"no status", func(w http.ResponseWriter) { io.WriteString(w, "\x00\x00\x00\x00\x00") }, "unavailable"},
		{"a long frame", func(w http.ResponseWriter) {
			w.Header().Set("Grpc-Status", "0")
			io.WriteString(w, "\x00\xff\xff\xff\xff")
		}, "malformed"},
		{"huge", func(w http.ResponseWriter) {
			for range 5 {
				w.Write(make([]byte, 1<<20))
			}
		}, "larger than"},
		{"does not know", func(w http.ResponseWriter) { w.Header().Set("Grpc-Status", "5") }, "does not know it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := shortRoot(t)
			tr.write("/run/containerd/io.containerd.runtime.v2.task/default/"+one+"/config.json", config(nil))
			containerdAt(t, filepath.Join(tr.root, "/run/containerd/containerd.sock"), nil, tt.raw)
			slow := time.Minute
			if tt.name == "hangs" {
				slow = 50 * time.Millisecond
			}
			f := run(t, Options{Root: tr.root, Slow: slow})
			f.Made(7, "/default/"+one, nil)
			c := eventually(f, 7, func(c *bulwark.Container) bool { return strings.Contains(c.Missing, tt.want) })
			if !strings.Contains(c.Missing, tt.want) || c.Engine != "containerd" || len(c.Command) != 2 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// FuzzExtension: whatever stands where Kubernetes' part keeps a document, nothing but an id and an address is taken.
func FuzzExtension(f *testing.F) {
	f.Add([]byte(`{"Metadata":{"ImageRef":"` + imageID + `","IP":"10.0.0.1"}}`))
	f.Add([]byte(`{"Metadata":{"ImageRef":"sha256:\u001b[31m","IP":"x"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var r record
		r.extension("io.cri-containerd.sandbox.metadata", doc)
		if clean(r.imageID) != r.imageID || clean(r.ip) != r.ip || len(r.imageID) > 71 {
			t.Errorf("%q %q", r.imageID, r.ip)
		}
	})
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(field(1, field(1, one)+label("a", "b")+"\x18\x05")))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for _, value := range fields(b) {
			total += len(value)
		}
		if total > len(b) {
			t.Errorf("%d bytes are of %d", total, len(b))
		}
	})
}

// FuzzConfig: whatever a bundle holds, it is read.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["a"],"capabilities":null},"root":{"path":"x"},"mounts":[{"type":"bind","source":"/","options":["ro"]}],"linux":{"namespaces":[{"type":"pid"}],"resources":{"devices":[{"allow":true}]}}}`))
	f.Add([]byte(`{"annotations":{"io.kubernetes.cri-o.ContainerType":"sandbox","io.kubernetes.cri-o.Labels":"[]"},"linux":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/config.json", b, 0o600); err != nil {
			t.Fatal(err)
		}
		fi := New(Options{Root: dir})
		it := &item{identity: identity{id: one, path: "/docker/" + one}}
		it.now.Store(it.first())
		r := fi.reading(it)
		r.config(dir)
		if strings.ContainsAny(r.missing(), "\x1b\n") {
			t.Errorf("%q", r.missing())
		}
	})
}
