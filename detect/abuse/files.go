package abuse

import (
	"fmt"
	"path"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

const (
	ransomSpan  = time.Minute
	ransomFiles = 40
)

// ordinary are extensions that programs put behind names, or take away, all day.
var ordinary = who.Names("gz xz zst bz2 lz4 zip tmp temp bak old orig new part partial swp save log lock pid done ready dpkg-new dpkg-tmp dpkg-old dpkg-bak rpmsave rpmnew rpmorig ucf-dist crdownload download json yaml js css html map deleted pyc sst ldb sock index idx meta wal snap checkpoint backup rotated processed archived")

// traces are files that tell who was there.
var traces = append(family.Begins("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/run/utmp", "/run/utmp", "/var/log/auth.log", "/var/log/secure", "/var/log/audit/", "/var/log/messages", "/var/log/syslog", "/var/log/journal/", "/var/log/cron"),
	family.Ends("/.bash_history", "/.zsh_history", "/.ash_history", "/.sh_history", "/.history", "/.mysql_history", "/.psql_history", "/.python_history")...)

// keepers write and shorten logs.
var keepers = who.Names("logrotate rsyslogd syslog-ng systemd-journald journalctl savelog auditd systemd systemd-tmpfiles login sshd cron crond vector fluentd fluent-bit savelog utempter last")

const (
	renames = "rename renameat renameat2"
	unlinks = "unlink unlinkat"
)

func (s *state) files() []family.Rule {
	ok := bulwark.Where{Failed: bulwark.No}
	shortened := bulwark.Where{Failed: bulwark.No, Write: bulwark.Yes, Paths: traces}
	gone := bulwark.Where{Failed: bulwark.No, Paths: traces}
	return []family.Rule{
		{Name: "mass-encryption", Title: "Files are given one new extension, one after the other", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1486"}, References: []string{"https://attack.mitre.org/techniques/T1486/"},
			Why:   "Forty files within a minute got the same unusual extension, or were replaced by files with it: programs that encrypt for ransom do just this. High, and urgent: it goes on until it is stopped.",
			Noise: "Programs that archive under an extension of their own; those of compression, rotation, databases and package managers are known.",
			Fix:   "Freeze the container at once, keep its memory (keys may be in it), and restore the files.", Every: 10 * time.Minute,
			Looks: []family.Look{
				{Kinds: renames, Where: ok, Do: func(h *family.Hit) {
					before, after := path.Base(h.Where("oldpath")), path.Base(h.Where("newpath"))
					if rest, ok := strings.CutPrefix(after, before+"."); ok {
						s.encrypted(h, rest)
					}
				}},
				{Kinds: "creat", Where: ok, Do: s.create},
				{Kinds: "open", Where: creating("open"), Do: s.create},
				{Kinds: "openat", Where: creating("openat"), Do: s.create},
				{Kinds: unlinks, Where: inside, If: func(h *family.Hit) bool { return !h.Failed() }, Do: func(h *family.Hit) {
					name := h.Where("path") + h.Where("name")
					if at := s.made.Get(recent.HashString(name) ^ h.Key()); at != nil && h.Time-*at < int64(ransomSpan) {
						s.encrypted(h, s.of.Of(h.Key()).extension)
					}
				}},
			}},
		{Name: "trace-removal", Title: "Traces of who was there are removed", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1070.002", "attack:T1070.003"}, References: []string{"https://attack.mitre.org/techniques/T1070/"},
			Why:   "Records of logins, the system's log or the history of a shell were emptied, removed or linked to nothing, by a program that is not there for that. High: only who has something to hide does it.",
			Noise: "People who clear their own history. Rotation of logs, package managers and builds of images are excused.",
			Fix:   "Send logs to another machine while they are written, and look there.", Every: 10 * time.Minute,
			Looks: []family.Look{
				{Kinds: family.Opens, Where: shortened, If: func(h *family.Hit) bool { return h.Num("flags")&family.OpenTruncate != 0 && removesTraces(h) }},
				{Kinds: unlinks + " truncate", Where: gone, If: removesTraces},
				{Kinds: "symlink symlinkat", Where: gone, If: func(h *family.Hit) bool { return string(h.Text("target")) == "/dev/null" && removesTraces(h) }},
				{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool {
					line := strings.Join(h.P.Args, " ")
					return who.Is(h.P, who.Shells) && (strings.Contains(line, "history -c") || strings.Contains(line, "HISTFILE=/dev/null") || strings.Contains(line, "unset HISTFILE")) && !who.Builds(h.P)
				}, Do: func(h *family.Hit) { h.Tell("history") }},
			}},
		{Name: "wipe", Title: "A command destroys files or disks as a whole", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1485", "attack:T1561"}, References: []string{"https://attack.mitre.org/techniques/T1485/"},
			Why:   "It removes the root or a whole folder of the system, overwrites files so that nobody restores them, or makes a new file system over a disk. High.",
			Noise: "Preparing disks on nodes; only containers are judged for that. Builds of images are not.",
			Fix:   "Freeze the container, and restore what is gone.", Every: time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool { return wipes(h) && !who.Builds(h.P) && !who.Installs(h.P) }, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "hidden-change", Title: "A file is made immutable, or given a false time", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1222.002", "attack:T1070.006"}, References: []string{"https://attack.mitre.org/techniques/T1070/006/"},
			Why:   "chattr +i keeps others from removing a file, and touch -r gives it the time of an old one: miners and back doors do both to stay. Medium.",
			Noise: "Administrators who protect resolv.conf; builds that set times, which are excused.",
			Fix:   "chattr -i the file, and compare it with its package.", Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}, If: func(h *family.Hit) bool {
				return hides(h.P) && !who.Builds(h.P) && !who.Installs(h.P)
			}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
	}
}

// creating is an open of a container that may make a file.
func creating(kind string) bulwark.Where {
	k, _ := bulwark.KindNamed(kind)
	for i, p := range k.Params() {
		if p.Name == "flags" {
			return bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Flags: []bulwark.FlagMatch{{Param: i, Any: family.OpenCreate}}}
		}
	}
	return bulwark.Where{}
}

