package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// sensor gives what play emits.
type sensor struct {
	name   string
	play   func(ctx context.Context, emit func(...bulwark.Event))
	counts []bulwark.Count
	want   bulwark.Interest
	err    error
	late   error
}

func (s *sensor) Info() bulwark.Info           { return bulwark.Info{Name: s.name} }
func (s *sensor) Abilities() []bulwark.Ability { return nil }
func (s *sensor) Counts() []bulwark.Count      { return s.counts }
func (s *sensor) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	s.want = want
	if s.err != nil {
		return s.err
	}
	ready()
	var err error
	s.play(ctx, func(list ...bulwark.Event) {
		if err == nil {
			err = emit(list)
		}
	})
	if s.late != nil {
		return s.late
	}
	<-ctx.Done()
	return err
}

// detector finds what look gives.
type fake struct {
	name string
	want bulwark.Interest
	look func(*bulwark.Event) []bulwark.Finding
	tick func(time.Time) []bulwark.Finding
}

func (d *fake) Info() bulwark.Info                         { return bulwark.Info{Name: d.name} }
func (d *fake) Interest() bulwark.Interest                 { return d.want }
func (d *fake) Observe(e *bulwark.Event) []bulwark.Finding { return d.look(e) }
func (d *fake) Tick(now time.Time) []bulwark.Finding {
	if d.tick == nil {
		return nil
	}
	return d.tick(now)
}

// records collects what is told.
type records struct {
	mu       sync.Mutex
	findings []bulwark.Finding
	notes    []string
	summary  *bulwark.Summary
	assets   []bulwark.Asset
	lines    []string
}

func (r *records) Handle(rec bulwark.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	line, _ := json.Marshal(rec)
	switch {
	case rec.Finding != nil:
		r.findings = append(r.findings, *rec.Finding)
		r.lines = append(r.lines, string(line))
	case rec.Note != nil:
		r.notes = append(r.notes, rec.Note.Plugin+": "+rec.Note.Text)
	case rec.Asset != nil:
		r.assets = append(r.assets, *rec.Asset)
	case rec.Summary != nil:
		r.summary = rec.Summary
	}
	return nil
}

func (r *records) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.notes, "\n")
}

func (r *records) noted(text string) bool { return strings.Contains(r.said(), text) }

var opened, _ = bulwark.KindNamed("openat")

const t0 = int64(1_700_000_000e9)

func ev(k bulwark.Kind, after time.Duration, p bulwark.Process) bulwark.Event {
	return bulwark.Event{Kind: k, Time: t0 + int64(after), Source: bulwark.SourceSyscall, TID: p.PID, Process: &p}
}

func exec(after time.Duration, pid, ppid int, path string, cgroup uint64) bulwark.Event {
	return ev(bulwark.KindExec, after, bulwark.Process{PID: pid, PPID: ppid, Start: int64(pid) * 1e9, Name: filepath.Base(path), Exe: path, Path: path, Args: []string{"--password", "hunter2"}, Cgroup: cgroup})
}

// all finds every event of a kind.
func all(k bulwark.Kind) *fake {
	return &fake{name: "detect/all", want: bulwark.Interest{k: nil}, look: func(e *bulwark.Event) []bulwark.Finding {
		return []bulwark.Finding{{Rule: "all/" + e.Kind.String(), Severity: bulwark.SeverityHigh, Title: "t", Subject: e.Process.Path}}
	}}
}

