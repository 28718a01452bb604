package engine

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
)

// fake is an engine that answers from a table, at a socket.
func fake(t *testing.T, answers map[string]any) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch v := answers[r.URL.Path].(type) {
		case nil:
			http.Error(w, "{}", http.StatusNotFound)
		case int:
			http.Error(w, "{}", v)
		case string:
			w.Write([]byte(v))
		default:
			json.NewEncoder(w).Encode(v)
		}
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return "unix://" + socket
}

type object = map[string]any

var password = strings.Repeat("hunter", 3)

func answers() map[string]any {
	id := strings.Repeat("ab", 32)
	return map[string]any{
		"/version":         object{"Version": "29.0.1", "ApiVersion": "1.52", "Components": []object{{"Name": "Engine", "Version": "29.0.1"}}},
		"/info":            object{"Driver": "overlay2", "LoggingDriver": "json-file", "SecurityOptions": []string{"name=seccomp,profile=builtin", "name=cgroupns"}, "RegistryConfig": object{"InsecureRegistryCIDRs": []string{"127.0.0.0/8", "10.0.0.0/8"}}},
		"/networks/bridge": object{"Options": object{"com.docker.network.bridge.enable_icc": "true"}},
		"/containers/json": []object{{"Id": id}, {"Id": strings.Repeat("cd", 32)}, {"Id": "../x"}},
		"/containers/" + id + "/json": object{
			"Id": id, "Name": "/web", "Image": "sha256:1", "Path": "/bin/app", "Args": []string{"-v"},
			"Config": object{"User": "1000:0", "Image": "nginx:1.27", "Env": []string{"A=" + password, "B"}, "Healthcheck": object{"Test": []string{"CMD", "true"}}},
			"Mounts": []object{{"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/s", "RW": true, "Propagation": "rshared"}, {"Type": "volume", "Destination": "/d"}},
			"HostConfig": object{
				"Privileged": true, "CapAdd": []string{"CAP_SYS_ADMIN"}, "CapDrop": []string{"all"}, "PidMode": "host", "IpcMode": "private", "NetworkMode": "shop", "UsernsMode": "host",
				"SecurityOpt": []string{"seccomp=unconfined", "no-new-privileges", "label:disable", "apparmor=unconfined"}, "Memory": 1048576, "NanoCpus": 1500000000, "PidsLimit": 100,
				"Devices": []object{{"PathOnHost": "/dev/sda", "CgroupPermissions": "rwm"}}, "Ulimits": []object{{"Name": "nofile", "Soft": 1, "Hard": 2}},
				"PortBindings": object{"80/tcp": []object{{"HostIp": "", "HostPort": "8080"}}}, "RestartPolicy": object{"Name": "on-failure", "MaximumRetryCount": 3},
				"Sysctls": object{"kernel.msgmax": "1"}, "GroupAdd": []string{"44", "audio"}, "ReadonlyRootfs": true, "UTSMode": "host",
			},
		},
	}
}

