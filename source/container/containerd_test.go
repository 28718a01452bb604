package container

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
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
		method := r.URL.Path[strings.LastIndexByte(r.URL.Path[:len(r.URL.Path)-4], '.')+1:]
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