// run watches until play has returned and a moment more.
func run(t *testing.T, w *Watcher, play func(ctx context.Context, emit func(...bulwark.Event))) *records {
	t.Helper()
	out := &records{}
	ctx, cancel := context.WithCancel(t.Context())
	w.Sensors = append(w.Sensors, &sensor{name: "source/fake", play: func(ctx context.Context, emit func(...bulwark.Event)) {
		play(ctx, emit)
		cancel()
	}})
	w.Handler = out
	if w.Proc == "" {
		w.Proc = "-"
	}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFindingsHaveProcessParentsAndUser(t *testing.T) {
	w := &Watcher{Detectors: []bulwark.Detector{all(bulwark.KindExec)}, Host: bulwark.Asset{ID: "host:h", Kind: "host"}}
	out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		child := ev(bulwark.KindClone, 1, bulwark.Process{PID: 20, PPID: 10, Start: 20e9})
		emit(exec(0, 10, 1, "/usr/sbin/nginx", 0), child, exec(2, 20, 10, "/bin/sh", 0))
	})
	if len(out.findings) != 2 {
		t.Fatalf("%d findings, notes %v", len(out.findings), out.notes)
	}
	f := out.findings[1]
	want := &bulwark.ProcessRef{PID: 20, Name: "sh", Path: "/bin/sh", User: "root", Args: []string{"/bin/sh", "--password", "***"}, Start: time.Unix(0, t0+2).UTC(), Parents: []bulwark.ProcessRef{
		{PID: 10, Name: "nginx", User: "root", Path: "/usr/sbin/nginx", Args: []string{"/usr/sbin/nginx", "--password", "***"}, Start: time.Unix(0, t0).UTC()}}}
	if diff := cmp.Diff(want, f.Process); diff != "" {
		t.Errorf("process (-want +got):\n%s", diff)
	}
	if f.Asset != "host:h" || f.Key == "" || f.Kind != bulwark.KindRuntime || !f.Time.Equal(time.Unix(0, t0+2)) {
		t.Errorf("finding %+v", f)
	}
	if out.summary == nil || !out.summary.Complete || out.summary.Counts[bulwark.SeverityHigh] != 2 {
		t.Errorf("summary %+v", out.summary)
	}
}

func TestRepeatsAreOneFindingWithACount(t *testing.T) {
	out := run(t, &Watcher{Detectors: []bulwark.Detector{all(opened)}}, func(_ context.Context, emit func(...bulwark.Event)) {
		for range 10_000 {
			emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1, Path: "/bin/cat", Name: "cat"}))
		}
	})
	if len(out.findings) != 2 || out.findings[0].Count != 0 || out.findings[1].Count != 10_000 || out.findings[0].Key != out.findings[1].Key {
		t.Errorf("%d findings: %.600v", len(out.findings), out.findings)
	}
}

func TestWindowsOfRepeatsGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := run(t, &Watcher{Detectors: []bulwark.Detector{all(opened)}}, func(_ context.Context, emit func(...bulwark.Event)) {
			for range 3600 {
				time.Sleep(time.Second)
				e := ev(opened, 0, bulwark.Process{PID: 5, Start: 1, Path: "/bin/cat", Name: "cat"})
				e.Time = time.Now().UnixNano()
				emit(e)
			}
		})
		if n := len(out.findings); n < 5 || n > 8 || out.findings[n-1].Count != 3600 {
			t.Errorf("an hour of repeats is %d findings", n)
		}
	})
}

func TestRatesAreLimitedAndTold(t *testing.T) {
	critical := all(bulwark.KindExec)
	critical.look = func(e *bulwark.Event) []bulwark.Finding {
		return []bulwark.Finding{{Rule: "all/critical", Severity: bulwark.SeverityCritical, Title: "c"}}
	}
	out := run(t, &Watcher{Detectors: []bulwark.Detector{all(opened), critical}}, func(_ context.Context, emit func(...bulwark.Event)) {
		for i := range 5000 {
			emit(ev(opened, 0, bulwark.Process{PID: i + 2, Start: 1, Path: fmt.Sprint("/bin/", i), Name: "x"}))
		}
		emit(exec(0, 9999, 1, "/bin/sh", 0))
	})
	if n := len(out.findings); n != 61 {
		t.Errorf("%d findings are told", n)
	}
	if out.findings[len(out.findings)-1].Rule != "all/critical" {
		t.Error("the critical one is held back by others")
	}
	if !out.noted("all/openat: 4940 findings were held back") {
		t.Errorf("notes: %q", out.notes)
	}
}

