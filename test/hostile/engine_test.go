//go:build linux

package hostile

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const containerPath = "/containers/"

func containerID(i int) string { return fmt.Sprintf("%064x", 0xabcdef000+i) }

// container is what an engine tells of one that is privileged.
func engineContainer(name, more string) string {
	return `{"Name":"/` + name + `","Config":{"Image":"example.com/c:1"` + more + `},"HostConfig":{"Privileged":true}}`
}

// engineOf starts an engine at a socket that runs n containers, and misbehaves when it is asked
// for paths that begin with part.
func engineOf(t *testing.T, n int, part string, f fault) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine-*") // names of sockets are short
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	check(t, err)
	counts := make(chan int32, 1)
	counts <- 0
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := <-counts + 1
		counts <- c
		body := ""
		switch path := r.URL.Path; {
		case path == "/version":
			body = `{"Version":"29.0.1","ApiVersion":"1.52"}`
		case path == "/info":
			body = `{"Driver":"overlay2","LoggingDriver":"json-file","SecurityOptions":["name=seccomp,profile=builtin"]}`
		case path == "/networks/bridge":
			body = `{"Options":{"com.docker.network.bridge.enable_icc":"true"}}`
		case path == "/containers/json":
			var list []string
			for i := range n {
				list = append(list, `{"Id":"`+containerID(i)+`"}`)
			}
			body = "[" + strings.Join(list, ",") + "]"
		default:
			body = engineContainer("c"+strings.TrimLeft(strings.TrimSuffix(strings.TrimPrefix(path, containerPath), "/json"), "0"), "")
		}
		if f != nil && strings.HasPrefix(r.URL.Path, part) && f(w, r, []byte(body), c) {
			return
		}
		fmt.Fprint(w, body)
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
	return socket
}

// engine scans what it runs.
func (r *room) engine(docker string, args ...string) *result {
	r.t.Helper()
	r.most = maxRSS
	r.env = []string{"DOCKER_HOST=" + docker, "XDG_RUNTIME_DIR=" + r.path("tmp")}
	return r.scan(append([]string{"engine", "--only", "misconfig,exposure"}, args...)...)
}

