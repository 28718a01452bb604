package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func observe(t *testing.T, o Options, e *bulwark.Event) []bulwark.Finding {
	t.Helper()
	d, problems := New(o)
	for _, p := range problems {
		t.Error(p.String())
	}
	return d.Observe(e)
}

func TestFinding(t *testing.T) {
	e := scenes()["exec"]
	e.Process.Args = []string{"-c", "curl --password hunter2hunter2 \x1b[2J\xff\u202e https://u:secret@h/"}
	data := `
- rule: Shell in "web"
  desc: d
  condition: evt.type = execve and container
  output: "*Shell | cmd=%proc.cmdline pid=%proc.pid upper=%proc.is_exe_upper_layer gone=%fd.name %12proc.name| %toupper(proc.name) up=%proc.aname[2] %evt.time.s"
  priority: CRITICAL
  tags: [maturity_stable, T1059.004, TA0002, Tx]
- macro: container
  condition: container.id != host
`
	got := observe(t, options(File{"a.yaml", []byte(data)}), e)
	if len(got) != 1 {
		t.Fatalf("%d findings", len(got))
	}
	f := got[0]
	want := bulwark.Finding{
		Kind: "runtime", Rule: "falco/shell-in-web", Severity: bulwark.SeverityCritical, Title: `Shell in "web"`,
		Tags: []string{"maturity_stable", "attack:T1059.004", "attack:TA0002", "Tx"},
		Alert: &bulwark.Alert{Rule: `Shell in "web"`, Priority: "Critical", Source: "syscall", Fields: []bulwark.AlertField{
			{Name: "proc.cmdline", Value: `sh -c curl --password *** \x1b[2J\xff\u202e https://***@h/`}, {Name: "proc.pid", Value: int64(600)},
			{Name: "proc.is_exe_upper_layer", Value: true}, {Name: "fd.name"}, {Name: "proc.name", Value: "sh"}, {Name: "toupper(proc.name)", Value: "SH"},
			{Name: "proc.aname[2]", Value: "containerd-shim"}, {Name: "evt.time.s", Value: int64(testNow)},
		}},
	}
	text := `Shell | cmd=sh -c curl --password *** \x1b[2J\xff\u202e https://***@h/ pid=600 upper=true gone=<NA> sh          | SH up=containerd-shim 22:30:00`
	want.Evidence = []string{text}
	want.Alert.Output = text
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func three(priorities ...string) File {
	var b strings.Builder
	for i, p := range priorities {
		fmt.Fprintf(&b, "- rule: R%d\n  desc: d\n  condition: evt.type in (execve, open)\n  output: o\n  priority: %s\n  tags: [t%d]\n", i, p, i)
	}
	return File{"three.yaml", []byte(b.String())}
}

func titles(list []bulwark.Finding) string {
	var all []string
	for _, f := range list {
		all = append(all, f.Title+":"+f.Severity.String())
	}
	return strings.Join(all, " ")
}

func TestWhichRulesRun(t *testing.T) {
	e := scenes()["exec"]
	file := three("EMERGENCY", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"the first that matches", Options{}, "R0:critical"},
		{"all that match", Options{MatchAll: true}, "R0:critical R1:high R2:medium R3:low R4:low R5:low"},
		{"threshold", Options{MatchAll: true, Threshold: "error"}, "R0:critical R1:high"},
		{"tags", Options{MatchAll: true, Tags: []string{"t2", "t3"}}, "R2:medium R3:low"},
		{"without tags", Options{MatchAll: true, Without: []string{"t0", "t1", "t2", "t3"}}, "R4:low R5:low"},
		{"disabled", Options{Disabled: []string{"R0", "R[12]"}}, "R3:low"},
	} {
		tt.o.Files = []File{file}
		if got := titles(observe(t, tt.o, e)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAppend(t *testing.T) {
	o := Options{Files: []File{three("ERROR")}, Append: []Append{{Format: "image=%container.image.tag"}, {Rule: "other", Format: "no"}, {Tag: "t0", Format: "x"}}}
	got := observe(t, o, scenes()["exec"])
	if len(got) != 1 || got[0].Evidence[0] != "o image=1.2 x" {
		t.Errorf("%v", got)
	}
}

// byProcess knows accounts by the process alone.
type byProcess struct{}

func (byProcess) User(p *bulwark.Process, uid uint32) (User, bool) {
	return User{Name: fmt.Sprintf("user%d of %s", uid, p.Name)}, true
}

func (byProcess) Group(p *bulwark.Process, gid uint32) (string, bool) {
	return fmt.Sprintf("group%d of %s", gid, p.Name), true
}

func TestAccountsOfEventsWithoutProcess(t *testing.T) {
	o := options(ruleFile("syscall", "evt.type = chown", "%evt.arg.uid %evt.arg.gid %user.name %user.loginname %group.name"))
	o.Names = byProcess{}
	e := put("chown", map[string]any{"path": "/x", "uid": 5, "gid": 6})
	if got := observe(t, o, e)[0].Evidence[0]; got != "user5 of sh group6 of sh user0 of sh user1000 of sh group0 of sh" {
		t.Error(got)
	}
	e.Process = nil
	if got := observe(t, o, e)[0].Evidence[0]; got != "5 6 <NA> <NA> <NA>" {
		t.Error(got)
	}
}

func TestExplain(t *testing.T) {
	o := options(File{"a.yaml", []byte(`
- macro: shells
  condition: (proc.name in (bash, sh))
- rule: R
  desc: d
  condition: evt.type = execve and (proc.name = x or shells) and not (fd.name = /x or user.uid = 5)
  output: o
  priority: INFO
`)})
	o.Explain = true
	got := observe(t, o, scenes()["exec"])
	want := []string{"o", "met: evt.type = execve, it is execve", "met: proc.name in (bash, sh), it is sh (shells)", "met: not fd.name = /x, which the event has not", "met: not user.uid = 5, it is 0"}
	if diff := cmp.Diff(want, got[0].Evidence); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.Files = []File{ruleFile("syscall", "evt.type = openat and fd.name = /proc/self/exe", "o")}
	if got := observe(t, o, scenes()["linked"])[0].Evidence[2]; got != "met: fd.name = /proc/self/exe, it is /usr/bin/dash, given as /proc/self/exe" {
		t.Error(got)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ condition, output, want string }{
		{"proc.nam = x", "o", "there is no field proc.nam; did you mean proc.name?"},
		{"fd.dport = 22", "o", "there is no field fd.dport; did you mean fd.sport or fd.rport?"},
		{"proc.exeph = x", "o", "there is no field proc.exeph; did you mean proc.exe?"},
		{"proc.cap_permitted contains x", "o", "there is no field proc.cap_permitted; did you mean thread.cap_permitted?"},
		{"ka.verb = x", "o", "events of source syscall have no field ka.verb"},
		{"proc.pid = x", "o", "proc.pid is a number"},
		{"proc.pid contains 3", "o", "proc.pid is a number: it is compared with"},
		{"evt.is_open_read = maybe", "o", "evt.is_open_read is true or false"},
		{"fd.sip = nowhere", "o", "neither an address nor a network"},
		{"fd.types = ipv4", "o", "has many values"},
		{"proc.name regex \"(\"", "o", "error parsing regexp"},
		{"evt.buffer bcontains xyz", "o", "hexadecimal"},
		{"proc.name bcontains 41", "o", "bcontains is of bytes, and proc.name is text"},
		{"evt.buffer regex a.b", "o", "regex is of text, and evt.buffer is bytes"},
		{"proc.name = val(proc.pid)", "o", "proc.name is a text, and proc.pid is a number: they cannot be compared"},
		{"evt.is_open_write = val(proc.pid)", "o", "evt.is_open_write is true or false, and proc.pid is a number"},
		{"evt.arg.nothing = 1", "o", "no event has an argument nothing"},
		{"evt.type = exceve", "o", "case.yaml:5:16: Case: there is no event exceve; is execve meant?"},
		{"evt.type in (open, opne)", "o", "there is no event opne; is open meant?"},
		{"evt.type != nothing", "o", "there is no event nothing"},
		{"evt.type.is.nothing = 1", "o", "there is no event nothing"},
		{"proc.name[1] = x", "o", "proc.name takes no argument"},
		{"proc.aname[x] = x", "o", "takes a number in brackets"},
		{"container.mount.dest = x", "o", "needs an argument"},
		{"evt.num > 0", "%fd.ip", "goes in conditions"},
		{"evt.num > 0", "%nothing.here", "there is no field nothing.here"},
	} {
		if got := refused(t, tt.condition, tt.output); !strings.Contains(got, tt.want) {
			t.Errorf("%s %s: %q, want %q", tt.condition, tt.output, got, tt.want)
		}
	}
}

func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		condition string
		want      int // kinds of event; -1: very many
	}{
		{"evt.type = open", 1},
		{"evt.type in (open, openat) and not evt.type = open", 1},
		{"evt.type = open or evt.type = unlink", 2},
		{"evt.type = open and evt.type = unlink", 0},
		{"evt.is_open_write = true", 4},
		{"evt.category = memory", 5},
		{"evt.category in (signal, user)", 11},
		{"not (evt.type != open or evt.num = 0)", 1},
		{"evt.arg.oldpath exists", 5},
		{"evt.dir = > and evt.type = open", 0},
		{"(evt.type = connect or evt.type = sendto and fd.l4proto != tcp) and fd.l4proto = tcp", 1},
		{"evt.type = open and proc.name in (a, b) and not proc.name in (b, a, c)", 0},
		{"evt.type = open and proc.name in (a, b) and proc.name = c", 0},
		{"evt.type = open and proc.name in (a, b) and not proc.name = a", 1},
		{"evt.type = open and not proc.name != a and proc.name = b", 1},
		{"evt.type = open and fd.name = /a and fd.name = /b", 0},
		{"evt.type = open and fd.name = /a and fd.name = /proc/self/exe", 1},
		{"proc.name = x", -1},
		{"not evt.type = open", -1},
	} {
		d := detector(t, "syscall", tt.condition, "o")
		if n := len(d.Interest()); n != tt.want && (tt.want >= 0 || n < 100) {
			t.Errorf("%s: %d kinds, want %d", tt.condition, n, tt.want)
		}
	}
}

// TestKnownElsewhere: events that never happen here are no mistake, and those of names that only few systems have.
func TestKnownElsewhere(t *testing.T) {
	if got := refused(t, "evt.type in (switch, page_fault, mq_open, socketcall, pread, pread64, prlimit, container, userevent)", "o"); got != "" {
		t.Error(got)
	}
}

// TestContainerEntrypoint is what upstream's rule about CVE-2019-5736 asks for.
func TestContainerEntrypoint(t *testing.T) {
	const condition = "evt.type in (open,openat,openat2) and evt.is_open_write=true and fd.typechar='f' and fd.num>=0 and container.id != host and (fd.name=/proc/self/exe or fd.name startswith /proc/self/fd/)"
	d := detector(t, "syscall", condition, "file=%fd.name given=%fd.nameraw")
	for _, tt := range []struct {
		given, cwd string
		flags      int
		want       string
	}{
		{"/proc/self/exe", "/", 2, "file=/usr/bin/runc given=/proc/self/exe"},
		{"/proc/self/fd/7", "/", 1, "file=/usr/bin/runc given=/proc/self/fd/7"},
		{"/proc/self/fd/7", "/", 0, ""},
		{"self/exe", "/proc", 1, "file=/usr/bin/runc given=self/exe"},
		{"../proc//self/./exe", "/tmp", 1, "file=/usr/bin/runc given=../proc//self/./exe"},
		{"/usr/bin/runc", "/", 1, ""},
		{"self/exe", "/", 1, ""},
		{"/proc/self/exe/..", "/", 1, ""},
	} {
		e := byPath(opened("/usr/bin/runc", tt.flags, 4), tt.given)
		e.Process.CWD = tt.cwd
		got := ""
		if f := d.Observe(e); len(f) == 1 {
			got = f[0].Evidence[0]
		}
		if got != tt.want {
			t.Errorf("%s in %s: %q, want %q", tt.given, tt.cwd, got, tt.want)
		}
	}
}

// TestListsInCircles: a list that stands for itself is a text there, which is no event.
func TestListsInCircles(t *testing.T) {
	_, problems := New(Options{Files: []File{{"a.yaml", []byte("- list: a\n  items: [b]\n- list: b\n  items: [a]\n- rule: R\n  desc: d\n  condition: evt.type in (a)\n  output: o\n  priority: INFO\n")}}})
	if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Text, "there is no event a") {
		t.Errorf("%v", problems)
	}
}

