//go:build linux

package apiserver

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"bulwark/test/apiserver/harness"
	"bulwark/test/internal/synth"
)

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bulwark-apiserver-test-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "bulwark")
	cmd := exec.Command("go", "build", "-o", file, "bulwark/cmd/bulwark")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := built(); err == nil && started {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

var started bool // the program was built

// command is a run of the program that begins with nothing in its caches.
func command(t *testing.T, kubeconfig string, args ...string) *exec.Cmd {
	t.Helper()
	started = true
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "XDG_CACHE_HOME="+t.TempDir())
	return cmd
}

// run runs the program, and gives what it wrote and what it took.
func run(t *testing.T, kubeconfig string, args ...string) (stdout, stderr []byte, took time.Duration, rss int64) {
	t.Helper()
	cmd := command(t, kubeconfig, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	begin := time.Now()
	err := cmd.Run()
	took = time.Since(begin)
	if err != nil {
		t.Fatalf("bulwark %q: %v\n%s", args, err, errs.Bytes())
	}
	return out.Bytes(), errs.Bytes(), took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// fails runs the program where it fails, and gives what it says and its exit code.
func fails(t *testing.T, kubeconfig string, args ...string) (said string, code int) {
	t.Helper()
	cmd := command(t, kubeconfig, args...)
	out, _ := cmd.CombinedOutput() // the exit code tells
	return string(out), cmd.ProcessState.ExitCode()
}

// TestLarge holds the look at a cluster of 10,000 pods to its budget of memory, and tells how
// long it takes: a busy machine fails no test.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const pods = 10_000
	config := harness.Canned(t, synth.Cluster(1, pods))
	file := filepath.Join(t.TempDir(), "large.snap")
	for _, args := range [][]string{
		{"snapshot", "cluster", "-o", file},
		{"scan", "snapshot:" + file, "--only", "misconfig,exposure,secret", "-f", "json"},
		{"scan", "cluster", "--only", "misconfig,exposure,secret", "-f", "json"},
	} {
		out, _, took, rss := run(t, config, args...)
		found := bytes.Count(out, []byte(`"rule":`))
		t.Logf("%v: %v, %d MB, %d findings", args[:2], took.Round(time.Millisecond), rss>>20, found)
		if args[0] == "scan" && found < pods/100 {
			t.Errorf("%v found %d things alone: %.2000s", args[:2], found, out)
		}
		if rss > 300<<20 {
			t.Errorf("%v took %d MB", args[:2], rss>>20)
		}
	}
}
