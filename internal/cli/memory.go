package cli

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// quietMemory is how much a run may use before the garbage collector starts. A scan
	// whose layers are all known stays below it, and takes 37 ms instead of 44 without
	// the collector.
	quietMemory = 40 << 20
	// mostMemory is where the collector starts to work harder, so that hostile input that
	// fills every budget stays below 256 MB. Ordinary scans do not come near.
	mostMemory = 192 << 20
)

// TuneMemory sets the garbage collector of this process, unless GOGC or GOMEMLIMIT say
// how it should be.
func TuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(quietMemory)
	first := new([16]byte) // dies at the first collection
	runtime.SetFinalizer(first, func(*[16]byte) {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(mostMemory)
	})
}
