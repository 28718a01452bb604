package memory

import (
	"testing"
)

func TestPercent(t *testing.T) {
	for live, heap := range map[uint64]uint64{0: least, 1 << 20: least, 9 << 20: least, least / 2: least, least: 2 * least, 100 << 20: 200 << 20} {
		got := live + max(live, 1<<20)*uint64(percent(live, false))/100
		if got > heap || got < heap-heap/20 {
			t.Errorf("%d live: the next collection at %d, want %d", live, got, heap)
		}
	}
}

func TestLimit(t *testing.T) {
	for live, want := range map[uint64]int64{0: most, 100 << 20: most, 160 << 20: most, full - 1: most, full: full + full/10*3, 1000 << 20: 1300 << 20} {
		if got := limit(live); got != want {
			t.Errorf("%d live: %d, want %d", live, got, want)
		}
	}
}

func TestPercentOfWhatLasts(t *testing.T) {
	for live, heap := range map[uint64]uint64{0: leastLasting, 1 << 20: leastLasting, 9 << 20: leastLasting, 20 << 20: 28 << 20, 100 << 20: 140 << 20} {
		p := uint64(percent(live, true))
		got := max(live+live*p/100, 4<<20*p/100)
		if got > heap+heap/4 || got < heap-heap/4 {
			t.Errorf("%d live: the next collection at %d, want %d", live, got, heap)
		}
	}
}
