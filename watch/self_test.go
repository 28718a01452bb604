package watch

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// TestStopsAreTold: detectors see how late the clock was, what was lost, and the signal that made the program go on, before any event
// that waited meanwhile.
func TestStopsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shift atomic.Int64
		var lost atomic.Uint64
		var got []string
		d := &fake{name: "detect/self", want: bulwark.Interest{bulwark.KindStall: nil, opened: nil}, look: func(e *bulwark.Event) []bulwark.Finding {
			line := e.Kind.String()
			for _, a := range e.Args {
				line += fmt.Sprint(" ", a.Num)
			}
			got = append(got, line)
			return nil
		}}
		s := &losing{sensor: sensor{name: "source/other", play: func(context.Context, func(...bulwark.Event)) {}}, dropped: lost.Load}
		w := &Watcher{Host: bulwark.Asset{ID: "host:h", Kind: "host"}, Sensors: []bulwark.Sensor{s}, Detectors: []bulwark.Detector{d}}
		w.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
		run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			time.Sleep(10*time.Second + time.Second/2) // between two ticks
			shift.Store(int64(time.Minute))            // as if nothing had run for a minute
			lost.Store(7)
			emit(ev(opened, 0, bulwark.Process{PID: 9}))
			w.Continued()
			time.Sleep(10 * time.Second)
		})
		late := int64(time.Minute - time.Second/2)
		want := []string{fmt.Sprint("stall ", late, " 7 0"), "openat", fmt.Sprint("stall ", late, " 0 18")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
