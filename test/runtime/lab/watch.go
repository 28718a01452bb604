package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/need"
)

// Watch is the program bulwark, watching this machine until the test ends.
type Watch struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu    sync.Mutex
	found []Found
	said  bytes.Buffer
	ready chan struct{}
}

// Found is a finding, and when it was told.
type Found struct {
	bulwark.Finding
	Told time.Time
}

// Program builds bulwark, where BULWARK names none that is built.
func Program(t testing.TB) string {
	t.Helper()
	if file := os.Getenv("BULWARK"); file != "" {
		return file
	}
	need.Tool(t, "go")
	file := filepath.Join(t.TempDir(), "bulwark")
	cmd := exec.Command("go", "build", "-o", file, "bulwark/cmd/bulwark")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// usage is how it exits where what the test asks for is wrong.
const usage = 2

// StartWatch starts bulwark watch, with more flags where some are given, and returns when it misses nothing any more.
// Where it cannot watch the test needs what it says.
func StartWatch(t testing.TB, program string, flags ...string) *Watch {
	t.Helper()
	need.Root(t)
	w := &Watch{ended: make(chan struct{}), ready: make(chan struct{})}
	w.cmd = exec.Command(program, append([]string{"watch", "-f", "jsonl"}, flags...)...)
	dies(w.cmd)
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { w.read(out) })
	readers.Go(func() { w.listen(errs) })
	go func() {
		readers.Wait()
		w.cmd.Wait()
		close(w.ended)
	}()
	t.Cleanup(func() {
		w.Stop()
		if t.Failed() {
			t.Logf("bulwark said:\n%s", w.Said())
		}
	})
	select {
	case <-w.ready:
	case <-w.ended:
		if w.cmd.ProcessState.ExitCode() == usage {
			t.Fatalf("bulwark watch does not take what it is asked:\n%s", w.Said())
		}
		need.Missing(t, "what bulwark watch needs:\n%s", w.Said())
	case <-time.After(time.Minute):
		t.Fatalf("bulwark watch is not ready after a minute:\n%s", w.Said())
	}
	return w
}

func (w *Watch) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var one bulwark.Record
		if json.Unmarshal(lines.Bytes(), &one) != nil {
			continue
		}
		w.mu.Lock()
		switch {
		case one.Finding != nil:
			w.found = append(w.found, Found{*one.Finding, time.Now()})
		case one.Note != nil:
			fmt.Fprintf(&w.said, "note: %+v\n", *one.Note)
		}
		w.mu.Unlock()
	}
}

func (w *Watch) listen(from io.Reader) {
	once := sync.OnceFunc(func() { close(w.ready) })
	for lines := bufio.NewScanner(from); lines.Scan(); {
		w.mu.Lock()
		w.said.WriteString(lines.Text() + "\n")
		w.mu.Unlock()
		if strings.Contains(lines.Text(), "watching since") {
			once()
		}
	}
}

// Said is what it said beside its findings.
func (w *Watch) Said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String()
}

// Of are the findings about a container that were told until now.
func (w *Watch) Of(id string) []Found {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.found), func(f Found) bool { return f.Container == nil || f.Container.ID != id })
}

// All are all findings until now.
func (w *Watch) All() []Found {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.found)
}

// Await waits for a finding about a container, and gives what was told by then.
func (w *Watch) Await(id string, most time.Duration) []Found {
	for end := time.Now().Add(most); ; time.Sleep(5 * time.Millisecond) {
		if list := w.Of(id); len(list) > 0 || time.Now().After(end) {
			return list
		}
	}
}

// AwaitRule waits for a finding of a rule about a container, and gives all about it that were told by then.
func (w *Watch) AwaitRule(id, rule string, most time.Duration) []Found {
	return w.AwaitFound(id, func(f Found) bool { return f.Rule == rule }, most)
}

// AwaitFound waits for a certain finding about a container, and gives all about it that were told by then.
func (w *Watch) AwaitFound(id string, is func(Found) bool, most time.Duration) []Found {
	for end := time.Now().Add(most); ; time.Sleep(5 * time.Millisecond) {
		list := w.Of(id)
		if slices.ContainsFunc(list, is) || time.Now().After(end) {
			return list
		}
	}
}

// PID is the program's.
func (w *Watch) PID() int { return w.cmd.Process.Pid }

// Kill ends it at once, in the midst of what it does.
func (w *Watch) Kill() {
	_ = w.cmd.Process.Kill()
	<-w.ended
}

// Reload has it read its files of actions again.
func (w *Watch) Reload() { _ = w.cmd.Process.Signal(syscall.SIGHUP) }

// Stop ends it as an interrupt does, and waits until all is told.
func (w *Watch) Stop() {
	_ = w.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-w.ended:
	case <-time.After(20 * time.Second):
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
}
