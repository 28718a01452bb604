// Package profile tries profiles on real containers: what was learned holds, and what was not is refused or told.
package profile

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/detect/profile"
	"bulwark/detect/profile/export"
	"bulwark/internal/need"
	"bulwark/test/runtime/lab"
)

// service is what the containers do: a web server that drops files, and a client of it.
const service = `mkdir -p /var/run/app
echo text > /var/run/app/pid
chown 65534 /var/run/app/pid
httpd -f -p 8080 -h /srv &
n=0; until wget -q -O /tmp/page http://127.0.0.1:8080/index.html; do n=$((n+1)); test $n -lt 50; usleep 100000; done
grep -q hello /tmp/page
cat /etc/passwd > /dev/null
setuidgid nobody true 2>/dev/null || su -s /bin/sh nobody -c true
kill %1
echo done`

// learned is the profile of the lab's image.
func learned(t *testing.T, folder string) (*profile.Profile, string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		file := filepath.Join(folder, e.Name())
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s is for others, too: %v", e.Name(), st.Mode())
		}
		p, err := profile.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if p.Image == lab.Image && p.Executables["/bin/busybox"] != nil {
			return p, file
		}
	}
	t.Fatalf("nothing was learned of %s: %v", lab.Image, list)
	return nil, ""
}

func TestProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs containers: not in a short run")
	}
	need.Root(t)
	docker, program, folder := lab.StartDocker(t), lab.Program(t), t.TempDir()
	recording := filepath.Join(t.TempDir(), "trace")
	w := lab.StartWatch(t, program, "--learn", folder, "--record", recording)
	for range 2 {
		docker.Run(t, lab.Options{}, "set -e\n"+service).Done(t)
	}
	w.Stop()
	p, file := learned(t, folder)
	for _, call := range []string{"execve", "openat", "chown", "setuid", "bind", "listen", "mkdir", "kill"} {
		if p.Syscalls[call] == nil {
			t.Errorf("%s was not learned", call)
		}
	}
	if p.Starts < 2 || p.Listeners["tcp 8080"] == nil || p.Thin() == "" {
		t.Errorf("starts %d, listeners %v, thin %q", p.Starts, p.Listeners, p.Thin())
	}
	if p.Granted && (p.Capabilities["CAP_CHOWN"] == nil || p.Capabilities["CAP_SETUID"] == nil || p.Capabilities["CAP_SYS_ADMIN"] != nil) {
		t.Errorf("capabilities %v", p.Capabilities)
	}
	t.Run("replays", func(t *testing.T) { replays(t, program, recording, p) })
	t.Run("holds", func(t *testing.T) { holds(t, docker, p) })
	t.Run("deviates", func(t *testing.T) { deviates(t, docker, program, folder, file) })
	t.Run("parses", func(t *testing.T) { parses(t, p) })
}

// replays learns the same from what was recorded.
func replays(t *testing.T, program, recording string, p *profile.Profile) {
	folder := t.TempDir()
	if out, err := exec.Command(program, "watch", "--replay", recording, "--learn", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	again, _ := learned(t, folder)
	same(t, "executables", p.Executables, again.Executables)
	same(t, "files", p.Files, again.Files)
	same(t, "system calls", p.Syscalls, again.Syscalls)
	same(t, "capabilities", p.Capabilities, again.Capabilities)
	same(t, "listeners", p.Listeners, again.Listeners)
	same(t, "loaded files", p.Loaded, again.Loaded)
	if p.Starts != again.Starts {
		t.Errorf("%d starts, and %d in the recording", p.Starts, again.Starts)
	}
}

func same[V any](t *testing.T, what string, a, b map[string]V) {
	t.Helper()
	if x, y := slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)); !slices.Equal(x, y) {
		t.Errorf("%s: %v, and out of the recording %v", what, x, y)
	}
}

// held are the options that hold a container to its profile.
func held(t *testing.T, p *profile.Profile) lab.Options {
	t.Helper()
	text, err := export.Seccomp(p)
	if err != nil {
		t.Fatal(err)
	}
	o := lab.Options{SecurityOpt: []string{"seccomp=" + text}, CapDrop: []string{"ALL"}}
	for name := range export.Capabilities(p) {
		o.CapAdd = append(o.CapAdd, strings.TrimPrefix(name, "CAP_"))
	}
	slices.Sort(o.CapAdd)
	return o
}

