//go:build linux && (amd64 || arm64)

package kernel

import (
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/need"
)

// needPackets is for tests that see packets of control groups.
func needPackets(t *testing.T) {
	t.Helper()
	needRoot(t)
	if unified() == "" {
		need.Missing(t, "a hierarchy of control groups of the second version, in which packets are seen")
	}
}

// pair is a connection over loopback with both of its ends.
type pair struct {
	client, server     net.Conn
	clientAt, serverAt netip.AddrPort
}

func connected(t *testing.T, at string) pair {
	t.Helper()
	l := listen(t, at)
	defer l.Close()
	served := make(chan net.Conn, 1)
	go func() { c, _ := l.Accept(); served <- c }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := <-served
	t.Cleanup(func() { c.Close(); s.Close() })
	return pair{c, s, netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(l.Addr().String())}
}

// seen finds packets between two ends, from the view of the local one.
func seen(kind bulwark.Kind, local, remote netip.AddrPort) func(*bulwark.Event) bool {
	return func(e *bulwark.Event) bool { return e.Kind == kind && e.FD.Local == local && e.FD.Remote == remote }
}

func text(e *bulwark.Event, name string) string { a, _ := e.Arg(name); return string(a.Text) }
func num(e *bulwark.Event, name string) int64   { a, _ := e.Arg(name); return a.Num }

// TestFirstPayloads: both ends of a connection are told of the first bytes of each direction, with who sent them; the server,
// which has not sent anything yet, is not known by its process when it gets the first.
func TestFirstPayloads(t *testing.T) {
	needPackets(t)
	w := watch(t, &Sensor{Self: true}, kinds("payload"))
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		p := connected(t, at)
		say := func(from, to net.Conn, line string) {
			if _, err := io.WriteString(from, line); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(to, make([]byte, len(line))); err != nil {
				t.Fatal(err)
			}
		}
		long := strings.Repeat("x", 5000)
		say(p.client, p.server, "first of the client\n")
		say(p.server, p.client, "first of the server\n")
		say(p.client, p.server, long)
		for range 8 {
			say(p.client, p.server, "more\n")
		}
		for _, tt := range []struct {
			what, data     string
			local, remote  netip.AddrPort
			server, nobody bool
		}{
			{"client sends", "first of the client\n", p.clientAt, p.serverAt, false, false},
			{"server gets", "first of the client\n", p.serverAt, p.clientAt, true, true},
			{"server sends", "first of the server\n", p.serverAt, p.clientAt, true, false},
			{"client gets", "first of the server\n", p.clientAt, p.serverAt, false, false},
			{"client sends much", long[:shown], p.clientAt, p.serverAt, false, false},
		} {
			e := w.find(t, tt.what, func(e *bulwark.Event) bool {
				return seen(bulwark.KindPayload, tt.local, tt.remote)(e) && text(e, "data") == tt.data
			})
			if want := max(len(tt.data), int(num(e, "size"))); int(num(e, "size")) != want || len(tt.data) == shown && want != len(long) {
				t.Errorf("%s: size %d", tt.what, num(e, "size"))
			}
			family := bulwark.FDIPv4
			if tt.local.Addr().Is6() {
				family = bulwark.FDIPv6
			}
			if e.FD.Kind != family || e.FD.Proto != protoTCP || e.FD.Server != tt.server || !e.FD.Connected || e.FD.Num != -1 {
				t.Errorf("%s: %+v", tt.what, e.FD)
			}
			if pid := e.Process.PID; pid != os.Getpid() && !(tt.nobody && pid == 0) {
				t.Errorf("%s: process %d, this is %d", tt.what, pid, os.Getpid())
			}
			if e.Process.PID != 0 && (e.Process.Start == 0 || e.Process.Cgroup == 0) {
				t.Errorf("%s: %+v", tt.what, e.Process)
			}
		}
		w.settle()
		if n := w.count(seen(bulwark.KindPayload, p.clientAt, p.serverAt)); n != 4+1 {
			t.Errorf("%d payloads are told of the client's end, want four sent and one received", n)
		}
	}
}

