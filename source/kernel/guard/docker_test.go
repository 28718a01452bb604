//go:build linux && (amd64 || arm64)

package guard

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

// docker is a daemon of the test's own.
type docker struct {
	t    *testing.T
	host string
}

func startDocker(t *testing.T) *docker {
	t.Helper()
	whole(t)
	for _, program := range []string{"dockerd", "docker", "containerd", "runc"} {
		need.Tool(t, program)
	}
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "daemon.json")
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &docker{t, "unix://" + dir + "/docker.sock"}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("dockerd", "--config-file", config, "--host", d.host, "--data-root", dir+"/root", "--exec-root", dir+"/run", "--pidfile", dir+"/pid",
		"--storage-driver", "overlay2", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(unix.SIGTERM)
		cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); exec.Command("docker", "--host", d.host, "version").Run() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			need.Missing(t, "a dockerd that starts: %s", said)
		}
	}
	return d
}

func (d *docker) try(args ...string) (string, error) {
	out, err := exec.Command("docker", append([]string{"--host", d.host}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (d *docker) must(args ...string) string {
	d.t.Helper()
	out, err := d.try(args...)
	if err != nil {
		d.t.Fatalf("docker %s: %v %s", args[0], err, out)
	}
	return out
}

// image makes one that holds the test program alone.
func (d *docker) image() {
	d.t.Helper()
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		d.t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "bin/program", Mode: 0o755, Size: int64(len(program))})
	w.Write(program)
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command("docker", "--host", d.host, "import", "-", "guard:1")
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("docker import: %v %s", err, out)
	}
}

// run begins a container, and gives its scope.
func (d *docker) run(args ...string) (id string, scope bulwark.Scope) {
	d.t.Helper()
	id = d.must(append(append([]string{"run", "--detach", "--network", "none", "--env", "GUARD_TEST=wait"}, args...), "guard:1", "/bin/program")...)
	d.t.Cleanup(func() { d.try("rm", "--force", id) })
	pid, err := strconv.Atoi(d.must("inspect", "--format", "{{.State.Pid}}", id))
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return id, bulwark.Scope{Path: strings.TrimSpace(path), PID: pid}
		}
	}
	d.t.Fatalf("no cgroup: %s", b)
	return "", bulwark.Scope{}
}

func TestDocker(t *testing.T) {
	needNode(t)
	d := startDocker(t)
	d.image()
	id, scope := d.run("--init", "--tmpfs", "/ram:exec")
	said := newTold()
	g := New(said.tell)
	defer g.Close()
	err := g.Load([]bulwark.Block{
		{Rule: "drift", Deed: bulwark.DeedExecDrift, Scope: scope},
		{Rule: "all", Deed: bulwark.DeedExecMemory, Scope: bulwark.Scope{Path: filepath.Dir(scope.Path)}},
		{Rule: "net", Deed: bulwark.DeedConnect, Scope: scope, Nets: []bulwark.Destination{{Net: mustPrefix("169.254.169.254/32")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	do := func(id, act string, args ...string) string {
		out, _ := d.try(append([]string{"exec", "--env", "GUARD_TEST=" + act, id, "/bin/program"}, args...)...)
		return out
	}
	file := "/proc/" + strconv.Itoa(scope.PID) + "/root"
	for _, path := range []string{"/dropped", "/ram/dropped"} {
		copyProgram(t, file+path)
		if out := do(id, "run", path); !strings.Contains(out, "operation not permitted") {
			t.Errorf("%s: %s", path, out)
		}
		if got := said.next(t); got.Path != path || got.Rule != "drift" {
			t.Errorf("told %+v", got)
		}
	}
	for act, args := range map[string][]string{"run": {"/bin/program"}, "say": nil} {
		if out := do(id, act, args...); out != "ok" {
			t.Errorf("%s: %s", act, out)
		}
	}
	if out := do(id, "connect", "tcp", "169.254.169.254:80"); !strings.Contains(out, "operation not permitted") {
		t.Errorf("metadata: %s", out)
	}
	said.next(t)
	later, _ := d.run() // the engine's own start is not stopped
	if out := do(later, "memfd", "/bin/program"); strings.Contains(out, "ok") {
		t.Errorf("memory, in a container that began later: %s", out)
	}
	if got := said.next(t); got.Act != bulwark.Killed || got.Rule != "all" {
		t.Errorf("told %+v", got)
	}
	if out := do(later, "say"); out != "ok" {
		t.Errorf("say: %s", out)
	}
	// A container that ends is no hindrance, and is none for its removal.
	d.must("rm", "--force", id)
	if err := g.Load([]bulwark.Block{{Rule: "drift", Deed: bulwark.DeedExecDrift, Scope: scope}}); err != nil {
		t.Errorf("loading for a container that has gone: %v", err)
	}
}
