// Package syslog sends findings of running things to a syslog server as RFC 5424 has them: by a unix socket, UDP (RFC 5426), TCP with
// octet counting (RFC 6587) or TLS (RFC 5425).
package syslog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bulwark"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/outbox"
	"bulwark/report/internal/text"
)

const name = "report/syslog"

// Options says where to and how. Address alone is needed.
type Options struct {
	// Address is unix:///dev/log, udp://host:514, tcp://host:601 or tls://host:6514.
	Address  string
	TLS      TLS
	Facility int    // as RFC 5424 numbers them; 0: 4, security messages
	Hostname string // of the node; "": what the system says
	// Format makes the text of messages, one line each; nil: what the finding says, and who did it.
	Format   func(io.Writer) bulwark.Handler
	MaxQueue int // bytes that wait; 0: 4 MB
	// Note is told, from another goroutine, when the server stops taking messages, when it takes them again, and what was lost.
	Note func(bulwark.Note)
	Now  func() time.Time // nil: time.Now
	Pace Pace             // of trying again
}

// TLS is how the server is known.
type TLS = outbox.TLS

// Pace is how long to wait between tries.
type Pace = outbox.Pace

// Sink is a handler that never waits. Messages go from a goroutine of its own, in order; one that could not be written whole is
// written again.
type Sink struct {
	o       Options
	queue   *outbox.Queue
	state   outbox.State
	encoder *outbox.Encoder
	wire    wire
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

var _ bulwark.Handler = (*Sink)(nil)

// New begins to send. The caller calls Close. It does not wait for the server, and its error wraps ErrUnsupported for an address that
// is none.
func New(o Options) (*Sink, error) {
	w, err := parse(o.Address, o.TLS)
	if err != nil {
		return nil, err
	}
	if o.Facility == 0 {
		o.Facility = 4
	}
	if o.Facility < 0 || o.Facility > 23 {
		return nil, fmt.Errorf("syslog has no facility %d: %w", o.Facility, bulwark.ErrUnsupported)
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sink{o: o, queue: outbox.NewQueue(o.MaxQueue), wire: w, state: outbox.State{Name: name, To: w.told, Note: o.Note}}
	if o.Format != nil {
		s.encoder = outbox.NewEncoder(o.Format)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { s.run(ctx) })
	return s, nil
}

func parse(address string, secure TLS) (wire, error) {
	u, err := url.Parse(address)
	if err != nil {
		return wire{}, fmt.Errorf("the address of the syslog server: %w", bulwark.ErrMalformed)
	}
	w := wire{mu: new(sync.Mutex), network: u.Scheme, address: u.Host, told: outbox.Told(address)}
	switch u.Scheme {
	case "unix":
		w.address, w.told, w.max = u.Path, "unix://"+u.Path, 8<<10
	case "udp":
		w.address, w.max = withPort(u, "514"), 8<<10
	case "tcp":
		w.address, w.max = withPort(u, "601"), 64<<10
	case "tls":
		w.address, w.max = withPort(u, "6514"), 64<<10
		if w.tls, err = secure.Config(); err != nil {
			return wire{}, err
		}
		if w.tls.ServerName == "" {
			w.tls.ServerName = u.Hostname()
		}
	default:
		return wire{}, fmt.Errorf("the address of the syslog server begins with unix://, udp://, tcp:// or tls://, and not with %.20q: %w", u.Scheme, bulwark.ErrUnsupported)
	}
	if w.address == "" || u.Scheme != "unix" && u.Hostname() == "" {
		return wire{}, fmt.Errorf("the address of the syslog server names no place: %w", bulwark.ErrMalformed)
	}
	return w, nil
}

func withPort(u *url.URL, port string) string {
	if u.Port() != "" {
		return u.Host
	}
	return u.Host + ":" + port
}

// Handle queues a finding or a note. It does not wait, and never fails.
func (s *Sink) Handle(r bulwark.Record) error {
	if r.Finding != nil && r.Finding.Exception != nil || r.Finding == nil && r.Note == nil {
		return nil
	}
	m, err := s.message(r)
	switch {
	case err != nil:
		s.queue.Lost()
	case m != nil:
		s.queue.Put(m)
	}
	return nil
}

// Counts tells what became of messages.
func (s *Sink) Counts() []bulwark.Count { return []bulwark.Count{s.queue.Count("syslog")} }

// Queued is how many messages wait.
func (s *Sink) Queued() int { return s.queue.Len() }

// Close sends what waits until ctx is done, and ends. The error tells what was not sent.
func (s *Sink) Close(ctx context.Context) error {
	s.queue.Close()
	stop := context.AfterFunc(ctx, s.cancel)
	s.done.Wait()
	stop()
	s.cancel()
	if n := s.queue.Len(); n > 0 {
		return fmt.Errorf("%d findings were not sent to %s: %w", n, s.wire.told, bulwark.ErrUnavailable)
	}
	return nil
}

func (s *Sink) run(ctx context.Context) {
	defer s.wire.close()
	defer context.AfterFunc(ctx, s.wire.close)() // nobody waits for a slow server
	for {
		list := s.queue.Head(ctx, 1)
		if len(list) == 0 {
			return
		}
		if err := s.wire.send(ctx, list[0]); err != nil {
			s.state.Failing(err)
			s.o.Pace.Wait(ctx, 0)
			continue
		}
		s.o.Pace.Reset()
		s.queue.Done(1, true)
		s.state.Working()
		s.state.Lost(s.queue.Untold(), "there was no room for more to wait")
	}
}

// enterprise is the number that RFC 5612 sets aside for documentation: Bulwark has none of its own.
const enterprise = "bulwark@32473"

// message is the whole of RFC 5424's SYSLOG-MSG.
func (s *Sink) message(r bulwark.Record) ([]byte, error) {
	level, at, id, data, say := 6, s.o.Now(), "note", "-", ""
	switch {
	case r.Note != nil && r.Note.Incomplete:
		level = 4
	case r.Finding != nil:
		f := r.Finding
		level, id, data, say = incident.Level(f), word(f.Rule, 32), elements(f), told(f)
		if !f.Time.IsZero() {
			at = f.Time
		}
	}
	if r.Note != nil {
		say = r.Note.Plugin + ": " + r.Note.Text
	}
	if s.encoder != nil {
		b, err := s.encoder.Encode(r)
		if err != nil || len(b) == 0 {
			return nil, err
		}
		say = string(b)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>1 %s %s bulwark %d %s %s \ufeff", s.o.Facility*8+level, at.UTC().Format("2006-01-02T15:04:05.000000Z"), word(s.o.Hostname, 255), os.Getpid(), id, data)
	b.WriteString(text.Clean(say))
	return cut(b.Bytes(), s.wire.max), nil
}

// told is a finding on one line.
func told(f *bulwark.Finding) string {
	say := incident.Message(f)
	if f.Alert != nil && f.Alert.Output != "" {
		return say
	}
	if p := f.Process; p != nil {
		say += " | " + incident.Command(p)
		for i := range p.Parents {
			say += " < " + p.Parents[i].Name
		}
	}
	return say
}

// cut shortens a message at the end of a rune.
func cut(b []byte, max int) []byte {
	if len(b) <= max {
		return b
	}
	for n := max; n > max-utf8.UTFMax; n-- {
		if utf8.RuneStart(b[n]) {
			return b[:n]
		}
	}
	return b[:max]
}

// word is printable ASCII without blanks, of at most n characters, as headers have it.
func word(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), n)]
}

var quoting = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `]`, `\]`)

// elements is the structured data.
func elements(f *bulwark.Finding) string {
	var b strings.Builder
	b.WriteString("[" + enterprise)
	add := func(key, value string) {
		if value == "" {
			return
		}
		fmt.Fprintf(&b, ` %s="%s"`, key, quoting.Replace(text.Clean(text.Cut(value, 256))))
	}
	add("key", f.Key)
	add("rule", incident.Rule(f))
	add("severity", f.Severity.String())
	add("asset", string(f.Asset))
	if f.Count > 1 {
		add("count", strconv.Itoa(f.Count))
	}
	if p := f.Process; p != nil {
		add("pid", strconv.Itoa(p.PID))
		add("process", p.Name)
		add("user", incident.User(p))
	}
	if c := f.Container; c != nil {
		add("container", incident.Short(c.ID))
		add("name", c.Name)
		add("image", c.Image)
		add("pod", c.Pod)
		add("namespace", c.Namespace)
	}
	b.WriteString("]")
	return b.String()
}
