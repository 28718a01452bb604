package runtime

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// beginRules look at containers as upstream's do: when one is known, and when its first process executes a program.
const beginRules = `
- macro: container_started
  condition: ((evt.type = container or (evt.type in (execve, execveat) and evt.arg.res = 0 and proc.vpid = 1)) and container.image.repository != incomplete)
- rule: Privileged container
  desc: a container has all rights on its node
  condition: container_started and container.id != host and container.privileged = true
  output: "type=%evt.type name=%container.name image=%container.image.repository process=%proc.cmdline user=%user.name"
  priority: INFO
- rule: Capable container
  desc: a container may trace processes
  condition: container_started and container.id != host and thread.cap_permitted contains CAP_SYS_PTRACE and container.privileged = false
  output: "type=%evt.type caps=%thread.cap_permitted"
  priority: INFO
`

// TestContainersBegin: a rule about containers that begin sees those that share the node's processes, and those that run already,
// each once; and a recording has what it needs.
func TestContainersBegin(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and runs a real one beside it: not in short runs")
	}
	d := lab.StartDocker(t)
	rules, file := filepath.Join(t.TempDir(), "begin.yaml"), filepath.Join(t.TempDir(), "begin.trace")
	if err := os.WriteFile(rules, []byte(beginRules), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func(o lab.Options) string {
		r := d.Create(t, o, "/bin/sleep", "60")
		d.Start(t, r)
		t.Cleanup(func() { d.Remove(r.ID) })
		return r.ID
	}
	const privileged, capable = "falco/privileged-container", "falco/capable-container"
	before := start(lab.Options{Privileged: true, HostPID: true})
	program := lab.Program(t)
	w := lab.StartWatch(t, program, "--rules", rules, "--record", file)
	cases := []struct {
		what, id, rule string
	}{
		{"was there before", before, privileged},
		{"with the node's processes", start(lab.Options{Privileged: true, HostPID: true}), privileged},
		{"with processes of its own", start(lab.Options{Privileged: true}), privileged},
		{"with a capability", start(lab.Options{HostPID: true, CapAdd: []string{"SYS_PTRACE"}}), capable},
		{"as they are", start(lab.Options{HostPID: true}), ""},
	}
	for _, c := range cases {
		if c.rule != "" {
			w.AwaitRule(c.id, c.rule, 5*time.Second)
		}
	}
	d.Enter(t, cases[1].id, false, "/bin/true")
	time.Sleep(time.Second)
	for _, c := range cases {
		var told []string
		for _, f := range w.Of(c.id) {
			if f.Rule == privileged || f.Rule == capable {
				told = append(told, f.Rule+" "+strings.Join(f.Evidence, " "))
			}
		}
		switch {
		case c.rule == "" && len(told) > 0:
			t.Errorf("%s: %q", c.what, told)
		case c.rule != "" && (len(told) != 1 || !strings.HasPrefix(told[0], c.rule+" ")):
			t.Errorf("%s: %q, want %s once", c.what, told, c.rule)
		case c.rule == privileged && !strings.Contains(told[0], "image=bulwark-lab process=sleep 60 user=root"):
			t.Errorf("%s: %q", c.what, told)
		}
	}
	w.Stop()
	out, _ := exec.Command(program, "watch", "--replay", file, "--rules", rules, "-f", "jsonl").Output()
	for _, c := range cases {
		if c.rule != "" && !slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool { return strings.Contains(line, c.rule) && strings.Contains(line, c.id) }) {
			t.Errorf("replayed: %s: nothing is told", c.what)
		}
	}
}
