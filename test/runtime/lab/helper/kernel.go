//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sleep waits: what follows it is only what the command line is to look like.
func sleep(args []string) error {
	d, err := time.ParseDuration(arg(args, 0))
	if err != nil {
		return err
	}
	time.Sleep(d)
	return nil
}

func self() ([]byte, error) { return os.ReadFile("/proc/self/exe") }

// memfd runs a program that is in memory alone.
func memfd([]string) error {
	fd, err := unix.MemfdCreate("x", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	b, err := self()
	if err != nil {
		return err
	}
	if _, err := unix.Write(fd, b); err != nil {
		return err
	}
	return run(fmt.Sprintf("/proc/self/fd/%d", fd), "sleep", "1ms")
}

// deleted runs a program that has no name any more.
func deleted(args []string) error {
	b, err := self()
	if err != nil {
		return err
	}
	file := arg(args, 0)
	if err := os.WriteFile(file, b, 0o755); err != nil {
		return err
	}
	fd, err := unix.Open(file, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil {
		return err
	}
	return run(fmt.Sprintf("/proc/self/fd/%d", fd), "sleep", "1ms")
}

// run runs a program that stands for one: close-on-exec descriptors are still there when it is called.
func run(path string, args ...string) error {
	pid, err := syscall.ForkExec(path, append([]string{path}, args...), &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	if status.Signaled() {
		return fmt.Errorf("it was killed by %v", status.Signal())
	}
	return nil
}

func target(args []string) (int, error) {
	pid, err := strconv.Atoi(arg(args, 0))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%q is no process", arg(args, 0))
	}
	return pid, nil
}

func ptrace(args []string) error {
	pid, err := target(args)
	if err != nil {
		return err
	}
	return attach(pid)
}

func attach(pid int) error {
	if err := unix.PtraceAttach(pid); err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

func child() (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", "sleep", "1m")
	return cmd, cmd.Start()
}

func ptraceOwn([]string) error {
	cmd, err := child()
	if err != nil {
		return err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	return attach(cmd.Process.Pid)
}

// stack is a place in a process that may be written: what is there is written again.
func stack(pid int) (uintptr, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	var from, to uint64
	var mode string
	for line := range lines(b) {
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n == 3 && len(mode) > 1 && mode[1] == 'w' {
			return uintptr(from), nil
		}
	}
	return 0, errors.New("nothing of it may be written")
}

func memWrite(args []string) error {
	pid, err := target(args)
	if err != nil {
		return err
	}
	at, err := stack(pid)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [8]byte
	if _, err := f.ReadAt(b[:], int64(at)); err != nil {
		return err
	}
	_, err = f.WriteAt(b[:], int64(at))
	return err
}

func vmWrite(args []string) error {
	pid, err := target(args)
	if err != nil {
		return err
	}
	at, err := stack(pid)
	if err != nil {
		return err
	}
	b := make([]byte, 8)
	local := []unix.Iovec{{Base: &b[0], Len: 8}}
	remote := []unix.RemoteIovec{{Base: at, Len: 8}}
	if _, err := unix.ProcessVMReadv(pid, local, remote, 0); err != nil {
		return err
	}
	_, err = unix.ProcessVMWritev(pid, local, remote, 0)
	return err
}

// shocker opens the root of the file system that a file is on by its handle, which goes past every mount.
func shocker(args []string) error {
	mount, err := unix.Open(arg(args, 0), unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	h := make([]byte, 8)
	binary.LittleEndian.PutUint32(h, 2) // the root's inode, as ext4 has it
	fd, err := unix.OpenByHandleAt(mount, unix.NewFileHandle(1, h), unix.O_RDONLY)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// bpf loads a program that returns 0.
func bpf([]string) error {
	program := []uint64{0xb7, 0x95}
	license := []byte("GPL\x00")
	attr := struct {
		kind, count uint32
		program     uint64
		license     uint64
		rest        [96]byte
	}{kind: 1, count: 2, program: uint64(uintptr(unsafe.Pointer(&program[0]))), license: uint64(uintptr(unsafe.Pointer(&license[0])))}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, 5, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

func perf([]string) error {
	fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}, 0, -1, -1, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func userfault([]string) error {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

func uring([]string) error {
	var params [120]byte
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&params[0])), 0)
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

// module has the kernel load what is no module: that it was asked is what counts.
func module([]string) error {
	b := []byte("no module at all")
	_, _, errno := unix.Syscall(unix.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&[]byte{0}[0])))
	if errno == 0 || errno == unix.EPERM {
		return fmt.Errorf("the answer is %v", errno)
	}
	return nil
}

// wx makes memory that was written executable; wr makes it read-only.
func wx([]string) error { return protect(unix.PROT_READ | unix.PROT_EXEC) }
func wr([]string) error { return protect(unix.PROT_READ) }

func protect(prot int) error {
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	b[0] = 0xc3
	return unix.Mprotect(b, prot)
}

// spawn runs a shell, as who was broken into does.
func spawn(args []string) error {
	return exec.Command("/bin/sh", "-c", "id; "+arg(args, 0)).Run()
}

// kernelExec runs a program of the image.
func kernelExec(args []string) error { return exec.Command(arg(args, 0), args[1:]...).Run() }
