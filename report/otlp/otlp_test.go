package otlp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
)

type collector struct {
	mu     sync.Mutex
	bodies []string
	say    func(try int) (code int, body string)
	tries  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	code, body := 200, "{}"
	if c.say != nil {
		code, body = c.say(c.tries)
	}
	if r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/json" {
		code = 500
	}
	if code == 200 {
		c.bodies = append(c.bodies, string(b))
	}
	w.WriteHeader(code)
	io.WriteString(w, body)
}

func (c *collector) subjects(t *testing.T) (list []string) {
	t.Helper()
	for _, b := range c.bodies {
		var v struct {
			ResourceLogs []struct {
				ScopeLogs []struct{ LogRecords []logRecord }
			}
		}
		if err := json.Unmarshal([]byte(b), &v); err != nil {
			t.Fatal(err)
		}
		for _, l := range v.ResourceLogs[0].ScopeLogs[0].LogRecords {
			for _, a := range l.Attributes {
				if a.Key == "bulwark.rule" {
					list = append(list, *a.Value.String)
				}
			}
		}
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

func TestGolden(t *testing.T) {
	s := &Sink{}
	s.resource = []byte("[]")
	var list [][]byte
	for _, f := range sample.Running() {
		b, err := json.Marshal(ofFinding(f, sample.Now))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	b, err := json.Marshal(ofNote(&bulwark.Note{Plugin: "watch", Text: "12 dropped", Incomplete: true}, sample.Now))
	if err != nil {
		t.Fatal(err)
	}
	body := s.body(append(list, b))
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	pretty, _ := json.MarshalIndent(v, "", " ")
	golden.Check(t, "logs.json", append(pretty, '\n'))
	text, err := os.ReadFile("testdata/logs.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema.Valid(t, text, body, nil)
}

func TestSend(t *testing.T) {
	c := &collector{say: func(try int) (int, string) { return []int{503, 200, 429, 401}[try%4], "{}" }}
	srv := httptest.NewServer(c)
	defer srv.Close()
	s := start(t, Options{Endpoint: srv.URL, Batch: 7})
	var want []string
	for i := range 40 {
		f := *sample.Running()[0]
		f.Rule = "test/" + strconv.Itoa(i)
		want = append(want, f.Rule)
		s.Handle(bulwark.Record{Finding: &f})
	}
	s.Handle(bulwark.Record{Note: &bulwark.Note{Text: "x"}})
	s.Handle(bulwark.Record{Summary: &bulwark.Summary{}})
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.subjects(t); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q", got)
	}
	if n := s.Counts()[0]; n.Seen != 41 || n.Sent != 41 || n.Dropped != 0 {
		t.Errorf("%+v", n)
	}
}

func TestRejected(t *testing.T) {
	for _, tt := range []struct {
		code       int
		body       string
		sent, lost uint64
	}{
		{200, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"x"}}`, 1, 1},
		{200, `{"partialSuccess":{"rejectedLogRecords":1}}`, 1, 1},
		{200, `{"partialSuccess":{"rejectedLogRecords":"-7"}}`, 2, 0},
		{200, `<html>`, 2, 0},
		{400, `{}`, 0, 2},
	} {
		c := &collector{say: func(int) (int, string) { return tt.code, tt.body }}
		srv := httptest.NewServer(c)
		var notes []string
		s := start(t, Options{Endpoint: srv.URL + "/", Note: func(n bulwark.Note) { notes = append(notes, n.Text) }})
		f := sample.Running()[0]
		s.queue.Put([]byte("{}"))
		s.Handle(bulwark.Record{Finding: f})
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Both may have gone together or one by one: then each batch has one rejected.
		n := s.Counts()[0]
		if n.Sent+n.Dropped != 2 || tt.lost == 0 && n.Dropped != 0 || tt.lost > 0 && (n.Dropped < tt.lost || len(notes) == 0) {
			t.Errorf("%v: %+v %q", tt, n, notes)
		}
		srv.Close()
	}
}

func TestNobodyThere(t *testing.T) {
	notes := make(chan bulwark.Note, 10)
	s := start(t, Options{Endpoint: "http://u:hunter1@127.0.0.1:1/?token=hunter2", MaxQueue: 30_000, Note: func(n bulwark.Note) { notes <- n }})
	for range 1000 {
		s.Handle(bulwark.Record{Finding: sample.Running()[0]})
	}
	if n := <-notes; strings.Contains(n.Text, "hunter") || !n.Incomplete {
		t.Errorf("%+v", n)
	}
	if c := s.Counts()[0]; c.Dropped < 900 || s.Queued() > 40 {
		t.Errorf("%+v, %d wait", c, s.Queued())
	}
	if err := s.Close(now()); err == nil || strings.Contains(fmt.Sprint(err), "hunter") {
		t.Error(err)
	}
	for _, e := range []string{"", "grpc://x", "http://", "http://%hunter"} {
		if _, err := New(Options{Endpoint: e}); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: %v", e, err)
		}
	}
}
