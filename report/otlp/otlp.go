// Package otlp sends findings of running things as log records of OpenTelemetry, in JSON over HTTP.
package otlp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/report/internal/outbox"
)

const name = "report/otlp"

// Options says where to and how. Endpoint alone is needed.
type Options struct {
	Endpoint string      // http://host:4318; where it has no path, /v1/logs is added
	Header   http.Header // sent with every request
	TLS      TLS
	Hostname string // of the node; "": what the system says
	Version  string // of Bulwark
	MaxQueue int    // bytes that wait; 0: 4 MB
	Batch    int    // records of one request; 0: 200
	Timeout  time.Duration
	// Note is told, from another goroutine, when the receiver stops taking records, when it takes them again, and what was lost.
	Note func(bulwark.Note)
	Now  func() time.Time // nil: time.Now
	Pace Pace
}

// TLS is how the receiver is known.
type TLS = outbox.TLS

// Pace is how long to wait between tries.
type Pace = outbox.Pace

// Sink is a handler that never waits. What waits is sent together. As the protocol has it, 429, 502, 503 and 504 are tried again, as are
// errors of the network; other answers give the batch up.
type Sink struct {
	o        Options
	url, to  string
	http     *http.Client
	queue    *outbox.Queue
	state    outbox.State
	resource []byte
	rejected struct {
		sync.Mutex
		n uint64
	}
	cancel context.CancelFunc
	done   sync.WaitGroup
}

var _ bulwark.Handler = (*Sink)(nil)

// New begins to send. The caller calls Close. The error wraps ErrMalformed or ErrUnsupported for an endpoint that is none.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("the OTLP endpoint is no URL such as http://collector:4318: %w", bulwark.ErrMalformed)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("OTLP by way of %.20q: %w", u.Scheme, bulwark.ErrUnsupported)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/logs"
	}
	c, err := o.TLS.Config()
	if err != nil {
		return nil, err
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Batch = cmp.Or(o.Batch, 200)
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig, t.MaxIdleConnsPerHost, t.MaxResponseHeaderBytes = c, 1, 64<<10
	s := &Sink{o: o, url: u.String(), to: outbox.Told(o.Endpoint), queue: outbox.NewQueue(o.MaxQueue)}
	s.http = &http.Client{Transport: t, Timeout: cmp.Or(o.Timeout, 15*time.Second), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.state = outbox.State{Name: name, To: s.to, Note: o.Note}
	if s.resource, err = json.Marshal(attributes{}.text("service.name", "bulwark").text("service.version", o.Version).text("host.name", o.Hostname)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { s.run(ctx) })
	return s, nil
}

// Handle queues a finding or a note. It does not wait, and never fails.
func (s *Sink) Handle(r bulwark.Record) error {
	var l *logRecord
	switch {
	case r.Finding != nil && r.Finding.Exception == nil:
		l = ofFinding(r.Finding, s.o.Now())
	case r.Note != nil:
		l = ofNote(r.Note, s.o.Now())
	default:
		return nil
	}
	b, err := json.Marshal(l)
	if err != nil {
		s.queue.Lost()
		return nil
	}
	s.queue.Put(b)
	return nil
}

// Counts tells what became of records.
func (s *Sink) Counts() []bulwark.Count {
	c := s.queue.Count("otlp")
	s.rejected.Lock()
	defer s.rejected.Unlock()
	c.Sent, c.Dropped = c.Sent-s.rejected.n, c.Dropped+s.rejected.n
	return []bulwark.Count{c}
}

// Queued is how many records wait.
func (s *Sink) Queued() int { return s.queue.Len() }

// Close sends what waits until ctx is done, and ends. The error tells what was not sent.
func (s *Sink) Close(ctx context.Context) error {
	s.queue.Close()
	stop := context.AfterFunc(ctx, s.cancel)
	s.done.Wait()
	stop()
	s.cancel()
	s.http.CloseIdleConnections()
	if n := s.queue.Len(); n > 0 {
		return fmt.Errorf("%d findings were not sent to %s: %w", n, s.to, bulwark.ErrUnavailable)
	}
	return nil
}

func (s *Sink) run(ctx context.Context) {
	for {
		list := s.queue.Head(ctx, s.o.Batch)
		if len(list) == 0 {
			return
		}
		again, rejected, err := s.post(ctx, list)
		if ctx.Err() != nil && err != nil {
			return
		}
		switch {
		case err == nil:
			s.reject(rejected)
			s.o.Pace.Reset()
			s.queue.Done(len(list), true)
			s.state.Working()
			s.state.Lost(s.queue.Untold(), "there was no room for more to wait")
		case again < 0:
			s.queue.Done(len(list), false)
			s.state.Lost(s.queue.Untold(), err.Error())
		default:
			s.state.Failing(err)
			s.o.Pace.Wait(ctx, again)
		}
	}
}

func (s *Sink) reject(n uint64) {
	s.rejected.Lock()
	s.rejected.n += n
	s.rejected.Unlock()
	s.state.Lost(n, "it rejected them")
}

// body is an ExportLogsServiceRequest.
func (s *Sink) body(list [][]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceLogs":[{"resource":{"attributes":%s},"scopeLogs":[{"scope":{"name":"bulwark"},"logRecords":[`, s.resource)
	b.Write(bytes.Join(list, []byte(",")))
	b.WriteString(`]}]}]}`)
	return b.Bytes()
}

// post sends once. again is when to try again as the receiver has it, 0 when it does not say, and negative when there is no use.
func (s *Sink) post(ctx context.Context, list [][]byte) (again time.Duration, rejected uint64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.body(list)))
	if err != nil {
		return -1, 0, bulwark.ErrMalformed // not err: it names the address
	}
	maps.Copy(req.Header, s.o.Header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bulwark")
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", bulwark.ErrUnavailable, outbox.Plain(err))
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return 0, min(partial(answer), uint64(len(list))), nil
	}
	err = fmt.Errorf("it answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return outbox.RetryAfter(resp.Header), 0, err
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound: // somebody may mend that
		return 0, 0, err
	}
	return -1, 0, err
}

// partial is how many records an answer says that it rejected.
func partial(answer []byte) uint64 {
	var v struct {
		PartialSuccess struct {
			Rejected json.RawMessage `json:"rejectedLogRecords"` // a string, as 64-bit numbers are; some write a number
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &v) != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.Trim(string(v.PartialSuccess.Rejected), `"`), 10, 63)
	if err != nil {
		return 0
	}
	return n
}
