//go:build linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/mxcsr"
	"bulwark/internal/need"
)

// eats is set in a process that takes memory until it is killed, as soon as its input ends.
const eats = "BULWARK_TEST_EATS"

func TestMain(m *testing.M) {
	if os.Getenv(eats) != "" {
		_, _ = os.Stdin.Read(make([]byte, 1))
		var all [][]byte
		for range 256 {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		os.Exit(len(all) & 1)
	}
	os.Exit(m.Run())
}

// TestOneOfEachKind loads every program, and has one of each thing happen.
func TestOneOfEachKind(t *testing.T) {
	needPackets(t)
	want := kinds("openat", "close", "connect", "accept4", "sendto", "mkdirat", "unshare", "io_uring_setup")
	for k := range special {
		want[k] = nil
	}
	w := watch(t, &Sensor{Self: true}, want)
	me := os.Getpid()

	cmd := exec.Command("/bin/sh", "-c", "exit 3", "one-of-each")
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	of := func(kind bulwark.Kind) func(*bulwark.Event) bool {
		return func(e *bulwark.Event) bool { return e.Kind == kind && e.Process.PID == pid }
	}
	w.find(t, "clone", of(bulwark.KindClone))
	w.find(t, "execve", of(bulwark.KindExec))
	if e := w.find(t, "procexit", of(bulwark.KindExit)); num(e, "ret") != 3 {
		t.Errorf("procexit: %+v", e.Args)
	}
	w.find(t, "signal", func(e *bulwark.Event) bool { return e.Kind == bulwark.KindSignal && num(e, "dpid") == int64(me) })

	group := filepath.Join(unified(), "bulwark-test-"+strconv.Itoa(me))
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	err := unix.Stat(group, &st)
	if err := errors.Join(err, os.Remove(group)); err != nil {
		t.Fatal(err)
	}
	for _, k := range []bulwark.Kind{bulwark.KindCgroupMade, bulwark.KindCgroupGone} {
		e := w.find(t, k.String(), func(e *bulwark.Event) bool { return e.Kind == k && uint64(num(e, "id")) == st.Ino })
		if !strings.HasSuffix(text(e, "path"), filepath.Base(group)) {
			t.Errorf("%v: %q", k, text(e, "path"))
		}
	}

	p := connected(t, "127.0.0.1:0")
	_, _ = p.client.Write([]byte("payload"))
	_, _ = p.server.Read(make([]byte, 7))
	p.client.Close()
	p.server.Close()
	for _, k := range []bulwark.Kind{bulwark.KindPayload, bulwark.KindFlow} {
		w.find(t, k.String(), seen(k, p.clientAt, p.serverAt))
		w.find(t, k.String(), seen(k, p.serverAt, p.clientAt))
	}
	if c, err := net.Dial("udp", "127.53.91.8:53"); err == nil {
		_, _ = c.Write(message("one.of.each", 1, 0x0100))
		w.find(t, "dns", seen(bulwark.KindDNS, netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort("127.53.91.8:53")))
		c.Close()
	}
	w.find(t, "close", mine("close"))
	t.Run("io_uring", func(t *testing.T) {
		submit(t)
		w.find(t, "io_uring", mine("io_uring"))
	})
	t.Run("rounding", func(t *testing.T) {
		if !mxcsr.Round(mxcsr.Nearest, 50) {
			t.Skip("this processor has no such register")
		}
		if n := w.count(mine("rounding")); n != 0 {
			t.Errorf("%d events tell of numbers that are rounded to the nearest", n)
		}
		mxcsr.Round(mxcsr.Up, 50)
		if e := w.find(t, "rounding", mine("rounding")); uint32(num(e, "mxcsr"))&mxcsr.Bits != mxcsr.Up {
			t.Errorf("rounding: %#x", num(e, "mxcsr"))
		}
	})
	t.Run("oom", func(t *testing.T) {
		starved := starve(t)
		w.find(t, "oom", func(e *bulwark.Event) bool { return e.Kind == bulwark.KindOOM && num(e, "pid") == int64(starved) })
	})
	t.Log(w.Counts())
}

// submit has a ring do nothing once.
func submit(t *testing.T) {
	t.Helper()
	var params [30]uint32
	fd, _, no := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&params)), 0)
	if no != 0 {
		t.Skipf("io_uring_setup: %v", no)
	}
	defer unix.Close(int(fd))
	const sqRing, sqEntries = 0, 0x10000000
	ring, err := unix.Mmap(int(fd), sqRing, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(ring)
	entries, err := unix.Mmap(int(fd), sqEntries, 4*64, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(entries)
	tail, array := params[10+1], params[10+6] // offsets in the ring (struct io_sqring_offsets)
	*(*uint32)(unsafe.Pointer(&ring[array])) = 0
	*(*uint32)(unsafe.Pointer(&ring[tail])) = 1
	if n, _, no := unix.Syscall6(unix.SYS_IO_URING_ENTER, fd, 1, 0, 0, 0, 0); no != 0 || n != 1 {
		t.Fatalf("io_uring_enter: %d, %v", n, no)
	}
}

// starve has a process take more memory than its control group may, and gives its number.
func starve(t *testing.T) int {
	t.Helper()
	root, limit := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat(filepath.Join(root, limit)); err != nil {
		root, limit = unified(), "memory.max"
		_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+memory"), 0)
	}
	group := filepath.Join(root, "bulwark-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o700); err != nil {
		need.Missing(t, "a control group: %v", err)
	}
	t.Cleanup(func() { _ = os.Remove(group) })
	if err := os.WriteFile(filepath.Join(group, limit), []byte("33554432"), 0); err != nil {
		t.Skipf("limiting memory: %v", err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), eats+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		t.Error(err)
	}
	in.Close()
	if err := cmd.Wait(); err == nil {
		t.Error("a process had more memory than it may")
	}
	return cmd.Process.Pid
}