// holds runs the service under what was exported, and something else, which must fail.
func holds(t *testing.T, docker *lab.Docker, p *profile.Profile) {
	o := held(t, p)
	t.Logf("%d system calls were seen; capabilities %v", len(p.Syscalls), o.CapAdd)
	docker.Run(t, o, "set -e\n"+service).Done(t)
	for what, script := range map[string]string{
		"a call that was not made":         "mkfifo /tmp/pipe && echo done",
		"another one":                      "chroot / true && echo done",
		"a namespace":                      "unshare -n true && echo done",
		"a capability that was not used":   "mknod /tmp/null c 1 3 && echo done",
		"changing the name of a file":      "echo > /tmp/a && mv /tmp/a /tmp/b && echo done",
		"asking for the kernel's messages": "dmesg && echo done",
	} {
		if r := docker.Run(t, o, script); strings.Contains(r.Output, "done") {
			t.Errorf("%s works: %s", what, r.Output)
		}
		if r := docker.Run(t, lab.Options{}, script); !strings.Contains(r.Output, "done") && what != "a namespace" && !strings.HasPrefix(what, "asking") {
			t.Errorf("%s is no test, since it does not work without the profile either: %s", what, r.Output)
		}
	}
}

// deviates watches with the profile: the service is silent, other things are told.
func deviates(t *testing.T, docker *lab.Docker, program, folder, file string) {
	w := lab.StartWatch(t, program, "--profiles", folder)
	r := docker.Run(t, lab.Options{}, "set -e\n"+service)
	r.Done(t)
	bad := docker.Create(t, lab.Options{Env: []string{"LAB_BRIDGE=" + docker.Bridge}}, "/bin/sh", "-c", "nc -w 1 $LAB_BRIDGE 9 < /dev/null; cp /usr/local/bin/lab /opt/tool; /opt/tool none; cat /etc/shadow; nc -l -p 4444 & usleep 300000; chroot / true; kill %1; echo done")
	docker.Start(t, bad)
	docker.Wait(t, bad)
	want := []string{"profile/executable", "profile/file", "profile/listener", "profile/syscall", "profile/capability"}
	if docker.Bridge != "" {
		want = append(want, "profile/destination")
	}
	var got []string
	for late := time.Now().Add(10 * time.Second); time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		got = nil
		for _, f := range w.Of(bad.ID) {
			got = append(got, f.Rule)
		}
		if !slices.ContainsFunc(want, func(rule string) bool { return !slices.Contains(got, rule) }) {
			break
		}
	}
	w.Stop()
	for _, rule := range want {
		if rule == "profile/capability" && !capabilitiesSeen(file) {
			continue
		}
		if !slices.Contains(got, rule) {
			t.Errorf("%s was not told: %v", rule, got)
		}
	}
	for _, f := range w.Of(bad.ID) {
		if strings.HasPrefix(f.Rule, "profile/") {
			t.Logf("%s %s %s: %s", f.Severity, f.Rule, f.Subject, strings.Join(f.Evidence, "; "))
		}
	}
	for _, f := range w.Of(r.ID) {
		if strings.HasPrefix(f.Rule, "profile/") && f.Severity > bulwark.SeverityLow {
			t.Errorf("what was learned is told: %s %v", f.Rule, f.Evidence)
		} else if strings.HasPrefix(f.Rule, "profile/") {
			t.Logf("low: %s %v", f.Rule, f.Evidence)
		}
	}
}

func capabilitiesSeen(file string) bool {
	p, err := profile.Read(file)
	return err == nil && p.Granted
}

// parses gives the documents to who takes them.
func parses(t *testing.T, p *profile.Profile) {
	for _, f := range export.Formats() {
		text, err := f.Write(p)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if f.Name == "in-use" || f.Name == "seccomp" {
			if !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON", f.Name)
			}
		}
	}
	parser := need.Tool(t, "apparmor_parser")
	text, err := export.AppArmor(p)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(parser, "-Q", "-K", file).CombinedOutput(); err != nil {
		t.Errorf("apparmor_parser: %v %s\n%s", err, out, text)
	}
}
