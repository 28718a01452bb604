//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

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

// attach has the program run whenever the tracepoint is passed, until the descriptor is closed.
func (t *tracing) attach(name string, program int) (int, error) {
	id, err := t.id(name)
	if err != nil {
		return -1, fmt.Errorf("tracepoint %s: %w", name, err)
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW, Sample: 1, Wakeup: 1}
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("tracepoint %s: %w", name, err)
	}
	err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, program)
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("tracepoint %s: %w", name, err)
	}
	return fd, nil
}

func absent(err error) bool { return errors.Is(err, unix.ENOENT) }
