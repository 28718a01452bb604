package abuse_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/detect/abuse"
	. "bulwark/detect/internal/detecttest"
)

func app(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app") }

func TestRules(t *testing.T) {
	Run(t, abuse.New, []Twins{
		{Rule: "fork-bomb",
			Attack: func(s *Scene) {
				c := app(s)
				for range 3000 {
					c.Do("clone", nil, "res", 99, "flags", 17)
				}
			},
			Benign: func(s *Scene) {
				c := app(s).Run("/usr/bin/make", "-j8")
				for range 3000 {
					c.Fork().Exit(0)
				}
				java := app(s)
				for range 3000 {
					java.Do("clone", nil, "res", 99, "flags", 0x3d0f00)
				}
			}},
		{Rule: "out-of-memory",
			Attack: func(s *Scene) { app(s).Do("oom", nil) },
			Benign: func(s *Scene) { app(s).Exit(137) }},
		{Rule: "guard-stopped",
			Attack: func(s *Scene) { app(s).Run("/usr/bin/pkill", "-9", "falco") },
			Benign: func(s *Scene) {
				app(s).Run("/usr/bin/pkill", "-HUP", "nginx")
				s.Node("/usr/bin/systemctl", "status", "falco")
			}},
		{Rule: "sensor-signal",
			Attack: func(s *Scene) {
				s.Node("/usr/sbin/apache2").Run("/bin/kill").Do("kill", nil, "pid", os.Getpid(), "sig", 19)
			},
			Benign: func(s *Scene) {
				s.Node("/usr/lib/systemd/systemd").Do("kill", nil, "pid", os.Getpid(), "sig", 15)
				app(s).Do("kill", nil, "pid", 7, "sig", 9).Do("kill", nil, "pid", os.Getpid(), "sig", 9) // another namespace's
				app(s).Do("pidfd_open", nil, "pid", os.Getpid()).Do("pidfd_send_signal", nil, "fd", 0, "sig", 9)
				s.Node("/usr/sbin/apache2").Do("pidfd_open", nil, "pid", os.Getpid()).Do("pidfd_open", nil, "pid", 7).Do("pidfd_send_signal", nil, "fd", 0, "sig", 9) // used again
				s.Node("/usr/sbin/apache2").Do("pidfd_open", nil, "pid", os.Getpid()).Do("pidfd_send_signal", nil, "fd", 0, "sig", 0)                                 // asks whether it lives
				s.Node("/usr/sbin/apache2").Do("kill", nil, "pid", -os.Getpid()-100000, "sig", 9).Do("rt_sigqueueinfo", nil, "pid", 7, "sig", 9)
			}},
		{Rule: "descriptors-exhausted",
			Attack: func(s *Scene) {
				c := app(s)
				for range 80 {
					c.Fail(24, "socket", "domain", 2, "type", 1)
				}
			},
			Benign: func(s *Scene) {
				c := app(s)
				for range 200 {
					c.Fail(97, "socket", "domain", 10, "type", 1) // no IPv6
				}
				for range 30 {
					c.Fail(24, "pipe2")
				}
			}},
		{Rule: "sensor-paused",
			Attack: func(s *Scene) { s.Stall(time.Minute, 0); s.Wait(30 * time.Second) },
			Benign: func(s *Scene) {
				for range 20 {
					s.Wait(time.Second)
					s.Stall(5*time.Second, 0) // a machine that is loaded
				}
			}},
		{Rule: "sensor-changed",
			Attack: func(s *Scene) { s.Node("/usr/bin/gdb").Do("ptrace", nil, "request", 16, "pid", os.Getpid()) },
			Benign: func(s *Scene) {
				s.Node("/usr/bin/gdb").Do("ptrace", nil, "request", 16, "pid", 7)
				app(s).Do("process_vm_readv", nil, "pid", os.Getpid()) // another namespace's
				s.Node("/usr/bin/gdb").Fail(1, "ptrace", "request", 16, "pid", os.Getpid())
			}},
		{Rule: "sensor-bpf",
			Attack: func(s *Scene) { s.Node("/usr/sbin/bpftool").Do("bpf", nil, "cmd", 34) },
			Benign: func(s *Scene) {
				s.Node("/usr/sbin/bpftool").Do("bpf", nil, "cmd", 14, "fd", 3)
				s.Node("/usr/bin/cilium-agent").Do("bpf", nil, "cmd", 5)
			}},
		{Rule: "events-lost",
			Attack: func(s *Scene) { s.Node("/bin/true").Do("drop", nil, "class", "volume", "count", 4711) },
			Benign: func(s *Scene) { s.Node("/bin/true").Do("drop", nil, "class", "volume", "count", 0) }},
		{Rule: "mass-encryption",
			Attack: func(s *Scene) {
				c := app(s).RunUpper("/tmp/enc")
				for i := range 80 {
					c.Do("rename", nil, "oldpath", fmt.Sprintf("/data/%d.pdf", i), "newpath", fmt.Sprintf("/data/%d.pdf.l0cked", i))
				}
			},
			Benign: func(s *Scene) {
				c := app(s)
				for i := range 300 {
					c.Do("rename", nil, "oldpath", fmt.Sprintf("/data/%d.log", i), "newpath", fmt.Sprintf("/data/%d.log.%d", i, 1))
					c.Do("rename", nil, "oldpath", fmt.Sprintf("/data/%d.tmp", i), "newpath", fmt.Sprintf("/data/%d", i))
					c.Open(fmt.Sprintf("/data/%d.gz", i), Create).Do("unlink", nil, "path", fmt.Sprintf("/data/%d", i))
					c.Open(fmt.Sprintf("/data/%d.segment", i), Create).Do("unlink", nil, "path", fmt.Sprintf("/data/%d.segment", i-9))
				}
			}},
		{Rule: "trace-removal",
			Attack: func(s *Scene) {
				app(s).Run("/bin/rm", "-f", "/var/log/wtmp").Do("unlinkat", nil, "name", "/var/log/wtmp")
			},
			Benign: func(s *Scene) {
				app(s).Open("/var/log/app.log", Trunc).Do("unlink", nil, "path", "/var/log/nginx/access.log.1").Open("/root/.bash_history", 0o2001)
				s.Node("/usr/sbin/rsyslogd").Open("/var/log/syslog", Trunc)
				s.Node("/usr/bin/jenkins").Do("unlinkat", nil, "name", "/srv/jobs/x/root/.bash_history")
			}},
		{Rule: "wipe",
			Attack: func(s *Scene) { app(s).Run("/bin/rm", "-rf", "--no-preserve-root", "/") },
			Benign: func(s *Scene) {
				app(s).Run("/bin/rm", "-rf", "/var/lib/apt/lists", "/tmp/x")
				app(s).Run("/bin/rm", "/etc")
				app(s).Run("/bin/dd", "if=/dev/zero", "of=/data/x")
			}},
		{Rule: "hidden-change",
			Attack: func(s *Scene) { app(s).Run("/usr/bin/chattr", "+i", "/etc/cron.d/x") },
			Benign: func(s *Scene) { app(s).Run("/usr/bin/touch", "/tmp/ready").Run("/usr/bin/lsattr", "/etc") }},
		{Rule: "brute-force",
			Attack: func(s *Scene) {
				c := s.Container("mysql:8", "/usr/sbin/mysqld")
				for i := range 30 {
					c.Says("172.17.0.2:3306", fmt.Sprintf("203.0.113.9:%d", 40000+i), "\x48\x00\x00\x02\xff\x15\x04#28000Access denied for user 'root'@'x'")
				}
			},
			Benign: func(s *Scene) {
				c := s.Container("mysql:8", "/usr/sbin/mysqld")
				for range 30 {
					s.Wait(time.Minute)
					c.Says("172.17.0.2:3306", "203.0.113.9:40000", "\x48\x00\x00\x02\xff\x15\x04#28000Access denied for user 'root'@'x'")
					c.Says("172.17.0.2:80", "203.0.113.9:40000", "Access denied for user, says a web page")
				}
				for range 30 {
					app(s).Says("172.17.0.2:40000", "10.0.0.9:6379", "-NOAUTH Authentication required.\r\n")
					c.Says("172.17.0.2:6379", "172.17.0.3:40001", "-NOAUTH Authentication required.\r\n") // one client that goes on
				}
				redis := s.Container("redis:7", "/usr/local/bin/redis-server")
				for i := range 3 { // three clients that mistype, and go on
					to := fmt.Sprintf("172.17.0.9:%d", 40000+i)
					redis.Says("172.17.0.8:6379", to, "*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n").Says("172.17.0.8:6379", to, wrongPassword).Says("172.17.0.8:6379", to, "+OK\r\n")
					redis.Flows("172.17.0.8:6379", to, 1<<20, 1<<20, 1<<10)
				}
				mongo := s.Container("mongo:7", "/usr/bin/mongod")
				for i := range 30 {
					to := fmt.Sprintf("172.17.0.9:%d", 41000+i)
					mongo.Says("172.17.0.7:27017", to, mongoSays(18, 1)).Says("172.17.0.7:27017", to, mongoSays(13, 0)).Says("172.17.0.7:27017", to, "AuthenticationFailed, says a document")
				}
				for range 40 {
					s.Node("/usr/sbin/sshd", "-D").Run("/usr/sbin/sshd", "-R").Exit(0)
				}
			}},
	},
		Case{Name: "logins that succeed, and end as those that fail", Do: func(s *Scene) {
			d := s.Node("/usr/sbin/sshd", "-D")
			for range 40 {
				p := d.Run("/usr/sbin/sshd", "-D", "-R")
				shell := p.Fork().Fork()
				shell.SID = shell.PID
				shell.Exec("/bin/sh", "-c", "git-upload-pack x")
				p.Exit(255)
			}
		}},
		Case{Name: "who asks for keys did not come in", Fires: "brute-force", Do: func(s *Scene) {
			d := s.Node("/usr/sbin/sshd", "-D")
			for range 40 {
				p := d.Run("/usr/sbin/sshd", "-D", "-R")
				p.SID = p.PID
				p.Run("/usr/bin/sss_ssh_authorizedkeys", "root").Exit(0)
				p.Exit(255)
			}
		}},
		Case{Name: "from a container", Fires: "brute-force", Do: func(s *Scene) {
			c := app(s)
			for i := range 30 {
				c.Says(fmt.Sprintf("172.17.0.2:%d", 40000+i), "10.0.0.9:5432", "E\x00\x00\x00hSFATAL\x00VFATAL\x00C28P01\x00Mpassword authentication failed for user \"root\"\x00")
			}
		}},
		Case{Name: "many tries over few connections", Fires: "brute-force", Do: func(s *Scene) {
			c := s.Container("redis:7", "/usr/local/bin/redis-server")
			for i := range 12 {
				c.Says("172.17.0.2:6379", fmt.Sprintf("203.0.113.9:%d", 40000+i/4), wrongPassword)
			}
		}},
		Case{Name: "many tries in one packet", Fires: "brute-force", Do: func(s *Scene) {
			s.Container("redis:7", "/usr/local/bin/redis-server").Says("172.17.0.2:6379", "203.0.113.9:40000", strings.Repeat(wrongPassword, 20))
		}},
		Case{Name: "many tries over one connection", Fires: "brute-force", Do: func(s *Scene) {
			c := s.Container("redis:7", "/usr/local/bin/redis-server")
			for range 4 {
				c.Says("172.17.0.2:6379", "203.0.113.9:40000", wrongPassword)
			}
			c.Flows("172.17.0.2:6379", "203.0.113.9:40000", 300*len(wrongPassword), 9000, 600)
		}},
		Case{Name: "by a container over one connection", Fires: "brute-force", Do: func(s *Scene) {
			c := app(s)
			for range 4 {
				c.Says("172.17.0.2:40000", "203.0.113.9:6379", wrongPassword)
			}
			c.Flows("172.17.0.2:40000", "203.0.113.9:6379", 9000, 8*len(wrongPassword), 16)
			c.Flows("172.17.0.2:40000", "203.0.113.9:6379", 9000, 8*len(wrongPassword), 16)
		}},
		Case{Name: "much that is read at the fifth try", Do: func(s *Scene) {
			c := app(s)
			for range 4 {
				c.Says("172.17.0.2:40000", "203.0.113.9:6379", wrongPassword)
			}
			c.Flows("172.17.0.2:40000", "203.0.113.9:6379", 900, 1<<20, 5)
		}},
		Case{Name: "MongoDB", Fires: "brute-force", Do: func(s *Scene) {
			c := s.Container("mongo:7", "/usr/bin/mongod")
			for i := range 12 {
				c.Says("172.17.0.2:27017", fmt.Sprintf("203.0.113.9:%d", 40000+i), mongoSays(18, 0))
			}
		}},
		Case{Name: "MongoDB as old drivers speak", Fires: "brute-force", Do: func(s *Scene) {
			c := s.Container("mongo:3", "/usr/bin/mongod")
			for i := range 12 {
				answer := mongoSays(18, 0)
				head := answer[:12] + "\x01\x00\x00\x00" + strings.Repeat("\x00", 16) + "\x01\x00\x00\x00"
				c.Says("172.17.0.2:27017", fmt.Sprintf("203.0.113.9:%d", 40000+i), head+answer[21:])
			}
		}},
		Case{Name: "sshd", Fires: "brute-force", Do: func(s *Scene) {
			d := s.Node("/usr/sbin/sshd", "-D")
			for range 40 {
				d.Run("/usr/sbin/sshd", "-D", "-R").Exit(255)
			}
		}},
		Case{Name: "new files instead of old ones", Fires: "mass-encryption", Do: func(s *Scene) {
			c := app(s).RunUpper("/tmp/enc")
			for i := range 80 {
				c.Open(fmt.Sprintf("/data/%d.pdf.crypt", i), Create).Do("unlink", nil, "path", fmt.Sprintf("/data/%d.pdf", i))
			}
		}},
		Case{Name: "refused forks", Fires: "fork-bomb", Do: func(s *Scene) {
			c := app(s)
			for range 300 {
				c.Fail(11, "clone", "flags", 17)
			}
		}},
		Case{Name: "emptied", Fires: "trace-removal", Do: func(s *Scene) { app(s).Run("/bin/sh").Open("/var/log/auth.log", Trunc) }},
		Case{Name: "the node has no room for files", Fires: "descriptors-exhausted", Do: func(s *Scene) { s.Node("/usr/bin/app").Fail(23, "socket", "domain", 2, "type", 1) }},
		Case{Name: "by pidfd", Fires: "sensor-signal", Do: func(s *Scene) {
			s.Node("/usr/sbin/apache2").Do("pidfd_open", nil, "pid", os.Getpid()).Fork().Do("pidfd_send_signal", nil, "fd", 0, "sig", 19)
		}},
		Case{Name: "by a folder of proc", Fires: "sensor-signal", Do: func(s *Scene) {
			s.Node("/usr/sbin/apache2").Do("pidfd_send_signal", FD(fmt.Sprintf("/proc/%d", os.Getpid())), "fd", 3, "sig", 9)
		}},
		Case{Name: "with data", Fires: "sensor-signal", Do: func(s *Scene) {
			s.Node("/usr/sbin/apache2").Do("rt_sigqueueinfo", nil, "pid", os.Getpid(), "sig", 15)
		}},
		Case{Name: "to all", Fires: "sensor-signal", Do: func(s *Scene) {
			s.Node("/usr/sbin/apache2").Do("kill", nil, "pid", -1, "sig", 19)
		}},
		Case{Name: "one alert where it is known who stopped it", Fires: "sensor-signal", Do: func(s *Scene) {
			stopped(s, 18)
		}},
		Case{Name: "the signal is seen before the clock is late", Fires: "sensor-signal", Do: func(s *Scene) {
			s.Node("/usr/sbin/apache2").Do("kill", nil, "pid", os.Getpid(), "sig", 19)
			s.Stall(time.Minute, 0)
			s.Stall(0, 18)
			s.Wait(30 * time.Second)
		}},
		Case{Name: "stopped for a moment by nobody who is known", Fires: "sensor-paused", Do: func(s *Scene) {
			s.Stall(2*time.Second, 18)
			s.Wait(30 * time.Second)
		}},
		Case{Name: "no process", Do: func(s *Scene) {
			(&bulwark.Event{}).Clone()
		}},
	)
}

// stopped is a watch that somebody stops for a minute, and that a signal has go on.
func stopped(s *Scene, by int) {
	s.Wait(10 * time.Second)
	bad := s.Node("/usr/sbin/apache2")
	s.Stall(time.Minute, 0)
	s.Stall(0, by)
	s.Late(time.Minute, func() { bad.Run("/bin/kill").Do("kill", nil, "pid", os.Getpid(), "sig", 19) })
	s.Wait(30 * time.Second)
}

// TestEachStopIsTold: a short stop does not hide the long one behind it.
func TestEachStopIsTold(t *testing.T) {
	s := NewScene(abuse.New(), nil)
	bad := s.Node("/usr/sbin/apache2")
	for _, d := range []time.Duration{time.Second, 20 * time.Second, 15 * time.Second} {
		s.Wait(5 * time.Second)
		s.Stall(d, 0)
		s.Stall(0, 18)
		s.Late(d, func() { bad.Do("kill", nil, "pid", os.Getpid(), "sig", 19) })
	}
	s.Wait(30 * time.Second)
	var said []string
	for _, f := range s.Findings {
		said = append(said, f.Rule+": "+strings.Join(f.Evidence, "; "))
	}
	all := strings.Join(said, "\n")
	if len(said) != 3 || !strings.Contains(all, "still for 20s") || !strings.Contains(all, "still for 15s") {
		t.Errorf("three stops are told as\n%s", all)
	}
}

// TestWhoAndForHowLong: the alert about a stop has who did it, and the time that was lost.
func TestWhoAndForHowLong(t *testing.T) {
	s := NewScene(abuse.New(), nil)
	stopped(s, 18)
	if len(s.Findings) != 1 {
		t.Fatalf("%d findings of one deed: %+v", len(s.Findings), s.Findings)
	}
	said := strings.Join(s.Findings[0].Evidence, "; ")
	for _, want := range []string{"by /bin/kill", "started by /usr/sbin/apache2", "signal 19", "it stood still for 1m0s", "nothing of it is lost"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q lacks %q", said, want)
		}
	}
}

