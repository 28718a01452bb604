package engines

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// startDocker starts Docker with its own containerd, without networks.
func startDocker(t *testing.T) *daemon {
	t.Helper()
	asRoot(t)
	binary := tool(t, "dockerd")
	tool(t, "containerd")
	dir := scratch(t)
	config := filepath.Join(dir, "daemon.json") // not the machine's
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, dir, binary, "--log-level", "error", "--config-file", config, "--host", "fd://", "--data-root", dir+"/root", "--exec-root", dir+"/run",
		"--pidfile", dir+"/pid", "--storage-driver", "vfs", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
}

func TestDocker(t *testing.T) {
	d := startDocker(t)
	file, tag := writeImage(t, own)
	want := original(t, file, own)
	d.load(file)
	r := runner{t: t, env: []string{"DOCKER_HOST=" + d.host}}
	r.same(want, "docker:"+tag)
	d.fewExports(len(want.Layers))
	d.noMoreExports(r, want, "docker:"+tag)
	id := want.ID[len("image:"):]
	for _, name := range []string{id, id[len("sha256:"):], id[len("sha256:"):][:12]} {
		r.same(want, "docker:"+name, "--platform", "linux/"+own)
	}
	r.fails("not found", "docker:no-such-image")
	r.fails("not for linux/"+other, "docker:"+tag, "--platform", "linux/"+other)

	// Two images in one archive, as docker save writes them.
	second, secondTag := writeImage(t, other)
	wantSecond := original(t, second, other)
	d.load(second)
	both := filepath.Join(t.TempDir(), "both.tar")
	data := d.must(http.MethodGet, "/images/get?names="+tag+"&names="+secondTag, nil)
	if err := os.WriteFile(both, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	r.same(want, both+"#"+tag)
	r.same(wantSecond, both+"#"+secondTag)
	r.fails("several images", both)
}

func TestNoEngine(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "engine.sock")
	for kind, variable := range map[string]string{"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"} {
		r := runner{t: t, env: []string{variable + "=unix://" + nowhere}}
		r.fails("unavailable: dial unix "+nowhere, kind+":x")
	}
}
