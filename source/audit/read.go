package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"bulwark"
)

// maxLog is the most that one line may have, or a log that is no lines: lists may be long.
const maxLog = 256 << 20

// IsLog tells from how a file begins whether it is the audit log of an API server: it is JSON.
func IsLog(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

// Read gives the events of a log that has ended: lines, as API servers write them, or documents over several lines, as what lists
// and filters them does. bad counts what is no event. Events that have no time are of the time of the one before.
func Read(r io.Reader, emit func(*bulwark.Event) error) (bad int, err error) {
	l := &logged{emit: emit, last: time.Unix(0, 1)}
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(64 << 10)
	first, _, whole := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n"))
	if !whole || json.Valid(first) {
		err = l.lines(b)
		return l.bad, err
	}
	rest, err := l.documents(b)
	if err == nil {
		err = l.lines(bytes.NewReader(rest))
	}
	return l.bad, err
}

// logged is what was read of a log.
type logged struct {
	emit func(*bulwark.Event) error
	last time.Time
	bad  int
}

// documents reads a log whose first line is no document, and gives what is left where that are no documents either.
func (l *logged) documents(r io.Reader) (rest []byte, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxLog+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxLog {
		return nil, fmt.Errorf("an audit log that is no lines has more than %d MB: %w", maxLog>>20, bulwark.ErrLimit)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		var one json.RawMessage
		from := d.InputOffset()
		if d.Decode(&one) != nil {
			return data[from:], nil
		}
		if err := l.give(one); err != nil {
			return nil, err
		}
	}
}

func (l *logged) lines(r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLog)
	for s.Scan() {
		if err := l.give(bytes.TrimSpace(s.Bytes())); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line of an audit log has more than %d MB: %w", maxLog>>20, bulwark.ErrLimit)
	}
	return s.Err()
}

// give emits the events of a document.
func (l *logged) give(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	events, bad := parse(data, l.last)
	l.bad += bad
	for i := range events {
		l.last = time.Unix(0, events[i].Time)
		if err := l.emit(&events[i]); err != nil {
			return err
		}
	}
	return nil
}
