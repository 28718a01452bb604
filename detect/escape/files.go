package escape

import (
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// kernelFile is a file of the kernel that no container has a reason to write.
type kernelFile struct {
	name, title, why, noise string
	severity                bulwark.Severity
	ends                    []string
	magic                   []uint64
	excused                 who.Set
}

// kernelFiles are known by how their paths end and by the file system that they are on, since containers mount it
// where they like.
func kernelFiles() []family.Rule {
	var rules []family.Rule
	for _, k := range []kernelFile{
		{"core-pattern", "A container sets which program the kernel runs when one crashes",
			"The program that core_pattern names runs as root of the node, outside of every container, as soon as any process crashes. A container writes it for no other purpose than to get out. Critical, because one crash later the node is taken.",
			"None known: core dumps are set up on nodes, not in containers.", bulwark.SeverityCritical,
			[]string{"/sys/kernel/core_pattern"}, []uint64{family.MagicProc}, nil},
		{"release-agent", "A container sets which program the kernel runs when a control group becomes empty",
			"The kernel runs the release agent of a control group hierarchy as root of the node. Writing it, or asking for its use by notify_on_release, is the classic way out of privileged containers. Critical, because nothing more is needed.",
			"systemd as first process of a container on cgroup v1 sets notify_on_release of its own hierarchy, and is excused.", bulwark.SeverityCritical,
			[]string{"/release_agent", "/notify_on_release"}, []uint64{family.MagicCgroup}, who.Names("systemd")},
		{"uevent-helper", "A container sets which program the kernel runs when a device comes or goes",
			"The program in uevent_helper runs as root of the node for each event of a device, which a container can cause itself. Critical, as it is a way out in one step.",
			"None known: nodes have used udev for many years.", bulwark.SeverityCritical,
			[]string{"/kernel/uevent_helper", "/sys/kernel/hotplug"}, []uint64{family.MagicSys, family.MagicProc}, nil},
		{"modprobe-path", "A container sets which program the kernel runs to load modules",
			"The kernel runs the program in modprobe or poweroff_cmd as root of the node when a module is missing or it shuts down, and anybody can make it look for a module. Critical, as it is a way out in one step.",
			"None known.", bulwark.SeverityCritical,
			[]string{"/sys/kernel/modprobe", "/sys/kernel/poweroff_cmd", "/sys/kernel/usermodehelper/bset", "/sys/kernel/usermodehelper/inheritable"}, []uint64{family.MagicProc}, nil},
		{"binfmt", "A container registers an interpreter for programs of the whole node",
			"What is registered with binfmt_misc runs whenever somebody on the node executes a file of that form, with the rights of whoever does (flag C: of its owner). High and not critical: it waits for somebody to run such a file.",
			"Images that register emulators for builds of other architectures (qemu-user-static, tonistiigi/binfmt) do just this.", bulwark.SeverityHigh,
			[]string{"/binfmt_misc/register"}, []uint64{family.MagicBinfmt, family.MagicProc}, nil},
		{"kernel-setting", "A container changes a setting that protects the whole node, or commands its kernel",
			"sysrq-trigger reboots and kills at one letter, and panic says whether the node comes back; kptr_restrict, ptrace_scope, mmap_min_addr, unprivileged_bpf_disabled and randomize_va_space keep exploits from working. They are not of the container but of all. High.",
			"Privileged containers whose purpose is tuning nodes. A kubelet that runs in a container (kind, k3d) and systemd are excused by their programs.", bulwark.SeverityHigh,
			[]string{"/sysrq-trigger", "/sys/kernel/sysrq", "/sys/kernel/panic", "/sys/kernel/dmesg_restrict", "/sys/kernel/kexec_load_disabled", "/sys/kernel/modules_disabled", "/sys/user/max_user_namespaces", "/sys/kernel/kptr_restrict", "/sys/kernel/yama/ptrace_scope", "/sys/vm/mmap_min_addr", "/sys/kernel/unprivileged_bpf_disabled",
				"/sys/kernel/randomize_va_space", "/sys/kernel/perf_event_paranoid", "/sys/fs/protected_symlinks", "/sys/fs/protected_hardlinks", "/sys/fs/suid_dumpable", "/sys/kernel/panic_on_oops", "/sys/vm/panic_on_oom"},
			[]uint64{family.MagicProc}, who.Names("kubelet k3s rke2 systemd systemd-sysctl tuned microk8s k0s")},
		{"cgroup-devices", "A container allows itself devices",
			"devices.allow of its own control group is what keeps a container from the node's disks. Writing \"a *:* rwm\" opens them all; the disk itself is then read with mknod. Critical, as the next step is the node's files.",
			"A container engine that runs in a container makes groups of its own below; those are excused by the engine's program.", bulwark.SeverityCritical,
			[]string{"/devices.allow"}, []uint64{family.MagicCgroup}, who.Names("runc crun dockerd containerd kubelet systemd")},
	} {
		rules = append(rules, k.rule())
	}
	return rules
}

func (k kernelFile) rule() family.Rule {
	return family.Rule{
		Name: k.name, Title: k.title, Severity: k.severity, Why: k.why, Noise: k.noise, Fix: fixPrivileges, Every: time.Minute,
		Tags: []string{"attack:T1611"}, References: []string{docsContainer, docsSecurity},
		Looks: []family.Look{{Kinds: family.Opens, Magic: k.magic,
			Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends(k.ends...)},
			If:    func(h *family.Hit) bool { return !who.Runtime(h.P) && !who.Trusted(h.P, k.excused) },
		}},
	}
}

