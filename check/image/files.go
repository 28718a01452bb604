package image

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// most bounds the places of one finding.
const most = 1000

// entry is a file whose mode stands out.
type entry struct {
	*bulwark.Document
	clean string // path without a leading slash
	mode  uint32 // as chmod counts
	dir   bool
}

// entries are what the inspector kept.
func (s *subject) entries() []entry {
	var out []entry
	for i := range s.inv.Documents {
		d := &s.inv.Documents[i]
		if d.Kind != modeKind {
			continue
		}
		text, dir := strings.CutPrefix(string(d.Data), "d")
		if mode, err := strconv.ParseUint(text, 8, 32); err == nil {
			out = append(out, entry{d, strings.TrimPrefix(d.Path, "/"), uint32(mode), dir})
		}
	}
	return out
}

// openFolder tells whether everybody may write to a folder.
func (s *subject) openFolder(clean string) bool {
	return slices.ContainsFunc(s.entries(), func(e entry) bool { return e.dir && e.clean == clean })
}

// files judges modes.
func (s *subject) files() {
	var special, shells, open []entry
	for _, e := range s.entries() {
		if e.clean == "etc/shadow" || e.clean == "etc/gshadow" {
			if e.mode&0o004 != 0 {
				s.emit(s.placed(shadowReadable.Finding(e.Path, ""), []entry{e}))
			}
		}
		switch {
		case e.dir:
		case e.mode&0o4000 != 0 && givesShell(path.Base(e.clean)):
			shells = append(shells, e)
		case e.mode&0o6000 != 0:
			special = append(special, e)
		}
		if e.mode&0o002 != 0 {
			open = append(open, e)
		}
	}
	if len(special) > 0 {
		s.emit(s.placed(setuid.Finding("set-uid files", ""), special))
	}
	for _, e := range shells {
		s.emit(s.placed(setuidShell.Finding(e.Path, ""), []entry{e}))
	}
	s.open(open)
}

// open judges what everybody may write to: one finding for what decides who is root,
// one for the system's own, one for all else.
func (s *subject) open(list []entry) {
	levels := []struct {
		what     string
		severity bulwark.Severity
		list     []entry
	}{{"files that decide who is root", high, nil}, {"programs and system files", medium, nil}, {"data", low, nil}}
	for _, e := range list {
		i := openness(&e)
		levels[i].list = append(levels[i].list, e)
	}
	for _, l := range levels {
		if len(l.list) == 0 {
			continue
		}
		f := s.placed(worldWritable.Finding(l.what, ""), l.list)
		worldWritable.Rate(f, l.severity)
		s.emit(f)
	}
}

// openness is how bad it is that everybody may write there: 0 is worst.
func openness(e *entry) int {
	top, _, _ := strings.Cut(e.clean, "/")
	switch {
	case rootFiles[e.clean], strings.HasPrefix(e.clean, "etc/cron."), strings.HasPrefix(e.clean, "etc/sudoers.d"), strings.HasPrefix(e.clean, "etc/pam.d"), strings.HasPrefix(e.clean, "etc/profile.d"):
		return 0
	case top == "etc" || top == "bin" || top == "sbin" || top == "lib" || top == "lib64" || top == "boot":
		return 1
	case top == "usr" && !strings.HasPrefix(e.clean, "usr/src/") && !strings.HasPrefix(e.clean, "usr/share/"):
		return 1
	}
	return 2
}

var rootFiles = map[string]bool{"etc/passwd": true, "etc/shadow": true, "etc/group": true, "etc/sudoers": true, "etc/crontab": true, "etc/ld.so.preload": true, "etc/profile": true,
	"etc/cron.d": true, "etc": true, "bin": true, "sbin": true, "usr/bin": true, "usr/sbin": true, "usr/local/bin": true, "usr/local/sbin": true, "root/.ssh/authorized_keys": true}

// placed gives a finding its places.
func (s *subject) placed(f *bulwark.Finding, list []entry) *bulwark.Finding {
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	base := s.baseLayers()
	f.Path, f.Layer, f.FromBase = list[0].Path, list[0].Layer, true
	for i := range list {
		e := &list[i]
		f.FromBase = f.FromBase && base[e.Layer]
		if i < most {
			f.Places = append(f.Places, bulwark.Place{Path: e.Path, Layer: e.Layer})
		}
		if i < mostSteps {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s has the mode %04o", e.Path, e.mode))
		}
	}
	if len(list) > most {
		f.Count = len(list)
	}
	return f
}

func (s *subject) baseLayers() map[string]bool {
	base := make(map[string]bool, len(s.t.Layers))
	for i := range s.t.Layers {
		base[s.t.Layers[i].DiffID] = s.t.Layers[i].Base
	}
	return base
}

// shells and other programs that, run as root, do whatever they are told.
var giving = map[string]bool{
	"sh": true, "bash": true, "dash": true, "ash": true, "zsh": true, "ksh": true, "csh": true, "tcsh": true, "fish": true, "busybox": true,
	"perl": true, "ruby": true, "node": true, "lua": true, "php": true, "java": true, "awk": true, "gawk": true, "mawk": true, "find": true, "env": true,
	"vi": true, "vim": true, "nano": true, "emacs": true, "ed": true, "sed": true, "less": true, "more": true, "cp": true, "mv": true, "dd": true, "tee": true, "tar": true, "zip": true,
	"cat": true, "chmod": true, "chown": true, "ln": true, "nmap": true, "nc": true, "ncat": true, "socat": true, "curl": true, "wget": true, "docker": true, "ctr": true, "nsenter": true,
	"unshare": true, "chroot": true, "gdb": true, "strace": true, "make": true, "git": true, "rsync": true, "install": true, "xargs": true, "taskset": true, "nice": true, "timeout": true, "openssl": true,
}

// givesShell takes versions too: python3.11, vim.basic.
func givesShell(base string) bool {
	stem, _, _ := strings.Cut(base, ".")
	if stem == "busybox" && base != stem {
		return false
	}
	return giving[stem] || strings.HasPrefix(base, "python") && strings.Trim(base[len("python"):], "0123456789.") == ""
}
