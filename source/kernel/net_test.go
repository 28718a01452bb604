//go:build linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

func mine(kind string) func(*bulwark.Event) bool {
	return func(e *bulwark.Event) bool { return e.Kind == kindNamed(kind) && e.Process.PID == os.Getpid() }
}

func both(a, b func(*bulwark.Event) bool) func(*bulwark.Event) bool {
	return func(e *bulwark.Event) bool { return a(e) && b(e) }
}

// listen skips where the kernel has no IPv6.
func listen(t *testing.T, at string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Skipf("this kernel has no %s", at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestConnectionsHaveTheirEnds(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("connect", "accept4", "bind", "listen", "sendto"))
	for _, network := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := listen(t, network)
		served := make(chan net.Conn, 1)
		go func() { c, _ := l.Accept(); served <- c }()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s := <-served
		server, client := netip.MustParseAddrPort(l.Addr().String()), netip.MustParseAddrPort(c.LocalAddr().String())
		e := w.find(t, "connect", both(mine("connect"), func(e *bulwark.Event) bool { return e.FD.Remote == server }))
		if e.FD.Local != client || e.FD.Proto != protoTCP || e.FD.Server {
			t.Errorf("connect: %+v, want from %v", e.FD, client)
		}
		e = w.find(t, "accept", both(mine("accept4"), func(e *bulwark.Event) bool { return unmap(e.FD.Remote) == client }))
		if unmap(e.FD.Local) != server || !e.FD.Server || !e.FD.Connected {
			t.Errorf("accept: %+v", e.FD)
		}
		w.find(t, "bind", both(mine("bind"), func(e *bulwark.Event) bool { return unmap(e.FD.Local).Addr() == server.Addr() }))
		c.Close()
		s.Close()
		l.Close()
	}
	refused := netip.MustParseAddrPort("127.0.0.1:9")
	_, _ = net.Dial("tcp", refused.String())
	w.find(t, "refused connection", both(mine("connect"), func(e *bulwark.Event) bool { return e.FD.Remote == refused }))
}

// TestConnectionsThatCannotBe: whom a connection was for is told of one that fails at once, too.
func TestConnectionsThatCannotBe(t *testing.T) {
	metadata := netip.MustParseAddrPort("169.254.169.254:80")
	want := bulwark.Interest{kindNamed("connect"): {{Nets: []netip.Prefix{netip.PrefixFrom(metadata.Addr(), 32)}}}}
	w := watch(t, &Sensor{Self: true}, want)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: it has another network
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: 80, Addr: metadata.Addr().As4()})
			unix.Close(fd)
		}
		done <- err
	}()
	if err := <-done; err != unix.ENETUNREACH {
		need.Missing(t, "a network without routes: %v", err)
	}
	w.find(t, "connection without a route", both(mine("connect"), func(e *bulwark.Event) bool {
		return e.FD.Remote == metadata && e.Result == -int64(unix.ENETUNREACH)
	}))
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

func TestUnixSocketsHaveTheirPath(t *testing.T) {
	w := watch(t, &Sensor{Self: true}, kinds("connect"))
	dir := t.TempDir()
	path, link := filepath.Join(dir, "engine.sock"), filepath.Join(dir, "harmless")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", link)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	e := w.find(t, "connect", both(mine("connect"), func(e *bulwark.Event) bool { return e.FD.Kind == bulwark.FDUnix && e.Result == 0 }))
	if string(e.FD.Name) != path || e.FD.Inode != st.Ino {
		t.Errorf("%+v %q, want %q inode %d", e.FD, e.FD.Name, path, st.Ino)
	}
}
