package lab

import (
	"os"
	"path/filepath"

	"bulwark/internal/need"
)

// programs are executed that were not in the image.
func programs() []Action {
	return []Action{
		{
			Name: "drift", Row: 24, Rule: "drift/new-program", Script: "cp /usr/local/bin/lab /opt/dropped\n/opt/dropped sleep 1ms",
			Twin: Twin{Script: "cp /usr/local/bin/lab /opt/kept\nlab sleep 1ms"},
		},
		{Name: "memory-program", Row: 25, Rule: "drift/memory-program", Script: "lab memfd", Twin: Twin{Script: "lab kernel-exec /usr/local/bin/lab sleep 1ms"}},
		{Name: "deleted-program", Row: 25, Rule: "drift/deleted-program", Script: "lab deleted /tmp/gone", Twin: Twin{Script: "echo x > /tmp/gone\nrm /tmp/gone\nlab sleep 1ms"}},
		{
			Name: "temporary-program", Row: 26, Rule: "drift/temporary-program", Options: Options{Tmpfs: []string{"/tmp"}},
			Script: "cp /usr/local/bin/lab /tmp/x\n/tmp/x sleep 1ms", Twin: Twin{Script: "echo text > /tmp/x\ncat /tmp/x\necho done"},
		},
		{
			Name: "preload-file", Row: 28, Rule: "drift/preload", Script: "echo /tmp/x.so > /etc/ld.so.preload\necho done",
			Twin: Twin{Script: "echo x > /etc/app.conf\necho done"},
		},
		{Name: "preload-variable", Row: 28, Rule: "drift/preload", Script: "LD_PRELOAD=/tmp/x.so lab sleep 1ms", Twin: Twin{Script: "LAB_OPTION=1 lab sleep 1ms"}},
		{Name: "package-manager", Row: 33, Rule: "shell/package-manager", Exec: true, Script: "apt install -y nmap\necho done", Twin: Twin{Script: "apt list --installed\necho done"}},
	}
}

// wallet looks like an address that coins are sent to, and is none.
func wallet() string {
	b := []byte("4")
	for i := range 94 {
		b = append(b, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[(i*31+7)%58])
	}
	return string(b)
}

// miners are what mining looks like.
func miners() []Action {
	return []Action{
		{Name: "stratum", Row: 34, Rule: "miner/stratum", Script: "lab stratum own", Twin: Twin{Script: "lab rpc own"}},
		{Name: "pool-name", Row: 35, Rule: "miner/pool-name", Script: "lab dns pool.supportxmr.com", Twin: Twin{Script: "lab dns www.example.org"}},
		{
			Name: "miner-arguments", Row: 40, Rule: "miner/command", Script: "lab sleep 1ms -o stratum+tcp://pool.example:3333 -u " + wallet() + " --donate-level 1 --coin monero",
			Twin: Twin{Script: "lab sleep 1ms -o http://proxy.example:3128 -u reader --level 1"},
		},
		{
			Name: "huge-pages", Row: 39, Rule: "miner/score", Options: Options{Privileged: true}, Before: keep("/proc/sys/vm/nr_hugepages"),
			Script: "pkill xmrig\nn=$(cat /proc/sys/vm/nr_hugepages)\necho $n > /proc/sys/vm/nr_hugepages\necho done",
			Twin:   Twin{Script: "pkill nobody\nn=$(cat /proc/sys/vm/nr_hugepages)\necho $n > /proc/sys/vm/nr_hugepages\necho done"},
		},
	}
}

// shells are given to who should have none.
func shells() []Action {
	return []Action{
		{Name: "reverse-shell", Row: 30, Rule: "shell/reverse-shell", Script: "lab reverse", Twin: Twin{Script: "lab chat"}},
		{Name: "shell-of-server", Row: 31, Rule: "shell/server-shell", Script: "/usr/sbin/nginx spawn", Twin: Twin{Script: "/usr/sbin/nginx serve"}},
		{Name: "terminal", Row: 32, Rule: "shell/terminal", Exec: true, Options: Options{TTY: true}, Script: "tty\necho done", Twin: Twin{Options: &Options{}, Script: "echo done"}},
	}
}

