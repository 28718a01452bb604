package action

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
)

var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestParse(t *testing.T) {
	list, problems := Parse("a.yaml", []byte(`
actions:
  - rules: [drift/*, "falco/terminal-shell"]
    action: kill
    whole: container
    only: {images: ["shop/*"], namespaces: [shop]}
    except: {containers: [debug-*]}
  - action: deny
    name: egress-of-shop
    deed: connect
    allow: [10.0.0.0/8, "10.1.2.3:443/tcp", "[2001:db8::1]:53-54/udp", "*:123", metadata]
  - {rules: [drift/temporary-program], action: deny, deed: exec-below, folders: [/opt/incoming]}
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	at := func(s string, first, last uint16, proto uint8) bulwark.Destination {
		d := bulwark.Destination{Ports: [2]uint16{first, last}, Proto: proto}
		if s != "" {
			d.Net = netip.MustParsePrefix(s)
		}
		return d
	}
	allowed := []bulwark.Destination{at("10.0.0.0/8", 0, 0, 0), at("10.1.2.3/32", 443, 443, 6), at("2001:db8::1/128", 53, 54, 17), at("", 123, 123, 0)}
	for _, p := range Metadata {
		allowed = append(allowed, bulwark.Destination{Net: p})
	}
	want := []Entry{
		{Place: "a.yaml:3", Rules: []string{"drift/*", "falco/terminal-shell"}, Action: Kill, Whole: true, Only: Selection{Images: []string{"shop/*"}, Namespaces: []string{"shop"}}, Except: Selection{Containers: []string{"debug-*"}}},
		{Place: "a.yaml:8", Action: Deny, Deny: &Denial{Name: "egress-of-shop", Block: bulwark.Block{Deed: bulwark.DeedConnect, Except: allowed}}},
		{Place: "a.yaml:12", Rules: []string{"drift/temporary-program"}, Action: Deny, Deny: &Denial{Block: bulwark.Block{Deed: bulwark.DeedExecBelow, Below: []string{"/opt/incoming"}}}},
	}
	if diff := cmp.Diff(want, list, cmpopts.EquateEmpty(), comparePrefixes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is wrong is said, with its place, and all at once.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{rules: [a], action: slay}":                                              `action "slay"`,
		"{rules: [a]}":                                                            "alert, freeze, kill or deny",
		"{action: kill}":                                                          "none is named",
		"{rules: [a], action: kill, deed: mine}":                                  "for action: deny",
		"{rules: [a], action: freeze, whole: container}":                          "whole is for",
		"{rules: [a], action: kill, whole: pod}":                                  `whole: "pod"`,
		"{rules: [a], action: kill, who: me}":                                     "who",
		"{rules: ['[a'], action: kill}":                                           "no pattern",
		"{rules: [''], action: kill}":                                             "no pattern",
		"{action: deny, deed: connect, to: [1.2.3.4]}":                            "needs a name",
		"{action: deny, name: N, deed: connect, to: [1.2.3.4]}":                   `name "N"`,
		"{action: deny, name: n, deed: dream}":                                    `deed "dream"`,
		"{action: deny, name: n, deed: none}":                                     `deed "none"`,
		"{action: deny, name: n, deed: connect}":                                  "needs one of them",
		"{action: deny, name: n, deed: connect, to: [1.2.3.4], allow: [1.2.3.5]}": "needs one of them",
		"{action: deny, name: n, deed: mine, to: [1.2.3.4]}":                      "for deed: connect",
		"{action: deny, name: n, deed: exec-below}":                               "folders",
		"{action: deny, name: n, deed: exec-below, folders: [tmp]}":               "begins with /",
		"{action: deny, name: n, deed: connect, to: ['1.2.3.4:0']}":               "destination",
		"{action: deny, name: n, deed: connect, to: ['1.2.3.4:9-8']}":             "destination",
		"{action: deny, name: n, deed: connect, to: [example.org]}":               "destination",
		"{action: deny, name: n, deed: connect, to: ['1.2.3.4:']}":                "destination",
		"{rules: [a], action: deny, to: [1.2.3.4]}":                               "belong to a deed",
	} {
		list, problems := Parse("a.yaml", []byte("actions:\n  - {rules: [a], action: alert}\n  - "+text+"\n"))
		if len(problems) != 1 || len(list) != 1 || !strings.Contains(problems[0].String(), want) || problems[0].Place != "a.yaml:3" {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
	for _, text := range []string{"rules: []", "actions: 7", "actions: [", "\x00"} {
		if _, problems := Parse("a.yaml", []byte(text)); len(problems) != 1 {
			t.Errorf("%q: %v", text, problems)
		}
	}
	if list, problems := Parse("a.yaml", nil); len(list)+len(problems) > 0 {
		t.Errorf("%v %v", list, problems)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("actions:\n  - {rules: [a], action: kill}\n  - {action: deny, name: n, deed: connect, to: ['1.2.3.4:1-2/udp']}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range firstOf(Parse("f", b)) {
			if strings.Contains(p.String(), "\n") {
				t.Errorf("%q", p.String())
			}
		}
	})
}

func firstOf(_ []Entry, p []Problem) []Problem { return p }

// can are the abilities of a machine with all hooks, or without some.
func can(without ...string) (list []bulwark.Ability) {
	for _, name := range []string{"deny exec-drift", "kill exec-drift", "deny exec-below", "kill exec-memory", "deny connect", "cut mine", "freeze", "kill"} {
		a := bulwark.Ability{Name: name}
		for _, w := range without {
			if strings.HasSuffix(name, w) {
				a.Why = "this kernel is old"
			}
		}
		list = append(list, a)
	}
	return list
}

var some = []bulwark.Rule{{ID: "drift/new-program", Title: "New"}, {ID: "drift/preload"}, {ID: "miner/stratum"}, {ID: "network/metadata"}, {ID: "falco/fits"}, {ID: "falco/more"}, {ID: "network/dns-tunnel"}}

// What cannot be done is refused, each with its place and its reason.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		entry   Entry
		without []string
		want    string
	}{
		{Entry{Rules: []string{"nope/*"}, Action: Kill}, nil, `no rule that is run is called "nope/*"`},
		{Entry{Rules: []string{"drift/*"}, Action: Deny}, nil, "drift/preload: it cannot be denied: no hook"},
		{Entry{Rules: []string{"miner/stratum"}, Action: Deny}, []string{"mine"}, "this kernel cannot stop mine: this kernel is old"},
		{Entry{Rules: []string{"drift/new-program"}, Action: Deny}, []string{"deny exec-drift", "kill exec-drift"}, "this kernel cannot stop exec-drift"},
		{Entry{Rules: []string{"drift/new-program"}, Action: Deny}, []string{"deny exec-drift"}, ""},
		{Entry{Rules: []string{"drift/preload"}, Action: Freeze}, []string{"freeze"}, "freeze cannot be done here: this kernel is old"},
		{Entry{Rules: []string{"drift/preload"}, Action: Kill}, []string{"kill"}, "kill cannot be done here"},
		{Entry{Rules: []string{"drift/preload"}, Action: Kill}, nil, ""},
		{Entry{Rules: []string{"falco/fits"}, Action: Deny}, nil, ""},
		{Entry{Rules: []string{"falco/more"}, Action: Deny}, nil, "it also asks for proc.name"},
		{Entry{Rules: []string{"falco/more"}, Action: Deny, Deny: &Denial{Block: bulwark.Block{Deed: bulwark.DeedExecDrift}}}, nil, ""},
		{Entry{Action: Deny, Deny: &Denial{Name: "n", Block: bulwark.Block{Deed: bulwark.DeedConnect}}}, []string{"connect"}, "deny/n: it cannot be denied"},
	} {
		tt.entry.Place = "p:1"
		asked := map[string]Asked{"falco/fits": {Block: bulwark.Block{Deed: bulwark.DeedExecDrift}}, "falco/more": {Why: "it also asks for proc.name"}}
		_, problems := New(Options{Entries: []Entry{tt.entry}, Rules: some, Asked: asked, Abilities: can(tt.without...)})
		if tt.want == "" && len(problems) > 0 || tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), tt.want) || problems[0].Place != "p:1") {
			t.Errorf("%+v: %v, want %q", tt.entry, problems, tt.want)
		}
	}
}

func box(id, image, namespace string) *bulwark.Container {
	c := &bulwark.Container{ID: id, Name: "name-" + id, Image: image, Cgroup: "/docker/" + id, PID: 7}
	if namespace != "" {
		c.Pod = &bulwark.PodRef{Namespace: namespace}
	}
	return c
}

func set(t *testing.T, entries ...Entry) *Set {
	t.Helper()
	s, problems := New(Options{Entries: entries, Rules: some, Abilities: can()})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// said are blocks in short.
func said(list []bulwark.Block) (short []string) {
	for _, b := range list {
		where := b.Scope.Path
		if b.Scope.New {
			where = "new"
		}
		short = append(short, fmt.Sprintf("%s %s %s %d", where, b.Rule, b.Deed, b.Scope.PID))
	}
	return short
}

func TestBlocks(t *testing.T) {
	web, tools, system := box("1", "shop/web:1", "shop"), box("2", "shop/tools@sha256:ab", ""), box("3", "proxy", "kube-system")
	young := box("4", "shop/web:2", "")
	young.PID = 0
	all := []*bulwark.Container{web, tools, system, young}
	for name, tt := range map[string]struct {
		entries []Entry
		want    []string
	}{
		"all but some": {[]Entry{{Rules: []string{"drift/new-program"}, Action: Deny, Except: Selection{Images: []string{"shop/tools"}}}},
			[]string{"new drift/new-program exec-drift 0", "/docker/1 drift/new-program exec-drift 7", "/docker/2  none 0", "/docker/3  none 0", "/docker/4 drift/new-program exec-drift 0"}},
		"some": {[]Entry{{Rules: []string{"miner/stratum"}, Action: Deny, Only: Selection{Images: []string{"shop/web"}}}},
			[]string{"/docker/1 miner/stratum mine 7", "/docker/4 miner/stratum mine 0"}},
		"by namespace": {[]Entry{{Rules: []string{"miner/stratum"}, Action: Deny, Only: Selection{Namespaces: []string{"shop", "kube-system"}}}},
			[]string{"/docker/1 miner/stratum mine 7"}},
		"the first entry decides": {[]Entry{{Rules: []string{"miner/*"}, Action: Alert, Only: Selection{Containers: []string{"name-1", "4"}}}, {Rules: []string{"miner/stratum"}, Action: Deny, Only: Selection{Images: []string{"shop/*"}}}},
			[]string{"/docker/2 miner/stratum mine 7"}},
		"nothing for those to come, which is let be by the first entry": {[]Entry{{Rules: []string{"miner/*"}, Action: Alert}, {Rules: []string{"miner/stratum"}, Action: Deny}}, nil},
		"folders need a process": {[]Entry{{Action: Deny, Deny: &Denial{Name: "n", Block: bulwark.Block{Deed: bulwark.DeedExecBelow, Below: []string{"/tmp"}}}}},
			[]string{"/docker/1 deny/n exec-below 7", "/docker/2 deny/n exec-below 7"}},
		"what the rule asks of the container": {[]Entry{{Rules: []string{"miner/stratum"}, Action: Deny, Holds: func(c *bulwark.Container) bool { return c != nil && c.Image == "proxy" || c.ID == "2" }}},
			[]string{"/docker/2 miner/stratum mine 7"}},
	} {
		if diff := cmp.Diff(tt.want, said(set(t, tt.entries...).blocks(all))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	own := set(t, Entry{Rules: []string{"miner/stratum"}, Action: Deny, Only: Selection{Images: []string{"shop/*"}}})
	own.own = []string{"/docker/1/inner"}
	if got := said(own.blocks([]*bulwark.Container{web})); got != nil {
		t.Errorf("bulwark's own container is stopped: %v", got)
	}
}

func TestRespond(t *testing.T) {
	var mu sync.Mutex
	var did []string
	do := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		did = append(did, s)
	}
	fail := errors.New("the kernel is in the way")
	s := set(t, Entry{Rules: []string{"network/dns-tunnel"}, Action: Kill, Whole: true}, Entry{Rules: []string{"drift/preload"}, Action: Freeze}, Entry{Rules: []string{"drift/*"}, Action: Kill, Whole: true, Only: Selection{Images: []string{"web"}}},
		Entry{Rules: []string{"drift/*"}, Action: Kill}, Entry{Rules: []string{"miner/stratum"}, Action: Deny}, Entry{Rules: []string{"network/*"}, Action: Alert})
	s.hands = Hands{
		Freeze: func(_ context.Context, cgroup string) error { do("freeze " + cgroup); return nil },
		FreezeTree: func(_ context.Context, pid int, _ int64) ([]string, error) {
			do(fmt.Sprint("stop ", pid))
			return []string{"x (9)"}, nil
		},
		KillContainer: func(_ context.Context, cgroup string) ([]string, error) { do("kill " + cgroup); return nil, fail },
		KillTree: func(_ context.Context, cgroup string, pid int, _ int64) ([]string, error) {
			do(fmt.Sprintf("kill %s %d", cgroup, pid))
			return []string{"sh (9)", "nc (10)"}, nil
		},
	}
	s.containers = func() []*bulwark.Container { return []*bulwark.Container{box("8", "", "")} }
	in := func(c *bulwark.Container) *bulwark.Process {
		return &bulwark.Process{PID: 9, Start: 3, Name: "sh", Path: "/bin/sh", PPID: 5, Container: c}
	}
	daemon := &bulwark.Process{PID: 9, Name: "dockerd", Path: "/usr/bin/dockerd", PPID: 1}
	for _, tt := range []struct {
		rule string
		p    *bulwark.Process
		did  string
		want string // what is told; "": nothing is done
	}{
		{"drift/new-program", in(box("1", "web:1", "")), "kill /docker/1", "not killed: the kernel is in the way"},
		{"drift/new-program", in(box("1", "db", "")), "kill /docker/1 9", "killed: sh (9), nc (10)"},
		{"drift/new-program", in(nil), "kill  9", "killed: sh (9), nc (10)"},
		{"drift/new-program", daemon, "", "not killed: containers and logins depend on dockerd"},
		{"drift/new-program", in(box("1", "db", "kube-system")), "", "not killed: namespace kube-system"},
		{"drift/new-program", nil, "", "not killed: it is no single process's doing"},
		{"drift/preload", in(box("1", "db", "")), "freeze /docker/1", "frozen: the container stands still until 0 is written to cgroup.freeze, and THAWED to freezer.state, where its cgroup has them: /docker/1"},
		{"drift/preload", in(nil), "stop 9", "frozen: x (9)"},
		{"drift/preload", in(&bulwark.Container{ID: "5"}), "", "not frozen: the control group"},
		{"miner/stratum", in(nil), "", ""},
		{"network/metadata", in(nil), "", ""},
		{"falco/fits", in(nil), "", ""},
		{"network/dns-tunnel", nil, "kill /docker/8", "not killed: the kernel"},
	} {
		did = nil
		f := bulwark.Finding{Rule: tt.rule}
		if tt.rule == "network/dns-tunnel" { // it is no single event's
			f.Container = &bulwark.ContainerRef{ID: "8"}
		}
		r := s.Respond(&f, tt.p)
		if (r == nil) != (tt.want == "") {
			t.Errorf("%+v: nothing is done: %v", tt, r == nil)
			continue
		}
		if r == nil {
			continue
		}
		got := r()
		if strings.Join(did, ", ") != tt.did || !strings.HasPrefix(got.Text, tt.want) || got.Done == strings.HasPrefix(got.Text, "not ") {
			t.Errorf("%s of %+v: %v %+v, want %q %q", tt.rule, tt.p, did, got, tt.did, tt.want)
		}
	}
}

// Many findings about one container are one deed.
func TestRespondOnce(t *testing.T) {
	s := set(t, Entry{Rules: []string{"drift/*"}, Action: Freeze})
	count, hold := 0, make(chan struct{})
	s.hands.Freeze = func(context.Context, string) error { count++; <-hold; return nil }
	var all sync.WaitGroup
	for range 20 {
		do := s.Respond(&bulwark.Finding{Rule: "drift/preload"}, &bulwark.Process{PID: 9, Container: box("1", "", "")})
		all.Go(func() {
			if r := do(); !r.Done {
				t.Errorf("%+v", r)
			}
		})
	}
	time.AfterFunc(20*time.Millisecond, func() { close(hold) })
	all.Wait()
	if count < 1 || count > 20 {
		t.Error(count)
	}
}

// fake is a guard that takes all but some.
type fake struct {
	bulwark.Guard
	loads  [][]bulwark.Block
	refuse string // of this path
}

func (g *fake) Load(list []bulwark.Block) error {
	var errs []error
	for i, b := range list {
		if g.refuse != "" && b.Scope.Path == g.refuse {
			errs = append(errs, &bulwark.BlockError{Index: i, Err: fmt.Errorf("its root is no overlay: %w", bulwark.ErrUnsupported)})
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	g.loads = append(g.loads, list)
	return nil
}

// A container for which it cannot be had keeps no other from it, and is told of once.
func TestKeeper(t *testing.T) {
	g := &fake{refuse: "/docker/2"}
	var notes []string
	list := []*bulwark.Container{box("1", "", ""), box("2", "", "")}
	k := &Keeper{Set: set(t, Entry{Rules: []string{"drift/new-program"}, Action: Deny}), Guard: g, Containers: func() []*bulwark.Container { return list }, Note: func(s string) { notes = append(notes, s) }}
	k.files.Hierarchies = []string{t.TempDir()}
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		k.apply()
	}
	last := g.loads[len(g.loads)-1]
	if diff := cmp.Diff([]string{"new drift/new-program exec-drift 0", "/docker/1 drift/new-program exec-drift 0"}, said(last)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "no overlay") {
		t.Errorf("%q", notes)
	}
	list = list[:1]
	k.apply()
	before := len(g.loads)
	k.apply()
	if len(g.loads) != before {
		t.Error("what is in force is loaded again")
	}
}

func TestFinding(t *testing.T) {
	s := set(t, Entry{Rules: []string{"drift/new-program"}, Action: Deny})
	at := netip.MustParseAddrPort("1.2.3.4:3333")
	for _, tt := range []struct {
		d          bulwark.Decision
		rule, text string
		done       bool
	}{
		{bulwark.Decision{Rule: "drift/new-program", Deed: bulwark.DeedExecDrift, Act: bulwark.Denied, PID: 9, Name: "sh", Path: "/x"}, "drift/new-program", "denied: sh (9) wanted to execute /x (exec-drift)", true},
		{bulwark.Decision{Rule: "drift/new-program", Deed: bulwark.DeedExecDrift, Act: bulwark.Killed, PID: 9, Name: "sh", Path: "/x"}, "drift/new-program", "killed before its first instruction: /x (exec-drift)", true},
		{bulwark.Decision{Rule: "n", Deed: bulwark.DeedConnect, Act: bulwark.Denied, PID: 9, Name: "nc", Remote: at}, "n", "denied: nc (9) wanted to reach 1.2.3.4:3333", true},
		{bulwark.Decision{Rule: "n", Deed: bulwark.DeedMine, Act: bulwark.Cut, Remote: at}, "n", "cut: a process spoke stratum to 1.2.3.4:3333; the packet was dropped", true},
		{bulwark.Decision{Act: bulwark.Passed, PID: 9}, "deny/undecided", "let pass: process 9 executed something, and what it was could not be told in time", false},
	} {
		f := s.Finding(tt.d)
		if f.Rule != tt.rule || f.Evidence[0] != tt.text || f.Response.Done != tt.done || f.Title == "" {
			t.Errorf("%+v: %+v %+v", tt.d, f, f.Response)
		}
	}
}

// What the docs show is taken.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/blocking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "```yaml\n")
	text, _, ok := strings.Cut(text, "```")
	list, problems := Parse("docs", []byte(text))
	if !ok || len(list) < 5 || len(problems) > 0 {
		t.Errorf("%d entries, %v", len(list), problems)
	}
}
