package rules

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"bulwark"
)

const (
	testBoot = 1_700_000_000_000_000_000
	testNow  = testBoot + 1_000_000_000_000
)

// family is a shell in a container, below a web server, and what is above both.
func shellProcess() *bulwark.Process {
	initProc := &bulwark.Process{PID: 1, Start: 1, Name: "systemd", Exe: "/sbin/init", Path: "/usr/lib/systemd/systemd", PGID: 1, SID: 1}
	shim := &bulwark.Process{PID: 400, PPID: 1, Start: 400e9, Name: "containerd-shim", Exe: "shim", Path: "/usr/bin/shim", Args: []string{"-namespace", "moby"}, Parent: initProc, PGID: 400, SID: 400, Env: []string{"TRACE=1", "ONLY=shim"}}
	box := &bulwark.Container{
		ID: "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e", Name: "web", Engine: "docker", Image: "registry.example:5000/team/web:1.2",
		ImageID: "sha256:6f7e2741b66b", Digest: "sha256:d977", Labels: map[string]string{"app": "web", "tier": "front"}, IP: "10.1.2.3",
		Mounts:     []bulwark.Mount{{Source: "/proc", Dest: "/host/proc", Mode: "ro"}, {Source: "/var/data", Dest: "/data", Mode: "z", Write: true, Propagation: "rprivate"}},
		Privileged: true, HostPID: true, HostIPC: true, Started: testBoot + 500e9, Cgroup: "/docker/3ad7",
		Pod: &bulwark.PodRef{Namespace: "shop", Name: "web-0", UID: "uid-1", IP: "10.1.2.9", Sandbox: "63060edc2d3aa803ab559f2393776b15", Labels: map[string]string{"run": "web"}},
	}
	web := &bulwark.Process{PID: 500, PPID: 400, VPID: 1, VPGID: 1, VSID: 1, PGID: 500, SID: 500, Start: 500e9, Name: "nginx", Exe: "nginx", Path: "/usr/sbin/nginx", Args: []string{"-g", "daemon off;"}, Parent: shim, Container: box, Env: []string{"TRACE=2"}}
	return &bulwark.Process{
		PID: 600, PPID: 500, VPID: 7, VPGID: 7, VSID: 1, PGID: 600, SID: 500, Start: 990e9, Name: "sh", Exe: "/bin/sh", Path: "/usr/bin/dash",
		Args: []string{"-c", "id; cat /etc/passwd"}, Env: []string{"HOME=/root", "PATH=/bin"}, CWD: "/tmp", TTY: 34816, UID: 0, GID: 0, Login: 1000,
		Permitted: 1<<21 | 1<<1, Effective: 1 << 21, Inheritable: 1 << 7, Parent: web, Container: box,
		File:  bulwark.Program{Inode: 77, Device: 5, Changed: testBoot + 980e9, Modified: testBoot + 970e9, Upper: true, Memory: true, Writable: true},
		Stdio: [3]bulwark.FDKind{bulwark.FDIPv4, bulwark.FDPipe, bulwark.FDFile},
	}
}

// put makes an event with arguments by name.
func put(kind string, args map[string]any) *bulwark.Event {
	k := named(kind)
	if k == 0 {
		panic(kind)
	}
	e := &bulwark.Event{Num: 5, Time: testNow, CPU: 3, Source: bulwark.SourceSyscall, Kind: k, TID: 600, Process: shellProcess()}
	e.FD.Num = -1
	for _, p := range k.Params() {
		var a bulwark.Arg
		switch x := args[p.Name].(type) {
		case int:
			a.Num = int64(x)
		case string:
			a.Text = []byte(x)
		}
		e.Args = append(e.Args, a)
	}
	return e
}

func opened(path string, flags int, result int64) *bulwark.Event {
	e := put("openat", map[string]any{"fd": int(result), "dirfd": cwdFD, "name": path, "flags": flags, "mode": 0o755})
	e.Result = result
	if result >= 0 {
		e.FD = bulwark.FD{Num: int(result), Kind: bulwark.FDFile, Name: []byte(path), Raw: []byte(path), Upper: true, Inode: 99, Device: 8<<20 | 1}
	}
	return e
}

// byPath is the event of the same file opened by another path.
func byPath(e *bulwark.Event, given string) *bulwark.Event {
	e.FD.Raw, e.Args[2].Text = []byte(given), []byte(given)
	return e
}

