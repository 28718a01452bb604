package engines

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark/test/registrytest"
)

// TestContainerd looks at what containerd exports: Docker gives the same when it keeps
// its images there. Of an index it has the platforms alone that were pulled.
func TestContainerd(t *testing.T) {
	addr := registrytest.Start(t, "")
	d := startDocker(t)
	control := tool(t, "ctr")
	dir := t.TempDir()
	ctr := func(args ...string) {
		t.Helper()
		socket := filepath.Join(filepath.Dir(d.socket), "run/containerd/containerd.sock")
		cmd := exec.CommandContext(t.Context(), control, append([]string{"-a", socket, "-n", "test", "image"}, args...)...)
		cmd.Env = environment(dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ctr %q: %v\n%s", args, err, out)
		}
	}
	want := map[string]seen{}
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{own, other} {
		file, _ := writeImage(t, arch)
		want[arch] = original(t, file, arch)
		img, err := tarball.ImageFromPath(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	ref, err := name.ParseReference(addr + "/team/list:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{own, other} {
		out := filepath.Join(dir, arch+".tar")
		ctr("pull", "--plain-http", "--platform", "linux/"+arch, ref.String())
		ctr("export", "--platform", "linux/"+arch, out, ref.String())
		ctr("rm", "--sync", ref.String())
		runner{t: t}.same(want[arch], out)
	}
}
