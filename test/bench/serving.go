package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// server is an nginx that serves one small file from a folder of its own.
type server struct {
	cmd *exec.Cmd
	at  string // its address
}

const nginxConf = `daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/errors;
events { worker_connections 256; }
http { access_log off; client_body_temp_path %[1]s/t; proxy_temp_path %[1]s/t; fastcgi_temp_path %[1]s/t; uwsgi_temp_path %[1]s/t; scgi_temp_path %[1]s/t;
	keepalive_requests 50; server { listen %[2]s; root %[1]s; } }
`

// serve starts nginx and waits until it answers. A connection ends after 50 requests, as those of real clients do.
func serve(dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	at := l.Addr().String()
	l.Close()
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, at), 0o600); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the worker is another user
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "page.html"), make([]byte, 4096), 0o644); err != nil {
		return nil, err
	}
	s := &server{exec.Command("nginx", "-c", conf, "-e", filepath.Join(dir, "errors")), at}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: scripts/setup.sh bench installs it", err)
	}
	for range 100 {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			return s, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.end()
	return nil, fmt.Errorf("nginx does not answer at %s", at)
}

func (s *server) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

var rate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// request is what one takes, in microseconds: the load of two seconds by wrk.
func (s *server) request() (float64, error) {
	out, err := exec.Command("wrk", "-t1", "-c16", "-d2s", "http://"+s.at+"/page.html").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	m := rate.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk says no rate: %s", out)
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	return 1e6 / n, err
}
