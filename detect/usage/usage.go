// Package usage keeps what containers take as figures, and finds those that take what they never took, run out of what they
// may have, or are flooded.
package usage

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
)

// KPI is what a container took lately. What is not known is -1, as are limits where there are none.
type KPI struct {
	Container bulwark.ContainerRef
	At        time.Time

	CPU, CPULimit          float64 // processors
	Throttled              float64 // share of the time
	Memory, MemoryLimit    int64   // bytes, without what the kernel can forget
	Read, Written          float64 // bytes a second
	Received, Sent         float64 // bytes a second
	Processes, ProcessMost int64
	// Waiting is the share of the last ten seconds in which something waited.
	WaitingCPU, WaitingMemory, WaitingInputs float64
	OutOfMemory, Refused, Overflows          int64 // since it is watched: processes ended, processes refused, connections without room
	// Anomalies say what is unlike the container itself; empty: nothing is.
	Anomalies []string
}

// Detector is the family with its figures.
type Detector struct {
	*family.Family
	mu sync.Mutex
	of *recent.Table[string, seen]
}

// most is how many containers are kept.
const most = 4096

// New makes the family.
func New() *Detector {
	d := &Detector{of: recent.NewTable[string, seen](most)}
	d.Family = family.New("usage", "Keeps what containers take, and finds what is unlike them.", d.rules())
	return d
}

// stale is after how long a container without figures is no longer told.
const stale = time.Minute

// KPIs are those of all containers that run, by name. It may be called at any time.
func (d *Detector) KPIs() []KPI {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []KPI
	newest := time.Time{}
	d.of.Each(func(_ string, s *seen) bool {
		if s.kpi.At.After(newest) {
			newest = s.kpi.At
		}
		return true
	})
	d.of.Each(func(_ string, s *seen) bool {
		if newest.Sub(s.kpi.At) < stale && !s.kpi.At.IsZero() {
			one := s.kpi
			one.Anomalies = slices.Clone(one.Anomalies)
			list = append(list, one)
		}
		return true
	})
	slices.SortFunc(list, func(a, b KPI) int {
		return cmp.Or(cmp.Compare(a.Container.Name, b.Container.Name), cmp.Compare(a.Container.ID, b.Container.ID))
	})
	return list
}

// seen is a container with its habits.
type seen struct {
	kpi    KPI
	habits [len(figures)]recent.Habit
	odd    [len(figures)]string  // what is odd about it now
	lasts  [len(figures)]int     // since how many blocks
	late   [len(figures)]float64 // the last block, which is no habit yet
	waits  [len(figures)]bool    // there is one
	tight  int64                 // since when memory is short; 0: it is not
	killed recent.Count
}

// figure is one that has a habit.
type figure struct {
	name  string
	least float64 // what is below is no anomaly, whatever was before
	of    func(*KPI) float64
	text  func(float64) string
}

var figures = [...]figure{
	{"processors", 0.5, func(k *KPI) float64 { return k.CPU }, func(v float64) string { return fmt.Sprintf("%.2f processors", v) }},
	{"memory", 256 << 20, func(k *KPI) float64 { return float64(k.Memory) }, func(v float64) string { return size(v) }},
	{"sending", 1 << 20, func(k *KPI) float64 { return k.Sent }, func(v float64) string { return size(v) + " a second sent" }},
	{"receiving", 4 << 20, func(k *KPI) float64 { return k.Received }, func(v float64) string { return size(v) + " a second received" }},
	{"writing", 16 << 20, func(k *KPI) float64 { return k.Written }, func(v float64) string { return size(v) + " a second written" }},
	{"processes", 100, func(k *KPI) float64 { return float64(k.Processes) }, func(v float64) string { return fmt.Sprintf("%.0f processes", v) }},
}

func size(v float64) string {
	switch {
	case v >= 1<<30:
		return fmt.Sprintf("%.1f GB", v/(1<<30))
	case v >= 1<<20:
		return fmt.Sprintf("%.1f MB", v/(1<<20))
	}
	return fmt.Sprintf("%.0f KB", v/(1<<10))
}

// read takes what an event says.
func (k *KPI) read(h *family.Hit) {
	span := float64(max(h.Num("span"), 1)) / 1e9
	rate := func(name string) float64 { n := h.Num(name); return float64(n) / pick(n < 0, 1, span) }
	*k = KPI{
		Container: *family.Ref(h.C), At: time.Unix(0, h.Time).UTC(), CPU: rate("cpu"), Throttled: rate("throttled"),
		Memory: h.Num("memory"), MemoryLimit: h.Num("memory_limit"), Read: rate("read"), Written: rate("written"), Received: rate("received"), Sent: rate("sent"),
		Processes: h.Num("pids"), ProcessMost: h.Num("pids_limit"), WaitingCPU: share(h.Num("pressure_cpu")), WaitingMemory: share(h.Num("pressure_memory")), WaitingInputs: share(h.Num("pressure_io")),
		OutOfMemory: k.OutOfMemory + max(h.Num("oom"), 0), Refused: k.Refused + max(h.Num("refused"), 0), Overflows: k.Overflows + max(h.Num("overflows"), 0),
	}
	if k.CPU >= 0 {
		k.CPU /= 1e9
	}
	if k.CPULimit = float64(h.Num("cpu_limit")); k.CPULimit > 0 {
		k.CPULimit /= 1e9
	}
	if k.Throttled > 0 {
		k.Throttled /= 1e9
	}
}

func share(hundredths int64) float64 {
	if hundredths < 0 {
		return -1
	}
	return float64(hundredths) / 1e4
}

func pick(first bool, a, b float64) float64 {
	if first {
		return a
	}
	return b
}
