//go:build linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"bulwark"
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
