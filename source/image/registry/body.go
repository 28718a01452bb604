package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"bulwark"
)

const maxResumes = 3

var errStalled = errors.New("the peer keeps silent")

// body is what a registry sends. When it breaks off before its size is reached, the
// rest is asked for. A peer that keeps silent for too long counts as broken off.
type body struct {
	ctx       context.Context // of all requests; stop ends it
	stop      func()
	client    *client
	path      string
	got, size int64 // size is -1 when nobody claims one: nothing is resumed then
	resumes   int

	mu      sync.Mutex // held while reading
	request context.Context
	rc      io.ReadCloser
	header  http.Header
	cancel  context.CancelCauseFunc
	stall   *time.Timer
}

func (c *client) body(ctx context.Context, path string, size int64) (*body, error) {
	ctx, stop := context.WithCancel(ctx)
	b := &body{ctx: ctx, stop: stop, client: c, path: path, size: size}
	if err := b.open(); err != nil {
		stop()
		return nil, err
	}
	return b, nil
}

func (b *body) open() error {
	ctx, cancel := context.WithCancelCause(b.ctx)
	b.request, b.cancel = ctx, cancel
	b.stall = time.AfterFunc(b.client.stall, func() { cancel(errStalled) })
	resp, err := b.client.get(ctx, b.path, b.got)
	if err != nil {
		b.stall.Stop()
		cancel(nil)
		return err
	}
	b.rc, b.header = resp.Body, resp.Header
	if b.got > 0 && !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", b.got)) {
		b.end()
		return fmt.Errorf("%s is not resumed where it broke off: %w", b.path, bulwark.ErrUnavailable)
	}
	return nil
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		b.stall.Reset(b.client.stall)
		n, err := b.rc.Read(p)
		b.stall.Stop()
		b.got += int64(n)
		if n > 0 && err != nil && err != io.EOF {
			err = nil // it comes again
		}
		if err == nil || err == io.EOF && (b.size < 0 || b.got >= b.size) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if err := b.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume asks for the rest after cause.
func (b *body) resume(cause error) error {
	b.end()
	if errors.Is(context.Cause(b.request), errStalled) {
		cause = errStalled
	}
	if err := b.ctx.Err(); err != nil {
		return failed(b.ctx, err)
	}
	if b.resumes++; b.size < 0 || b.resumes > maxResumes {
		if cause == io.EOF {
			cause = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%s broke off after %d bytes: %w: %w", b.path, b.got, bulwark.ErrUnavailable, cause)
	}
	if err := b.client.sleep(b.ctx, backoff(b.resumes)); err != nil {
		return err
	}
	return b.open()
}

// Close ends the request. A read that is under way fails.
func (b *body) Close() error {
	b.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
	return nil
}

func (b *body) end() {
	b.stall.Stop()
	b.cancel(nil)
	b.rc.Close()
}
