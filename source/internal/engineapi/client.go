// Package engineapi asks container engines by their HTTP sockets.
package engineapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxAnswer  = 16 << 20         // bytes
	answerTime = 30 * time.Second // for one answer
)

// UsualDocker is the socket of the Docker that the machine's daemon.json configures.
const UsualDocker = "/var/run/docker.sock"

// errSlow is why an answer is not waited for any more.
var errSlow = fmt.Errorf("it does not answer in time: %w", bulwark.ErrUnavailable)

// Client speaks to one engine.
type Client struct {
	Usual bool          // it is reached by UsualDocker
	Slow  time.Duration // for one answer
	http  *http.Client
}

// answersIn is how long an answer may take: less where the whole look may take little time.
func answersIn(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return answerTime
	}
	return min(answerTime, time.Until(end)/8)
}

// Connect is for an engine at unix:///path or tcp://host:port; it does not dial yet.
func Connect(ctx context.Context, host string) (*Client, error) {
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("the address: %w", bulwark.ErrMalformed)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	var network, address string
	switch {
	case u.Scheme == "unix":
		network, address = "unix", u.Path
	case (u.Scheme == "tcp" || u.Scheme == "http") && os.Getenv("DOCKER_TLS_VERIFY") == "":
		network, address = "tcp", u.Host
	case u.Scheme == "tcp" || u.Scheme == "http":
		return nil, fmt.Errorf("an engine behind TLS: %w", bulwark.ErrUnsupported)
	default:
		return nil, fmt.Errorf("an engine by way of %.20q: %w", u.Scheme, bulwark.ErrUnsupported)
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}
	return &Client{Usual: address == UsualDocker, Slow: answersIn(ctx), http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close lets go of connections that wait for more questions.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get asks for a document. The error wraps ErrNotFound, ErrUnavailable, ErrUntrusted, ErrMalformed or ErrLimit.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	_, err := c.Measured(ctx, path, into)
	return err
}

// Measured is Get, and says of how many values the answer is, about.
func (c *Client) Measured(ctx context.Context, path string, into any) (size int, err error) {
	slow, cancel := context.WithTimeoutCause(ctx, c.Slow, errSlow)
	defer cancel()
	b, err := c.ask(slow, path)
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err != nil && slow.Err() != nil:
		return 0, errSlow
	case err != nil:
		return 0, err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return values(b), fmt.Errorf("the engine's answer to %s: %w", path, bulwark.ErrMalformed) // its text may hold what is secret
	}
	return values(b), nil
}

func values(b []byte) int { return 1 + bytes.Count(b, []byte(",")) + bytes.Count(b, []byte("{")) }

func (c *Client) ask(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, explain(err)
	}
	defer resp.Body.Close()
	if err := refusal(resp.StatusCode); err != nil {
		return nil, err
	}
	b, err := limit.ReadAll(resp.Body, maxAnswer, "the engine's answer to "+path)
	if err != nil && !errors.Is(err, bulwark.ErrLimit) {
		err = explain(err)
	}
	return b, err
}

func refusal(code int) error {
	kind := bulwark.ErrUnavailable
	switch code {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		kind = bulwark.ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = bulwark.ErrUntrusted
	}
	return fmt.Errorf("the engine answers %d %s: %w", code, http.StatusText(code), kind)
}

func explain(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // its address says nothing: the engine is what was dialled
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("this user may not open the engine's socket (root may, and who is in its group): %w", bulwark.ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
}
