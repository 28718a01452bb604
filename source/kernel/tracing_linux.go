//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// tracing is the file system that numbers tracepoints. It is mounted for the sensor alone: nobody else sees the mount.
type tracing struct{ root *os.File }

func openTracing() (*tracing, error) {
	root, err := mountTracing()
	if err == nil {
		return &tracing{root}, nil
	}
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if f, e := os.Open(dir + "/events"); e == nil {
			f.Close()
			if root, e = os.Open(dir); e == nil {
				return &tracing{root}, nil
			}
		}
	}
	return nil, fmt.Errorf("mounting tracefs: %w", err)
}

func mountTracing() (*os.File, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "tracefs"), nil
}

func (t *tracing) close() { t.root.Close() }

// id is the number of a tracepoint, named as "group/name".
func (t *tracing) id(name string) (uint64, error) {
	fd, err := unix.Openat(int(t.root.Fd()), "events/"+name+"/id", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var text [32]byte
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text[:n])), 10, 64)
}

// points hold what is attached to tracepoints. Who closes such an event waits until all processors are past it, which
// takes 60 ms for each: a process with 70 of them took four seconds to end. Those of a map the kernel itself lets go of, when
// the map is closed or the process ends.
type points struct {
	events *ebpf.Map
	next   atomic.Uint32
}

// newPoints has room for that many.
func newPoints(most int) (*points, error) {
	fd, err := makeMap(unix.BPF_MAP_TYPE_PERF_EVENT_ARRAY, max(most, 1)) // by the library it would have one entry for a processor
	if err != nil {
		return nil, err
	}
	m, err := ebpf.NewMapFromFD(fd)
	if err != nil {
		return nil, err
	}
	return &points{events: m}, nil
}

// close lets go of all of them.
func (p *points) close() {
	if p != nil {
		p.events.Close()
	}
}

// attach has the program run whenever the tracepoint is passed.
func (p *points) attach(t *tracing, name string, program int) error {
	id, err := t.id(name)
	if err != nil {
		return fmt.Errorf("tracepoint %s: %w", name, err)
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW, Sample: 1, Wakeup: 1}
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("tracepoint %s: %w", name, err)
	}
	defer unix.Close(fd)
	if err := p.events.Put(p.next.Add(1)-1, uint32(fd)); err != nil {
		return fmt.Errorf("keeping tracepoint %s: %w", name, err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, program); err != nil {
		return fmt.Errorf("tracepoint %s: %w", name, err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return fmt.Errorf("tracepoint %s: %w", name, err)
	}
	return nil
}

func absent(err error) bool { return errors.Is(err, unix.ENOENT) }
