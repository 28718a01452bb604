package alerts

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/policy"
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
		if n := strings.Count(b.String(), "\n") - before; n > 3 || n < 1 {
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

func TestExcept(t *testing.T) {
	for _, tt := range []struct {
		f    bulwark.Finding
		want string
	}{
		{bulwark.Finding{Rule: "a/b", Asset: "host:x"}, `(test -s exceptions.yaml || echo exceptions:; echo '  - {rule: "a/b", asset: "host:x", reason: "why it is fine", owner: "'$USER'"}') >> exceptions.yaml`},
		{bulwark.Finding{Rule: "a/b", Asset: "host:';rm -rf /;'", Key: "ab12"}, `(test -s exceptions.yaml || echo exceptions:; echo '  - {key: "ab12", reason: "why it is fine", owner: "'$USER'"}') >> exceptions.yaml`},
		{bulwark.Finding{Rule: "a/b"}, ""},
	} {
		if got := Except(&tt.f); got != tt.want {
			t.Errorf("%+v: %s", tt.f, got)
		}
	}
}

// TestHintWorks runs the hints in a shell, and has the file that they write read: each finding is excepted, and no other.
func TestHintWorks(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	dir := t.TempDir()
	list := sample.Running()
	for i, f := range list[:4] {
		f.Key = bulwark.Key(f.Kind, f.Rule, f.Subject, strconv.Itoa(i))
		cmd := exec.CommandContext(t.Context(), shell, "-c", Except(f))
		cmd.Dir, cmd.Env = dir, []string{"USER=me"}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v %s", err, out)
		}
	}
	p, err := policy.Load(filepath.Join(dir, "exceptions.yaml"), sample.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range list {
		p.Apply(&bulwark.Asset{ID: f.Asset}, f)
		if (f.Exception != nil) != (i < 4) || i < 4 && f.Exception.Owner != "me" {
			t.Errorf("%s: %+v", f.Rule, f.Exception)
		}
	}
}
