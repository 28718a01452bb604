package cli_test

import (
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"bulwark"
	"bulwark/watch/trace"
)

// TestSensitiveScripts runs the transcripts in testdata/sensitive.
func TestSensitiveScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/sensitive", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error { e.Setenv("HOME", e.WorkDir); return nil },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"mktouched": mktouched, "code": code},
	})
}

// mktouched records who touches what a pod has of Secrets, CSI and Vault: mktouched FILE.
func mktouched(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	w, err := trace.NewWriter(f, trace.Header{Node: "host:recorded", Kinds: []string{"execve", "openat", "unlinkat", "renameat2", "fchmodat"}})
	ts.Check(err)
	w.Accounts = func(*bulwark.Process) string { return "root\x00/root\x00/bin/sh\x00root\x00" }
	const pods = "/var/lib/kubelet/pods/0a/volumes/"
	box := &bulwark.Container{ID: "1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef", Name: "pay", Image: "shop/pay:1", ImageID: "sha256:5e7c", Engine: "containerd",
		Pod: &bulwark.PodRef{Namespace: "shop", Name: "pay-0"}, Mounts: []bulwark.Mount{
			{Source: pods + "kubernetes.io~secret/db", Dest: "/etc/db"}, {Source: pods + "kubernetes.io~csi/store/mount", Dest: "/mnt/store"}, {Source: pods + "kubernetes.io~empty-dir/vault", Dest: "/vault/secrets"},
		}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	one := func(pid int, program, kind string, values map[string]bulwark.Arg, opened string) {
		p := &bulwark.Process{PID: pid, PPID: 1, Start: int64(pid), Name: "x", Exe: program, Path: program, Container: box, Cgroup: 7, File: bulwark.Program{Lower: true}, CWD: "/"}
		k, _ := bulwark.KindNamed(kind)
		e := &bulwark.Event{Time: at, Kind: k, Source: bulwark.SourceSyscall, TID: pid, Process: p, FD: bulwark.FD{Num: -1}, Args: make([]bulwark.Arg, len(k.Params()))}
		for i, param := range k.Params() {
			e.Args[i] = values[param.Name]
		}
		if opened != "" {
			e.Result, e.FD = 3, bulwark.FD{Num: 3, Kind: bulwark.FDFile, Name: []byte(opened)}
		}
		at += 1e6
		ts.Check(w.Event(e))
	}
	open := func(pid int, program, file string, flags int64) {
		one(pid, program, "openat", map[string]bulwark.Arg{"name": {Text: []byte(file)}, "flags": {Num: flags}}, file)
	}
	open(10, "/usr/bin/pay", "/etc/db/password", 0)     // may
	open(11, "/bin/cat", "/etc/db/password", 0)         // reads
	open(12, "/bin/cp", "/etc/db/password", 0)          // copies
	open(10, "/usr/bin/pay", "/mnt/store/api-key", 0)   // nobody is named
	open(13, "/bin/sh", "/vault/secrets/token", 0)      // everybody may
	open(13, "/bin/sh", "/vault/secrets/token", 0o1001) // changes
	one(14, "/bin/rm", "unlinkat", map[string]bulwark.Arg{"dirfd": {Num: 4}, "name": {Text: []byte("/vault/secrets/token")}}, "")
	one(15, "/bin/chmod", "fchmodat", map[string]bulwark.Arg{"dirfd": {Num: -100}, "filename": {Text: []byte("vault/secrets/token")}, "mode": {Num: 0o666}}, "")
	open(16, "/bin/cat", "/etc/dbx/password", 0) // another
	ts.Check(w.Tick(at + 1e9))
	ts.Check(w.Flush())
}
