// Package outbox has what those share who send findings elsewhere: a queue that never makes its filler wait, and the pace of
// whoever tries again.
package outbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"bulwark"
)

// Queue holds messages until they are sent, oldest first. What there is no room for is dropped, and counted: the beginning of an
// attack tells more than its thousandth repetition. The zero value holds nothing; use [NewQueue].
type Queue struct {
	mu       sync.Mutex
	list     [][]byte
	bytes    int
	max      int
	seen     uint64
	sent     uint64
	dropped  uint64
	untold   uint64 // dropped, and nobody has been told yet
	closed   bool
	newcomer chan struct{}
}

// overhead is what a message costs beside its bytes.
const overhead = 64

// NewQueue returns a queue that takes at most max bytes; 0: 4 MB.
func NewQueue(max int) *Queue {
	if max <= 0 {
		max = 4 << 20
	}
	return &Queue{max: max, newcomer: make(chan struct{}, 1)}
}

// Put adds a message, which the queue keeps, or drops it. It never waits.
func (q *Queue) Put(m []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen++
	if q.closed || q.bytes+len(m)+overhead > q.max {
		q.dropped++
		q.untold++
		return
	}
	q.list, q.bytes = append(q.list, m), q.bytes+len(m)+overhead
	q.wake()
}

func (q *Queue) wake() {
	select {
	case q.newcomer <- struct{}{}:
	default:
	}
}

// Head waits for messages and gives the oldest ones, n at most. They stay until [Queue.Done]. It gives none when ctx is done, or
// when the queue is closed and empty. There is one taker.
func (q *Queue) Head(ctx context.Context, n int) [][]byte {
	for ctx.Err() == nil {
		q.mu.Lock()
		list, closed := q.list[:min(n, len(q.list)):min(n, len(q.list))], q.closed
		q.mu.Unlock()
		if len(list) > 0 {
			return list
		}
		if closed {
			return nil
		}
		select {
		case <-q.newcomer:
		case <-ctx.Done():
		}
	}
	return nil
}

// Done takes the n oldest messages out: they are sent, or given up.
func (q *Queue) Done(n int, sent bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.list[:n] {
		q.bytes -= len(m) + overhead
	}
	clear(q.list[:n])
	q.list = q.list[n:]
	if len(q.list) == 0 {
		q.list = nil // frees what was grown
	}
	if sent {
		q.sent += uint64(n)
		return
	}
	q.dropped += uint64(n)
	q.untold += uint64(n)
}

// Lost counts a message that never was in the queue.
func (q *Queue) Lost() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen++
	q.dropped++
	q.untold++
}

// Untold is how many were dropped since it was last asked.
func (q *Queue) Untold() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.untold
	q.untold = 0
	return n
}

// Close lets the taker empty the queue and takes nothing more.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

// Len is how many messages wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}

// Count is what became of messages.
func (q *Queue) Count(class string) bulwark.Count {
	q.mu.Lock()
	defer q.mu.Unlock()
	return bulwark.Count{Class: class, Seen: q.seen, Sent: q.sent, Dropped: q.dropped}
}

// Encoder makes messages of records by a format that writes each record at once.
type Encoder struct {
	buf bytes.Buffer
	to  bulwark.Handler
}

// NewEncoder returns one that writes by the format.
func NewEncoder(format func(io.Writer) bulwark.Handler) *Encoder {
	e := new(Encoder)
	e.to = format(&e.buf)
	return e
}

// Encode gives what the format writes for r, without the line's end; nothing where it writes nothing.
func (e *Encoder) Encode(r bulwark.Record) ([]byte, error) {
	e.buf.Reset()
	if err := e.to.Handle(r); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimRight(e.buf.Bytes(), "\n")), nil
}

// Pace is how long to wait before the next try.
type Pace struct {
	Min, Max time.Duration // 0: half a second, and a minute
	next     time.Duration
}

// Reset is called after a success.
func (p *Pace) Reset() { p.next = 0 }

// Wait waits longer each time, or as long as told; not at all when ctx is done.
func (p *Pace) Wait(ctx context.Context, told time.Duration) {
	least, most := p.Min, p.Max
	if least <= 0 {
		least = 500 * time.Millisecond
	}
	if most <= 0 {
		most = time.Minute
	}
	p.next = min(max(2*p.next, least), most)
	wait := p.next/2 + rand.N(p.next/2+1)
	if told > 0 {
		wait = min(told, max(most, 5*time.Minute))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// RetryAfter is the seconds that an answer asks for, an hour at most. A date is as good as nothing, since clocks differ.
func RetryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// TLS is how a receiver is known and what is shown to it. The receiver is always verified.
type TLS struct {
	CA         string // file of certificates in PEM that are trusted instead of the system's; "": those
	Cert, Key  string // files of a certificate for ourselves and its key; "": none
	ServerName string // whom the certificate must be for; "": the address's host
}

// Config reads the files.
func (t TLS) Config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the CA's certificates: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate: %w", t.CA, bulwark.ErrMalformed)
		}
	}
	if t.Cert == "" && t.Key == "" {
		return c, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s and its key: %w", t.Cert, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// Told is an address as it may be shown: without user, password, path and query, any of which may be secret.
func Told(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the receiver"
	}
	return u.Scheme + "://" + u.Host
}

// Plain is an error of a client without the address that it names.
func Plain(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// State tells of changes between working and failing, once each.
type State struct {
	Name string // "report/webhook"
	To   string // whom it sends to, as it may be shown
	Note func(bulwark.Note)
	down bool
}

// Failing is called at every failure.
func (s *State) Failing(err error) {
	if s.down {
		return
	}
	s.down = true
	s.tell(fmt.Sprintf("%s does not take findings, which wait: %v", s.To, err), true)
}

// Working is called at every success.
func (s *State) Working() {
	if !s.down {
		return
	}
	s.down = false
	s.tell(s.To+" takes findings again", false)
}

// Lost tells that messages were lost, if any were.
func (s *State) Lost(n uint64, why string) {
	if n > 0 {
		s.tell(fmt.Sprintf("%d findings were not sent to %s: %s", n, s.To, why), true)
	}
}

func (s *State) tell(text string, incomplete bool) {
	if s.Note != nil {
		s.Note(bulwark.Note{Plugin: s.Name, Text: text, Incomplete: incomplete})
	}
}
