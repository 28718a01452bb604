package all_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/all"
)

// TestSinks sends a finding to each sort of receiver in each format.
func TestSinks(t *testing.T) {
	got := make(chan string, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r.URL.Path + " " + string(b)
		io.WriteString(w, "{}")
	}))
	defer web.Close()
	log, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f := &bulwark.Finding{Rule: "a/b", Title: "A thing", Time: time.Unix(1, 0)}
	for _, format := range all.Streams() {
		for _, address := range []string{web.URL + "/hook", "otlp+" + web.URL, "syslog+udp://" + log.LocalAddr().String()} {
			s, err := all.OpenSink(address, all.SinkOptions{Format: &format, Version: "1"})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Handle(bulwark.Record{Finding: f}); err != nil {
				t.Error(err)
			}
			if err := s.Close(t.Context()); err != nil || s.Counts()[0].Sent != 1 || s.Queued() != 0 {
				t.Errorf("%s by %s: %v %+v", format.Name, address, err, s.Counts())
			}
			if strings.HasPrefix(address, "syslog") {
				b := make([]byte, 10_000)
				n, _, err := log.ReadFrom(b)
				if err != nil {
					t.Fatal(err)
				}
				got <- string(b[:n])
			}
			if m := <-got; !strings.Contains(m, "A thing") {
				t.Errorf("%s by %s: %q", format.Name, address, m)
			}
		}
	}
	for _, address := range []string{"", "ftp://x", "otlp+ftp://x", "https://", "syslog+tls://", "smtp"} {
		if _, err := all.OpenSink(address, all.SinkOptions{}); !errors.Is(err, bulwark.ErrUnsupported) && !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%q: %v", address, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := all.OpenSink("http://127.0.0.1:1/", all.SinkOptions{Buffer: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Handle(bulwark.Record{Finding: f})
	if err := s.Close(ctx); err != nil || s.Queued() != 1 {
		t.Errorf("%v, %d wait", err, s.Queued())
	}
}
