package scan_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/scan"
)

// words finds a secret or something else in every line that says so: "secret x".
type words struct {
	past  bool
	mu    sync.Mutex
	begun []string
}

func (w *words) Info() bulwark.Info {
	return bulwark.Info{Name: fmt.Sprint("test/words-", w.past), Past: w.past}
}

func (w *words) Begin(f *bulwark.FileInfo) bulwark.Sink {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = append(w.begun, f.Path)
	return &wordsSink{}
}

type wordsSink struct{ strings.Builder }

func (s *wordsSink) Close() (facts bulwark.Facts, err error) {
	n := 0
	for line := range strings.Lines(s.String()) {
		n++
		kind, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok {
			facts.Findings = append(facts.Findings, bulwark.Finding{Key: name, Kind: kind, Line: n, Fix: &bulwark.Fix{Text: "revoke it"}})
		}
	}
	return facts, nil
}

// history is a layer of versions, the earliest first: "commit path content".
type history struct {
	versions []string
	err      error
	walks    int
}

func (h *history) layer() *bulwark.Layer {
	return &bulwark.Layer{Size: -1, DiffID: "git:1", Identity: "git:1", Tree: &walked{h}}
}

type walked struct{ *history }

func (h *walked) Walk(_ context.Context, visit func(*bulwark.Entry) error) error {
	h.walks++
	for i, v := range h.versions {
		commit, rest, _ := strings.Cut(v, " ")
		path, content, _ := strings.Cut(rest, " ")
		e := &bulwark.Entry{Commit: commit, Body: io.Reader(strings.NewReader(content))}
		e.SetPath(path)
		e.Size, e.ModTime = int64(len(content)), time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
		if content == "unreadable" {
			e = &bulwark.Entry{Err: bulwark.ErrMalformed}
			e.SetPath(path)
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return h.err
}

func past(h *history, layer *tree) *bulwark.Target {
	return &bulwark.Target{Asset: bulwark.Asset{ID: "dir:x", Kind: "dir"}, Layers: []bulwark.Layer{{Size: -1, Tree: layer}}, Past: h.layer()}
}

// found gives each finding with its tags and places.
func found(r *bulwark.Report) map[string]string {
	all := map[string]string{}
	for _, f := range r.Findings {
		s := fmt.Sprintf("%s:%d %v", f.Path, f.Line, f.Tags)
		for _, p := range f.Places {
			s += fmt.Sprintf(" %s:%d", p.Path, p.Line)
			if p.Commit != "" {
				s += "@" + p.Commit
			}
		}
		all[f.Key] = s
	}
	return all
}

func TestPast(t *testing.T) {
	h := &history{versions: []string{
		"c1 a secret both\nsecret gone",
		"c1 b.pkg secret gone",
		"c2 a \nsecret both", // a later version of the same file
		"c3 moved secret both",
		"c4 a malware old\nvulnerability old",
		"c4 odd unreadable",
		"c5 excluded secret excluded",
	}}
	cache, err := scan.OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from the cache
		asked, not := &words{past: true}, &words{}
		s := &scan.Scanner{Inspectors: []bulwark.Inspector{asked, not}, Cache: cache, Exclude: []string{"excluded"}}
		report, _ := run(t, s, past(h, files("now=secret new\nsecret both\nmalware new", "x.pkg")))
		want := map[string]string{
			"both": "now:2 [git-history] now:2 a:1@c1 moved:1@c3", // its own kind is found twice, by both inspectors
			"gone": "a:2 [removed git-history] a:2@c1 b.pkg:1@c1",
			"new":  "now:1 [] now:1 now:3",
		}
		if diff := cmp.Diff(want, found(report)); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"x.pkg x.pkg "}, lines(report)); diff != "" {
			t.Errorf("packages (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"now", "x.pkg"}, not.begun); diff != "" {
			t.Errorf("an inspector that does not look at the past was asked about (-want +got):\n%s", diff)
		}
		if report.Summary.Complete {
			t.Error("a version could not be read, and the scan says that it is complete")
		}
		for _, f := range report.Findings {
			if text := strings.Join(f.Evidence, "; "); f.Key == "gone" && !strings.Contains(text, "since commit c1 of 2024-01-01, in a") {
				t.Errorf("evidence of what is gone: %s", text)
			}
		}
	}
	if h.walks != 1 {
		t.Errorf("the past was read %d times, want once", h.walks)
	}
}

// A past that could not be read to its end is told, and not kept.
func TestPastInPart(t *testing.T) {
	h := &history{versions: []string{"c1 a secret gone"}, err: fmt.Errorf("objects are missing: %w", bulwark.ErrMalformed)}
	cache, err := scan.OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := &scan.Scanner{Inspectors: []bulwark.Inspector{&words{past: true}}, Cache: cache}
		report, res := run(t, s, past(h, files("now")))
		if len(res.Failed) > 0 || len(report.Findings) != 1 || report.Summary.Complete {
			t.Errorf("failed %v, findings %v, complete %v; want one finding and an incomplete scan", res.Failed, found(report), report.Summary.Complete)
		}
	}
	if h.walks != 2 {
		t.Errorf("a past that was read in part was read %d times in two scans", h.walks)
	}
}

// A file that leaks in every one of many versions is one place of one finding.
func TestPastRepeats(t *testing.T) {
	h := &history{}
	for i := range 5000 {
		h.versions = append(h.versions, fmt.Sprintf("c%d a secret one", i))
	}
	report, _ := run(t, &scan.Scanner{Inspectors: []bulwark.Inspector{&words{past: true}}}, past(h, files("now")))
	if got := found(report)["one"]; got != "a:1 [removed git-history] a:1@c0" {
		t.Errorf("finding: %s", got)
	}
}
