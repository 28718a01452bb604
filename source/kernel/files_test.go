//go:build linux && (amd64 || arm64)

package kernel

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

func kindNamed(name string) bulwark.Kind {
	k, ok := bulwark.KindNamed(name)
	if !ok {
		panic("no kind " + name)
	}
	return k
}

// named finds the event of that kind of this process with that path given.
func named(kind, path string) func(*bulwark.Event) bool {
	return func(e *bulwark.Event) bool {
		if e.Kind != kindNamed(kind) || e.Process.PID != os.Getpid() {
			return false
		}
		for _, a := range e.Args {
			if string(a.Text) == path {
				return true
			}
		}
		return false
	}
}

func TestOpenTellsWhatWasOpened(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("openat"))
	dir := t.TempDir()
	link, target := filepath.Join(dir, "innocent"), filepath.Join(dir, "shadow")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := w.find(t, "open of the link", named("openat", link))
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	if string(e.FD.Name) != target || string(e.FD.Raw) != link || e.FD.Kind != bulwark.FDFile || e.FD.Num != int(f.Fd()) {
		t.Errorf("FD = %+v %q %q", e.FD, e.FD.Name, e.FD.Raw)
	}
	if e.FD.Inode != st.Ino || e.FD.Device != st.Dev || e.Result != int64(f.Fd()) {
		t.Errorf("inode %d device %d result %d, want %d %d %d", e.FD.Inode, e.FD.Device, e.Result, st.Ino, st.Dev, f.Fd())
	}
	missing := filepath.Join(dir, "missing")
	_, _ = os.Open(missing)
	e = w.find(t, "open of what is not there", named("openat", missing))
	if e.Result != -int64(unix.ENOENT) || e.FD.Kind != bulwark.FDNone {
		t.Errorf("result %d, FD %+v", e.Result, e.FD)
	}
}

