package engines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// asRoot skips for others: engines need mounts.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("engines are started as root only")
	}
}

// tool finds a program. In CI all are there.
func tool(t *testing.T, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err == nil {
		return file
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// scratch is a folder with a short path, as sockets need it.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// daemon is an engine that runs for one test.
type daemon struct {
	t       *testing.T
	socket  string // of the engine itself
	host    string // of a proxy before it, which counts
	exports atomic.Int32
}

// start runs an engine that takes over a socket as systemd hands it: whoever connects
// waits until the engine is ready. It alone sees its mounts and its /run: neither does it
// find the machine's own engines there, nor they anything of it.
func start(t *testing.T, dir string, command ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, socket: filepath.Join(dir, "engine.sock"), host: "unix://" + filepath.Join(dir, "proxy.sock")}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	l.Close()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", append([]string{"-ec", takeOver, "sh"}, command...)...)
	cmd.Env = environment(dir)
	cmd.ExtraFiles = []*os.File{f}
	var said lockedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Start()
	f.Close()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("engines cannot be started here: no mounts are allowed")
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", command[0], said.tail(8000))
		}
	})
	d.serve(filepath.Join(dir, "proxy.sock"))
	if out, err := d.ask(http.MethodGet, "/version", nil); err != nil {
		t.Fatalf("%s does not start: %v\n%s\n%s", command[0], err, out, said.tail(4000))
	}
	return d
}

// takeOver becomes the engine; the id is of the process that is to have the socket.
const takeOver = `
	mount -t tmpfs tmpfs /run
	LISTEN_PID=$$ LISTEN_FDS=1
	export LISTEN_PID LISTEN_FDS
	exec "$@"`

func environment(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
}

// serve counts the exports that are asked for, and passes everything on.
func (d *daemon) serve(socket string) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		d.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = d.transport()
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/get") {
			d.exports.Add(1)
		}
		proxy.ServeHTTP(w, r)
	})}
	go srv.Serve(l)
	d.t.Cleanup(func() { srv.Close() })
}

func (d *daemon) transport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket)
	}}
}

// ask sends a request to the engine itself.
func (d *daemon) ask(method, path string, body io.Reader, header ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Transport: d.transport()}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return string(b), err
}

// must is ask for what has to work.
func (d *daemon) must(method, path string, body io.Reader, header ...string) string {
	d.t.Helper()
	out, err := d.ask(method, path, body, header...)
	if err != nil || strings.Contains(out, `"error"`) {
		d.t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// load gives the engine an archive.
func (d *daemon) load(file string) {
	d.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	d.must(http.MethodPost, "/images/load", f, "Content-Type", "application/x-tar")
}

// lockedBuffer is what a process says.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return bytes.Clone(b[max(0, len(b)-n):])
}
