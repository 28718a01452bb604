package engine

import (
	"context"
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
)

// client speaks to one engine.
type client struct {
	http *http.Client
	base string
}

func (s *Source) connect() (*client, error) {
	host, err := s.host()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("address %.200q: %w", host, bulwark.ErrMalformed)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	var network, address string
	switch u.Scheme {
	case "unix":
		network, address = "unix", u.Path
	case "tcp", "http":
		network, address = "tcp", u.Host
		if os.Getenv("DOCKER_TLS_VERIFY") != "" {
			return nil, fmt.Errorf("an engine behind TLS at %s: %w", u.Host, bulwark.ErrUnsupported)
		}
	default:
		return nil, fmt.Errorf("an engine by way of %.20q: %w", u.Scheme, bulwark.ErrUnsupported)
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		DisableCompression:    true,
		ResponseHeaderTimeout: 5 * time.Minute, // an engine may write the whole export before it answers
	}
	return &client{base: "http://engine", http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// host is the address of the engine.
func (s *Source) host() (string, error) {
	if s.Host != "" {
		return s.Host, nil
	}
	env, sockets := "DOCKER_HOST", dockerSockets
	if s.Kind == "podman" {
		env, sockets = "CONTAINER_HOST", podmanSockets
	}
	if h := os.Getenv(env); h != "" {
		return h, nil
	}
	list := sockets()
	for _, path := range list {
		if st, err := os.Stat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
			return "unix://" + path, nil
		}
	}
	return "", fmt.Errorf("no socket at %s, and %s is not set: %w", strings.Join(list, ", "), env, bulwark.ErrUnavailable)
}

func dockerSockets() []string {
	list := []string{"/var/run/docker.sock"}
	if dir := runtimeDir(); dir != "" {
		list = append(list, filepath.Join(dir, "docker.sock")) // rootless
	}
	return list
}

func podmanSockets() []string {
	list := []string{"/run/podman/podman.sock"}
	if dir := runtimeDir(); dir != "" {
		// A user's own Podman comes first; root has no other.
		list = append([]string{filepath.Join(dir, "podman/podman.sock")}, list...)
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
