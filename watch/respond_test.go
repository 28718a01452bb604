package watch

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bulwark"
)

// TestResponses: something is done about each finding, repeats among them, and the first is told with what came of it.
func TestResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Int32
		w := &Watcher{Detectors: []bulwark.Detector{all(opened), all(bulwark.KindExec)}, Keep: func(*bulwark.Finding) bool { return false }}
		w.Respond = func(f *bulwark.Finding, p *bulwark.Process) func() bulwark.Response {
			if f.Rule != "all/openat" {
				return nil
			}
			pid := p.PID
			return func() bulwark.Response {
				runtime.Gosched()
				done.Add(1)
				return bulwark.Response{Action: "kill", Done: pid == 5, Text: "killed: cat"}
			}
		}
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			for range 1000 {
				emit(ev(opened, 0, bulwark.Process{PID: 5, Start: 1, Path: "/bin/cat", Name: "cat"}))
			}
			emit(ev(opened, 0, bulwark.Process{PID: 6, Start: 1, Path: "/bin/cat", Name: "cat"}), exec(1, 7, 1, "/bin/sh", 0))
		})
		if done.Load() != 1001 {
			t.Errorf("done %d times", done.Load())
		}
		var told []string
		for _, f := range out.findings {
			if f.Response == nil || !slices.Contains(f.Evidence, "killed: cat") {
				t.Fatalf("%+v", f)
			}
			told = append(told, strings.Join([]string{f.Rule, map[bool]string{true: "done", false: "not done"}[f.Response.Done]}, " "))
		}
		slices.Sort(told)
		if got := strings.Join(told, ", "); got != "all/openat done, all/openat done, all/openat not done" {
			t.Errorf("told: %s", got)
		}
	})
}

// TestReports: what a guard did is told with the process where it is known, and with what is known where it is not.
func TestReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{Host: bulwark.Asset{ID: "host:h", Kind: "host"}, Keep: func(*bulwark.Finding) bool { return false }}
		f := bulwark.Finding{Rule: "drift/new-program", Severity: bulwark.SeverityHigh, Title: "t", Subject: "/x", Time: time.Unix(0, t0)}
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			seen := make(chan struct{})
			defer func() { <-seen }()
			go func() {
				defer close(seen)
				time.Sleep(20 * time.Millisecond)
				emit(exec(0, 10, 1, "/usr/sbin/nginx", 0), ev(bulwark.KindClone, 1, bulwark.Process{PID: 20, PPID: 10, Start: 20e9 + 12345}))
			}()
			w.Report(f, Culprit{PID: 20, Start: 20e9, Name: "nginx"}) // as exact as /proc; its beginning is seen later
			f.Subject = "/y"
			w.Report(f, Culprit{PID: 30, Start: 30e9, Name: "sh"})
			f.Subject = "/z"
			w.Report(f, Culprit{})
		})
		if len(out.findings) != 3 {
			t.Fatalf("%d findings", len(out.findings))
		}
		if p := out.findings[0].Process; p == nil || p.PID != 20 || len(p.Parents) != 1 || p.Parents[0].PID != 10 || out.findings[0].Asset != "host:h" {
			t.Errorf("%+v", p)
		}
		if p := out.findings[1].Process; p == nil || p.PID != 30 || p.Name != "sh" || len(p.Parents) != 0 {
			t.Errorf("%+v", p)
		}
		if p := out.findings[2].Process; p == nil || p.PID != 0 {
			t.Errorf("%+v", p)
		}
	})
}
