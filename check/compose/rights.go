package compose

import (
	"path"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/build/compose"
	"bulwark/check/internal/misconfig"
)

// capabilities are those that lead out of the container, and how surely.
var capabilities = map[string]bulwark.Severity{
	"ALL": high, "SYS_ADMIN": high, "SYS_MODULE": high, "SYS_PTRACE": high, "SYS_RAWIO": high, "SYS_BOOT": high, "DAC_READ_SEARCH": high, "BPF": high, "PERFMON": medium,
	"MAC_ADMIN": high, "MAC_OVERRIDE": high, "CHECKPOINT_RESTORE": medium, "NET_ADMIN": medium, "SYS_TIME": medium, "SYSLOG": medium, "AUDIT_CONTROL": medium, "SYS_RESOURCE": low, "LINUX_IMMUTABLE": medium,
}

// rights judges what the container may do.
func (j *judge) rights() {
	if _, n := j.Scalar("privileged"); n.True() {
		f := j.finding(&privileged, "", n, "privileged: %s", n.Text())
		f.Fix.Patch = j.swap(n, "false")
		j.emit(f)
	}
	for _, n := range j.List("cap_add") {
		text, _ := compose.Expand(n.Text())
		c := strings.TrimPrefix(strings.ToUpper(text), "CAP_")
		if severity, ok := capabilities[c]; ok {
			f := j.finding(&capability, c, n, "cap_add: %s", c)
			capability.Rate(f, severity)
			if severity == high {
				f.Fix.Patch = j.withoutItem("cap_add", n)
			}
			j.emit(f)
		}
	}
	for _, n := range j.List("security_opt") {
		text, _ := compose.Expand(n.Text())
		switch opt := strings.ReplaceAll(text, "=", ":"); opt {
		case "seccomp:unconfined", "apparmor:unconfined", "label:disable", "systempaths:unconfined":
			f := j.finding(&unconfined, opt, n, "security_opt: %s", opt)
			f.Fix.Patch = j.withoutItem("security_opt", n)
			j.emit(f)
		}
	}
	switch user, n := j.Scalar("user"); strings.ToLower(user) {
	case "root", "0", "0:0", "root:root", "root:0":
		j.emit(j.finding(&rootUser, "", n, "user: %s", user))
	}
	j.building()
	for _, v := range j.Variables("sysctls") {
		if !ownSysctl(v.Name) {
			j.emit(j.finding(&sysctl, v.Name, v.At, "sysctls: %s", v.Name))
		}
	}
}

// building judges what the build may do.
func (j *judge) building() {
	if n := j.Get("build", "privileged"); n.True() {
		j.emit(j.finding(&privileged, "build", n, "build: privileged"))
	}
	for _, n := range j.List("build", "entitlements") {
		if n.Text() == "security.insecure" {
			j.emit(j.finding(&privileged, "build", n, "build: entitlements: %s", n.Text()))
		}
	}
	for _, key := range []string{"post_start", "pre_stop"} {
		for n := range j.Get(key).Items() {
			if n.Get("privileged").True() {
				j.emit(j.finding(&privileged, key, n.Get("privileged"), "%s: privileged", key))
			}
		}
	}
	if mode, n := j.Scalar("build", "network"); mode == "host" {
		f := j.finding(&hostNamespace, "build", n, "build: network: host")
		hostNamespace.Rate(f, low)
		j.emit(f)
	}
}

// ownSysctl tells whether a setting is of the container's own namespaces and leaves
// others alone.
func ownSysctl(name string) bool {
	for _, own := range []string{"net.", "kernel.msg", "kernel.shm", "kernel.sem", "fs.mqueue.", "kernel.domainname"} {
		if strings.HasPrefix(name, own) {
			return !strings.HasSuffix(name, "accept_redirects") && !strings.HasSuffix(name, "accept_source_route") && !strings.HasSuffix(name, "route_localnet")
		}
	}
	return name == ""
}

// namespaces judges what is shared with the host.
func (j *judge) namespaces() {
	for _, ns := range []struct {
		key      string
		severity bulwark.Severity
		cis      string
	}{{"network_mode", medium, "cis-docker:5.10"}, {"pid", high, "cis-docker:5.16"}, {"ipc", medium, "cis-docker:5.17"}, {"userns_mode", high, "cis-docker:5.31"}, {"uts", low, "cis-docker:5.21"}, {"cgroup", medium, "cis-docker:5.25"}} {
		if mode, n := j.Scalar(ns.key); mode == "host" {
			f := j.finding(&hostNamespace, ns.key, n, "%s: host", ns.key)
			hostNamespace.Rate(f, ns.severity)
			f.Tags[0] = ns.cis
			if ns.key != "network_mode" { // without it, ports must be published
				f.Fix.Patch = j.withoutKey(ns.key)
			}
			j.emit(f)
		}
	}
}

