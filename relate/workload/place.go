package workload

// place is a part of the node's file system, with how likely the node is had by writing and
// by reading it.
type place struct {
	dir         string
	write, read float64
	kernel      bool // root of a user namespace may not write it
	text        string
	alone       bool // what is read is in the folder itself, not in any file below it
}

// places, of which the deepest that a folder is, or lies in, counts. A folder above some of
// them is worth the most of those. Writing where nothing of the system's is known to be is
// low: a set-uid program is left there, which somebody of the node has to start.
var places = []place{
	{"/", 1, 0.9, false, "the whole file system", false},
	{"/etc/passwd", 0.95, 0, false, "its users", false},
	{"/etc/shadow", 0.95, 0.6, false, "its passwords", false},
	{"/etc", 0.95, 0.6, false, "its configuration", true},
	{"/etc/group", 0.95, 0, false, "its users", false},
	{"/etc/gshadow", 0.95, 0.3, false, "its passwords", false},
	{"/etc/ssl/private", 0.9, 0.6, false, "its private keys", false},
	{"/etc/docker", 0.9, 0.3, false, "the runtime's configuration", false},
	{"/etc/containerd", 0.9, 0.3, false, "the runtime's configuration", false},
	{"/etc/crio", 0.9, 0.3, false, "the runtime's configuration", false},
	{"/etc/ssl/certs", 0.3, 0, false, "certificates that it trusts", false},
	{"/etc/pki", 0.3, 0, false, "certificates that it trusts", false},
	{"/etc/localtime", 0, 0, false, "", false},
	{"/etc/machine-id", 0, 0, false, "", false},
	{"/etc/os-release", 0, 0, false, "", false},
	{"/etc/hosts", 0.1, 0, false, "names of hosts", false},
	{"/etc/resolv.conf", 0.1, 0, false, "its resolver", false},
	{"/etc/cni", 0.95, 0, false, "its CNI plugins", false},
	{"/etc/cron.d", 1, 0, false, "its cron tables", false},
	{"/etc/crontab", 1, 0, false, "its cron tables", false},
	{"/var/spool/cron", 1, 0, false, "its cron tables", false},
	{"/etc/systemd", 0.95, 0, false, "its services", false},
	{"/etc/ssh", 0.95, 0.5, false, "its SSH keys", false},
	{"/etc/kubernetes", 1, 0.9, false, "the cluster's keys and static pods", false},
	{"/etc/kubernetes/manifests", 1, 0, false, "its static pods", false},
	{"/etc/kubelet.d", 1, 0, false, "its static pods", false},
	{"/var/lib/kubelet", 0.95, 0.9, false, "the kubelet's key and the tokens of pods", false},
	{"/var/lib/kubelet/pods", 0.8, 0, false, "the volumes of pods", false},
	{"/var/lib/kubelet/plugins", 0.3, 0, false, "the kubelet's plugins", false},
	{"/var/lib/kubelet/plugins_registry", 0.3, 0, false, "the kubelet's plugins", false},
	{"/var/lib/kubelet/device-plugins", 0.3, 0, false, "the kubelet's plugins", false},
	{"/var/lib/kube-apiserver", 0.95, 0.8, false, "the cluster's keys", false},
	{"/var/lib/kube-scheduler", 0.95, 0.8, false, "the cluster's keys", false},
	{"/var/lib/kube-controller-manager", 0.95, 0.8, false, "the cluster's keys", false},
	{"/var/lib/kube-proxy", 0.95, 0.8, false, "the cluster's keys", false},
	{"/var/lib/minikube", 0.95, 0.8, false, "the cluster's keys", false},
	{"/srv/kubernetes", 0.95, 0.8, false, "the cluster's keys", false},
	{"/etc/origin", 0.95, 0.8, false, "the cluster's keys", false},
	{"/etc/eks", 0.95, 0.8, false, "the cluster's keys", false},
	{"/home/kubernetes", 0.95, 0.8, false, "the cluster's keys", false},
	{"/etc/rancher", 0.95, 0.9, false, "the cluster's keys", false},
	{"/var/lib/rancher", 0.95, 0.9, false, "the cluster's keys", false},
	{"/var/lib/k0s", 0.95, 0.9, false, "the cluster's keys", false},
	{"/var/snap/microk8s", 0.95, 0.9, false, "the cluster's keys", false},
	{"/var/lib/etcd", 0.95, 0.9, false, "etcd's data", false},
	{"/root", 0.95, 0.6, false, "root's home", false},
	{"/root/.ssh", 1, 0.8, false, "root's SSH keys", false},
	{"/home", 0.9, 0.5, false, "people's homes", false},
	{"/var/lib/docker", 0.95, 0.4, false, "the file systems of containers", false},
	{"/var/lib/docker/containers", 0.1, 0, false, "logs", false},
	{"/var/lib/docker/volumes", 0.1, 0, false, "volumes of containers", false},
	{"/var/lib/containerd", 0.95, 0.4, false, "the file systems of containers", false},
	{"/var/lib/containers", 0.95, 0.4, false, "the file systems of containers", false},
	{"/run/containerd", 0.95, 0, false, "the runtime's state", false},
	{"/run/runc", 0.95, 0, false, "the runtime's state", false},
	{"/run/crio", 0.95, 0, false, "the runtime's state", false},
	{"/run/systemd", 0.8, 0, false, "its services", false},
	{"/run/dbus", 0.6, 0, false, "its services", false},
	{"/run/xtables.lock", 0, 0, false, "", false},
	{"/run/udev", 0.2, 0, false, "rules of its devices", false},
	{"/var/lib/cloud", 0.9, 0.5, false, "what the cloud gave it at its start", false},
	{"/var/lib/cni", 0.5, 0, false, "the state of CNI plugins", false},
	{"/opt/cni", 0.95, 0, false, "its CNI plugins", false},
	{"/opt", 0.6, 0, false, "programs", false},
	{"/usr", 0.95, 0, false, "its programs", false},
	{"/bin", 0.95, 0, false, "its programs", false},
	{"/sbin", 0.95, 0, false, "its programs", false},
	{"/lib", 0.95, 0, false, "its libraries", false},
	{"/lib64", 0.95, 0, false, "its libraries", false},
	{"/boot", 0.8, 0, false, "its kernel", false},
	{"/var/log", 0.1, 0, false, "its logs", false},
	{"/proc", 0.9, 0.2, true, "the command lines of its processes, and the kernel's settings", true},
	{"/sys", 0.7, 0, true, "the kernel's settings", false},
	{"/sys/fs/cgroup", 0.7, 0, true, "its control groups", false},
	{"/sys/fs/bpf", 0.3, 0, true, "its BPF programs", false},
	{"/sys/kernel/debug", 0.3, 0, true, "the kernel's debug files", false},
	{"/dev", 0.3, 0.1, true, "its devices", true}, // the devices cgroup refuses most
	{"/dev/shm", 0, 0, true, "", false},
	{"/dev/net", 0, 0, true, "", false},
	{"/dev/fuse", 0, 0, true, "", false},
	{"/dev/kvm", 0, 0, true, "", false},
	{"/dev/dri", 0, 0, true, "", false},
	{"/dev/infiniband", 0, 0, true, "", false},
	{"/dev/hugepages", 0, 0, true, "", false},
	{"/dev/random", 0, 0, true, "", false},
	{"/dev/urandom", 0, 0, true, "", false},
	{"/dev/zero", 0, 0, true, "", false},
	{"/dev/log", 0, 0, true, "", false},
	{"/dev/null", 0, 0, true, "", false},
	{"/tmp", 0, 0, false, "", false},
	{"/var/tmp", 0, 0, false, "", false},
	{"/mnt", 0.1, 0, false, "other disks", false},
	{"/Windows", 0.95, 0.3, false, "its programs", false},
	{"/Program Files", 0.95, 0, false, "its programs", false},
}

// elsewhere is a folder of which nothing is known.
var elsewhere = place{write: 0.2, text: "a folder"}

// placeOf is what a folder is worth.
func placeOf(dir string) place {
	best, above := elsewhere, place{}
	for _, p := range places {
		switch {
		case p.dir == dir, p.dir != "/" && within(dir, p.dir) && len(p.dir) > len(best.dir):
			best = p
		case within(p.dir, dir):
			if p.write > above.write {
				above.write, above.text, above.kernel = p.write, p.text, p.kernel
			}
			above.read = max(above.read, p.read)
		}
	}
	if best.dir != dir && best.alone {
		best.read = 0
	}
	if best.dir == "" && above.write > 0 {
		best.text = above.text
	}
	if above.write > best.write {
		best.write, best.kernel = above.write, above.kernel
	}
	best.read = max(best.read, above.read)
	return best
}
