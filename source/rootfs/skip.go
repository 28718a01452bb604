package rootfs

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/mountinfo"
)

// skips are what a walk leaves out.
type skips struct {
	base  map[string]bool // by name, anywhere
	path  map[string]bool // by clean path below the root
	notes []bulwark.Note
}

func (s *skips) add(p, why string) {
	if s.path == nil {
		s.path = map[string]bool{}
	}
	if s.path[p] {
		return
	}
	s.path[p] = true
	if why != "" {
		s.notes = append(s.notes, bulwark.Note{Plugin: "source/rootfs", Path: "/" + p, Text: why})
	}
}

// kernelTypes are file systems that hold no files of anybody's; networkTypes may be
// slow, without end, or ask for a password.
var (
	kernelTypes = []string{
		"autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs", "devpts",
		"devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs",
		"securityfs", "selinuxfs", "sysfs", "tracefs",
	}
	networkTypes = []string{"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "virtiofs"}
)

// mounted leaves out the kernel's and the network's file systems that are mounted below
// a folder.
func mounted(dir string) skips {
	list, err := mountinfo.ReadFile("/proc/self/mountinfo")
	if len(list) == 0 {
		return skips{} // not Linux, or hidden: then what is mounted is walked like any folder
	}
	abs, absErr := filepath.Abs(dir)
	if absErr != nil {
		return skips{}
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	s := mountsBelow(list, abs)
	if err != nil {
		s.notes = append(s.notes, bulwark.Note{Plugin: "source/rootfs", Text: "file systems of the kernel or the network may have been looked into: " + err.Error()})
	}
	return s
}

func mountsBelow(list []mountinfo.Mount, dir string) skips {
	var s skips
	for _, m := range list {
		below, ok := strings.CutPrefix(m.Point, strings.TrimSuffix(dir, "/")+"/")
		if !ok || below == "" {
			continue
		}
		switch {
		case slices.Contains(kernelTypes, m.Type):
			s.add(below, "")
		case slices.Contains(networkTypes, m.Type), strings.HasPrefix(m.Type, "fuse.") && m.Type != "fuse.fuse-overlayfs":
			s.add(below, "a network file system ("+m.Type+") is mounted here; it was not looked into")
		}
	}
	return s
}

// kernelFolders hold nothing that was installed, whatever is mounted there.
var kernelFolders = []string{"dev", "proc", "run", "sys"}

// storages are where container engines keep images and containers. "*" is a user.
var storages = []string{
	"var/lib/docker", "var/lib/containerd", "var/lib/containers/storage", "var/lib/containers/overlay",
	"var/lib/rancher/k3s/agent/containerd", "var/lib/k0s/containerd", "var/lib/rancher/rke2/agent/containerd",
	"var/lib/lxc", "var/lib/lxd", "var/lib/incus", "var/lib/machines", "var/lib/buildkit", "var/lib/kubelet/pods",
	"var/snap/docker/common/var-lib-docker", "var/snap/microk8s/common/var/lib/containerd",
	"root/.local/share/containers/storage", "root/.local/share/docker", "root/.local/share/containerd",
	"home/*/.local/share/containers/storage", "home/*/.local/share/docker", "home/*/.local/share/containerd",
}

// addHost leaves out what belongs to no installed system of the machine.
func (s *skips) addHost(root string) {
	for _, p := range kernelFolders {
		s.add(p, "")
	}
	for _, pattern := range storages {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			continue // the patterns are sound
		}
		for _, f := range found {
			if rel, err := filepath.Rel(root, f); err == nil {
				s.add(path.Clean(filepath.ToSlash(rel)), "container images and containers are targets of their own; their storage was not looked into")
			}
		}
	}
}
