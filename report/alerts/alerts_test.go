package alerts

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/text"
)

func write(t *testing.T, o Options) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	o.Zone, o.Now = time.UTC, sample.Now
	h := New(&b, o)
	for _, f := range sample.Running() {
		before := strings.Count(b.String(), "\n")
		if err := h.Handle(bulwark.Record{Finding: f}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "\n") - before; n > 8 || n < 1 {
			t.Errorf("%s takes %d lines", f.Rule, n)
		}
	}
	excepted := *sample.Running()[0]
	excepted.Exception = &bulwark.Exception{}
	for _, r := range []bulwark.Record{{Finding: &excepted}, {Note: &bulwark.Note{Plugin: "watch", Path: "/x", Text: "12 events were dropped" + sample.Evil}}, {Summary: &bulwark.Summary{}}} {
		if err := h.Handle(r); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestGolden(t *testing.T) {
	golden.Check(t, "plain.txt", write(t, Options{}).Bytes())
	golden.Check(t, "color.txt", write(t, Options{Color: true, Hint: func(*bulwark.Finding) string { return "" }}).Bytes())
	golden.Check(t, "width100.txt", write(t, Options{Width: 100, Hint: func(*bulwark.Finding) string { return "bulwark watch --without x" }}).Bytes())
}

func TestHarmless(t *testing.T) {
	for line := range strings.Lines(write(t, Options{}).String()) {
		if line = strings.TrimSuffix(line, "\n"); line != text.Clean(line) {
			t.Errorf("%q", line)
		}
	}
}

func TestWidth(t *testing.T) {
	for line := range strings.Lines(write(t, Options{Width: 100, Hint: func(*bulwark.Finding) string { return "" }}).String()) {
		if w := text.Width(strings.TrimSuffix(line, "\n")); w > 100 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
}

// TestWhole: each piece of evidence begins a line, and all of it is told on a narrow terminal as well.
func TestWhole(t *testing.T) {
	var b bytes.Buffer
	long := strings.Repeat("word ", 400) + "end"
	f := &bulwark.Finding{Kind: bulwark.KindRuntime, Rule: "a/b", Evidence: []string{"first", "second: " + long}}
	if err := New(&b, Options{Zone: time.UTC, Width: 60, Whole: true}).Handle(bulwark.Record{Finding: f}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  because: first\n", "\n  second: word", " end\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("without %q:\n%s", want, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if w := text.Width(strings.TrimSuffix(line, "\n")); w > 60 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
}

func TestSuppress(t *testing.T) {
	for _, tt := range []struct {
		f    bulwark.Finding
		want string
	}{
		{bulwark.Finding{Rule: "a/b", Asset: "host:x"}, "bulwark watch suppress a/b host:x"},
		{bulwark.Finding{Rule: "a/b", Asset: "image:sha256:2715de28a4dedb3098de366ddfa1f1ffb4b0b4abf2a8fcedee4878b4e6508d56"}, "bulwark watch suppress a/b image:sha256:2715de28a4de"},
		{bulwark.Finding{Rule: "a/b", Asset: "host:';rm -rf /;'", Key: "ab12"}, "bulwark watch suppress key:ab12"},
		{bulwark.Finding{Rule: "--x", Asset: "host:x", Key: "ab12"}, "bulwark watch suppress key:ab12"},
		{bulwark.Finding{Rule: "a/b"}, ""},
	} {
		if got := Suppress(&tt.f); got != tt.want {
			t.Errorf("%+v: %s", tt.f, got)
		}
	}
}
