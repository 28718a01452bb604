package escape

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

func namespaces() []family.Rule {
	tags := []string{"attack:T1611"}
	return []family.Rule{
		{Name: "host-namespace", Title: "A container enters a namespace of its node", Severity: bulwark.SeverityCritical, Tags: tags, References: []string{docsContainer},
			Why:   "With the node's mount, process or user namespace a process of the container is one of the node. Critical, because that is the escape itself; high where a command asks for it and nothing says that it came through.",
			Noise: "Privileged agents that enter the node's namespaces to manage it do this by design; those that are known (Longhorn, kured, KubeVirt) are excused by their programs, node shells and others are not. Network namespaces are not judged, as network plugins change them all day.",
			Fix:   fixPrivileges, Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "setns", Where: inside, If: func(h *family.Hit) bool {
					return outOfEngine(h) && entersNode(h) && who.Above(h.P, agents) == nil && !who.Trusted(h.P, agents)
				}},
				{Kinds: family.Execs, Where: inside, If: asksForNode, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityHigh, h.P.Path) }},
			}},
		{Name: "user-namespace", Title: "A container makes a user namespace, and is root in it", Severity: bulwark.SeverityMedium, Tags: append(tags, "attack:T1068"), References: []string{docsContainer},
			Why:   "In a user namespace anybody has all capabilities over what is made there, and with that reaches the parts of the kernel in which most holes of the last years were. Medium: it is a step, and harmless where the kernel has no such hole.",
			Noise: "Browsers, bubblewrap and container tools without root make sandboxes so, and are excused by their programs.",
			Fix:   "Use the default seccomp profile, which refuses it, or set user.max_user_namespaces to 0 on nodes.", Every: time.Hour,
			Looks: []family.Look{
				{Kinds: "unshare", Where: flagged("unshare", "flags", family.CloneNewUser), If: noSandbox},
				{Kinds: "clone", Where: flagged("clone", "flags", family.CloneNewUser), If: noSandbox},
				{Kinds: "clone3", Where: flagged("clone3", "flags", family.CloneNewUser), If: noSandbox},
			}},
		{Name: "outside-root", Title: "A container opens a file that is not in it", Severity: bulwark.SeverityCritical, Tags: tags, References: []string{docsContainer},
			Why:   "The file that was opened is not below the root of the process: it came there by /proc/PID/root of a process of the node, by a descriptor that was left open, or by a hole. Critical, as all that a container may open is below its root.",
			Noise: "Terminals and devices that the engine handed in are excused. Debuggers that look into other containers by /proc/PID/root are not.",
			Fix:   fixPrivileges, Every: time.Minute,
			Looks: []family.Look{{Kinds: family.Opens, If: opensOutside,
				Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, AsGiven: true, Paths: family.Begins("/proc/", "../../..", "/dev/fd/")}}}},
		{Name: "cwd-outside", Title: "A container runs in a folder that is not in it", Severity: bulwark.SeverityCritical, Tags: tags,
			References: []string{"https://nvd.nist.gov/vuln/detail/CVE-2024-21626"},
			Why:        "The working directory is outside of the container's root, so that ../../.. is the node. runc before 1.1.12 left a descriptor of the node open, which WORKDIR /proc/self/fd/N makes such a directory (CVE-2024-21626). Critical, as it is the escape itself.",
			Noise:      "None known.",
			Fix:        "Update runc to 1.1.12 or later, and do not run the image.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "chdir", Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}, If: func(h *family.Hit) bool {
					return strings.HasPrefix(h.Where("path"), "/proc/self/fd/") || h.FD.Outside && !who.Runtime(h.P)
				}},
				{Kinds: "fchdir", Where: inside, If: func(h *family.Hit) bool { return h.FD.Outside && !who.Runtime(h.P) }},
				{Kinds: family.Execs, Where: inside, If: func(h *family.Hit) bool {
					return strings.HasPrefix(h.P.CWD, "/proc/self/fd/") || strings.HasPrefix(h.P.CWD, "(unreachable)")
				}, Do: func(h *family.Hit) { h.Tell(h.P.CWD, "working directory "+h.P.CWD) }},
			}},
		{Name: "open-by-handle", Title: "A container opens files by their number", Severity: bulwark.SeverityCritical, Tags: tags, References: []string{docsContainer},
			Why:   "open_by_handle_at takes the number of an inode on a mounted file system, not a path, and so reaches every file of the disk that the container's files are on; numbers can be tried out (\"shocker\"). Critical: it takes a capability (CAP_DAC_READ_SEARCH) that containers have for nothing else.",
			Noise: "Servers of network file systems and agents that watch files by fanotify.",
			Fix:   "Drop CAP_DAC_READ_SEARCH. " + fixPrivileges, Every: time.Minute,
			Looks: []family.Look{{Kinds: "open_by_handle_at", Where: inside, If: func(h *family.Hit) bool {
				return outOfEngine(h) && !who.Trusted(h.P, handles)
			}}}},
		{Name: "log-link", Title: "A container puts a link to elsewhere where the kubelet reads logs", Severity: bulwark.SeverityHigh, Tags: tags, References: []string{docsContainer},
			Why:   "The kubelet reads files below /var/log as root of the node for whoever may see logs. A link there to /etc/shadow or a key is read as if it were a log. High: it takes the node's /var/log in the container, and the right to see logs.",
			Noise: "Agents that collect logs make links within /var/log, which are excused.",
			Fix:   "Do not mount /var/log of the node, or mount it read-only.", Every: time.Minute,
			Looks: []family.Look{{Kinds: "symlink symlinkat link linkat", Where: inside, If: linksLog}}},
	}
}