func TestOtherSources(t *testing.T) {
	_, problems := New(Options{Files: []File{ruleFile("aws_cloudtrail", "ct.name = x", "o")}})
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, "no events of source aws_cloudtrail") {
		t.Errorf("%v", problems)
	}
}

// TestCodes: what is wrong or odd is called as Falco calls it, where it tells of it.
func TestCodes(t *testing.T) {
	_, problems := Validate(File{"a.yaml", []byte(`
- list: forgotten
  items: [a]
- macro: also_forgotten
  condition: evt.type = open
- pattern: x
- list: none
  items: []
- macro: mine
  condition: (proc.name in (none))
  colour: red
- list: none
  append: true
  items: []
- rule: Anything
  desc: d
  condition: proc.name = x
  output: o %container.info
  priority: INFO
- rule: Backwards
  desc: d
  condition: evt.type = open and evt.dir=>
  output: o
  priority: INFO
- rule: Nowhere
  desc: d
  condition: evt.type = open and mine
  output: o
  priority: INFO
- rule: Neither
  desc: d
  condition: evt.type = open and evt.type = close
  output: o
  priority: INFO
- rule: Cloud
  desc: d
  source: okta
  condition: evt.type = open
  output: o
  priority: INFO
- rule: Skipped
  desc: d
  condition: evt.type = open and no.such = 1
  output: o
  priority: INFO
  skip-if-unknown-filter: true
- macro: broken
  condition: evt.type = open and
- rule: Unknown
  desc: d
  condition: no_macro
  output: o
  priority: INFO
- rule: Field
  desc: d
  condition: evt.type = open and no.such = 1
  output: o
  priority: INFO
- rule: Output
  desc: d
  condition: evt.type = open
  output: o %no.such
  priority: INFO
- rule: Format
  desc: d
  condition: evt.type = open
  output: "o %"
  priority: INFO
- rule: Form
  desc: d
  condition: evt.type = open
  output: o
- rule: None
  append: true
  condition: and evt.type = open
- rule: Template
  desc: d
  condition: evt.type = open and mine
  output: o
  priority: INFO
  enabled: false
- rule: Wide
  desc: d
  condition: proc.name = x
  output: o
  priority: INFO
  enabled: false
- list: [x
`)})
	var got []string
	for _, p := range problems {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", p.Line, p.Code, p.Kind, p.Rule)))
	}
	want := []string{
		"2 LOAD_UNUSED_LIST list forgotten", "4 LOAD_UNUSED_MACRO macro also_forgotten", "6 LOAD_UNKNOWN_ITEM", "11 LOAD_UNKNOWN_KEY macro mine",
		"13 LOAD_DEPRECATED_ITEM list none", "18 LOAD_DEPRECATED_ITEM rule Anything",
		"47 LOAD_UNUSED_MACRO macro broken", "48 LOAD_ERR_COMPILE_CONDITION macro broken", "51 LOAD_ERR_VALIDATE rule Unknown", "67 LOAD_ERR_COMPILE_OUTPUT rule Format",
		"69 LOAD_ERR_YAML_VALIDATE rule Form", "73 LOAD_ERR_VALIDATE rule None", "74 LOAD_DEPRECATED_ITEM rule None", "88 LOAD_ERR_YAML_PARSE",
		"17 LOAD_NO_EVTTYPE rule Anything", "22 LOAD_DEPRECATED_ITEM rule Backwards", "22  rule Backwards", "27  rule Nowhere", "32 LOAD_COMPILE_CONDITION rule Neither",
		"35 LOAD_UNKNOWN_SOURCE rule Cloud", "43 LOAD_UNKNOWN_FILTER rule Skipped", "56 LOAD_ERR_COMPILE_CONDITION rule Field", "62 LOAD_ERR_COMPILE_OUTPUT rule Output",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
