package detecttest

import (
	"fmt"
	"time"

	"bulwark"
)

// days are what nodes and containers do without anybody being after anything.
var days = []Case{
	{Name: "day: nginx starts, reloads and answers probes", Do: func(s *Scene) {
		c := s.Container("nginx:1.27", "/bin/sh", "/docker-entrypoint.sh", "nginx", "-g", "daemon off;")
		c.Run("/usr/bin/find", "/docker-entrypoint.d/", "-mindepth", "1", "-type", "f").Exit(0)
		c.Exec("/usr/sbin/nginx", "-g", "daemon off;")
		c.Open("/var/log/nginx/access.log", Create).Open("/etc/nginx/nginx.conf", Read)
		c.Do("openat", Outside("/dev/pts/0", 0x1cd1), "name", "/dev/stdout", "flags", Write)
		for range 4 {
			w := c.Fork()
			w.Do("setuid", nil, "uid", 101)
			w.UID, w.Effective, w.Permitted = 101, 0, 0
			w.Do("prctl", nil, "option", 4)
		}
		c.Enter("/usr/sbin/nginx", "-s", "reload").Exit(0)
		for range 20 {
			s.Wait(10 * time.Second)
			c.Enter("/bin/sh", "-c", "curl -f http://localhost/healthz || exit 1").Run("/usr/bin/curl", "-f", "http://localhost/healthz").Do("connect", Socket("127.0.0.1:40000", "127.0.0.1:80"))
			c.Says("172.17.0.2:80", "172.17.0.1:50000", "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n")
		}
	}},
	{Name: "day: postgres starts, forks, archives", Do: func(s *Scene) {
		c := s.Container("postgres:16", "/bin/bash", "/usr/local/bin/docker-entrypoint.sh", "postgres")
		c.Run("/usr/bin/id", "-u").Exit(0)
		c.Run("/bin/chmod", "00700", "/var/lib/postgresql/data").Do("fchmodat", nil, "filename", "/var/lib/postgresql/data", "mode", 0o700)
		c.Exec("/usr/sbin/gosu", "postgres", "docker-entrypoint.sh")
		c.Do("setuid", nil, "uid", 999)
		c.UID, c.Effective, c.Permitted = 999, 0, 0
		c.Exec("/usr/lib/postgresql/16/bin/postgres")
		for i := range 60 {
			b := c.Fork()
			b.Open(fmt.Sprintf("/var/lib/postgresql/data/base/5/%d", i), 2)
			b.Do("renameat2", nil, "oldpath", fmt.Sprintf("pg_wal/archive_status/%024X.ready", i), "newpath", fmt.Sprintf("pg_wal/archive_status/%024X.done", i))
			b.Do("renameat2", nil, "oldpath", "pg_logical/x.tmp", "newpath", "pg_logical/x")
			b.Do("unlink", nil, "path", fmt.Sprintf("base/pgsql_tmp/%d", i))
			b.Exit(0)
		}
		c.Run("/bin/sh", "-c", "test ! -f /archive/0001 && cp pg_wal/0001 /archive/0001").Run("/bin/cp", "pg_wal/0001", "/archive/0001").Exit(0)
		c.Enter("/usr/lib/postgresql/16/bin/pg_isready", "-U", "postgres").Do("connect", Unix("/var/run/postgresql/.s.PGSQL.5432"))
	}},
	{Name: "day: an image is built with apt", Do: func(s *Scene) {
		c := s.Container("sha256:aaaa", "/bin/sh", "-c", "apt-get update && apt-get install -y cron sudo openssh-server && rm -rf /var/lib/apt/lists/* /var/log/*")
		apt := c.Run("/usr/bin/apt-get", "install", "-y", "cron", "sudo")
		apt.Run("/usr/lib/apt/methods/http").Do("connect", Socket("172.17.0.2:40000", "151.101.2.132:80"))
		dpkg := apt.Run("/usr/bin/dpkg", "--unpack", "/var/cache/apt/archives/cron.deb")
		for _, f := range []string{"/etc/cron.d/e2scrub", "/etc/sudoers.dpkg-new", "/etc/init.d/cron.dpkg-new", "/lib/systemd/system/cron.service.dpkg-new", "/etc/pam.d/cron.dpkg-new", "/etc/profile.d/x.sh", "/root/.bashrc"} {
			dpkg.Open(f, Create)
		}
		dpkg.Do("fchmodat", nil, "filename", "/usr/bin/sudo.dpkg-new", "mode", 0o4755)
		dpkg.Do("rename", nil, "oldpath", "/etc/sudoers.dpkg-new", "newpath", "/etc/sudoers")
		for i := range 200 {
			dpkg.Do("rename", nil, "oldpath", fmt.Sprintf("/usr/share/x/%d.dpkg-new", i), "newpath", fmt.Sprintf("/usr/share/x/%d", i))
			dpkg.Do("link", nil, "oldpath", "/var/lib/dpkg/status", "newpath", "/var/lib/dpkg/status-old")
		}
		post := dpkg.Fork().ExecAs(bulwark.Program{Upper: true, Writable: true}, "/var/lib/dpkg/info/cron.postinst", "configure")
		post.Run("/usr/sbin/useradd", "--system", "sshd").Open("/etc/shadow", 2)
		post.RunUpper("/usr/bin/crontab-new", "--version")
		post.Run("/bin/chmod", "u+s", "/usr/bin/at").Do("fchmodat", nil, "filename", "/usr/bin/at", "mode", 0o4755)
		c.Run("/bin/rm", "-rf", "/var/lib/apt/lists/x", "/var/log/wtmp").Do("unlinkat", nil, "name", "/var/log/wtmp")
	}},
	{Name: "day: cron runs its jobs", Do: func(s *Scene) {
		for _, c := range []*Proc{s.Container("cron:1", "/usr/sbin/cron", "-f"), s.Node("/usr/sbin/cron", "-f")} {
			job := c.Run("/bin/sh", "-c", "test -x /usr/sbin/anacron || run-parts /etc/cron.daily")
			job.Open("/etc/crontab", Read)
			rotate := job.Run("/usr/sbin/logrotate", "/etc/logrotate.conf")
			for i := range 80 {
				rotate.Do("rename", nil, "oldpath", fmt.Sprintf("/var/log/app%d.log", i), "newpath", fmt.Sprintf("/var/log/app%d.log.1", i))
				rotate.Open(fmt.Sprintf("/var/log/app%d.log", i), Trunc)
				rotate.Do("unlink", nil, "path", fmt.Sprintf("/var/log/app%d.log.7.gz", i))
			}
			rotate.Run("/bin/gzip").Exit(0)
			c.Open("/etc/shadow", Read)
		}
	}},
	{Name: "day: an admin logs in by ssh and works", Do: func(s *Scene) {
		sshd := s.Node("/usr/sbin/sshd", "-D")
		session := sshd.Run("/usr/sbin/sshd", "-D", "-R")
		session.Open("/etc/shadow", Read).Open("/root/.ssh/authorized_keys", Read)
		shell := session.Fork()
		shell.TTY = 34816
		shell.Exec("/bin/bash")
		shell.Open("/root/.bash_history", Create)
		shell.Run("/usr/bin/sudo", "apt", "upgrade").Open("/etc/sudoers", Read).Run("/usr/bin/apt", "upgrade").Run("/usr/bin/dpkg").Open("/etc/cron.d/sysstat", Create)
		shell.Run("/usr/bin/strace", "-p", "1").Do("ptrace", nil, "request", 16, "pid", 1)
		shell.Run("/usr/bin/unshare", "-Ur").Do("unshare", nil, "flags", 0x10000000)
		shell.Run("/usr/bin/nsenter", "-t", "1", "-m")
		shell.Run("/usr/sbin/ip", "route")
		shell.Run("/usr/sbin/modprobe", "nf_tables").Do("finit_module", FD("/usr/lib/modules/6.1/kernel/net/nf_tables.ko"))
		session.Exit(0)
	}},
	{Name: "day: the node boots and the kubelet works", Do: func(s *Scene) {
		s.Node("/usr/lib/systemd/systemd-sysctl").Open("/proc/sys/kernel/core_pattern", Write)
		s.Node("/usr/lib/systemd/systemd-binfmt").Open("/proc/sys/fs/binfmt_misc/register", Write)
		s.Node("/usr/lib/systemd/systemd-modules-load").Do("finit_module", FD("/usr/lib/modules/6.1/kernel/fs/overlay.ko"))
		s.Node("/usr/bin/mount", "/dev/sda2", "/data").Do("mount", nil, "dev", "/dev/sda2", "dir", "/data", "type", "ext4")
		s.Node("/usr/sbin/swapon", "-a").Do("swapon", nil, "path", "/swap")
		k := s.Node("/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml")
		k.Do("connect", Unix("/run/containerd/containerd.sock"))
		k.Do("connect", Socket("10.0.0.5:40000", "10.0.0.1:6443"))
		k.Do("bpf", nil, "cmd", 5)
		k.Open("/var/log/pods/x/0.log", Create)
		k.Do("symlinkat", nil, "target", "/var/log/pods/x/0.log", "linkpath", "/var/log/containers/x.log")
		for i := range 100 {
			k.Do("connect", Socket("10.0.0.5:40000", fmt.Sprintf("10.244.0.%d:8080", i)))
		}
	}},
	{Name: "day: services of many languages talk to each other", Do: func(s *Scene) {
		java := s.Container("app:1", "/opt/java/openjdk/bin/java", "-Xmx2g", "-jar", "/app.jar")
		for range 300 {
			java.Do("clone", nil, "flags", 0x3d0f00)
			java.Do("mmap", nil, "length", 65536, "prot", 7, "flags", 0x22)
			java.Do("mprotect", nil, "length", 4096, "prot", 5)
		}
		java.Do("mmap", nil, "length", 2<<30, "prot", 3, "flags", 0x22)
		java.Connect("10.96.0.20:5432").Connect("10.96.0.1:443").Asks("db.shop.svc.cluster.local", 0)
		for i := range 100 {
			java.Asks(fmt.Sprintf("service-%d.shop.svc.cluster.local", i), 3)
		}
		node := s.Container("web:2", "/usr/local/bin/node", "server.js")
		node.Run("/bin/sh", "-c", "git rev-parse HEAD").Run("/usr/bin/git", "rev-parse", "HEAD").Exit(0)
		node.Do("dup2", &bulwark.FD{Num: 1, Kind: bulwark.FDPipe}, "oldfd", 5, "newfd", 1)
		node.Says("172.17.0.3:4000", "10.96.0.3:8080", `POST /rpc HTTP/1.1`+"\r\n\r\n"+`{"jsonrpc":"2.0","method":"login","params":{"user":"a"}}`)
		python := s.Container("ml:3", "/usr/bin/python3", "-m", "gunicorn", "app:app")
		python.Env = []string{"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"}
		python.Exec("/usr/bin/python3", "-m", "gunicorn", "app:app")
		python.Open("/var/run/secrets/kubernetes.io/serviceaccount/..2026_03_01/token", Read)
		python.Do("memfd_create", nil, "name", "shared")
		python.Do("socket", nil, "domain", 2, "type", 1)
		s.Container("redis:7", "/usr/local/bin/redis-server").Says("172.17.0.4:6379", "172.17.0.3:4000", "+PONG\r\n")
		s.Container("prom:1", "/bin/prometheus").Asks("node-exporter.monitoring.svc.cluster.local", 0)
	}},
}
