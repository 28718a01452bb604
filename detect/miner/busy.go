package miner

import (
	"fmt"
	"time"

	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
)

// stretch is for how long a container is busy, and how busy it mostly is.
type stretch struct {
	since     int64 // nanoseconds since 1970; 0: it is not
	low, high float64
	habit     recent.Habit // of the share of its processors
}

const (
	busyShare = 0.9
	busySpan  = 10 * time.Minute
	steady    = 0.05     // of the most that it takes: miners take the same from second to second
	mostIO    = 10 << 20 // bytes in one reading of ten seconds: who reads or writes more works on something
	learned   = 12       // blocks of five minutes
	forgiven  = 12 * time.Hour
)

// usage looks at how busy a container is: for ten minutes it takes nearly all that it may have, or one processor
// or more with hardly a change, and neither reads nor writes much. That is a sign where it is not usual.
func (s *state) usage(h *family.Hit) {
	span, cpu, limit := h.Num("span"), h.Num("cpu"), h.Num("cpu_limit")
	if span <= 0 || cpu < 0 || limit <= 0 {
		return
	}
	b := s.busy.Of(h.Key())
	cores := float64(cpu) / float64(span)
	share := cores * 1e9 / float64(limit)
	io := max(h.Num("read"), 0) + max(h.Num("written"), 0) + max(h.Num("received"), 0) + max(h.Num("sent"), 0)
	if io > mostIO || share < busyShare && cores < busyShare {
		b.since = 0
		b.keep(h.Time, share)
		return
	}
	b.low, b.high = min(b.low, cores), max(b.high, cores)
	if b.since == 0 || h.Time < b.since || share < busyShare && b.high-b.low > steady*b.high {
		b.since, b.low, b.high = h.Time, cores, cores
	}
	lasts := time.Duration(h.Time - b.since)
	if lasts < busySpan || lasts > forgiven {
		b.keep(h.Time, share)
	}
	if lasts < busySpan {
		return
	}
	known := b.habit.Blocks >= learned
	if known && share < 2*b.habit.Mean {
		return // it is so mostly
	}
	points, what := 30, fmt.Sprintf("takes %.1f processors, %.0f %% of what it may have, since %s, and reads and writes little", cores, share*100, lasts.Round(time.Minute))
	if known {
		points, what = 45, what+fmt.Sprintf("; it was %.0f %% mostly", b.habit.Mean*100)
	}
	s.sign(h, points, "cpu", what)
}

// keep takes how busy it is as usual.
func (b *stretch) keep(now int64, share float64) {
	if average, whole := b.habit.Add(now, share); whole {
		b.habit.Keep(average)
	}
}
