package cli

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"bulwark"
)

// interactive tells whether a person watches stderr.
func (a *app) interactive() bool {
	f, ok := a.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress draws one line on a terminal: layers, bytes, rate and, once a layer is
// done, the time left.
type progress struct {
	app   *app
	bytes atomic.Int64

	mu      sync.Mutex
	name    string
	layers  int
	done    int
	size    int64 // stored bytes of all layers
	read    int64 // stored bytes of the layers that are done
	started time.Time

	stop chan struct{}
	wg   sync.WaitGroup
}

// watch starts to draw until close is called.
func (a *app) watch() *progress {
	p := &progress{app: a, stop: make(chan struct{})}
	p.wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.draw()
			case <-p.stop:
				fmt.Fprint(a.err, "\r\x1b[K")
				return
			}
		}
	})
	return p
}

func (p *progress) close() {
	close(p.stop)
	p.wg.Wait()
}

// Target begins a target.
func (p *progress) Target(t *bulwark.Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.layers, p.done, p.size, p.read, p.started = t.Asset.Name, len(t.Layers), 0, 0, 0, time.Now()
	for _, l := range t.Layers {
		p.size += max(l.Size, 0)
	}
	p.bytes.Store(0)
}

// Layer ends a layer.
func (p *progress) Layer(l *bulwark.Layer, cached bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if cached {
		p.size -= max(l.Size, 0)
		return
	}
	p.read += max(l.Size, 0)
}

// Read passes bytes.
func (p *progress) Read(n int64) { p.bytes.Add(n) }

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started.IsZero() {
		return
	}
	took := time.Since(p.started)
	mb := float64(p.bytes.Load()) / 1e6
	line := fmt.Sprintf("%s: layer %d of %d, %.0f MB, %.0f MB/s", clean(p.name), min(p.done+1, p.layers), p.layers, mb, mb/took.Seconds())
	if p.read > 0 && p.size > p.read {
		left := time.Duration(float64(took) * float64(p.size-p.read) / float64(p.read))
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	if width, _, err := term.GetSize(int(p.app.err.(*os.File).Fd())); err == nil && len(line) >= width && width > 1 {
		line = line[:width-1]
	}
	fmt.Fprintf(p.app.err, "\r%s\x1b[K", line)
}
