package escape

import (
	"fmt"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

type procKey struct {
	pid   int
	start int64
}

// creds are what a process had when it was last seen.
type creds struct {
	uid       uint32
	permitted uint64
	user      uint32 // its user namespace
	known     bool
}

// privileges is the rule about processes that have more rights than they were given.
func privileges(s *state) []family.Rule {
	return []family.Rule{{
		Name: "privilege-gain", Title: "A process became root, or got capabilities, and nobody gave them to it", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1068"}, References: []string{"https://attack.mitre.org/techniques/T1068/"},
		Why:   "It ran as another user without the right to change that, and now is root or holds capabilities, without having run a program that is set-uid or has file capabilities. That is what an exploit of the kernel leaves. Critical.",
		Noise: "Programs that get capabilities by their file (setcap), with a name that is not known here: told once a day each. Set-uid programs of the image are excused, those that the container made are not. Processes in user namespaces of their own are not judged.",
		Fix:   "Take the node out of use, update its kernel, and see what the process did.", Every: 24 * time.Hour,
		Looks: []family.Look{
			{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool {
				before := s.before(h.P)
				return s.remember(h) && before.known && gained(before, h.P) && !who.Trusted(h.P, setUID) && !(h.P.File.SetID && who.Original(h.P))
			}, Do: func(h *family.Hit) { tellGain(h) }},
			{Kinds: family.Clones, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool { s.remember(h); return false }},
			{Kinds: "setuid setreuid setresuid capset setns unshare ptrace mount openat2 finit_module", Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool {
				before := s.before(h.P)
				return s.remember(h) && before.known && gained(before, h.P)
			}, Do: func(h *family.Hit) { tellGain(h) }},
			{Kinds: "procexit", If: func(h *family.Hit) bool { s.creds.Of(procKey{h.P.PID, h.P.Start}).known = false; return false }},
		},
	}}
}

func tellGain(h *family.Hit) {
	h.Tell(who.Program(h.P), fmt.Sprintf("uid is %d, permitted capabilities %#x", h.P.UID, h.P.Permitted))
}

func (s *state) before(p *bulwark.Process) creds {
	if c := s.creds.Get(procKey{p.PID, p.Start}); c != nil {
		return *c
	}
	if p.Parent != nil && who.Together(p, p.Parent) {
		if c := s.creds.Get(procKey{p.Parent.PID, p.Parent.Start}); c != nil {
			return *c // it was forked, and this was not seen
		}
	}
	return creds{}
}

// remember keeps what a process has; the engine's own processes change as they like.
func (s *state) remember(h *family.Hit) bool {
	c := s.creds.Of(procKey{h.P.PID, h.P.Start})
	if h.C != nil && who.Runtime(h.P) || h.P.Namespaces.User == 0 {
		*c = creds{}
		return false
	}
	*c = creds{h.P.UID, h.P.Permitted, h.P.Namespaces.User, true}
	return true
}

// gained tells whether a process without the right to change who it is has got more, in the same user namespace.
func gained(b creds, p *bulwark.Process) bool {
	if b.uid == 0 || b.user != p.Namespaces.User || b.permitted&family.CapSetUID != 0 {
		return false
	}
	return p.UID == 0 || p.Permitted&^b.permitted != 0 && b.permitted == 0 && p.Permitted&dangerous != 0
}

// dangerous are capabilities that no program is given by its file, but for those of set-uid programs.
const dangerous = 1<<21 | 1<<16 | 1<<19 | 1<<2 | 1<<1 | 1<<0 | 1<<6 | 1<<7

var setUID = who.Names("su sudo passwd chsh chfn newgrp gpasswd mount umount pkexec fusermount newuidmap newgidmap ping ping6 at crontab doas sudoedit unix_chkpwd ssh-keysign dbus-daemon-launch-helper polkit-agent-helper- chage expiry sg bwrap chrome-sandbox ntfs-3g mount.nfs mount.cifs exim exim4 sendmail postdrop postqueue Xorg Xorg.wrap traceroute mtr-packet dumpcap arping clockdiff pppd snap-confine vmware-user-suid-wrapper bbsuid dma staprun cgexec cockpit-session gosu")