// TestPipes: one that has a name is a file, and one that has none a pipe.
func TestPipes(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("openat", "write"))
	named := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(named, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(named, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := w.find(t, "open of a named pipe", func(e *bulwark.Event) bool { return e.Kind == kindNamed("openat") && string(e.FD.Name) == named })
	if e.FD.Kind != bulwark.FDFile {
		t.Errorf("named pipe: %+v", e.FD)
	}
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer p.Close()
	if _, err := p.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	e = w.find(t, "write to a pipe", func(e *bulwark.Event) bool { return e.Kind == kindNamed("write") && e.FD.Num == int(p.Fd()) })
	if e.FD.Kind != bulwark.FDPipe || len(e.FD.Name) > 0 {
		t.Errorf("pipe: %+v", e.FD)
	}
}

func TestPathsOfEveryLength(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("openat", "mkdirat"))
	dir := t.TempDir()
	odd := filepath.Join(dir, "a\xff\xfe\x1b[31m")
	if err := os.WriteFile(odd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e := w.find(t, "open of a name of any bytes", named("openat", odd))
	if string(e.FD.Name) != odd {
		t.Errorf("name %q, want %q", e.FD.Name, odd)
	}

	// A folder as deep as paths can be long, of the shortest and of the longest names.
	for _, name := range []string{"d", strings.Repeat("x", 255)} {
		deep := dir
		for len(deep)+len(name)+1 < 4090 {
			deep += "/" + name
		}
		if err := os.MkdirAll(deep, 0o700); err != nil {
			t.Fatal(err)
		}
		last := deep + "/" + strings.Repeat("y", 4094-len(deep))
		_, err := os.Create(last)
		if err != nil && len(last)-len(deep) < 255 {
			t.Fatal(err)
		}
		if err != nil {
			last = deep + "/f"
			if _, err := os.Create(last); err != nil {
				t.Fatal(err)
			}
		}
		e := w.find(t, fmt.Sprintf("open of a path of %d bytes", len(last)), named("openat", last))
		if string(e.FD.Name) != last {
			t.Errorf("path of %d bytes came as one of %d", len(last), len(e.FD.Name))
		}
	}
}

func TestProgramsOfEveryKind(t *testing.T) {
	w := watch(t, New(), kinds("execve", "openat"))
	text, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}

	fd, err := unix.MemfdCreate("ghost", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, text); err != nil {
		t.Fatal(err)
	}
	run := func(fd uintptr, arg string) {
		t.Helper()
		cmd := exec.Command(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), arg)
		cmd.Args[0] = "true" // by which a busybox knows what it is
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	run(uintptr(fd), "out-of-memory")
	p := w.find(t, "program in memory", arg("out-of-memory")).Process
	if !p.File.Memory || !p.File.Deleted || p.Path != "/memfd:ghost" {
		t.Errorf("program in memory: %+v %q", p.File, p.Path)
	}

	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.WriteFile(gone, text, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(gone)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	run(f.Fd(), "deleted")
	if p = w.find(t, "deleted program", arg("deleted")).Process; p.File.Memory || !p.File.Deleted || p.Path != gone {
		t.Errorf("deleted program: %+v %q", p.File, p.Path)
	}

	huge := []string{"huge"}
	for range 20 {
		huge = append(huge, strings.Repeat("z", 100_000))
	}
	if err := exec.Command("/bin/true", huge...).Run(); err != nil {
		t.Fatal(err)
	}
	p = w.find(t, "2 MB of arguments", arg("huge")).Process
	if got := len(strings.Join(p.Args, " ")); got < 4000 || got > 4096 {
		t.Errorf("%d bytes of arguments", got)
	}
}

func arg(first string) func(*bulwark.Event) bool {
	return func(e *bulwark.Event) bool {
		return e.Kind == bulwark.KindExec && len(e.Process.Args) > 0 && e.Process.Args[0] == first
	}
}

// TestProcessIsAsProcSays compares what is told of a program with what /proc says.
func TestProcessIsAsProcSays(t *testing.T) {
	w := watch(t, New(), kinds("execve"))
	cmd := exec.Command("/bin/sleep", "30")
	cmd.Dir, cmd.Env = t.TempDir(), []string{"A=1", "B=two words", "C="}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	e := w.find(t, "sleep", func(e *bulwark.Event) bool { return e.Kind == bulwark.KindExec && e.Process.PID == cmd.Process.Pid })
	p := e.Process
	proc := fmt.Sprintf("/proc/%d/", p.PID)
	text := func(name string) string {
		b, err := os.ReadFile(proc + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	goes := func(name string) string {
		to, err := os.Readlink(proc + name)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	status := map[string]string{}
	for line := range strings.Lines(text("status")) {
		k, v, _ := strings.Cut(line, ":")
		status[k] = strings.TrimSpace(v)
	}
	stat := strings.Fields(text("stat")[strings.LastIndex(text("stat"), ")")+2:])
	var st unix.Stat_t
	if err := unix.Stat(proc+"exe", &st); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, got, want string }{
		{"exe", p.Path, goes("exe")}, {"cwd", p.CWD, goes("cwd")}, {"comm", p.Name + "\n", text("comm")},
		{"cmdline", p.Exe + "\x00" + strings.Join(p.Args, "\x00") + "\x00", text("cmdline")},
		{"environ", strings.Join(p.Env, "\x00") + "\x00", text("environ")},
		{"ppid", fmt.Sprint(p.PPID), stat[1]}, {"pgrp", fmt.Sprint(p.PGID), stat[2]}, {"session", fmt.Sprint(p.SID), stat[3]},
		{"tty", fmt.Sprint(p.TTY), stat[4]}, {"start", fmt.Sprint(p.Start / 1e7), stat[19]},
		{"CapEff", fmt.Sprintf("%016x", p.Effective), status["CapEff"]}, {"CapPrm", fmt.Sprintf("%016x", p.Permitted), status["CapPrm"]},
		{"CapInh", fmt.Sprintf("%016x", p.Inheritable), status["CapInh"]}, {"loginuid", fmt.Sprint(p.Login), loginuid(proc)},
		{"NSpid", fmt.Sprint(p.VPID), last(status["NSpid"])}, {"NSpgid", fmt.Sprint(p.VPGID), last(status["NSpgid"])},
		{"NSsid", fmt.Sprint(p.VSID), last(status["NSsid"])},
		{"ns/mnt", fmt.Sprintf("mnt:[%d]", p.Namespaces.Mount), goes("ns/mnt")}, {"ns/pid", fmt.Sprintf("pid:[%d]", p.Namespaces.PID), goes("ns/pid")},
		{"ns/net", fmt.Sprintf("net:[%d]", p.Namespaces.Net), goes("ns/net")}, {"ns/user", fmt.Sprintf("user:[%d]", p.Namespaces.User), goes("ns/user")},
		{"ns/uts", fmt.Sprintf("uts:[%d]", p.Namespaces.UTS), goes("ns/uts")}, {"ns/ipc", fmt.Sprintf("ipc:[%d]", p.Namespaces.IPC), goes("ns/ipc")},
		{"ns/cgroup", fmt.Sprintf("cgroup:[%d]", p.Namespaces.Cgroup), goes("ns/cgroup")},
		{"inode", fmt.Sprint(p.File.Inode, p.File.Device), fmt.Sprint(st.Ino, st.Dev)},
		{"ctime", fmt.Sprint(p.File.Changed), fmt.Sprint(st.Ctim.Nano())}, {"mtime", fmt.Sprint(p.File.Modified), fmt.Sprint(st.Mtim.Nano())},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, /proc says %q", c.what, c.got, c.want)
		}
	}
	if a, ok := e.Arg("args"); !ok || !bytes.Equal(a.Text, []byte("30\x00")) {
		t.Errorf("args = %q", a.Text)
	}
}

func loginuid(proc string) string {
	b, err := os.ReadFile(proc + "loginuid")
	if err != nil {
		return "4294967295"
	}
	return string(b)
}

func last(list string) string {
	words := strings.Fields(list)
	return words[len(words)-1]
}

// TestPathsOfDescriptors: a relative path begins in the folder that a descriptor names, and not in the working directory.
func TestPathsOfDescriptors(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("unlinkat", "renameat2", "mkdirat", "symlinkat"))
	from, to := t.TempDir(), t.TempDir()
	open := func(dir string) int {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	a, b := open(from), open(to)
	for _, err := range []error{
		unix.Mkdirat(a, "one", 0o755), unix.Renameat2(a, "one", b, "two", 0), unix.Symlinkat("one", a, "link"), unix.Unlinkat(a, "link", 0),
		unix.Unlinkat(b, "two", unix.AT_REMOVEDIR), unix.Unlinkat(b, from+"/absolute", 0),
	} {
		if err != nil && err != unix.ENOENT {
			t.Fatal(err)
		}
	}
	w.find(t, "mkdirat", named("mkdirat", from+"/one"))
	w.find(t, "renameat2", both(named("renameat2", from+"/one"), named("renameat2", to+"/two")))
	w.find(t, "symlinkat", both(named("symlinkat", from+"/link"), named("symlinkat", "one")))
	w.find(t, "unlinkat", named("unlinkat", from+"/link"))
	w.find(t, "unlinkat of a folder", named("unlinkat", to+"/two"))
	w.find(t, "unlinkat of an absolute path", named("unlinkat", from+"/absolute"))
}

// TestChangedFolder: who changes the working directory tells where it is then, whatever the path was.
func TestChangedFolder(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("chdir"))
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "link"))
	e := w.find(t, "chdir", named("chdir", filepath.Join(dir, "link")))
	if string(e.FD.Name) != filepath.Join(dir, "real") || e.FD.Kind != bulwark.FDDirectory || e.FD.Outside {
		t.Errorf("%+v %q", e.FD, e.FD.Name)
	}
}

