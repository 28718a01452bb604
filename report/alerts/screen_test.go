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

func screen() *Screen {
	alerts := sample.Running()
	for _, f := range alerts {
		f.Time = sample.Now
	}
	return &Screen{
		Node: "node-1", Up: 83*time.Second + 5e8, Events: 40281, Rate: 1234.4, Dropped: 12, Zone: time.UTC,
		Told: map[bulwark.Severity]int{bulwark.SeverityCritical: 1, bulwark.SeverityLow: 2},
		Rows: []Row{
			{Name: "the node itself", Rate: 12, Events: 4000, CPU: -1, Memory: -1},
			{Name: "web 3f2a1b4c5d6e", Image: "registry.example.com:5000/shop/web:1.4", Rate: 0.4, Events: 77, Alerts: 2, CPU: 12.34, Memory: 52_428_800},
			{Name: sample.Evil, Image: sample.Evil, Rate: 1_000_000, Events: 123_456_789_012, CPU: 200, Memory: 1 << 33},
		},
		Alerts: alerts,
		Notes:  []Said{{sample.Now, "12 events were dropped " + sample.Evil}},
	}
}

func TestScreen(t *testing.T) {
	var b bytes.Buffer
	for _, size := range [][2]int{{100, 20}, {80, 24}, {60, 8}} {
		b.WriteString(strings.Join(screen().Lines(size[0], size[1]), "\n") + "\n----\n")
	}
	golden.Check(t, "screen.txt", b.Bytes())
}

func TestScreenFits(t *testing.T) {
	s := screen()
	for range 50 {
		s.Rows = append(s.Rows, s.Rows[2])
	}
	for width := 1; width < 200; width += 7 {
		for height := 1; height < 60; height += 5 {
			lines := s.Lines(width, height)
			if len(lines) > max(height, 4) {
				t.Fatalf("%d lines on a screen of %d", len(lines), height)
			}
			for _, line := range lines {
				if line != text.Clean(line) {
					t.Fatalf("control characters: %q", line)
				}
				if text.Width(line) > max(width, 20) {
					t.Fatalf("%d columns of %d: %q", text.Width(line), width, line)
				}
			}
		}
	}
}
