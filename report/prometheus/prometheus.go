// Package prometheus counts what a watcher finds, sees and drops, and tells it to whoever asks in Prometheus's text format.
package prometheus

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/text"
)

// Counter tells what became of things: sensors do, and those who send findings.
type Counter interface {
	// Counts may be called at any time.
	Counts() []bulwark.Count
}

// queued is a counter where things wait.
type queued interface{ Queued() int }

// Options is what there is to tell; all of it may be missing.
type Options struct {
	Version string
	Sensors map[string]Counter // by name
	// Events are the counts of all sensors by name, where not all of them are known yet; nil: Sensors are all.
	Events  func() map[string][]bulwark.Count
	Outputs map[string]Counter // by name; their Queued() is told where they have it
	Queues  map[string]func() int
	Loads   func() []Load // what containers take
	Now     time.Time     // when the watcher started
}

// maxSeries is how many pairs of rule and severity are told apart; others are counted as rule "other".
const maxSeries = 5000

// Metrics is a handler that counts, and a web page of the counts. It may be asked while it handles.
type Metrics struct {
	o        Options
	mu       sync.Mutex
	findings map[series]*tally
	notes    [2]uint64 // complete, incomplete
	last     time.Time
	seed     maphash.Seed
	counted  map[uint64]int
}

type series struct{ rule, severity string }

type tally struct{ told, events uint64 }

var (
	_ bulwark.Handler = (*Metrics)(nil)
	_ http.Handler    = (*Metrics)(nil)
)

// New returns counters at zero.
func New(o Options) *Metrics {
	return &Metrics{o: o, findings: map[series]*tally{}, seed: maphash.MakeSeed(), counted: map[uint64]int{}}
}

// Handle counts. It never fails.
func (m *Metrics) Handle(r bulwark.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case r.Note != nil && r.Note.Incomplete:
		m.notes[1]++
	case r.Note != nil:
		m.notes[0]++
	case r.Finding != nil && r.Finding.Exception == nil:
		t := m.tally(series{label(incident.Rule(r.Finding)), r.Finding.Severity.String()})
		t.told++
		t.events += m.fresh(r.Finding)
		if r.Finding.Time.After(m.last) {
			m.last = r.Finding.Time
		}
	}
	return nil
}

// fresh is how many events a finding stands for that were not counted before: its count is of all since the first.
func (m *Metrics) fresh(f *bulwark.Finding) uint64 {
	id := fmt.Sprint(f.Asset, 0, f.Key, 0, f.Rule)
	if f.Container != nil {
		id += f.Container.ID
	}
	sum := maphash.String(m.seed, id)
	n, before := incident.Repeats(f), m.counted[sum]
	if f.Count <= 1 || n < before {
		before = 0
	}
	if len(m.counted) >= maxCounted {
		clear(m.counted)
	}
	m.counted[sum] = n
	return uint64(n - before)
}

// maxCounted is of how many findings the counts are remembered; then all are forgotten.
const maxCounted = 20_000

func (m *Metrics) tally(s series) *tally {
	if t := m.findings[s]; t != nil {
		return t
	}
	if len(m.findings) >= maxSeries {
		s.rule = "other"
		if t := m.findings[s]; t != nil {
			return t
		}
	}
	t := new(tally)
	m.findings[s] = t
	return t
}

// ServeHTTP answers GET and HEAD.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "metrics are read", http.StatusMethodNotAllowed)
		return
	}
	var b bytes.Buffer
	m.write(&b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if r.Method == http.MethodGet {
		w.Write(b.Bytes())
	}
}

// Server returns a server of /metrics that slow or many clients do not hold. The caller listens and closes.
func (m *Metrics) Server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/metrics", http.TimeoutHandler(m, 10*time.Second, ""))
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10}
}

func (m *Metrics) write(w io.Writer) {
	head(w, "bulwark_build_info", "gauge", "Which Bulwark this is.")
	fmt.Fprintf(w, "bulwark_build_info{version=%s} 1\n", quote(m.o.Version))
	if !m.o.Now.IsZero() {
		head(w, "bulwark_start_time_seconds", "gauge", "When the watcher started.")
		fmt.Fprintf(w, "bulwark_start_time_seconds %s\n", seconds(m.o.Now))
	}
	m.events(w)
	m.found(w)
	m.loads(w)
	m.outputs(w)
}

