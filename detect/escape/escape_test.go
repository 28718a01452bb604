package escape_test

import (
	"testing"

	"bulwark"
	"bulwark/detect/escape"
	. "bulwark/detect/internal/detecttest"
)

const exploitImage = "evil:1"

func shellIn(s *Scene) *Proc { return s.Container(exploitImage, "/bin/sh") }

func privileged(s *Scene) *Proc {
	return s.ContainerAs(&bulwark.Container{Image: exploitImage, Privileged: true, HostPID: true}, "/bin/sh")
}

func TestRules(t *testing.T) {
	Run(t, escape.New, []Twins{
		{Rule: "core-pattern",
			Attack: func(s *Scene) {
				shellIn(s).Do("openat", FD("/mnt/proc/sys/kernel/core_pattern"), "name", "innocent", "flags", Write)
			},
			Benign: func(s *Scene) {
				c := shellIn(s)
				c.Open("/proc/sys/kernel/core_pattern", Read)                                             // reads
				c.Open("/tmp/sys/kernel/core_pattern", Write)                                             // a file that is called so
				s.Node("/usr/share/apport/apport").Open("/proc/sys/kernel/core_pattern", Write)           // the node
				c.Do("openat", FD("/etc/x"), "name", "/proc/sys/kernel/core_pattern", "flags", Write)     // what was opened counts
				c.Fail(30, "openat", "name", "/proc/sys/kernel/core_pattern", "flags", Write)             // read-only
				s.Node("/usr/bin/sysctl", "-w", "x").Open("/proc/sys/kernel/core_pattern", Write).Exit(0) // the node
			}},
		{Rule: "release-agent",
			Attack: func(s *Scene) { shellIn(s).Open("/sys/fs/cgroup/rdma/release_agent", Create) },
			Benign: func(s *Scene) {
				s.Container("init:1", "/usr/lib/systemd/systemd").Open("/sys/fs/cgroup/systemd/notify_on_release", Write)
				shellIn(s).Open("/home/u/release_agent", Create)
			}},
		{Rule: "uevent-helper",
			Attack: func(s *Scene) { shellIn(s).Open("/sys/kernel/uevent_helper", Write) },
			Benign: func(s *Scene) { shellIn(s).Open("/sys/kernel/uevent_helper", Read) }},
		{Rule: "modprobe-path",
			Attack: func(s *Scene) { shellIn(s).Open("/proc/sys/kernel/modprobe", Write) },
			Benign: func(s *Scene) { s.Node("/usr/sbin/sysctl").Open("/proc/sys/kernel/modprobe", Write) }},
		{Rule: "binfmt",
			Attack: func(s *Scene) { shellIn(s).Open("/proc/sys/fs/binfmt_misc/register", Write) },
			Benign: func(s *Scene) { shellIn(s).Open("/proc/sys/fs/binfmt_misc/status", Read) }},
		{Rule: "kernel-setting",
			Attack: func(s *Scene) { shellIn(s).Open("/proc/sysrq-trigger", Write) },
			Benign: func(s *Scene) { shellIn(s).Open("/proc/sys/net/core/somaxconn", Write) }},
		{Rule: "cgroup-devices",
			Attack: func(s *Scene) { shellIn(s).Open("/tmp/cg/sys/fs/cgroup/devices/docker/x/devices.allow", Write) },
			Benign: func(s *Scene) {
				c := s.Container("docker:dind", "/usr/local/bin/dockerd")
				c.Run("/usr/local/bin/runc", "run").Open("/sys/fs/cgroup/devices/docker/y/devices.allow", Write)
			}},
		{Rule: "device-mounted",
			Attack: func(s *Scene) {
				shellIn(s).Run("/bin/mount", "/dev/loop0", "/mnt").Do("mount", nil, "dev", "/dev/loop0", "dir", "/mnt", "type", "ext4")
			},
			Benign: func(s *Scene) {
				c := privileged(s)
				c.Do("mount", nil, "dev", "/dev/sda1", "dir", "/etc/hosts", "flags", 4096)
				c.Do("mount", nil, "dev", "tmpfs", "dir", "/tmp", "type", "tmpfs")
				c.Do("mount", nil, "dev", "/dev/sdb", "dir", "/var/lib/kubelet/plugins/csi/globalmount", "type", "ext4")
				c.Fail(1, "mount", "dev", "/dev/sda1", "dir", "/mnt", "type", "ext4")
			}},
		{Rule: "device-made",
			Attack: func(s *Scene) {
				shellIn(s).Run("/bin/mknod", "/x", "b", "8", "1").Do("mknodat", nil, "path", "/x", "mode", 0o60600, "dev", 0x801)
			},
			Benign: func(s *Scene) {
				shellIn(s).Do("mknodat", nil, "path", "/dev/console", "mode", 0o20600).Do("mknod", nil, "path", "/tmp/fifo", "mode", 0o10600)
			}},
		{Rule: "disk-opened",
			Attack: func(s *Scene) { shellIn(s).Run("/sbin/debugfs", "/dev/sda1").Open("/dev/sda1", Read) },
			Benign: func(s *Scene) {
				c := privileged(s)
				c.Run("/bin/lsblk").Open("/dev/sda", Read)
				c.Open("/dev/null", Write).Open("/dev/shm/x", Create).Open("/dev/mapper/control", 2)
			}},
		{Rule: "host-namespace",
			Attack: func(s *Scene) {
				c := privileged(s)
				c.Do("setns", &bulwark.FD{Num: 3, Kind: bulwark.FDOther, Name: []byte("mnt:[4026531841]"), Inode: 4026531841, Magic: 0x6e736673}, "nstype", 0x20000)
			},
			Benign: func(s *Scene) {
				c := privileged(s)
				c.Do("setns", &bulwark.FD{Num: 3, Name: []byte("net:[4026531833]"), Inode: 4026531833}, "nstype", 0x40000000) // network plugins
				c.Do("setns", &bulwark.FD{Num: 3, Name: []byte("mnt:[4026539999]"), Inode: 4026539999}, "nstype", 0x20000)    // another container
				s.Node("/usr/bin/nsenter", "-t", "1").Do("setns", &bulwark.FD{Num: 3, Inode: 4026531841}, "nstype", 0x20000)
			}},
		{Rule: "user-namespace",
			Attack: func(s *Scene) { shellIn(s).Run("/usr/bin/unshare", "-Ur").Do("unshare", nil, "flags", 0x10000000) },
			Benign: func(s *Scene) {
				s.Container("chrome:1", "/usr/bin/chromium").Do("clone", nil, "res", 77, "flags", 0x70000011)
				shellIn(s).Do("unshare", nil, "flags", 0x20000).Fail(1, "unshare", "flags", 0x10000000)
			}},
		{Rule: "outside-root",
			Attack: func(s *Scene) {
				privileged(s).Do("openat", Outside("/etc/shadow", 0xef53), "name", "/proc/1/root/etc/shadow", "flags", Read)
			},
			Benign: func(s *Scene) {
				c := shellIn(s)
				c.Do("openat", Outside("/dev/pts/3", 0x1cd1), "name", "/proc/self/fd/1", "flags", Write)
				c.Do("openat", Outside("/null", 0x01021994), "name", "/proc/self/fd/0", "flags", Read)
				c.Do("openat", Outside("/var/lib/docker/containers/x/x-json.log", 0xef53), "name", "/dev/stdout", "flags", Write)
				c.Open("/proc/meminfo", Read)
			}},
		{Rule: "cwd-outside",
			Attack: func(s *Scene) { shellIn(s).Do("chdir", nil, "path", "/proc/self/fd/8") },
			Benign: func(s *Scene) { shellIn(s).Do("chdir", nil, "path", "/srv").Do("fchdir", FD("/srv")) }},
		{Rule: "open-by-handle",
			Attack: func(s *Scene) {
				shellIn(s).RunUpper("/shocker").Do("open_by_handle_at", Outside("/", 0xef53), "flags", Read)
			},
			Benign: func(s *Scene) {
				s.Container("nfs:1", "/usr/bin/ganesha.nfsd").Do("open_by_handle_at", FD("/export/a"), "flags", Read)
				shellIn(s).Fail(1, "open_by_handle_at", "flags", Read)
			}},
		{Rule: "log-link",
			Attack: func(s *Scene) {
				c := s.ContainerAs(&bulwark.Container{Image: "logs:1", Mounts: []bulwark.Mount{{Source: "/var/log", Dest: "/host/log", Write: true}}}, "/bin/sh")
				c.Do("symlinkat", nil, "target", "/etc/shadow", "linkpath", "/host/log/pods/x/0.log")
			},
			Benign: func(s *Scene) {
				c := s.ContainerAs(&bulwark.Container{Image: "logs:1", Mounts: []bulwark.Mount{{Source: "/var/log", Dest: "/host/log", Write: true}}}, "/bin/fluentd")
				c.Do("symlinkat", nil, "target", "/var/log/pods/x/0.log", "linkpath", "/host/log/containers/x.log")
				c.Do("symlinkat", nil, "target", "/dev/stdout", "linkpath", "/var/log/nginx/access.log")
			}},
		{Rule: "ptrace",
			Attack: func(s *Scene) { privileged(s).Run("/inject").Do("ptrace", nil, "request", 16, "pid", 1) },
			Benign: func(s *Scene) {
				shellIn(s).Run("/usr/bin/strace", "-p", "7").Do("ptrace", nil, "request", 16, "pid", 7) // its own container
				privileged(s).Run("/usr/bin/gdb").Do("ptrace", nil, "request", 0)                       // a child traced itself
			}},
		{Rule: "process-memory",
			Attack: func(s *Scene) { shellIn(s).Run("/usr/bin/python3", "x.py").Open("/proc/7/mem", 2) },
			Benign: func(s *Scene) {
				shellIn(s).Open("/proc/self/mem", 2).Run("/usr/bin/gdb", "-p", "7").Open("/proc/7/mem", 2)
				shellIn(s).Open("/srv/mem", Create).Open("/dev/mem", Read)
			}},
		{Rule: "runtime-overwrite",
			Attack: func(s *Scene) {
				shellIn(s).Run("/x").Do("openat", Outside("/usr/bin/runc", 0xef53), "name", "/proc/self/fd/4", "flags", Trunc)
			},
			Also: []string{"outside-root"},
			Benign: func(s *Scene) {
				shellIn(s).Run("/usr/bin/tar", "x").Open("/usr/bin/runc", Create)
				shellIn(s).Fail(26, "openat", "name", "/usr/bin/app", "flags", Write)
			}},
		{Rule: "runtime-socket",
			Attack: func(s *Scene) {
				shellIn(s).Run("/usr/bin/curl", "--unix-socket", "/var/run/docker.sock").Do("connect", Unix("/run/docker.sock"))
			},
			Benign: func(s *Scene) {
				s.Node("/usr/bin/docker", "ps").Do("connect", Unix("/run/docker.sock"))
				shellIn(s).Do("connect", Unix("/run/mysqld/mysqld.sock")).Fail(13, "connect")
			}},
		{Rule: "kernel-module",
			Attack: func(s *Scene) { shellIn(s).Run("/sbin/insmod", "x.ko").Do("finit_module", FD("/tmp/x.ko")) },
			Benign: func(s *Scene) {
				p := s.Container("kube-proxy:1", "/usr/local/bin/kube-proxy")
				p.Run("/usr/sbin/modprobe", "ip_vs").Do("finit_module", FD("/lib/modules/6.1/kernel/ip_vs.ko"))
			}},
		{Rule: "bpf-program",
			Attack: func(s *Scene) { shellIn(s).RunUpper("/tmp/rootkit").Do("bpf", nil, "cmd", 5) },
			Benign: func(s *Scene) {
				s.Container("cilium:1", "/usr/bin/cilium-agent").Do("bpf", nil, "cmd", 5)
				shellIn(s).Do("bpf", nil, "cmd", 1).Fail(1, "bpf", "cmd", 5)
			}},
		{Rule: "bpf-tamper",
			Attack: func(s *Scene) {
				privileged(s).Run("/usr/sbin/bpftool", "link", "detach", "id", "7").Do("bpf", nil, "cmd", 34)
			},
			Benign: func(s *Scene) {
				s.Container("cilium:1", "/usr/bin/cilium-agent").Do("bpf", nil, "cmd", 13).Do("bpf", nil, "cmd", 9)
				s.Node("/usr/sbin/bpftool", "prog").Do("bpf", nil, "cmd", 13)
				shellIn(s).Fail(1, "bpf", "cmd", 14).Do("bpf", nil, "cmd", 1)
			}},
		{Rule: "kernel-surface",
			Attack: func(s *Scene) { shellIn(s).Do("userfaultfd", nil) },
			Benign: func(s *Scene) {
				c := s.Container("vm:1", "/usr/bin/qemu-system-x86_64").Do("userfaultfd", nil)
				for range 20 {
					c.Do("keyctl", nil, "op", 6)
				}
			}},
		{Rule: "node-control",
			Attack: func(s *Scene) { shellIn(s).Run("/sbin/kexec").Do("kexec_load", nil) },
			Benign: func(s *Scene) {
				s.Container("init:1", "/usr/lib/systemd/systemd").Do("reboot", nil, "cmd", 0x4321fedc)
				shellIn(s).Fail(1, "reboot", "cmd", 0x4321fedc)
			}},
		{Rule: "io-uring",
			Attack: func(s *Scene) { shellIn(s).RunUpper("/tmp/x").Do("io_uring_setup", nil, "entries", 8) },
			Benign: func(s *Scene) { s.Container("maria:1", "/usr/sbin/mariadbd").Do("io_uring_setup", nil, "entries", 8) }},
		{Rule: "pipe-page",
			Attack: func(s *Scene) { shellIn(s).RunUpper("/dirty").Do("splice", FD("/etc/passwd"), "res", 1, "size", 1) },
			Benign: func(s *Scene) {
				s.Container("ha:1", "/usr/sbin/haproxy").Do("splice", FD("/srv/a"), "res", 16384, "size", 16384)
			}},
		{Rule: "privilege-gain",
			Attack: func(s *Scene) {
				c := s.Container("app:1", "/usr/bin/gosu", "app")
				c.UID, c.Permitted = 1000, 0
				c.Exec("/srv/app")
				x := c.RunUpper("/tmp/exploit")
				x.UID, x.Permitted = 0, 1<<41-1 // what commit_creds does
				x.Exec("/bin/sh")
			},
			Benign: func(s *Scene) {
				c := s.Container("app:1", "/usr/bin/gosu", "app")
				c.UID, c.Permitted = 1000, 0
				c.Exec("/srv/app")
				su := c.Fork()
				su.UID, su.Permitted = 0, 0xa80425fb
				su.Exec("/usr/bin/sudo", "id")
				su.Exec("/usr/bin/id")
				p := c.Fork()
				p.Permitted = 1 << 13
				p.Exec("/usr/bin/ping", "x")
				own := c.Fork()
				own.UID, own.Permitted = 0, 0xa80425fb
				own.ExecAs(bulwark.Program{Lower: true, SetID: true}, "/opt/vendor/helper") // set-uid, of the image
			}},
	},
		Case{Name: "shim socket", Fires: "runtime-socket", Do: func(s *Scene) { shellIn(s).Do("connect", Unix("@/containerd-shim/x.sock")) }},
		Case{Name: "busy runtime", Fires: "runtime-overwrite", Do: func(s *Scene) { shellIn(s).Fail(26, "openat", "name", "/proc/33/exe", "flags", Write) }},
		Case{Name: "nsenter", Fires: "host-namespace", Do: func(s *Scene) { privileged(s).Run("/usr/bin/nsenter", "-t", "1", "-m", "-u") }},
		Case{Name: "new mount calls", Fires: "device-mounted", Do: func(s *Scene) { privileged(s).Do("fsopen", nil, "type", "ext4") }},
		Case{Name: "a set-uid program of its own", Fires: "privilege-gain", Do: func(s *Scene) {
			c := s.Container("app:1", "/usr/bin/gosu", "app")
			c.UID, c.Permitted = 1000, 0
			c.Exec("/srv/app")
			own := c.Fork()
			own.UID, own.Permitted = 0, 0xa80425fb
			own.ExecAs(bulwark.Program{Upper: true, SetID: true}, "/tmp/rootshell")
		}},
		Case{Name: "agents of nodes", Do: func(s *Scene) {
			kind := s.ContainerAs(&bulwark.Container{Image: "kindest/node", Privileged: true}, "/usr/bin/kubelet")
			kind.Open("/proc/sys/kernel/panic", Write).Open("/proc/sys/kernel/panic_on_oops", Write)
			s.Container("playwright:1", "/ms-playwright/chromium-1187/chrome-linux/chrome").Do("clone", nil, "res", 77, "flags", 0x70000011)
			s.ContainerAs(&bulwark.Container{Image: "rook/ceph", Privileged: true}, "/usr/bin/ceph-osd", "--foreground").Open("/dev/mapper/ceph-block", 2)
			longhorn := s.ContainerAs(&bulwark.Container{Image: "longhorn-manager", Privileged: true, HostPID: true}, "/usr/local/sbin/longhorn-manager", "daemon")
			longhorn.Run("/usr/bin/nsenter", "--mount=/host/proc/1/ns/mnt", "--", "iscsiadm").Do("setns", &bulwark.FD{Num: 3, Inode: 4026531841}, "nstype", 0x20000)
		}},
		Case{Name: "a browser that the container wrote", Fires: "user-namespace", Do: func(s *Scene) {
			s.Container("app:1", "/bin/sh").RunUpper("/tmp/chrome").Do("unshare", nil, "flags", 0x10000000)
		}},
		Case{Name: "a name is no excuse", Fires: "bpf-program", Do: func(s *Scene) {
			p := shellIn(s).RunUpper("/usr/bin/cilium-agent")
			p.Name = "runc:[2:INIT]"
			p.Do("bpf", nil, "cmd", 5)
		}},
		Case{Name: "told once", Fires: "core-pattern", Do: func(s *Scene) {
			c := shellIn(s)
			for range 10000 {
				c.Open("/proc/sys/kernel/core_pattern", Write)
			}
		}},
		Case{Name: "control characters", Fires: "core-pattern", Do: func(s *Scene) {
			c := shellIn(s).Run("/bin/\x1b[2Jsh", "password=hunter22", "\xff\xfe\n")
			c.Do("openat", FD("/a\x1b[31m\n/proc/sys/kernel/core_pattern"), "name", "x\x07", "flags", Write)
		}},
	)
}
