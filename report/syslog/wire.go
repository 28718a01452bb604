package syslog

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"bulwark"
)

const (
	dialTime  = 10 * time.Second
	writeTime = 10 * time.Second // a server that takes nothing for so long is left
)

// wire is the way to the server.
type wire struct {
	network, address string
	told             string // the address as it may be shown
	tls              *tls.Config
	max              int // bytes of a message

	mu   *sync.Mutex // guards conn: close comes from another goroutine
	conn *conn
}

// conn is one connection; gone is true when the server has ended it.
type conn struct {
	net.Conn
	stream bool // messages have to be told apart
	gone   atomic.Bool
}

// send writes one message, over a new connection where there is none.
func (w *wire) send(ctx context.Context, m []byte) error {
	c, err := w.connected(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
	}
	if err = c.SetWriteDeadline(time.Now().Add(writeTime)); err == nil {
		_, err = c.Write(w.frame(c, m))
	}
	if err != nil {
		w.close()
		return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
	}
	return nil
}

// frame is the message with what tells its end.
func (w *wire) frame(c *conn, m []byte) []byte {
	switch {
	case !c.stream:
		return m
	case w.network == "unix": // as the C library writes it
		return append(m[:len(m):len(m)], '\n')
	}
	return append(fmt.Appendf(make([]byte, 0, len(m)+8), "%d ", len(m)), m...)
}

func (w *wire) connected(ctx context.Context) (*conn, error) {
	w.mu.Lock()
	c := w.conn
	w.mu.Unlock()
	if c != nil && !c.gone.Load() {
		return c, nil
	}
	w.close()
	c, err := w.dial(ctx)
	if err != nil {
		return nil, err
	}
	if c.stream {
		go c.watch()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		c.Close()
		return nil, ctx.Err()
	}
	w.conn = c
	return c, nil
}

// watch reads what a server never sends until the connection ends: writing would notice an end one message too late.
func (c *conn) watch() {
	io.Copy(io.Discard, c.Conn)
	c.gone.Store(true)
}

func (w *wire) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var d net.Dialer
	switch w.network {
	case "unix":
		if c, err := d.DialContext(ctx, "unixgram", w.address); err == nil {
			return &conn{Conn: c}, nil
		}
		c, err := d.DialContext(ctx, "unix", w.address)
		return &conn{Conn: c, stream: true}, err
	case "udp":
		c, err := d.DialContext(ctx, "udp", w.address)
		return &conn{Conn: c}, err
	case "tls":
		c, err := (&tls.Dialer{Config: w.tls}).DialContext(ctx, "tcp", w.address)
		return &conn{Conn: c, stream: true}, err
	}
	c, err := d.DialContext(ctx, "tcp", w.address)
	return &conn{Conn: c, stream: true}, err
}

// close may be called at any time and more than once.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
