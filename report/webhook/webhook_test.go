package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/report/internal/sample"
	"bulwark/report/ocsf"
)

// receiver answers by a script and keeps what it took, by the rules' numbers.
type receiver struct {
	mu    sync.Mutex
	got   []string
	keys  map[string]int
	tries int
	say   func(try int) int
	more  chan struct{}
}

func newReceiver(say func(try int) int) *receiver {
	return &receiver{say: say, keys: map[string]int{}, more: make(chan struct{}, 10_000)}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	code := 200
	if r.say != nil {
		code = r.say(r.tries)
	}
	r.keys[req.Header.Get("Idempotency-Key")]++
	if code == 200 {
		var v bulwark.Record
		if err := json.Unmarshal(b, &v); err == nil && v.Finding != nil {
			r.got = append(r.got, v.Finding.Subject)
		} else {
			r.got = append(r.got, string(b))
		}
		r.more <- struct{}{}
	}
	if code == 302 {
		w.Header().Set("Location", "http://elsewhere.test/")
	}
	w.WriteHeader(code)
}

// firsts leaves out what came before: of a post that was given up the receiver may hear later, beside the next try.
func firsts(list []string) (once []string) {
	for _, n := range list {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}

func (r *receiver) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func finding(i int) bulwark.Record {
	f := *sample.Running()[0]
	f.Subject = strconv.Itoa(i)
	return bulwark.Record{Finding: &f}
}

func numbers(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, strconv.Itoa(i))
	}
	return list
}