const wrongPassword = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"

// mongoSays is an answer of MongoDB's, an OP_MSG with {ok: ok, errmsg: "...", code: code, codeName: "...", $clusterTime: {...}}.
func mongoSays(code byte, ok int) string {
	done := "\x00\x00\x00\x00\x00\x00\x00\x00" // 0.0
	if ok != 0 {
		done = "\x00\x00\x00\x00\x00\x00\xf0\x3f" // 1.0
	}
	elements := "\x01ok\x00" + done +
		"\x02errmsg\x00\x17\x00\x00\x00Authentication failed.\x00" +
		"\x10code\x00" + string(rune(code)) + "\x00\x00\x00" +
		"\x02codeName\x00\x15\x00\x00\x00AuthenticationFailed\x00" +
		"\x03$clusterTime\x00\x1a\x00\x00\x00\x11clusterTime\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00"
	document := string([]byte{byte(len(elements) + 5), 0, 0, 0}) + elements + "\x00"
	rest := "\x07\x00\x00\x00" + "\x05\x00\x00\x00" + "\xdd\x07\x00\x00" + "\x00\x00\x00\x00" + "\x00" + document
	return string([]byte{byte(len(rest) + 4), 0, 0, 0}) + rest
}

// FuzzAnswers: whatever a service answers, it is looked at to its end.
func FuzzAnswers(f *testing.F) {
	f.Add(uint16(27017), []byte(mongoSays(18, 0)))
	f.Add(uint16(27017), []byte(mongoSays(18, 0)[:60]))
	f.Add(uint16(6379), []byte(wrongPassword))
	f.Fuzz(func(_ *testing.T, port uint16, data []byte) {
		c := app(NewScene(abuse.New(), nil))
		at := fmt.Sprintf("172.17.0.2:%d", port)
		for range 5 {
			c.Says(at, "203.0.113.9:40000", string(data))
		}
		c.Flows(at, "203.0.113.9:40000", len(data), len(data), 1+len(data)/1000)
	})
}
