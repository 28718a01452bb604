package drift_test

import (
	"testing"

	"bulwark"
	"bulwark/detect/drift"
	. "bulwark/detect/internal/detecttest"
)

func TestRules(t *testing.T) {
	Run(t, drift.New, []Twins{
		{Rule: "new-program",
			Attack: func(s *Scene) {
				s.Container("nginx:1.27").Run("/bin/sh", "-c", "./x").RunUpper("/usr/bin/x", "--token=abcdefgh1234")
			},
			Benign: func(s *Scene) {
				c := s.Container("nginx:1.27")
				c.Run("/bin/ls")
				dev := s.ContainerAs(&bulwark.Container{Image: "dev:1", Labels: map[string]string{"devcontainer.local_folder": "/home/a/x"}}, "/bin/sh")
				dev.Run("/usr/local/go/bin/go", "run", ".").RunUpper("/workspaces/x/server")
				c.Enter("/usr/bin/apt-get", "install", "x").Run("/usr/bin/dpkg").RunUpper("/var/lib/dpkg/info/x.postinst")
			}},
		{Rule: "memory-program",
			Attack: func(s *Scene) {
				s.Container("app:1").Fork().ExecAs(bulwark.Program{Memory: true, Deleted: true}, "/memfd:x (deleted)")
			},
			Benign: func(s *Scene) {
				s.Container("app:1").Do("memfd_create", nil, "name", "buffer")
				s.Node("/usr/bin/dockerd").Run("/usr/bin/runc").ExecAs(bulwark.Program{Memory: true, Deleted: true}, "/memfd:runc_cloned:/proc/self/exe (deleted)")
			}},
		{Rule: "deleted-program",
			Attack: func(s *Scene) {
				s.Container("app:1").Fork().ExecAs(bulwark.Program{Deleted: true, Upper: false}, "/data/x (deleted)")
			},
			Benign: func(s *Scene) {
				s.Node("/usr/lib/systemd/systemd").ExecAs(bulwark.Program{Deleted: true}, "/usr/lib/systemd/systemd (deleted)")
			}},
		{Rule: "temporary-program",
			Attack: func(s *Scene) { s.Node("/usr/sbin/sshd").Run("/bin/bash").Run("/dev/shm/kdevtmpfsi") },
			Benign: func(s *Scene) {
				s.Node("/usr/bin/make").Run("/tmp/configure-test")
				s.Container("s6:1", "/init").Run("/run/s6/basedir/bin/init")
				s.Container("app:1").Run("/usr/bin/python3", "/tmp/job.py")
			}},
		{Rule: "loader-bypass",
			Attack: func(s *Scene) {
				s.Container("app:1").Run("/lib64/ld-linux-x86-64.so.2", "--library-path", "/x", "/tmp/.m/kswapd0")
			},
			Benign: func(s *Scene) {
				c := s.Container("app:1")
				c.Run("/lib64/ld-linux-x86-64.so.2", "--verify", "/bin/ls")
				c.Run("/lib/ld-musl-x86_64.so.1", "--list", "/bin/ls")
				s.Node("/nix/ld-linux-x86-64.so.2", "/nix/store/app")
			}},
		{Rule: "preload",
			Attack: func(s *Scene) {
				p := s.Container("app:1").Fork()
				p.Env = []string{"LD_PRELOAD=/dev/shm/libprocesshider.so"}
				p.Exec("/bin/ps")
			},
			Benign: func(s *Scene) {
				p := s.Container("app:1").Fork()
				p.Env = []string{"LD_PRELOAD=/usr/local/lib/libjemalloc.so.2"}
				p.Exec("/srv/app").Open("/etc/ld.so.preload", Read)
			}},
		{Rule: "new-library",
			Attack: func(s *Scene) { s.Container("nginx:1.27").Do("mmap", FD("/tmp/.x/mod.so"), "prot", 5, "flags", 2) },
			Benign: func(s *Scene) {
				c := s.Container("nginx:1.27").Do("mmap", FD("/usr/lib/x86_64-linux-gnu/libc.so.6"), "prot", 5, "flags", 2)
				c.Do("mmap", FD("/tmp/data"), "prot", 3, "flags", 1)
				s.Container("app:1", "/opt/java/bin/java").Do("mmap", FD("/tmp/libsnappyjava.so"), "prot", 5, "flags", 2)
				s.Node("/usr/bin/app").Do("mmap", FD("/tmp/x.so"), "prot", 5, "flags", 2)
			}},
		{Rule: "made-executable",
			Attack: func(s *Scene) { s.Container("nginx:1.27").Run("/bin/sh").Run("/bin/chmod", "+x", "/tmp/k") },
			Benign: func(s *Scene) {
				c := s.Container("nginx:1.27").Run("/bin/sh")
				c.Run("/bin/chmod", "+x", "/docker-entrypoint.d/10-x.sh").Run("/bin/chmod", "1777", "/tmp/x")
				c.Run("/bin/chmod", "u+w", "/tmp/x")
				s.Node("/bin/chmod", "+x", "/tmp/k")
			}},
		{Rule: "written-code", Also: []string{"new-program"},
			Attack: func(s *Scene) { s.Container("app:1").RunUpper("/srv/x").Do("mmap", nil, "prot", 7, "flags", 0x22) },
			Benign: func(s *Scene) {
				s.Container("app:1", "/usr/bin/java").Do("mmap", nil, "prot", 7, "flags", 0x22).Do("mprotect", nil, "prot", 7)
			}},
	},
		Case{Name: "a miner in CI", Fires: "new-program", Do: func(s *Scene) {
			s.ContainerAs(&bulwark.Container{Image: "ci:1", Env: []string{"GITLAB_CI=true"}}, "/bin/sh").RunUpper("/tmp/.x/kswapd0")
		}},
		Case{Name: "a program that says it is CI", Fires: "new-program", Do: func(s *Scene) {
			p := s.Container("app:1").Fork()
			p.Env = []string{"GITLAB_CI=true"}
			p.RunUpper("/srv/x")
		}},
		Case{Name: "list of all programs", Fires: "preload", Do: func(s *Scene) { s.Container("app:1", "/bin/sh").Open("/etc/ld.so.preload", Create) }},
		Case{Name: "script in memory", Fires: "temporary-program", Do: func(s *Scene) { s.Container("app:1").Run("/bin/sh", "/dev/shm/x.sh") }},
		Case{Name: "called runc", Fires: "memory-program", Do: func(s *Scene) {
			p := s.Container("app:1").Fork()
			p.Name = "runc:[2:INIT]"
			p.ExecAs(bulwark.Program{Memory: true}, "/memfd:runc_cloned:/proc/self/exe (deleted)")
		}},
		Case{Name: "an own package manager excuses nothing", Fires: "new-program", Also: []string{"new-program"}, Do: func(s *Scene) {
			s.Container("app:1").RunUpper("/usr/bin/apt").RunUpper("/usr/bin/x")
		}},
	)
}
