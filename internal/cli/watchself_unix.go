//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"bulwark/watch"
)

// continued has the engine tell when somebody stopped this program and it goes on, until ctx is done.
func continued(ctx context.Context, e *watch.Watcher) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGCONT)
	defer signal.Stop(c)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c:
			e.Continued()
		}
	}
}

// alive tells whether there is a process with that id.
func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