// networks are attacks by way of the network.
func networks() []Action {
	return []Action{
		{
			Name: "metadata", Row: 21, Rule: "network/metadata", Script: "nc -w 1 169.254.169.254 80 < /dev/null || true\necho done",
			Twin: Twin{Script: "nc -w 1 127.0.0.1 80 < /dev/null || true\necho done"},
		},
		{Name: "scan", Row: 46, Rule: "network/scan", Before: network, Script: "lab scan $LAB_BRIDGE 60", Twin: Twin{Script: "lab few $LAB_BRIDGE"}},
	}
}

// changes are of files that attackers read and write.
func changes() []Action {
	return []Action{
		{
			Name: "service-account", Row: 20, Rule: "access/service-account-token", Options: Options{Mounts: []string{"DIR:/var/run/secrets/kubernetes.io/serviceaccount:ro"}}, Before: folder("token", "ca.crt"),
			Script: "cat /var/run/secrets/kubernetes.io/serviceaccount/token > /dev/null\necho done",
			Twin:   Twin{Script: "cat /var/run/secrets/kubernetes.io/serviceaccount/ca.crt > /dev/null\necho done"},
		},
		{Name: "read-shadow", Row: 42, Rule: "access/shadow", Script: "cat /etc/shadow > /dev/null\necho done", Twin: Twin{Script: "cat /etc/passwd > /dev/null\necho done"}},
		{Name: "cron", Row: 42, Rule: "persist/cron", Script: "echo '* * * * * root true' > /etc/cron.d/lab\necho done", Twin: Twin{Script: "echo x > /srv/lab\necho done"}},
		{
			Name: "cron-of-node", Row: 42, Rule: "persist/cron", Escape: true, Options: Options{Mounts: []string{"DIR:/host"}}, Before: folder("etc/cron.d/keep"),
			Script: "echo '# nothing' > /host/etc/cron.d/lab\necho done", Twin: Twin{Script: "cat /host/etc/cron.d/keep\necho done"},
		},
		{Name: "authorized-keys", Row: 42, Rule: "persist/authorized-keys", Script: "echo key >> /root/.ssh/authorized_keys\necho done", Twin: Twin{Script: "ls /root/.ssh\necho done"}},
		{Name: "set-uid", Row: 43, Rule: "persist/set-uid", Script: "cp /bin/busybox /tmp/su\nchmod 4755 /tmp/su\necho done", Twin: Twin{Script: "echo x > /tmp/file\nchmod 644 /tmp/file\necho done"}},
		{Name: "history", Row: 44, Rule: "abuse/trace-removal", Script: "rm /root/.ash_history\necho done", Twin: Twin{Script: "echo x > /tmp/file\nrm /tmp/file\necho done"}},
		{Name: "clear-log", Row: 44, Rule: "abuse/trace-removal", Script: ": > /var/log/auth.log\necho done", Twin: Twin{Script: ": > /var/log/app.log\necho more >> /var/log/auth.log\necho done"}},
		{
			Name: "mass-rename", Row: 45, Rule: "abuse/mass-encryption",
			Script: "mkdir /srv/data\nfor i in $(seq 200); do echo x > /srv/data/$i.txt; done\nfor i in $(seq 200); do mv /srv/data/$i.txt /srv/data/$i.txt.locked; done\necho done",
			Twin:   Twin{Script: "mkdir /srv/data\nfor i in 1 2 3; do echo x > /srv/data/$i; mv /srv/data/$i /srv/data/$i.old; done\necho done"},
		},
	}
}

// exhaustion takes what others need.
func exhaustion() []Action {
	return []Action{
		{
			Name: "fork-bomb", Row: 49, Rule: "abuse/fork-bomb", Options: Options{Pids: 100},
			Script: "for i in $(seq 300); do (sleep 1 &) 2>/dev/null || true; done\necho done",
			Twin:   Twin{Script: "for i in $(seq 5); do (true &); done\necho done"},
		},
	}
}

// runtimeFolder is where the node's own runtime is. Whoever opens it for writing changes nothing of it.
func runtimeFolder(s *Stage) {
	s.Helper()
	s.Dir = filepath.Dir(need.Tool(s, "runc"))
}

// logFolder is one of the node's, below the logs.
func logFolder(s *Stage) {
	s.Helper()
	dir, err := os.MkdirTemp("/var/log", "lab-*")
	if err != nil {
		need.Missing(s, "a folder below the logs: %v", err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	s.Dir = dir
}