// TestEngines asks engines that fail in each of these ways.
func TestEngines(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"/run/podman/podman.sock", "/run/docker.sock", "/var/run/docker.sock"} {
		if _, err := os.Stat(file); err == nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("stop the engine of this machine, which would be asked as well: " + file)
			}
			t.Skip("an engine of this machine would be asked as well: " + file)
		}
	}
	first := containerPath + containerID(0)
	wicked := `\u001b[31mred\u001b[2J\u0007\u009b31m\r\nbulwark: error: x\u202e`
	for _, tt := range []struct {
		name, part string
		n          int // containers
		fault      fault
		code       int
		words      string
		slow       bool
	}{
		{"well", "none", 3, nil, 0, "", false},
		{"no containers", "none", 0, nil, 0, "", false},
		{"HTML", "/", 3, other("<html>log in</html>"), 1, "the engine's answer to /version: malformed", false},
		{"no engine", "/", 3, other("{}"), 1, "what answers says no version, and is no engine: malformed", false},
		{"nothing", "/", 3, other(""), 1, "the engine's answer to /version: malformed", false},
		{"401", "/", 3, answer(401, always), 1, "the engine answers 401 Unauthorized: not trusted", false},
		{"403 for all but the version", "/containers", 3, answer(403, always), 4, "its containers were not told: the engine answers 403 Forbidden", false},
		{"500", "/", 3, answer(500, always), 1, "the engine answers 500 Internal Server Error: unavailable", false},
		{"500 for its settings", "/info", 3, answer(500, always), 4, "its settings were not told: the engine answers 500", false},
		{"500 for its network", "/networks", 3, answer(500, always), 4, "its default network was not told", false},
		{"500 for its containers", "/containers/json", 3, answer(500, always), 4, "its containers were not told: the engine answers 500", false},
		{"500 for a container", first, 3, answer(500, always), 4, "container \"000000000000\": the engine answers 500", false},
		{"a container that has ended", first, 3, answer(404, always), 0, "", false},
		{"a redirect", "/", 3, answer(302, always, "Location", "http://192.0.2.1/"), 1, "the engine answers 302 Found", false},
		{"hung up", "/", 3, func(http.ResponseWriter, *http.Request, []byte, int32) bool { panic(http.ErrAbortHandler) }, 1, "unavailable", false},
		{"hung up for a container", first, 3, func(http.ResponseWriter, *http.Request, []byte, int32) bool { panic(http.ErrAbortHandler) }, 4, "container \"000000000000\": unavailable", false},
		{"truncated", first, 3, breakOff(always), 4, "container \"000000000000\": ", false},
		{"silence", "/", 3, stall, 1, "it does not answer in time: unavailable", true},
		{"silent settings", "/info", 3, stall, 4, "its settings were not told: it does not answer in time", true},
		{"a silent container", first, 3, stall, 4, "it does not answer in time", true},
		{"a dripping container", first, 3, dripping, 4, "it does not answer in time", true},
		{"silent containers", containerPath + "0", 100, stall, 4, "97 more containers were not asked for", true},
		{"a version of no end", "/version", 3, forever(`{"Version":"`, "1"), 1, "limit exceeded", false},
		{"settings of no end", "/info", 3, forever(`{"Driver":"`, "1"), 4, "its settings were not told: the engine's answer to /info is larger than 16777216 bytes: limit exceeded", false},
		{"containers of no end", "/containers/json", 3, forever(`[`, `{"Id":"ab"},`), 4, "its containers were not told: ", false},
		{"a container of no end", first, 3, forever(`{"Name":"`, "x"), 4, "limit exceeded", false},
		{"a bomb", first, 3, packed(`{"Name":"`, "x", 300<<20, `"}`), 4, "limit exceeded", false},
		{"10,000 containers", "none", 10_000, nil, 4, "10000 containers run, and 2000 of them were looked at", false},
		{"one container 10,000 times", "/containers/json", 3, other("[" + strings.TrimSuffix(strings.Repeat(`{"Id":"`+containerID(0)+`"},`, 1999), ",") + "]"), 0, "", false},
		{"large containers", containerPath + "0", 100, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int32) bool {
			fmt.Fprint(w, engineContainer(fmt.Sprint("c", n), `,"Env":[`+strings.TrimSuffix(strings.Repeat(`"A=b",`, 100_000), ",")+`]`))
			return true
		}, 4, "more containers were not asked for: what was told of", false},
		{"ids of wrong types", "/containers/json", 3, other(`[{"Id":7}]`), 4, "its containers were not told: the engine's answer to /containers/json: malformed", false},
		{"ids that lead elsewhere", "/containers/json", 3, other(`[{"Id":"../../x"},{"Id":"` + wicked + `"},{"Id":""},{},null,{"Id":"` + containerID(0) + `"}]`), 4, "its id is none", false},
		{"containers that are no list", "/containers/json", 3, other(`{"a":[]}`), 4, "its containers were not told", false},
		{"a container of wrong types", first, 3, other(`{"Name":7,"HostConfig":[],"Mounts":{"a":1}}`), 4, "malformed", false},
		{"a container of nothing", first, 3, other(`null`), 0, "", false},
		{"settings of wrong types", "/info", 3, other(`{"SecurityOptions":{"a":1},"Swarm":7}`), 4, "its settings were not told: the engine's answer to /info: malformed", false},
		{"deep", first, 3, other(`{"Config":` + strings.Repeat(`{"Labels":`, 100_000) + "{}" + strings.Repeat("}", 100_000) + "}"), 4, "malformed", false},
		{"numbers", first, 3, other(`{"Name":"/n","Config":{"Image":"x","User":"99999999999999999999:-1"},"HostConfig":{"Privileged":true,"Memory":9223372036854775807,"NanoCpus":-9223372036854775808,"PidsLimit":-9223372036854775808,"PortBindings":{"99999999999999999999/tcp":[{"HostPort":"x"}],"-1":[{"HostPort":"-99999999999999999999"}],"/":null}}}`), 0, "", false},
		{"wicked names", "/", 3, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int32) bool {
			switch {
			case r.URL.Path == "/version":
				fmt.Fprint(w, `{"Version":"`+wicked+`","ApiVersion":"`+wicked+`","KernelVersion":"`+wicked+`"}`)
			case r.URL.Path == "/info":
				fmt.Fprint(w, `{"Driver":"`+wicked+`","SecurityOptions":["`+wicked+`"],"RegistryConfig":{"InsecureRegistryCIDRs":["`+wicked+`"]}}`)
			case strings.HasPrefix(r.URL.Path, first):
				fmt.Fprint(w, `{"Name":"/`+wicked+`","Path":"`+wicked+`","Config":{"Image":"`+wicked+`","User":"`+wicked+`","Env":["`+wicked+`=x"]},"Mounts":[{"Type":"bind","Source":"/`+wicked+`","Destination":"`+wicked+`"}],"HostConfig":{"Privileged":true,"CapAdd":["`+wicked+`"],"SecurityOpt":["`+wicked+`"],"Devices":[{"PathOnHost":"`+wicked+`"}],"Sysctls":{"`+wicked+`":"`+wicked+`"}}}`)
			default:
				return false
			}
			return true
		}, 0, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			var args []string
			if tt.slow {
				args = []string{"--timeout", "6s"}
			}
			host := "unix://" + engineOf(t, tt.n, tt.part, tt.fault)
			res := r.engine(host, args...)
			want{code: tt.code, words: tt.words}.check(t, res)
			if tt.code != 1 && tt.n > 0 && !strings.HasPrefix(tt.part, "/containers/json") && !strings.HasPrefix("/containers/0", tt.part) && !about(res, "workload/privileged", "docker/Pod/c"+strings.TrimLeft(containerID(1), "0")) {
				t.Errorf("the second container is not found: %d findings, %+v", len(res.report.Findings), res.report.Notes)
			}
			if tt.name == "wicked names" {
				if table := r.run("scan", "engine", "--verbose", "--cache-dir", r.path("cache")); strings.Contains(table.stdout, "\u202e") {
					t.Error("the table turns the direction of text")
				}
			}
		})
	}
}

