package cgroup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// lay writes files below a folder; one that holds "->" is a link.
func lay(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, ok := strings.CutPrefix(text, "->"); ok {
			err = os.Symlink(to, file)
		} else {
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var process = map[string]string{
	"proc/self/ns/net": "->net:[1]", "proc/77/ns/net": "->net:[2]", "proc/77/status": "Name:\tapp\nUid:\t5\t1000\t5\t5\n",
	"proc/77/net/dev":     "Inter-|   Receive\n face |bytes\n    lo: 99 0 0 0 0 0 0 0 99 0\n  eth0: 1000 1 0 0 0 0 0 0 500 2 0 0\n  eth1:1 0 0 0 0 0 0 0 2 0\n",
	"proc/77/net/netstat": "TcpExt: SyncookiesSent Other ListenOverflows\nTcpExt: 3 100 4\nIpExt: A\nIpExt: 1\n",
}

const dir = "sys/fs/cgroup/docker/" + id + "/"

var two = map[string]string{
	"sys/fs/cgroup/cgroup.procs": "", "proc/77/cgroup": "0::/docker/" + id + "/init\n", dir + "cgroup.procs": "77\n",
	dir + "cpu.stat": "usage_usec 100\nthrottled_usec 5\n", dir + "cpu.max": "50000 100000\n", dir + "cpu.pressure": "some avg10=12.50 avg60=0.00 avg300=0.00 total=1\n",
	dir + "memory.current": "5000\n", dir + "memory.max": "max\n", dir + "memory.stat": "anon 1\ninactive_file 1000\n", dir + "memory.events": "oom 9\noom_kill 2\n", dir + "memory.pressure": "some avg10=0.01 \n",
	dir + "io.stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:1 rbytes=5 wbytes=0 rios=1\n", dir + "pids.current": "7\n", dir + "pids.max": "100\n", dir + "pids.events": "max 3\n",
}

const one = "sys/fs/cgroup/NAME/docker/" + id + "/"

func older(name, file string) string { return strings.Replace(one, "NAME", name, 1) + file }

var ones = map[string]string{
	"proc/77/cgroup":                                  "12:cpu,cpuacct:/docker/" + id + "\n11:memory:/docker/" + id + "\n3:pids:/docker/" + id + "\n2:blkio:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n",
	older("cpuacct", "cpuacct.usage"):                 "100000\n",
	older("cpu", "cpu.stat"):                          "nr_periods 0\nthrottled_time 5000\n",
	older("cpu", "cpu.cfs_quota_us"):                  "-1\n",
	older("cpu", "cpu.cfs_period_us"):                 "100000\n",
	older("memory", "memory.stat"):                    "inactive_file 1\ntotal_inactive_file 1000\n",
	older("memory", "memory.usage_in_bytes"):          "5000\n",
	older("memory", "memory.limit_in_bytes"):          "9223372036854771712\n",
	older("memory", "memory.oom_control"):             "oom_kill_disable 0\noom_kill 2\n",
	older("blkio", "blkio.throttle.io_service_bytes"): "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
	older("pids", "pids.current"):                     "7\n",
	older("pids", "pids.max"):                         "max\n",
	older("pids", "pids.events"):                      "max 3\n",
}

// TestRead: what grew and what is, from either version of control groups.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name          string
		files, change map[string]string
		want          map[string]int64
	}{
		{"version 2", two, map[string]string{dir + "cpu.stat": "usage_usec 600\nthrottled_usec 6\n", dir + "io.stat": "8:0 rbytes=110 wbytes=20\n", dir + "pids.events": "max 10\n", dir + "memory.events": "oom_kill 3\n"},
			map[string]int64{"span": 1e10, "cpu": 500_000, "cpu_limit": 5e8, "throttled": 1000, "memory": 4000, "memory_limit": -1, "read": 95, "received": 100, "pids": 7, "pids_limit": 100, "pressure_cpu": 1250, "pressure_memory": 1, "pressure_io": -1, "oom": 1, "refused": 7, "overflows": 2}},
		{"version 1", ones, map[string]string{older("cpuacct", "cpuacct.usage"): "600000\n"},
			map[string]int64{"span": 1e10, "cpu": 500_000, "cpu_limit": whole(), "memory": 4000, "memory_limit": -1, "received": 100, "pids": 7, "pids_limit": -1, "pressure_cpu": -1, "pressure_memory": -1, "pressure_io": -1, "overflows": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			lay(t, root, process)
			lay(t, root, tt.files)
			now := time.Unix(1e9, 0)
			s := &Sensor{Root: root, Now: func() time.Time { return now }, Containers: func() []*bulwark.Container {
				return []*bulwark.Container{{ID: id, PID: 77, Cgroup: "/docker/" + id}, {ID: id}, nil, {ID: "gone", PID: 99}}
			}}
			if list := s.read(); len(list) != 0 {
				t.Errorf("%d events of the first reading", len(list))
			}
			now = now.Add(10 * time.Second)
			lay(t, root, tt.change)
			lay(t, root, map[string]string{"proc/77/net/dev": "a\nb\n eth0: 1101 1 0 0 0 0 0 0 502 2 0 0\n", "proc/77/net/netstat": strings.Replace(process["proc/77/net/netstat"], "3 100 4", "5 100 4", 1)})
			list := s.read()
			if len(list) != 1 {
				t.Fatalf("%d events", len(list))
			}
			e := list[0]
			got := map[string]int64{}
			for i, p := range e.Kind.Params() {
				if n := e.Args[i].Num; n != 0 {
					got[p.Name] = n
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if p := e.Process; p.PID != 77 || p.UID != 1000 || p.Cgroup == 0 || e.Kind != bulwark.KindUsage {
				t.Errorf("%+v of %+v", e, p)
			}
			if err := os.RemoveAll(filepath.Join(root, "proc/77")); err != nil {
				t.Fatal(err)
			}
			if list := s.read(); len(list) != 0 || len(s.last) != 0 {
				t.Errorf("what is gone is told: %v", list)
			}
		})
	}
}

// FuzzFiles: whatever the files hold, numbers are numbers or not known.
func FuzzFiles(f *testing.F) {
	f.Add("usage_usec 1\n", "TcpExt: A\nTcpExt: 1\n", "8:0 rbytes=")
	f.Add("-1", "TcpExt: SyncookiesSent\nTcpExt: 99999999999999999999\n", "Read \x00")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if n := overflows(b); n < -1 {
			t.Errorf("%q: %d", b, n)
		}
		if n := number(field(a, "usage_usec", 1)); n < -1 {
			t.Errorf("%q: %d", a, n)
		}
		if len(c) < 1<<12 {
			sumOf(c, "rbytes=")
		}
	})
}

func TestRun(t *testing.T) {
	root := t.TempDir()
	lay(t, root, process)
	lay(t, root, two)
	s := &Sensor{Root: root, Every: time.Millisecond, Containers: func() []*bulwark.Container { return []*bulwark.Container{{ID: id, PID: 77, Cgroup: "/docker/" + id}} }}
	if a := s.Abilities(); len(a) != 1 || a[0].Why != "" {
		t.Errorf("%+v", a)
	}
	stop := errors.New("enough")
	err := s.Run(t.Context(), bulwark.Interest{bulwark.KindUsage: {{}}}, func() {}, func(list []bulwark.Event) error { return stop })
	if !errors.Is(err, stop) || s.Counts()[0].Seen == 0 {
		t.Errorf("%v, %+v", err, s.Counts())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx, nil, func() {}, nil); err != nil {
		t.Error(err)
	}
	if a := (&Sensor{Root: t.TempDir()}).Abilities(); a[0].Why == "" {
		t.Error("it claims to see where there is nothing")
	}
}
