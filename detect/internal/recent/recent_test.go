package recent_test

import (
	"testing"
	"time"

	"bulwark/detect/internal/recent"
)

func TestTableForgetsTheOldest(t *testing.T) {
	table := recent.NewTable[int, string](3)
	for i := range 10 {
		*table.Of(i) = "x"
		*table.Of(i) += "y"
	}
	for i := range 10 {
		if got, want := table.Get(i) != nil, i >= 7; got != want {
			t.Errorf("key %d is there: %v", i, got)
		}
	}
	if table.Len() != 3 || *table.Get(9) != "xy" {
		t.Errorf("%d keys, %q", table.Len(), *table.Get(9))
	}
}

func TestCount(t *testing.T) {
	var c recent.Count
	start := time.Unix(1700000000, 0).UnixNano()
	span := 80 * time.Second
	for i := range int64(100) {
		if got, want := c.Add(start+i*int64(time.Second), span, 1), min(i+1, 80); got > want || got < want-10 {
			t.Fatalf("after %d seconds: %d, want about %d", i, got, want)
		}
	}
	if got := c.Sum(start+int64(time.Hour), span); got != 0 {
		t.Errorf("an hour later: %d", got)
	}
	if got := c.Add(start, span, 1); got != 1 {
		t.Errorf("after the clock jumped back: %d", got)
	}
}

func TestFew(t *testing.T) {
	var f recent.Few
	second := int64(time.Second)
	for i := range 1000 {
		f.Add(second, time.Minute, 20, uint64(i%15))
	}
	if n := f.Add(second, time.Minute, 20, 3); n != 15 {
		t.Errorf("%d different things, want 15", n)
	}
	if n := f.Add(100*second, time.Minute, 20, 99); n != 1 {
		t.Errorf("%d after the others became old, want 1", n)
	}
	for i := range 1000 {
		if n := f.Add(100*second, time.Minute, 20, uint64(1000+i)); n > 20 {
			t.Fatalf("%d are kept, want 20 at most", n)
		}
	}
}

func TestHabit(t *testing.T) {
	var h recent.Habit
	blocks, now := 0, int64(1e18)
	for i := range 3 * 360 {
		now += 1e10
		v := 1.0
		if i%30 == 0 {
			v = 4 // one of thirty
		}
		if avg, whole := h.Add(now, v); whole {
			blocks++
			h.Keep(avg)
		}
	}
	if blocks < 30 || h.Blocks != blocks || h.Mean < 1.05 || h.Mean > 1.2 || h.Peak < h.Mean || h.Peak > 1.3 {
		t.Errorf("%d blocks: %+v", blocks, h)
	}
	peak := h.Peak
	for range 144 {
		h.Keep(0)
	}
	if h.Peak < peak*0.45 || h.Peak > peak*0.55 {
		t.Errorf("the peak is %v of %v after half a day", h.Peak, peak)
	}
	if _, whole := h.Add(now-1e12, 1); whole {
		t.Error("a clock that was set back ends a block")
	}
}
