// Package webhook posts findings of running things, one by one and in order. With a buffer on disk they outlive a receiver
// that is away for days, and a restart of ours.
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"bulwark"
	"bulwark/report/internal/outbox"
	"bulwark/report/internal/record"
	"bulwark/report/internal/spool"
)

const name = "report/webhook"

// Options says where to and how. URL alone is needed.
type Options struct {
	URL    string      // https, or http; it may hold a user and a password
	Header http.Header // sent with every message: a token, perhaps
	TLS    TLS
	// Format makes the bodies; nil: the record, as in jsonl.
	Format   func(io.Writer) bulwark.Handler
	MaxQueue int // bytes that wait in memory; 0: 4 MB
	// Buffer is a folder of ours alone for what waits; "": there is none, and what waits in memory is lost at the end.
	Buffer    string
	MaxBuffer int64         // bytes on disk; 0: 64 MB
	Timeout   time.Duration // of one try; 0: 15 s
	// Note is told, from other goroutines, when the receiver stops taking messages, when it takes them again, and what was lost.
	Note func(bulwark.Note)
	Pace Pace
}

// TLS is how the receiver is known.
type TLS = outbox.TLS

// Pace is how long to wait between tries.
type Pace = outbox.Pace

// Sink is a handler that never waits. A message counts as taken when the receiver answers 2xx. It is tried again, for as long as it takes,
// after an error of the network, 401, 403, 404, 408, 425, 429 and 5xx; other answers are about the message itself, and it is given up.
// A message may come twice; its header Idempotency-Key is then the same.
type Sink struct {
	o       Options
	to      string
	http    *http.Client
	encoder *outbox.Encoder
	queue   *outbox.Queue // of messages on their way to the spool, or without one to the receiver
	spool   *spool.Spool
	more    chan struct{} // the spool has a new message
	stored  chan struct{} // closed when the spool gets no more
	counts  counts
	noting  sync.Mutex
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

type counts struct {
	sync.Mutex
	sent, dropped uint64 // of those that left the queue for the spool
}

var _ bulwark.Handler = (*Sink)(nil)

// New begins to send, first what an earlier run left in the buffer. The caller calls Close. The error wraps ErrMalformed or
// ErrUnsupported for a URL that is none, and ErrUnavailable when another process has the buffer.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("the webhook's address is no URL such as https://example.com/alerts: %w", bulwark.ErrMalformed)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("a webhook by way of %.20q: %w", u.Scheme, bulwark.ErrUnsupported)
	}
	c, err := o.TLS.Config()
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig, t.MaxIdleConnsPerHost, t.MaxResponseHeaderBytes = c, 1, 64<<10
	s := &Sink{o: o, to: outbox.Told(o.URL), queue: outbox.NewQueue(o.MaxQueue), more: make(chan struct{}, 1), stored: make(chan struct{})}
	s.http = &http.Client{Transport: t, Timeout: cmp.Or(o.Timeout, 15*time.Second), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if o.Format != nil {
		s.encoder = outbox.NewEncoder(o.Format)
	}
	if o.Buffer != "" {
		if s.spool, err = spool.Open(o.Buffer, cmp.Or(o.MaxBuffer, 64<<20)); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if s.spool == nil {
		s.done.Go(func() { s.fromQueue(ctx) })
		return s, nil
	}
	s.done.Go(func() { s.store(ctx) })
	s.done.Go(func() { s.fromSpool(ctx) })
	return s, nil
}

// Handle queues a finding or a note. It does not wait, and never fails.
func (s *Sink) Handle(r bulwark.Record) error {
	if r.Finding != nil && r.Finding.Exception != nil || r.Finding == nil && r.Note == nil {
		return nil
	}
	b, err := s.body(r)
	switch {
	case err != nil:
		s.queue.Lost()
	case len(b) > 0:
		s.queue.Put(b)
	}
	return nil
}

func (s *Sink) body(r bulwark.Record) ([]byte, error) {
	if s.encoder != nil {
		return s.encoder.Encode(r)
	}
	b, err := record.Marshal(record.Whole(r))
	return bytes.Clone(b), err
}

// Counts tells what became of messages. With a buffer, those that an earlier run left are seen by neither.
func (s *Sink) Counts() []bulwark.Count {
	c := s.queue.Count("webhook")
	if s.spool != nil {
		s.counts.Lock()
		defer s.counts.Unlock()
		c.Sent, c.Dropped = s.counts.sent, c.Dropped+s.counts.dropped
	}
	return []bulwark.Count{c}
}

// Queued is how many messages wait, in memory and on disk.
func (s *Sink) Queued() int {
	n := s.queue.Len()
	if s.spool != nil {
		waiting, _ := s.spool.Len()
		n += waiting
	}
	return n
}

// Close sends what waits until ctx is done, and ends. The error tells what was not sent; what is in the buffer is no error.
func (s *Sink) Close(ctx context.Context) error {
	s.queue.Close()
	stop := context.AfterFunc(ctx, s.cancel)
	s.done.Wait()
	stop()
	s.cancel()
	s.http.CloseIdleConnections()
	if s.spool != nil {
		if err := s.spool.Close(); err != nil {
			return fmt.Errorf("closing the buffer: %w", err)
		}
	}
	if n := s.queue.Len(); n > 0 {
		return fmt.Errorf("%d findings were not sent to %s: %w", n, s.to, bulwark.ErrUnavailable)
	}
	return nil
}

func (s *Sink) state() outbox.State {
	return outbox.State{Name: name, To: s.to, Note: func(n bulwark.Note) {
		if s.o.Note != nil {
			s.noting.Lock()
			defer s.noting.Unlock()
			s.o.Note(n)
		}
	}}
}

// fromQueue sends without a buffer.
func (s *Sink) fromQueue(ctx context.Context) {
	state := s.state()
	for {
		list := s.queue.Head(ctx, 1)
		if len(list) == 0 {
			return
		}
		ok, left := s.until(ctx, &state, list[0])
		if left {
			return
		}
		s.queue.Done(1, ok)
		state.Lost(s.queue.Untold(), "there was no room for more to wait, or they were refused")
	}
}

// store moves messages from the queue to the disk, which may be slow. It ends when the queue is closed and empty, and does not
// wait for the receiver.
func (s *Sink) store(ctx context.Context) {
	defer close(s.stored)
	state := s.state()
	state.To = "the buffer"
	if n := s.spool.Damaged(); n > 0 {
		state.Lost(1, fmt.Sprintf("an earlier run left %d bytes that are no messages, one or more", n))
	}
	for {
		list := s.queue.Head(context.WithoutCancel(ctx), 1)
		if len(list) == 0 {
			return
		}
		err := s.spool.Add(list[0])
		s.queue.Done(1, true)
		if err != nil {
			s.add(0, 1)
			state.Failing(err)
			continue
		}
		state.Working()
		state.Lost(s.queue.Untold(), "there was no room for more to wait")
		select {
		case s.more <- struct{}{}:
		default:
		}
	}
}

func (s *Sink) add(sent, dropped uint64) {
	s.counts.Lock()
	defer s.counts.Unlock()
	s.counts.sent += sent
	s.counts.dropped += dropped
}

func (s *Sink) fromSpool(ctx context.Context) {
	state := s.state()
	for ctx.Err() == nil {
		ended := s.ended()
		m, err := s.spool.Oldest()
		switch {
		case err != nil:
			n := s.spool.Skip()
			s.add(0, uint64(n))
			state.Lost(uint64(n), err.Error())
		case m != nil:
			s.oldest(ctx, &state, m)
		case ended:
			return
		default:
			s.wait(ctx)
		}
	}
}

// ended tells whether all messages that there will be are in the spool.
func (s *Sink) ended() bool {
	select {
	case <-s.stored:
		return true
	default:
		return false
	}
}

func (s *Sink) wait(ctx context.Context) {
	select {
	case <-s.more:
	case <-s.stored:
	case <-ctx.Done():
	}
}

func (s *Sink) oldest(ctx context.Context, state *outbox.State, m []byte) {
	ok, left := s.until(ctx, state, m)
	if left {
		return
	}
	if ok {
		s.add(1, 0)
	} else {
		s.add(0, 1)
	}
	if err := s.spool.Taken(len(m)); err != nil {
		state.Failing(fmt.Errorf("it will get some twice: %w", err))
	}
}

// until sends a message until it is taken, or given up; left is true when ctx is done before.
func (s *Sink) until(ctx context.Context, state *outbox.State, m []byte) (ok, left bool) {
	for {
		again, err := s.post(ctx, m)
		if err == nil {
			s.o.Pace.Reset()
			state.Working()
			return true, false
		}
		if ctx.Err() != nil {
			return false, true
		}
		if again < 0 {
			state.Lost(1, err.Error())
			return false, false
		}
		state.Failing(err)
		s.o.Pace.Wait(ctx, again)
		if ctx.Err() != nil {
			return false, true
		}
	}
}

// post sends once. again is when to try again as the receiver has it, 0 when it does not say, and negative when there is no use.
func (s *Sink) post(ctx context.Context, m []byte) (again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.URL, bytes.NewReader(m))
	if err != nil {
		return -1, bulwark.ErrMalformed // not err: it names the address
	}
	maps.Copy(req.Header, s.o.Header)
	sum := sha256.Sum256(m)
	req.Header.Set("Content-Type", contentType(m))
	req.Header.Set("User-Agent", "bulwark")
	req.Header.Set("Idempotency-Key", hex.EncodeToString(sum[:16]))
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", bulwark.ErrUnavailable, outbox.Plain(err))
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	return verdict(resp)
}

// contentType is JSON for all formats but the one for people.
func contentType(m []byte) string {
	if len(m) > 0 && m[0] == '{' {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// verdict says what an answer means.
func verdict(resp *http.Response) (again time.Duration, err error) {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return 0, nil
	}
	err = fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return 0, fmt.Errorf("%w: %w", err, bulwark.ErrUntrusted)
	case code == http.StatusNotFound, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500, code < 400:
		return outbox.RetryAfter(resp.Header), err
	}
	return -1, err
}
