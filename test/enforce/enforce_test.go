// Package enforce has bulwark watch stop what attackers really do in real containers.
package enforce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/test/runtime/lab"
)

// file writes a file of actions.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// await waits for a finding of a rule about a container, with a response.
func await(t *testing.T, w *lab.Watch, id, rule string) bulwark.Finding {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for _, f := range w.Of(id) {
			if f.Rule == rule && f.Response != nil {
				return f.Finding
			}
		}
	}
	t.Errorf("%s is not told with what was done: %+v", rule, w.Of(id))
	return bulwark.Finding{}
}

// here selects the lab's containers alone: other tests have some as well.
func here(d *lab.Docker) string { return "    only: {containers: [\"" + d.Names + "*\"]}\n" }

// TestDeny: what is denied does not come about, and is told with the container; its twin goes on.
func TestDeny(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t), "--enforce", "--actions", file(t, "deny.yaml",
		"actions:\n  - rules: [drift/new-program, drift/memory-program, drift/temporary-program, network/metadata, miner/stratum]\n    action: deny\n"+here(d)))
	for _, c := range []struct{ name, rule, attack, twin string }{
		{"drift", "drift/new-program", "cp /usr/local/bin/lab /opt/dropped; /opt/dropped sleep 1ms", "lab sleep 1ms"},
		{"memory", "drift/memory-program", "lab memfd", "lab sleep 1ms"},
		{"temporary", "drift/temporary-program", "cp /usr/local/bin/lab /tmp/x; /tmp/x sleep 1ms", "echo x > /tmp/y; cat /tmp/y"},
		{"metadata", "network/metadata", "nc -w 1 169.254.169.254 80 < /dev/null", "nc -w 1 127.0.0.1 80 < /dev/null || true"},
		{"stratum", "miner/stratum", "lab stratum own", "lab rpc own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := lab.Options{}
			if c.name == "temporary" {
				o.Mounts = []string{t.TempDir() + ":/tmp"} // what is in volumes is no drift
			}
			o.Env = []string{"LAB_BRIDGE=" + d.Bridge}
			r := run(t, d, w, o, "("+c.attack+") || echo stopped $?")
			t.Logf("%s", r.Output)
			if !strings.Contains(r.Output, "stopped") && c.name != "stratum" {
				t.Errorf("it was not stopped: %s", r.Output)
			}
			f := await(t, w, r.ID, c.rule)
			if f.Response == nil || f.Response.Action != "deny" || !f.Response.Done || f.Container == nil || f.Container.Image != lab.Image || f.Process == nil {
				t.Errorf("%+v", f)
			}
			t.Logf("%s %q", f.Title, f.Evidence)
			twin := run(t, d, w, o, c.twin+"\necho done")
			twin.Done(t)
			for _, f := range w.Of(twin.ID) {
				if f.Response != nil {
					t.Errorf("the twin was stopped: %+v", f)
				}
			}
		})
	}
}

// run runs a script in a container once it is known that its cgroup has been looked at.
func run(t *testing.T, d *lab.Docker, w *lab.Watch, o lab.Options, script string) *lab.Result {
	t.Helper()
	return d.Run(t, o, "sleep 0.5\n"+script)
}
