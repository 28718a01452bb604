package watch

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bulwark"
)

// TestPausesAreTold: the program's seconds come late when it was frozen; a clock that is set is no such thing.
func TestPausesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shift := time.Duration(0)
		w := &Watcher{Host: bulwark.Asset{ID: "host:h", Kind: "host"}}
		w.Now = func() time.Time { return time.Now().Add(shift) }
		out := run(t, w, func(context.Context, func(...bulwark.Event)) {
			time.Sleep(10 * time.Second)
			shift = time.Minute // as if nothing had run for a minute
			time.Sleep(10 * time.Second)
			w.Continued()
			time.Sleep(time.Second)
		})
		var got []string
		for _, f := range out.findings {
			got = append(got, f.Rule+": "+f.Evidence[0])
		}
		if len(got) != 2 || !strings.HasPrefix(got[0], "watch/paused: 1m0s") || !strings.HasPrefix(got[1], "watch/stopped: a signal stopped it") || out.findings[0].Asset != "host:h" {
			t.Errorf("%q", got)
		}
	})
}
