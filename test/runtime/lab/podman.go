package lab

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"bulwark/internal/need"
)

// Podman runs containers with a storage of its own, without a service.
type Podman struct {
	dir    string
	global []string
}

// NewPodman imports the lab's image.
func NewPodman(t testing.TB) *Podman {
	t.Helper()
	need.Root(t)
	binary := need.Tool(t, "podman")
	runc := need.Tool(t, "runc")
	dir := scratch(t)
	helper := Helper(t, dir)
	shim := dir + "/shim"
	if err := os.Link(helper, shim); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LAB_RUNC", runc)
	p := &Podman{dir: dir, global: []string{
		binary, "--root", dir + "/root", "--runroot", dir + "/run", "--tmpdir", dir + "/tmp", "--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs", "--runtime", shim,
	}}
	cmd := p.command("import", "-q", "-", Image)
	cmd.Stdin = rootFS(t, helper)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

func (p *Podman) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.global[0], append(p.global[1:len(p.global):len(p.global)], args...)...)
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "TMPDIR="+p.dir)
	return cmd
}

// Start starts a container that runs the command until the test ends, and gives its id.
func (p *Podman) Start(t testing.TB, name string, command ...string) (id string) {
	t.Helper()
	out, err := p.command(append([]string{"run", "-d", "--network=none", "--name", name, "localhost/" + Image}, command...)...).CombinedOutput()
	t.Cleanup(func() { p.command("rm", "-f", "-t", "0", name).Run() })
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
