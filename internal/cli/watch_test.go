package cli_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"bulwark"
	"bulwark/watch/trace"
)

// TestWatchScripts runs the transcripts in testdata/watch.
func TestWatchScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/watch", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error { e.Setenv("HOME", e.WorkDir); return nil },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"mktrace": mktrace, "code": code},
	})
}

// mktrace records an escape of a container as it would have been seen: mktrace FILE.
func mktrace(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	w, err := trace.NewWriter(f, trace.Header{Node: "host:recorded", Kinds: []string{"execve", "openat"}})
	ts.Check(err)
	w.Accounts = func(*bulwark.Process) string { return "root\x00/root\x00/bin/sh\x00root\x00" }
	box := &bulwark.Container{ID: "1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef", Name: "web", Image: "nginx:1.27", ImageID: "sha256:5e7c", Engine: "docker"}
	up := &bulwark.Process{PID: 10, PPID: 1, Start: 1, Name: "nginx", Exe: "nginx", Path: "/usr/sbin/nginx", Container: box, Cgroup: 7}
	p := &bulwark.Process{PID: 11, PPID: 10, Start: 2, Name: "s\x1b[31mh", Exe: "/bin/sh", Path: "/bin/sh", Args: []string{"-c", "echo x > /proc/sys/kernel/core_pattern\x1b]0;owned\a"}, Parent: up, Container: box, Cgroup: 7}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	opened, _ := bulwark.KindNamed("openat")
	ts.Check(w.Event(&bulwark.Event{Time: at, Kind: bulwark.KindExec, Source: bulwark.SourceSyscall, TID: 11, Process: p}))
	for i := range 3 {
		ts.Check(w.Event(&bulwark.Event{Time: at + int64(i+1)*1e6, Kind: opened, Source: bulwark.SourceSyscall, TID: 11, Result: 3, Process: p,
			Args: []bulwark.Arg{{Num: 3}, {Num: -100}, {Text: []byte("/proc/sys/kernel/core_pattern")}, {Num: 1}},
			FD:   bulwark.FD{Num: 3, Kind: bulwark.FDFile, Name: []byte("/proc/sys/kernel/core_pattern"), Magic: 0x9fa0}}))
	}
	ts.Check(w.Tick(at + 1e9))
	ts.Check(w.Flush())
	ts.Logf("wrote %s", filepath.Base(args[0]))
}
