//go:build linux

package response

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

// tick is the unit of times in /proc.
const tick = int64(time.Second / 100)

// Victim is a process that was killed.
type Victim struct {
	PID   int
	Start int64 // nanoseconds since the node started, rounded down to 10 ms
	Name  string
}

// handle is a process that cannot become another while it is held.
type handle struct {
	Victim
	fd     int
	parent int
}

// KillTree kills a process and all that descend from it, and tells which those were. A process that has gone, or whose
// number is another's by now (start does not fit), is left alone: that is ErrNotFound. Those that were given to another
// parent in the meantime are not found: [Responder.KillContainer] finds them.
//
// Each process is stopped before its children are looked for, so that none slips away. The first process of
// the node and this one with its parents are never killed: that is ErrUnsupported.
func (r *Responder) KillTree(ctx context.Context, pid int, start int64) ([]Victim, error) {
	held, err := stopTree(ctx, pid, start)
	defer release(held)
	if len(held) == 0 {
		return nil, fmt.Errorf("killing: %w", err)
	}
	return kill(held, err)
}

// StopTree stops a process and all that descend from it, as KillTree would kill them, until they get SIGCONT.
func (r *Responder) StopTree(ctx context.Context, pid int, start int64) (stopped []Victim, err error) {
	held, err := stopTree(ctx, pid, start)
	defer release(held)
	for _, h := range held {
		stopped = append(stopped, h.Victim)
	}
	if err != nil {
		err = fmt.Errorf("stopping: %w", err)
	}
	return stopped, err
}

// KillWithin is KillTree while the cgroup stands still, so that nothing of it gets away meanwhile. One that somebody froze before
// stays frozen.
func (r *Responder) KillWithin(ctx context.Context, path string, pid int, start int64) ([]Victim, error) {
	groups, err := r.find(path)
	if err != nil || all(groups, group.frozen) {
		return r.KillTree(ctx, pid, start) // what has no cgroup of its own is killed all the same
	}
	if err := r.Freeze(ctx, path); err != nil {
		dead, failed := r.KillTree(ctx, pid, start)
		return dead, failed
	}
	dead, err := r.KillTree(ctx, pid, start)
	if thaw := r.Thaw(path); thaw != nil && !errors.Is(thaw, bulwark.ErrNotFound) && !errors.Is(thaw, fs.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("letting the container go on: %w", thaw))
	}
	return dead, err
}

// stopTree stops and holds a process and all that descend from it. The caller lets go of them, also where there is an error.
func stopTree(ctx context.Context, pid int, start int64) ([]handle, error) {
	if slices.Contains(ancestors(os.Getpid()), pid) || pid <= 1 {
		return nil, fmt.Errorf("process %d: bulwark would not outlive it: %w", pid, bulwark.ErrUnsupported)
	}
	first, err := hold(pid)
	if err != nil {
		return nil, err
	}
	if start != 0 && first.Start/tick != start/tick {
		unix.Close(first.fd)
		return nil, fmt.Errorf("process %d: it is another one by now: %w", pid, bulwark.ErrNotFound)
	}
	held := []handle{first}
	unix.PidfdSendSignal(first.fd, unix.SIGSTOP, nil, 0)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return held, err
		}
		held, more = withChildren(held)
	}
	return held, nil
}

// kill kills what is held, whatever else went wrong: it is stopped already.
func kill(held []handle, err error) ([]Victim, error) {
	var dead []Victim
	for _, h := range held {
		switch e := unix.PidfdSendSignal(h.fd, unix.SIGKILL, nil, 0); {
		case e == nil:
			dead = append(dead, h.Victim)
		case !errors.Is(e, unix.ESRCH):
			err = errors.Join(err, fmt.Errorf("killing process %d: %w", h.PID, e))
		}
	}
	return dead, err
}

func release(held []handle) {
	for _, h := range held {
		unix.Close(h.fd)
	}
}

// withChildren stops and adds the children of those that are held; more is false when there were none.
func withChildren(held []handle) (all []handle, more bool) {
	for _, pid := range pids() {
		if slices.ContainsFunc(held, func(h handle) bool { return h.PID == pid }) {
			continue
		}
		parent := statOf(pid).parent
		if !slices.ContainsFunc(held, func(h handle) bool { return h.PID == parent }) {
			continue
		}
		h, err := hold(pid)
		if err != nil {
			continue
		}
		if h.parent != parent { // another one by now
			unix.Close(h.fd)
			continue
		}
		unix.PidfdSendSignal(h.fd, unix.SIGSTOP, nil, 0)
		held, more = append(held, h), true
	}
	return held, more
}

// hold takes hold of a process, and reads what it is afterwards: it is the one that is held.
func hold(pid int) (handle, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return handle{}, fmt.Errorf("process %d: %w", pid, bulwark.ErrNotFound)
	}
	if err != nil {
		return handle{}, fmt.Errorf("holding process %d: %w", pid, err)
	}
	h := statOf(pid)
	if h.Start == 0 || unix.PidfdSendSignal(fd, 0, nil, 0) != nil {
		unix.Close(fd)
		return handle{}, fmt.Errorf("process %d: %w", pid, bulwark.ErrNotFound)
	}
	h.fd = fd
	return h, nil
}

// statOf is what /proc has of a process; its Start is 0 when it has ended.
func statOf(pid int) handle {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	from, to := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if err != nil || from < 0 || to < from {
		return handle{}
	}
	fields := strings.Fields(string(b[to+1:]))
	if len(fields) < 20 {
		return handle{}
	}
	parent, _ := strconv.Atoi(fields[1])
	if threads, _ := strconv.Atoi(fields[17]); (fields[0] == "Z" || fields[0] == "X") && threads <= 1 {
		return handle{} // it ended; where only its first thread did, the others go on
	}
	ticks, _ := strconv.ParseInt(fields[19], 10, 64)
	return handle{Victim: Victim{PID: pid, Start: ticks * tick, Name: string(b[from+1 : to])}, parent: parent}
}

func pids() []int {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var list []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// ancestors are a process and those above it.
func ancestors(pid int) []int {
	var list []int
	for pid > 0 && !slices.Contains(list, pid) {
		list = append(list, pid)
		pid = statOf(pid).parent
	}
	return list
}
