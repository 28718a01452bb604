package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxPage      = 32 << 20 // bytes of one answer
	largeAnswer  = 4 << 20  // one that is larger is read alone
	maxTries     = 4
	mostPatience = 30 * time.Second // for one try after another
	allPatience  = 2 * time.Minute  // for a whole cluster
	answerTime   = 60 * time.Second // for one answer
	givenUp      = 3                // answers in a row that fail: from then on each is asked for once
)

// patience is how long a server is waited for: less where the whole look may take little time,
// so that one question that hangs does not cost what all others would tell.
type patience struct {
	answer time.Duration // for one answer
	again  time.Duration // for one try after another
	all    time.Duration // for all tries, and answers that did not come
}

func patienceOf(ctx context.Context, answer time.Duration) patience {
	p := patience{answer, mostPatience, allPatience}
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		p.answer, p.again, p.all = min(p.answer, left/10), min(p.again, left/10), min(p.all, left/4)
	}
	return p
}

// errSlow is why a question is given up: a server that hangs is not waited for as often as one
// that stumbles.
var errSlow = fmt.Errorf("the API server does not answer in time: %w", bulwark.ErrUnavailable)

// get asks for a path, again when the server is busy or stumbles, and hands the answer to
// read.
func (c *client) get(ctx context.Context, path string, q url.Values, accept string, read func(io.Reader) error) error {
	tries, err := c.tries()
	if err != nil {
		return err
	}
	for i := range tries {
		err = c.once(ctx, path, q, accept, read)
		if err == nil || !again(err) || ctx.Err() != nil || i == tries-1 || c.spent() > c.patience.all || i > 0 && errors.Is(err, errSlow) {
			break
		}
		if err := c.rest(ctx, i, err); err != nil {
			return err
		}
	}
	c.note(err)
	return err
}

// tries is how often a question is asked at most.
func (c *client) tries() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing >= givenUp {
		return 1, c.dead
	}
	return maxTries, c.dead
}

// note remembers how a question ended. A server that does not take the credentials any more is
// not asked again.
func (c *client) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.failing = 0
	case codeOf(err) == http.StatusUnauthorized:
		c.dead = err
	case again(err):
		c.failing++
	}
	if errors.Is(err, errSlow) && c.waited > 2*c.patience.all {
		c.dead = fmt.Errorf("it was asked no more: %w", err)
	}
}

// revive lets a server be asked again that refused the credentials: they may be new ones.
func (c *client) revive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead, c.waited = nil, 0
}

// spent is how long the server was waited for in vain.
func (c *client) spent() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waited
}

func (c *client) spend(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited += d
}

// rest waits as long as the server asks for, or longer each time.
func (c *client) rest(ctx context.Context, try int, err error) error {
	d := 500 * time.Millisecond << try
	var e *statusError
	if errors.As(err, &e) && e.after > 0 {
		d = e.after
	}
	d = min(d, c.patience.again)
	c.spend(d)
	return c.wait(ctx, d)
}

func (c *client) once(ctx context.Context, path string, q url.Values, accept string, read func(io.Reader) error) error {
	slow, cancel := context.WithTimeoutCause(ctx, c.patience.answer, errSlow)
	defer cancel()
	err := c.ask(slow, path, q, accept, read)
	if err != nil && slow.Err() != nil && ctx.Err() == nil {
		c.spend(c.patience.answer)
		return errSlow
	}
	return err
}

func (c *client) ask(ctx context.Context, path string, q url.Values, accept string, read func(io.Reader) error) error {
	body, err := c.open(ctx, path, q, accept)
	if err != nil {
		return err
	}
	defer body.Close()
	in := &turn{in: limit.Reader(body, c.most, "an answer of the API server"), ctx: ctx, one: c.large}
	defer in.done()
	if err := read(in); err != nil {
		return c.broken(ctx, err)
	}
	return nil
}

// turn lets answers grow large one after the other: what a server sends may be more than it
// was asked for, and several lists are read at once.
type turn struct {
	in   io.Reader
	ctx  context.Context // of the one answer
	one  chan struct{}
	n    int64
	mine bool
}

func (t *turn) Read(b []byte) (int, error) {
	if t.n > largeAnswer && !t.mine {
		select {
		case t.one <- struct{}{}:
			t.mine = true
		case <-t.ctx.Done():
			return 0, context.Cause(t.ctx)
		}
	}
	n, err := t.in.Read(b)
	t.n += int64(n)
	return n, err
}

func (t *turn) done() {
	if t.mine {
		<-t.one
	}
}

// broken says why an answer could not be read to its end.
func (c *client) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, bulwark.ErrLimit), errors.Is(err, bulwark.ErrMalformed):
		return err
	}
	return fmt.Errorf("the answer of the API server breaks off: %w: %w", bulwark.ErrUnavailable, err)
}

// open sends the question, and gives the body of an answer that is no refusal.
func (c *client) open(ctx context.Context, path string, q url.Values, accept string) (io.ReadCloser, error) {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, c.explain(unaddressed(err))
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		return nil, c.refusal(res)
	}
	if res.Header.Get("Content-Encoding") != "gzip" {
		return res.Body, nil
	}
	return unzipped(res.Body)
}

type zipped struct {
	*gzip.Reader
	body io.Closer
}

func (z zipped) Close() error { return z.body.Close() }

func unzipped(body io.ReadCloser) (io.ReadCloser, error) {
	z, err := gzip.NewReader(body)
	if err != nil {
		body.Close()
		return nil, fmt.Errorf("an answer of the API server: %w: %w", bulwark.ErrMalformed, err)
	}
	return zipped{z, body}, nil
}

// document reads an answer that is one JSON value.
func (c *client) document(ctx context.Context, path, accept string, into any) error {
	return c.get(ctx, path, nil, accept, func(r io.Reader) error {
		if err := json.NewDecoder(r).Decode(into); err != nil {
			var syntax *json.SyntaxError
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &syntax) || errors.As(err, &wrong) {
				return fmt.Errorf("%s: %w: %w", path, bulwark.ErrMalformed, err)
			}
			return err
		}
		return nil
	})
}
