// Package persist finds who changes what starts by itself, who may log in, or with which rights: how intruders stay.
package persist

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// New makes the family.
func New() *family.Family {
	var rules []family.Rule
	for _, p := range places {
		rules = append(rules, p.rule())
	}
	return family.New("persist", "Finds how intruders stay: schedules, services, keys and rights.", append(rules, setUID()))
}

// place is a place that decides what starts by itself or who may come in.
type place struct {
	name, title, why, noise, fix string
	severity                     bulwark.Severity
	tags                         []string
	paths                        []bulwark.PathMatch
	writers                      who.Set // programs whose task it is
}

var places = []place{
	{"cron", "A schedule is changed", "What stands in a crontab runs again and again, whatever is removed in between: the commonest way of miners to come back. High in containers, where nothing is scheduled while they run; medium on nodes.",
		"Administrators who change schedules; package managers and configuration management are excused by their programs. With a terminal, on a node, it is low.", "Compare the schedule with what should be there, and remove the line.", bulwark.SeverityHigh,
		[]string{"attack:T1053.003"}, family.Begins("/etc/cron", "/var/spool/cron/", "/var/spool/at/", "/etc/anacrontab", "/var/spool/anacron/"), who.Names("anacron cron crond atd fcron run-parts touch")},
	{"systemd", "A service of the system is changed", "A unit starts a program at every boot, mostly as root. High in containers, which have no services; medium on nodes.",
		"Administrators; package managers, snap, cloud-init and systemd itself are excused by their programs.", "Look at the unit (systemctl cat), and remove it.", bulwark.SeverityHigh,
		[]string{"attack:T1543.002", "attack:T1053.006"}, append(family.Begins("/etc/systemd/system/", "/lib/systemd/system/", "/usr/lib/systemd/system/", "/run/systemd/system/", "/usr/local/lib/systemd/system/", "/etc/systemd/user/", "/etc/xdg/autostart/"), family.Begins("/root/.config/systemd/user/")...),
		who.Names("systemd systemctl systemd-executor snapd cloud-init deb-systemd-helper deb-systemd-invoke netplan networkd-dispatcher kubelet dockerd systemd-sysv-install systemd-sysv-generator systemd-fstab-generator")},
	{"boot-script", "What runs at boot or when a device or network comes is changed", "rc.local, init scripts, udev rules, network hooks and the message of the day run as root by themselves. High in containers; medium on nodes.",
		"Administrators; package managers are excused by their programs.", "Compare the file with its package, and remove what does not belong.", bulwark.SeverityHigh,
		[]string{"attack:T1037", "attack:T1546"}, family.Begins("/etc/rc.local", "/etc/rc.d/", "/etc/init.d/", "/etc/rc0.d/", "/etc/rc2.d/", "/etc/rc3.d/", "/etc/rc5.d/", "/etc/inittab", "/etc/udev/rules.d/", "/etc/update-motd.d/", "/etc/network/if-up.d/", "/etc/NetworkManager/dispatcher.d/", "/etc/modules-load.d/", "/etc/apt/apt.conf.d/"),
		who.Names("systemd insserv update-rc.d openrc rc-update cloud-init snapd systemd-sysv-install")},
	{"login-script", "What shells run when somebody logs in is changed", "Lines in profile and bashrc run with the rights of each who logs in or comes by exec. Medium.",
		"People who set up their shell; installers of languages add lines to profiles.", "Remove the line.", bulwark.SeverityMedium,
		[]string{"attack:T1546.004"}, append(family.Begins("/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/zsh/"), family.Ends("/.bashrc", "/.profile", "/.bash_profile", "/.bash_login", "/.bash_logout", "/.zshrc", "/.zprofile", "/.zshenv")...),
		who.Names("useradd adduser cloud-init systemd-homed mkhomedir_helper")},
	{"authorized-keys", "A key that may log in is added", "Whoever has the private half logs in from then on, whatever passwords are changed. High; it needs sshd, on the node most of all.",
		"People who add their own keys; ssh-copy-id, cloud-init and agents of clouds are excused by their programs where they are known.", "Remove the line, and see who has the key.", bulwark.SeverityHigh,
		[]string{"attack:T1098.004"}, append(family.Ends("/.ssh/authorized_keys", "/.ssh/authorized_keys2", "/.ssh/rc"), family.Begins("/etc/ssh/authorized_keys", "/etc/ssh/sshd_config")...),
		who.Names("cloud-init google_guest_agent waagent amazon-ssm-agent useradd adduser sshd ec2-instance-connect")},
	{"sudoers", "Who may become root is changed", "A line in sudoers, doas or polkit gives root without a password, for good and without a trace in the list of users. High.",
		"Administrators by visudo on a terminal; package managers and cloud-init are excused by their programs.", "Remove the line.", bulwark.SeverityHigh,
		[]string{"attack:T1548.003"}, family.Begins("/etc/sudoers", "/etc/doas.conf", "/etc/polkit-1/rules.d/", "/usr/share/polkit-1/rules.d/"), who.Names("cloud-init google_guest_agent waagent visudo")},
	{"account", "The list of users, passwords or groups is changed by who is not there for that", "A second user with id 0 or a password for a system user is a back door. Programs that change these files are known; others have no business there. High.",
		"Start scripts that write a line for a random user id into /etc/passwd (OpenShift) are medium: appended without a new file, in a container.", "Compare the file with that of the image or a backup.", bulwark.SeverityHigh,
		[]string{"attack:T1136.001", "attack:T1098"}, family.Are("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"), who.Accounts},
	{"login-module", "How logins are checked is changed", "A module or line of PAM sees every password and decides who comes in. High.",
		"Administrators; package managers, pam-auth-update and authselect are excused by their programs.", "Reinstall the packages of PAM.", bulwark.SeverityHigh,
		[]string{"attack:T1556.003"}, append(family.Begins("/etc/pam.d/", "/etc/pam.conf", "/etc/security/", "/lib/security/", "/usr/lib/security/", "/lib64/security/", "/usr/lib64/security/"), family.Begins("/usr/lib/x86_64-linux-gnu/security/", "/lib/x86_64-linux-gnu/security/", "/usr/lib/aarch64-linux-gnu/security/")...),
		who.Names("pam-auth-update authselect authconfig cloud-init")},
}

