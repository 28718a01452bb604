package cli

import (
	"bytes"
	"testing"
	"time"
)

func TestStage(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		columns int
		after   []time.Duration
		want    string
	}{
		{"short", 80, nil, ""},
		{"long", 80, []time.Duration{time.Second, 61 * time.Second}, "\rreading x, 1s\x1b[K\rreading x, 1m1s\x1b[K\r\x1b[K"},
		{"narrow", 8, []time.Duration{time.Second}, "\rreading\x1b[K\r\x1b[K"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			tick, stop := make(chan time.Time), make(chan struct{})
			go func() {
				for _, d := range tt.after {
					tick <- began.Add(d)
				}
				close(stop)
			}()
			if showStage(&b, "reading x", tt.columns, began, tick, stop); b.String() != tt.want {
				t.Errorf("it writes %q, want %q", b.String(), tt.want)
			}
		})
	}
	var b bytes.Buffer
	end := (&app{err: &b}).stage("reading x")
	if end(); b.Len() != 0 {
		t.Errorf("into a pipe it writes %q", b.String())
	}
}
