package container

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	one, two = strings.Repeat("1a", 32), strings.Repeat("2b", 32)
	uid      = "0f9f3a2b-1111-2222-3333-444455556666"
	folded   = strings.ReplaceAll(uid, "-", "_")
)

func TestIdentify(t *testing.T) {
	pod := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + folded + ".slice"
	for _, tt := range []struct {
		path string
		want identity
	}{
		{"/docker/" + one, identity{id: one, engine: "docker", path: "/docker/" + one}},
		{"/docker/" + one + "/init/x", identity{id: one, engine: "docker", path: "/docker/" + one}},
		{"/system.slice/docker-" + one + ".scope", identity{id: one, engine: "docker", path: "/system.slice/docker-" + one + ".scope"}},
		{"/own/parent/" + one, identity{id: one, path: "/own/parent/" + one}},
		{pod + "/cri-containerd-" + one + ".scope", identity{id: one, engine: "containerd", pod: uid, path: pod + "/cri-containerd-" + one + ".scope"}},
		{pod + "/crio-" + one + ".scope/container", identity{id: one, engine: "cri-o", pod: uid, path: pod + "/crio-" + one + ".scope"}},
		{pod + "/crio-conmon-" + one + ".scope", identity{}},
		{"/kubepods/besteffort/pod" + uid + "/" + one, identity{id: one, pod: uid, path: "/kubepods/besteffort/pod" + uid + "/" + one}},
		{"/kubepods/pod" + uid + "/crio-" + one, identity{id: one, engine: "cri-o", pod: uid, path: "/kubepods/pod" + uid + "/crio-" + one}},
		{"/kubepods/pod" + uid + "/crio-conmon-" + one, identity{}},
		{
			"/system.slice/containerd.service/kubepods-pod" + folded + ".slice:cri-containerd:" + one,
			identity{id: one, engine: "containerd", pod: uid, path: "/system.slice/containerd.service/kubepods-pod" + folded + ".slice:cri-containerd:" + one},
		},
		{"/machine.slice/libpod-" + one + ".scope/container", identity{id: one, engine: "podman", path: "/machine.slice/libpod-" + one + ".scope"}},
		{"/libpod_parent/libpod-" + one, identity{id: one, engine: "podman", path: "/libpod_parent/libpod-" + one}},
		{"/machine.slice/libpod-conmon-" + one + ".scope", identity{}},
		{"/system.slice/runc-web.1.scope", identity{id: "web.1", engine: "runc", path: "/system.slice/runc-web.1.scope"}},
		{"/docker/" + one + "/docker/" + two, identity{id: two, engine: "docker", outer: one, path: "/docker/" + one + "/docker/" + two}},
		{
			"/docker/" + one + "/kubelet.slice/kubepods-pod" + folded + ".slice/cri-containerd-" + two + ".scope",
			identity{id: two, engine: "containerd", outer: one, path: "/docker/" + one + "/kubelet.slice/kubepods-pod" + folded + ".slice/cri-containerd-" + two + ".scope"},
		},
		{"/docker/" + one + "/crio-conmon-" + two + ".scope", identity{id: one, engine: "docker", path: "/docker/" + one}},
		{"/lxc/web", identity{id: "web", engine: "lxc", path: "/lxc/web"}},
		{"/lxc.payload.web/system.slice", identity{id: "web", engine: "lxc", path: "/lxc.payload.web"}},
		{"/lxc.monitor.web", identity{}},
		{"/docker/buildkit/abcdefghijklmnopqrstuvwx0", identity{id: "abcdefghijklmnopqrstuvwx0", engine: "buildkit", path: "/docker/buildkit/abcdefghijklmnopqrstuvwx0"}},
		{"/default/web", identity{maybe: "web", path: "/default/web"}},
		{"/web", identity{maybe: "web", path: "/web"}},
		{"/system.slice/ssh.service", identity{path: "/system.slice/ssh.service"}},
		{"/system.slice/docker.service", identity{path: "/system.slice/docker.service"}},
		{"/..", identity{path: "/.."}},
		{"/", identity{}},
		{"", identity{}},
	} {
		if diff := cmp.Diff(tt.want, identify(tt.path), cmp.AllowUnexported(identity{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	for _, s := range []string{"/docker/" + one, "/a:b:" + two, "/lxc.payload.x/crio-" + one + ".scope", strings.Repeat("/docker/"+one, 80)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		id := identify(path)
		if strings.ContainsAny(id.id+id.maybe+id.outer, "/\x00") || id.id == ".." || id.maybe == ".." {
			t.Errorf("%q leads out: %+v", path, id)
		}
		if id.path != "" && !strings.HasPrefix(path, id.path) {
			t.Errorf("%q is not below %q", path, id.path)
		}
		inner := identify(path + "/docker/" + two)
		if id.id != "" && len(path) < 500 && strings.Count(path, "/") < 40 && inner.id != id.id && inner.outer == "" {
			t.Errorf("%q hides its container: %+v", path, inner)
		}
	})
}

func TestCreated(t *testing.T) {
	for _, tt := range []struct{ args, name, bundle string }{
		{"--root /run/x --log /b/log.json --log-format json create --bundle /b --pid-file /b/init.pid web", "web", "/b"},
		{"run --bundle=/b web", "web", "/b"},
		{"run web", "web", ""},
		{"run -b relative web", "web", ""},
		{"list", "", ""},
		{"run ../x", "", ""},
		{"", "", ""},
	} {
		if name, bundle := created(strings.Fields(tt.args)); name != tt.name || bundle != tt.bundle {
			t.Errorf("%s: %q %q", tt.args, name, bundle)
		}
	}
}
