package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"bulwark"
	"bulwark/report/alerts"
	"bulwark/source/container"
	"bulwark/watch"
)

// mayTop refuses --top where there is nothing to draw on.
func (w *watching) mayTop() error {
	if w.replay != "" {
		return usage("--top shows a machine while it is watched, and a recording is looked at in no time: leave out --top or --replay")
	}
	for _, f := range w.formats {
		if !strings.Contains(f, "=") && w.output == "" {
			return usage("--top has the terminal: give the format a file, -f %s=FILE", f)
		}
	}
	out, ok := w.out.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return &exit{code: exitUsage, err: fmt.Errorf("--top needs a terminal, and standard output is none"), hint: "without --top findings are written as they happen"}
	}
	return nil
}

// top shows a watched machine on a terminal.
type top struct {
	w     *watching
	e     *watch.Watcher
	tty   *os.File
	began time.Time

	mu     sync.Mutex
	finder *container.Finder  // nil until the run begins
	alerts []*bulwark.Finding // the newest first
	notes  []alerts.Said      // the newest first
	told   map[bulwark.Severity]int
	ending bool
	last   []string // what was said when it ended

	before map[string]figures // of the last drawing, by container
	drawn  time.Time
	events uint64
}

// figures are those that rates are made of.
type figures struct {
	events uint64
	cpu    time.Duration
}

const (
	mostAlertsShown = 100
	mostNotesShown  = 10
)

var _ bulwark.Handler = (*top)(nil)

// Handle keeps what is shown.
func (t *top) Handle(r bulwark.Record) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.Finding != nil:
		t.finding(r.Finding)
	case r.Note != nil:
		t.note(strings.Join(nonEmpty(r.Note.Plugin, r.Note.Path, r.Note.Text), ": "))
	}
	return nil
}

// finding takes a new one, or the count of one that was told before.
func (t *top) finding(f *bulwark.Finding) {
	same := func(o *bulwark.Finding) bool {
		return o.Key == f.Key && (o.Container == nil) == (f.Container == nil) && (o.Container == nil || o.Container.ID == f.Container.ID)
	}
	if i := slices.IndexFunc(t.alerts, same); i >= 0 && f.Count > 1 {
		t.alerts = slices.Delete(t.alerts, i, i+1)
	} else {
		t.told[f.Severity]++
	}
	t.alerts = slices.Insert(t.alerts, 0, f)
	t.alerts = t.alerts[:min(len(t.alerts), mostAlertsShown)]
}

func (t *top) note(text string) {
	if t.ending {
		t.last = append(t.last, text)
		return
	}
	t.notes = slices.Insert(t.notes, 0, alerts.Said{At: time.Now(), Text: text})
	t.notes = t.notes[:min(len(t.notes), mostNotesShown)]
}

// finds has it ask for what containers take.
func (t *top) finds(f *container.Finder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finder = f
}

// Write takes what would go to stderr, line by line.
func (t *top) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(b) {
		t.note(strings.TrimPrefix(strings.TrimSpace(string(line)), "bulwark: "))
	}
	return len(b), nil
}

// topped has the run shown on the terminal, where that was asked for. end gives the terminal back.
func (w *watching) topped(ctx context.Context, e *watch.Watcher, out *sinks) (inner context.Context, end func(), err error) {
	if !w.top {
		return ctx, func() {}, nil
	}
	t := &top{w: w, e: e, tty: w.out.(*os.File), began: time.Now(), told: map[bulwark.Severity]int{}, before: map[string]figures{}}
	inner, stop := context.WithCancel(ctx)
	restore, err := t.open(inner, stop)
	if err != nil {
		stop()
		return nil, nil, &exit{code: exitFailed, err: fmt.Errorf("--top: %w", err)}
	}
	e.Tally, w.view = true, t
	out.handlers = append(out.handlers, t)
	errs := w.err
	w.err = t
	restore = sync.OnceFunc(restore)
	context.AfterFunc(inner, func() {
		t.mu.Lock()
		t.ending = true
		t.mu.Unlock()
		restore() // letting go of what the kernel gave takes seconds
	})
	return inner, func() {
		stop()
		restore()
		w.err = errs
		for _, line := range t.last {
			w.say("%s", line)
		}
	}, nil
}