func start(t *testing.T, o Options) *Sink {
	t.Helper()
	o.Pace = Pace{Min: time.Millisecond, Max: 4 * time.Millisecond}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func now() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestOrder has a receiver that fails two times of three, in every way that is worth another try.
func TestOrder(t *testing.T) {
	codes := []int{500, 429, 200, 403, 302, 200, 404, 408}
	for _, buffer := range []string{"", t.TempDir()} {
		r := newReceiver(func(try int) int { return codes[try%len(codes)] })
		srv := httptest.NewServer(r)
		s := start(t, Options{URL: srv.URL, Buffer: buffer})
		for i := range 50 {
			s.Handle(finding(i))
		}
		s.Handle(bulwark.Record{Summary: &bulwark.Summary{}})
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(numbers(0, 50), r.taken()); d != "" {
			t.Errorf("buffer %q (-want +got):\n%s", buffer, d)
		}
		if c := s.Counts()[0]; c.Seen != 50 || c.Sent != 50 || c.Dropped != 0 || len(r.keys) != 50 {
			t.Errorf("%+v, %d keys", c, len(r.keys))
		}
		srv.Close()
	}
}

// TestRestart ends both sides in the middle, several times: all findings come, in order, and none twice but the one under way.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	s := start(t, Options{URL: url, Buffer: dir}) // nobody is there
	for i := range 100 {
		s.Handle(finding(i))
	}
	if err := s.Close(now()); err != nil {
		t.Fatal(err)
	}
	r := newReceiver(nil)
	srv := httptest.NewServer(r)
	defer srv.Close()
	for round := 1; round <= 3; round++ {
		s = start(t, Options{URL: srv.URL, Buffer: dir})
		for range 10 {
			<-r.more
		}
		for i := range 10 {
			s.Handle(finding(90 + 10*round + i))
		}
		if err := s.Close(now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := start(t, Options{URL: srv.URL, Buffer: dir}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	once := firsts(r.taken())
	if d := cmp.Diff(numbers(0, 130), once); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if twice := len(r.taken()) - len(once); twice > 4 {
		t.Errorf("%d came twice", twice)
	}
}

// TestFull has room on disk for some findings: the first ones come, the others are counted and told.
func TestFull(t *testing.T) {
	r := newReceiver(func(int) int { return 503 })
	srv := httptest.NewServer(r)
	defer srv.Close()
	notes := make(chan bulwark.Note, 1000)
	dir := t.TempDir()
	s := start(t, Options{URL: srv.URL, Buffer: dir, MaxBuffer: 10_000, Note: func(n bulwark.Note) { notes <- n }})
	for i := range 100 {
		s.Handle(finding(i))
	}
	if err := s.Close(now()); err != nil {
		t.Fatal(err)
	}
	c := s.Counts()[0]
	if c.Seen != 100 || c.Dropped == 0 || c.Dropped+uint64(s.Queued()) != 100 {
		t.Errorf("%+v, %d wait", c, s.Queued())
	}
	full := false
	for len(notes) > 0 {
		n := <-notes
		full = full || strings.Contains(n.Text, "the buffer on disk is full")
	}
	if !full {
		t.Error("nobody was told")
	}
	r.say = nil
	kept := s.Queued()
	if err := start(t, Options{URL: srv.URL, Buffer: dir, MaxBuffer: 10_000}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	once := firsts(r.taken())
	if d := cmp.Diff(numbers(0, kept), once); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestRefused gives up what the receiver will never take, and goes on.
func TestRefused(t *testing.T) {
	for _, buffer := range []string{"", t.TempDir()} {
		r := newReceiver(func(try int) int { return []int{200, 400, 413}[try%3] })
		srv := httptest.NewServer(r)
		var notes []string
		s := start(t, Options{URL: srv.URL, Buffer: buffer, Note: func(n bulwark.Note) { notes = append(notes, n.Text) }})
		for i := range 9 {
			s.Handle(finding(i))
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := s.Counts()[0]; c.Sent != 3 || c.Dropped != 6 || !strings.Contains(strings.Join(notes, "\n"), "413") {
			t.Errorf("buffer %q: %+v %q", buffer, c, notes)
		}
		srv.Close()
	}
}

// TestSecrets holds that nothing that is secret about the address is told.
func TestSecrets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	notes := make(chan bulwark.Note, 10)
	s := start(t, Options{URL: "http://user:hunter1@" + address + "/services/hunter2?token=hunter3", Header: http.Header{"Authorization": {"Bearer hunter4"}}, Note: func(n bulwark.Note) { notes <- n }})
	s.Handle(finding(1))
	if n := <-notes; strings.Contains(n.Text, "hunter") || !strings.Contains(n.Text, address) || !n.Incomplete {
		t.Errorf("%+v", n)
	}
	if err := s.Close(now()); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Error(err)
	}
	for _, u := range []string{"http://%hunter", "ftp://hunter@x/", "hunter", ""} {
		if _, err := New(Options{URL: u}); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestTLS(t *testing.T) {
	r := newReceiver(nil)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("X-Token") != "abc" || req.Header.Get("Content-Type") != "application/json" {
			t.Error(req.Header)
		}
		r.ServeHTTP(w, req)
	}))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	notes := make(chan bulwark.Note, 10)
	wary := start(t, Options{URL: srv.URL, Note: func(n bulwark.Note) { notes <- n }})
	wary.Handle(finding(1))
	if n := <-notes; !strings.Contains(n.Text, "certificate") {
		t.Errorf("%+v", n)
	}
	if err := wary.Close(now()); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Error(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{URL: srv.URL, TLS: TLS{CA: ca}, Header: http.Header{"X-Token": {"abc"}}, Format: func(w io.Writer) bulwark.Handler { return ocsf.New(w, ocsf.Options{Hostname: "n"}) }})
	s.Handle(finding(1))
	s.Handle(bulwark.Record{Note: &bulwark.Note{Text: "OCSF has no place for it"}})
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.taken(); len(got) != 1 || !strings.Contains(got[0], `"class_uid":2004`) || bytes.Contains([]byte(got[0]), []byte("\n")) {
		t.Errorf("%q", got)
	}
}

// TestSlow has a receiver that never answers: neither handling nor closing waits for it.
func TestSlow(t *testing.T) {
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		select {
		case <-stop:
		case <-req.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stop)
	s := start(t, Options{URL: srv.URL, MaxQueue: 20_000})
	for i := range 1000 {
		s.Handle(finding(i))
	}
	if c := s.Counts()[0]; c.Seen != 1000 || c.Dropped < 900 || s.Queued() > 20 {
		t.Errorf("%+v, %d wait", c, s.Queued())
	}
	before := time.Now()
	if err := s.Close(now()); err == nil || time.Since(before) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(before))
	}
}
