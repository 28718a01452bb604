package engine

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
)

// speaker is an engine whose events a test gives, at a socket that it can take away.
type speaker struct {
	t      *testing.T
	socket string
	mu     sync.Mutex
	srv    *http.Server
	since  []string // of each connection
	lines  chan string
}

func newSpeaker(t *testing.T) *speaker {
	s := &speaker{t: t, socket: filepath.Join(t.TempDir(), "s"), lines: make(chan string, 100)}
	s.up()
	t.Cleanup(s.down)
	return s
}

func (s *speaker) host() string { return "unix://" + s.socket }

func (s *speaker) up() {
	s.t.Helper()
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &http.Server{Handler: s}
	s.mu.Lock()
	s.srv = srv
	s.mu.Unlock()
	go srv.Serve(l)
}

func (s *speaker) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv.Close()
	os.Remove(s.socket)
}

func (s *speaker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/version" {
		fmt.Fprint(w, `{"Version":"29","ApiVersion":"1.52"}`)
		return
	}
	if r.URL.Path != "/events" || r.FormValue("filters") != `{"type":["container","image"]}` {
		s.t.Error(r.URL)
	}
	s.mu.Lock()
	s.since = append(s.since, r.FormValue("since"))
	mine := len(s.since)
	s.mu.Unlock()
	w.WriteHeader(200)
	w.(http.Flusher).Flush()
	for {
		select {
		case l := <-s.lines:
			if r.Context().Err() != nil || !s.latest(mine) {
				s.lines <- l
				return
			}
			fmt.Fprintln(w, l)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// latest tells whether no connection came after the one with that number.
func (s *speaker) latest(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.since) == n
}

func happened(action string, nano int64) string {
	kind := "container"
	if action == "pull" {
		kind = "image"
	}
	return fmt.Sprintf(`{"Type":%q,"Action":%q,"Actor":{"ID":"ab","Attributes":{"image":"nginx","name":"web"}},"time":%d,"timeNano":%d}`, kind, action, nano/1e9, nano)
}

type hearing struct {
	t      *testing.T
	s      *Events
	events chan *bulwark.Event
	notes  chan bulwark.Note
	stop   func() error
}

func hear(t *testing.T, s *Events) *hearing {
	t.Helper()
	h := &hearing{t: t, s: s, events: make(chan *bulwark.Event, 1000), notes: make(chan bulwark.Note, 100)}
	s.Note, s.Least, s.Most = func(n bulwark.Note) { h.notes <- n }, time.Millisecond, 4*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, bulwark.Interest{bulwark.KindEngine: {{}}}, func() {}, func(list []bulwark.Event) error {
			for i := range list {
				h.events <- list[i].Clone()
			}
			return nil
		})
	}()
	h.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *hearing) want(actions ...string) {
	h.t.Helper()
	for _, want := range actions {
		select {
		case e := <-h.events:
			if a, ok := e.Arg("action"); !ok || string(a.Text) != want || e.Kind != bulwark.KindEngine || e.Source != bulwark.SourceEngine || e.Doc[0] != '{' || e.Time < 1 {
				h.t.Errorf("%+v, want %s", e, want)
			}
		case <-time.After(20 * time.Second):
			h.t.Fatalf("%s does not come", want)
		}
	}
}

func (h *hearing) note(part string) {
	h.t.Helper()
	select {
	case n := <-h.notes:
		if !strings.Contains(n.Text, part) {
			h.t.Errorf("%q, want %q", n.Text, part)
		}
	case <-time.After(20 * time.Second):
		h.t.Fatalf("no note of %q", part)
	}
}