func TestPanicsAreNotes(t *testing.T) {
	bad := all(opened)
	bad.name = "detect/bad"
	bad.look = func(*bulwark.Event) []bulwark.Finding { panic("oh") }
	worse := &fake{name: "detect/worse", want: nil}
	out := run(t, &Watcher{Detectors: []bulwark.Detector{bad, worse, all(opened)}}, func(_ context.Context, emit func(...bulwark.Event)) {
		for i := range 3 {
			emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1, Path: fmt.Sprint(i)}))
		}
	})
	if len(out.findings) != 2 || out.findings[1].Count != 3 {
		t.Errorf("%d findings", len(out.findings))
	}
	if !out.noted("detect/bad: it panicked, and did not see an event to its end: oh") || !out.noted("detect/bad: it panicked 3 times") || out.summary.Complete {
		t.Errorf("notes: %q", out.notes)
	}
}

func TestDropsAreNotes(t *testing.T) {
	out := run(t, &Watcher{Sensors: []bulwark.Sensor{&sensor{name: "source/other", play: func(context.Context, func(...bulwark.Event)) {}, counts: []bulwark.Count{{Class: "volume", Seen: 9, Dropped: 4}}}}},
		func(context.Context, func(...bulwark.Event)) {})
	if !out.noted("source/other: 4 events of class volume were dropped") || out.summary.Complete {
		t.Errorf("notes: %q", out.notes)
	}
}

func TestSensorsThatFail(t *testing.T) {
	failed := &sensor{name: "source/bad", late: errors.New("oh"), play: func(context.Context, func(...bulwark.Event)) {}}
	w := &Watcher{Sensors: []bulwark.Sensor{failed}, Detectors: []bulwark.Detector{all(opened)}}
	out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		for lost := false; !lost; runtime.Gosched() {
			w.core.lock()
			lost = w.core.incomplete
			w.core.unlock()
		}
		emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1}))
	})
	if len(out.findings) != 1 {
		t.Errorf("%d findings of the one that works", len(out.findings))
	}
	if !out.noted("source/bad: it is lost: oh") || out.summary.Complete {
		t.Errorf("notes %q", out.notes)
	}
	good := &sensor{name: "source/good", play: func(context.Context, func(...bulwark.Event)) {}}
	for _, list := range [][]bulwark.Sensor{{failed}, {good, &sensor{name: "source/bad", err: bulwark.ErrUnsupported}}} {
		if err := (&Watcher{Sensors: list, Handler: &records{}, Proc: "-"}).Run(t.Context()); err == nil {
			t.Error("a run without sensors, or without one that was asked for, is no error")
		}
	}
}

// engines knows containers when it is told of them.
type engines struct {
	known    map[uint64]*bulwark.Container
	more     map[uint64]chan struct{}
	made, by []string
}

func (g *engines) Made(id uint64, path string, by *bulwark.Process) {
	if g.made = append(g.made, path); by != nil {
		g.by = append(g.by, by.Path)
	}
}
func (g *engines) Walk(context.Context) error { return nil }
func (g *engines) Gone(uint64)                {}
func (g *engines) Process(int, uint64) (*bulwark.Container, <-chan struct{}) {
	return nil, nil
}

func (g *engines) Lookup(id uint64) (*bulwark.Container, <-chan struct{}, bool) {
	c, ok := g.known[id]
	if more := g.more[id]; more != nil {
		return c, more, ok
	}
	return c, nil, ok
}

func TestEventsWaitForTheirContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc", Missing: "not asked"}, 2: nil}, more: map[uint64]chan struct{}{7: more}}
		var order []string
		d := all(bulwark.KindExec)
		d.look = func(e *bulwark.Event) []bulwark.Finding {
			name := "-"
			if c := e.Process.Container; c != nil {
				name = c.Image
			}
			order = append(order, e.Process.Name+" "+name)
			return []bulwark.Finding{{Rule: "all/x", Severity: bulwark.SeverityHigh, Subject: e.Process.Name}}
		}
		w := &Watcher{Detectors: []bulwark.Detector{d}, Containers: g}
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			emit(exec(0, 10, 1, "/a", 7), exec(1, 11, 1, "/host", 2), exec(2, 10, 1, "/b", 7))
			time.Sleep(100 * time.Millisecond)
			w.core.lock()
			g.known[7], g.more = &bulwark.Container{ID: "abc", Image: "nginx", ImageID: "sha256:11"}, nil
			w.core.unlock()
			close(more)
			time.Sleep(10 * time.Millisecond)
			emit(exec(3, 10, 1, "/c", 7))
		})
		if diff := cmp.Diff([]string{"host -", "a nginx", "b nginx", "c nginx"}, order); diff != "" {
			t.Errorf("order: %s", diff)
		}
		if f := out.findings[1]; f.Asset != "image:sha256:11" || f.Container.Image != "nginx" {
			t.Errorf("finding %+v", f)
		}
		if len(out.assets) != 2 {
			t.Errorf("assets %v", out.assets)
		}
	})
}

