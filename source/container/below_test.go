package container

import (
	"slices"
	"testing"

	"bulwark"
)

// TestNamesAgain: a container whose name one had before that has ended is another, also while that one is still kept, and what lies
// in its folder then is the second one's alone.
func TestNamesAgain(t *testing.T) {
	tr := newTree(t)
	f := run(t, Options{Root: tr.root, Sockets: map[string][]string{}})
	by := &bulwark.Process{Args: []string{"runc", "create", "--bundle", "/b", "web"}}
	for i, app := range []string{"/bin/first", "/bin/second"} {
		bundle := config(nil)
		bundle["process"] = object{"args": []string{app}}
		tr.write("/b/config.json", bundle)
		at := uint64(10 * (i + 1))
		f.Made(at, "/lab/web", by)
		c := eventually(f, at, func(c *bulwark.Container) bool { return len(c.Command) > 0 })
		if want := []string{app}; !slices.Equal(c.Command, want) {
			t.Errorf("the container runs %q, want %q", c.Command, want)
		}
		if n := len(f.Containers()); n != 1 {
			t.Errorf("there are %d containers of that name", n)
		}
		f.Gone(at)
	}
	if c, _, _ := f.Lookup(10); c == nil || !slices.Equal(c.Command, []string{"/bin/first"}) {
		t.Errorf("of the first: %+v", c)
	}
}

// TestBelow: what is below a container belongs to it, whatever it is called, when it is made and wherever it was found.
func TestBelow(t *testing.T) {
	tr := newTree(t)
	task := "/run/containerd/io.containerd.runtime.v2.task/default/"
	tr.write(task+"web/config.json", config(nil))
	tr.write(task+"other/config.json", config(nil))
	folder := config(nil)
	folder["linux"] = object{"cgroupsPath": "/default/default"}
	tr.write(task+"default/config.json", folder) // it has the name of the folder that all are in, and is not there
	f := run(t, Options{Root: tr.root, Sockets: map[string][]string{}})
	below := []string{"/default/web/below", "/default/web/sub.scope", "/default/web/a/other"}
	f.Made(1, "/default", nil)
	f.Made(2, "/default/web", nil)
	for i, path := range below { // its name is not known to be a container's yet
		f.Made(uint64(10+i), path, nil)
	}
	for i := range below {
		settled(t, f, uint64(10+i))
	}
	settled(t, f, 2)
	for i, path := range below {
		f.Made(uint64(20+i), path, nil)
	}
	for i, path := range slices.Concat(below, below) {
		at := []uint64{10, 11, 12, 20, 21, 22}[i]
		if c := settled(t, f, at); c == nil || c.ID != "web" || c.Cgroup != "/default/web" {
			t.Errorf("%s is told as %+v", path, c)
		}
	}
	f.Made(3, "/default/other", nil)
	if c := settled(t, f, 3); c == nil || c.ID != "other" {
		t.Errorf("a container beside it is told as %+v", c)
	}
	f.Made(4, "/default/none/below", nil)
	if c := settled(t, f, 4); c != nil {
		t.Errorf("what is below no container is told as %+v", c)
	}
	if n := len(f.Containers()); n != 2 {
		t.Errorf("there are %d containers", n)
	}
}
