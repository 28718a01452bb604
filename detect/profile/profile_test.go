package profile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/detect/internal/detecttest"
)

const id = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func image() *bulwark.Container {
	return &bulwark.Container{Image: "shop/web:1", ImageID: id, Mounts: []bulwark.Mount{{Dest: "/data", Write: true}}}
}

// work is what containers of the image do.
func work(s *detecttest.Scene) *detecttest.Proc {
	web := s.ContainerAs(image(), "/usr/sbin/nginx", "-g", "daemon off;")
	web.Open("/usr/lib/x86_64-linux-gnu/libssl.so.3", detecttest.Read)
	web.Do("mmap", detecttest.FD("/usr/lib/x86_64-linux-gnu/libssl.so.3"), "prot", 5)
	web.Open("/etc/nginx/nginx.conf", detecttest.Read)
	web.Open("/data/cache/x", detecttest.Create)
	web.Open("/data/cache/x.py", detecttest.Read) // of a volume: no part of the image
	web.Open(fmt.Sprintf("/proc/%d/status", web.PID), detecttest.Read)
	web.Open("/app/main.py", detecttest.Read)
	web.Do("listen", &bulwark.FD{Num: 3, Kind: bulwark.FDIPv4, Proto: 6, Local: netip.MustParseAddrPort("0.0.0.0:8080")})
	web.Do("accept4", detecttest.Socket("172.17.0.2:8080", "172.17.0.9:50001"))
	web.Asks("db.shop", -1)
	web.Connect("10.1.2.3:5432")
	web.Connect("127.0.0.1:9000")
	for _, call := range []string{"openat", "read", "connect"} {
		web.Do("syscall_used", nil, "name", call, "program", 1, "comm", "nginx")
	}
	web.Do("syscall_used", nil, "name", "pivot_root", "program", 0, "comm", "runc:[2:INIT]")
	web.Do("capability_used", nil, "name", "CAP_NET_BIND_SERVICE", "program", 1, "comm", "nginx", "call", "bind")
	web.Do("capability_used", nil, "name", "CAP_SYS_ADMIN", "program", 1, "comm", "nginx", "call", "mmap")
	return web
}