// TestMakers: who makes a cgroup is told with what is known of it from before.
func TestMakers(t *testing.T) {
	g := &engines{known: map[uint64]*bulwark.Container{}}
	w := &Watcher{Detectors: []bulwark.Detector{all(bulwark.KindExec)}, Containers: g}
	run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		runc := exec(0, 10, 1, "/usr/sbin/runc", 0)
		emit(runc, bulwark.Event{Kind: bulwark.KindCgroupMade, Time: runc.Time, Process: &bulwark.Process{PID: 10, Start: runc.Process.Start}})
	})
	if diff := cmp.Diff([]string{"/usr/sbin/runc"}, g.by); diff != "" {
		t.Error(diff)
	}
}

// TestNobody: what nobody in particular did is the node's, also right after something of a container.
func TestNobody(t *testing.T) {
	g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc", Image: "nginx"}}}
	var of []*bulwark.Container
	d := all(opened)
	d.look = func(e *bulwark.Event) []bulwark.Finding { of = append(of, e.Process.Container); return nil }
	run(t, &Watcher{Detectors: []bulwark.Detector{d}, Containers: g}, func(_ context.Context, emit func(...bulwark.Event)) {
		emit(ev(opened, 0, bulwark.Process{Cgroup: 7}), ev(opened, 1, bulwark.Process{Cgroup: 1}), ev(opened, 2, bulwark.Process{Cgroup: 7}))
	})
	if len(of) != 3 || of[0] == nil || of[1] != nil || of[2] == nil {
		t.Errorf("%+v", of)
	}
}

func TestEventsDoNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc", Missing: "the socket of Docker is dead"}}, more: map[uint64]chan struct{}{7: make(chan struct{})}}
		w := &Watcher{Detectors: []bulwark.Detector{all(bulwark.KindExec)}, Containers: g}
		var took time.Duration
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			began := time.Now()
			emit(exec(0, 10, 1, "/a", 7))
			for w.core.peek() == 0 {
				time.Sleep(time.Millisecond)
			}
			took = time.Since(began)
			emit(exec(1, 12, 1, "/b", 7)) // which does not wait again
			if w.core.peek() != 2 {
				t.Error("the second one waits again")
			}
		})
		if took < 250*time.Millisecond || took > 260*time.Millisecond {
			t.Errorf("it waited %v", took)
		}
		if c := out.findings[0].Container; c.ID != "abc" || !strings.Contains(c.Missing, "250ms") || !strings.Contains(c.Missing, "socket of Docker") {
			t.Errorf("container %+v", c)
		}
		if !out.noted("container abc is told with less than there is to know") {
			t.Errorf("notes: %q", out.notes)
		}
	})
}

func (c *core) peek() uint64 { c.lock(); defer c.unlock(); return c.num }

func TestWaitingIsBounded(t *testing.T) {
	g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc"}}, more: map[uint64]chan struct{}{7: make(chan struct{})}}
	w := &Watcher{Detectors: []bulwark.Detector{all(bulwark.KindExec)}, Containers: g, Limits: Limits{Held: 100, Hold: time.Hour}}
	out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		for i := range 1000 {
			emit(exec(time.Duration(i), i+2, 1, "/a", 7))
		}
	})
	if w.core.num != 1000 || !out.noted("more than 100 events wait") {
		t.Errorf("%d events, notes %q", w.core.num, out.notes)
	}
}

