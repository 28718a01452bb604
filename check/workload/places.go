package workload

import (
	"path"
	"strings"
	"sync"

	"bulwark"
)

// place is a part of the node's file system that means something to whoever has it.
type place struct {
	name  string // of the rule, after "hostpath-"
	title string
	// paths are folders and files with all below them; one that ends in "$" stands for itself
	// alone.
	paths []string
	// write and read are the severities of having it writable and read-only; unknown: it is
	// not told of.
	write, read bulwark.Severity
	why         string
	fix         string
	noise       string
	tags        []string // of both
	writeTags   []string
	readTags    []string
	kernel      bool   // the kernel's own files, which root of a user namespace may not write
	root        string // what one command does for root, which makes a writable one critical
}

const (
	none     = bulwark.SeverityUnknown
	logNoise = "log agents read it, which is told of with low severity"
)

// places, of which the longest path that fits counts.
var places = []place{
	{name: "root", title: "Pods have the node's whole file system", paths: []string{"/$"}, write: critical, read: high,
		why: "writable, chroot or a line in cron is root on the node (critical for root); read-only, every key, token and password hash of the node and of its pods can be read, and file systems mounted below stay writable unless recursiveReadOnly is set",
		fix: "mount the one folder that is needed, read-only", noise: "node exporters and backup agents read all of it on purpose", tags: []string{"attack:T1552.001"},
		writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}, root: "chroot into it is a root shell on the node"},
	{name: "etc", title: "Pods have the node's system configuration", write: high, read: medium,
		paths: []string{"/etc$", "/etc/passwd", "/etc/shadow", "/etc/gshadow", "/etc/group", "/etc/sudoers", "/etc/sudoers.d", "/etc/pam.d", "/etc/security", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/profile", "/etc/profile.d",
			"/etc/environment", "/etc/init.d", "/etc/rc.local", "/etc/udev", "/etc/modprobe.d", "/etc/modules-load.d", "/etc/sysctl.d", "/etc/ssl/private", "/etc/docker", "/etc/containerd", "/etc/crio", "/etc/containers", "/etc/sysconfig", "/etc/default", "/var/lib/cloud", "/var/lib/waagent"},
		why: "writable, a user, a sudo rule or a library to preload makes root of anybody on the node; read-only, password hashes and keys can be read, and what the cloud gave the node at its start (cloud-init)",
		fix: "mount the one file that is needed, read-only", noise: "/etc/passwd and /etc/group are often mounted read-only to show names of users", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1098"}, readTags: []string{"edge:EXPLOIT_HOST_READ", "attack:T1003.008"}},
	{name: "cron", title: "Pods have the node's cron tables", paths: []string{"/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/crontab", "/var/spool/cron", "/etc/anacrontab", "/var/spool/at"}, write: high, read: none,
		why: "what is written there runs as root on the node within a minute", fix: "take the mount out; a DaemonSet or CronJob of Kubernetes runs things on nodes",
		noise: "none is known where it is writable", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1053.003"}},
	{name: "ssh", title: "Pods have the node's SSH keys or settings", paths: []string{"/etc/ssh", "/root/.ssh", "/home/*/.ssh"}, write: high, read: high,
		why: "writable, one more line in authorized_keys is a login to the node; read-only, its private keys open other machines", fix: "take the mount out",
		noise: "benchmark tools read sshd_config", tags: []string{"attack:T1552.004"}, writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1098.004"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}},
	{name: "home", title: "Pods have the node's home folders", paths: []string{"/root", "/home"}, write: high, read: medium,
		why: "shell profiles and authorized_keys of people that log in to the node can be written, their keys and cloud credentials read", fix: "keep the program's data in a volume of its own",
		noise: "clusters on one machine keep data in home folders; a folder deeper in one is told of as any writable one", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1098.004"}, readTags: []string{"edge:EXPLOIT_HOST_READ", "attack:T1552.001"}},
	{name: "control-plane", title: "Pods have the cluster's own keys and manifests", write: critical, read: high,
		paths: []string{"/etc/kubernetes", "/etc/rancher", "/var/lib/rancher", "/srv/kubernetes", "/var/lib/kube-apiserver", "/var/lib/kube-scheduler", "/var/lib/kube-controller-manager", "/var/lib/kube-proxy", "/etc/origin", "/var/snap/microk8s", "/var/lib/k0s", "/etc/eks", "/home/kubernetes", "/var/lib/minikube"},
		why:   "writable, a file in the manifests folder is a pod of the node that nothing admits (critical for root); read-only, the keys of the API server and the administrators' kubeconfigs can be read, and are the cluster",
		fix:   "take the mount out; what a program needs of the cluster it asks for by RBAC", noise: "the control plane's own pods and benchmark tools read it; on worker nodes there is less",
		tags: []string{"attack:T1552.004"}, writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}, root: "a manifest written there runs as a static pod with any rights"},
	{name: "etcd", title: "Pods have etcd's data", paths: []string{"/var/lib/etcd", "/var/lib/etcd2", "/var/etcd"}, write: critical, read: high,
		why: "every Secret of the cluster is in it, in clear text unless encryption at rest is set; writable, so is every right", fix: "take the mount out; back etcd up with its own tool and keys",
		noise: "etcd itself and its backup need it", tags: []string{"attack:T1552.001"}, writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}, root: "rights and Secrets of the whole cluster can be rewritten there"},
	{name: "kubelet", title: "Pods have the kubelet's folder with the tokens of all pods", paths: []string{"/var/lib/kubelet", "/var/lib$", "/var$"}, write: high, read: high,
		why: "it holds the service account tokens and Secrets of every pod of the node and the kubelet's own key: who reads it is all of them", fix: "mount the one plugin folder that is needed",
		noise: "CSI drivers need the pods folder to mount volumes into pods", tags: []string{"edge:EXPLOIT_HOST_TRAVERSE", "edge:TOKEN_STEAL", "attack:T1528", "attack:T1552.001"}, writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}},
	{name: "kubelet-plugins", title: "Pods talk to the kubelet as a plugin", paths: []string{"/var/lib/kubelet/device-plugins", "/var/lib/kubelet/plugins", "/var/lib/kubelet/plugins_registry"}, write: medium, read: none,
		why:   "who registers as a device or storage plugin says which devices and folders of the node the kubelet gives to containers. Medium: it takes a program written for it",
		fix:   "leave it to the drivers that need it, in a namespace of their own",
		noise: "CSI drivers and device plugins live on it", writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}},
	{name: "runtime-data", title: "Pods have the container runtime's folder", paths: []string{"/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/run/containerd", "/run/runc", "/run/crio", "/run/docker", "/var/run/containerd", "/var/run/docker", "/var/run/crio"}, write: high, read: medium,
		why: "the file systems of all containers of the node are in it: their Secrets can be read, and writable, their programs replaced", fix: "read logs from /var/log/pods, and ask the runtime by its API where the kubelet does",
		noise: "old log agents follow links into /var/lib/docker/containers, which is told of with the logs", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1525"}, readTags: []string{"edge:EXPLOIT_HOST_READ"}},
	{name: "log", title: "Pods write to the node's log folder", paths: []string{"/var/log", "/var/lib/docker/containers"}, write: medium, read: low,
		why: "writable, a link that is planted there is followed by the kubelet, which shows any file of the node to whoever may read logs of pods; and traces can be wiped. Medium: the right to read logs is needed besides. Read-only, logs of all pods can be read (low)",
		fix: "mount it readOnly: true", noise: logNoise, writeTags: []string{"edge:CE_VAR_LOG_SYMLINK", "attack:T1070"}, readTags: []string{"attack:T1005"}},
	{name: "proc", kernel: true, title: "Pods have the node's /proc", paths: []string{"/proc"}, write: high, read: medium,
		why: "root writes a program's name into sys/kernel/core_pattern, and the kernel runs it on the node at the next crash (critical where it is writable for root); read-only, the command lines of all processes can be read", fix: "mount it readOnly: true, or /proc/net alone; better, use the metrics of the kubelet",
		noise: "node exporters read it", tags: []string{"attack:T1057"}, writeTags: []string{"edge:CE_UMH_CORE_PATTERN"}, root: "a program named in /proc/sys/kernel/core_pattern runs as root on the node"},
	{name: "proc-setting", kernel: true, title: "Pods write the settings of the node's kernel", paths: []string{"/proc/sys", "/proc/sysrq-trigger"}, write: high, read: none,
		why: "core_pattern and modprobe name programs that the kernel runs as root (critical for root); sysrq restarts the node", fix: "set what is needed on the node, or by the pods' sysctls", noise: "tuning agents write sysctls of the node",
		writeTags: []string{"edge:CE_UMH_CORE_PATTERN"}, root: "a program named in kernel/core_pattern runs as root on the node"},
	{name: "sys", kernel: true, title: "Pods write to the node's /sys", paths: []string{"/sys"}, write: high, read: none,
		why:   "uevent_helper names a program that the kernel runs as root, and drivers and devices can be set there; without privileged and with AppArmor some of it is refused, which leaves it high rather than critical",
		fix:   "mount it readOnly: true",
		noise: "device plugins and CNI plugins write to parts of it; reading is not told of", writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}},
	{name: "cgroup", kernel: true, title: "Pods write to the node's control groups", paths: []string{"/sys/fs/cgroup", "/cgroup"}, write: high, read: none,
		why: "with cgroup v1, release_agent names a program that the node runs as root; with v2, limits of other pods can be lifted", fix: "mount it readOnly: true",
		noise: "images that run systemd want it; with cgroup v2 they do not", writeTags: []string{"edge:EXPLOIT_HOST_WRITE"}},
	{name: "bpf", kernel: true, title: "Pods have the node's BPF programs or the kernel's debug files", paths: []string{"/sys/fs/bpf", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security"}, write: medium, read: none,
		why:   "maps and programs of the CNI and of security agents can be changed, the kernel traced. Medium: it takes BPF or root besides",
		fix:   "mount it readOnly: true, or take it out",
		noise: "eBPF agents pin their maps there", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1014"}},
	{name: "dev", kernel: true, title: "Pods have the node's devices", write: high, read: medium,
		paths: []string{"/dev$", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/sd*", "/dev/vd*", "/dev/xvd*", "/dev/hd*", "/dev/nvme*", "/dev/dm-*", "/dev/mapper", "/dev/disk", "/dev/block", "/dev/loop*", "/dev/md*", "/dev/rbd*"},
		why:   "disks are read and written past the file system, memory past everything; without privileged the devices cgroup refuses most, which leaves it high",
		fix:   "ask for the one device by a device plugin or a block volume",
		noise: "storage drivers need disks; GPU, USB, KVM and other single devices are told of as any folder of the node", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1006"}},
	{name: "boot", title: "Pods write to the node's kernel or its modules", paths: []string{"/boot", "/lib/modules", "/usr/lib/modules", "/usr/src"}, write: high, read: none,
		why: "what the node boots next, or loads next, can be replaced: it survives the pod, and restarts", fix: "mount it readOnly: true", noise: "installers of kernel modules write there; CNI plugins mount modules read-only, which is not told of",
		writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1542", "attack:T1547.006"}},
	{name: "programs", title: "Pods write to the node's programs", paths: []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt$", "/opt/bin", "/Windows", "/Program Files", "/Program Files (x86)"}, write: high, read: none,
		why: "a program or library that the node's root runs can be replaced", fix: "mount it readOnly: true", noise: "installers put programs on nodes on purpose; reading is not told of",
		writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1554"}},
	{name: "systemd", title: "Pods have the node's services", paths: []string{"/etc/systemd", "/lib/systemd", "/usr/lib/systemd", "/run/systemd", "/var/run/systemd", "/run/dbus", "/var/run/dbus", "/run/systemd/private"}, write: high, read: none,
		why: "a unit file runs as root at the next start of the node; by D-Bus, systemd starts one at once", fix: "mount it readOnly: true, which stops files but not the bus; better, take it out",
		noise: "node-problem-detector and node exporters ask systemd by D-Bus", writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1543.002"}},
	{name: "cni", title: "Pods write to the node's CNI plugins", paths: []string{"/etc/cni", "/opt/cni", "/var/lib/cni"}, write: high, read: none,
		why: "the runtime runs what lies there as root on the node for every pod that starts", fix: "mount it readOnly: true", noise: "CNI plugins install themselves there",
		writeTags: []string{"edge:EXPLOIT_HOST_WRITE", "attack:T1554"}},
}

// sockets of container runtimes: who writes to them is root on the node, also where they are
// mounted read-only.
var sockets = []string{
	"/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock",
	"/run/crio/crio.sock", "/var/run/crio/crio.sock", "/run/podman/podman.sock", "/var/run/podman/podman.sock", "/run/cri-dockerd.sock", "/var/run/cri-dockerd.sock", "/run/dockershim.sock", "/var/run/dockershim.sock",
	"/run/buildkit/buildkitd.sock", "/run/frakti.sock", "/var/run/frakti.sock", "/run/nri", "/var/run/nri", "/run/containerd$", "/var/run/containerd$", "/run/crio$", "/var/run/crio$", "/run/podman", "/var/run/podman", "/run/k3s", "/run$", "/var/run$", "/run/docker$", "/var/run/docker$",
	"/pipe/docker_engine", "/pipe/containerd-containerd", // of Windows
}

// harmless are files and folders that any container may see.
var harmless = []string{
	"/etc/localtime", "/etc/timezone", "/etc/os-release", "/usr/lib/os-release", "/etc/machine-id", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ssl/certs", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/usr/share/zoneinfo", "/usr/share/fonts", "/dev/null", "/dev/shm", "/dev/log", "/etc/passwd", "/etc/group", "/etc/lsb-release", "/etc/redhat-release", "/var/lib/dpkg", "/var/lib/rpm", "/run/udev",
}

// pattern names paths that mean something.
type pattern struct {
	place  int    // in places; len(places) for a runtime's socket
	before string // the path, or what stands before an asterisk
	after  string
	star   bool
	exact  bool // nothing below it
}

// patterns are those of all places, and of the sockets.
var patterns = sync.OnceValue(func() []pattern {
	var list []pattern
	add := func(text string, place int) {
		text, exact := strings.CutSuffix(text, "$")
		before, after, star := strings.Cut(text, "*")
		list = append(list, pattern{place, before, after, star, exact})
	}
	for i := range places {
		for _, text := range places[i].paths {
			add(text, i)
		}
	}
	for _, text := range sockets {
		add(text, len(places))
	}
	return list
})

// fits is how much of p a pattern names; 0 when it does not fit.
func (t *pattern) fits(p string) int {
	switch {
	case !strings.HasPrefix(p, t.before):
		return 0
	case t.exact && p == t.before, !t.exact && !t.star && within(p, t.before), t.star && strings.Contains(p[len(t.before):], t.after):
		return len(t.before) + len(t.after)
	}
	return 0
}

// placeOf is the index in places of what a path means: len(places) for a runtime's socket,
// -1 for nothing that is known. The longest path counts.
func placeOf(p string) int {
	if strings.HasSuffix(p, ".sock") {
		switch path.Base(p) {
		case "docker.sock", "containerd.sock", "crio.sock", "podman.sock", "cri-dockerd.sock", "dockershim.sock", "buildkitd.sock":
			return len(places)
		}
	}
	best, length := -1, 0
	all := patterns()
	for i := range all {
		// Sockets come last, and before a place of the same length.
		if n := all[i].fits(p); n > length || n == length && n > 0 && all[i].place == len(places) {
			best, length = all[i].place, n
		}
	}
	return best
}
