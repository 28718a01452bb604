//go:build linux

package hostile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
	"bulwark/watch/trace"
)

// act is what this test program does when it is started as a process that is to be watched.
func init() {
	switch os.Getenv("HOSTILE_ACT") {
	case "open": // opens a file many times
		n, _ := strconv.Atoi(os.Getenv("HOSTILE_TIMES"))
		for range n {
			if fd, err := syscall.Open(os.Getenv("HOSTILE_FILE"), syscall.O_RDONLY, 0); err == nil {
				syscall.Close(fd)
			}
		}
		os.Exit(0)
	case "filtered": // may not call bpf
		if err := refuseBPF(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(7)
		}
		os.Unsetenv("HOSTILE_ACT")
		err := syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
		fmt.Fprintln(os.Stderr, err)
		os.Exit(7)
	}
}

// refuseBPF has the kernel refuse the call bpf to this process, as container engines do.
func refuseBPF() error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: uint32(unix.SYS_BPF)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x00050000 | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, err := unix.Syscall(unix.SYS_SECCOMP, 1, 1, uintptr(unsafe.Pointer(&prog))); err != 0 { // for all threads
		return err
	}
	return nil
}

// TestWatchWithoutRights: it says exactly what is missing, and exits 1.
func TestWatchWithoutRights(t *testing.T) {
	need.Root(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		command []string
		attr    syscall.SysProcAttr
		env     string
		want    []string
	}{
		{"another user", []string{program}, syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}, "", []string{"CAP_BPF", "CAP_PERFMON", "run it as root"}},
		{"root without capabilities", []string{"setpriv", "--bounding-set", "-sys_admin,-bpf,-perfmon", "--inh-caps", "-all", program}, syscall.SysProcAttr{}, "", []string{"CAP_BPF", "CAP_PERFMON"}},
		{"root without one", []string{"setpriv", "--bounding-set", "-sys_admin,-perfmon", "--inh-caps", "-all", program}, syscall.SysProcAttr{}, "", []string{"needs capability CAP_PERFMON"}},
		{"another user namespace", []string{"unshare", "-Ur", program}, syscall.SysProcAttr{}, "", []string{"user namespace"}},
		{"a seccomp filter", []string{self, program}, syscall.SysProcAttr{}, "HOSTILE_ACT=filtered", []string{"seccomp"}},
		{"no types", []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /sys/kernel/btf && exec "$@"`, "sh", program}, syscall.SysProcAttr{}, "", []string{"/sys/kernel/btf/vmlinux"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			need.Tool(t, tt.command[0])
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), tt.command[0], append(tt.command[1:], "watch", "--for", "10s")...)
			cmd.Stdout, cmd.Stderr, cmd.SysProcAttr, cmd.Dir = &stdout, &stderr, &tt.attr, "/"
			cmd.Env = append(os.Environ(), tt.env)
			_ = cmd.Run()
			said := stderr.String()
			if strings.Contains(said, "unshare failed") || strings.Contains(said, "unshare: ") || strings.Contains(said, "mount: ") {
				need.Missing(t, "namespaces and mounts of its own: %s", said)
			}
			res := &result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: said}
			res.harmless(t)
			if res.code != 1 || res.stdout != "" {
				t.Errorf("exit %d, stdout %q", res.code, res.stdout)
			}
			for _, want := range append(tt.want, "bulwark: error: ") {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
		})
	}
}

// watched is a running bulwark watch.
type watched struct {
	t   *testing.T
	cmd *exec.Cmd
	dir string
}

// watchLive starts it with every format, and is back when it watches.
func watchLive(t *testing.T, flags ...string) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir()}
	args := []string{"watch", "-o", w.dir + "/text"}
	for _, f := range []string{"jsonl", "falco", "ocsf"} {
		args = append(args, "-f", f+"="+filepath.Join(w.dir, f))
	}
	w.cmd = exec.Command(program, append(append(args, "-f", "text"), flags...)...)
	w.cmd.Env = append(os.Environ(), "DOCKER_HOST=unix:///nonexistent/docker.sock")
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.cmd.Process.Kill(); w.cmd.Wait() })
	var said []string
	for lines := bufio.NewScanner(errs); lines.Scan(); {
		if said = append(said, lines.Text()); strings.Contains(lines.Text(), "watching since") {
			go func() {
				for lines.Scan() { // so that it never waits for a reader
				}
			}()
			return w
		}
	}
	need.Missing(t, "what bulwark watch needs:\n%s", strings.Join(said, "\n"))
	return nil
}

// findings are those that were told until now.
func (w *watched) findings() (list []bulwark.Finding) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r struct{ Finding *bulwark.Finding }
		if bytes.HasSuffix(line, []byte("\n")) && json.Unmarshal(line, &r) == nil && r.Finding != nil {
			list = append(list, *r.Finding)
		}
	}
	return list
}

// await waits for a finding.
func (w *watched) await(what string, is func(*bulwark.Finding) bool) *bulwark.Finding {
	w.t.Helper()
	for range 600 {
		list := w.findings()
		for i := range list {
			if is(&list[i]) {
				return &list[i]
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("%s is not told within half a minute", what)
	return nil
}

func (w *watched) end() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("it ended with %v", err)
	}
}

// TestWatchHostileNode: names that attack terminals, a container whose engine is dead, ten thousand repeats, a watcher that is
// stopped, and one that is killed.
func TestWatchHostileNode(t *testing.T) {
	if testing.Short() {
		t.Skip("this machine is watched: not in short runs")
	}
	need.Root(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	evil, bait, rules := baited(t)
	open := func(exe string, times int) *exec.Cmd {
		cmd := exec.Command(exe, "\x1b[2J", "\u202e", "\x9b31m")
		cmd.Env = append(os.Environ(), "HOSTILE_ACT=open", "HOSTILE_FILE="+bait, "HOSTILE_TIMES="+strconv.Itoa(times))
		return cmd
	}
	ours := func(f *bulwark.Finding) bool { return f.Alert != nil && f.Alert.Rule == "Bait opened" }

	w := watchLive(t, "--rules", rules, "--priority", "warning")
	if out, err := open(evil, 1).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	w.await("a process with an evil name", ours)

	t.Run("dead engine", func(t *testing.T) {
		id := strings.Repeat("ab12", 16)
		cmd := open(self, 1)
		if !within(t, cmd, "/docker/"+id) {
			need.Missing(t, "a hierarchy of control groups of the second version")
		}
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
		f := w.await("a container of a dead engine", func(f *bulwark.Finding) bool { return ours(f) && f.Container != nil && f.Container.ID == id })
		t.Logf("told after %v: %s", time.Since(began), f.Container.Missing)
		if f.Container.Missing == "" {
			t.Errorf("it does not say why less is known: %+v", f.Container)
		}
	})

	if out, err := open(self, 10_000).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // by a descriptor of the process
		t.Fatal(err)
	}
	if out, err := open(self, 100).CombinedOutput(); err != nil { // while it is stopped: seen when it goes on
		t.Fatal(err, string(out))
	}
	time.Sleep(4 * time.Second)
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.await("who stopped it, and for how long", func(f *bulwark.Finding) bool {
		return f.Rule == "abuse/sensor-signal" && f.Process != nil && f.Process.PID == os.Getpid() && strings.Contains(strings.Join(f.Evidence, " "), "it stood still for")
	})
	time.Sleep(4 * time.Second) // what nobody explains is told after three of its seconds
	w.end()
	w.harmless()
	told, last := 0, 0
	for _, f := range w.findings() {
		if f.Rule == "abuse/sensor-paused" {
			t.Errorf("the stop is told a second time: %q", f.Evidence)
		}
		if ours(&f) && f.Container == nil && f.Process.Path == self {
			told, last = told+1, f.Count
		}
	}
	if told != 2 || last != 10_100 {
		t.Errorf("10,100 repeats are told %d times, the last time with %d", told, last)
	}

	t.Run("killed", func(t *testing.T) {
		t.Setenv("RUNTIME_DIRECTORY", t.TempDir()) // others watch as well
		w := watchLive(t, "--rules", rules)
		began := w.cmd.Process.Pid
		word := filepath.Join(os.Getenv("RUNTIME_DIRECTORY"), fmt.Sprintf("watch-%d.json", began))
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(word); err == nil {
				break // it leaves word just behind its first words
			}
		}
		w.cmd.Process.Kill()
		w.cmd.Wait()
		w = watchLive(t, "--rules", rules)
		w.await("that the one before was killed", func(f *bulwark.Finding) bool {
			return f.Rule == "watch/killed" && strings.Contains(f.Evidence[0], fmt.Sprint("process ", began, ","))
		})
		if out, err := open(self, 1).CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
		w.await("what happens after that", ours)
		w.end()
	})
}

// harmless looks at all that was written: no control characters, only UTF-8, JSON where that was asked for.
func (w *watched) harmless() {
	w.t.Helper()
	for _, format := range []string{"text", "jsonl", "falco", "ocsf"} {
		b, err := os.ReadFile(filepath.Join(w.dir, format))
		if err != nil {
			w.t.Fatal(err)
		}
		if i := bytes.IndexFunc(b, rude); i >= 0 {
			w.t.Errorf("control character in %s: %q", format, b[max(0, i-40):min(len(b), i+40)])
		}
		if !utf8.Valid(b) || bytes.ContainsRune(b, '\u202e') {
			w.t.Errorf("%s has bytes that are no UTF-8, or turn the writing", format)
		}
		if !bytes.Contains(b, []byte("red")) {
			w.t.Errorf("%s does not tell of the process at all", format)
		}
		for line := range bytes.Lines(b) {
			if format != "text" && !json.Valid(line) {
				w.t.Errorf("%s has a line that is no JSON: %q", format, line)
			}
			if bytes.HasPrefix(line, []byte("bulwark: all is well")) {
				w.t.Errorf("a name made a line of its own in %s", format)
			}
		}
	}
}

// within has a command begin in a control group of that path; false: there are none.
func within(t *testing.T, cmd *exec.Cmd, path string) bool {
	for _, root := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(root + "/cgroup.controllers"); err != nil {
			continue
		}
		made := ""
		dir := root + path
		for d := dir; ; d = filepath.Dir(d) {
			if _, err := os.Stat(d); err == nil {
				break
			}
			made = d
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Log(err)
			return false
		}
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			f.Close()
			for d := dir; made != "" && strings.HasPrefix(d, made); d = filepath.Dir(d) {
				os.Remove(d)
			}
		})
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(f.Fd())}
		return true
	}
	return false
}

// TestWatchManyRules: rules by the thousand load, and a file of errors is refused with few words and their places.
func TestWatchManyRules(t *testing.T) {
	r := newRoom(t)
	tracefile := r.path("in", "a.trace")
	f, err := os.Create(tracefile)
	if err != nil {
		t.Fatal(err)
	}
	w, err := trace.NewWriter(f, trace.Header{Node: "host:recorded", Kinds: []string{"execve"}})
	if err != nil {
		t.Fatal(err)
	}
	p := &bulwark.Process{PID: 11, PPID: 10, Start: 2, Name: "sh", Exe: "sh", Path: "/bin/p4321"}
	if err := w.Event(&bulwark.Event{Time: 1e18, Kind: bulwark.KindExec, Source: bulwark.SourceSyscall, TID: 11, Process: p}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var good, bad strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&good, "- rule: Rule %d\n  desc: d\n  condition: evt.type = execve and proc.exepath = /bin/p%d\n  output: started %%proc.name\n  priority: ERROR\n", i, i)
		fmt.Fprintf(&bad, "- rule: Bad %d\n  desc: d\n  condition: evt.type = execve and nosuch.field = \x1b[31m%d\n  output: x\n  priority: ERROR\n", i, i)
	}
	for name, text := range map[string]string{"good.yaml": good.String(), "bad.yaml": bad.String()} {
		if err := os.WriteFile(r.path("in", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if res := r.run("watch", "--replay", tracefile, "--rules", r.path("in", "good.yaml")); res.code != 0 || !strings.Contains(res.stdout, "Rule 4321") {
		t.Errorf("exit %d\n%.500s\n%.500s", res.code, res.stdout, res.stderr)
	}
	res := r.run("watch", "--replay", tracefile, "--rules", r.path("in", "bad.yaml"))
	if res.code != 2 || len(res.stderr) > 8000 || !strings.Contains(res.stderr, "bad.yaml:") {
		t.Errorf("exit %d\n%.2000s", res.code, res.stderr)
	}
}
