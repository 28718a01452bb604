package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bulwark/internal/need"
)

// Docker is a daemon of the lab's own, in the node's own namespaces as Docker usually is.
type Docker struct {
	Socket string // of its API
	Data   string // its data-root
	Exec   string // its exec-root
	Bridge string // address of the node on the containers' network; "": containers have none
	Names  string // what names of its containers begin with, and of no others
	Helper string
	dir    string
	http   *http.Client
}

// StartDocker starts it with the lab's image, on runc below a shim that leaves out what this machine
// does not have. All of it ends with the test.
func StartDocker(t testing.TB) *Docker {
	t.Helper()
	need.Root(t)
	binary := need.Tool(t, "dockerd")
	need.Tool(t, "containerd")
	runc := need.Tool(t, "runc")
	dir := scratch(t)
	d := &Docker{Names: "lab-" + random() + "-", dir: dir, Socket: dir + "/docker.sock", Data: dir + "/data", Exec: dir + "/run", Helper: Helper(t, dir)}
	shim := filepath.Join(dir, "shim")
	if err := os.Link(d.Helper, shim); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "daemon.json")
	settings, _ := json.Marshal(map[string]any{"runtimes": map[string]any{"shim": map[string]any{"path": shim}}, "default-runtime": "shim"})
	if err := os.WriteFile(config, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	bridge := d.bridge(t)
	cmd := exec.Command(binary, "--log-level", "error", "--config-file", config, "--host", "unix://"+d.Socket, "--data-root", d.Data, "--exec-root", d.Exec,
		"--pidfile", dir+"/pid", "--bridge", bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	cmd.Env = append(os.Environ(), "LAB_RUNC="+runc, "HOME="+dir, "TMPDIR="+dir)
	var said locked
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 5 * time.Second
	dies(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { d.stop(t, cmd, ended, &said) })
	d.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.Socket)
	}}}
	if err := d.ready(ended); err != nil {
		need.Missing(t, "a dockerd that starts: %v\n%s", err, said.String())
	}
	d.Import(t, Image, rootFS(t, d.Helper))
	return d
}

// bridge makes a network interface for the containers, since docker0 may be another's.
func (d *Docker) bridge(t testing.TB) string {
	ip, err := exec.LookPath("ip")
	if err != nil {
		return "none"
	}
	name := "lab" + random()
	address := fmt.Sprintf("172.30.%d.1", os.Getpid()%250)
	for _, args := range [][]string{{"link", "add", name, "type", "bridge"}, {"addr", "add", address + "/24", "dev", name}, {"link", "set", name, "up"}} {
		if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			t.Logf("containers have no network: %v %s", err, out)
			exec.Command(ip, "link", "del", name).Run()
			return "none"
		}
	}
	t.Cleanup(func() { exec.Command(ip, "link", "del", name).Run() })
	d.Bridge = address
	return name
}

func (d *Docker) ready(ended chan struct{}) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		if _, err := d.ask(http.MethodGet, "/version", nil); err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended")
		case <-late:
			return fmt.Errorf("it does not answer within a minute")
		case <-tick.C:
		}
	}
}

func (d *Docker) stop(t testing.TB, cmd *exec.Cmd, ended chan struct{}, said *locked) {
	var list []struct {
		ID string `json:"Id"`
	}
	if b, err := d.ask(http.MethodGet, "/containers/json?all=true", nil); err == nil && json.Unmarshal(b, &list) == nil {
		for _, c := range list {
			d.Remove(c.ID)
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		<-ended
	}
	if t.Failed() {
		t.Logf("dockerd said:\n%s", said.String())
	}
}

// ask sends a request to the daemon.
func (d *Docker) ask(method, path string, body io.Reader) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return d.send(ctx, method, path, body)
}

func (d *Docker) send(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/images/create") || strings.HasPrefix(path, "/images/load") {
			req.Header.Set("Content-Type", "application/x-tar")
		}
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	return b, err
}

