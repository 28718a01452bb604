package watch_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/need"
	"bulwark/source/container"
	"bulwark/source/kernel"
	"bulwark/watch"
)

// seen is a detector that finds every program that starts below a folder.
type seen struct{ dir string }

func (seen) Info() bulwark.Info         { return bulwark.Info{Name: "detect/seen"} }
func (seen) Interest() bulwark.Interest { return bulwark.Interest{bulwark.KindExec: nil} }
func (s seen) Observe(e *bulwark.Event) []bulwark.Finding {
	if filepath.Dir(e.Process.Path) != s.dir {
		return nil
	}
	return []bulwark.Finding{{Rule: "seen/exec", Severity: bulwark.SeverityCritical, Title: "it starts", Subject: e.Process.Path}}
}

type told struct {
	findings chan bulwark.Finding
	notes    []string
}

func (h *told) Handle(r bulwark.Record) error {
	if r.Finding != nil && r.Finding.Count == 0 {
		h.findings <- *r.Finding
	}
	if r.Note != nil {
		h.notes = append(h.notes, r.Note.Plugin+": "+r.Note.Text)
	}
	return nil
}

// needsKernel skips where the sensor cannot work.
func needsKernel(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
	if runtime.GOOS != "linux" {
		t.Skip("watching a machine needs Linux")
	}
	need.Root(t)
}

func TestLive(t *testing.T) {
	needsKernel(t)
	dir := t.TempDir()
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		need.Missing(t, "/bin/true: %v", err)
	}
	const runs = 30
	out := &told{findings: make(chan bulwark.Finding, 4*runs)}
	ready := make(chan struct{})
	finder := container.New(container.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go finder.Run(ctx)
	w := &watch.Watcher{Sensors: []bulwark.Sensor{kernel.New()}, Detectors: []bulwark.Detector{seen{dir}}, Containers: finder, Handler: out, Ready: func() { close(ready) }}
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- w.Run(ctx) }()
	select {
	case err := <-done:
		need.Missing(t, "what the sensor needs: %v", err)
	case <-ready:
	}
	t.Logf("ready after %v", time.Since(began))
	var late []time.Duration
	for range runs {
		name := filepath.Join(dir, "p"+time.Now().Format("150405.000000000"))
		if err := os.WriteFile(name, program, 0o755); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		if out, err := exec.Command("/bin/sh", "-c", name+" a b; true").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		select {
		case f := <-out.findings:
			late = append(late, time.Since(at))
			check(t, f, name)
		case <-time.After(10 * time.Second):
			t.Fatalf("the start of %s is not told", name)
		}
	}
	slices.Sort(late)
	t.Logf("from before the start to the finding: median %v, most %v", late[runs/2], late[runs-1])
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	t.Logf("%q", out.notes)
}

func check(t *testing.T, f bulwark.Finding, name string) {
	t.Helper()
	p := f.Process
	if p == nil || p.Path != name || len(p.Args) != 3 || len(p.Parents) < 2 {
		t.Fatalf("process %+v", p)
	}
	if p.Parents[0].Name != "sh" || p.Parents[1].PID != os.Getpid() || p.User != "root" {
		t.Fatalf("parents %.600v, user %q", p.Parents, p.User)
	}
}

// unlinked is a detector that finds every attempt to remove a file of a folder.
type unlinked struct{ dir string }

func (unlinked) Info() bulwark.Info { return bulwark.Info{Name: "detect/unlinked"} }
func (unlinked) Interest() bulwark.Interest {
	want := bulwark.Interest{}
	for _, name := range []string{"unlink", "unlinkat"} {
		if k, ok := bulwark.KindNamed(name); ok {
			want[k] = nil
		}
	}
	return want
}

func (u unlinked) Observe(e *bulwark.Event) []bulwark.Finding {
	for _, name := range []string{"path", "name"} {
		if arg, ok := e.Arg(name); ok && filepath.Dir(string(arg.Text)) == u.dir {
			return []bulwark.Finding{{Rule: "unlinked/file", Severity: bulwark.SeverityCritical, Title: "it goes", Subject: string(arg.Text)}}
		}
	}
	return nil
}

// TestThereBefore: of a process that was there before the watch, and ends as soon as there is one, all is known.
func TestThereBefore(t *testing.T) {
	needsKernel(t)
	dir := t.TempDir()
	program, err := exec.LookPath("rm")
	if err != nil {
		need.Missing(t, "rm: %v", err)
	}
	const many = 40
	answers := map[string]io.Writer{}
	for i := range many {
		name := filepath.Join(dir, fmt.Sprint("f", i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-i", "--", name) // asks, and waits for the answer
		if answers[name], err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	out := &told{findings: make(chan bulwark.Finding, 4*many)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready := make(chan struct{})
	w := &watch.Watcher{Sensors: []bulwark.Sensor{kernel.New()}, Detectors: []bulwark.Detector{unlinked{dir}}, Handler: out, Ready: func() { close(ready) }}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	select {
	case err := <-done:
		need.Missing(t, "what the sensor needs: %v", err)
	case <-ready:
	}
	for _, to := range answers {
		if _, err := io.WriteString(to, "y\n"); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		select {
		case f := <-out.findings:
			p := f.Process
			if p == nil || p.Path != program || len(p.Args) != 4 || p.Args[3] != f.Subject || len(p.Parents) == 0 || p.Parents[0].PID != os.Getpid() {
				t.Errorf("%s: %+v", f.Subject, p)
			}
			delete(answers, f.Subject)
		case <-time.After(10 * time.Second):
			t.Fatalf("%d files that were removed are not told of", len(answers))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
