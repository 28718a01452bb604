package falco

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/text"
)

func write(t *testing.T, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	h := New(&b, o)
	for _, f := range sample.Running() {
		if err := h.Handle(bulwark.Record{Finding: f}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []bulwark.Record{{Run: &bulwark.Run{}}, {Note: &bulwark.Note{Plugin: "watch", Path: "/x", Text: "12 events were dropped", Incomplete: true}}, {Summary: &bulwark.Summary{}}} {
		if err := h.Handle(r); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestGolden holds the bytes. What Falco 0.43 writes for the second finding has the same keys in the same order.
func TestGolden(t *testing.T) {
	got := write(t, Options{Hostname: "node-1", Now: sample.Now})
	golden.Check(t, "running.jsonl", got)
	if !bytes.Equal(got, text.JSON(slices.Clone(got))) || bytes.Contains(got, []byte{0x1b}) {
		t.Error("it does harm to terminals")
	}
}

var times = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$`)

// TestShape reads every line as falcosidekick does: by types.
func TestShape(t *testing.T) {
	priorities := []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}
	for line := range bytes.Lines(write(t, Options{})) {
		var a struct {
			Output, Priority, Rule, Source, Hostname, Time string
			Tags                                           []string
			OutputFields                                   map[string]any `json:"output_fields"`
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		if !times.MatchString(a.Time) || !slices.Contains(priorities, a.Priority) || a.Hostname == "" || a.Rule == "" || a.Source == "" || a.Tags == nil || a.OutputFields == nil {
			t.Errorf("%s", line)
		}
		if want := a.Time[11:29] + ": " + a.Priority + " "; a.Output[:len(want)] != want {
			t.Errorf("%q, want it to begin %q", a.Output, want)
		}
	}
}

// TestKeys holds an alert of a rule to the keys that Falco writes.
func TestKeys(t *testing.T) {
	line := bytes.Split(write(t, Options{Hostname: "n"}), []byte("\n"))[1]
	d := json.NewDecoder(bytes.NewReader(line))
	var keys []string
	var depth int
	for key := true; ; {
		tok, err := d.Token()
		if err != nil {
			break
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			key = true
		case string:
			if depth == 1 && key {
				keys = append(keys, v)
				key = false
			} else {
				key = true
			}
		}
	}
	want := []string{"hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
