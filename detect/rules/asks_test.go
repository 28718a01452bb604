package rules

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
)

// What a rule asks for is stopped exactly, or it is said why it cannot be.
func TestAsks(t *testing.T) {
	net := func(s string, port uint16, proto uint8) bulwark.Destination {
		return bulwark.Destination{Net: netip.MustParsePrefix(s), Ports: [2]uint16{port, port}, Proto: proto}
	}
	for condition, want := range map[string]Ask{
		"evt.type in (execve, execveat) and container.id != host and proc.is_exe_upper_layer=true and not container.image.repository in (spared) and not evt.num=0": {Block: bulwark.Block{Deed: bulwark.DeedExecDrift}},
		"evt.type=execve and proc.is_exe_from_memfd = true":                                            {Block: bulwark.Block{Deed: bulwark.DeedExecMemory}},
		"evt.type=execve and proc.exepath startswith /dev/shm/":                                        {Block: bulwark.Block{Deed: bulwark.DeedExecBelow, Below: []string{"/dev/shm/"}}},
		"evt.type=execve and proc.exepath pmatch (/tmp, /var/tmp)":                                     {Block: bulwark.Block{Deed: bulwark.DeedExecBelow, Below: []string{"/tmp", "/var/tmp"}}},
		"evt.type=execve and proc.exepath startswith /tmp":                                             {Why: "it also asks for proc.exepath"},
		"evt.type=connect and fd.sip=169.254.169.254":                                                  {Block: bulwark.Block{Deed: bulwark.DeedConnect, Nets: []bulwark.Destination{net("169.254.169.254/32", 0, 0)}}},
		`evt.type=connect and fd.snet in ("10.0.0.0/8") and fd.sport in (22, 23) and fd.l4proto=tcp`:   {Block: bulwark.Block{Deed: bulwark.DeedConnect, Nets: []bulwark.Destination{net("10.0.0.0/8", 22, 6), net("10.0.0.0/8", 23, 6)}}},
		"evt.type=connect and fd.sip=1.2.3.4 and evt.rawres >= 0 and (fd.typechar=4 or fd.typechar=6)": {Block: bulwark.Block{Deed: bulwark.DeedConnect, Nets: []bulwark.Destination{net("1.2.3.4/32", 0, 0)}}},
		"evt.type=connect and fd.sip=1.2.3.4 and proc.name=nc":                                         {Why: "it also asks for proc.name"},
		"evt.type=connect and fd.sip!=1.2.3.4":                                                         {Why: "it also asks for fd.sip"},
		"evt.type=connect and container.id != host":                                                    {Why: "it names no address"},
		"evt.type in (open, openat) and fd.name=/etc/shadow":                                           {Why: "it also asks for fd.name"},
		"evt.type=ptrace and container.id != host":                                                     {Why: "no hook stops ptrace"},
		"evt.type=execve and not proc.is_exe_upper_layer=true":                                         {Why: "it also asks for proc.is_exe_upper_layer"},
		"evt.type=execve and proc.is_exe_upper_layer=true and proc.is_exe_from_memfd=true":             {Why: "it asks for several things"},
		"evt.type=execve and (proc.is_exe_upper_layer=true or proc.name=x)":                            {Why: "it also asks for proc.is_exe_upper_layer"},
		"evt.type=execve and tolower(proc.exepath) startswith /tmp/":                                   {Why: "it also asks for a transformer"},
		"evt.type in (execve, connect) and fd.sip=1.2.3.4":                                             {Why: "no hook stops"},
		"evt.type=execve and container.id != host":                                                     {Why: "it is about what any program may be"},
	} {
		text := "- list: spared\n  items: [tools]\n- rule: One\n  desc: d\n  condition: >\n    " + condition + "\n  output: o\n  priority: ERROR\n  action: deny\n"
		d, problems := New(Options{Files: []File{{Name: "r.yaml", Data: []byte(text)}}})
		asks := d.Asks()
		if len(asks) != 1 {
			t.Errorf("%s: %v", condition, problems)
			continue
		}
		got := asks[0]
		if got.Rule != "falco/one" || got.Action != "deny" || got.Place != "r.yaml:9:11" {
			t.Errorf("%s: %+v", condition, got)
		}
		if !strings.HasPrefix(got.Why, want.Why) || want.Why == "" && got.Why != "" {
			t.Errorf("%s: %q, want %q", condition, got.Why, want.Why)
		}
		if diff := cmp.Diff(want.Block, got.Block, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); want.Why == "" && diff != "" {
			t.Errorf("%s (-want +got):\n%s", condition, diff)
		}
	}
}

func TestAskHolds(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "falco", "falco_rules.yaml"))
	if err != nil {
		t.Skip("the upstream rules are not here: ", err)
	}
	more := "- list: known_drop_and_execute_containers\n  items: [registry.example/tools]\n  append: false\n"
	d, _ := New(Options{Files: []File{{Name: "up.yaml", Data: data}, {Name: "own.yaml", Data: []byte(more)}}})
	can := map[string]Ask{}
	for _, a := range d.Asks() {
		if a.Why == "" {
			can[a.Rule] = a
		}
	}
	a, ok := can["falco/drop-and-execute-new-binary-in-container"]
	if !ok || a.Block.Deed != bulwark.DeedExecDrift || a.Holds == nil {
		t.Fatalf("%+v", can)
	}
	for image, want := range map[string]bool{"registry.example/tools:1": false, "registry.example/web:1": true} {
		if got := a.Holds(&bulwark.Container{ID: "0123456789abcdef", Image: image}); got != want {
			t.Errorf("it holds for %s: %v", image, got)
		}
	}
	if a.Holds(nil) {
		t.Error("it holds for the node")
	}
}
