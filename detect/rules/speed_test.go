package rules

import (
	"testing"

	"bulwark"
)

// busy are events as nodes have them all the time: rules look at them, and none matches.
func busy() []*bulwark.Event {
	list := []*bulwark.Event{
		opened("/usr/lib/x86_64-linux-gnu/libc.so.6", 0o2000000, 5), opened("/proc/self/stat", 0, 5), opened("/var/lib/app/data", 0o1102, 5),
		opened("/etc/ld.so.cache", 0o2000000, 5), opened("missing.conf", 0, -2), connected("10.0.0.8:5432", 0),
		put("dup2", nil), put("sendto", nil), put("execve", nil), put("unlink", map[string]any{"path": "/tmp/x"}),
	}
	for _, e := range list {
		e.Process.Path, e.Process.Exe, e.Process.Name = "/usr/bin/app", "/usr/bin/app", "app"
		e.Process.Args = []string{"--config", "/etc/app.yaml", "--listen", "0.0.0.0:80", "serve"}
		e.Process.File = bulwark.Program{Lower: true}
		e.Process.Parent.Container.Privileged = false
		if e.Kind == bulwark.KindExec {
			e.Args = nil
		}
	}
	return list
}

func TestNoAllocation(t *testing.T) {
	d, _ := New(options(stable(t)))
	for _, e := range busy() {
		for _, f := range d.Observe(e) {
			t.Errorf("%s %s matches: %s", e.Kind, e.FD.Name, f.Alert.Output)
		}
		if n := testing.AllocsPerRun(200, func() { d.Observe(e) }); n != 0 {
			t.Errorf("%s %s: %v allocations", e.Kind, e.FD.Name, n)
		}
	}
}

// TestNoAllocationOfFields tries each of the conformance cases that has one condition after the other.
func TestNoAllocationOfConditions(t *testing.T) {
	d := dice{rnd(9)}
	for range 200 {
		det := detector(t, "syscall", "evt.num = 1 and "+d.condition(3), "x")
		e := d.event()
		det.Observe(e)
		if n := testing.AllocsPerRun(20, func() { det.Observe(e) }); n != 0 {
			t.Errorf("%s: %v allocations", det.rules[0].Text, n)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	d, _ := New(options(stable(b)))
	list := busy()
	for b.Loop() {
		for _, e := range list {
			d.Observe(e)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkNew(b *testing.B) {
	o := options(stable(b))
	for b.Loop() {
		d, _ := New(o)
		d.Interest()
	}
}
