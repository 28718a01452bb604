package wire

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

// hello is what Go's TLS client says first.
func hello(t testing.TB, name string) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer b.Close()
	go func() {
		defer a.Close()
		_ = tls.Client(a, &tls.Config{ServerName: name, InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}}).Handshake()
	}()
	if err := b.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := b.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestServerName(t *testing.T) {
	b := hello(t, "pool.supportxmr.com")
	if got := ServerName(b); got != "pool.supportxmr.com" {
		t.Errorf("%q", got)
	}
	if got := ServerName(b[:min(len(b), 256)]); got != "pool.supportxmr.com" {
		t.Errorf("of the first 256 bytes: %q", got)
	}
	for n := range b {
		if got := ServerName(b[:n]); got != "" && got != "pool.supportxmr.com" {
			t.Errorf("of %d bytes: %q", n, got)
		}
	}
	for _, other := range []string{"", "GET / HTTP/1.1\r\n", "\x16\x03\x01\x00\x05\x02", string(hello(t, "203.0.113.7"))} {
		if got := ServerName([]byte(other)); got != "" {
			t.Errorf("%q: %q", other, got)
		}
	}
}

func FuzzServerName(f *testing.F) {
	f.Add(hello(f, "example.org"))
	f.Add([]byte{22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := ServerName(b); len(n) > 255 {
			t.Errorf("%d bytes", len(n))
		}
	})
}
