//go:build linux && (amd64 || arm64)

package kernel

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/need"
)

// needRoot is for tests that see what the kernel does.
func needRoot(t *testing.T) {
	t.Helper()
	if why := missing(); why != "" {
		need.Missing(t, "%s", why)
	}
}

// watching is a sensor that runs, and what it saw.
type watching struct {
	*Sensor
	mu     sync.Mutex
	events []bulwark.Event
	stop   func() error
}

func watch(t *testing.T, s *Sensor, want bulwark.Interest) *watching {
	t.Helper()
	return watchWith(t, s, want, nil)
}

// watchWith gives batches to see, and keeps nothing, where there is a see.
func watchWith(t *testing.T, s *Sensor, want bulwark.Interest, see func([]bulwark.Event)) *watching {
	t.Helper()
	needRoot(t)
	w := &watching{Sensor: s}
	ctx, cancel := context.WithCancel(context.Background())
	done, ready := make(chan error, 1), make(chan bool)
	go func() {
		done <- s.Run(ctx, want, func() { close(ready) }, func(batch []bulwark.Event) error {
			if see != nil {
				see(batch)
				return nil
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			for i := range batch {
				c := batch[i].Clone()
				if c.Process != nil {
					p := *c.Process
					c.Process = &p
				}
				w.events = append(w.events, *c)
			}
			return nil
		})
	}()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = w.stop() })
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatalf("Run: %v", err)
	}
	return w
}

// find waits for an event that is meant.
func (w *watching) find(t *testing.T, what string, is func(*bulwark.Event) bool) *bulwark.Event {
	t.Helper()
	deadline := time.After(5 * time.Second)
	for at := 0; ; {
		w.mu.Lock()
		for ; at < len(w.events); at++ {
			if is(&w.events[at]) {
				defer w.mu.Unlock()
				return &w.events[at]
			}
		}
		w.mu.Unlock()
		select {
		case <-deadline:
			t.Fatalf("no event of %s among %d", what, at)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func kinds(names ...string) bulwark.Interest {
	want := bulwark.Interest{}
	for _, n := range names {
		k, ok := bulwark.KindNamed(n)
		if !ok {
			panic(n)
		}
		want[k] = nil
	}
	return want
}

func TestSeesWhatAProgramIs(t *testing.T) {
	w := watch(t, New(), kinds("execve", "clone", "procexit"))
	cmd := exec.Command("/bin/sh", "-c", "exec sleep 0.05", "mark-of-test")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=/usr/bin:/bin", "MARK=here"}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	e := w.find(t, "sh", func(e *bulwark.Event) bool {
		return e.Kind == bulwark.KindExec && len(e.Process.Args) == 3 && e.Process.Args[2] == "mark-of-test"
	})
	t.Logf("%+v", e.Process)
	w.find(t, "its end", func(x *bulwark.Event) bool { return x.Kind == bulwark.KindExit && x.TID == e.TID })
	f := w.find(t, "its begin", func(x *bulwark.Event) bool { return x.Kind == bulwark.KindClone && x.TID == e.TID })
	if f.Process.PPID != os.Getpid() || f.Process.Start != e.Process.Start {
		t.Errorf("fork tells %+v", f.Process)
	}
	if err := w.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	t.Log(w.Counts())
}

// all are the events so far.
func (w *watching) all() []bulwark.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}