// scenes is a run with everything in it, which is recorded and replayed.
func scenes(t *testing.T, emit func(...bulwark.Event)) {
	emit(exec(0, 10, 1, "/usr/sbin/nginx", 7))
	for i := range 300 {
		pid := 20 + i
		emit(ev(bulwark.KindClone, time.Duration(i)*time.Millisecond, bulwark.Process{PID: pid, PPID: 10, Start: int64(pid) * 1e9, Cgroup: 7}),
			exec(time.Duration(i)*time.Millisecond, pid, 10, fmt.Sprint("/bin/", i%90), 7),
			ev(opened, time.Duration(i)*time.Millisecond, bulwark.Process{PID: pid, Start: int64(pid) * 1e9, Cgroup: 7, UID: uint32(i)}),
			ev(bulwark.KindExit, time.Duration(i)*time.Millisecond, bulwark.Process{PID: pid, Start: int64(pid) * 1e9, Cgroup: 7}))
		time.Sleep(100 * time.Millisecond)
	}
}

func detectors() []bulwark.Detector {
	ticks := 0
	d := all(opened)
	d.tick = func(now time.Time) []bulwark.Finding {
		ticks++
		if ticks%10 == 0 {
			return []bulwark.Finding{{Rule: "all/tick", Severity: bulwark.SeverityLow, Subject: fmt.Sprint(ticks)}}
		}
		return nil
	}
	return []bulwark.Detector{all(bulwark.KindExec), d}
}

func TestReplayFindsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		dir := t.TempDir()
		g := &engines{known: map[uint64]*bulwark.Container{7: {ID: "abc", Image: "nginx", ImageID: "sha256:11"}}}
		w := &Watcher{Detectors: detectors(), Containers: g, Record: &file, Host: bulwark.Asset{ID: "host:h"}, Capture: &Capture{Dir: dir, Before: time.Second, After: time.Second, Files: 3}}
		live := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) { scenes(t, emit) })
		if len(live.findings) < 100 {
			t.Fatalf("%d findings", len(live.findings))
		}
		again := &records{}
		r := &Watcher{Detectors: detectors(), Handler: again}
		if err := r.Replay(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(live.lines, again.lines); diff != "" {
			t.Errorf("(-live +replayed):\n%.2000s", diff)
		}
		if !again.summary.Complete {
			t.Errorf("notes %q", again.notes)
		}
		captures(t, dir)
	})
}

// captures are whole traces, each with the event of its finding.
func captures(t *testing.T, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.trace"))
	if len(files) != 3 {
		t.Fatalf("files %v", files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out := &records{}
		if err := (&Watcher{Detectors: detectors(), Handler: out}).Replay(t.Context(), bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(out.findings) == 0 || !out.summary.Complete {
			t.Errorf("%s: %d findings, notes %q", name, len(out.findings), out.notes)
		}
	}
}

func TestReplaySaysWhatIsNotThere(t *testing.T) {
	var file bytes.Buffer
	run(t, &Watcher{Record: &file}, func(_ context.Context, emit func(...bulwark.Event)) { emit(exec(0, 1, 0, "/a", 0)) })
	out := &records{}
	if err := (&Watcher{Detectors: []bulwark.Detector{all(opened)}, Handler: out}).Replay(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	if !out.noted("without events that are asked for now: openat") || out.summary.Complete {
		t.Errorf("notes %q", out.notes)
	}
	out = &records{}
	if err := (&Watcher{Handler: out}).Replay(t.Context(), bytes.NewReader(file.Bytes()[:file.Len()-3])); err != nil || out.summary.Complete {
		t.Errorf("a recording that ends early: %v, notes %q", err, out.notes)
	}
	if err := (&Watcher{Handler: out}).Replay(t.Context(), strings.NewReader("x")); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("what is no recording: %v", err)
	}
}

func TestProcessesThatWereThereBefore(t *testing.T) {
	w := &Watcher{Detectors: []bulwark.Detector{all(opened)}, Proc: "/proc"}
	out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		st, err := w.core.proc.Stat(os.Getpid())
		if err != nil {
			t.Error(err)
		}
		emit(ev(opened, 0, bulwark.Process{PID: os.Getpid(), Start: st.Start + 1234, UID: uint32(os.Geteuid())}))
	})
	exe, _ := os.Executable()
	if p := out.findings[0].Process; p.Path != exe || len(p.Parents) == 0 {
		t.Errorf("process %+v", p)
	}
}

