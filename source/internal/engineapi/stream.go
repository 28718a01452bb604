package engineapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"bulwark"
)

// Stream asks for an answer that does not end. It waits for its beginning as long as for a whole answer, and reads until ctx is done or
// the caller closes it. Errors are those of Get.
func (c *Client) Stream(ctx context.Context, path string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	slow := time.AfterFunc(c.Slow, func() { cancel(errSlow) })
	resp, err := c.http.Do(req)
	if err != nil {
		slow.Stop()
		defer cancel(nil)
		if context.Cause(ctx) == errSlow {
			return nil, errSlow
		}
		return nil, explain(err)
	}
	if slow.Stop() {
		err = refusal(resp.StatusCode)
	} else {
		err = errSlow
	}
	if err != nil {
		resp.Body.Close()
		cancel(nil)
		return nil, err
	}
	return &stream{body: resp.Body, end: func() { cancel(nil) }}, nil
}

type stream struct {
	body io.ReadCloser
	end  func()
}

func (s *stream) Read(b []byte) (int, error) {
	n, err := s.body.Read(b)
	if err != nil && err != io.EOF {
		err = explain(err)
	}
	return n, err
}

func (s *stream) Close() error {
	s.end()
	return s.body.Close()
}
