package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"bulwark"
)

const (
	maxTries = 4
	maxWait  = 60 * time.Second // a peer that asks for more has to be asked later
)

// wire sends requests: by TLS unless the user says otherwise, to private addresses only
// where the user's own registry is one, again when the peer is busy.
type wire struct {
	host   string // that the user named, or a mirror that the user named
	http   []string
	sleep  func(context.Context, time.Duration) error
	named  *http.Transport // to host
	others *http.Transport // to where it redirects, and its token service
	reach  atomic.Int32    // where host lies
}

func (s *Source) newWire(host string) (*wire, error) {
	w := &wire{host: host, http: s.PlainHTTP, sleep: s.sleep}
	if w.sleep == nil {
		w.sleep = sleep
	}
	conf, err := s.tls()
	if err != nil {
		return nil, err
	}
	w.named, w.others = s.transport(conf), s.transport(conf)
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	w.named.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err == nil && !isProxy(addr) {
			w.reach.Store(int32(reachOf(remoteIP(c))))
		}
		return c, err
	}
	w.others.DialContext = w.guarded
	if s.Foreign {
		w.named.DialContext = w.guarded
	}
	return w, nil
}

func (s *Source) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("certificates of a private CA: %w: %w", bulwark.ErrNotFound, err)
	}
	if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
		conf.RootCAs = x509.NewCertPool()
	}
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate: %w", s.CAFile, bulwark.ErrMalformed)
	}
	return conf, nil
}

func (s *Source) transport(conf *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: s.stall(), IdleConnTimeout: time.Minute,
		DisableCompression: true, // digests cover the bytes as they are stored
	}
}

func (w *wire) close() {
	w.named.CloseIdleConnections()
	w.others.CloseIdleConnections()
}

// plain tells whether a host may be asked without TLS.
func (w *wire) plain(host string) bool {
	name := hostname(host)
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(w.http, host)
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !w.plain(req.URL.Host) {
		return nil, fmt.Errorf("%s without TLS: %w (allow the host for plain HTTP if it is yours)", req.URL.Host, bulwark.ErrUntrusted)
	}
	t := w.others
	if req.URL.Host == w.host {
		t = w.named
	}
	for try := 1; ; try++ {
		resp, err := t.RoundTrip(req)
		wait, again := retry(req, resp, err, try)
		if !again {
			return resp, err
		}
		if resp != nil {
			io.CopyN(io.Discard, resp.Body, 4<<10)
			resp.Body.Close()
		}
		if err := w.sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// retry tells whether and when to ask again.
func retry(req *http.Request, resp *http.Response, err error, try int) (time.Duration, bool) {
	if try >= maxTries || req.Method != http.MethodGet || req.Context().Err() != nil {
		return 0, false
	}
	if err != nil {
		broken := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
		return backoff(try), broken && try < 3
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		wait := max(after(resp), backoff(try))
		return wait, wait <= maxWait
	}
	return 0, false
}

// after reads Retry-After: seconds, or a date, which counts from the peer's own clock.
func after(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return time.Duration(min(s, 1<<20)) * time.Second
	}
	then, err := http.ParseTime(v)
	now, err2 := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || err2 != nil {
		return 0
	}
	return max(then.Sub(now), 0)
}

func backoff(try int) time.Duration { return 250 * time.Millisecond << try }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guarded connects to a host that the registry named, not the user. It must not be
// used to reach into the user's network, or the metadata service of a cloud.
func (w *wire) guarded(ctx context.Context, network, addr string) (net.Conn, error) {
	if isProxy(addr) {
		return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, addr)
	}
	d := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, ip string, _ syscall.RawConn) error {
		host, _, _ := net.SplitHostPort(ip)
		p := net.ParseIP(host)
		if r := reachOf(p); r == never || int32(r) > w.reach.Load() {
			return fmt.Errorf("%s refers to %s, which is at the private address %s: %w", w.host, addr, host, bulwark.ErrUntrusted)
		}
		return nil
	}}
	return d.DialContext(ctx, network, addr)
}

// isProxy tells whether an address is the one of a proxy that the environment names.
func isProxy(addr string) bool {
	for _, v := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		p := os.Getenv(v)
		if _, rest, ok := strings.Cut(p, "://"); ok {
			p = rest
		}
		p = p[strings.LastIndexByte(p, '@')+1:]
		if p = strings.TrimRight(p, "/"); p != "" && p == addr {
			return true
		}
	}
	return false
}

// reach says who can be at an address. A peer may refer to what is no nearer to the
// user than itself.
type reach int

const (
	public  reach = iota
	private       // the user's network
	machine       // the user's machine
	never         // metadata services and the like
)

// carrier is what providers share among customers (RFC 6598).
var carrier = net.IPNet{IP: net.IPv4(100, 64, 0, 0).To4(), Mask: net.CIDRMask(10, 32)}

func reachOf(ip net.IP) reach {
	switch {
	case ip == nil || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified():
		return never
	case ip.IsLoopback():
		return machine
	case ip.IsPrivate() || carrier.Contains(ip):
		return private
	}
	return public
}

func remoteIP(c net.Conn) net.IP {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP
	}
	return nil
}

// hostname is a host without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// cut divides HOST/PREFIX.
func cut(mirror string) (host, prefix string, ok bool) {
	return strings.Cut(strings.TrimRight(mirror, "/"), "/")
}
