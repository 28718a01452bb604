package main

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// programs counts the eBPF programs in the kernel.
func programs() (n int, err error) {
	for attr := [3]uint32{}; ; attr[0] = attr[1] { // start, next, flags
		_, _, e := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_GET_NEXT_ID, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
		if errors.Is(e, unix.ENOENT) {
			return n, nil
		}
		if e != 0 {
			return n, e
		}
		n++
	}
}

// withEmpty measures while a program that does nothing is at the tracepoint of a system call.
func withEmpty(point string, measure func() (float64, error)) (float64, error) {
	program, err := emptyProgram()
	if err != nil {
		return 0, fmt.Errorf("loading an empty program: %w", err)
	}
	defer unix.Close(program)
	id, err := tracepoint(point)
	if err != nil {
		return 0, fmt.Errorf("tracepoint %s: %w", point, err)
	}
	event, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample: 1}, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("tracepoint %s: %w", point, err)
	}
	defer unix.Close(event)
	if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_SET_BPF, program); err != nil {
		return 0, err
	}
	if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return 0, err
	}
	return measure()
}

// emptyProgram returns 0.
func emptyProgram() (int, error) {
	code := [2]uint64{0x00000000000000b7, 0x0000000000000095} // r0 = 0; exit
	license := []byte("GPL\x00")
	attr := struct {
		kind, count     uint32
		code, license   uint64
		_, _            uint32
		_               uint64
		version, flags  uint32
		name            [16]byte
		ifindex, attach uint32
	}{kind: unix.BPF_PROG_TYPE_TRACEPOINT, count: uint32(len(code)), code: uint64(uintptr(unsafe.Pointer(&code))), license: uint64(uintptr(unsafe.Pointer(&license[0])))}
	fd, _, e := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&code)
	runtime.KeepAlive(license)
	if e != 0 {
		return 0, e
	}
	return int(fd), nil
}

// tracepoint is the number of one of a system call.
func tracepoint(name string) (uint64, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return 0, err
	}
	root, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(root)
	fd, err := unix.Openat(root, "events/syscalls/"+name+"/id", unix.O_RDONLY|unix.O_CLOEXEC, 0)
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
