package action

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"bulwark"
)

// Namespaces are those of what a cluster itself runs on. Nothing is done in them but to tell.
var Namespaces = []string{"kube-system", "kube-public", "kube-node-lease"}

// daemons are programs of the node that containers and logins depend on.
var daemons = strings.Fields("systemd init dockerd docker-proxy containerd crio conmon conmonrs kubelet kube-proxy podman sshd systemd-journald systemd-logind systemd-udevd dbus-daemon bulwark")

// spared says why nothing is done in a container; "": it may be.
func (s *Set) spared(c *bulwark.Container) string {
	if c.Pod != nil && slices.Contains(Namespaces, c.Pod.Namespace) {
		return "namespace " + c.Pod.Namespace + " is what the cluster runs on"
	}
	if c.Cgroup != "" && slices.ContainsFunc(s.own, func(p string) bool {
		return p == c.Cgroup || strings.HasPrefix(p, strings.TrimSuffix(c.Cgroup, "/")+"/")
	}) {
		return "bulwark runs in it"
	}
	return ""
}

// sparedProcess says why nothing is done to a process of the node.
func sparedProcess(p *bulwark.Process) string {
	switch name := path.Base(p.Path); {
	case p.PID <= 2 || p.PPID == 2 && p.Path == "":
		return "it is the kernel's, or the first of the node"
	case slices.Contains(daemons, name), slices.Contains(daemons, p.Name), strings.HasPrefix(name, "containerd-shim"), strings.HasPrefix(name, "runc"), name == "crun":
		return "containers and logins depend on " + name
	case p.PID == os.Getpid():
		return "it is bulwark"
	}
	return ""
}

// ownGroups are the cgroups that bulwark is in, of every hierarchy.
func ownGroups() (list []string) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 && parts[2] != "/" {
			list = append(list, parts[2])
		}
	}
	return list
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
