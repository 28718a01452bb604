package recent

import "time"

// Habit is what a figure mostly was: it takes averages of blocks of time, and forgets slowly. The zero value is ready.
type Habit struct {
	Mean, Peak float64 // of blocks; the peak sinks to half in half a day
	Blocks     int
	sum        float64
	n          int
	began      int64
}

const (
	block    = 5 * time.Minute
	halfPeak = 144 // blocks
	slow     = 288 // blocks that the mean is of, more or less
)

// Add takes a figure, and gives the average of the block that ends with it; whole is false within a block. What was before stays as
// it is until [Habit.Keep] is called.
func (h *Habit) Add(now int64, v float64) (average float64, whole bool) {
	if h.n == 0 || now < h.began || now-h.began > 4*int64(block) {
		h.began, h.sum, h.n = now, 0, 0
	}
	h.sum += v
	h.n++
	if now-h.began < int64(block) {
		return 0, false
	}
	average = h.sum / float64(h.n)
	h.sum, h.n = 0, 0
	return average, true
}

// Keep takes the average of a block as usual.
func (h *Habit) Keep(average float64) {
	h.Blocks++
	h.Mean += (average - h.Mean) / float64(min(h.Blocks, slow))
	h.Peak = max(average, h.Peak*(1-0.6931/halfPeak))
}
