//go:build amd64 || arm64

package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

// tick is how long a record of the volume ring may wait where there are few: nobody is woken for each.
const tick = 20 * time.Millisecond

// rest is for how long a ring is not looked at where it was empty for a tick: its next record wakes the reader.
const rest = time.Second

// sleeps has the next record wake the reader; true: there is one already.
func (r *run) sleeps() bool {
	if err := r.programs.Variables["asleep"].Set(uint32(1)); err != nil {
		return false // it looks again after its rest
	}
	return r.volume.peek() != nil || r.critical.peek() != nil
}

// pause is the least time between two looks at the rings: whoever makes events in a row does not wake the reader for each.
const pause = 2 * time.Millisecond

func (r *run) loop(ctx context.Context, emit func([]bulwark.Event) error) error {
	rings, err := r.waiter()
	if err != nil {
		return fmt.Errorf("waiting for events: %w", err)
	}
	defer rings.Close()
	defer context.AfterFunc(ctx, func() { _ = rings.SetReadDeadline(time.Now()) })()
	woken, err := rings.SyscallConn()
	if err != nil {
		return fmt.Errorf("waiting for events: %w", err)
	}
	var told time.Time
	quiet := 0 // for how many ticks nothing came
	for ctx.Err() == nil {
		now := time.Now()
		if now.Sub(told) > 250*time.Millisecond {
			told = now
			r.decoder.offset = clockOffset()
			if err := r.tellDrops(emit); err != nil {
				return err
			}
		}
		some, err := r.drain(func() bool { return ctx.Err() == nil }, emit)
		if err != nil {
			return err
		}
		wait := tick
		if quiet > 0 && !some {
			if r.sleeps() {
				quiet = 0
				continue // something came meanwhile
			}
			if quiet > 1 { // what was on its way into the ring before whoever put it there was told is seen by now
				wait = rest
			}
		}
		_ = rings.SetReadDeadline(time.Now().Add(wait))
		if ctx.Err() != nil {
			break // its end set the deadline before
		}
		var ready [2]unix.EpollEvent
		err = woken.Read(func(fd uintptr) bool {
			n, err := unix.EpollWait(int(fd), ready[:], 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !late {
			return fmt.Errorf("waiting for events: %w", err)
		}
		if quiet++; some || !late {
			quiet = 0
		}
		time.Sleep(time.Until(now.Add(pause)))
	}
	r.detach()
	r.until = sinceBoot() + uint64(tick)
	late := time.Now().Add(grace)
	if _, err := r.drain(func() bool { return time.Now().Before(late) }, emit); err != nil {
		return err
	}
	return r.tellDrops(emit)
}

// waiter can be read when a ring has woken its reader since it was last read, not whenever there is something in one. Go's poller waits for it: a thread that waits in the kernel time and
// again keeps Go's monitor of threads from sleeping, which took 1 % of a processor.
func (r *run) waiter() (*os.File, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"critical", "volume"} {
		fd := r.programs.Maps[name].FD()
		if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)}); err != nil {
			unix.Close(poll)
			return nil, err
		}
	}
	if err := unix.SetNonblock(poll, true); err != nil {
		unix.Close(poll)
		return nil, err
	}
	return os.NewFile(uintptr(poll), "rings"), nil
}

// grace bounds how long events that came before the end may take.
const grace = time.Second

// drain emits all that is in the rings, in the order of time: of one thread's events none overtakes another, since
// what comes before one in the volume ring is in the critical ring already when the one can be seen. It tells whether there was any.
func (r *run) drain(on func() bool, emit func([]bulwark.Event) error) (some bool, err error) {
	d := r.decoder
	for on() {
		n := 0
		for n < batch {
			v := r.volume.peek()
			b, from := r.critical.peek(), r.critical
			if b == nil || v != nil && timeOf(v) < timeOf(b) {
				b, from = v, r.volume
			}
			if b == nil || timeOf(b) > r.until {
				break
			}
			if d.decode(n, b) {
				n++
			} else {
				r.bad++
			}
			from.next(len(b))
		}
		if n == 0 {
			r.volume.release()
			r.critical.release()
			return some, nil
		}
		err := emit(d.events[:n])
		some = true
		r.volume.release()
		r.critical.release()
		if err != nil {
			return some, err
		}
	}
	return some, nil
}

func timeOf(b []byte) uint64 {
	if len(b) < headBytes {
		return 0
	}
	return order.Uint64(b[8:])
}

// clockOffset is how far the clock of 1970 is before the node's own.
func clockOffset() int64 {
	boot := sinceBoot()
	var wall unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
	return wall.Nano() - int64(boot)
}

// sinceBoot is the time by the node's own clock, which events have.
func sinceBoot() uint64 {
	var boot unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)
	return uint64(boot.Nano())
}
