package bulwark

import "testing"

// TestKinds holds that every kind has a name that finds it, and that each parameter has a type.
func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if got, ok := KindNamed(k.String()); !ok || got != k {
			t.Errorf("%v is found as %v", k, got)
		}
		for _, p := range k.Params() {
			if p.Name == "" || (p.Type == ParamFlags || p.Type == ParamEnum) != (p.Names != "") {
				t.Errorf("%v: %+v", k, p)
			}
		}
	}
	for _, k := range []Kind{KindClone, KindExit, KindExec, KindDNS, KindPayload, KindFlow, KindCgroupMade, KindCgroupGone, KindOOM, KindSignal, KindIOURing, KindContainer, KindK8sAudit, KindDrop, KindStall, KindEngine, KindSyscallUsed, KindCapabilityUsed, KindUsage} {
		if k == 0 {
			t.Error("a kind that code speaks of is not in the table")
		}
	}
	if !KindExec.Syscall() || KindExit.Syscall() {
		t.Error("execve is a system call, procexit is none")
	}
}

// TestEvent holds what a copy of an event shares.
func TestEvent(t *testing.T) {
	open, _ := KindNamed("openat")
	e := &Event{Kind: open, Args: []Arg{{Num: 3}, {Num: -100}, {Text: []byte("/etc/shadow")}}}
	c := e.Clone()
	copy(e.Args[2].Text, "/xxx")
	if a, ok := c.Arg("name"); !ok || string(a.Text) != "/etc/shadow" {
		t.Errorf("name %q, %v", a.Text, ok)
	}
	if _, ok := c.Arg("mode"); ok {
		t.Error("an argument that was not given is there")
	}
}
