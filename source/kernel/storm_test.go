//go:build linux && (amd64 || arm64)

package kernel

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

func TestEveryKindAttaches(t *testing.T) {
	needRoot(t)
	want := bulwark.Interest{}
	for _, k := range bulwark.Kinds() {
		want[k] = nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	began := time.Now()
	var took time.Duration
	seen := map[bulwark.Kind]int{}
	err := New().Run(ctx, want, func() {
		took = time.Since(began)
		go func() {
			_ = exec.Command("/bin/ls", "-l", "/etc").Run()
			time.Sleep(50 * time.Millisecond)
			cancel()
		}()
	}, func(list []bulwark.Event) error {
		for i := range list {
			seen[list[i].Kind]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ready after %v, %d kinds seen", took, len(seen))
	for _, name := range []string{"execve", "clone", "openat", "close", "read", "write", "mmap", "procexit"} {
		if seen[kindNamed(name)] == 0 {
			t.Errorf("no event of %s among %v", name, seen)
		}
	}
}

// TestTracepointsOfOtherNames: those that are named otherwise than their calls are there.
func TestTracepointsOfOtherNames(t *testing.T) {
	needRoot(t)
	tracing, err := openTracing()
	if err != nil {
		t.Fatal(err)
	}
	defer tracing.close()
	names := maps.Clone(tracepoints)
	maps.Copy(names, tracepointsHere)
	for name := range names {
		if _, has := numbers[name]; !has {
			continue
		}
		if _, err := tracing.id(tracepoint(name)); err != nil {
			t.Errorf("%s: %v", tracepoint(name), err)
		}
	}
}

// TestNothingIsLostUnsaid overruns a small ring: what was seen is what was filtered, sent and dropped, what was dropped is
// told, the other ring loses nothing, and while it was full that was to be seen.
func TestNothingIsLostUnsaid(t *testing.T) {
	needRoot(t)
	s := &Sensor{Self: true, Volume: 1 << 16}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := map[bulwark.Kind]uint64{}
	var told uint64
	stall := true
	var full bulwark.Count
	err := s.Run(ctx, kinds("dup", "unshare"), func() {
		go func() {
			defer onOneProcessor()()
			for range 20_000 {
				if fd, err := unix.Dup(0); err == nil {
					unix.Close(fd)
				}
			}
			_ = unix.Unshare(0)
			time.Sleep(400 * time.Millisecond)
			if fd, err := unix.Dup(0); err == nil { // its sequence number tells how many are missing before it
				unix.Close(fd)
			}
			time.Sleep(100 * time.Millisecond)
			cancel()
		}()
	}, func(list []bulwark.Event) error {
		if stall {
			time.Sleep(200 * time.Millisecond) // the ring fills meanwhile
			stall, full = false, s.Counts()[1]
		}
		for i := range list {
			got[list[i].Kind]++
			if list[i].Kind == bulwark.KindDrop && string(list[i].Args[0].Text) == "volume" {
				told += uint64(list[i].Args[1].Num)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if full.Room != 1<<16 || full.Held < full.Room/2 || full.Held > full.Room {
		t.Errorf("of a ring that is full it says %+v", full)
	}
	for i, c := range s.Counts() {
		t.Logf("%+v", c)
		if s.lost[i] != c.Dropped {
			t.Errorf("%s: %d are missing by their sequence numbers, %d were dropped", c.Class, s.lost[i], c.Dropped)
		}
		if c.Seen != c.Filtered+c.Sent+c.Dropped {
			t.Errorf("%s: seen %d, filtered %d + sent %d + dropped %d", c.Class, c.Seen, c.Filtered, c.Sent, c.Dropped)
		}
		if c.Class == "volume" && (c.Dropped == 0 || c.Dropped != told || c.Sent != got[kindNamed("dup")]) {
			t.Errorf("dropped %d, told %d; sent %d, got %d", c.Dropped, told, c.Sent, got[kindNamed("dup")])
		}
		if c.Class == "critical" && c.Dropped != 0 {
			t.Errorf("critical events were dropped: %+v", c)
		}
	}
	if got[kindNamed("unshare")] == 0 {
		t.Error("the critical event is not there")
	}
}

// onOneProcessor keeps the goroutine on one, until what it gives is called.
func onOneProcessor() (undo func()) {
	runtime.LockOSThread()
	var before, one unix.CPUSet
	_ = unix.SchedGetaffinity(0, &before)
	one.Set(0)
	_ = unix.SchedSetaffinity(0, &one)
	return func() { _ = unix.SchedSetaffinity(0, &before); runtime.UnlockOSThread() }
}

func TestErrorOfEmitEndsTheRun(t *testing.T) {
	needRoot(t)
	stop := errors.New("stop")
	err := (&Sensor{Self: true}).Run(context.Background(), kinds("dup"), func() { _, _ = unix.Dup(0) }, func([]bulwark.Event) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("Run: %v", err)
	}
}
