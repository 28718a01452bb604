//go:build linux && (amd64 || arm64)

package kernel

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

// TestSignalsByDescriptorAndWithData: they have the descriptor, or the process, and the signal.
func TestSignalsByDescriptorAndWithData(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo"))
	me, sig := os.Getpid(), unix.SIGWINCH // nothing comes of it
	fd, err := unix.PidfdOpen(me, 0)
	if err != nil {
		need.Missing(t, "descriptors of processes: %v", err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil {
		t.Fatal(err)
	}
	info := [32]int32{int32(sig), 0, -1} // SI_QUEUE
	if _, _, e := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(me), uintptr(sig), uintptr(unsafe.Pointer(&info))); e != 0 {
		t.Fatal(e)
	}
	w.find(t, "pidfd_open", both(mine("pidfd_open"), func(e *bulwark.Event) bool { return e.Result == int64(fd) && num(e, "pid") == int64(me) }))
	w.find(t, "pidfd_send_signal", both(mine("pidfd_send_signal"), func(e *bulwark.Event) bool {
		return num(e, "fd") == int64(fd) && num(e, "sig") == int64(sig) && e.FD.Kind == bulwark.FDPID
	}))
	w.find(t, "rt_sigqueueinfo", both(mine("rt_sigqueueinfo"), func(e *bulwark.Event) bool { return num(e, "pid") == int64(me) && num(e, "sig") == int64(sig) }))
}
