package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"bulwark"
)

// Webhook is a server that API servers send their audit log to, as --audit-webhook-config-file has them do. Fields are set before Run.
type Webhook struct {
	Listen string // "host:port"
	Path   string // of requests; "": /k8s-audit
	// Cert and Key are files in PEM; without them the server speaks plain HTTP, which only listeners on this machine alone may.
	Cert, Key string
	ClientCA  string // file of certificates in PEM: clients must have one that these vouch for; "": they need none
	Token     string // clients must have it as their bearer token; "": they need none
	MaxBody   int64  // bytes of a request; 0: 10 MB, which API servers keep to
	// Wait is how long a request waits for its turn before the client is told to come again; 0: 2 s.
	Wait time.Duration
	// Slow is how long a client may take to send a request; 0: 10 s.
	Slow time.Duration
	// Note is told what was refused, from several goroutines; nil: nobody is.
	Note func(bulwark.Note)
	Now  func() time.Time // dates events without a time; nil: time.Now
	// Ready is told the address that is listened on; nil: nobody is.
	Ready func(net.Addr)

	counter
	noter noter
}

var _ bulwark.Sensor = (*Webhook)(nil)

const (
	maxConnections = 64
	maxBodies      = 4 // that are in memory at once
)

// Info describes the sensor.
func (*Webhook) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "The audit log of a Kubernetes API server, which sends it.", Version: 1, Needs: bulwark.Needs{Network: true}}
}

// Abilities are requests to the API server, if it can be served.
func (s *Webhook) Abilities() []bulwark.Ability {
	a := bulwark.Ability{Name: "see requests to the API server", By: "audit webhook at " + s.Listen}
	if _, err := s.config(); err != nil {
		a.Why = err.Error()
	}
	return []bulwark.Ability{a}
}

// Counts tells what became of events. Those dropped were too large, or no events; what is sent again is not dropped.
func (s *Webhook) Counts() []bulwark.Count { return s.count("k8s_audit webhook") }

// config is that of TLS; nil for plain HTTP.
func (s *Webhook) config() (*tls.Config, error) {
	if s.Cert == "" && s.Key == "" {
		if s.ClientCA != "" {
			return nil, fmt.Errorf("certificates of clients need one of the server's own: %w", bulwark.ErrUnsupported)
		}
		if !local(s.Listen) {
			return nil, fmt.Errorf("without a certificate the audit webhook listens on 127.0.0.1 or ::1 alone, and not on %s: %w", s.Listen, bulwark.ErrUnsupported)
		}
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.Cert, s.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the audit webhook's certificate and key: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if s.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("reading whom clients' certificates are from: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate: %w", s.ClientCA, bulwark.ErrMalformed)
	}
	return c, nil
}

func local(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Run serves until ctx is done. A request is answered when its events are emitted; one at a time is. It is not waited for whoever
// is slow.
func (s *Webhook) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	s.noter.note = s.Note
	if s.Now == nil {
		s.Now = time.Now
	}
	if !wanted(want) {
		ready()
		<-ctx.Done()
		return nil
	}
	c, err := s.config()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listening for audit logs: %w: %w", bulwark.ErrUnavailable, err)
	}
	l = bounded(l, maxConnections)
	address := l.Addr()
	if c != nil {
		l = tls.NewListener(l, c)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h := &serving{Webhook: s, ctx: ctx, fail: cancel, emit: emit, turn: make(chan struct{}, 1), bodies: make(chan struct{}, maxBodies)}
	slow := cmp.Or(s.Slow, 10*time.Second)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: slow, ReadTimeout: slow, WriteTimeout: slow + cmp.Or(s.Wait, 2*time.Second) + 10*time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if s.Ready != nil {
		s.Ready(address)
	}
	ready()
	err = srv.Serve(l)
	cancel(nil)
	h.turn <- struct{}{} // an emit that is under way ends first
	switch {
	case h.failed != nil:
		return h.failed
	case errors.Is(err, http.ErrServerClosed):
		return nil
	}
	return fmt.Errorf("serving audit webhooks: %w: %w", bulwark.ErrUnavailable, err)
}

// serving is one run.
type serving struct {
	*Webhook
	ctx    context.Context // of the run
	fail   context.CancelCauseFunc
	emit   func([]bulwark.Event) error
	turn   chan struct{} // is full while somebody emits
	failed error         // of emit; guarded by turn
	bodies chan struct{} // as many as are in memory
}

func (h *serving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != cmp.Or(h.Path, "/k8s-audit") {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "audit events are posted", http.StatusMethodNotAllowed)
		return
	}
	if !h.known(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		h.noter.tell("token", "somebody sends audit events without the right token: they are refused")
		http.Error(w, "the token does not fit", http.StatusUnauthorized)
		return
	}
	select {
	case h.bodies <- struct{}{}:
		defer func() { <-h.bodies }()
	default:
		later(w)
		return
	}
	h.take(w, r)
}

func (h *serving) known(r *http.Request) bool {
	if h.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(h.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// later tells a client to come again, which API servers do.
func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "busy", http.StatusTooManyRequests)
}

func (h *serving) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, cmp.Or(h.MaxBody, 10<<20)))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		h.lose(1)
		h.noter.tell("large", fmt.Sprintf("somebody sends more than %d bytes of audit events at once: they are refused", large.Limit))
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the request ends early", http.StatusBadRequest)
		return
	}
	events, bad := parse(body, h.Now())
	if bad > 0 {
		h.noter.tell("bad", "somebody sends audit events that are none, or longer than a megabyte: they are dropped")
	}
	if len(events) == 0 {
		h.lose(bad)
		if bad > 0 {
			http.Error(w, "no event of audit.k8s.io", http.StatusBadRequest)
		}
		return
	}
	switch ok, err := h.give(r.Context(), events); {
	case err != nil:
		http.Error(w, "the watcher has ended", http.StatusServiceUnavailable)
	case !ok:
		later(w)
	default:
		h.lose(bad)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}\n")
	}
}

func (h *serving) lose(n int) {
	h.seen.Add(uint64(n))
	h.dropped.Add(uint64(n))
}

// give emits when it is its turn; ok is false when that takes too long.
func (h *serving) give(ctx context.Context, events []bulwark.Event) (ok bool, err error) {
	wait := time.NewTimer(cmp.Or(h.Wait, 2*time.Second))
	defer wait.Stop()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-wait.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-h.ctx.Done():
		return false, h.ctx.Err()
	}
	if err := h.ctx.Err(); err != nil {
		return false, err
	}
	if err := h.emit(events); err != nil {
		h.failed = err
		h.fail(err)
		return false, err
	}
	h.seen.Add(uint64(len(events)))
	h.sent.Add(uint64(len(events)))
	return true, nil
}

// bounded has at most n connections open at once; more wait in the kernel.
func bounded(l net.Listener, n int) net.Listener {
	return &listener{Listener: l, room: make(chan struct{}, n), done: make(chan struct{})}
}

type listener struct {
	net.Listener
	room chan struct{}
	done chan struct{}
	once sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &conn{Conn: c, leave: sync.OnceFunc(func() { <-l.room })}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type conn struct {
	net.Conn
	leave func()
}

func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