// create remembers a file that is called as another with an extension behind.
func (s *state) create(h *family.Hit) {
	name := string(h.FD.Name)
	ext := strings.TrimPrefix(path.Ext(name), ".")
	if h.C == nil || !odd(ext) {
		return
	}
	c := s.of.Of(h.Key())
	c.extension = ext
	*s.made.Of(recent.HashString(strings.TrimSuffix(name, "."+ext)) ^ h.Key()) = h.Time
}

func odd(ext string) bool {
	ext = strings.ToLower(ext)
	return len(ext) >= 3 && len(ext) <= 40 && !ordinary[ext] && strings.Trim(ext, "0123456789") != "" && !strings.ContainsAny(ext, "~- ") && !strings.HasPrefix(ext, "x86")
}

// encrypted counts a file that got an extension.
func (s *state) encrypted(h *family.Hit, ext string) {
	if !odd(ext) || who.Installs(h.P) || who.Builds(h.P) || who.Trusted(h.P, keepers) {
		return
	}
	c := s.of.Of(h.Key())
	if c.extension != ext {
		c.extension = ext
		c.renamed = recent.Count{}
	}
	if n := c.renamed.Add(h.Time, ransomSpan, 1); n >= ransomFiles {
		h.Tell("files", fmt.Sprintf("%d files within a minute got the extension .%s", n, ext))
	}
}

func removesTraces(h *family.Hit) bool {
	// On nodes a history counts where people have theirs, and not in what is unpacked and removed elsewhere.
	home := strings.HasPrefix(h.Path(), "/root/") || strings.HasPrefix(h.Path(), "/home/")
	own := strings.HasSuffix(h.Path(), "history") && h.C == nil && (h.P.TTY != 0 || !home)
	return !own && !who.Trusted(h.P, keepers) && who.Above(h.P, keepers) == nil && !who.Installs(h.P) && !who.Builds(h.P) && !who.Runtime(h.P) && !who.EngineOfNode(h.P)
}

var systemFolders = who.Names("/ /* /bin /boot /etc /home /lib /root /sbin /srv /usr /var /data /etc/* /home/* /root/* /usr/* /var/* /mnt/* /data/*")

func wipes(h *family.Hit) bool {
	p := h.P
	switch {
	case who.Is(p, who.Names("rm")):
		recursive, target := false, false
		for _, a := range p.Args {
			recursive = recursive || a == "--recursive" || strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.ContainsAny(a, "rR")
			target = target || systemFolders[strings.TrimSuffix(a, "/")] && a != "" || a == "/" || a == "--no-preserve-root"
		}
		return recursive && target
	case who.Is(p, who.Names("shred wipe srm sfill")):
		return h.C != nil && len(p.Args) > 0
	case who.Is(p, who.Names("dd")):
		line := strings.Join(p.Args, " ")
		return h.C != nil && (strings.Contains(line, "of=/dev/sd") || strings.Contains(line, "of=/dev/nvme") || strings.Contains(line, "of=/dev/vd") || strings.Contains(line, "of=/dev/xvd"))
	}
	return false
}

func hides(p *bulwark.Process) bool {
	for _, a := range p.Args {
		switch {
		case who.Is(p, who.Names("chattr")) && strings.HasPrefix(a, "+") && strings.ContainsAny(a, "ia"):
			return true
		case who.Is(p, who.Names("touch")) && (a == "-r" || strings.HasPrefix(a, "--reference") || a == "-acmr" || a == "-t"):
			return true
		}
	}
	return false
}
