// Package lab runs containers for real, and does in them what attackers do: what watches a node is tried on it.
//
// An Action says what is done, in which container, and which row of the list of detections it is; its Twin does
// something alike that nobody should mind. The lab has a Docker of its own and plain runc, and leaves nothing behind.
package lab

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark/internal/mountinfo"
	"bulwark/internal/need"
)

// Image is what all containers of the lab run.
const Image = "bulwark-lab:1"

// scratch is a folder with a short path, as sockets need it.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unmount(dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// unmount lets go of what daemons left mounted below a folder, the last first.
func unmount(dir string) {
	list, _ := mountinfo.ReadFile("/proc/self/mountinfo")
	for _, m := range slices.Backward(list) {
		if strings.HasPrefix(m.Point, dir+"/") {
			detach(m.Point)
		}
	}
}

// Helper builds the program that does what a shell cannot.
func Helper(t testing.TB, dir string) string {
	t.Helper()
	need.Tool(t, "go")
	file := filepath.Join(dir, "lab")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "bulwark/test/runtime/lab/helper")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// names are those that the helper has in the image, for what goes by the name of a program.
var names = []string{"usr/sbin/nginx", "usr/bin/redis-server", "usr/sbin/mysqld", "usr/bin/apt", "usr/bin/pkill"}

// files are the small ones of the image.
var files = map[string]string{
	"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", "etc/group": "root:x:0:\n",
	"etc/shadow": "root:*:19000:0:99999:7:::\n", "etc/os-release": "ID=lab\n", "etc/cron.d/.keep": "", "root/.ash_history": "ls\n", "var/log/app.log": "started\n",
	"var/log/auth.log": "started\n", "root/.ssh/.keep": "", "srv/index.html": "hello\n",
}

// rootFS writes the lab's root file system: a static busybox, the helper, and a few files.
func rootFS(t testing.TB, helper string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	busybox := need.Tool(t, "busybox")
	if out, err := exec.Command("ldd", busybox).CombinedOutput(); err == nil && !strings.Contains(string(out), "not a dynamic") && !strings.Contains(string(out), "statically") {
		need.Missing(t, "a static busybox: busybox-static has one")
	}
	add := func(h tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"bin", "dev", "proc", "sys", "tmp", "run", "root", "root/.ssh", "opt", "mnt", "host", "usr", "usr/bin", "usr/sbin", "usr/local", "usr/local/bin", "etc", "etc/cron.d", "var", "var/log", "var/run", "srv"} {
		mode := int64(0o755)
		if dir == "tmp" {
			mode = 0o1777
		}
		add(tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: mode}, nil)
	}
	for name, path := range map[string]string{"bin/busybox": busybox, "usr/local/bin/lab": helper} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		add(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755}, data)
	}
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, applet := range strings.Fields(string(list)) {
		if applet != "busybox" {
			add(tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	for _, name := range names {
		add(tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: "usr/local/bin/lab", Mode: 0o777}, nil)
	}
	for name, text := range files {
		add(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, []byte(text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// RootFS lays the lab's root file system out as a folder.
func RootFS(t testing.TB, helper, dir string) {
	t.Helper()
	unpack(t, rootFS(t, helper), dir)
}

// unpack lays the root file system out as a folder.
func unpack(t testing.TB, archive io.Reader, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need.Tool(t, "tar"), "-x", "-C", dir)
	cmd.Stdin = archive
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func random() string {
	var b [4]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Options are those of a container.
type Options struct {
	Image                            string // "": that of the lab
	Health                           string // command by which the engine asks whether the container is well
	Privileged, HostPID, HostNetwork bool
	Mounts                           []string // source:destination[:ro]; a source that begins with "DIR" is below the action's folder
	Tmpfs                            []string
	SecurityOpt, CapAdd, CapDrop     []string
	Env                              []string
	User                             string
	TTY                              bool
	Pids                             int64 // at most; 0: no limit
}

// Result is what became of a container.
type Result struct {
	ID     string
	Name   string
	Image  string
	Output string
	Code   int
}
