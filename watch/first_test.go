package watch

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// begins tells of each event of kind container, and of executions around it.
func begins(told *[]string) *fake {
	look := func(e *bulwark.Event) []bulwark.Finding {
		of := "-"
		if k := e.Process.Container; k != nil {
			of = k.ID + " " + k.Image
		}
		*told = append(*told, fmt.Sprintf("%v %s of %s", e.Kind, e.Process.Name, of))
		return []bulwark.Finding{{Rule: "begins/" + e.Kind.String(), Severity: bulwark.SeverityHigh, Subject: e.Process.Path}}
	}
	return &fake{name: "detect/begins", want: bulwark.Interest{bulwark.KindContainer: nil, bulwark.KindExec: nil}, look: look}
}

// TestContainersBegin: detectors are told once of each container, behind the first program in it, and a recording has it too.
func TestContainersBegin(t *testing.T) {
	g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc", Image: "nginx"}, 8: {ID: "abc", Image: "nginx"}, 9: {ID: "def", Image: "redis"}, 2: nil}}
	var file bytes.Buffer
	var told, again []string
	w := &Watcher{Detectors: []bulwark.Detector{begins(&told)}, Containers: g, Record: &file}
	live := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		failed := exec(1, 11, 1, "/missing", 7)
		failed.Result = -2
		gone := ev(bulwark.KindCgroupGone, 6, bulwark.Process{PID: 1, Start: 1e9})
		gone.Args = []bulwark.Arg{{Num: 7}}
		emit(exec(0, 10, 1, "/node", 2), failed, exec(2, 11, 1, "/first", 7), exec(3, 12, 11, "/second", 7), exec(4, 11, 1, "/other", 7), exec(5, 20, 1, "/db", 9), gone, exec(7, 30, 1, "/restarted", 8))
	})
	want := []string{
		"execve node of -", "execve missing of abc nginx", "execve first of abc nginx", "container first of abc nginx", "execve second of abc nginx", "execve other of abc nginx",
		"execve db of def redis", "container db of def redis", "execve restarted of abc nginx", "container restarted of abc nginx",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if asked := w.Sensors[0].(*sensor).want; asked[bulwark.KindContainer] != nil {
		t.Error("a sensor is asked for it")
	}
	out := &records{}
	if err := (&Watcher{Detectors: []bulwark.Detector{begins(&again)}, Handler: out}).Replay(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told, again) + cmp.Diff(live.lines, out.lines); diff != "" || !out.summary.Complete {
		t.Errorf("replayed: %s %q", diff, out.notes)
	}
}

// TestContainersThatAreKnownLate begin once their engine has told, however long that takes.
func TestContainersThatAreKnownLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc"}}, more: map[uint64]chan struct{}{7: more}}
		var told []string
		w := &Watcher{Detectors: []bulwark.Detector{begins(&told)}, Containers: g}
		run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			emit(exec(0, 10, 1, "/first", 7))
			time.Sleep(1500 * time.Millisecond)
			emit(exec(1, 11, 10, "/second", 7))
			w.core.lock()
			g.known[7], g.more = &bulwark.Container{ID: "abc", Image: "nginx"}, nil
			w.core.unlock()
			close(more)
			time.Sleep(3 * time.Second)
		})
		if diff := cmp.Diff([]string{"execve first of abc ", "execve second of abc ", "container first of abc nginx"}, told); diff != "" {
			t.Error(diff)
		}
	})
}
