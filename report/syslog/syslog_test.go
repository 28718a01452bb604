package syslog

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bulwark"
	"bulwark/report/falco"
	"bulwark/report/internal/sample"
)

// header is a SYSLOG-MSG of RFC 5424, section 6: priority, version, time, host, application, process, id, structured data with its
// quotes, text.
var header = regexp.MustCompile(`^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([!-~]{1,255}) bulwark (\d+) ([!-~]{1,32}) (-|\[[^ =\]"]+(?: [^ =\]"]+="(?:[^"\\\]]|\\["\\\]])*")+\]) \x{FEFF}([^\x00-\x1f\x7f]*)$`)

func fast() Pace { return Pace{Min: time.Millisecond, Max: 5 * time.Millisecond} }

func start(t *testing.T, o Options) *Sink {
	t.Helper()
	o.Pace = fast()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close(ctx)
	})
	return s
}

func finding(i int) bulwark.Record {
	f := *sample.Running()[0]
	f.Rule = "test/n" + strconv.Itoa(i)
	return bulwark.Record{Finding: &f}
}

// packet reads one datagram.
func packet(t *testing.T, c net.PacketConn) string {
	t.Helper()
	b := make([]byte, 1<<16)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// counted reads one message by octet counting.
func counted(r *bufio.Reader) (string, error) {
	word, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(word, " "))
	if err != nil || strings.HasPrefix(word, "0") {
		return "", fmt.Errorf("count %q", word)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

func TestMessages(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := start(t, Options{Address: "udp://" + c.LocalAddr().String(), Hostname: "nöde 1"})
	want := []string{"34", "37", "36", "35", "36"}
	for i, f := range sample.Running() {
		s.Handle(bulwark.Record{Finding: f})
		m := packet(t, c)
		part := header.FindStringSubmatch(m)
		if part == nil || part[1] != want[i] || part[3] != "n_de_1" {
			t.Errorf("%q", m)
			continue
		}
		if i == 0 && (!strings.Contains(part[6], `pod="web-1"`) || !strings.Contains(part[7], "sh -c nc 192.0.2.1 4444 < nginx") || part[2] != "2026-11-22T12:00:00.123456Z") {
			t.Errorf("%q", m)
		}
	}
	s.Handle(bulwark.Record{Note: &bulwark.Note{Plugin: "watch", Text: "12 dropped", Incomplete: true}})
	if m := packet(t, c); !strings.HasPrefix(m, "<36>1 ") || !header.MatchString(m) {
		t.Errorf("%q", m)
	}
	long := *sample.Running()[0]
	long.Evidence = []string{strings.Repeat("ä", 9000)}
	s.Handle(bulwark.Record{Finding: &long})
	if m := packet(t, c); len(m) > 8<<10 || len(m) < 8<<10-4 || !utf8.ValidString(m) {
		t.Errorf("%d bytes", len(m))
	}
	s.Handle(bulwark.Record{Summary: &bulwark.Summary{}})
	if err := s.Close(t.Context()); err != nil || s.Counts()[0].Sent != 7 {
		t.Errorf("%v, %+v", err, s.Counts())
	}
}

func TestUnix(t *testing.T) {
	dir := t.TempDir()
	d, err := net.ListenPacket("unixgram", filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := start(t, Options{Address: "unix://" + filepath.Join(dir, "log"), Format: func(w io.Writer) bulwark.Handler { return falco.New(w, falco.Options{Hostname: "n"}) }})
	s.Handle(finding(1))
	if m := packet(t, d); !header.MatchString(m) || !strings.Contains(m, "\ufeff{\"hostname\":\"n\"") {
		t.Errorf("%q", m)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s = start(t, Options{Address: "unix://" + filepath.Join(dir, "stream")})
	s.Handle(finding(2))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if m, err := bufio.NewReader(c).ReadString('\n'); err != nil || !header.MatchString(strings.TrimSuffix(m, "\n")) {
		t.Errorf("%q %v", m, err)
	}
}

// TestRestart ends the server in the middle: it is told, and no message is missing afterwards, nor out of order.
func TestRestart(t *testing.T) {
	for range 20 {
		if restart(t) {
			return
		}
	}
	t.Fatal("others take each port that the server lets go of")
}

// restart gives false where the server cannot have its port again.
func restart(t *testing.T) bool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	notes := make(chan bulwark.Note, 10)
	s := start(t, Options{Address: "tcp://user:hunter2@" + address + "/?token=hunter3", Note: func(n bulwark.Note) { notes <- n }})
	s.Handle(finding(0))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := counted(bufio.NewReader(c)); err != nil || !strings.Contains(m, `rule="test/n0"`) || !header.MatchString(m) {
		t.Fatalf("%q %v", m, err)
	}
	l.Close()
	s.wire.mu.Lock()
	gone := &s.wire.conn.gone
	s.wire.mu.Unlock()
	c.Close()
	for !gone.Load() { // the kernel tells in a moment
		time.Sleep(time.Millisecond)
	}
	for i := 1; i <= 50; i++ {
		s.Handle(finding(i))
	}
	if n := <-notes; !n.Incomplete || strings.Contains(n.Text, "hunter") || !strings.Contains(n.Text, "tcp://"+address) {
		t.Errorf("%+v", n)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Log("the port is taken: ", err)
		return false
	}
	defer l.Close()
	if c, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for i := 1; i <= 50; i++ {
		if m, err := counted(r); err != nil || !strings.Contains(m, fmt.Sprintf(`rule="test/n%d"`, i)) {
			t.Fatalf("%d: %q %v", i, m, err)
		}
	}
	if n := <-notes; n.Incomplete {
		t.Errorf("%+v", n)
	}
	return true
}

func TestTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	defer web.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					m, err := counted(r)
					if err != nil {
						return
					}
					got <- m
				}
			}()
		}
	}()
	notes := make(chan bulwark.Note, 10)
	wary := start(t, Options{Address: "tls://" + l.Addr().String(), Note: func(n bulwark.Note) { notes <- n }})
	wary.Handle(finding(1))
	if n := <-notes; !strings.Contains(n.Text, "certificate") {
		t.Errorf("an unknown server was not refused: %+v", n)
	}
	other := start(t, Options{Address: "tls://" + l.Addr().String(), TLS: TLS{CA: ca, ServerName: "elsewhere.test"}, Note: func(n bulwark.Note) { notes <- n }})
	other.Handle(finding(1))
	if n := <-notes; !strings.Contains(n.Text, "elsewhere.test") {
		t.Errorf("a server of another name was not refused: %+v", n)
	}
	s := start(t, Options{Address: "tls://" + l.Addr().String(), TLS: TLS{CA: ca}})
	s.Handle(finding(7))
	if m := <-got; !strings.Contains(m, `rule="test/n7"`) {
		t.Errorf("%q", m)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := wary.Close(ctx); !errors.Is(err, bulwark.ErrUnavailable) || len(got) > 0 {
		t.Errorf("%v, %d messages", err, len(got))
	}
}

