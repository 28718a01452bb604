package engine

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
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
)

// errNoSocket says that an engine is not there at all.
var errNoSocket error = noSocket("it has no socket")

type noSocket string

func (n noSocket) Error() string { return string(n) }
func (n noSocket) Is(t error) bool {
	_, same := t.(noSocket)
	return same || t == bulwark.ErrUnavailable
}

const (
	maxAnswer  = 16 << 20         // bytes
	answerTime = 30 * time.Second // for one answer
)

// errSlow is why an answer is not waited for any more.
var errSlow = fmt.Errorf("it does not answer in time: %w", bulwark.ErrUnavailable)

// usualDocker is the socket of the Docker that the machine's daemon.json configures.
const usualDocker = "/var/run/docker.sock"

// client speaks to one engine.
type client struct {
	http  *http.Client
	usual bool
	slow  time.Duration // for one answer
}

// answersIn is how long an answer may take: less where the whole look may take little time.
func answersIn(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return answerTime
	}
	return min(answerTime, time.Until(end)/8)
}

func connect(ctx context.Context, host string) (*client, error) {
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
	return &client{usual: address == usualDocker, slow: answersIn(ctx), http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// hosts are the addresses at which an engine may be.
func (s *Source) hosts(kind string) ([]string, error) {
	if s.Sockets != nil {
		if len(s.Sockets[kind]) == 0 {
			return nil, errNoSocket
		}
		return s.Sockets[kind], nil
	}
	env, usual := "DOCKER_HOST", dockerSockets()
	if kind == "podman" {
		env, usual = "CONTAINER_HOST", podmanSockets()
	}
	if h := os.Getenv(env); h != "" {
		return []string{h}, nil
	}
	var list []string
	for _, path := range usual {
		if st, err := os.Stat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
			list = append(list, "unix://"+path)
		} else if errors.Is(err, os.ErrPermission) {
			list = append(list, "unix://"+path) // dialling it says so
		}
	}
	if len(list) == 0 {
		return nil, noSocket(fmt.Sprintf("%s: no socket at %s, and %s is not set", kind, strings.Join(usual, ", "), env))
	}
	return list, nil
}

func dockerSockets() []string {
	list := []string{usualDocker}
	if dir := runtimeDir(); dir != "" {
		list = append(list, filepath.Join(dir, "docker.sock")) // rootless
	}
	return list
}

func podmanSockets() []string {
	list := []string{"/run/podman/podman.sock"}
	if dir := runtimeDir(); dir != "" {
		list = append(list, filepath.Join(dir, "podman/podman.sock"))
	}
	return list
}

func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return dir
	}
	if uid := os.Getuid(); uid > 0 {
		return "/run/user/" + strconv.Itoa(uid)
	}
	return ""
}

// get asks for a document.
func (c *client) get(ctx context.Context, path string, into any) error {
	_, err := c.measured(ctx, path, into)
	return err
}

// measured says of how many values it is, about.
func (c *client) measured(ctx context.Context, path string, into any) (size int, err error) {
	slow, cancel := context.WithTimeoutCause(ctx, c.slow, errSlow)
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

func (c *client) ask(ctx context.Context, path string) ([]byte, error) {
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
