package runtime

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// upstream's rules, as they are, each with what triggers it. What Falco itself has nothing for is in empty: an execution is
// about no descriptor, a packet socket has no ports, nobody logged in, and Docker's files do not say when a container began.
var upstream = []struct {
	rule   string
	action lab.Action
	empty  []string
}{
	{rule: "Read sensitive file untrusted", action: lab.Action{Script: "lab kernel-exec /bin/cat /etc/shadow"}},
	{rule: "Directory traversal monitored file read", action: lab.Action{Script: "cd /srv\nlab kernel-exec /bin/cat ../../../../etc/shadow"}},
	{rule: "Terminal shell in container", action: lab.Action{Exec: true, Options: lab.Options{TTY: true}, Script: "tty\necho done"}},
	{rule: "Drop and execute new binary in container", action: lab.Action{Script: "cp /usr/local/bin/lab /opt/x\n/opt/x sleep 1ms"}, empty: []string{"container.start_ts"}},
	{rule: "Execution from /dev/shm", action: lab.Action{Options: lab.Options{Tmpfs: []string{"/dev/shm"}}, Script: "cp /usr/local/bin/lab /dev/shm/x\n/dev/shm/x sleep 1ms"}, empty: []string{"fd.name", "user.loginname"}},
	{rule: "Fileless execution via memfd_create", action: lab.Action{Script: "lab memfd"}, empty: []string{"container.start_ts"}},
	{rule: "Packet socket created in container", action: lab.Action{Script: "lab packet"}, empty: []string{"fd.name", "fd.l4proto", "fd.lport", "fd.rport"}},
	{rule: "PTRACE attached to process", action: lab.Action{Options: lab.Options{CapAdd: []string{"SYS_PTRACE"}}, Script: "lab ptrace-own"}},
	{rule: "Create Symlink Over Sensitive Files", action: lab.Action{Script: "ln -s /etc/shadow /tmp/x\necho done"}},
	{rule: "Create Hardlink Over Sensitive Files", action: lab.Action{Script: "ln /etc/shadow /tmp/y\necho done"}},
	{rule: "Clear Log Activities", action: lab.Action{Script: ": > /var/log/auth.log\necho done"}},
	{rule: "Search Private Keys or Passwords", action: lab.Action{Script: "lab kernel-exec /bin/grep -rc 'BEGIN RSA PRIVATE' /srv || true\necho done"}},
	{rule: "Netcat Remote Code Execution in Container", action: lab.Action{Script: "lab kernel-exec /bin/nc -e /bin/sh 127.0.0.1 1 || true\necho done"}},
	{rule: "Redirect STDOUT/STDIN to Network Connection in Container", action: lab.Action{Script: "lab reverse"}},
	{rule: "Detect release_agent File Container Escapes", action: lab.Action{Options: lab.Options{Privileged: true}, Script: "mkdir /tmp/c\nmount -t cgroup -o none,name=lab$$ none /tmp/c\n: > /tmp/c/release_agent\numount /tmp/c\necho done"}},
}

// alert is a line as Falco writes it.
type alert struct {
	Rule, Output, Priority, Source, Hostname, Time string
	Fields                                         map[string]any `json:"output_fields"`
}

// TestUpstreamRules: rules of upstream's own file, run live and unmodified, tell of what is really done in containers; each
// alert has all of its fields, with the container's name and image.
func TestUpstreamRules(t *testing.T) {
	rules, err := filepath.Abs("../../../shared/data/falco/falco_rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(rules); err != nil {
		t.Skip("upstream's rules are not beside the repository")
	}
	d := lab.StartDocker(t)
	file := filepath.Join(t.TempDir(), "alerts")
	w := lab.StartWatch(t, lab.Program(t), "-f", "falco="+file, "--rules", rules,
		"--output-append", "container_id=%container.id container_name=%container.name container_image=%container.image.repository container_tag=%container.image.tag")
	ids := make([]string, len(upstream))
	for i := range upstream {
		t.Run(upstream[i].rule, func(t *testing.T) {
			a := upstream[i].action
			r := a.Do(t, d, false)
			ids[i] = r.ID
			if !slices.ContainsFunc(w.AwaitRule(r.ID, ruleID(upstream[i].rule), 2*time.Second), func(f lab.Found) bool { return f.Rule == ruleID(upstream[i].rule) }) {
				t.Errorf("nothing is told")
			}
		})
	}
	w.Stop()
	told := read(t, file)
	for i, u := range upstream {
		n := slices.IndexFunc(told, func(a alert) bool {
			id, _ := a.Fields["container.id"].(string)
			return a.Rule == u.rule && id != "" && strings.HasPrefix(ids[i], id)
		})
		if n < 0 {
			t.Errorf("%s: no line as Falco has it", u.rule)
			continue
		}
		whole(t, told[n], u.empty)
	}
}

// ruleID is how a rule of Falco's is called here.
func ruleID(name string) string {
	return "falco/" + strings.Trim(strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-"), "-")
}

// whole fails the test where an alert lacks something.
func whole(t *testing.T, a alert, empty []string) {
	t.Helper()
	if a.Output == "" || a.Priority == "" || a.Source != "syscall" || a.Hostname == "" || a.Time == "" || strings.Count(a.Output, ": "+a.Priority+" ") != 1 {
		t.Errorf("%s: %+v", a.Rule, a)
	}
	for name, value := range a.Fields {
		if (value == nil || value == "" || value == "<NA>") && !slices.Contains(empty, name) {
			t.Errorf("%s: %s is %v: %s", a.Rule, name, value, a.Output)
		}
	}
	if a.Fields["container.image.repository"] != "bulwark-lab" || a.Fields["container.image.tag"] != "1" {
		t.Errorf("%s: %s", a.Rule, a.Output)
	}
}

func read(t *testing.T, file string) (list []alert) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a alert
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		list = append(list, a)
	}
	return list
}

// TestPathsThroughLinks: a rule about writes through /proc/self, as upstream has one about a container's entrypoint, sees what was
// asked for however it is written, though what was opened is called otherwise.
func TestPathsThroughLinks(t *testing.T) {
	const rule = `
- rule: Write through own links
  desc: d
  condition: evt.type in (open, openat, openat2) and evt.is_open_write=true and fd.num>=0 and container.id != host and (fd.name=/proc/self/exe or fd.name startswith /proc/self/fd/)
  output: file=%fd.name given=%fd.nameraw
  priority: WARNING
`
	d := lab.StartDocker(t)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	w := lab.StartWatch(t, lab.Program(t), "--rules", rules)
	for _, tt := range []struct {
		write string
		told  bool
	}{
		{"echo y > /proc/self/fd/3", true},
		{"cd /\necho y > proc/self/fd/3", true},
		{"cd /proc\necho y > self/fd/3", true},
		{"cd /tmp\necho y > ../proc//self/./fd/3", true},
		{"echo y > /tmp/x", false},
	} {
		a := lab.Action{Script: ": > /tmp/x\nexec 3</tmp/x\n" + tt.write + "\necho done"}
		found := w.AwaitRule(a.Do(t, d, false).ID, "falco/write-through-own-links", time.Second)
		told := slices.ContainsFunc(found, func(f lab.Found) bool {
			return f.Rule == "falco/write-through-own-links" && strings.HasPrefix(f.Evidence[0], "file=/tmp/x given=")
		})
		if told != tt.told {
			t.Errorf("%s: told %v, want %v: %v", tt.write, told, tt.told, found)
		}
	}
}