// TestSlow has a server that reads nothing: Handle never waits, memory is bounded, and closing ends in time.
func TestSlow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := start(t, Options{Address: "tcp://" + l.Addr().String(), MaxQueue: 100_000})
	big := *sample.Running()[0]
	big.Evidence = []string{strings.Repeat("x", 40_000)}
	for range 2000 {
		s.Handle(bulwark.Record{Finding: &big})
	}
	c := s.Counts()[0]
	if c.Seen != 2000 || c.Dropped < 1000 || s.Queued() > 3 {
		t.Errorf("%+v, %d wait", c, s.Queued())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	before := time.Now()
	s.Close(ctx)
	if time.Since(before) > 5*time.Second {
		t.Error("closing took", time.Since(before))
	}
}

func TestRefusedAddresses(t *testing.T) {
	for _, a := range []string{"", "http://x", "tcp://", "unix://", "tls://%zz", "udp://:514", "/dev/log"} {
		if s, err := New(Options{Address: a}); err == nil {
			s.Close(t.Context())
			t.Errorf("%q is taken", a)
		} else if !errors.Is(err, bulwark.ErrUnsupported) && !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%q: %v", a, err)
		}
	}
	if _, err := New(Options{Address: "tls://localhost", TLS: TLS{CA: "testdata/none"}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := New(Options{Address: "udp://localhost", Facility: 24}); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Error(err)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("a/b", "title", "\"]\\", "\x1b[0m\n", 300)
	f.Fuzz(func(t *testing.T, rule, title, process, image string, max int) {
		s := &Sink{o: Options{Hostname: process, Now: time.Now}, wire: wire{max: 1 << 20}}
		m, err := s.message(bulwark.Record{Finding: &bulwark.Finding{Rule: rule, Title: title, Process: &bulwark.ProcessRef{Name: process}, Container: &bulwark.ContainerRef{Image: image}}})
		if err != nil || !header.Match(m) {
			t.Errorf("%q %v", m, err)
		}
		if max > 0 && max < len(m) {
			if short := cut(m, max); len(short) > max || !utf8.Valid(short) && utf8.Valid(m) || !bytes.HasPrefix(m, short) {
				t.Errorf("%q", short)
			}
		}
	})
}
