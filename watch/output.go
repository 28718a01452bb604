package watch

import (
	"context"
	"fmt"
	"sync"

	"bulwark"
)

// output hands records to the handler from one goroutine, so that a slow one does not hold up events.
type output struct {
	h      bulwark.Handler
	queue  chan bulwark.Record
	done   sync.WaitGroup
	mu     sync.Mutex
	err    error
	missed int // records for which there was no room
}

const mostQueued = 8192

// newOutput begins; stop is told why the handler takes no more.
func newOutput(h bulwark.Handler, stop context.CancelCauseFunc) *output {
	o := &output{h: h, queue: make(chan bulwark.Record, mostQueued)}
	o.done.Go(func() {
		for r := range o.queue {
			if o.failed() != nil {
				continue
			}
			if err := h.Handle(r); err != nil {
				o.mu.Lock()
				o.err = fmt.Errorf("telling what happens: %w", err)
				o.mu.Unlock()
				stop(o.err)
			}
		}
	})
	return o
}

func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// put never waits. What finds no room is counted.
func (o *output) put(r bulwark.Record) {
	if o.missed > 0 && r.Summary == nil && len(o.queue) < mostQueued/2 {
		n := o.missed
		o.missed = 0
		o.queue <- bulwark.Record{Note: &bulwark.Note{Plugin: "watch", Incomplete: true, Text: fmt.Sprintf("%d findings and notes are not told: whoever takes them is too slow", n)}}
	}
	select {
	case o.queue <- r:
	default:
		o.missed++
	}
}

// last waits for room, so that what ends a run is told.
func (o *output) last(r bulwark.Record) { o.queue <- r }

func (o *output) close() error {
	close(o.queue)
	o.done.Wait()
	return o.failed()
}
