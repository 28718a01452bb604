// Package outputs holds what happens between an audit log and those who are told, with every part but the rules.
package outputs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/report/falco"
	"bulwark/report/prometheus"
	"bulwark/report/syslog"
	"bulwark/report/webhook"
	"bulwark/source/audit"
	"bulwark/watch"
)

// execs finds whoever executes something in a pod.
type execs struct{}

func (execs) Info() bulwark.Info         { return bulwark.Info{Name: "detect/test"} }
func (execs) Interest() bulwark.Interest { return bulwark.Interest{bulwark.KindK8sAudit: {{}}} }
func (execs) Observe(e *bulwark.Event) []bulwark.Finding {
	if !bytes.Contains(e.Doc, []byte(`"exec"`)) {
		return nil
	}
	var v struct{ User, Verb string }
	if json.Unmarshal(e.Doc, &v) != nil {
		return nil
	}
	return []bulwark.Finding{{Rule: "test/exec", Severity: bulwark.SeverityHigh, Title: "Somebody is in a pod", Subject: v.User, Evidence: []string{v.User + " executes"}, Tags: []string{"attack:T1609"}}}
}

// handlers is all of them.
type handlers []bulwark.Handler

func (list handlers) Handle(r bulwark.Record) error {
	for _, h := range list {
		if err := h.Handle(r); err != nil {
			return err
		}
	}
	return nil
}

func line(user string) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","user":%q,"verb":"create","objectRef":{"subresource":"exec"},"stageTimestamp":%q}`+"\n", user, time.Now().UTC().Format(time.RFC3339Nano))
}

func add(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// alerts takes what the webhook posts.
type alerts struct {
	mu  sync.Mutex
	got []string
	all chan string
}

func (a *alerts) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var v struct {
		Output       string
		OutputFields map[string]any `json:"output_fields"`
	}
	json.Unmarshal(b, &v)
	a.mu.Lock()
	a.got = append(a.got, fmt.Sprint(v.Output, v.OutputFields["bulwark.count"]))
	a.mu.Unlock()
	a.all <- v.Output
}

func TestAuditToReceivers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "audit.log")
	add(t, file, "")
	a := &alerts{all: make(chan string, 10_000)}
	web := httptest.NewServer(a)
	defer web.Close()
	dead, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and reads nothing
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	posts, err := webhook.New(webhook.Options{URL: web.URL, Buffer: filepath.Join(dir, "buffer"), Format: func(w io.Writer) bulwark.Handler { return falco.New(w, falco.Options{}) }})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := syslog.New(syslog.Options{Address: "tcp://" + dead.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	sensors := []bulwark.Sensor{&audit.File{Path: file}}
	counts := prometheus.New(prometheus.Options{Sensors: map[string]prometheus.Counter{"audit": sensors[0]}, Outputs: map[string]prometheus.Counter{"webhook": posts, "syslog": logs}})
	ready := make(chan struct{})
	w := &watch.Watcher{Sensors: sensors, Detectors: []bulwark.Detector{execs{}}, Handler: handlers{counts, logs, posts}, Proc: "-", Ready: func() { close(ready) }, Host: bulwark.Asset{ID: "host:test", Kind: "host", Name: "test"}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	<-ready

	var took []time.Duration
	for i := range 30 {
		user := fmt.Sprintf("user%d", i)
		begun := time.Now()
		add(t, file, line(user))
		for !strings.Contains(<-a.all, user+" executes") {
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	t.Logf("from the log to the receiver: median %v, worst %v", took[len(took)/2], took[len(took)-1])

	add(t, file, strings.Repeat(line("mallory"), 10_000))
	for !strings.Contains(<-a.all, "mallory executes") {
	}
	for sensors[0].Counts()[0].Sent < 10_030 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	now, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if err := posts.Close(t.Context()); err != nil {
		t.Error(err)
	}
	logs.Close(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	told := slices.DeleteFunc(a.got, func(s string) bool { return !strings.Contains(s, "mallory") })
	if len(told) != 2 || !strings.HasSuffix(told[1], "10000") {
		t.Errorf("10,000 repeats are told as %q", told)
	}
	page := httptest.NewRecorder()
	counts.ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`bulwark_finding_events_total{rule="test/exec",severity="high"} 10030`, `bulwark_findings_total{rule="test/exec",severity="high"} 32`,
		`bulwark_events_total{sensor="audit",class="k8s_audit file",outcome="sent"} 10030`, `bulwark_output_messages_total{output="webhook",outcome="dropped"} 0`,
	} {
		if !strings.Contains(page.Body.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, page.Body)
		}
	}
}