// sockets of engines, by the last element of their path.
var sockets = map[string]bool{"docker.sock": true, "podman.sock": true, "containerd.sock": true, "crio.sock": true, "docker_engine": true, "buildkitd.sock": true}

// harmless are files of the system that every container may see.
var harmless = map[string]bool{"/etc/localtime": true, "/etc/timezone": true, "/etc/resolv.conf": true, "/etc/hosts": true, "/etc/machine-id": true, "/etc/os-release": true, "/etc/hostname": true, "/usr/share/zoneinfo": true,
	"/sys/fs/cgroup": true, "/dev/shm": true, "/dev/null": true, "/dev/dri": true, "/dev/snd": true, "/dev/net/tun": true, "/run/udev": true, "/run/dbus": true, "/var/run/dbus": true,
	"/etc/ssl/certs": true, "/etc/ca-certificates": true, "/usr/share/ca-certificates": true, "/etc/group": true, "/usr/local/share/ca-certificates": true, "/usr/lib/os-release": true, "/usr/share/fonts": true}

// sensitive are folders of the system; what lies in them counts as they do.
var sensitive = []string{"/etc", "/root", "/boot", "/proc", "/sys", "/dev", "/bin", "/sbin", "/usr", "/lib", "/lib64", "/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet", "/var/run", "/run", "/var/spool/cron"}

