//go:build linux && (amd64 || arm64)

package guard

import (
	"encoding/json"
	"fmt"
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

func init() {
	acts["run"] = func(a []string) error { return runProgram(a[0]) }
	acts["race"] = func(a []string) error { return race(a[0], a[1]) }
	acts["wait"] = func([]string) error { return unix.Pause() }
}

func runProgram(path string) error {
	cmd := exec.Command(path)
	cmd.Env = []string{"GUARD_TEST=say"}
	out, err := cmd.CombinedOutput()
	if err == nil && string(out) != "ok\n" {
		return fmt.Errorf("said %s", out)
	}
	return err
}

// race executes a program while the folder that it is in gets another name, again and again.
func race(dir, program string) error {
	go func() {
		for {
			os.Rename(dir, dir+"-else")
			os.Rename(dir+"-else", dir)
		}
	}()
	ran := 0
	for range 150 {
		if runProgram(filepath.Join(dir, program)) == nil {
			ran++
		}
	}
	if ran == 0 {
		return nil
	}
	return fmt.Errorf("ran %d times", ran)
}

// box is a container whose root is an overlay, run by runc.
type box struct {
	t                        *testing.T
	state, id, bundle, upper string
	pid                      int
	cgroup                   string
	volume                   string
}

// box runs one below an engine's cgroup.
func newBox(t *testing.T, engine string) *box {
	t.Helper()
	whole(t)
	need.Tool(t, "runc")
	dir := t.TempDir()
	b := &box{t: t, state: filepath.Join(dir, "state"), bundle: dir, id: fmt.Sprintf("guard-%d-%s", os.Getpid(), filepath.Base(dir)),
		upper: filepath.Join(dir, "upper"), volume: filepath.Join(dir, "volume")}
	b.cgroup = engine + "/" + b.id
	b.mount(dir)
	b.configure()
	t.Cleanup(func() { b.end() })
	log := filepath.Join(dir, "log") // the container would hold a pipe open
	if err := exec.Command("runc", "--root", b.state, "--log", log, "run", "--bundle", dir, "--detach", "--pid-file", dir+"/pid", b.id).Run(); err != nil {
		said, _ := os.ReadFile(log)
		t.Fatalf("runc run: %v %s", err, said)
	}
	text, err := os.ReadFile(dir + "/pid")
	if err != nil {
		t.Fatal(err)
	}
	b.pid, _ = strconv.Atoi(string(text))
	return b
}

func (b *box) mount(dir string) {
	for _, d := range []string{"lower/bin", "lower/proc", "lower/dev", "lower/tmp", "lower/ram", "lower/volume", "upper", "work", "rootfs", "volume"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	copyProgram(b.t, filepath.Join(dir, "lower/bin/program"))
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	if err := unix.Mount("overlay", dir+"/rootfs", "overlay", 0, options); err != nil {
		need.Missing(b.t, "an overlay: %v", err)
	}
	b.t.Cleanup(func() {
		if err := unix.Unmount(dir+"/rootfs", 0); err != nil {
			b.t.Error("unmounting: ", err)
			unix.Unmount(dir+"/rootfs", unix.MNT_DETACH)
		}
	})
}

func (b *box) configure() {
	type object = map[string]any
	config := object{"ociVersion": "1.0.2", "root": object{"path": "rootfs"}, "hostname": "box",
		"process": object{"args": []string{"/bin/program"}, "env": []string{"GUARD_TEST=wait"}, "cwd": "/", "user": object{"uid": 0, "gid": 0}},
		"mounts": []object{{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
			{"destination": "/ram", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/volume", "type": "bind", "source": b.volume, "options": []string{"rbind", "rw"}}},
		"linux": object{"cgroupsPath": b.cgroup, "namespaces": []object{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}}}}
	text, err := json.Marshal(config)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.bundle, "config.json"), text, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) end() {
	exec.Command("runc", "--root", b.state, "delete", "--force", b.id).Run()
	for range 50 { // until its processes have gone
		if _, err := os.Stat(filepath.Join(look().unified, b.cgroup)); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// do runs the image's program in the container as something.
func (b *box) do(act string, args ...string) string {
	b.t.Helper()
	line := append([]string{"--root", b.state, "exec", "--env", "GUARD_TEST=" + act, b.id, "/bin/program"}, args...)
	out, _ := exec.Command("runc", line...).CombinedOutput()
	return strings.TrimSpace(string(out))
}

// drop copies the program into the container, by way of its root.
func (b *box) drop(path string) string {
	b.t.Helper()
	file := "/proc/" + strconv.Itoa(b.pid) + "/root" + path
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	copyProgram(b.t, file)
	return path
}

func (b *box) scope() bulwark.Scope { return bulwark.Scope{Path: b.cgroup, PID: b.pid} }

func TestDrift(t *testing.T) {
	needNode(t)
	engine := cgroup(t, "engine")
	b, other := newBox(t, engine), newBox(t, engine)
	d := start(t, bulwark.Block{Rule: "drift", Deed: bulwark.DeedExecDrift, Scope: b.scope()})
	for path, denied := range map[string]bool{"/dropped": true, "/ram/dropped": true, "/tmp/deep/dropped": true, "/volume/dropped": false} {
		b.drop(path)
		out := b.do("run", path)
		if !denied && out != "ok" || denied && !strings.Contains(out, "operation not permitted") {
			t.Errorf("%s: %s, want denied %v", path, out, denied)
		}
		if !denied {
			continue
		}
		got := d.next(t)
		got.Time, got.Start = 0, 0
		if got.PID == 0 || got.Path != path || got.Act != bulwark.Denied || got.Rule != "drift" || got.Cgroup == 0 || got.Name != "program" {
			t.Errorf("%s: told %+v", path, got)
		}
		other.drop(path)
		if out := other.do("run", path); out != "ok" {
			t.Errorf("%s in a container that nobody asked about: %s", path, out)
		}
	}
	if out := b.do("run", "/bin/program"); out != "ok" {
		t.Errorf("a program of the image: %s", out)
	}
	if out := b.do("memfd", "/bin/program"); strings.Contains(out, "ok") {
		t.Errorf("out of memory: %s", out)
	}
	if got := d.next(t); got.Act != bulwark.Killed || got.Start == 0 {
		t.Errorf("out of memory: told %+v", got)
	}
}

// A folder that changes its name while it is asked about gains nothing.
func TestDriftRace(t *testing.T) {
	needNode(t)
	b := newBox(t, cgroup(t, "race"))
	d := start(t, bulwark.Block{Rule: "drift", Deed: bulwark.DeedExecDrift, Scope: b.scope()})
	b.drop("/folder/program")
	if out := b.do("race", "/folder", "program"); out != "ok" {
		t.Error(out)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	acts := map[bulwark.Act]int{}
	for _, one := range d.list {
		acts[one.Act]++
	}
	t.Logf("%d denied, %d killed", acts[bulwark.Denied], acts[bulwark.Killed])
}

// What holds for an engine holds for a container that begins afterwards.
func TestDriftOfEngine(t *testing.T) {
	needNode(t)
	engine := cgroup(t, "all")
	d := start(t, bulwark.Block{Rule: "drift of all", Deed: bulwark.DeedExecDrift, Scope: bulwark.Scope{Path: engine}},
		bulwark.Block{Rule: "metadata", Deed: bulwark.DeedConnect, Scope: bulwark.Scope{Path: engine},
			Nets: []bulwark.Destination{{Net: mustPrefix("169.254.169.254/32")}}})
	b := newBox(t, engine)
	b.drop("/dropped")
	if out := b.do("run", "/dropped"); !strings.Contains(out, "killed") {
		t.Errorf("dropped: %s", out)
	}
	if got := d.next(t); got.Act != bulwark.Killed || got.Path != "/dropped" || got.Rule != "drift of all" {
		t.Errorf("told %+v", got)
	}
	if out := b.do("connect", "tcp", "169.254.169.254:80"); !strings.Contains(out, "operation not permitted") {
		t.Errorf("metadata: %s", out)
	}
	if got := d.next(t); got.Rule != "metadata" || got.Name == "" {
		t.Errorf("told %+v", got)
	}
}

func TestBelowInContainer(t *testing.T) {
	needNode(t)
	b := newBox(t, cgroup(t, "below"))
	d := start(t, bulwark.Block{Rule: "below", Deed: bulwark.DeedExecBelow, Scope: b.scope(), Below: []string{"/ram", "/volume/x", "/tmp"}})
	for path, denied := range map[string]bool{"/ram/dropped": true, "/volume/x/dropped": true, "/volume/dropped": false, "/tmp/dropped": true, "/dropped": false} {
		b.drop(path)
		out := b.do("run", path)
		if !denied && out != "ok" || denied && !strings.Contains(out, "operation not permitted") {
			t.Errorf("%s: %s, want denied %v", path, out, denied)
		}
		if denied {
			if got := d.next(t); got.Path != path || got.Deed != bulwark.DeedExecBelow {
				t.Errorf("%s: told %+v", path, got)
			}
		}
	}
	if out, err := command(t, "", filepath.Join(b.volume, "x/dropped"), "say").CombinedOutput(); err != nil {
		t.Errorf("the node's own way to the volume: %v %s", err, out)
	}
}
