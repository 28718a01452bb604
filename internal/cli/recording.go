package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"bulwark"
	"bulwark/source/audit"
	"bulwark/watch/trace"
)

// recording is what is replayed: a trace, or the audit log of an API server as one.
type recording struct {
	trace.Header
	from io.Reader
	note string // what a reader should know of how it was read; "": nothing
}

// readRecording reads the beginning of a recording, or all of an audit log, which may be packed by gzip as API servers do.
func readRecording(r io.Reader) (*recording, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
		}
		b = bufio.NewReader(z)
	}
	if head, _ := b.Peek(512); audit.IsLog(head) {
		return auditRecording(b)
	}
	var read bytes.Buffer
	t, err := trace.NewReader(io.TeeReader(b, &read))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return &recording{Header: t.Header(), from: io.MultiReader(&read, b)}, nil
}

// auditRecording makes a trace of an audit log, as following the log would have done.
func auditRecording(r io.Reader) (*recording, error) {
	var b bytes.Buffer
	out := &recording{Header: trace.Header{Kinds: []string{bulwark.KindK8sAudit.String()}}, from: &b}
	w, err := trace.NewWriter(&b, out.Header)
	if err != nil {
		return nil, err
	}
	events, last := 0, int64(0)
	bad, err := audit.Read(r, func(e *bulwark.Event) error {
		events++
		if e.Time >= last+1e9 {
			last = e.Time
			if err := w.Tick(last); err != nil {
				return err
			}
		}
		return w.Event(e)
	})
	switch {
	case err != nil:
		return nil, err
	case events == 0:
		return nil, fmt.Errorf("it is no recording, and has no event of an audit log: %w", bulwark.ErrMalformed)
	case bad > 0:
		out.note = fmt.Sprintf("the audit log has what is no event, or too long, %s: it is passed over", times(bad))
	}
	return out, w.Flush()
}