func TestOpen(t *testing.T) {
	config := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(config, []byte(`{"icc": false, "proxies": {"http-proxy": "http://u:`+password+`@x"}, "hosts": ["tcp://0.0.0.0:2375"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Source{Sockets: map[string][]string{"docker": {fake(t, answers())}}, Config: config}
	target, err := s.Open(t.Context(), "engine")
	if err != nil {
		t.Fatal(err)
	}
	set := kube.Of(target)
	if !set.Engine || set.Len() != 2 || target.Asset.Kind != "engine" || target.Asset.Labels["docker"] != "29.0.1" {
		t.Fatalf("%+v, %d objects", target.Asset, set.Len())
	}
	if len(target.Notes) != 1 || !strings.Contains(target.Notes[0].Text, `"../x"`) {
		t.Errorf("notes: %+v", target.Notes)
	}
	web := set.Find("docker/Pod/web")
	want := `{"name":"web","command":["/bin/app","-v"],"env":[{"name":"A"},{"name":"B"}],"image":"nginx:1.27","livenessProbe":{"exec":{"command":["CMD","true"]}},` +
		`"ports":[{"containerPort":80,"hostIP":"0.0.0.0","hostPort":8080,"protocol":"TCP"}],"resources":{"limits":{"cpu":"1500m","memory":"1048576"}},` +
		`"securityContext":{"allowPrivilegeEscalation":false,"appArmorProfile":{"type":"Unconfined"},"capabilities":{"add":["SYS_ADMIN"],"drop":["ALL"]},"privileged":true,"readOnlyRootFilesystem":true,` +
		`"runAsGroup":0,"runAsNonRoot":true,"runAsUser":1000,"seLinuxOptions":{"type":"spc_t"},"seccompProfile":{"type":"Unconfined"}},` +
		`"volumeMounts":[{"name":"mount-0","mountPath":"/s","mountPropagation":"Bidirectional"},{"name":"mount-1","mountPath":"/d","readOnly":true}]}`
	if d := cmp.Diff(want, string(web.Root.At("spec", "containers", 0).JSON())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	w := set.Workloads()
	if len(w) != 1 || !w[0].Spec.HostPID || w[0].Spec.HostIPC || w[0].Spec.HostUsers == nil || !*w[0].Spec.HostUsers || len(w[0].Misfits) > 0 ||
		w[0].Spec.SecurityContext.Sysctls[0].Name != "kernel.msgmax" || len(w[0].Spec.SecurityContext.SupplementalGroups) != 1 || w[0].Spec.Volumes[0].HostPath.Path != "/var/run/docker.sock" {
		t.Errorf("%+v", w[0])
	}
	e := web.Root.Get("engine")
	if n, _ := e.Get("pidsLimit").Int(); n != 100 || e.Get("uts").Text() != "host" || e.At("devices", 0, "path").Text() != "/dev/sda" {
		t.Errorf("%s", e.JSON())
	}
	daemon := set.Find("Engine/docker")
	if daemon == nil || !daemon.Root.Get("icc").True() || daemon.Root.Get("insecureRegistries").Len() != 1 || daemon.Root.At("config", "hosts", 0).Text() != "tcp://0.0.0.0:2375" {
		t.Fatalf("%s", daemon.Root.JSON())
	}
	for _, o := range set.Objects {
		if strings.Contains(string(o.Root.JSON()), password) {
			t.Errorf("a secret is kept: %s", o.Root.JSON())
		}
	}
}

func TestPodmanAtDockersSocket(t *testing.T) {
	a := answers()
	a["/version"] = object{"Version": "5.4", "Components": []object{{"Name": "Podman Engine"}}}
	host := fake(t, a)
	target, err := (&Source{Sockets: map[string][]string{"docker": {host}, "podman": {host}}}).Open(t.Context(), "engine")
	if err != nil || kube.Of(target).Len() != 2 || kube.Of(target).Find("podman/Pod/web") == nil {
		t.Errorf("%v, %v", target, err)
	}
}

func TestRefused(t *testing.T) {
	none := "unix://" + filepath.Join(t.TempDir(), "none")
	broken, odd, locked := answers(), answers(), answers()
	broken["/version"] = "[{"
	odd["/version"] = `{"Version": 5}`
	locked["/version"] = http.StatusForbidden
	for name, tt := range map[string]struct {
		host string
		is   error
	}{
		"nobody there":    {none, bulwark.ErrUnavailable},
		"no JSON":         {fake(t, broken), bulwark.ErrMalformed},
		"another type":    {fake(t, odd), bulwark.ErrMalformed},
		"not allowed":     {fake(t, locked), bulwark.ErrUntrusted},
		"another scheme":  {"ssh://host", bulwark.ErrUnsupported},
		"no such address": {"unix://%zz", bulwark.ErrMalformed},
	} {
		_, err := (&Source{Sockets: map[string][]string{"docker": {tt.host}}}).Open(t.Context(), "engine")
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), "no container engine answers") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Without its containers the engine itself is still judged.
	alone := answers()
	alone["/containers/json"] = "[{"
	half, err := (&Source{Sockets: map[string][]string{"docker": {fake(t, alone)}}}).Open(t.Context(), "engine")
	if err != nil || kube.Of(half).Find("Engine/docker") == nil || len(half.Notes) != 1 || !half.Notes[0].Incomplete {
		t.Errorf("%+v, %v", half, err)
	}
	// One engine that fails does not stop the other.
	target, err := (&Source{Sockets: map[string][]string{"docker": {fake(t, locked)}, "podman": {fake(t, answers())}}}).Open(t.Context(), "engine")
	if err != nil || len(target.Notes) != 2 || !target.Notes[1].Incomplete {
		t.Errorf("%+v, %v", target, err)
	}
}

func FuzzContainer(f *testing.F) {
	b, _ := json.Marshal(answers()["/containers/"+strings.Repeat("ab", 32)+"/json"])
	f.Add(string(b))
	f.Fuzz(func(t *testing.T, text string) {
		var c container
		if json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		r := &reading{kind: "docker", set: &kube.Set{Engine: true}}
		if err := r.container(&c, &info{}); err != nil {
			t.Skip()
		}
		for _, w := range r.set.Workloads() {
			_ = w.Containers
		}
	})
}
