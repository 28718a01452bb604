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

// TestFromTheFirst: what is denied to all containers is denied to their first process.
func TestFromTheFirst(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t), "--enforce", "--actions", file(t, "all.yaml",
		"actions:\n  - action: deny\n    name: nowhere\n    deed: connect\n    to: [\"192.0.2.77:7777/tcp\"]\n")) // where nobody is
	for range 20 {
		r := d.Run(t, lab.Options{}, "nc -w 1 192.0.2.77 7777 < /dev/null 2>&1 || echo stopped")
		if !strings.Contains(r.Output, "not permitted") {
			t.Fatalf("%s", r.Output)
		}
		if f := await(t, w, r.ID, "deny/nowhere"); f.Container == nil || f.Container.ID != r.ID || f.Container.Image != lab.Image {
			t.Errorf("%+v", f)
		}
	}
}

// falco are rules that ask for actions themselves.
const falco = `
- rule: Kill What Is Asked For
  desc: d
  condition: evt.type=execve and container.name startswith NAMES and proc.name=lab and proc.args contains killed-by-rule
  output: o
  priority: ERROR
  action: kill
- rule: Freeze What Is Asked For
  desc: d
  condition: evt.type=execve and container.name startswith NAMES and proc.name=lab and proc.args contains frozen-by-rule
  output: o
  priority: ERROR
  action: freeze
- rule: Stop What Is Dropped
  desc: d
  condition: evt.type=execve and container.name startswith NAMES and proc.is_exe_upper_layer=true
  output: o
  priority: ERROR
  action: deny
`

// TestActionsOfRules: rules in Falco's language kill, freeze and deny.
func TestActionsOfRules(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t), "--enforce", "--rules", file(t, "rules.yaml", strings.ReplaceAll(falco, "NAMES", d.Names)))
	t.Run("kill", func(t *testing.T) {
		r := run(t, d, w, lab.Options{}, "(lab sleep 1m killed-by-rule) || echo ended $?\necho done")
		r.Done(t)
		if !strings.Contains(r.Output, "ended 137") {
			t.Errorf("it was not killed: %s", r.Output)
		}
		f := await(t, w, r.ID, "falco/kill-what-is-asked-for")
		if f.Response == nil || f.Response.Action != "kill" || !f.Response.Done || !strings.HasPrefix(f.Response.Text, "killed: lab (") {
			t.Errorf("%+v", f.Response)
		}
	})
	t.Run("ended before", func(t *testing.T) {
		r := run(t, d, w, lab.Options{}, "lab sleep 1ns killed-by-rule || true\necho done")
		f := await(t, w, r.ID, "falco/kill-what-is-asked-for")
		t.Logf("%+v", f.Response)
	})
	t.Run("freeze", func(t *testing.T) {
		r := d.Create(t, lab.Options{}, "/bin/sh", "-c", "sleep 0.5; lab sleep 1s frozen-by-rule; touch /tmp/went-on; sleep 1m")
		d.Start(t, r)
		f := await(t, w, r.ID, "falco/freeze-what-is-asked-for")
		if f.Response == nil || f.Response.Action != "freeze" || !f.Response.Done {
			t.Errorf("%+v", f.Response)
		}
		state := "/sys/fs/cgroup/freezer/docker/" + r.ID + "/freezer.state"
		b, err := os.ReadFile(state)
		if err != nil {
			state = "/sys/fs/cgroup/docker/" + r.ID + "/cgroup.events"
			b, err = os.ReadFile(state)
		}
		if text := string(b); err != nil || !strings.Contains(text, "FROZEN") && !strings.Contains(text, "frozen 1") {
			t.Errorf("%s: %s %v", state, b, err)
		}
		if strings.HasSuffix(state, "freezer.state") {
			os.WriteFile(state, []byte("THAWED"), 0)
		}
		os.WriteFile("/sys/fs/cgroup/unified/docker/"+r.ID+"/cgroup.freeze", []byte("0"), 0)
		os.WriteFile("/sys/fs/cgroup/docker/"+r.ID+"/cgroup.freeze", []byte("0"), 0)
		d.Remove(r.ID)
	})
	t.Run("deny", func(t *testing.T) {
		r := run(t, d, w, lab.Options{}, "cp /usr/local/bin/lab /opt/dropped; /opt/dropped sleep 1ms || echo stopped\necho done")
		if r.Done(t); !strings.Contains(r.Output, "stopped") {
			t.Errorf("%s", r.Output)
		}
		await(t, w, r.ID, "falco/stop-what-is-dropped")
	})
}

// TestKilled: when bulwark is killed in the midst of an attack that it stops, nothing stays stopped.
func TestKilled(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t), "--enforce", "--actions", file(t, "deny.yaml", "actions:\n  - rules: [drift/new-program, network/metadata]\n    action: deny\n"+here(d)))
	r := d.Create(t, lab.Options{}, "/bin/sh", "-c", "cp /usr/local/bin/lab /opt/dropped; while ! /opt/dropped sleep 1ms || nc -w 1 169.254.169.254 80 < /dev/null 2>&1 | grep 'not permitted'; do lab sleep 1ms; done; echo done")
	d.Start(t, r)
	await(t, w, r.ID, "drift/new-program")
	w.Kill()
	d.Wait(t, r)
	// Killed: until its files are known, programs that its image did not have are killed instead.
	if r.Done(t); !strings.Contains(r.Output, "not permitted") && !strings.Contains(r.Output, "Killed") {
		t.Errorf("it was never stopped: %s", r.Output)
	}
	d.Remove(r.ID)
}

// TestReload: what is no longer denied is let pass by a container that runs, and what is wrong changes nothing.
func TestReload(t *testing.T) {
	d := lab.StartDocker(t)
	deny := "actions:\n  - rules: [drift/new-program]\n    action: deny\n" + here(d)
	actions := file(t, "deny.yaml", deny)
	w := lab.StartWatch(t, lab.Program(t), "--enforce", "--actions", actions)
	r := d.Create(t, lab.Options{}, "/bin/sh", "-c", "cp /usr/local/bin/lab /opt/dropped; while ! /opt/dropped sleep 1ms; do lab sleep 10ms; done; echo done")
	d.Start(t, r)
	await(t, w, r.ID, "drift/new-program")
	for _, step := range []struct{ text, said string }{{"actions: [{action: slay}]", "as before"}, {strings.Replace(deny, "deny", "alert", 1), "read again: alert by 1"}} {
		if err := os.WriteFile(actions, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.Reload()
		for end := time.Now().Add(5 * time.Second); !strings.Contains(w.Said(), step.said); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s is not said: %s", step.said, w.Said())
			}
		}
	}
	d.Wait(t, r)
	r.Done(t)
	d.Remove(r.ID)
}