func connected(to string, result int64) *bulwark.Event {
	e := put("connect", nil)
	e.Result = result
	e.Args[0].Num = result
	e.FD = bulwark.FD{Num: 4, Kind: bulwark.FDIPv4, Proto: 6, Local: netip.MustParseAddrPort("10.1.2.3:40000"), Remote: netip.MustParseAddrPort(to), Connected: true}
	return e
}

// scenes are events that cases are about.
func scenes() map[string]*bulwark.Event {
	exec := put("execve", nil)
	exec.Args = nil
	host := put("execve", nil)
	host.Args = nil
	host.Process.Container, host.Process.Parent = nil, nil
	stranger := put("execve", nil)
	stranger.Args = nil
	stranger.Process.UID, stranger.Process.GID, stranger.Process.Login = 4711, 4712, ^uint32(0)
	failedOpen := opened("../../etc/shadow", 0, -2)
	folder := opened("/var/log", 0o200000, 5)
	folder.FD.Kind = bulwark.FDDirectory
	linked, nearby := byPath(opened("/usr/bin/dash", 1, 4), "/proc/self/exe"), byPath(opened("/var/x", 1, 4), "../proc/./self//fd/3")
	send := connected("8.8.8.8:53", 42)
	send.Kind = named("sendto")
	send.Args = []bulwark.Arg{{Num: 42}, {Text: []byte("\x01\x02query")}, {Num: 4}, {Num: 42}}
	send.FD.Proto, send.FD.Connected = 17, false
	accept := connected("192.0.2.7:5555", 9)
	accept.Kind, accept.Args = named("accept4"), []bulwark.Arg{{Num: 9}}
	accept.FD.Num, accept.FD.Server, accept.FD.Local = 9, true, netip.MustParseAddrPort("10.1.2.3:22")
	unix := put("connect", nil)
	unix.FD = bulwark.FD{Num: 3, Kind: bulwark.FDUnix, Name: []byte("/dev/log")}
	read := opened("/var/lib/x", 0, 12)
	read.Kind, read.Args = named("read"), []bulwark.Arg{{Num: 12}, {Text: []byte("hello \xca\xfe world")}, {Num: 3}, {Num: 12}}
	write := opened("/dev/log", 1, 5)
	write.Kind, write.Args = named("write"), []bulwark.Arg{{Num: 5}, {Text: []byte("abcde")}, {Num: 3}, {Num: 5}}
	pread := opened("/var/lib/x", 0, 12)
	pread.Kind, pread.Args = named("pread64"), []bulwark.Arg{{Num: 12}}
	mapped := put("mmap", map[string]any{"res": -12})
	mapped.Result = -12
	audit := &bulwark.Event{Num: 6, Time: testNow, Source: bulwark.SourceK8sAudit, Kind: bulwark.KindK8sAudit, Doc: []byte(auditDoc)}
	engine := &bulwark.Event{Num: 7, Time: testNow, Source: bulwark.SourceEngine, Kind: bulwark.KindEngine, Args: []bulwark.Arg{{Text: []byte("die")}}, Doc: []byte(`{"exit":137}`)}
	return map[string]*bulwark.Event{
		"exec": exec, "host": host, "stranger": stranger, "open": opened("/etc/shadow", 0o1101, 4), "read-only": opened("/etc/passwd", 0, 4), "failed": failedOpen, "folder": folder, "linked": linked, "nearby": nearby,
		"connect": connected("93.184.216.34:443", -115), "send": send, "accept": accept, "unix": unix, "read": read, "write": write, "pread": pread, "mmap": mapped,
		"rename":  put("renameat2", map[string]any{"olddirfd": cwdFD, "oldpath": "a/../b", "newdirfd": cwdFD, "newpath": "/etc/x", "flags": 1}),
		"symlink": put("symlink", map[string]any{"target": "/etc/shadow", "linkpath": "s"}),
		"unlink":  put("unlink", map[string]any{"path": "gone"}),
		"chmod":   put("chmod", map[string]any{"filename": "/tmp/x", "mode": 0o4755}),
		"ptrace":  put("ptrace", map[string]any{"request": 16, "pid": 500}),
		"setuid":  put("setuid", map[string]any{"uid": 0, "euid": 0}),
		"unshare": put("unshare", map[string]any{"flags": 0x10020000}),
		"mount":   put("mount", map[string]any{"dev": "/dev/sda", "dir": "/mnt", "type": "ext4", "flags": 1 | 4096}),
		"socket":  put("socket", map[string]any{"fd": 3, "domain": 17, "type": 3, "proto": 768}),
		"kill":    put("kill", map[string]any{"pid": 1, "sig": 9}),
		"audit":   audit, "engine": engine,
	}
}

