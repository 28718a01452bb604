package runtime

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/internal/need"
	"bulwark/test/runtime/lab"
)

// stopped is an attack that is stopped while it is done: what it is for does not come to pass.
type stopped struct {
	name, rule, action string
	options            lab.Options
	attack, twin       string // which say "done" when they are
}

// attacks are what docs/blocking.md says that can be stopped, each with something alike that goes on.
var attacks = []stopped{
	{name: "new program", rule: "drift/new-program", action: "deny", attack: "cp /usr/local/bin/lab /opt/x; /opt/x sleep 0s", twin: "cp /usr/local/bin/lab /opt/kept; lab sleep 0s"},
	{name: "program in tmp", rule: "drift/temporary-program", action: "deny", options: lab.Options{Tmpfs: []string{"/tmp"}}, attack: "cp /usr/local/bin/lab /tmp/x; /tmp/x sleep 0s", twin: "cp /usr/local/bin/lab /tmp/y; cat /tmp/y > /dev/null; echo done"},
	{name: "program in shared memory", rule: "drift/temporary-program", action: "deny", options: lab.Options{Tmpfs: []string{"/dev/shm"}}, attack: "cp /usr/local/bin/lab /dev/shm/x; /dev/shm/x sleep 0s", twin: "echo x > /dev/shm/y; lab sleep 0s"},
	{name: "program in memory", rule: "drift/memory-program", action: "deny", attack: "lab memfd", twin: "lab kernel-exec /usr/local/bin/lab sleep 0s; echo done"},
	{name: "metadata service", rule: "network/metadata", action: "deny", attack: "lab reach 169.254.169.254:80", twin: "lab reach $LAB_BRIDGE:80"},
	{name: "miner's request", rule: "miner/stratum", action: "deny", attack: "lab stratum own", twin: "lab rpc own"},
	{name: "reverse shell", rule: "shell/reverse-shell", action: "kill", attack: "lab reverse-slow", twin: "lab chat"},
	{name: "core pattern", rule: "escape/core-pattern", action: "kill", options: lab.Options{Privileged: true}, attack: "exec 3> /proc/sys/kernel/core_pattern; sleep 2; echo done", twin: "cat /proc/sys/kernel/core_pattern; echo done"},
	{name: "node's namespaces", rule: "escape/host-namespace", action: "kill", options: lab.Options{Privileged: true, HostPID: true}, attack: "nsenter -t $LAB_PID -m -- /bin/sh -c 'sleep 2; echo done'", twin: "nsenter -t $$ -u -- /bin/echo done"},
	{name: "kernel's setting", rule: "escape/kernel-setting", action: "freeze", options: lab.Options{Privileged: true}, attack: "exec 3> /proc/sys/kernel/panic; sleep 2; echo done", twin: "cat /proc/sys/kernel/panic; echo done"},
}

// TestBlocked: what docs/blocking.md says that is stopped does not happen, in real containers, and its twin does.
func TestBlocked(t *testing.T) {
	d := lab.StartDocker(t)
	if d.Bridge == "" {
		need.Missing(t, "a network for containers")
	}
	file := filepath.Join(t.TempDir(), "actions.yaml")
	if err := os.WriteFile(file, []byte(actions(d.Names)), 0o600); err != nil {
		t.Fatal(err)
	}
	w := lab.StartWatch(t, lab.Program(t), "--actions", file, "--enforce")
	for i := range attacks {
		t.Run(attacks[i].name, func(t *testing.T) { attacks[i].try(t, d, w) })
	}
}

// actions is a file of them, for the containers of this test alone.
func actions(prefix string) string {
	var b strings.Builder
	b.WriteString("actions:\n")
	for _, a := range attacks {
		fmt.Fprintf(&b, "  - rules: [%s]\n    action: %s\n    only: {containers: [\"%s*\"]}\n", a.rule, a.action, prefix)
	}
	return b.String()
}

// try does the attack until it is stopped: a container that is named is held from some milliseconds after its start on.
func (a *stopped) try(t *testing.T, d *lab.Docker, w *lab.Watch) {
	a.options.Env = []string{"LAB_BRIDGE=" + d.Bridge, "LAB_PID=" + lab.Victim(t, d)}
	c := d.Create(t, a.options, "/usr/local/bin/lab", "sleep", "10m")
	d.Start(t, c)
	t.Cleanup(func() { d.Thaw(c.ID); d.Remove(c.ID) })
	if out, code := d.Enter(t, c.ID, false, "/bin/sh", "-c", a.twin); !strings.Contains(out, "done") || code != 0 {
		t.Errorf("the twin does not work (%d): %s", code, out)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		said := make(chan string, 1)
		go func() {
			out, code, err := d.TryEnter(c.ID, false, "/bin/sh", "-c", a.attack)
			said <- fmt.Sprint(out, " exit ", code, " ", err)
		}()
		var out string
		select {
		case out = <-said:
		case <-time.After(5 * time.Second):
			out = "(it stands still)"
			d.Thaw(c.ID)
		}
		if !strings.Contains(out, "done") {
			t.Logf("%s", strings.TrimSpace(out))
			break
		}
		if time.Now().After(end) {
			t.Errorf("it is not stopped: %s", out)
			break
		}
	}
	// A stopped attack is told as such, with its container. What holds folders may be held by drift before.
	stopped := func(f lab.Found) bool {
		return path.Dir(f.Rule) == path.Dir(a.rule) && f.Response != nil && f.Response.Action == a.action && f.Response.Done && f.Container.Image == lab.Image
	}
	if found := w.AwaitFound(c.ID, stopped, 2*time.Second); !slices.ContainsFunc(found, stopped) {
		for _, f := range found {
			t.Logf("%s %+v %+v", f.Rule, f.Response, f.Container)
		}
		t.Errorf("%s tells nothing that was stopped", a.rule)
	}
}