func TestEvents(t *testing.T) {
	docker := newSpeaker(t)
	h := hear(t, &Events{Sockets: map[string][]string{"docker": {docker.host()}}})
	now := time.Now().UnixNano()
	for i, a := range []string{"create", "start", "exec_create: sh -c id", "exec_start: sh -c id", "oom", "die", "pull", "attach", "health_status: healthy"} {
		docker.lines <- happened(a, now+int64(i))
	}
	docker.lines <- `{"Type":"container","Action":"died","time":5}` // Podman's
	docker.lines <- "\x1e" + `{"status":"exec","id":"ab","Type":"container"}`
	docker.lines <- `{"Type":5}`
	docker.lines <- `{"Type":"network","Action":"create"}`
	docker.lines <- `{"Type":"container","Action":"start","timeNano":-5}`
	h.want("create", "start", "exec_create", "exec_start", "oom", "die", "pull", "die", "exec_start", "start")
	if c := h.s.Counts()[0]; c.Seen != 14 || c.Sent != 10 || c.Filtered != 3 || c.Dropped != 1 {
		t.Errorf("%+v", c)
	}
}

// TestAway takes the engine away and brings it back: it is told, once, and events that it gives again come once.
func TestAway(t *testing.T) {
	docker := newSpeaker(t)
	h := hear(t, &Events{Sockets: map[string][]string{"docker": {docker.host()}}, Now: func() time.Time { return time.Unix(2000, 0) }})
	last := happened("start", 1_500_000_000_123)
	docker.lines <- happened("create", 1_500_000_000_000)
	docker.lines <- last
	h.want("create", "start")
	docker.down()
	h.note("docker does not tell")
	docker.lines <- last
	docker.lines <- happened("die", 1_600_000_000_000)
	docker.up()
	h.note("docker tells again")
	h.want("die")
	docker.lines <- strings.Repeat("x", maxSaid+1)
	h.note("too long")
	h.note("docker tells again")
	docker.lines <- happened("oom", 1_700_000_000_000)
	h.want("oom")
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	docker.mu.Lock()
	defer docker.mu.Unlock()
	if len(docker.since) < 3 || docker.since[0] != "2000.000000000" {
		t.Errorf("since %s", docker.since)
	}
	if len(h.notes) > 0 {
		t.Errorf("%+v", <-h.notes)
	}
}

// TestOneSocket has Podman at Docker's socket: each event comes once.
func TestOneSocket(t *testing.T) {
	podman := newSpeaker(t)
	link := filepath.Join(t.TempDir(), "docker.sock")
	if err := os.Symlink(podman.socket, link); err != nil {
		t.Fatal(err)
	}
	h := hear(t, &Events{Sockets: map[string][]string{"docker": {"unix://" + link}, "podman": {podman.host()}}})
	for i := range 20 {
		podman.lines <- happened("start", time.Now().UnixNano()+int64(i))
	}
	for range 20 {
		h.want("start")
	}
	podman.mu.Lock()
	defer podman.mu.Unlock()
	if len(podman.since) != 1 {
		t.Errorf("it was asked %d times", len(podman.since))
	}
}

func TestSilentEngine(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := hear(t, &Events{Sockets: map[string][]string{"docker": {"unix://" + socket}}, Slow: 20 * time.Millisecond})
	h.note("in time")
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	for _, a := range (&Events{Sockets: map[string][]string{}}).Abilities() {
		if a.Why == "" {
			t.Errorf("%+v", a)
		}
	}
}

func TestEmitEnds(t *testing.T) {
	docker := newSpeaker(t)
	docker.lines <- happened("start", 1)
	full := errors.New("full")
	s := &Events{Sockets: map[string][]string{"docker": {docker.host()}}}
	if err := s.Run(t.Context(), bulwark.Interest{bulwark.KindEngine: {{}}}, func() {}, func([]bulwark.Event) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Run(ctx, nil, cancel, func([]bulwark.Event) error { t.Error("nobody asked"); return nil }); err != nil {
		t.Error(err)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(happened("start", 1)))
	f.Add([]byte("\x1e{}"))
	f.Add([]byte(`{"Action":":","time":99999999999999}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &Events{Now: func() time.Time { return time.Unix(1, 0) }}
		l := &listening{Events: s, seed: maphash.MakeSeed(), emit: func(list []bulwark.Event) error {
			if _, ok := list[0].Arg("action"); !ok || list[0].Time <= 0 {
				t.Errorf("%+v", list)
			}
			return nil
		}}
		l.line(b)
	})
}