const auditDoc = `{"auditID":"a-1","stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/shop/pods/web/exec?command=sh&command=-c&container=web",
"user":{"username":"eve","groups":["dev","ops"]},"impersonatedUser":{"username":"admin"},"sourceIPs":["192.0.2.1"],"userAgent":"kubectl/1.30",
"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC","authorization.openshift.io/decision":"yes","authentication.openshift.io/username":"eve2","cluster":"c1","validation.policy.admission.k8s.io/validation_failure":"[{\"policy\":\"p\"}]","pod-security.kubernetes.io/audit-violations":"would violate restricted"},
"objectRef":{"resource":"pods","subresource":"exec","namespace":"shop","name":"web"},"responseStatus":{"code":201,"reason":"Created"},"responseObject":{"metadata":{"name":"web-1"}},
"requestObject":{"data":{"key":"value"},"subjects":[{"kind":"User","name":"eve"},{"kind":"Group","name":"ops"},{"kind":"ServiceAccount","name":"builder","namespace":"ci"},{"kind":"ServiceAccount","name":"lost"}],"roleRef":{"name":"cluster-admin"},
"rules":[{"apiGroups":[""],"resources":["pods","secrets"],"verbs":["get","*"]},{"nonResourceURLs":["/healthz"],"verbs":["list"]}],
"spec":{"type":"NodePort","ports":[{"port":80}],"hostPID":true,"hostIPC":true,"hostNetwork":true,"securityContext":{"runAsUser":5,"runAsGroup":6,"fsGroup":7,"supplementalGroups":[8,9]},
"volumes":[{"name":"v","hostPath":{"path":"/etc"}},{"name":"f","flexVolume":{"driver":"d"}}],
"containers":[{"name":"one","image":"docker.io/library/nginx:1.27","ports":[{"containerPort":80,"hostPort":8080}],"securityContext":{"privileged":true,"allowPrivilegeEscalation":true,"readOnlyRootFilesystem":false,"runAsUser":0,"runAsGroup":1,"procMount":"Default","capabilities":{"add":["SYS_ADMIN"]}}},{"name":"two","image":"busybox","command":["sh","-c"],"args":["id; ls"]}],
"initContainers":[{"name":"init","image":"init.example:5000/i:1","command":["ip"],"args":["link","set"],"ports":[{"hostPort":81}],"securityContext":{"privileged":true,"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"runAsUser":21,"runAsGroup":22,"procMount":"Unmasked","capabilities":{"add":["NET_RAW"]}}}],
"ephemeralContainers":[{"name":"debug","image":"debug@sha256:00","command":["top"],"args":["-b"],"securityContext":{"privileged":true,"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"runAsUser":31,"runAsGroup":32,"procMount":"Unmasked","capabilities":{"add":["NET_RAW"]}}}]}}}`

// hosts is a resolver of few names.
type hosts map[string]netip.Addr

var someHosts = hosts{"example.com": netip.MustParseAddr("93.184.216.34"), "client.example": netip.MustParseAddr("192.0.2.7"), "server.example": netip.MustParseAddr("10.1.2.3")}

func (h hosts) Watch([]string)                     {}
func (h hosts) Has(name string, a netip.Addr) bool { return h[name] == a }
func (h hosts) Name(a netip.Addr) (name string, _ bool) {
	for n, b := range h {
		if b == a {
			return n, true
		}
	}
	return "", false
}

// ruleFile is a file with one rule.
func ruleFile(source, condition, output string) File {
	return File{Name: "case.yaml", Data: fmt.Appendf(nil, "- rule: Case\n  desc: d\n  source: %s\n  condition: >\n    %s\n  output: %q\n  priority: ERROR\n", source, condition, output)}
}

func options(files ...File) Options {
	return Options{Files: files, All: true, Boot: testBoot, Host: "node-1", Resolver: someHosts}
}

// detector has the one rule; a problem that is no warning ends the test.
func detector(t testing.TB, source, condition, output string) *Detector {
	t.Helper()
	d, problems := New(options(ruleFile(source, condition, output)))
	for _, p := range problems {
		if !p.Warning {
			t.Errorf("%s: %s", condition, p.String())
		}
	}
	return d
}

func matches(t testing.TB, condition string, e *bulwark.Event) bool {
	t.Helper()
	return len(detector(t, e.Source, condition, "x").Observe(e)) == 1
}

func refused(t testing.TB, condition, output string) string {
	t.Helper()
	var all []string
	_, problems := New(options(ruleFile("syscall", condition, output)))
	for _, p := range problems {
		if !p.Warning {
			all = append(all, p.String())
		}
	}
	return strings.Join(all, "\n")
}
