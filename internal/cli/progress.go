package cli

import (
	"fmt"
	"os"
	"slices"
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

// progress draws one line on a terminal: how much of the target's layers is read, how
// fast, and how long the rest takes.
type progress struct {
	app   *app
	bytes atomic.Int64

	mu      sync.Mutex
	name    string
	layers  []layerProgress
	done    int
	started time.Time

	stop chan struct{}
	wg   sync.WaitGroup
}

// layerProgress is how far one layer is, in stored bytes.
type layerProgress struct {
	size  int64         // 0 when it is not known, or need not be read
	meter bulwark.Meter // nil when the tree has none
	from  int64         // where the meter stood at the start
	done  bool
}

func (l *layerProgress) read() int64 {
	switch {
	case l.done:
		return l.size
	case l.meter == nil:
		return 0
	}
	return min(l.meter.BytesRead()-l.from, l.size) // some layers are walked twice
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
	layers := t.Layers
	if t.Past != nil {
		layers = append(slices.Clip(layers), *t.Past)
	}
	p.name, p.layers, p.done, p.started = clean(t.Asset.Name), make([]layerProgress, len(layers)), 0, time.Now()
	for i, l := range layers {
		p.layers[i].size = max(l.Size, 0)
		if m, ok := l.Tree.(bulwark.Meter); ok {
			p.layers[i].meter, p.layers[i].from = m, m.BytesRead()
		}
	}
	p.bytes.Store(0)
}

// Layer ends a layer.
func (p *progress) Layer(l *bulwark.Layer, cached bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if l.Index < 0 || l.Index >= len(p.layers) {
		return
	}
	of := &p.layers[l.Index]
	of.done = true
	if cached {
		of.size = 0
	}
}

// Read passes bytes.
func (p *progress) Read(n int64) { p.bytes.Add(n) }

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.started.IsZero() {
		fmt.Fprintf(p.app.err, "\r%s\x1b[K", p.line(time.Since(p.started), p.app.width()))
	}
}

// line is what is drawn after a time, in fewer columns than a terminal has; 0 are any.
// The name gives way to the figures.
func (p *progress) line(took time.Duration, columns int) string {
	mb := float64(p.bytes.Load()) / 1e6
	if len(p.layers) == 0 { // objects, which are all read: they are looked at
		return fit(p.name, ": "+took.Round(time.Second).String(), columns)
	}
	figures := fmt.Sprintf(": layer %d of %d, %.0f MB, %.0f MB/s", min(p.done+1, len(p.layers)), len(p.layers), mb, mb/max(took.Seconds(), 0.001))
	var size, read int64
	for i := range p.layers {
		size += p.layers[i].size
		read += p.layers[i].read()
	}
	if size > 0 {
		figures += fmt.Sprintf(", %d %%", 100*read/size)
	}
	// The first second tells little: layers are being opened.
	if took >= time.Second && read > 0 && read < size {
		left := time.Duration(float64(took) * float64(size-read) / float64(read))
		figures += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return fit(p.name, figures, columns)
}

// fit cuts a name so that it and the figures take fewer columns than there are.
func fit(name, figures string, columns int) string {
	line := []rune(name)
	if room := max(columns-1-len(figures), 0); columns > 0 && len(line) > room {
		line = line[:room]
	}
	line = append(line, []rune(figures)...)
	if columns > 0 && len(line) >= columns {
		line = line[:columns-1]
	}
	return string(line)
}

// width is how many columns the terminal has; 0 when there is none.
func (a *app) width() int {
	f, ok := a.err.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
