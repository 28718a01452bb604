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

// TestStopsAreTold: a signal that makes the program go on is told with how late its clock was.
func TestStopsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shift atomic.Int64
		w := &Watcher{Host: bulwark.Asset{ID: "host:h", Kind: "host"}}
		w.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
		out := run(t, w, func(context.Context, func(...bulwark.Event)) {
			time.Sleep(10*time.Second + time.Second/2) // between two ticks
			shift.Store(int64(time.Minute))            // as if nothing had run for a minute
			time.Sleep(time.Second)
			w.Continued()
			time.Sleep(10 * time.Second)
		})
		var got []string
		for _, f := range out.findings {
			got = append(got, f.Rule+": "+f.Evidence[0])
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], "watch/stopped: a signal stopped it") || !strings.Contains(got[0], "by 1m0s") || out.findings[0].Asset != "host:h" {
			t.Errorf("%q", got)
		}
	})
}
