package persist_test

import (
	"testing"

	"bulwark"
	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/persist"
)

func shell(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app").Run("/bin/sh", "-c", "x") }

func TestRules(t *testing.T) {
	Run(t, persist.New, []Twins{
		{Rule: "cron",
			Attack: func(s *Scene) { shell(s).Open("/etc/cron.d/update", Create) },
			Benign: func(s *Scene) {
				shell(s).Open("/etc/cron.d/update", Read)
				s.Node("/usr/bin/apt").Run("/usr/bin/dpkg").Open("/etc/cron.d/x", Create)
				s.Node("/usr/bin/puppet", "agent").Run("/usr/bin/ruby").Open("/var/spool/cron/crontabs/root", Create)
				s.Node("/usr/sbin/cron").Open("/var/spool/cron/crontabs/root", Read)
			}},
		{Rule: "systemd",
			Attack: func(s *Scene) {
				s.Node("/usr/sbin/apache2").Run("/bin/sh").Open("/etc/systemd/system/x.service", Create)
			},
			Benign: func(s *Scene) {
				s.Node("/usr/bin/systemctl", "enable", "x").Do("symlinkat", nil, "target", "/lib/systemd/system/x.service", "linkpath", "/etc/systemd/system/multi-user.target.wants/x.service")
				s.Node("/usr/lib/systemd/systemd").Open("/run/systemd/system/run-1.scope", Create)
			}},
		{Rule: "boot-script",
			Attack: func(s *Scene) { shell(s).Open("/etc/rc.local", Create) },
			Benign: func(s *Scene) { s.Node("/usr/sbin/update-rc.d").Open("/etc/rc2.d/S01x", Create) }},
		{Rule: "login-script",
			Attack: func(s *Scene) { shell(s).Open("/home/app/.bashrc", 0o2001) },
			Benign: func(s *Scene) { shell(s).Open("/home/app/.bashrc", Read).Open("/home/app/.bashrc.bak", Create) }},
		{Rule: "authorized-keys",
			Attack: func(s *Scene) { shell(s).Open("/root/.ssh/authorized_keys", Create) },
			Benign: func(s *Scene) {
				s.Node("/usr/sbin/sshd").Open("/root/.ssh/authorized_keys", Read).Open("/root/.ssh/known_hosts", Create)
			}},
		{Rule: "sudoers",
			Attack: func(s *Scene) { shell(s).Do("renameat2", nil, "oldpath", "/tmp/x", "newpath", "/etc/sudoers.d/x") },
			Benign: func(s *Scene) { s.Node("/usr/bin/sudo", "ls").Open("/etc/sudoers", Read) }},
		{Rule: "account",
			Attack: func(s *Scene) { shell(s).Open("/etc/shadow", Create) },
			Benign: func(s *Scene) {
				s.Container("x:1", "/usr/bin/app").Run("/usr/sbin/useradd", "x").Open("/etc/passwd", 2)
				shell(s).Open("/etc/passwd", Read)
			}},
		{Rule: "login-module",
			Attack: func(s *Scene) { shell(s).Open("/etc/pam.d/sshd", Trunc) },
			Benign: func(s *Scene) { s.Node("/usr/sbin/sshd").Open("/etc/pam.d/sshd", Read) }},
		{Rule: "set-uid",
			Attack: func(s *Scene) {
				shell(s).Run("/bin/chmod", "u+s", "/tmp/sh").Do("fchmodat", nil, "filename", "/tmp/sh", "mode", 0o104755)
			},
			Benign: func(s *Scene) {
				shell(s).Do("fchmodat", nil, "filename", "/tmp/sh", "mode", 0o755).Do("chmod", nil, "filename", "/srv", "mode", 0o2775)
				s.Node("/usr/bin/dockerd").Do("fchmodat", nil, "filename", "/var/lib/docker/overlay2/x/diff/bin/su", "mode", 0o4755)
			}},
	},
		Case{Name: "into the node", Fires: "cron", Do: func(s *Scene) {
			c := s.ContainerAs(&bulwark.Container{Image: "x:1", Mounts: []bulwark.Mount{{Source: "/", Dest: "/host", Write: true}}}, "/bin/sh")
			c.Open("/host/etc/cron.d/x", Create)
			if n := len(s.Findings); n != 1 || s.Findings[0].Evidence[2] != "this is /etc/cron.d/x of the node" {
				t.Errorf("%v", s.Findings)
			}
		}},
		Case{Name: "relative", Fires: "sudoers", Do: func(s *Scene) {
			p := shell(s)
			p.CWD = "/etc"
			p.Do("rename", nil, "oldpath", "/tmp/x", "newpath", "sudoers.d/../sudoers")
		}},
		Case{Name: "out of the place", Do: func(s *Scene) { shell(s).Do("rename", nil, "oldpath", "/etc/cron.d/x", "newpath", "/tmp/x") }},
		Case{Name: "a package manager of its own", Fires: "cron", Do: func(s *Scene) { shell(s).RunUpper("/usr/bin/dpkg").Open("/etc/cron.d/x", Create) }},
	)
}