// flagged is a call of a container that has one of the bits.
func flagged(kind, param string, bits int64) bulwark.Where {
	k, _ := bulwark.KindNamed(kind)
	i := slices.IndexFunc(k.Params(), func(p bulwark.Param) bool { return p.Name == param })
	w := inside
	w.Flags = []bulwark.FlagMatch{{Param: i, Any: bits}}
	return w
}

// initial are the numbers that kernels give to their first namespaces.
var initial = map[uint64]bool{0xefffffff: true, 0xeffffffd: true, 0xeffffffc: true, 0xeffffffb: true}

// entersNode tells whether the namespace is the node's: by its own number, or by that of whoever began all.
func entersNode(h *family.Hit) bool {
	ns := h.FD.Inode
	if initial[ns] && h.FD.Kind != bulwark.FDPID {
		return true
	}
	// Those of the first process cannot always be read: each of the node's that it descends from counts.
	for p, n := h.P.Parent, 0; p != nil && n < 64; p, n = p.Parent, n+1 {
		n := p.Namespaces
		if p.Container == nil && ns != 0 && slices.Contains([]uint64{uint64(n.Mount), uint64(n.PID), uint64(n.User), uint64(n.Cgroup)}, ns) {
			return true
		}
	}
	// By a descriptor of a process the kind of namespace is in the flags, and which process is not told: one that has
	// the node's process ids can name any.
	return h.FD.Kind == bulwark.FDPID && who.SeesNode(h.P) && h.Num("nstype")&(family.CloneNewMount|family.CloneNewPID|family.CloneNewUser) != 0
}

// asksForNode tells whether it is nsenter with the node's first process as target.
func asksForNode(h *family.Hit) bool {
	if !who.Is(h.P, who.Names("nsenter")) || !who.SeesNode(h.P) {
		return false
	}
	for i, a := range h.P.Args {
		if a == "-t1" || a == "--target=1" || (a == "-t" || a == "--target") && i+1 < len(h.P.Args) && h.P.Args[i+1] == "1" {
			return true
		}
	}
	return false
}

// noSandbox: browsers lie where their installers put them (/ms-playwright), but as the image had them.
func noSandbox(h *family.Hit) bool { return outOfEngine(h) && !who.OfImage(h.P, sandboxes) }

