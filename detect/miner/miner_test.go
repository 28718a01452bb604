package miner_test

import (
	"strings"
	"testing"
	"time"

	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/internal/family"
	"bulwark/detect/miner"
)

const pool = "203.0.113.7:3333"

var wallet = "4" + strings.Repeat("8BxUJpGkZ2", 9) + "AAAA"

// hello is the first message of a TLS client, cut as a sensor cuts it.
func hello(name string) string {
	ask := "\x00\x00" + length(len(name)+5) + length(len(name)+3) + "\x00" + length(len(name)) + name
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + "\x00\x02\x13\x01" + "\x01\x00" + length(len(ask)+400) + ask
	return "\x16\x03\x01" + length(len(body)+404) + "\x01\x00" + length(len(body)+400) + body
}

func length(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }

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
		Case{Name: "encrypted", Fires: "pool-name", Do: func(s *Scene) {
			from(s).Says("172.17.0.2:40000", "203.0.113.7:443", hello("gulf.moneroocean.stream"))
		}},
		Case{Name: "encrypted to others", Do: func(s *Scene) {
			from(s).Says("172.17.0.2:40000", "203.0.113.7:3333", hello("moneroocean.stream.example.org"))
		}},
		Case{Name: "known by name", Fires: "command", Do: func(s *Scene) { from(s).RunUpper("/tmp/xmrig", "-c", "config.json") }},
		Case{Name: "pool and wallet", Fires: "command", Do: func(s *Scene) { from(s).RunUpper("/tmp/x", "xmr.2miners.com:2222", wallet) }},
		Case{Name: "rivals and drift", Fires: "score", Do: func(s *Scene) {
			c := from(s).Run("/bin/sh", "/tmp/x.sh")
			c.Run("/usr/bin/pkill", "-9", "xmrig")
			c.RunUpper("/tmp/kthread")
			c.Connect(pool)
			c.Open("/proc/sys/vm/nr_hugepages", Write)
		}},
		Case{Name: "rounding and drift", Fires: "score", Do: func(s *Scene) {
			from(s).RunUpper("/tmp/worker").Do("rounding", nil, "mxcsr", 0x5f80, "times", 6)
		}},
		Case{Name: "rounding alone", Do: func(s *Scene) {
			for range 100 {
				from(s).Do("rounding", nil, "mxcsr", 0x5f80, "times", 6)
			}
		}},
	)
}

// works has the container work for a while, on two processors.
func works(s *Scene, p *Proc, lasts time.Duration, cores float64, args ...any) {
	for range lasts / (10 * time.Second) {
		s.Wait(10 * time.Second)
		p.Do("usage", nil, append([]any{"span", int64(1e10), "cpu", int64(cores * 1e10), "cpu_limit", int64(2e9), "read", -1}, args...)...)
	}
}

// TestBusy: a container that takes all of its processors tells by itself nothing, beside other signs it does.
func TestBusy(t *testing.T) {
	pages := func(c *Proc) { c.Do("mmap", nil, "length", 2080<<20, "prot", 3, "flags", 0x40022) }
	chat := func(s *Scene, c *Proc, to string, cores float64) {
		for range 25 {
			works(s, c, time.Minute, cores)
			c.Do("flow", Socket("172.17.0.2:40000", to), "sent", 3000, "received", 9000, "packets", 12)
		}
	}
	for _, tt := range []struct {
		name string
		do   func(*Scene, *Proc)
		want bool
	}{
		{"busy and with huge pages", func(s *Scene, c *Proc) { pages(c); works(s, c, 20*time.Minute, 1.99) }, true},
		{"one processor without a change", func(s *Scene, c *Proc) { pages(c); works(s, c, 20*time.Minute, 1.0) }, true},
		{"busy against its own habit, and it chats", func(s *Scene, c *Proc) { works(s, c, 2*time.Hour, 0.1); chat(s, c, "203.0.113.9:443", 1.99) }, true},
		{"busy alone", func(s *Scene, c *Proc) { works(s, c, 5*time.Hour, 1.99) }, false},
		{"busy against its own habit alone", func(s *Scene, c *Proc) { works(s, c, 2*time.Hour, 0.1); works(s, c, time.Hour, 1.99) }, false},
		{"busy and it chats, as training does", func(s *Scene, c *Proc) { chat(s, c, "203.0.113.9:443", 1.99) }, false},
		{"busy as ever", func(s *Scene, c *Proc) {
			for range 12 {
				works(s, c, 8*time.Minute, 1.9)
				works(s, c, time.Minute, 0.5, "received", 20<<20)
				works(s, c, 5*time.Minute, 1.95, "read", 99<<20)
			}
			pages(c)
			works(s, c, 20*time.Minute, 1.99)
		}, false},
		{"reads a lot", func(s *Scene, c *Proc) { pages(c); works(s, c, 20*time.Minute, 1.99, "read", 99<<20) }, false},
		{"one processor, more or less", func(s *Scene, c *Proc) {
			pages(c)
			for i := range 120 {
				works(s, c, 10*time.Second, 1.0+float64(i%7)/10)
			}
		}, false},
		{"idle", func(s *Scene, c *Proc) { pages(c); works(s, c, time.Hour, 0.2) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewScene(miner.New(miner.Options{}), nil)
			tt.do(s, from(s))
			if (len(s.Findings) > 0) != tt.want {
				t.Fatalf("told: %v", s.Findings)
			}
			if tt.want && !strings.Contains(strings.Join(s.Findings[0].Evidence, "\n"), "of what it may have") {
				t.Errorf("it does not explain: %q", s.Findings[0].Evidence)
			}
		})
	}
}
