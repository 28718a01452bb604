//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// resizes tells when the terminal has another size.
func resizes() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() { signal.Stop(c) }
}

// keys reads a terminal in raw mode until ctx is done, and stops at q, Ctrl-C and Ctrl-D.
func keys(ctx context.Context, in *os.File, stop func()) {
	const step = 100 // milliseconds
	var b [64]byte
	for ctx.Err() == nil {
		waits := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
		if n, err := unix.Poll(waits, step); err != nil || n == 0 {
			continue
		}
		n, err := in.Read(b[:])
		for _, key := range b[:max(n, 0)] {
			if key == 'q' || key == 'Q' || key == 3 || key == 4 {
				stop()
				return
			}
		}
		if err != nil || n <= 0 {
			stop() // the terminal is gone
			return
		}
	}
}
