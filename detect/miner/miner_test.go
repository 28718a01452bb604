package miner_test

import (
	"strings"
	"testing"
	"time"

	"bulwark"
	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/internal/family"
	"bulwark/detect/miner"
)

const pool = "203.0.113.7:3333"

var wallet = "4" + strings.Repeat("8BxUJpGkZ2", 9) + "AAAA"

func from(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app") }

func TestRules(t *testing.T) {
	Run(t, func() *family.Family { return miner.New(miner.Options{}) }, []Twins{
		{Rule: "stratum",
			Attack: func(s *Scene) {
				from(s).Says("172.17.0.2:40000", "203.0.113.7:443", `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"`+wallet+`","pass":"x","agent":"XMRig/6.21"}}`+"\n")
			},
			Benign: func(s *Scene) {
				c := from(s)
				c.Says("172.17.0.2:40000", "10.0.0.7:80", "POST /jsonrpc HTTP/1.1\r\nHost: kodi\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"mining.submit\"}")
				c.Says("172.17.0.2:40000", "10.0.0.7:8545", `{"jsonrpc":"2.0","method":"eth_blockNumber","params":[],"id":1}`)
				c.Says("172.17.0.2:40000", "10.0.0.7:9000", `{"jsonrpc": "2.0", "method": "login", "params": {"user": "a", "token": "b"}}`)
				c.Says("172.17.0.2:40000", "10.0.0.7:9000", `{"jsonrpc": "2.0", "method": "initialize", "params": {"rootUri": "file:///x"}}`)
				c.Says("172.17.0.2:40000", "10.0.0.7:9000", strings.Repeat(`{"method":`, 60))
			}},
		{Rule: "pool-name",
			Attack: func(s *Scene) { from(s).Asks("Pool.SupportXMR.com", 0) },
			Benign: func(s *Scene) {
				c := from(s)
				c.Asks("notsupportxmr.com", 0).Asks("supportxmr.com.example.org", 3).Asks("pool.ntp.org", 0)
				s.Container("dns:1", "/usr/bin/coredns").Asks("pool.supportxmr.com", 0)
			}},
		{Rule: "command",
			Attack: func(s *Scene) {
				from(s).Run("/bin/sh", "-c", "x").RunUpper("/tmp/kworker", "-o", "stratum+tcp://"+pool, "-u", wallet, "-p", "x", "--donate-level=1")
			},
			Benign: func(s *Scene) {
				c := from(s)
				c.Run("/usr/bin/pgrep", "xmrig")
				c.Run("/bin/grep", "-r", "stratum+tcp://", "/tmp")
				c.Run("/usr/bin/ffmpeg", "-a", "x", "--algo", "zstd")
				c.Run("/usr/bin/app", "--pool", "5", "--user", "root", "db-pool:5432")
				s.Container("eth:1", "/usr/bin/geth").Run("/usr/bin/geth", "--miner.etherbase", "0x"+strings.Repeat("ab", 20))
			}},
		{Rule: "hardware",
			Attack: func(s *Scene) { from(s).Open("/dev/cpu/0/msr", 2) },
			Benign: func(s *Scene) {
				from(s).Open("/dev/cpu/0/msr", Read).Open("/srv/msr", Create)
				s.Node("/usr/sbin/wrmsr").Open("/dev/cpu/0/msr", 2)
			}},
		{Rule: "score",
			Attack: func(s *Scene) {
				c := from(s)
				c.Connect(pool)
				c.Do("mmap", nil, "length", 2080<<20, "prot", 3, "flags", 0x40022)
				for range 12 {
					s.Wait(time.Minute)
					c.Do("flow", Socket("172.17.0.2:40000", pool), "sent", 3000, "received", 9000, "packets", 12)
				}
			},
			Benign: func(s *Scene) {
				c := from(s)
				c.Connect(pool).Connect("10.0.0.7:4444").Connect("198.51.100.7:5555") // ports alone
				for range 60 {
					s.Wait(time.Minute)
					c.Do("flow", Socket("172.17.0.2:40000", "203.0.113.9:5222"), "sent", 3000, "received", 9000) // a chat
					c.Do("flow", Socket("172.17.0.2:40000", pool), "sent", 30<<20, "received", 9000)
				}
				s.Container("pg:1", "/usr/lib/postgresql/16/bin/postgres").Do("mmap", nil, "length", 1<<30, "prot", 3, "flags", 0x40021)
			}},
	},
		Case{Name: "known by name", Fires: "command", Do: func(s *Scene) { from(s).RunUpper("/tmp/xmrig", "-c", "config.json") }},
		Case{Name: "pool and wallet", Fires: "command", Do: func(s *Scene) { from(s).RunUpper("/tmp/x", "xmr.2miners.com:2222", wallet) }},
		Case{Name: "rivals and drift", Fires: "score", Do: func(s *Scene) {
			c := from(s).Run("/bin/sh", "/tmp/x.sh")
			c.Run("/usr/bin/pkill", "-9", "xmrig")
			c.RunUpper("/tmp/kthread")
			c.Connect(pool)
			c.Open("/proc/sys/vm/nr_hugepages", Write)
		}},
	)
}

// TestBusy: a container that takes all of its processors tells by itself nothing, beside another sign it does.
func TestBusy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		usage miner.Usage
		sign  bool
		want  int
	}{
		{"busy and with another sign", miner.Usage{CPU: 0.99}, true, 1},
		{"busy alone", miner.Usage{CPU: 0.99}, false, 0},
		{"busy as ever", miner.Usage{CPU: 0.99, Usual: 0.95}, true, 0},
		{"reads a lot", miner.Usage{CPU: 0.99, IO: 1 << 30}, true, 0},
		{"idle", miner.Usage{CPU: 0.2}, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := ""
			f := miner.New(miner.Options{Usage: func(time.Time) []miner.Usage {
				u := tt.usage
				u.Container = &bulwark.ContainerRef{ID: id}
				return []miner.Usage{u}
			}})
			s := NewScene(f, nil)
			c := from(s)
			id = c.Container.ID
			if tt.sign {
				c.Do("mmap", nil, "length", 2080<<20, "prot", 3, "flags", 0x40022)
			}
			for range 120 {
				s.Wait(10 * time.Second)
			}
			if len(s.Findings) != tt.want {
				t.Fatalf("%d findings, want %d: %v", len(s.Findings), tt.want, s.Findings)
			}
			if tt.want == 1 && (s.Findings[0].Container == nil || s.Findings[0].Container.ID != id || !strings.Contains(strings.Join(s.Findings[0].Evidence, "\n"), "processor time")) {
				t.Errorf("it does not explain: %+v", s.Findings[0])
			}
		})
	}
}
