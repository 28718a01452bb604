package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// stage tells a person who watches what goes on and for how long, where it takes long, until
// end is called. Elsewhere nothing is written.
func (a *app) stage(what string) (end func()) {
	if !a.interactive() || a.quiet {
		return func() {}
	}
	tick, stop := time.NewTicker(500*time.Millisecond), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { showStage(a.err, what, a.width(), time.Now(), tick.C, stop) })
	return sync.OnceFunc(func() {
		tick.Stop()
		close(stop)
		wg.Wait()
	})
}

// showStage draws a line at each tick, and takes it away in the end.
func showStage(w io.Writer, what string, columns int, began time.Time, tick <-chan time.Time, stop <-chan struct{}) {
	drawn := false
	for {
		select {
		case now := <-tick:
			line := []rune(fmt.Sprintf("%s, %s", clean(what), now.Sub(began).Round(time.Second)))
			if columns > 0 && len(line) >= columns {
				line = line[:columns-1]
			}
			fmt.Fprintf(w, "\r%s\x1b[K", string(line))
			drawn = true
		case <-stop:
			if drawn {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		}
	}
}