func (d *Docker) must(t testing.TB, method, path string, body io.Reader) []byte {
	t.Helper()
	b, err := d.ask(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Create makes a container that runs the command, and does not start it.
func (d *Docker) Create(t testing.TB, o Options, command ...string) *Result {
	t.Helper()
	host := map[string]any{"Privileged": o.Privileged, "Binds": o.Mounts, "SecurityOpt": o.SecurityOpt, "CapAdd": o.CapAdd, "CapDrop": o.CapDrop, "LogConfig": map[string]any{"Type": "json-file"}}
	if o.HostPID {
		host["PidMode"] = "host"
	}
	if o.HostNetwork {
		host["NetworkMode"] = "host"
	}
	if o.Pids > 0 {
		host["PidsLimit"] = o.Pids
	}
	tmpfs := map[string]string{}
	for _, path := range o.Tmpfs {
		tmpfs[path] = "rw,exec,size=64m"
	}
	host["Tmpfs"] = tmpfs
	b, err := json.Marshal(map[string]any{"Image": cmp.Or(o.Image, Image), "Healthcheck": health(o.Health), "Cmd": command, "Env": o.Env, "User": o.User, "Tty": o.TTY, "HostConfig": host, "Labels": map[string]string{"lab": "yes"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &Result{Name: d.Names + random(), Image: cmp.Or(o.Image, Image)}
	var made struct{ ID string }
	if err := json.Unmarshal(d.must(t, http.MethodPost, "/containers/create?name="+r.Name, bytes.NewReader(b)), &made); err != nil {
		t.Fatal(err)
	}
	r.ID = made.ID
	return r
}

// health is how the engine asks, as often as it does by itself.
func health(command string) any {
	if command == "" {
		return nil
	}
	return map[string]any{"Test": []string{"CMD-SHELL", command}, "StartPeriod": int64(time.Minute)}
}

// Import makes an image of the archive of a root file system.
func (d *Docker) Import(t testing.TB, image string, archive io.Reader) {
	t.Helper()
	name, tag, _ := strings.Cut(image, ":")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if _, err := d.send(ctx, http.MethodPost, "/images/create?fromSrc=-&repo="+name+"&tag="+tag, archive); err != nil {
		t.Fatal(err)
	}
}

// State is how a container is: "running", "exited"; and what its health checks say.
func (d *Docker) State(id string) (state, health string, err error) {
	var c struct {
		State struct {
			Status string
			Health struct{ Status string }
		}
	}
	b, err := d.ask(http.MethodGet, "/containers/"+id+"/json", nil)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c.State.Status, c.State.Health.Status, err
}

// Log is what a container said.
func (d *Docker) Log(id string) string {
	b, _ := d.ask(http.MethodGet, "/containers/"+id+"/logs?stdout=true&stderr=true&tail=20", nil)
	return unframe(b)
}

// Start starts a container that was created.
func (d *Docker) Start(t testing.TB, r *Result) {
	t.Helper()
	d.must(t, http.MethodPost, "/containers/"+r.ID+"/start", nil)
}

// Wait waits for the end of a container, and takes what it said.
func (d *Docker) Wait(t testing.TB, r *Result) {
	t.Helper()
	var end struct{ StatusCode int }
	if err := json.Unmarshal(d.must(t, http.MethodPost, "/containers/"+r.ID+"/wait", nil), &end); err != nil {
		t.Fatal(err)
	}
	r.Code = end.StatusCode
	r.Output = unframe(d.must(t, http.MethodGet, "/containers/"+r.ID+"/logs?stdout=true&stderr=true", nil))
}

// Run runs a shell script in a container of its own to its end.
func (d *Docker) Run(t testing.TB, o Options, script string) *Result {
	t.Helper()
	r := d.Create(t, o, "/bin/sh", "-c", script)
	d.Start(t, r)
	d.Wait(t, r)
	d.Remove(r.ID)
	return r
}

// RunLater runs a shell script in a container that ran before, as "docker exec" does; with a terminal where the options
// ask for one.
func (d *Docker) RunLater(t testing.TB, o Options, script string) *Result {
	t.Helper()
	tty := o.TTY
	o.TTY = false
	r := d.Create(t, o, "/usr/local/bin/lab", "sleep", "10m")
	d.Start(t, r)
	r.Output, r.Code = d.Enter(t, r.ID, tty, "/bin/sh", "-c", script)
	d.Remove(r.ID)
	return r
}

// Enter runs a command in a container that runs, and gives what it said and its exit code.
func (d *Docker) Enter(t testing.TB, id string, tty bool, command ...string) (string, int) {
	t.Helper()
	out, code, err := d.TryEnter(id, tty, command...)
	if err != nil {
		t.Fatal(err)
	}
	return out, code
}

// TryEnter is Enter for where there is no test.
func (d *Docker) TryEnter(id string, tty bool, command ...string) (string, int, error) {
	want, err := json.Marshal(map[string]any{"Cmd": command, "AttachStdout": true, "AttachStderr": true, "Tty": tty})
	if err != nil {
		return "", 0, err
	}
	var made struct{ ID string }
	b, err := d.ask(http.MethodPost, "/containers/"+id+"/exec", bytes.NewReader(want))
	if err == nil {
		err = json.Unmarshal(b, &made)
	}
	if err != nil {
		return "", 0, err
	}
	out, err := d.ask(http.MethodPost, "/exec/"+made.ID+"/start", strings.NewReader(fmt.Sprintf(`{"Tty":%v}`, tty)))
	if err != nil {
		return "", 0, err
	}
	var end struct{ ExitCode int }
	if b, err = d.ask(http.MethodGet, "/exec/"+made.ID+"/json", nil); err == nil {
		err = json.Unmarshal(b, &end)
	}
	return unframe(out), end.ExitCode, err
}

// Remove ends a container and takes it away.
func (d *Docker) Remove(id string) {
	_, _ = d.ask(http.MethodDelete, "/containers/"+id+"?force=true", nil)
}

// Thaw lets a container go on that was frozen past the engine.
func (d *Docker) Thaw(id string) {
	for _, file := range []struct{ path, text string }{{"/sys/fs/cgroup/freezer/docker/" + id + "/freezer.state", "THAWED"},
		{"/sys/fs/cgroup/unified/docker/" + id + "/cgroup.freeze", "0"}, {"/sys/fs/cgroup/docker/" + id + "/cgroup.freeze", "0"}} {
		_ = os.WriteFile(file.path, []byte(file.text), 0)
	}
}

// unframe takes the parts of a log out of their frames; a terminal's log has none.
func unframe(b []byte) string {
	var out strings.Builder
	for len(b) >= 8 && b[0] <= 2 && b[1] == 0 {
		n := min(int(b[4])<<24|int(b[5])<<16|int(b[6])<<8|int(b[7]), len(b)-8)
		out.Write(b[8 : 8+n])
		b = b[8+n:]
	}
	out.Write(b)
	return out.String()
}

// locked is what a process says.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-8000):])
}

// Load gives the daemon an image out of a docker-archive, and the name that it has there.
func (d *Docker) Load(t testing.TB, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	said := string(d.must(t, http.MethodPost, "/images/load?quiet=1", f))
	_, name, ok := strings.Cut(said, "Loaded image: ")
	if !ok {
		t.Fatalf("the image was not loaded: %s", said)
	}
	name, _, _ = strings.Cut(name, `\n`)
	return name
}
