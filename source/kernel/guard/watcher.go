//go:build linux && (amd64 || arm64)

package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/mountinfo"
)

// patience is how long a process may wait for an answer. What cannot be decided in that time passes.
const patience = 100 * time.Millisecond

// watcher is asked by the kernel before a file is executed. It belongs to one list of scopes: another list is
// another watcher, which is there before the old one goes.
type watcher struct {
	node   *node
	scopes []*watched
	file   *os.File
	fd     int // only until watch returns
	tell   func(bulwark.Decision)
	old    atomic.Bool // it answers, and tells nothing: there is another

	mu     sync.Mutex
	mounts map[uint64]mountinfo.Mount // by id, as processes had them
	ended  chan struct{}
}

// watched is a scope with the files that are its own.
type watched struct {
	fileScope
	upper   string          // of its root
	root    string          // device of its root
	memory  map[string]bool // devices of memory file systems
	devices map[string]bool // all that it is asked about
}

// watch begins to answer for the scopes. It returns nil where there are none.
func watch(n *node, scopes []fileScope, tell func(bulwark.Decision)) (*watcher, error) {
	if len(scopes) == 0 {
		return nil, nil
	}
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_MARKS|unix.FAN_UNLIMITED_QUEUE,
		unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("asking for permission events: %w", err)
	}
	w := &watcher{node: n, fd: fd, file: os.NewFile(uintptr(fd), "fanotify"), tell: tell, mounts: map[uint64]mountinfo.Mount{}, ended: make(chan struct{})}
	var errs []error
	for _, s := range scopes {
		if err := w.add(s); err != nil {
			for _, i := range s.asked {
				errs = append(errs, &bulwark.BlockError{Index: i, Err: fmt.Errorf("watching executions of %s: %w", s.path, err)})
			}
		}
	}
	if len(errs) > 0 {
		w.file.Close()
		return nil, errors.Join(errs...)
	}
	go w.run()
	return w, nil
}

// Close lets everything pass that waits for an answer.
func (w *watcher) Close() error {
	if w == nil {
		return nil
	}
	w.old.Store(true)
	err := w.file.Close()
	<-w.ended
	return err
}

const (
	eventSize  = int(unsafe.Sizeof(unix.FanotifyEventMetadata{}))
	bufferSize = 256 * eventSize
)

func (w *watcher) run() {
	defer close(w.ended)
	buf := make([]byte, bufferSize)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for rest := buf[:n]; len(rest) >= eventSize; {
			ev := *(*unix.FanotifyEventMetadata)(unsafe.Pointer(&rest[0]))
			if int(ev.Event_len) < eventSize || int(ev.Event_len) > len(rest) {
				break
			}
			rest = rest[ev.Event_len:]
			w.take(ev)
		}
	}
}

// take answers an event at once where it is the guard's own, and else in a goroutine: a file system that hangs
// holds up nobody else. There are never more than processes that wait.
func (w *watcher) take(ev unix.FanotifyEventMetadata) {
	if ev.Fd < 0 {
		return
	}
	a := &answer{w: w, fd: ev.Fd, pid: int(ev.Pid)}
	if ev.Mask&unix.FAN_OPEN_EXEC_PERM == 0 || int(ev.Pid) == os.Getpid() {
		a.give(unix.FAN_ALLOW)
		unix.Close(int(ev.Fd))
		return
	}
	go a.decide()
}

// answer is given once: by the one who decides, or by the clock.
type answer struct {
	w    *watcher
	fd   int32
	pid  int
	once sync.Once
}

func (a *answer) give(response uint32) (mine bool) {
	a.once.Do(func() {
		mine = true
		var b [8]byte
		binary.NativeEndian.PutUint32(b[:], uint32(a.fd))
		binary.NativeEndian.PutUint32(b[4:], response)
		a.w.file.Write(b[:]) // by its own lock: a number may be another file's by now
	})
	return mine
}

func (a *answer) decide() {
	defer unix.Close(int(a.fd))
	late := time.AfterFunc(patience, func() {
		if a.give(unix.FAN_ALLOW) {
			a.report(verdict{}, bulwark.Passed)
		}
	})
	defer late.Stop()
	v := a.w.judge(a.pid, int(a.fd))
	if v.rule == "" {
		a.give(unix.FAN_ALLOW)
		return
	}
	name := nameOfProcess(a.pid)
	if a.give(unix.FAN_DENY) {
		v.name = name
		a.report(v, bulwark.Denied)
	}
}

func (a *answer) report(v verdict, act bulwark.Act) {
	if a.w.old.Load() || a.w.tell == nil {
		return
	}
	a.w.tell(bulwark.Decision{Time: time.Now().UnixNano(), Rule: v.rule, Deed: v.deed, Act: act, PID: a.pid,
		Start: startOf(strconv.Itoa(a.pid)), Name: v.name, Cgroup: v.cgroup, Path: v.path})
}

func nameOfProcess(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil || len(b) == 0 {
		return ""
	}
	return string(b[:len(b)-1])
}
