//go:build linux && (amd64 || arm64)

package guard

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"bulwark"
)

// echo answers every line on loopback.
func echo(t *testing.T) (port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if n, _ := c.Read(make([]byte, 1)); n > 0 {
					c.Write([]byte("y"))
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func start(t *testing.T, blocks ...bulwark.Block) *told {
	t.Helper()
	d := newTold()
	g := New(d.tell)
	if err := g.Load(blocks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestConnect(t *testing.T) {
	needNode(t)
	port := echo(t)
	at := func(host string) string { return netip.AddrPortFrom(netip.MustParseAddr(host), port).String() }
	to := []bulwark.Destination{{Net: netip.MustParsePrefix("127.0.0.0/8"), Ports: [2]uint16{port, port}}, {Net: netip.MustParsePrefix("127.0.0.7/32")}}
	outer := cgroup(t, "outer")
	d := start(t, bulwark.Block{Rule: "no loopback", Deed: bulwark.DeedConnect, Scope: bulwark.Scope{Path: outer}, Nets: to})
	for _, c := range []struct {
		act, to string
		stopped bool
	}{
		{"connect tcp", at("127.0.0.1"), true},
		{"connect tcp4", at("127.0.0.9"), true},
		{"mapped", at("127.0.0.1"), true},
		{"connect tcp4", at("0.0.0.0"), true},
		{"connect tcp6", at("::1"), false},
		{"connect udp", "127.0.0.7:9", true},
		{"connect udp", "127.0.0.8:9", false},
		{"sendto", "127.0.0.7:9", true},
		{"sendto", "127.0.0.8:9", false},
		{"sendto", "[::1]:9", false},
		{"fast", at("127.0.0.1"), true},
		{"icmp", "127.0.0.7", true},
		{"icmp", "127.0.0.8", false},
	} {
		act, network, _ := strings.Cut(c.act, " ")
		args := []string{c.to}
		if network != "" {
			args = []string{network, c.to}
		}
		out := in(t, outer, act, args...)
		if stopped := strings.Contains(out, "operation not permitted"); stopped != c.stopped {
			t.Errorf("%s %s: %s, want stopped %v", c.act, c.to, out, c.stopped)
		}
		if c.stopped {
			got := d.next(t)
			if c.act == "icmp" {
				got.PID, got.Act = 1, got.Act-bulwark.Cut // packets have no process
			}
			if got.Rule != "no loopback" || got.PID == 0 || got.Act != bulwark.Denied || !got.Remote.Addr().Is4() {
				t.Errorf("%s %s: told %+v", c.act, c.to, got)
			}
		}
		if out := in(t, "", act, args...); strings.Contains(out, "operation not permitted") {
			t.Errorf("%s %s outside of the scope: %s", c.act, c.to, out)
		}
	}
}

func TestAllowList(t *testing.T) {
	needNode(t)
	port := echo(t)
	group := cgroup(t, "allow")
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	d := start(t, bulwark.Block{Rule: "only here", Deed: bulwark.DeedConnect, Scope: bulwark.Scope{Path: group},
		Except: []bulwark.Destination{{Net: netip.MustParsePrefix("127.0.0.1/32"), Ports: [2]uint16{port, port}, Proto: 6}}})
	if out := in(t, group, "connect", "tcp", here); out != "ok" {
		t.Errorf("what is allowed: %s", out)
	}
	for _, to := range []string{"127.0.0.2:80", "[::1]:80", "169.254.169.254:80"} {
		if out := in(t, group, "connect", "tcp", to); !strings.Contains(out, "operation not permitted") {
			t.Errorf("%s: %s", to, out)
		}
		if got := d.next(t); got.Remote.String() != to || got.Proto != 6 {
			t.Errorf("%s: told %+v", to, got)
		}
	}
}

func TestMine(t *testing.T) {
	needNode(t)
	port := echo(t)
	group := cgroup(t, "mine")
	d := start(t, bulwark.Block{Rule: "no miners", Deed: bulwark.DeedMine, Scope: bulwark.Scope{Path: group}})
	for line, cut := range map[string]bool{
		`{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x","pass":"x"}}`:    true,
		`{"params": [], "id": 2, "method" : "mining.subscribe"}`:                         true,
		`{"id":1,"jsonrpc":"2.0","method":"eth_submitLogin","params":[]}`:                true,
		`{"id":1,"jsonrpc":"2.0","method":"eth_subscribe","params":[]}`:                  false,
		`{"id":1,"jsonrpc":"2.0","method":"initialize","params":{}}`:                     false,
		`GET / HTTP/1.1` + "\r\n\r\n" + `{"method":"login"}`:                             false,
		`{"id":1,"text":"the method login"}`:                                             false,
		"\x16\x03\x01\x02\x01" + `{"id":1,"jsonrpc":"2.0","method":"login","params":{}}`: false,
	} {
		for _, host := range []string{"127.0.0.1", "::1"} {
			out := in(t, group, "speak", netip.AddrPortFrom(netip.MustParseAddr(host), port).String(), line)
			if (out == "ok") == cut {
				t.Errorf("%s: %q: %s, want cut %v", host, line, out, cut)
			}
			if !cut {
				continue
			}
			if got := d.next(t); got.Act != bulwark.Cut || got.PID == 0 || got.Remote.Port() != port || got.Rule != "no miners" {
				t.Errorf("told %+v", got)
			}
			for len(d.more) > 0 { // sent again
				d.next(t)
			}
		}
	}
}

func TestExecMemory(t *testing.T) {
	needNode(t)
	group := cgroup(t, "memory")
	if out := in(t, group, "memfd", os.Args[0]); out != "ok" {
		t.Fatalf("before: %s", out)
	}
	d := start(t, bulwark.Block{Rule: "no memory", Deed: bulwark.DeedExecMemory, Scope: bulwark.Scope{Path: group}})
	act, says := bulwark.Killed, ""
	if lsm() {
		act, says = bulwark.Denied, "operation not permitted"
	}
	if out := in(t, group, "memfd", os.Args[0]); out != says {
		t.Errorf("said %q, want %q", out, says)
	}
	if got := d.next(t); got.Act != act || !strings.Contains(got.Path, "memfd:hidden") || got.PID == 0 || got.Start == 0 {
		t.Errorf("told %+v", got)
	}
	if out := in(t, group, "say"); out != "ok" {
		t.Errorf("a program with a name: %s", out)
	}
	if out := in(t, "", "memfd", os.Args[0]); out != "ok" {
		t.Errorf("outside of the scope: %s", out)
	}
}

// copyProgram puts the test program below a folder.
func copyProgram(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file) })
	return file
}

func TestExecBelow(t *testing.T) {
	needNode(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it starts what it is asked about: see New
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "drop", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("drop", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	dropped := copyProgram(t, filepath.Join(dir, "drop", "deep", "program"))
	beside := copyProgram(t, filepath.Join(dir, "dropped"))
	script := filepath.Join(dir, "drop", "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho ok\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := start(t, bulwark.Block{Rule: "no drops", Deed: bulwark.DeedExecBelow, Scope: bulwark.Scope{Path: "/"}, Below: []string{filepath.Join(dir, "link")}})
	for _, program := range []string{dropped, script} {
		err := command(t, "", program, "say").Run()
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("%s: %v", program, err)
		}
		if got := d.next(t); got.Path != program || got.Act != bulwark.Denied || got.Deed != bulwark.DeedExecBelow || got.PID == 0 {
			t.Errorf("told %+v", got)
		}
	}
	if out, err := command(t, "", beside, "say").CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("beside: %v %s", err, out)
	}
}

func TestRefused(t *testing.T) {
	needNode(t)
	g := New(nil)
	defer g.Close()
	for text, b := range map[string]bulwark.Block{
		"no hook stops it":                {Deed: "dream", Scope: bulwark.Scope{Path: "/"}},
		"containers only":                 {Deed: bulwark.DeedExecDrift, Scope: bulwark.Scope{Path: "/"}},
		"the root of the container is no": {Deed: bulwark.DeedExecDrift, Scope: bulwark.Scope{Path: "/", PID: os.Getpid()}},
		"a process of it is needed":       {Deed: bulwark.DeedExecBelow, Scope: bulwark.Scope{Path: "/x"}, Below: []string{"/tmp"}},
	} {
		b.Rule = "the rule"
		err := g.Load([]bulwark.Block{b})
		if !errors.Is(err, bulwark.ErrUnsupported) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "the rule") {
			t.Errorf("want %q: %v", text, err)
		}
	}
}

// What a process held is free when it is killed.
func TestKilledGuard(t *testing.T) {
	needNode(t)
	port := echo(t)
	group := cgroup(t, "crash")
	dir := t.TempDir()
	dropped := copyProgram(t, filepath.Join(dir, "program"))
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	scope := bulwark.Scope{Path: group}
	kill := holdElsewhere(t, []bulwark.Block{
		{Rule: "a", Deed: bulwark.DeedConnect, Scope: scope, Nets: []bulwark.Destination{{}}},
		{Rule: "b", Deed: bulwark.DeedExecMemory, Scope: scope},
		{Rule: "c", Deed: bulwark.DeedMine, Scope: scope},
		{Rule: "d", Deed: bulwark.DeedExecBelow, Scope: bulwark.Scope{Path: "/"}, Below: []string{dir}},
	})
	works := func() (n int) {
		if in(t, group, "connect", "tcp", here) == "ok" {
			n++
		}
		if in(t, group, "memfd", os.Args[0]) == "ok" {
			n++
		}
		if command(t, "", dropped, "say").Run() == nil {
			n++
		}
		return n
	}
	if n := works(); n != 0 {
		t.Errorf("%d of 3 work while the guard lives", n)
	}
	kill()
	if n := works(); n != 3 {
		t.Errorf("%d of 3 work after the guard died", n)
	}
}

func mustPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
