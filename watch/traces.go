package watch

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/watch/trace"
)

// Capture keeps the last events, so that those around a finding can be looked at.
type Capture struct {
	Dir    string        // where a trace is written for each finding
	Before time.Duration // how much before it is in there; 0: five seconds
	After  time.Duration // how much behind; 0: two seconds
	Files  int           // how many are written at most; 0: 100
	// Want tells which findings are worth one; nil: all.
	Want func(*bulwark.Finding) bool
}

// mostCapture is how much of events is kept in memory.
const mostCapture = 16 << 20

// traces are what is written of events.
type traces struct {
	core   *core
	record *trace.Writer
	failed error

	keep    *trace.Writer
	now     bytes.Buffer // of the second that runs
	head    []byte       // what every file begins with
	past    []segment
	size    int
	files   []*captured
	written int
}

// segment is a second of events, which needs nothing before it.
type segment struct {
	end  int64
	data []byte
}

// captured is a file that gets the seconds behind its finding.
type captured struct {
	*os.File
	until int64
}

func (t *traces) begin(c *core, record io.Writer) error {
	t.core = c
	h := trace.Header{Node: string(c.Host.ID), Name: c.Host.Name, Boot: c.Boot, Began: c.began.UnixNano(), Program: c.About.Version}
	for k := range c.want {
		h.Kinds = append(h.Kinds, k.String())
	}
	h.Kinds = append(h.Kinds, bulwark.KindContainer.String())
	slices.Sort(h.Kinds)
	var err error
	if record != nil {
		if t.record, err = trace.NewWriter(record, h); err != nil {
			return err
		}
		t.record.Accounts = c.accounts
	}
	if k := c.Capture; k != nil {
		setDuration(&k.Before, 5*time.Second)
		setDuration(&k.After, 2*time.Second)
		if k.Files == 0 {
			k.Files = 100
		}
		if t.keep, err = trace.NewWriter(&t.now, h); err != nil {
			return err
		}
		t.keep.Accounts = c.accounts
		t.head = bytes.Clone(t.now.Bytes())
		t.now.Reset()
	}
	return nil
}

func setDuration(d *time.Duration, normal time.Duration) {
	if *d == 0 {
		*d = normal
	}
}

func (t *traces) event(e *bulwark.Event) {
	if t.record != nil {
		t.fail(t.record.Event(e))
	}
	if t.keep != nil {
		t.keep.Event(e)
	}
}

// fail stops recording, and says so.
func (t *traces) fail(err error) {
	if err == nil {
		return
	}
	t.failed, t.record = err, nil
	t.core.note("watch", "nothing is recorded from here on: "+err.Error(), true)
}

func (t *traces) tick(now int64) {
	if t.record != nil {
		t.fail(t.record.Tick(now))
	}
	if t.record != nil {
		t.fail(t.record.Flush())
	}
	if t.keep == nil {
		return
	}
	t.keep.Tick(now)
	t.turn()
}

// turn ends the segment that runs, gives it to files that wait for it, and forgets what is too old.
func (t *traces) turn() {
	t.keep.Flush()
	now := t.core.clock.now
	s := segment{now, bytes.Clone(t.now.Bytes())}
	t.now.Reset()
	t.keep.Reset()
	t.past = append(t.past, s)
	t.size += len(s.data)
	for len(t.past) > 0 && (t.size > mostCapture || now-t.past[0].end > int64(t.core.Capture.Before)) {
		t.size -= len(t.past[0].data)
		t.past = t.past[1:]
	}
	t.files = slices.DeleteFunc(t.files, func(f *captured) bool {
		_, err := f.Write(s.data)
		if err == nil && now < f.until {
			return false
		}
		t.core.captureFailed(err)
		t.core.captureFailed(f.Close())
		return true
	})
}

func (c *core) captureFailed(err error) {
	if err != nil {
		c.note("watch", "events around a finding are not kept: "+err.Error(), true)
	}
}

// mostOpen is how many files wait for what comes behind their findings.
const mostOpen = 8

// found begins a file for a finding.
func (t *traces) found(f *bulwark.Finding) {
	k := t.core.Capture
	if k == nil || len(t.files) >= mostOpen || k.Want != nil && !k.Want(f) {
		return
	}
	if t.written >= k.Files {
		if t.written == k.Files {
			t.core.note("watch", fmt.Sprintf("events around %d findings are kept; there will be no more files", k.Files), false)
			t.written++
		}
		return
	}
	name := filepath.Join(k.Dir, fmt.Sprintf("%s-%03d-%s.trace", f.Time.UTC().Format("20060102T150405.000"), t.written+1, fileName(f.Rule)))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.core.captureFailed(err)
		t.written++
		return
	}
	t.written++
	data := slices.Clone(t.head)
	for _, s := range t.past {
		data = append(data, s.data...)
	}
	if _, err := file.Write(data); err != nil {
		t.core.captureFailed(err)
		file.Close()
		return
	}
	t.files = append(t.files, &captured{file, t.core.clock.now + int64(k.After)})
}

// fileName is the name of a rule without what file systems and terminals mind.
func fileName(rule string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, rule)
	return name[:min(len(name), 80)]
}

func (c *core) changed(p *bulwark.Process) {
	if c.traces.record != nil {
		c.traces.record.Changed(p)
	}
	if c.traces.keep != nil {
		c.traces.keep.Changed(p)
	}
}

func (c *core) forgotten(p *bulwark.Process) {
	if c.traces.record != nil {
		c.traces.record.Forgotten(p)
	}
	if c.traces.keep != nil {
		c.traces.keep.Forgotten(p)
	}
}

// end writes what is gathered.
func (t *traces) end() {
	if t.record != nil {
		t.fail(t.record.Flush())
	}
	if t.keep != nil {
		t.turn()
	}
	for _, f := range t.files {
		t.core.captureFailed(f.Close())
	}
	t.files = nil
}

func (c *core) recorded() error {
	if c.traces.failed != nil {
		return fmt.Errorf("recording: %w", c.traces.failed)
	}
	return nil
}