// TestPayloadsThatAreAskedFor: of a port that is asked for all are told, of others those that begin as is asked.
func TestPayloadsThatAreAskedFor(t *testing.T) {
	needPackets(t)
	asked, other := connected(t, "127.0.0.1:0"), connected(t, "127.0.0.1:0")
	w := watch(t, &Sensor{Self: true}, bulwark.Interest{bulwark.KindPayload: {{EitherPort: []uint16{asked.serverAt.Port(), 1}}, {First: []byte("{\xff")}}})
	for _, p := range []pair{asked, other} {
		for _, line := range []string{"GET /", "{}", "\xff", " {"} {
			if _, err := io.WriteString(p.client, line); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(p.server, make([]byte, len(line))); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.find(t, "the last that is told", func(e *bulwark.Event) bool { return e.FD.Remote == other.serverAt && text(e, "data") == "\xff" })
	w.settle()
	for _, tt := range []struct {
		p    pair
		want []string
	}{{asked, []string{"GET /", "{}", "\xff", " {"}}, {other, []string{"{}", "\xff"}}} {
		var sent, got []string
		for _, e := range w.all() {
			switch {
			case seen(bulwark.KindPayload, tt.p.clientAt, tt.p.serverAt)(&e):
				sent = append(sent, text(&e, "data"))
			case seen(bulwark.KindPayload, tt.p.serverAt, tt.p.clientAt)(&e):
				got = append(got, text(&e, "data"))
			}
		}
		if !slices.Equal(sent, tt.want) || !slices.Equal(got, tt.want) {
			t.Errorf("told as sent %q and as received %q, want %q", sent, got, tt.want)
		}
	}
}

// settle waits until what was seen is here: the reader comes by every few milliseconds.
func (w *watching) settle() { time.Sleep(5 * tick) }

func (w *watching) count(is func(*bulwark.Event) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.events {
		if is(&w.events[i]) {
			n++
		}
	}
	return n
}

// TestNamesThatAreAskedFor asks a name server of its own, over UDP and TCP.
func TestNamesThatAreAskedFor(t *testing.T) {
	needPackets(t)
	at := netip.MustParseAddrPort("127.53.91.7:53")
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		need.Missing(t, "a name server of its own: %v", err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", at.String())
	if err != nil {
		need.Missing(t, "a name server of its own: %v", err)
	}
	defer tcp.Close()
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := udp.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if n > messageBytes {
				b[2], b[3] = b[2]|0x80, b[3]&0xf0|3 // there is no such name
			}
			_, _ = udp.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 512)
			n, _ := c.Read(b)
			b[4] |= 0x80
			_, _ = c.Write(b[:n])
			c.Close()
		}
	}()
	w := watch(t, &Sensor{Self: true}, kinds("dns"))
	ask := func(network string, b []byte) netip.AddrPort {
		t.Helper()
		c, err := net.Dial(network, at.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 512)); err != nil {
			t.Fatal(err)
		}
		return netip.MustParseAddrPort(c.LocalAddr().String())
	}
	for _, tt := range []struct {
		network, name string
		b             []byte
		kind, rcode   int64
	}{
		{"udp", "xmr.pool.test", message("xmr.pool.test", 1, 0x0100), 1, 3},
		{"udp", longest, message(longest, 16, 0x0100), 16, 3},
		{"tcp", "over.tcp.test", overTCP(message("over.tcp.test", 28, 0x0100)), 28, 0},
		{"udp", "", []byte("what is no message at all"), 0, -1},
	} {
		local := ask(tt.network, tt.b)
		for _, rcode := range []int64{-1, tt.rcode} {
			e := w.find(t, tt.name, func(e *bulwark.Event) bool {
				return seen(bulwark.KindDNS, local, at)(e) && text(e, "name") == tt.name && num(e, "rcode") == rcode
			})
			if num(e, "type") != tt.kind || e.FD.Server || e.Process.PID != os.Getpid() {
				t.Errorf("%s: type %d, %+v, process %d", tt.name, num(e, "type"), e.FD, e.Process.PID)
			}
		}
	}
}

// TestFlows: the end of a connection tells how much went each way.
func TestFlows(t *testing.T) {
	needPackets(t)
	w := watch(t, &Sensor{Self: true}, kinds("flow"))
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		p := connected(t, at)
		up, down := strings.Repeat("u", 100_000), strings.Repeat("d", 3_000)
		go func() { _, _ = io.WriteString(p.client, up) }()
		if _, err := io.ReadFull(p.server, make([]byte, len(up))); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(p.server, down) }()
		if _, err := io.ReadFull(p.client, make([]byte, len(down))); err != nil {
			t.Fatal(err)
		}
		p.client.Close()
		p.server.Close()
		for _, tt := range []struct {
			what          string
			local, remote netip.AddrPort
			sent          int
			server        bool
		}{{"client", p.clientAt, p.serverAt, len(up), false}, {"server", p.serverAt, p.clientAt, len(down), true}} {
			e := w.find(t, tt.what, seen(bulwark.KindFlow, tt.local, tt.remote))
			sent, received := int64(tt.sent), int64(len(up)+len(down)-tt.sent)
			if s, r := num(e, "sent"), num(e, "received"); s < sent || s > 2*sent || r < received || r > 2*received { // some is sent again
				t.Errorf("%s: sent %d, received %d, want %d and %d", tt.what, s, r, sent, received)
			}
			if num(e, "packets") < 4 || num(e, "duration") <= 0 || num(e, "duration") > int64(time.Minute) {
				t.Errorf("%s: %d packets in %d ns", tt.what, num(e, "packets"), num(e, "duration"))
			}
			if e.FD.Server != tt.server || e.Process.PID != os.Getpid() {
				t.Errorf("%s: %+v, process %d", tt.what, e.FD, e.Process.PID)
			}
		}
	}
}

// TestMuchIsToldAtOnce: a flow does not have to end to be told.
func TestMuchIsToldAtOnce(t *testing.T) {
	needPackets(t)
	w := watch(t, &Sensor{Self: true}, kinds("flow"))
	from, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	local := netip.MustParseAddrPort(from.LocalAddr().String())
	b := make([]byte, 60_000)
	for _, to := range []string{"127.9.0.1:4711", "127.9.0.2:4711"} { // one socket, two flows
		for range 80 {
			_, _ = from.WriteToUDPAddrPort(b, netip.MustParseAddrPort(to))
		}
		remote := netip.MustParseAddrPort(to)
		e := w.find(t, "datagrams", seen(bulwark.KindFlow, local, remote))
		if sent := num(e, "sent"); sent < 4<<20 || sent > 80*60_000 || e.FD.Proto != protoUDP || e.FD.Server || e.Process.PID != os.Getpid() {
			t.Errorf("sent %d: %+v, process %d", sent, e.FD, e.Process.PID)
		}
	}
}
