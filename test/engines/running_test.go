package engines

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark"
)

// writeSleeper writes an image whose one program waits.
// sleeper takes all memory that it gets where it is told so.
const sleeper = `package main

import (
	"os"
	"time"
)

var all [][]byte

func main() {
	for os.Getenv("EAT") != "" {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		all = append(all, b)
	}
	time.Sleep(time.Hour)
}
`

func writeSleeper(t *testing.T) (file, tag string) {
	t.Helper()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "sleeper")
	if err := os.WriteFile(source, []byte(sleeper), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, pack(t, entry{name: "sleeper", body: string(data)}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Config = "linux", own, v1.Config{Cmd: []string{"/sleeper"}, Env: []string{"PASSWORD=" + strings.Repeat("s3", 6)}}
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	file, tag = filepath.Join(dir, "sleeper.tar"), "sleeper:1"
	ref, err := name.NewTag(tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(file, ref, img); err != nil {
		t.Fatal(err)
	}
	return file, tag
}

// create makes a container and starts it. Machines that allow no containers skip the test.
func (d *daemon) create(name string, config map[string]any) {
	d.t.Helper()
	b, err := json.Marshal(config)
	if err != nil {
		d.t.Fatal(err)
	}
	d.must(http.MethodPost, "/containers/create?name="+name, strings.NewReader(string(b)), "Content-Type", "application/json")
	d.t.Cleanup(func() {
		if out, err := d.ask(http.MethodDelete, "/containers/"+name+"?force=true", nil); err != nil {
			d.t.Logf("%v %s", err, out)
		}
	})
	if out, err := d.ask(http.MethodPost, "/containers/"+name+"/start", nil); err != nil {
		if os.Getenv("CI") == "true" {
			d.t.Fatalf("%v\n%s", err, out)
		}
		d.t.Skipf("containers cannot be run here: %v %s", err, out)
	}
}

// few is what every machine allows.
var few = []map[string]any{{"Name": "nofile", "Soft": 256, "Hard": 256}, {"Name": "nproc", "Soft": 256, "Hard": 256}}

// runs starts two containers, one as open as can be, and tells what is found of each.
func (d *daemon) runs(variable, image string) map[string][]string {
	d.t.Helper()
	d.create("open", map[string]any{"Image": image, "HostConfig": map[string]any{
		"PidMode": "host", "IpcMode": "host", "NetworkMode": "host", "UTSMode": "host", "Binds": []string{"/:/host"}, "LogConfig": map[string]any{"Type": "none"}, "SecurityOpt": []string{"seccomp=unconfined", "apparmor=unconfined"}, "Ulimits": few,
	}})
	d.create("closed", map[string]any{"Image": image, "User": "65532:65532", "HostConfig": map[string]any{
		"NetworkMode": "none", "CapDrop": []string{"ALL"}, "SecurityOpt": []string{"no-new-privileges"}, "ReadonlyRootfs": true, "Ulimits": few,
	}})
	r := runner{t: d.t, env: []string{variable + "=" + d.host}}
	out, errs, code := r.run("engine", "--only", "misconfig")
	if code != 0 {
		d.t.Fatalf("exits with %d: %s", code, errs)
	}
	if strings.Contains(out+errs, "s3s3") {
		d.t.Error("a value of the environment is told")
	}
	var report bulwark.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		d.t.Fatal(err)
	}
	found := map[string][]string{}
	for _, f := range report.Findings {
		_, name, _ := strings.Cut(f.Subject, "/Pod/")
		found[name] = append(found[name], f.Rule)
	}
	return found
}

func (d *daemon) judged(found map[string][]string) {
	d.t.Helper()
	for _, rule := range []string{"workload/apparmor-unconfined", "workload/seccomp-unconfined", "workload/host-pid", "workload/host-network", "workload/hostpath-root", "engine/host-uts", "engine/root-user", "engine/no-log"} {
		if !slices.Contains(found["open"], rule) {
			d.t.Errorf("%s is not found: %v", rule, found["open"])
		}
	}
	for _, rule := range found["closed"] {
		if rule != "workload/no-memory-limit" && rule != "workload/image-registry" {
			d.t.Errorf("the closed one: %s", rule)
		}
	}
}

func TestRunningDocker(t *testing.T) {
	d := startDocker(t)
	file, tag := writeSleeper(t)
	d.load(file)
	d.judged(d.runs("DOCKER_HOST", tag))
}

func TestRunningPodman(t *testing.T) {
	var more []string
	if runc, err := exec.LookPath("runc"); err == nil {
		more = []string{"--runtime", runc} // which takes control groups of any version
	}
	p := startPodman(t, more...)
	file, tag := writeSleeper(t)
	p.load(file)
	p.judged(p.runs("CONTAINER_HOST", "localhost/"+tag))
}