// events tells what became of events, by sensor and class.
func (m *Metrics) events(w io.Writer) {
	counts := map[string][]bulwark.Count{}
	if m.o.Events != nil {
		counts = m.o.Events()
	}
	for name, s := range m.o.Sensors {
		counts[name] = s.Counts()
	}
	if len(counts) == 0 {
		return
	}
	rings(w, counts)
	head(w, "bulwark_events_total", "counter", "Events by sensor, class and what became of them: seen, filtered (nobody's interest), sent, dropped (for want of room).")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		for _, c := range counts[name] {
			for _, v := range []struct {
				what string
				n    uint64
			}{{"seen", c.Seen}, {"filtered", c.Filtered}, {"sent", c.Sent}, {"dropped", c.Dropped}} {
				fmt.Fprintf(w, "bulwark_events_total{sensor=%s,class=%s,outcome=%q} %d\n", quote(name), quote(c.Class), v.what, v.n)
			}
		}
	}
}

// rings tells how full they are.
func rings(w io.Writer, counts map[string][]bulwark.Count) {
	var held, room bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		for _, c := range counts[name] {
			if c.Room == 0 {
				continue
			}
			fmt.Fprintf(&held, "bulwark_ring_held_bytes{sensor=%s,class=%s} %d\n", quote(name), quote(c.Class), c.Held)
			fmt.Fprintf(&room, "bulwark_ring_size_bytes{sensor=%s,class=%s} %d\n", quote(name), quote(c.Class), c.Room)
		}
	}
	if room.Len() == 0 {
		return
	}
	head(w, "bulwark_ring_held_bytes", "gauge", "Bytes of events that wait in a ring to be read.")
	_, _ = held.WriteTo(w)
	head(w, "bulwark_ring_size_bytes", "gauge", "Bytes that a ring has room for.")
	_, _ = room.WriteTo(w)
}

// found tells what was found.
func (m *Metrics) found(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(m.findings), func(a, b series) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.severity, b.severity))
	})
	head(w, "bulwark_findings_total", "counter", "Findings that were told, by rule and severity.")
	for _, s := range keys {
		fmt.Fprintf(w, "bulwark_findings_total{rule=%s,severity=%q} %d\n", quote(s.rule), s.severity, m.findings[s].told)
	}
	head(w, "bulwark_finding_events_total", "counter", "What findings stand for, repetitions included.")
	for _, s := range keys {
		fmt.Fprintf(w, "bulwark_finding_events_total{rule=%s,severity=%q} %d\n", quote(s.rule), s.severity, m.findings[s].events)
	}
	head(w, "bulwark_notes_total", "counter", "Notes, of which incomplete ones say what could not be seen.")
	for i, name := range []string{"false", "true"} {
		fmt.Fprintf(w, "bulwark_notes_total{incomplete=%q} %d\n", name, m.notes[i])
	}
	if !m.last.IsZero() {
		head(w, "bulwark_last_finding_time_seconds", "gauge", "When the last finding's event happened.")
		fmt.Fprintf(w, "bulwark_last_finding_time_seconds %s\n", seconds(m.last))
	}
}

// outputs tells what became of findings on their way, and what waits.
func (m *Metrics) outputs(w io.Writer) {
	waiting := maps.Clone(m.o.Queues)
	if waiting == nil {
		waiting = map[string]func() int{}
	}
	names := slices.Sorted(maps.Keys(m.o.Outputs))
	if len(names) > 0 {
		head(w, "bulwark_output_messages_total", "counter", "Messages by output and what became of them.")
	}
	for _, name := range names {
		for _, c := range m.o.Outputs[name].Counts() {
			fmt.Fprintf(w, "bulwark_output_messages_total{output=%s,outcome=\"seen\"} %d\n", quote(name), c.Seen)
			fmt.Fprintf(w, "bulwark_output_messages_total{output=%s,outcome=\"sent\"} %d\n", quote(name), c.Sent)
			fmt.Fprintf(w, "bulwark_output_messages_total{output=%s,outcome=\"dropped\"} %d\n", quote(name), c.Dropped)
		}
		if q, ok := m.o.Outputs[name].(queued); ok {
			waiting[name] = q.Queued
		}
	}
	if len(waiting) == 0 {
		return
	}
	head(w, "bulwark_queue_length", "gauge", "What waits in queues.")
	for _, name := range slices.Sorted(maps.Keys(waiting)) {
		fmt.Fprintf(w, "bulwark_queue_length{queue=%s} %d\n", quote(name), waiting[name]())
	}
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

var escaping = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// label is a text as labels have it.
func label(s string) string { return text.Clean(text.Cut(s, 200)) }

// quote is a label's value.
func quote(s string) string { return `"` + escaping.Replace(label(s)) + `"` }

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}
