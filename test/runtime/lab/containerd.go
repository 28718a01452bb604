package lab

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bulwark/internal/need"
)

// Containerd is the one of the lab's Docker, in a namespace of its own.
type Containerd struct {
	docker *Docker
	ctr    string
}

// NewContainerd is for containers that Docker does not know.
func NewContainerd(t testing.TB, d *Docker) *Containerd {
	t.Helper()
	return &Containerd{docker: d, ctr: need.Tool(t, "ctr")}
}

func (c *Containerd) command(args ...string) *exec.Cmd {
	cmd := exec.Command(c.ctr, append([]string{"-a", c.docker.Exec + "/containerd/containerd.sock", "-n", "lab"}, args...)...)
	cmd.Env = os.Environ()
	return cmd
}

// Image gives it the lab's image, and the name that it has there.
func (c *Containerd) Image(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, c.docker.must(t, http.MethodGet, "/images/"+Image+"/get", nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := c.command("image", "import", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "docker.io/library/" + Image
}

// Folder is a root file system that is no image.
func (c *Containerd) Folder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rootfs")
	RootFS(t, c.docker.Helper, dir)
	return dir
}

// Start starts a container of an image, or of a folder, that runs the command until the test ends.
func (c *Containerd) Start(t testing.TB, from string, command ...string) (id string) {
	t.Helper()
	id = strings.Repeat(random(), 8)
	args := []string{"run", "--runc-binary", filepath.Join(filepath.Dir(c.docker.Socket), "shim")}
	if filepath.IsAbs(from) {
		args = append(args, "--rootfs")
	}
	cmd := c.command(append(append(args, from, id), command...)...)
	var said locked
	cmd.Stdout, cmd.Stderr = &said, &said
	dies(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.command("task", "kill", "-s", "9", id).Run()
		cmd.Wait()
		c.command("task", "rm", "-f", id).Run()
		c.command("container", "rm", id).Run()
		if t.Failed() {
			t.Logf("ctr said: %s", said.String())
		}
	})
	return id
}
