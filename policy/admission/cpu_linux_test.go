package admission

import (
	"syscall"
	"time"
)

// processor is the time that this process has had of processors: what others take of them
// is not in it.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