// agents manage nodes from privileged containers, and enter the node's namespaces for that.
var agents = who.Names("longhorn-manager longhorn longhorn-instance-manager longhorn-csi-plugin kured democratic-csi cilium-agent io-engine openebs-ndm node-disk-manager iscsi-csi linstor-satellite robin kubevirt virt-handler tailscaled machine-config-daemon rke2 k3s sysbox")

var (
	sandboxes = who.Names("chrome chromium chromium-browser chrome-sandbox google-chrome headless_shell firefox firefox-esr bwrap buildkitd rootlesskit podman buildah fuse-overlayfs flatpak systemd systemd-executor newuidmap nix-daemon bazel apptainer dockerd containerd runc crun electron msedge steam lxc-start")
	handles   = who.Names("ganesha.nfsd nfsd rpc.mountd smbd systemd systemd-executor osqueryd clamonacc xfs_fsr xfsdump juicefs glusterfsd falcon-sensor")
)

// devices that engines hand in from the node's own file systems.
var handedIn = who.Names("null zero full random urandom tty console ptmx stdin stdout stderr")

func opensOutside(h *family.Hit) bool {
	if who.Runtime(h.P) {
		return false
	}
	name := string(h.FD.Name)
	raw := string(h.FD.Raw)
	if raw == "" {
		raw = string(h.Text("name"))
	}
	if viaProcess(raw) && who.SeesNode(h.P) {
		return true
	}
	if !h.FD.Outside || h.FD.Kind != bulwark.FDFile && h.FD.Kind != bulwark.FDDirectory {
		return false
	}
	if h.FD.Magic == family.MagicPty || h.FD.Magic == family.MagicNamespaces || h.FD.Magic == family.MagicTmpfs && handedIn[name[strings.LastIndexByte(name, '/')+1:]] {
		return false
	}
	// What the engine opened before the container began can be opened again by its number: the files that its
	// output goes to.
	return !(strings.HasPrefix(raw, "/dev/std") || raw == "/proc/self/fd/0" || raw == "/proc/self/fd/1" || raw == "/proc/self/fd/2" || strings.HasPrefix(raw, "/dev/fd/") || strings.HasPrefix(raw, "/dev/tty"))
}

// viaProcess tells whether a path goes by the root or folder of a process that is named by number.
func viaProcess(raw string) bool {
	rest, ok := strings.CutPrefix(raw, "/proc/")
	pid, rest, more := strings.Cut(rest, "/")
	return ok && more && pid != "" && strings.Trim(pid, "0123456789") == "" && (strings.HasPrefix(rest, "root/") || strings.HasPrefix(rest, "cwd/"))
}

func linksLog(h *family.Hit) bool {
	name, target := h.Where("linkpath"), string(h.Text("target"))
	if name == "" {
		name, target = h.Where("newpath"), h.Where("oldpath")
	}
	mount := logMount(h.C, name)
	if mount == "" || !outOfEngine(h) {
		return false
	}
	within := strings.HasPrefix(target, mount) || strings.HasPrefix(target, "/var/log/") || target != "" && target[0] != '/' && !strings.Contains(target, "../")
	return !within
}

// logMount is what a container calls its node's folder of logs, if the path is in it.
func logMount(c *bulwark.Container, name string) string {
	for _, m := range c.Mounts {
		rest := strings.TrimPrefix("/var/log/", strings.TrimSuffix(m.Source, "/")+"/")
		if m.Source != "" && (rest != "/var/log/" || strings.HasPrefix(m.Source+"/", "/var/log/")) {
			if dir := strings.TrimSuffix(m.Dest, "/") + "/" + strings.TrimPrefix(rest, "/var/log/"); strings.HasPrefix(name, dir) {
				return dir
			}
		}
	}
	for _, dir := range []string{"/var/log/pods/", "/var/log/containers/"} {
		if i := strings.Index(name, dir); i >= 0 {
			return name[:i] + "/var/log/"
		}
	}
	return ""
}
