package runtime

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/need"
	"bulwark/source/container"
	"bulwark/test/runtime/lab"
)

// finder is one that works while the test does.
func finder(t *testing.T, o container.Options) *container.Finder {
	t.Helper()
	f := container.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// unified is the folder of the hierarchy whose cgroups the kernel's events name.
func unified(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(dir + "/cgroup.controllers"); err == nil {
			return dir
		}
	}
	need.Missing(t, "a unified hierarchy")
	return ""
}

// cgroups are the folders whose path names a container, with their ids.
func cgroups(dir, id string) map[string]uint64 {
	found := map[string]uint64{}
	_ = filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() || !strings.Contains(d.Name(), id) {
			return nil
		}
		if st, err := os.Stat(file); err == nil {
			found[strings.TrimPrefix(file, dir)] = st.Sys().(*syscall.Stat_t).Ino
		}
		return nil
	})
	return found
}

// known is what is told of a container that runs, once all is.
func known(t *testing.T, f *container.Finder, id string, whole func(*bulwark.Container) bool) *bulwark.Container {
	t.Helper()
	var last *bulwark.Container
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err := f.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		for path, cgroup := range cgroups(unified(t), id) {
			if strings.Contains(path, "conmon") {
				continue
			}
			if c, _, _ := f.Lookup(cgroup); c != nil {
				if last = c; whole(c) {
					return c
				}
			}
		}
	}
	t.Fatalf("container %s: %+v", id, last)
	return nil
}

// TestDockerContainer: what is told of a container of Docker, by files alone in folders that nobody named, and by its API.
func TestDockerContainer(t *testing.T) {
	d := lab.StartDocker(t)
	dir := t.TempDir()
	r := d.Create(t, lab.Options{Privileged: true, HostPID: true, Mounts: []string{dir + ":/host:ro"}, Env: []string{"LAB=1"}}, "sleep", "100")
	d.Start(t, r)
	for name, o := range map[string]container.Options{
		"files": {Sockets: map[string][]string{}}, "api": {Sockets: map[string][]string{"docker": {"unix://" + d.Socket}}},
		"hung": {Sockets: map[string][]string{"docker": {"unix://" + silent(t)}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := known(t, finder(t, o), r.ID, func(c *bulwark.Container) bool {
				return c.Missing == "" && c.PID != 0 && (name != "api" || c.IP != "" || d.Bridge == "")
			})
			if c.ID != r.ID || c.Name != r.Name || c.Image != r.Image || c.Engine != "docker" || !c.Privileged || !c.HostPID || c.HostNetwork || c.Labels["lab"] != "yes" {
				t.Errorf("%+v", c)
			}
			if c.Upper == "" || !exists(c.Upper) || c.Cgroup != "/docker/"+r.ID || !slices.Contains(c.Env, "LAB=1") || !slices.Equal(c.Command, []string{"sleep", "100"}) || c.Started == 0 && name == "api" {
				t.Errorf("%+v", c)
			}
			if len(c.Mounts) != 1 || c.Mounts[0].Source != dir || c.Mounts[0].Dest != "/host" || c.Mounts[0].Write {
				t.Errorf("%+v", c.Mounts)
			}
		})
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// silent is a socket at which nobody answers.
func silent(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: file})
	}
	if err == nil {
		err = syscall.Listen(fd, 100)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	return file
}

// TestQuickContainers: image and name of containers that end at once are known while their cgroup is new.
func TestQuickContainers(t *testing.T) {
	d := lab.StartDocker(t)
	dir := unified(t)
	f := finder(t, container.Options{Sockets: map[string][]string{}})
	ctx, cancel := context.WithCancel(t.Context())
	type told struct {
		c    *bulwark.Container
		took time.Duration
	}
	seen := make(chan told, 100)
	ended := make(chan struct{})
	go func() { // stands for the kernel's events
		defer close(ended)
		had := map[string]bool{}
		for ctx.Err() == nil {
			for path, id := range cgroups(dir+"/docker", "") {
				if path = "/docker" + path; had[path] || path == "/docker" {
					continue
				}
				had[path] = true
				f.Made(id, path, nil)
				go func() {
					began := time.Now()
					seen <- told{f.Wait(ctx, id), time.Since(began)}
				}()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	const count = 20
	want := map[string]string{}
	for range count {
		r := d.Create(t, lab.Options{}, "true")
		want[r.ID] = r.Name
		d.Start(t, r)
	}
	var slowest time.Duration
	for left := count; left > 0; {
		select {
		case s := <-seen:
			if s.c != nil && want[s.c.ID] == "" {
				continue // another engine's on this machine
			}
			left--
			if s.c == nil || s.c.Image != lab.Image || s.c.Name != want[s.c.ID] {
				t.Errorf("after %v: %+v", s.took, s.c)
			}
			slowest = max(slowest, s.took)
		case <-time.After(20 * time.Second):
			t.Fatal("a container was not seen at all")
		}
	}
	cancel()
	<-ended
	t.Logf("%d containers; the last was known after %v", count, slowest)
}

// TestContainerdContainer: of one that only containerd knows, made of an image and of a folder.
func TestContainerdContainer(t *testing.T) {
	d := lab.StartDocker(t)
	c := lab.NewContainerd(t, d)
	for name, from := range map[string]string{"image": c.Image(t), "folder": c.Folder(t)} {
		t.Run(name, func(t *testing.T) {
			id := c.Start(t, from, "/bin/sleep", "100")
			c := known(t, finder(t, container.Options{Sockets: map[string][]string{}}), id, func(c *bulwark.Container) bool {
				return len(c.Command) > 0 && c.PID != 0 && c.Engine == "containerd" && (c.Image != "" || name == "folder") && (c.Digest != "" || name == "folder")
			})
			if c.ID != id || !slices.Equal(c.Command, []string{"/bin/sleep", "100"}) {
				t.Errorf("%+v", c)
			}
			if name == "image" && (c.Image != from || c.Missing != "") || name == "folder" && c.Missing == "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestRuncContainer: of one that no engine knows.
func TestRuncContainer(t *testing.T) {
	r := lab.NewRunc(t)
	name := r.Start(t, "sleep", "100")
	c := known(t, finder(t, container.Options{}), name, func(c *bulwark.Container) bool { return c.PID != 0 && len(c.Command) > 0 })
	if c.ID != name || c.Engine != "runc" || !slices.Equal(c.Command, []string{"sleep", "100"}) || !strings.Contains(c.Missing, "no image") || c.Privileged || c.HostPID || c.Started == 0 {
		t.Errorf("%+v", c)
	}
}

// TestPodmanContainer: of one of Podman's, in folders of its own.
func TestPodmanContainer(t *testing.T) {
	need.Root(t)
	p := lab.NewPodman(t)
	id := p.Start(t, "web", "sleep", "100")
	c := known(t, finder(t, container.Options{Sockets: map[string][]string{}}), id, func(c *bulwark.Container) bool { return c.Missing == "" && c.PID != 0 })
	if c.ID != id || c.Engine != "podman" || c.Name != "web" || !strings.HasSuffix(c.Image, lab.Image) || !slices.Equal(c.Command, []string{"sleep", "100"}) {
		t.Errorf("%+v", c)
	}
	for path, cgroup := range cgroups(unified(t), id) {
		if f := finder(t, container.Options{}); strings.Contains(path, "conmon") {
			f.Made(cgroup, path, nil)
			if c, more, _ := f.Lookup(cgroup); c != nil || more != nil {
				t.Errorf("conmon is a container: %+v", c)
			}
		}
	}
}