// TestNoEngines: addresses at which no engine is.
func TestNoEngines(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	file := r.put("file", nil)
	for host, words := range map[string]string{
		"unix:///nowhere/docker.sock": "/nowhere/docker.sock: unavailable", "unix://" + file: "unavailable", "tcp://127.0.0.1:1": "unavailable", "ssh://x@y": `an engine by way of "ssh": unsupported`,
		"\x1b[31m://": "the address: malformed", "https://127.0.0.1:1": "unsupported", "unix://": "unavailable",
	} {
		res := r.engine(host)
		want{code: 1, words: words}.check(t, res)
		if !strings.Contains(res.stderr, "no container engine answers: ") {
			t.Errorf("%q: %s", host, res.stderr)
		}
	}
	socket := engineOf(t, 1, "none", nil)
	check(t, os.Chmod(filepath.Dir(socket), 0o755))
	check(t, os.Chmod(socket, 0o600))
	for d := r.root; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
		check(t, os.Chmod(d, 0o755))
	}
	check(t, os.Chmod(r.path("cache"), 0o777))
	if r.nobody = true; os.Geteuid() == 0 {
		want{code: 1, words: "this user may not open the engine's socket"}.check(t, r.engine("unix://"+socket))
	}
	r.env = []string{"XDG_RUNTIME_DIR=" + r.path("tmp")}
	r.put("good.yaml", []byte(goodPod))
	if res := r.scan("engine", r.path("in", "good.yaml"), "--only", "misconfig"); res.code == 0 || !about(res, "workload/privileged", "shop/Pod/good") {
		t.Errorf("without an engine: exit code %d, %+v", res.code, res.report.Notes)
	}
}
