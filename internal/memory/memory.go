// Package memory sets the garbage collector of a process that imports it, before other
// packages make their tables: a collection while they do costs 2 ms of a start of 16.
package memory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

const (
	// quiet is how much a run may use before the garbage collector starts. A scan
	// whose layers are all known stays below it, and takes 37 ms instead of 44 without
	// the collector.
	quiet = 40 << 20
	// least is how large the heap is at least when it starts again: while little lives it
	// would else run for every few megabytes (12 times instead of 5 for a thousand manifests).
	least = 28 << 20
	// most is where the collector starts to work harder, so that hostile input that
	// fills every budget stays below 256 MB. Ordinary scans do not come near.
	most = 184 << 20
	// full is what has to live for the limit to rise: what keeps so much alive (a cluster of
	// 100,000 pods) gets three tenths as much again, for the collector would run all the time, to no
	// avail. Budgets of images that are filled keep up to 196 MB alive, and stay below 256 MB.
	full = 208 << 20
)

// The package needs little of the standard library and its path sorts early: it is set up
// before nearly all others (The Go Programming Language Specification, Package
// initialization).
func init() {
	if given() {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(quiet)
	after(again)
}

// What is least, and how much of what lives may be added before the next collection, where [Last] was called.
const (
	leastLasting = 16 << 20
	lasting      = 40
)

var lasts atomic.Bool

// Last is for a process that goes on for long and keeps little: from here on memory matters more than how often it is
// collected.
func Last() {
	if given() {
		return
	}
	lasts.Store(true)
	settle()
}

// given tells whether the user set the collector.
func given() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// after calls f when the next collection is done.
func after(f func()) {
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { f() })
}

// again settles, and does after each collection.
func again() {
	settle()
	after(again)
}

// settle has the next collection begin when the heap is twice what lives now, but not below
// least, nor above the limit.
func settle() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live := sample[0].Value.Uint64()
	debug.SetMemoryLimit(limit(live))
	debug.SetGCPercent(percent(live, lasts.Load()))
}

// limit is how much the process is to use while that much lives.
func limit(live uint64) int64 {
	if live < full {
		return most
	}
	return int64(live + live/10*3)
}

// percent is how much of what lives may be added before the next collection.
func percent(live uint64, lasts bool) int {
	if lasts { // while little lives, the runtime takes it of 4 MB
		return max(lasting, int((leastLasting-min(leastLasting, live))*100/max(live, 4<<20)))
	}
	if live >= least/2 {
		return 100
	}
	return int((least - live) * 100 / max(live, 1<<20))
}