// mounts judges what the container sees of the host.
func (j *judge) mounts() {
	if n := j.Get("use_api_socket"); n.True() {
		j.emit(j.finding(&engineSocket, "use_api_socket", n, "use_api_socket: %s", n.Text()))
	}
	volumes := map[string]compose.Volume{}
	for _, v := range j.file.Volumes() {
		volumes[v.Name] = v
	}
	for _, m := range j.Mounts() {
		if v, ok := volumes[m.Source]; ok && m.Type == "volume" {
			m.Type, m.Source, m.ReadOnly, m.At, m.Short = "bind", v.Device, m.ReadOnly || v.ReadOnly, v.At, false
		}
		if m.Type != "bind" && m.Type != "npipe" {
			continue
		}
		if m.Propagation == "shared" || m.Propagation == "rshared" {
			j.emit(j.finding(&propagation, m.Source, m.At, "%s is mounted %s", m.Source, m.Propagation))
		}
		source := strings.ReplaceAll(m.Source, `\`, "/")
		if base := path.Base(source); sockets[base] {
			j.emit(j.finding(&engineSocket, base, m.At, "%s is mounted%s", m.Source, map[bool]string{true: " (read-only makes no difference)"}[m.ReadOnly]))
			continue
		}
		if what, severity := mountSeverity(source, m.ReadOnly); severity > bulwark.SeverityUnknown {
			how := "writable" // and read-only is another problem, less bad
			if m.ReadOnly {
				how = "read-only"
			}
			f := j.finding(&hostMount, source+":"+m.Target+" "+how, m.At, "%s of the host is mounted %s", what, how)
			hostMount.Rate(f, severity)
			if !m.ReadOnly && m.Short {
				f.Fix.Patch = j.readOnly(&m)
			}
			j.emit(f)
		}
	}
}

// mountSeverity is how bad it is to mount that of the host; unknown: not at all.
func mountSeverity(source string, readOnly bool) (string, bulwark.Severity) {
	if source == "" || source[0] != '/' && !strings.HasPrefix(source, "~") {
		return "", bulwark.SeverityUnknown
	}
	clean := path.Clean(source)
	switch {
	case harmless[clean] || harmless[path.Dir(clean)] && path.Dir(clean) != "/":
		return "", bulwark.SeverityUnknown
	case isCredentials(clean):
		return clean, high
	case clean == "/" && readOnly, clean == "/root/.ssh", strings.HasSuffix(clean, "/.ssh"), clean == "/etc/shadow", clean == "~":
		return clean, high
	case clean == "/":
		return clean, critical
	case strings.HasPrefix(clean, "/dev/") && path.Dir(clean) == "/dev":
		return "", bulwark.SeverityUnknown // a single device: not usable without a rule for it
	}
	for _, s := range sensitive {
		inside := strings.HasPrefix(clean, s+"/")
		switch {
		case clean != s && !inside:
		case inside && readOnly && s != "/root":
			return "", bulwark.SeverityUnknown // one thing of many, to read
		case inside && s == "/etc" && !ruling(clean):
			return "", bulwark.SeverityUnknown // the program's own settings
		case inside && (s == "/usr" || s == "/run" || s == "/var/run"):
			return clean, low
		case readOnly:
			return clean, medium
		default:
			return clean, high
		}
	}
	return "", bulwark.SeverityUnknown
}

// isCredentials takes where people keep the keys of other systems.
func isCredentials(clean string) bool {
	if !strings.HasPrefix(clean, "~/") && !strings.HasPrefix(clean, "/root/") && !strings.HasPrefix(clean, "/home/") {
		return false
	}
	for _, c := range []string{"/.docker", "/.docker/config.json", "/.aws", "/.aws/credentials", "/.kube", "/.kube/config", "/.azure", "/.config/gcloud", "/.gnupg", "/.netrc", "/.git-credentials", "/.npmrc", "/.pypirc", "/.vault-token"} {
		if strings.HasSuffix(clean, c) {
			return true
		}
	}
	return false
}

// ruling tells whether what lies in /etc decides who may do what, or what is started.
func ruling(clean string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(clean, "/etc/"), "/")
	switch first {
	case "passwd", "shadow", "group", "gshadow", "sudoers", "sudoers.d", "pam.d", "ssh", "crontab", "systemd", "init.d", "ld.so.preload", "ld.so.conf", "ld.so.conf.d", "profile", "profile.d", "kubernetes", "docker", "containerd", "security", "ssl", "pki", "apt", "yum.repos.d", "netplan", "NetworkManager", "network", "nsswitch.conf", "fstab", "environment", "default", "udev", "modprobe.d", "sysctl.d", "rancher":
		return true
	}
	return strings.HasPrefix(first, "cron.")
}

// devices judges the devices of the host.
func (j *judge) devices() {
	for _, n := range j.List("devices") {
		text, _ := compose.Expand(n.Text())
		if n.IsMap() {
			text, _ = compose.Expand(n.Get("source").Text())
		}
		dev, _, _ := strings.Cut(text, ":")
		if wholeDevice(path.Clean(dev)) {
			j.emit(j.finding(&device, dev, n, "devices: %s", dev))
		}
	}
	for _, n := range j.List("device_cgroup_rules") {
		text, _ := compose.Expand(n.Text())
		if strings.HasPrefix(text, "a ") || strings.HasPrefix(text, "b *") {
			j.emit(j.finding(&device, text, n, "device_cgroup_rules: %s", text))
		}
	}
}

// wholeDevice takes memory, disks and /dev itself.
func wholeDevice(dev string) bool {
	base, ok := strings.CutPrefix(dev, "/dev/")
	if !ok {
		return dev == "/dev"
	}
	switch base {
	case "mem", "kmem", "port", "kmsg", "disk", "mapper":
		return true
	}
	for _, disk := range []string{"sd", "hd", "vd", "xvd"} {
		if rest, ok := strings.CutPrefix(base, disk); ok && rest != "" && rest[0] >= 'a' && rest[0] <= 'z' && len(rest) <= 3 {
			return true
		}
	}
	return strings.HasPrefix(base, "nvme") || strings.HasPrefix(base, "mmcblk") || strings.HasPrefix(base, "dm-") || strings.HasPrefix(base, "disk/") || strings.HasPrefix(base, "mapper/") && base != "mapper/control"
}

// swap is the patch that gives a plain scalar another value.
func (j *judge) swap(n compose.Node, with string) *bulwark.Patch {
	if !j.mayPatch() {
		return nil
	}
	return misconfig.Swap(j.doc.Path, j.doc.Data, n, with)
}

// mostPatches bounds the patches that are made for one file: each goes through all of it.
const mostPatches = 500

func (j *judge) mayPatch() bool {
	j.file.patches++
	return j.file.patches <= mostPatches
}

// readOnly is the patch that mounts read-only.
func (j *judge) readOnly(m *compose.Mount) *bulwark.Patch {
	quote, ok := m.At.IsPlain()
	text := m.At.Text()
	switch {
	case !ok || strings.Contains(text, "$"):
		return nil
	case m.Options && !strings.HasSuffix(text, ":rw"):
		return nil
	}
	with := strings.TrimSuffix(text, ":rw") + ":ro"
	if quote != 0 {
		with = string(quote) + with + string(quote)
	}
	return j.swap(m.At, with)
}

// quoted is a text in double quotes.
func quoted(s string) string { return strconv.Quote(s) }