func learn(t *testing.T, dir string) *Profile {
	t.Helper()
	d, err := New(Options{Folder: dir, Learn: true, Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	s := detecttest.NewScene(d, d.Interest())
	for range 2 {
		work(s)
		for range 10 {
			s.Wait(time.Second)
		}
	}
	if len(s.Findings) != 0 {
		t.Errorf("learning tells %v", s.Findings)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName(id))
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 {
		t.Fatalf("%v %v", st, err)
	}
	p, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLearn(t *testing.T) {
	p := learn(t, t.TempDir())
	for what, got := range map[string][2]any{
		"image": {p.Image, "shop/web:1"}, "starts": {p.Starts, 2}, "others": {p.Others, 0}, "calls": {p.Calls, true}, "granted": {p.Granted, true},
		"executables":  {keys(p.Executables), []string{"/usr/sbin/nginx"}},
		"files":        {keys(p.Files), []string{"/app/main.py", "/data/cache/x", "/data/cache/x.py", "/etc/nginx/nginx.conf", "/proc/*/status", "/usr/lib/x86_64-linux-gnu/"}},
		"loaded":       {p.Loaded, map[string]string{"/usr/sbin/nginx": "exec", "/usr/lib/x86_64-linux-gnu/libssl.so.3": "map", "/app/main.py": "module"}},
		"destinations": {keys(p.Destinations), []string{"tcp 10.1.2.3 5432", "tcp 10.96.0.10 53"}},
		"listeners":    {keys(p.Listeners), []string{"tcp 8080"}},
		"peers":        {keys(p.Peers), []string{"tcp 172.17.0.9 8080"}},
		"names":        {keys(p.Names), []string{"db.shop"}},
		"syscalls":     {keys(p.Syscalls), []string{"connect", "openat", "read"}},
		"capabilities": {keys(p.Capabilities), []string{"CAP_NET_BIND_SERVICE"}},
		"changes":      {keys(p.Changes), []string(nil)},
		"gains":        {keys(p.Gains), []string(nil)},
	} {
		if fmt.Sprint(got[0]) != fmt.Sprint(got[1]) {
			t.Errorf("%s: %v, want %v", what, got[0], got[1])
		}
	}
	if d := p.Destinations["tcp 10.1.2.3 5432"]; d == nil || d.Name != "db.shop" || d.By != "/usr/sbin/nginx" {
		t.Errorf("destination %+v", d)
	}
	// Two containers: one for 20 seconds, one for 10.
	if p.Seconds < 28 || p.Seconds > 32 {
		t.Errorf("%d seconds", p.Seconds)
	}
	if why := p.Thin(); !strings.Contains(why, "1h") {
		t.Errorf("thin: %q", why)
	}
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func TestDeviations(t *testing.T) {
	dir := t.TempDir()
	learn(t, dir)
	for _, tt := range []struct {
		want, subject string
		severity      bulwark.Severity
		do            func(*detecttest.Proc)
	}{
		{"", "", 0, func(p *detecttest.Proc) { p.Open("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", detecttest.Read) }},
		{"", "", 0, func(p *detecttest.Proc) { p.Connect("127.0.0.1:1") }},
		{"", "", 0, func(p *detecttest.Proc) { p.Asks("db.shop", -1); p.Connect("10.1.2.9:5432") }},
		{"", "", 0, func(p *detecttest.Proc) {
			p.Do("syscall_used", nil, "name", "mount", "program", 0, "comm", "runc:[2:INIT]")
		}},
		{"profile/executable", "/bin/sh", bulwark.SeverityHigh, func(p *detecttest.Proc) { p.Run("/bin/sh") }},
		{"profile/file", "/etc/shadow", bulwark.SeverityLow, func(p *detecttest.Proc) { p.Open("/etc/shadow", detecttest.Read) }},
		{"profile/file", "/etc/nginx/nginx.conf", bulwark.SeverityMedium, func(p *detecttest.Proc) { p.Open("/etc/nginx/nginx.conf", detecttest.Write) }},
		{"profile/file", "/opt/x", bulwark.SeverityMedium, func(p *detecttest.Proc) { p.Do("mkdir", nil, "path", "/opt/x") }},
		{"profile/destination", "tcp 10.1.2.3:22", bulwark.SeverityMedium, func(p *detecttest.Proc) { p.Connect("10.1.2.3:22") }},
		{"profile/destination", "tcp 10.1.2.4:99", bulwark.SeverityMedium, func(p *detecttest.Proc) {
			p.Do("connect", detecttest.Socket("172.17.0.2:40000", "10.1.2.4:99"), "res", -111)
		}},
		{"profile/destination", "unix:/run/docker.sock", bulwark.SeverityHigh, func(p *detecttest.Proc) { p.Do("connect", detecttest.Unix("/run/docker.sock")) }},
		{"profile/listener", "tcp 4444", bulwark.SeverityHigh, func(p *detecttest.Proc) {
			p.Do("listen", &bulwark.FD{Num: 3, Kind: bulwark.FDIPv4, Proto: 6, Local: netip.MustParseAddrPort("0.0.0.0:4444")})
		}},
		{"profile/syscall", "ptrace", bulwark.SeverityHigh, func(p *detecttest.Proc) { p.Do("syscall_used", nil, "name", "ptrace", "program", 1, "comm", "x") }},
		{"profile/syscall", "getcwd", bulwark.SeverityLow, func(p *detecttest.Proc) { p.Do("syscall_used", nil, "name", "getcwd", "program", 1, "comm", "x") }},
		{"profile/capability", "CAP_SYS_ADMIN", bulwark.SeverityHigh, func(p *detecttest.Proc) {
			p.Do("capability_used", nil, "name", "CAP_SYS_ADMIN", "program", 1, "comm", "x", "call", "mount")
		}},
	} {
		t.Run(tt.want+" "+tt.subject, func(t *testing.T) {
			d, err := New(Options{Folder: dir})
			if err != nil {
				t.Fatal(err)
			}
			s := detecttest.NewScene(d, d.Interest())
			tt.do(work(s))
			if tt.want == "" {
				if len(s.Findings) != 0 {
					t.Errorf("it must not be told: %v", s.Findings)
				}
				return
			}
			if len(s.Findings) != 1 {
				t.Fatalf("%d findings: %v", len(s.Findings), s.Findings)
			}
			f := s.Findings[0]
			if f.Rule != tt.want || f.Subject != tt.subject || f.Severity != tt.severity || f.Fix == nil {
				t.Errorf("%s %s %s", f.Severity, f.Rule, f.Subject)
			}
			if last := f.Evidence[len(f.Evidence)-1]; !strings.Contains(last, "bulwark profile add ") {
				t.Errorf("it does not say how to allow it: %q", f.Evidence)
			}
		})
	}
}

// TestAllowed holds that what a finding says to add makes it silent.
func TestAllowed(t *testing.T) {
	dir := t.TempDir()
	learn(t, dir)
	bad := func(p *detecttest.Proc) {
		p.Run("/bin/it's").Connect("10.9.9.9:22")
		p.Open("/etc/shadow", detecttest.Read)
		p.Do("unlink", nil, "path", "/srv/y")
		p.Do("listen", &bulwark.FD{Num: 3, Kind: bulwark.FDIPv4, Proto: 6, Local: netip.MustParseAddrPort("127.0.0.1:99")})
		p.Do("syscall_used", nil, "name", "ptrace", "program", 1, "comm", "x")
		p.Do("capability_used", nil, "name", "CAP_KILL", "program", 1, "comm", "x", "call", "kill")
	}
	told := func() []bulwark.Finding {
		d, err := New(Options{Folder: dir})
		if err != nil {
			t.Fatal(err)
		}
		s := detecttest.NewScene(d, nil)
		bad(work(s))
		return s.Findings
	}
	list := told()
	if len(list) < 6 {
		t.Fatalf("%d findings", len(list))
	}
	for _, f := range list {
		line := f.Evidence[len(f.Evidence)-1]
		_, rest, _ := strings.Cut(line, "profile add ")
		file, rest, _ := strings.Cut(rest, " ")
		sort, value, _ := strings.Cut(rest, " ")
		value = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(value, "'"), "'"), `'\''`, "'")
		p, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Allow(sort, value, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if err := p.Write(filepath.Dir(file), filepath.Base(file)); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range told() {
		t.Errorf("%s %s is told again", f.Rule, f.Subject)
	}
}

// TestEnough holds that learning ends when it was said to, and deviations are told from then on.
func TestEnough(t *testing.T) {
	var notes []string
	d, err := New(Options{Folder: t.TempDir(), Learn: true, For: time.Minute, Starts: 2, Note: func(n bulwark.Note) { notes = append(notes, n.Text) }})
	if err != nil {
		t.Fatal(err)
	}
	s := detecttest.NewScene(d, d.Interest())
	work(s)
	for range 100 {
		s.Wait(time.Second)
	}
	work(s).Run("/bin/backup")
	s.Wait(time.Second)
	if len(s.Findings) != 0 || len(notes) != 1 || !strings.Contains(notes[0], "is learned") {
		t.Fatalf("%v %v", s.Findings, notes)
	}
	web := work(s)
	web.Run("/bin/backup")
	web.Run("/bin/sh")
	if len(s.Findings) != 1 || s.Findings[0].Subject != "/bin/sh" {
		t.Errorf("%v", s.Findings)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestUnknown holds that images without a profile are told once, and nothing of them is compared.
func TestUnknown(t *testing.T) {
	var notes []bulwark.Note
	d, err := New(Options{Folder: t.TempDir(), Note: func(n bulwark.Note) { notes = append(notes, n) }})
	if err != nil {
		t.Fatal(err)
	}
	s := detecttest.NewScene(d, nil)
	work(s)
	work(s).Run("/bin/sh")
	if len(s.Findings) != 0 || len(notes) != 1 {
		t.Errorf("%v %v", s.Findings, notes)
	}
	if _, err := New(Options{Folder: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a folder that is not there holds profiles")
	}
}

// TestGone holds that the time of a container ends with its cgroup.
func TestGone(t *testing.T) {
	d, err := New(Options{Folder: t.TempDir(), Learn: true})
	if err != nil {
		t.Fatal(err)
	}
	s := detecttest.NewScene(d, nil)
	web := work(s)
	for range 5 {
		s.Wait(time.Second)
	}
	s.Node("/usr/bin/dockerd").Do("cgroup_rmdir", nil, "id", int(web.Cgroup))
	for range 100 {
		s.Wait(time.Second)
	}
	if got := d.profiles[id].Seconds; got < 4 || got > 6 {
		t.Errorf("%d seconds", got)
	}
}

// TestFiles holds that profiles of many files stay small, and forget nothing that they covered.
func TestFiles(t *testing.T) {
	p := newProfile()
	u := &Use{At: time.Unix(1, 0)}
	var all []string
	for i := range 5000 {
		name := fmt.Sprintf("/data/%d/%d/%s", i%7, i%130, strings.Repeat("x", i%90))
		at := place(name, i%3 == 0)
		s := reads
		if i%3 == 0 {
			s = writes
		}
		p.file(at, s, func() *Use { return u })
		all = append(all, at)
		if len(p.Files) > mostFiles {
			t.Fatalf("%d files", len(p.Files))
		}
	}
	for i, at := range all {
		if !p.covered(at, reads) || i%3 == 0 && !p.covered(at, writes) {
			t.Fatalf("%s is not covered any more", at)
		}
	}
	if p.covered("/etc/shadow", reads) {
		t.Error("what was never read is covered")
	}
}

// TestNets holds the same of destinations.
func TestNets(t *testing.T) {
	p := newProfile()
	var all []netip.Addr
	for i := range 2000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 7})
		if i%5 == 0 {
			a = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, byte(i >> 8), byte(i)})
		}
		p.keepDestination(&Destination{Proto: "tcp", Net: a.String(), Port: 443})
		all = append(all, a)
		if len(p.Destinations) > mostDestinations {
			t.Fatalf("%d destinations", len(p.Destinations))
		}
	}
	for _, a := range all {
		if p.to("tcp", a, 443, nil, "") == nil {
			t.Fatalf("%s is not covered any more", a)
		}
	}
	if p.to("tcp", all[1], 22, nil, "") != nil {
		t.Error("another port is covered")
	}
}

func TestFileName(t *testing.T) {
	for key, want := range map[string]string{
		id:                 "sha256-" + id[7:] + ".json",
		"name:../../etc/x": "name-", "sha256:../../../../etc/cron.d/x": "name-",
	} {
		if got := FileName(key); !strings.HasPrefix(got, want) || strings.ContainsAny(got, "/\\") {
			t.Errorf("%s is kept as %s", key, got)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]error{
		"":                                     bulwark.ErrMalformed,
		"{}":                                   bulwark.ErrUnsupported,
		`{"schema":"bulwark/profile/v2"}`:      bulwark.ErrUnsupported,
		`{"schema":"` + Schema + `","more":1}`: bulwark.ErrMalformed,
		`{"schema":"` + Schema + `","files":{"/x":null}}`: nil,
	} {
		p, err := Parse(strings.NewReader(text), "x")
		if !errors.Is(err, want) || err == nil && len(p.Files) != 0 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schema":"bulwark/profile/v1","files":{"/x":{"read":{"at":"2026-01-01T00:00:00Z"}}},"destinations":{"tcp 1.2.3.4 5":{"proto":"tcp","net":"1.2.3.4","port":5}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		_ = FileName(p.Key())
		_ = p.Thin()
		p.covered("/a/b", reads)
		p.to("tcp", netip.MustParseAddr("1.2.3.4"), 5, nil, "x")
		for range mostFiles + 2 {
			p.file(fmt.Sprint("/x/", len(p.Files)), reads, func() *Use { return &Use{} })
		}
	})
}
