// Package registrytest starts a real registry for tests: the program docker-registry.
package registrytest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Start starts an empty registry on loopback, which ends with the test, and returns its
// address. With a password it wants one of the user "tester". It skips the test where
// the program is not installed; in CI that is a failure.
func Start(t *testing.T, password string) string {
	t.Helper()
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("docker-registry is not installed")
		}
		t.Skip("docker-registry is not installed")
	}
	dir, addr := t.TempDir(), free(t)
	cmd := exec.Command(binary, "serve", configure(t, dir, addr, password))
	cmd.Env = []string{"HOME=" + dir} // REGISTRY_ variables would configure it
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var lines []string
	for s := bufio.NewScanner(out); s.Scan(); lines = append(lines, s.Text()) {
		if strings.Contains(s.Text(), "listening on") {
			go io.Copy(io.Discard, out)
			return addr
		}
	}
	t.Fatalf("docker-registry did not start:\n%s", strings.Join(lines, "\n"))
	return ""
}

// free is an address of loopback that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// configure writes the registry's configuration into the folder that it keeps its data in.
func configure(t *testing.T, dir, addr, password string) (file string) {
	t.Helper()
	config := "version: 0.1\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\nhttp: {addr: '" + addr + "'}\n"
	if password != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "htpasswd"), "tester:"+string(hash)+"\n")
		config += "auth: {htpasswd: {realm: test, path: " + dir + "/htpasswd}}\n"
	}
	file = filepath.Join(dir, "config.yml")
	write(t, file, config)
	return file
}

func write(t *testing.T, file, s string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}
