package cli

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
)

// meter is a tree that has been read so far.
type meter int64

func (*meter) Walk(context.Context, func(*bulwark.Entry) error) error { return nil }
func (m *meter) BytesRead() int64                                     { return int64(*m) }

func TestProgressLine(t *testing.T) {
	base, app, twice := meter(5e6), meter(0), meter(0) // base was read before, by somebody else
	target := &bulwark.Target{Asset: bulwark.Asset{Name: "shop\x1b[31m:1"}, Layers: []bulwark.Layer{
		{Index: 0, Size: 20e6, Tree: &base}, {Index: 1, Size: 80e6, Tree: &app}, {Index: 2, Size: 10e6, Tree: &twice},
	}}
	p := &progress{}
	p.Target(target)
	check := func(took time.Duration, want string) {
		t.Helper()
		if got := p.line(took, 0); !strings.HasSuffix(got, want) {
			t.Errorf("after %s: %q, want %q at its end", took, got, want)
		}
	}
	check(0, ":1: layer 1 of 3, 0 MB, 0 MB/s, 0 %")
	base, app = 15e6, 12e6
	p.Read(60e6)
	check(500*time.Millisecond, "layer 1 of 3, 60 MB, 120 MB/s, 20 %")
	check(2*time.Second, "layer 1 of 3, 60 MB, 30 MB/s, 20 %, about 8s left")
	twice = 20e6
	check(2*time.Second, "MB/s, 29 %, about 5s left")
	p.Layer(&target.Layers[2], true) // known from before: it counts no more
	check(2*time.Second, "layer 2 of 3, 60 MB, 30 MB/s, 22 %, about 7s left")
	p.Layer(&target.Layers[0], false)
	check(4*time.Second, "layer 3 of 3, 60 MB, 15 MB/s, 32 %, about 9s left")
	p.Layer(&target.Layers[1], false)
	check(9*time.Second, "layer 3 of 3, 60 MB, 7 MB/s, 100 %")
	if line := p.line(0, 0); strings.Contains(line, "\x1b") {
		t.Errorf("%q passes control characters on", line)
	}
}

// TestProgressWithoutSizes: nothing is made up about what has no size or no meter.
func TestProgressWithoutSizes(t *testing.T) {
	var tree struct{ bulwark.Tree }
	p := &progress{}
	p.Target(&bulwark.Target{Asset: bulwark.Asset{Name: "host"}, Layers: []bulwark.Layer{{Size: -1, Tree: tree}}})
	p.Read(5e6)
	p.Layer(&bulwark.Layer{Index: 7}, false)
	if got, want := p.line(time.Second, 0), "host: layer 1 of 1, 5 MB, 5 MB/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressFits(t *testing.T) {
	p := &progress{}
	p.Target(&bulwark.Target{Asset: bulwark.Asset{Name: strings.Repeat("größe", 30)}, Layers: []bulwark.Layer{{Size: 1}}})
	for columns := 1; columns < 200; columns++ {
		line := p.line(time.Second, columns)
		if n := len([]rune(line)); n >= columns {
			t.Errorf("%d columns: %d are drawn", columns, n)
		}
		if columns > 60 && !strings.HasSuffix(line, "0 MB/s, 0 %") {
			t.Errorf("%d columns: %q lacks the figures", columns, line)
		}
	}
}

// TestProgressDraws: drawing goes along with a scan's calls and clears its line.
func TestProgressDraws(t *testing.T) {
	var out bytes.Buffer
	p := (&app{err: &out}).watch()
	target := &bulwark.Target{Asset: bulwark.Asset{Name: "a"}, Layers: []bulwark.Layer{{Size: 10, Tree: new(meter)}}}
	p.Target(target)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { p.Read(1); p.draw() })
	}
	wg.Wait()
	p.Layer(&target.Layers[0], false)
	p.close()
	if got := out.String(); !strings.Contains(got, "\ra: layer 1 of 1") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("drawn: %q", got)
	}
}
