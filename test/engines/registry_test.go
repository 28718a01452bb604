package engines

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/test/registrytest"
)

func TestPodmanPush(t *testing.T) {
	addr := registrytest.Start(t, "")
	p := startPodman(t)
	r := runner{t: t}
	want := map[string]seen{}
	for _, arch := range []string{own, other} {
		file, _ := writeImage(t, arch)
		want[arch] = original(t, file, arch)
		p.load(file)
	}
	p.push("docker://"+addr+"/team/app:"+own, "localhost/team/app:"+own)
	r.same(want[own], addr+"/team/app:"+own)
	p.push("docker://"+addr+"/team/app:"+other, "localhost/team/app:"+other, "--format", "oci", "--compression-format", "zstd:chunked")
	if m := manifest(t, addr, "team/app", other); !strings.Contains(m, "tar+zstd") {
		t.Errorf("nothing was compressed with zstd: %s", m)
	}
	r.sameButID(want[other], addr+"/team/app:"+other)
	p.list(r, addr, want)
	r.fails("not found", addr+"/team/app:none")
}

func (p *podman) push(to, image string, options ...string) {
	p.t.Helper()
	p.do(append(append([]string{"push", "-q", "--tls-verify=false"}, options...), image, to)...)
}

// list makes a manifest list of the images, and looks at it in all the places where
// Podman can put it.
func (p *podman) list(r runner, addr string, want map[string]seen) {
	p.t.Helper()
	const name = "team/list:1"
	p.do("manifest", "create", name)
	for arch := range want {
		p.do("manifest", "add", name, "containers-storage:localhost/team/app:"+arch)
	}
	dir := p.t.TempDir()
	for _, to := range []string{"docker://" + addr + "/" + name, "oci:" + dir + "/oci:" + name, "dir:" + dir + "/flat"} {
		p.do("manifest", "push", "-q", "--all", "--tls-verify=false", name, to)
	}
	for _, target := range []string{addr + "/" + name, dir + "/oci", dir + "/flat"} {
		for arch, w := range want {
			got := r.scan(target, "--platform", "linux/"+arch)
			got.ID = w.ID // Podman may have written the configuration anew
			if diff := cmp.Diff(w, got); diff != "" {
				p.t.Errorf("%s for %s (-want +got):\n%s", target, arch, diff)
			}
		}
		if got := r.scan(target); got.Arch != own {
			p.t.Errorf("%s without --platform is the image for %s", target, got.Arch)
		}
		r.fails("choose one with --platform", target, "--platform", "linux/arm/v5")
	}
}

func manifest(t *testing.T, addr, repo, tag string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/v2/"+repo+"/manifests/"+tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDockerPush(t *testing.T) {
	addr := registrytest.Start(t, "")
	d := startDocker(t)
	file, tag := writeImage(t, own)
	want := original(t, file, own)
	d.load(file)
	repo, version, _ := strings.Cut(tag, ":")
	d.must(http.MethodPost, "/images/"+tag+"/tag?repo="+addr+"/"+repo+"&tag="+version, nil)
	d.must(http.MethodPost, "/images/"+addr+"/"+repo+"/push?tag="+version, nil, "X-Registry-Auth", "e30=") // {}: nobody
	runner{t: t}.same(want, addr+"/"+tag)
}