// moves are the kinds that put a file in a place without opening it there.
const moves = "rename renameat renameat2 link linkat symlink symlinkat"

func (p place) rule() family.Rule {
	paths := family.OnNode(p.paths)
	at := bulwark.Where{Failed: bulwark.No, Paths: paths}
	written := at
	written.Write = bulwark.Yes
	fresh := func(h *family.Hit) bool { return !excused(h, p.writers) }
	return family.Rule{
		Name: p.name, Title: p.title, Severity: p.severity, Why: p.why, Noise: p.noise, Fix: p.fix, Tags: p.tags, Every: 10 * time.Minute,
		References: []string{"https://attack.mitre.org/techniques/" + strings.ReplaceAll(strings.TrimPrefix(p.tags[0], "attack:"), ".", "/") + "/"},
		Looks: []family.Look{
			{Kinds: family.Opens, Where: written, If: fresh, Do: p.tell},
			{Kinds: moves, Where: at, If: func(h *family.Hit) bool { return fresh(h) && into(h, paths) }, Do: p.tell},
		},
	}
}

// into tells whether a file is moved or linked into the place, not out of it.
func into(h *family.Hit, paths []bulwark.PathMatch) bool {
	name := h.Where("newpath")
	if name == "" {
		name = h.Where("linkpath")
	}
	for i := range paths {
		if family.Matches(&paths[i], []byte(name)) {
			return true
		}
	}
	return false
}

func (p place) tell(h *family.Hit) {
	s := p.severity
	switch {
	case h.C == nil && h.P.TTY != 0:
		s = bulwark.SeverityLow
	case h.C == nil, p.name == "account" && h.Path() == "/etc/passwd" && h.Kind.Syscall() && h.Num("flags")&family.OpenTruncate == 0 && h.Num("flags") != 0:
		s = min(s, bulwark.SeverityMedium)
	}
	if onNode := nodePath(h.C, h.Path()); onNode != "" {
		h.TellAs(p.severity, h.Path(), "this is "+onNode+" of the node")
		return
	}
	h.TellAs(s, h.Path())
}

// nodePath is what the node calls a file that a container has of it.
func nodePath(c *bulwark.Container, name string) string {
	if c == nil {
		return ""
	}
	for _, m := range c.Mounts {
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(m.Dest, "/")+"/"); ok && (m.Source == "/" || strings.HasPrefix(m.Source, "/etc") || strings.HasPrefix(m.Source, "/root") || strings.HasPrefix(m.Source, "/home") || m.Source == "/var" || strings.HasPrefix(m.Source, "/var/spool")) {
			return strings.TrimSuffix(m.Source, "/") + "/" + rest
		}
	}
	return ""
}

// excused tells whether it is the work of whom it belongs to: engines, package managers, configuration management, builds.
func excused(h *family.Hit, writers who.Set) bool {
	p := h.P
	if who.Runtime(p) || who.EngineOfNode(p) || who.Trusted(p, writers) || who.Installs(p) || who.Builds(p) {
		return true
	}
	return who.Trusted(p, who.Managers) || who.Above(p, who.Managers) != nil
}

func setUID() family.Rule {
	return family.Rule{
		Name: "set-uid", Title: "A file is made to run with its owner's rights", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1548.001"}, References: []string{"https://attack.mitre.org/techniques/T1548/001/"},
		Why:   "A set-uid copy of a shell makes root of whoever runs it. Package managers set the bit when they install; nobody else needs to. High.",
		Noise: "Unpacking archives of whole systems, and building images by tools that are not known here.",
		Fix:   "chmod u-s the file, and find out what it is.", Every: 10 * time.Minute,
		Looks: []family.Look{
			{Kinds: "chmod", Where: moded("chmod"), If: setsUID},
			{Kinds: "fchmod", Where: moded("fchmod"), If: setsUID},
			{Kinds: "fchmodat", Where: moded("fchmodat"), If: setsUID},
			{Kinds: "fchmodat2", Where: moded("fchmodat2"), If: setsUID},
		},
	}
}

// moded is met where the mode has the bit.
func moded(kind string) bulwark.Where {
	k, _ := bulwark.KindNamed(kind)
	i := slices.IndexFunc(k.Params(), func(p bulwark.Param) bool { return p.Name == "mode" })
	return bulwark.Where{Failed: bulwark.No, Flags: []bulwark.FlagMatch{{Param: i, Any: family.ModeSetUID}}}
}

var unpackers = who.Names("tar bsdtar cpio rsync unsquashfs debootstrap mmdebstrap umoci kaniko executor unzip")

func setsUID(h *family.Hit) bool {
	return h.Num("mode")&family.ModeSetUID != 0 && h.FD.Kind != bulwark.FDDirectory && !excused(h, unpackers)
}
