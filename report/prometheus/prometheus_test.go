package prometheus

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bulwark"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
)

type counter []bulwark.Count

func (c counter) Counts() []bulwark.Count { return c }

type output struct{ counter }

func (output) Queued() int { return 7 }

func metrics() *Metrics {
	m := New(Options{Version: "0.6.0", Now: sample.Now,
		Sensors: map[string]Counter{"source/kernel": counter{{Class: "critical", Seen: 10, Filtered: 1, Sent: 8, Dropped: 1, Held: 4096, Room: 4 << 20}, {Class: "volume", Seen: 1 << 60, Room: 8 << 20}}, "odd\"\\\n\x1b": counter{{}}},
		Outputs: map[string]Counter{"webhook": output{counter{{Seen: 3, Sent: 2, Dropped: 1}}}, "file": counter{{Seen: 1}}}, Queues: map[string]func() int{"engine": func() int { return 4 }}})
	for _, f := range sample.Running() {
		m.Handle(bulwark.Record{Finding: f})
	}
	m.Handle(bulwark.Record{Finding: sample.Running()[0]})
	m.Handle(bulwark.Record{Note: &bulwark.Note{Incomplete: true}})
	m.Handle(bulwark.Record{Note: &bulwark.Note{}})
	m.Handle(bulwark.Record{Finding: &bulwark.Finding{Rule: "x", Exception: &bulwark.Exception{}}})
	return m
}

func ask(t *testing.T, url string) (string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.Status, err)
	}
	return string(b), resp.Header
}

// line is a comment or a sample of the text format.
var line = regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\})? [0-9.]+)$`)

func TestServed(t *testing.T) {
	srv := httptest.NewServer(metrics().Server().Handler)
	defer srv.Close()
	body, h := ask(t, srv.URL+"/metrics")
	golden.Check(t, "metrics.txt", []byte(body))
	if h.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Error(h)
	}
	seen := map[string]bool{}
	for l := range strings.Lines(body) {
		l = strings.TrimSuffix(l, "\n")
		if !line.MatchString(l) {
			t.Errorf("%q", l)
		}
		if id := l[:strings.LastIndexByte(l, ' ')]; seen[id] && l[0] != '#' {
			t.Errorf("twice: %s", l)
		} else {
			seen[id] = true
		}
	}
	resp, err := http.Post(srv.URL+"/metrics", "", nil)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Error(resp, err)
	}
}

// TestRepeats has counts as the engine tells them: of all repeats since the first.
func TestRepeats(t *testing.T) {
	m := New(Options{})
	for _, count := range []int{0, 10, 25, 0, 4} {
		m.Handle(bulwark.Record{Finding: &bulwark.Finding{Rule: "a/b", Count: count}})
	}
	if got := *m.findings[series{"a/b", "unknown"}]; got != (tally{told: 5, events: 25 + 4}) {
		t.Errorf("%+v", got)
	}
}

// TestManyRules holds that hostile rule names do not make series without end.
func TestManyRules(t *testing.T) {
	m := New(Options{})
	var g sync.WaitGroup
	for i := range 4 {
		g.Go(func() {
			for n := range 3000 {
				m.Handle(bulwark.Record{Finding: &bulwark.Finding{Rule: strconv.Itoa(i*3000 + n), Severity: bulwark.SeverityHigh}})
			}
		})
	}
	g.Go(func() { m.write(io.Discard) })
	g.Wait()
	if n := len(m.findings); n != maxSeries+1 || m.findings[series{"other", "high"}].told != 12_000-maxSeries {
		t.Errorf("%d series", n)
	}
}