const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[J"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// open takes the terminal, draws each second, and stops at q, Ctrl-C and Ctrl-D.
func (t *top) open(ctx context.Context, stop func()) (restore func(), err error) {
	in, given := t.w.in.(*os.File)
	var was *term.State
	if given = given && term.IsTerminal(int(in.Fd())); given {
		if was, err = term.MakeRaw(int(in.Fd())); err != nil {
			return nil, err
		}
	}
	_, _ = io.WriteString(t.tty, enterScreen)
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { t.drawing(ctx, stop) })
	if given {
		all.Go(func() { keys(ctx, in, stop) })
	}
	return func() {
		cancel()
		all.Wait()
		_, _ = io.WriteString(t.tty, leaveScreen)
		if was != nil {
			_ = term.Restore(int(in.Fd()), was)
		}
	}, nil
}

func (t *top) drawing(ctx context.Context, stop func()) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	resized, done := resizes()
	defer done()
	for {
		if t.draw() != nil {
			stop() // nobody looks any more
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		case <-resized:
		}
	}
}

// draw writes the whole screen at once, over what is there.
func (t *top) draw() error {
	width, height, err := term.GetSize(int(t.tty.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for i, line := range t.screen(time.Now()).Lines(width, height) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	_, err = t.tty.Write(b.Bytes())
	return err
}

// screen is what is known now.
func (t *top) screen(now time.Time) *alerts.Screen {
	since := now.Sub(t.drawn).Seconds()
	if t.drawn.IsZero() || since <= 0 {
		since = 0
	}
	s := &alerts.Screen{Node: t.e.Host.Name, Up: now.Sub(t.began), Events: t.e.Seen(), Color: !t.w.noColor && os.Getenv("NO_COLOR") == ""}
	s.Rate = rate(s.Events-min(t.events, s.Events), since)
	for _, list := range t.e.Counts() {
		for _, n := range list {
			s.Dropped += n.Dropped
		}
	}
	s.Rows = t.rows(since)
	t.events, t.drawn = s.Events, now
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Told = map[bulwark.Severity]int{}
	for level, n := range t.told {
		s.Told[level] = n
	}
	s.Alerts, s.Notes = slices.Clone(t.alerts), slices.Clone(t.notes)
	return s
}

func rate(n uint64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

// rows are the node, the containers that run, and those that had alerts.
func (t *top) rows(since float64) []alerts.Row {
	t.mu.Lock()
	finder := t.finder
	t.mu.Unlock()
	if finder == nil {
		return nil
	}
	list := []alerts.Row{}
	after := map[string]figures{}
	seen := map[string]bool{}
	row := func(id string, a watch.Activity) {
		r := alerts.Row{Name: "the node itself", Events: a.Events, Alerts: a.Findings, CPU: -1, Memory: -1}
		now, was := figures{a.Events, -1}, t.before[id]
		if c := a.Container; c != nil {
			r.Name, r.Image = strings.TrimSpace(c.Name+" "+c.ShortID()), c.Image
			if c.ID == "" {
				r.Name = "unknown: " + c.Missing
			}
			u, runs := finder.Usage(c)
			if !runs && a.Findings == 0 {
				return
			}
			if !runs {
				r.Name += " (ended)"
			}
			if now.cpu = u.CPU; now.cpu >= 0 && was.cpu > 0 && since > 0 {
				r.CPU = max(0, 100*(now.cpu-was.cpu).Seconds()/since)
			}
			r.Memory = u.Memory
		}
		r.Rate = rate(a.Events-min(was.events, a.Events), since)
		after[id] = now
		list = append(list, r)
	}
	for _, a := range t.e.Activity() {
		id := ""
		if a.Container != nil {
			id = a.Container.ID + "/"
		}
		seen[id] = true
		row(id, a)
	}
	for _, c := range finder.Containers() {
		if id := c.ID + "/"; !seen[id] {
			seen[id] = true
			row(id, watch.Activity{Container: c})
		}
	}
	t.before = after
	return list
}
