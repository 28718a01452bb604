//go:build amd64 || arm64

package kernel

import (
	"bytes"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// initialUser is what the node's own user namespace is called, on every kernel.
const initialUser = "user:[4026531837]"

// hindrances are what keeps a process with all capabilities from what the sensor does.
func hindrances(admin bool) (lacks []string) {
	if ns, err := os.Readlink("/proc/self/ns/user"); err == nil && ns != initialUser {
		return []string{"the node's own user namespace (in this one even root may not use BPF)"}
	}
	switch err := tryBPF(); {
	case err == unix.ENOSYS:
		lacks = append(lacks, "a kernel with BPF (the system call bpf is not there)")
	case err == unix.EPERM && seccomped():
		lacks = append(lacks, "a seccomp filter that lets the system call bpf pass (this process has one that refuses it)")
	case err == unix.EPERM:
		lacks = append(lacks, "leave to use BPF (the kernel refuses the system call bpf: lockdown, or a security module)")
	}
	if !admin && !tracingMounted() {
		lacks = append(lacks, "tracefs at /sys/kernel/tracing (it is not mounted, and mounting it needs capability CAP_SYS_ADMIN)")
	}
	return lacks
}

// tryBPF makes the smallest map there is, and lets go of it.
func tryBPF() error {
	fd, err := makeMap(unix.BPF_MAP_TYPE_ARRAY, 1)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// makeMap makes a map whose keys and values have four bytes.
func makeMap(kind uint32, entries int) (int, error) {
	attr := struct{ kind, key, value, entries, flags uint32 }{kind, 4, 4, uint32(entries), 0}
	fd, _, err := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if err != 0 {
		return -1, err
	}
	return int(fd), nil
}

func seccomped() bool {
	b, _ := os.ReadFile("/proc/self/status")
	return bytes.Contains(b, []byte("\nSeccomp:\t2"))
}

func tracingMounted() bool {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events"); err == nil {
			return true
		}
	}
	return false
}
