package engines

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// podman is Podman with a storage of its own.
type podman struct {
	*daemon
	dir    string
	global []string
}

func startPodman(t *testing.T, more ...string) *podman {
	t.Helper()
	asRoot(t)
	binary := tool(t, "podman")
	dir := scratch(t)
	p := &podman{dir: dir, global: []string{binary, "--root", dir + "/root", "--runroot", dir + "/run", "--tmpdir", dir + "/tmp",
		"--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs"}}
	p.global = append(p.global, more...)
	p.daemon = start(t, dir, append(p.global[:len(p.global):len(p.global)], "system", "service", "--time=0")...)
	return p
}

// do runs the command line.
func (p *podman) do(args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.global[0], append(p.global[1:len(p.global):len(p.global)], args...)...)
	cmd.Env = environment(p.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("podman %q: %v\n%s", args, err, out)
	}
}

func TestPodman(t *testing.T) {
	p := startPodman(t)
	file, tag := writeImage(t, own)
	want := original(t, file, own)
	p.load(file)
	r := runner{t: t, env: []string{"CONTAINER_HOST=" + p.host}}
	r.same(want, "podman:"+tag)
	p.fewExports(len(want.Layers))
	p.noMoreExports(r, want, "podman:"+tag)
	id := want.ID[len("image:"):]
	for _, name := range []string{"localhost/" + tag, id, id[len("sha256:"):], id[len("sha256:"):][:12]} {
		r.same(want, "podman:"+name, "--platform", "linux/"+own)
	}
	r.fails("not found", "podman:no-such-image")
	r.fails("not for linux/"+other, "podman:"+tag, "--platform", "linux/"+other)
	t.Run("saved", func(t *testing.T) { p.saved(t, want, tag) })
	t.Run("pushed to files", func(t *testing.T) { p.pushed(t, want, tag) })
}

// saved holds what podman save writes against the image.
func (p *podman) saved(t *testing.T, want seen, tag string) {
	r, dir := runner{t: t}, t.TempDir()
	save := func(format string, more ...string) string {
		name := filepath.Join(dir, "saved-"+format)
		p.do(append([]string{"save", "-q", "--format", format, "-o", name, tag}, more...)...)
		return name
	}
	r.same(want, save("docker-archive"))
	r.same(want, save("docker-dir"))
	r.sameButID(want, save("oci-archive"))
	r.sameButID(want, save("oci-dir"))
}

// pushed holds what podman push writes into files against the image.
func (p *podman) pushed(t *testing.T, want seen, tag string) {
	r, dir := runner{t: t}, t.TempDir()
	for _, compression := range []string{"gzip", "zstd"} {
		push := func(transport, name string) string {
			file := filepath.Join(dir, transport+"-"+compression)
			p.do("push", "-q", "--compression-format", compression, tag, transport+":"+file+name)
			return file
		}
		r.sameButID(want, push("oci", ":"+tag)+"#"+tag)
		r.sameButID(want, push("oci-archive", ":"+tag))
		r.same(want, push("docker-archive", ":"+tag)+"#"+tag)
		r.same(want, push("dir", ""))
	}
}

// fewExports fails when every layer needed an export of its own.
func (d *daemon) fewExports(layers int) {
	d.t.Helper()
	d.t.Logf("%d exports", d.exports.Load())
	if n := int(d.exports.Load()); n == 0 || n >= layers {
		d.t.Errorf("%d exports of an image of %d layers", n, layers)
	}
}

// noMoreExports fails when an image that was scanned before is exported again.
func (d *daemon) noMoreExports(r runner, want seen, target string) {
	d.t.Helper()
	r.cache = d.t.TempDir()
	r.same(want, target)
	before := d.exports.Load()
	r.same(want, target)
	if n := d.exports.Load() - before; n != 0 {
		d.t.Errorf("%d exports of an image that was scanned before", n)
	}
}