// TestEveryEventTellsOfItsThread: an event has the capabilities and namespaces that its thread has by then.
func TestEveryEventTellsOfItsThread(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("mkdirat", "unshare"))
	dir := t.TempDir()
	own := map[string]string{}
	for _, name := range []string{"mnt", "net", "user", "cgroup"} {
		own[name], _ = os.Readlink("/proc/self/ns/" + name)
	}
	done := make(chan int)
	go onAThreadOfItsOwn(func() {
		tid := unix.Gettid()
		_ = unix.Mkdirat(unix.AT_FDCWD, dir+"/before", 0o700)
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
			tid = 0
		}
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&h, &none[0]); err != nil {
			tid = 0
		}
		_ = unix.Mkdirat(unix.AT_FDCWD, dir+"/after", 0o700)
		done <- tid
	})
	tid := <-done
	if tid == 0 {
		need.Missing(t, "namespaces that can be left")
	}
	before, after := w.find(t, "mkdir", named("mkdirat", dir+"/before")), w.find(t, "mkdir", named("mkdirat", dir+"/after"))
	for _, ns := range []struct {
		name string
		got  uint32
	}{
		{"mnt", before.Process.Namespaces.Mount}, {"net", before.Process.Namespaces.Net}, {"user", before.Process.Namespaces.User},
		{"user", after.Process.Namespaces.User}, {"cgroup", after.Process.Namespaces.Cgroup},
	} {
		if want := own[ns.name]; want != fmt.Sprintf("%s:[%d]", ns.name, ns.got) {
			t.Errorf("%s: %d, /proc says %s", ns.name, ns.got, want)
		}
	}
	b, a := before.Process, after.Process
	if a.Namespaces.Mount == b.Namespaces.Mount || a.Namespaces.Net == b.Namespaces.Net || a.Namespaces.Mount == 0 {
		t.Errorf("after unshare: %+v, before: %+v", a.Namespaces, b.Namespaces)
	}
	if b.Effective == 0 || a.Effective != 0 {
		t.Errorf("capabilities %x before, %x after capset", b.Effective, a.Effective)
	}
}

// onAThreadOfItsOwn does something on a thread that ends with it, which is not the first of the process.
func onAThreadOfItsOwn(do func()) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	if unix.Gettid() != os.Getpid() {
		do()
		return
	}
	done := make(chan bool)
	go func() { defer close(done); onAThreadOfItsOwn(do) }()
	<-done
	runtime.UnlockOSThread()
}

// TestLayers: of a file and of a program on overlayfs it is told whether they are in its upper layer.
func TestLayers(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("openat", "execve"))
	dir := t.TempDir()
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lower", "upper", "work", "all"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "lower", "old"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	all := filepath.Join(dir, "all")
	if err := unix.Mount("overlay", all, "overlay", 0, fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)); err != nil {
		need.Missing(t, "overlayfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(all, unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(all, "new"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, upper := range map[string]bool{"old": false, "new": true} {
		file := filepath.Join(all, name)
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		opened := w.find(t, "open of "+name, func(e *bulwark.Event) bool { return string(e.FD.Name) == file && e.Result >= 0 })
		if opened.FD.Upper != upper {
			t.Errorf("%s: upper layer: %v", name, opened.FD.Upper)
		}
		cmd := exec.Command(file, "of-layers-"+name)
		cmd.Args[0] = "true" // by which a busybox knows what it is
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if p := w.find(t, "start of "+name, arg("of-layers-"+name)).Process; p.File.Upper != upper || p.File.Lower == upper {
			t.Errorf("program %s: %+v", name, p.File)
		}
	}
}