// disks are rules about the node's block devices.
func disks() []family.Rule {
	return []family.Rule{
		{Name: "device-mounted", Title: "A container mounts a disk of its node", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1611"}, References: []string{docsContainer},
			Why:   "With the node's disk mounted all of its files are the container's: keys, units, other containers. Containers get file systems from their engine and have no need to mount disks. Critical, as it is the node.",
			Noise: "Drivers of storage (CSI) run as privileged containers and mount disks below the kubelet's folder, which is excused; those that mount elsewhere are told.",
			Fix:   fixPrivileges, Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "mount", Where: inside, If: mountsDisk},
				{Kinds: "fsopen", Where: inside, If: func(h *family.Hit) bool { return diskTypes[string(h.Text("type"))] && outOfEngine(h) }},
				{Kinds: "fsconfig", Where: inside, If: func(h *family.Hit) bool {
					return string(h.Text("key")) == "source" && strings.HasPrefix(string(h.Text("value")), "/dev/") && outOfEngine(h)
				}},
			}},
		{Name: "device-made", Title: "A container makes a file for a disk of its node", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1611"}, References: []string{docsContainer},
			Why:   "mknod of a block device is the step before reading the node's disk past its file system. High: the device's control group may still refuse to open it.",
			Noise: "Images of whole systems that make all of /dev, and drivers of storage.",
			Fix:   "Drop CAP_MKNOD. " + fixPrivileges, Every: time.Minute,
			Looks: []family.Look{{Kinds: "mknod mknodat", Where: inside, If: func(h *family.Hit) bool {
				return h.Num("mode")&family.ModeType == family.ModeBlock && outOfEngine(h)
			}}}},
		{Name: "disk-opened", Title: "A container opens a disk of its node", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1611", "attack:T1006"}, References: []string{docsContainer},
			Why:   "Whoever reads a disk itself reads all files that are on it, whatever rights they have (debugfs does it in one command), and whoever writes to it changes them. High.",
			Noise: "Drivers of storage and tools that list disks (lsblk, blkid, mkfs, fsck) are excused by their programs; backup of whole disks is not.",
			Fix:   fixPrivileges, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Opens, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No,
				Paths: family.OnNode(family.Begins("/dev/sd", "/dev/vd", "/dev/xvd", "/dev/nvme", "/dev/dm-", "/dev/mapper/", "/dev/mmcblk", "/dev/md"))},
				If: func(h *family.Hit) bool {
					return outOfEngine(h) && h.FD.Kind != bulwark.FDDirectory && !who.Trusted(h.P, diskTools) && !strings.HasSuffix(h.Path(), "/control")
				}}}},
	}
}

// inside is a call of a container that did not fail.
var inside = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}

// outOfEngine tells whether it is not the engine that makes the container ready.
func outOfEngine(h *family.Hit) bool { return !who.Runtime(h.P) }

var (
	diskTypes = who.Names("ext2 ext3 ext4 xfs btrfs vfat msdos exfat iso9660 squashfs ntfs ntfs3 f2fs erofs zfs jfs reiserfs hfsplus udf")
	diskTools = who.Names("lsblk blkid udevadm udevd mkfs mke mkfs.ext mkfs.xfs fsck e2fsck resize2fs resizefs xfs_growfs xfs_repair mount lvm pvs vgs lvs multipath multipathd blockdev wipefs iscsid nvme smartctl node_exporter mdadm cryptsetup ceph-osd ceph-volume ceph-bluestore-tool io-engine longhorn tgtd targetcli drbdadm drbdsetup zpool zfs parted sfdisk sgdisk partprobe qemu-system-x86_ qemu-system-aarch qemu-kvm disk-manager node-disk-manager")
)

// The flags of mounts that mount no disk.
const (
	mountRemount, mountBind, mountMove = 32, 4096, 8192
	mountPropagation                   = 1<<17 | 1<<18 | 1<<19 | 1<<20
)

func mountsDisk(h *family.Hit) bool {
	if h.Num("flags")&(mountRemount|mountBind|mountMove|mountPropagation) != 0 || !outOfEngine(h) {
		return false
	}
	disk := strings.HasPrefix(string(h.Text("dev")), "/dev/") && string(h.Text("type")) != "tmpfs"
	return (disk || diskTypes[string(h.Text("type"))]) && !strings.Contains(h.Where("dir"), "/var/lib/kubelet/")
}