func TestClockThatJumps(t *testing.T) {
	out := run(t, &Watcher{Detectors: []bulwark.Detector{all(opened)}}, func(_ context.Context, emit func(...bulwark.Event)) {
		for _, at := range []time.Duration{0, -time.Hour, time.Hour, -24 * time.Hour} {
			emit(ev(opened, at, bulwark.Process{PID: 5, Start: 1, Path: "/bin/cat"}))
		}
	})
	if n := len(out.findings); n != 2 || out.findings[n-1].Count != 4 {
		t.Errorf("%d findings", n)
	}
}

func TestHundredThousandForks(t *testing.T) {
	w := &Watcher{Detectors: []bulwark.Detector{all(opened)}, Limits: Limits{Live: 5000, Gone: 1000}}
	out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		for i := range 100_000 {
			pid := 2 + i%30_000
			emit(ev(bulwark.KindClone, time.Duration(i)*10*time.Microsecond, bulwark.Process{PID: pid, PPID: 2 + (i-1)%30_000, Start: int64(i + 1)}))
			if i%2 == 0 {
				emit(ev(bulwark.KindExit, time.Duration(i)*10*time.Microsecond, bulwark.Process{PID: pid, Start: int64(i + 1)}))
			}
		}
		time.Sleep(1100 * time.Millisecond) // until it has ticked
	})
	live, ended := w.core.tree.Len()
	if live > 5000 || ended > 1000 || !out.noted("more processes run than are kept") {
		t.Errorf("%d live, %d ended, notes %q", live, ended, out.notes)
	}
}

func TestMergeCoversEveryDetector(t *testing.T) {
	some := &fake{name: "a", want: bulwark.Interest{opened: {{Paths: []bulwark.PathMatch{{Text: "/etc/x"}}}}}}
	other := &fake{name: "b", want: bulwark.Interest{opened: {{Write: bulwark.Yes}, {Paths: []bulwark.PathMatch{{Text: "/etc/x"}}}}}}
	if got := (&Watcher{Detectors: []bulwark.Detector{some, other}}).Interest(); len(got[opened]) != 2 || len(got[bulwark.KindExec]) != 1 {
		t.Errorf("merged %v", got)
	}
	every := all(opened)
	if got := (&Watcher{Detectors: []bulwark.Detector{some, every, other}}).Interest()[opened]; len(got) != 1 || got[0].Write != 0 || got[0].Paths != nil {
		t.Errorf("merged %v", got)
	}
}

func TestHandlerThatFailsEndsTheRun(t *testing.T) {
	broken := errors.New("broken pipe")
	w := &Watcher{Detectors: []bulwark.Detector{all(opened)}, Proc: "-", Handler: handle(func(r bulwark.Record) error {
		if r.Finding != nil {
			return broken
		}
		return nil
	})}
	w.Sensors = []bulwark.Sensor{&sensor{name: "s", play: func(ctx context.Context, emit func(...bulwark.Event)) {
		emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1}))
	}}}
	if err := w.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Run = %v", err)
	}
}

type handle func(bulwark.Record) error

func (h handle) Handle(r bulwark.Record) error { return h(r) }

func BenchmarkEvents(b *testing.B) {
	d := all(opened)
	d.look = func(*bulwark.Event) []bulwark.Finding { return nil }
	w := &Watcher{Detectors: []bulwark.Detector{d}, Handler: &records{}, Proc: "-"}
	w.settle()
	w.core.tell = func(bulwark.Record) {}
	if err := w.core.begin(nil); err != nil {
		b.Fatal(err)
	}
	list := make([]bulwark.Event, 64)
	ps := make([]bulwark.Process, 64)
	b.ReportAllocs()
	for b.Loop() {
		for i := range list {
			ps[i] = bulwark.Process{PID: i + 1, Start: 7, Cgroup: 3}
			list[i] = bulwark.Event{Kind: opened, Time: 5, Process: &ps[i], TID: i + 1}
		}
		w.core.batch(list)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/event")
}
