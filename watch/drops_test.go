package watch

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bulwark"
)

// losing is a sensor that counts drops and does nothing else.
type losing struct {
	sensor
	dropped func() uint64
}

func (l *losing) Counts() []bulwark.Count {
	return []bulwark.Count{{Class: "volume", Seen: 100_000, Dropped: l.dropped()}}
}

func TestDropsAreToldAtOnceAndNotEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Uint64
		s := &losing{sensor: sensor{name: "source/other", play: func(context.Context, func(...bulwark.Event)) {}}, dropped: n.Load}
		first := ""
		w := &Watcher{Sensors: []bulwark.Sensor{s}}
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			for range 600 {
				n.Add(10)
				emit(bulwark.Event{Kind: bulwark.KindDrop, Time: time.Now().UnixNano(), Args: []bulwark.Arg{{Text: []byte("volume")}, {Num: 10}}})
				synctest.Wait()
				if first == "" {
					first = w.Handler.(*records).said()
				}
				time.Sleep(time.Second)
			}
		})
		if !strings.Contains(first, "10 events of class volume were dropped, 10 in all") {
			t.Errorf("when the first were dropped it says %q", first)
		}
		told := 0
		for _, note := range out.notes {
			if strings.Contains(note, "detectors did not see them") {
				told++
			}
		}
		if told < 5 || told > 12 {
			t.Errorf("ten minutes of drops are told %d times", told)
		}
		if !out.noted("6000 in all") || out.summary.Complete {
			t.Errorf("at the end: %q", out.notes)
		}
	})
}

func TestActivityIsByContainer(t *testing.T) {
	box := &bulwark.Container{ID: strings.Repeat("a", 64), Image: "nginx:1"}
	w := &Watcher{Tally: true, Detectors: []bulwark.Detector{all(opened)}, Containers: known{7: box}}
	run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
		for range 3 {
			emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1, Cgroup: 7}))
		}
		emit(ev(opened, 0, bulwark.Process{PID: 6, Start: 1, Cgroup: 8}))
	})
	got := map[string]Activity{}
	for _, a := range w.Activity() {
		id := ""
		if a.Container != nil {
			id = a.Container.ID
		}
		got[id] = a
	}
	if a := got[box.ID]; a.Events != 3 || a.Findings != 3 || a.Container.Image != "nginx:1" {
		t.Errorf("of the container: %+v", a)
	}
	if a := got[""]; a.Events != 1 || a.Findings != 1 || len(got) != 2 || w.Seen() != 4 {
		t.Errorf("of the node: %+v of %v", a, got)
	}
}

// known are cgroups with their containers; all others are the node's.
type known map[uint64]*bulwark.Container

func (known) Walk(context.Context) error            { return nil }
func (known) Made(uint64, string, *bulwark.Process) {}
func (known) Gone(uint64)                           {}
func (k known) Lookup(cgroup uint64) (*bulwark.Container, <-chan struct{}, bool) {
	return k[cgroup], nil, true
}
func (k known) Process(int, uint64) (*bulwark.Container, <-chan struct{}) { return nil, nil }
