package rootfs

import (
	"bufio"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bulwark"
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
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return skips{} // not Linux, or hidden: then what is mounted is walked like any folder
	}
	defer f.Close()
	abs, err := filepath.Abs(dir)
	if err != nil {
		return skips{}
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	return mountsBelow(f, abs)
}

// mountsBelow reads https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html.
func mountsBelow(mountinfo io.Reader, dir string) skips {
	var s skips
	lines := bufio.NewScanner(mountinfo)
	lines.Buffer(nil, 4<<20) // an overlay names all its layers
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, types := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(types) < 1 {
			continue
		}
		below, ok := strings.CutPrefix(unescape(fields[4]), strings.TrimSuffix(dir, "/")+"/")
		if !ok || below == "" {
			continue
		}
		typ := types[0]
		switch {
		case slices.Contains(kernelTypes, typ):
			s.add(below, "")
		case slices.Contains(networkTypes, typ), strings.HasPrefix(typ, "fuse.") && typ != "fuse.fuse-overlayfs":
			s.add(below, "a network file system ("+typ+") is mounted here; it was not looked into")
		}
	}
	return s
}

// unescape resolves mountinfo's \040.
func unescape(s string) string {
	for i := strings.IndexByte(s, '\\'); i >= 0 && i+3 < len(s); {
		if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
			s = s[:i] + string([]byte{byte(c)}) + s[i+4:]
		}
		next := strings.IndexByte(s[i+1:], '\\')
		if next < 0 {
			break
		}
		i += 1 + next
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
