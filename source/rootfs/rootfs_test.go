package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/mountinfo"
)

// write makes files below dir: content by path; a path that ends in "/" is a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for p, content := range files {
		full := filepath.Join(dir, p)
		if strings.HasSuffix(p, "/") {
			must(t, os.MkdirAll(full, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(content), 0o644))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// walk gives a line for each entry, with the content of files.
func walk(t *testing.T, target *bulwark.Target) []string {
	t.Helper()
	var lines []string
	must(t, target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		switch {
		case e.Err != nil:
			lines = append(lines, e.Path+" !"+e.Err.Error())
		case e.Mode.IsDir():
			lines = append(lines, e.Path+"/")
		case e.Mode&fs.ModeSymlink != 0:
			lines = append(lines, e.Path+" -> "+e.Link)
		default:
			content, err := io.ReadAll(e.Body)
			must(t, err)
			lines = append(lines, fmt.Sprintf("%s = %s", e.Path, content))
		}
		if e.Err == nil && e.Base != filepath.Base(e.Path) {
			t.Errorf("base of %s is %s", e.Path, e.Base)
		}
		return nil
	}))
	return lines
}

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"b/z": "deep", "b/a": "", "a": "first", "b.txt": "text", "empty/": "", ".git/config": "x"})
	outside := t.TempDir()
	write(t, outside, map[string]string{"secret": "s"})
	must(t, os.Symlink(outside, filepath.Join(dir, "out")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "b/passwd")))
	must(t, os.Symlink(".", filepath.Join(dir, "loop")))
	must(t, unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	must(t, os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "same")))

	target, err := new(Rootfs).Open(t.Context(), "rootfs:"+dir)
	must(t, err)
	want := []string{".git/", ".git/config = x", "a = first", "b/", "b/a = ", "b/passwd -> /etc/passwd", "b/z = deep", "b.txt = text", "empty/", "loop -> .", "out -> " + outside, "same = first"}
	if diff := cmp.Diff(want, walk(t, target)); diff != "" {
		t.Errorf("rootfs (-want +got):\n%s", diff)
	}
	if !target.Absolute || target.Asset.Kind != "rootfs" || target.Layers[0].Identity != "" || target.Layers[0].DiffID != "" {
		t.Errorf("target %+v", target)
	}

	target, err = new(Dir).Open(t.Context(), dir)
	must(t, err)
	if diff := cmp.Diff(want[2:], walk(t, target)); diff != "" {
		t.Errorf("dir (-want +got):\n%s", diff)
	}
	if target.Absolute || target.Asset.ID != bulwark.AssetID("dir:"+dir) || target.Asset.Kind != "dir" {
		t.Errorf("target %+v", target)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": "x"})
	for _, name := range []string{"nothing", "file"} {
		if _, err := new(Dir).Open(t.Context(), filepath.Join(dir, name)); !errors.Is(err, bulwark.ErrNotFound) {
			t.Errorf("%s: error %v, want ErrNotFound", name, err)
		}
	}
}

// opened counts the descriptors of this process that lead below dir.
func opened(t *testing.T, dir string) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("/proc is not there")
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir+"/") {
			n++
		}
	}
	return n
}

func TestFilesAreOpenedWhenRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "0123456789", "b": "x"})
	target, err := new(Dir).Open(t.Context(), dir)
	must(t, err)
	must(t, target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		if n := opened(t, dir); n != 0 {
			t.Errorf("%s: %d files are open before it is read", e.Path, n)
		}
		if e.Base == "b" {
			return nil
		}
		p := make([]byte, 4)
		n, err := e.At.ReadAt(p, 3)
		if string(p[:n]) != "3456" || err != nil {
			t.Errorf("ReadAt gives %q, %v", p[:n], err)
		}
		n, err = e.At.ReadAt(p, 8)
		if string(p[:n]) != "89" || err != io.EOF {
			t.Errorf("ReadAt over the end gives %q, %v", p[:n], err)
		}
		if n, err = e.At.ReadAt(p, 10); n != 0 || err != io.EOF {
			t.Errorf("ReadAt at the end gives %d, %v", n, err)
		}
		if n := opened(t, dir); n != 1 {
			t.Errorf("%d files are open after reading", n)
		}
		return nil
	}))
	if n := opened(t, dir); n != 0 {
		t.Errorf("%d files stay open", n)
	}
}

func TestChangedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a-grows": "12", "b-gone": "12", "c-link": "12", "d-pipe": "12", "e-gone": "", "f/x": ""})
	target, err := new(Dir).Open(t.Context(), dir)
	must(t, err)
	in := func(name string) string { return filepath.Join(dir, name) }
	var got []string
	must(t, target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		switch e.Base {
		case "a-grows":
			must(t, os.WriteFile(in(e.Base), []byte("123456"), 0o644))
			must(t, os.Remove(in("e-gone")))
		case "b-gone":
			must(t, os.Remove(in(e.Base)))
		case "c-link":
			must(t, os.Remove(in(e.Base)))
			must(t, os.Symlink("/etc/passwd", in(e.Base)))
		case "d-pipe":
			must(t, os.Remove(in(e.Base)))
			must(t, unix.Mkfifo(in(e.Base), 0o644))
		case "f":
			must(t, os.RemoveAll(in(e.Base)))
			return nil
		}
		content, err := io.ReadAll(e.Body)
		must(t, err)
		got = append(got, e.Base+"="+string(content))
		return nil
	}))
	if diff := cmp.Diff([]string{"a-grows=12", "b-gone=", "c-link=", "d-pipe="}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/x": "", "b": "y"})
	must(t, os.Chmod(filepath.Join(dir, "a"), 0))
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(dir, "a"), 0o755)) }) // or it could not be removed
	must(t, os.Chmod(filepath.Join(dir, "b"), 0))
	target, err := new(Dir).Open(t.Context(), dir)
	must(t, err)
	var failed []string
	must(t, target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		err := e.Err
		if e.Body != nil {
			_, err = e.Body.Read(make([]byte, 1))
		}
		if errors.Is(err, bulwark.ErrUnavailable) && errors.Is(err, fs.ErrPermission) {
			failed = append(failed, e.Path)
		}
		return nil
	}))
	if diff := cmp.Diff([]string{"a", "b"}, failed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDeep(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", maxDepth+50)), 0o755))
	target, err := new(Dir).Open(t.Context(), dir)
	must(t, err)
	var last error
	must(t, target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		last = e.Err
		return nil
	}))
	if !errors.Is(last, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", last)
	}
}

func TestWalkEnds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "", "b": ""})
	target, err := new(Dir).Open(t.Context(), dir)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err = target.Layers[0].Tree.Walk(ctx, func(*bulwark.Entry) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("%d entries and %v, want one and context.Canceled", n, err)
	}
	mine := errors.New("mine")
	if err := target.Layers[0].Tree.Walk(t.Context(), func(*bulwark.Entry) error { return mine }); err != mine {
		t.Errorf("error %v, want visit's own", err)
	}
}

func TestIsRootfs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"usr/lib/os-release": "ID=x"})
	if IsRootfs(dir) {
		t.Error("os-release alone makes a root file system")
	}
	write(t, dir, map[string]string{"var/lib/dpkg/status": ""})
	if !IsRootfs(dir) {
		t.Error("os-release and a package database make no root file system")
	}
	if IsRootfs(filepath.Join(dir, "usr/lib/os-release")) || IsRootfs(filepath.Join(dir, "nothing")) {
		t.Error("a file is a root file system")
	}
}

func TestHost(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"etc/hostname": "box\n", "etc/machine-id": "0123456789abcdef0123456789abcdef\n", "proc/cpuinfo": "x", "run/x": "", "sys/": "", "dev/null": "",
		"var/lib/docker/overlay2/l/x": "", "var/lib/dpkg/status": "d", "home/me/.local/share/containers/storage/x": "", "home/me/x": "y",
	})
	target, err := (&Host{Root: root}).Open(t.Context(), "host")
	must(t, err)
	want := []string{"etc/", "etc/hostname = box\n", "etc/machine-id = 0123456789abcdef0123456789abcdef\n", "home/", "home/me/", "home/me/.local/", "home/me/.local/share/",
		"home/me/.local/share/containers/", "home/me/x = y", "var/", "var/lib/", "var/lib/dpkg/", "var/lib/dpkg/status = d"}
	if diff := cmp.Diff(want, walk(t, target)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if target.Asset.Name != "box" || target.Asset.Kind != "host" || !strings.HasPrefix(string(target.Asset.ID), "host:") || strings.Contains(string(target.Asset.ID), "0123456789") || !target.Absolute {
		t.Errorf("asset %+v", target.Asset)
	}
	var noted []string
	for _, n := range target.Notes {
		noted = append(noted, n.Path)
	}
	if diff := cmp.Diff([]string{"/var/lib/docker", "/home/me/.local/share/containers/storage"}, noted); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

const mounts = `22 28 0:20 / /proc rw,relatime shared:12 - proc proc rw
23 28 0:21 / /mnt/root/proc rw - proc proc rw
24 28 0:22 / /mnt/root/data\040dir rw,relatime - nfs4 server:/x rw
25 28 0:23 / /mnt/root/home/me/remote rw - fuse.sshfs me@host: rw
26 28 0:24 / /mnt/root/disk rw - ext4 /dev/sda1 rw
27 28 0:25 / /mnt/rootless rw - proc proc rw
28 1 8:1 / / rw - ext4 /dev/sda1 rw
nonsense
`

func TestMounts(t *testing.T) {
	list, err := mountinfo.Read(strings.NewReader(mounts))
	if err != nil {
		t.Fatal(err)
	}
	s := mountsBelow(list, "/mnt/root")
	if diff := cmp.Diff(map[string]bool{"proc": true, "data dir": true, "home/me/remote": true}, s.path); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(s.notes) != 2 || s.notes[0].Path != "/data dir" {
		t.Errorf("notes %+v", s.notes)
	}
	if s := mountsBelow(list, "/"); !s.path["proc"] || s.path[""] {
		t.Errorf("below /: %v", s.path)
	}
}
