package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

func (s *script) apt(k int, c *df.Command) {
	if c.Name == "apt" && c.Has("install", "update", "upgrade", "remove") {
		s.edit(s.about(aptForPeople, c, "apt"), c.Line, "apt", "apt-get")
	}
	if c.Has("upgrade", "dist-upgrade", "full-upgrade") {
		s.about(aptUpgrade, c, manager(c))
	}
	if c.Has("update") && !s.later(k, "install", "apt-get", "apt", "aptitude") && !s.later(k, "build-dep", "apt-get", "apt") && !s.opaque(k) && !s.later(k, "upgrade", "apt-get", "apt") {
		s.about(updateAlone, c, manager(c))
	}
	if !c.Has("install") {
		return
	}
	if !yes(c) {
		s.edit(s.about(aptAsks, c, manager(c)), c.Line, "install", "install -y")
	}
	if !recommendsOff(c) {
		s.edit(s.about(recommends, c, manager(c)), c.Line, "install", "install --no-install-recommends")
	}
	if !s.cleans("/var/lib/apt") && !s.mounts("/var/lib/apt") && !s.mounts("/var/cache/apt") {
		s.about(aptLists, c, manager(c))
	}
	s.versions(c, "=")
}

// manager is the package manager by the name that scripts should use.
func manager(c *df.Command) string {
	if c.Name == "apt" {
		return "apt-get"
	}
	return c.Name
}

// opaque tells whether scripts behind a command may install what is not seen.
func (s *script) opaque(k int) bool {
	for n := k + 1; n < len(s.Commands); n++ {
		c := &s.Commands[n]
		if c.Name == "" || strings.HasSuffix(c.Name, ".sh") || strings.HasPrefix(c.Name, "./") || df.IsShell(c.Name) || c.Name == "source" || c.Name == "." || c.Name == "gdebi" || c.Name == "mk-build-deps" || c.Name == "npx" || c.Name == "apt-cache" {
			return true
		}
	}
	return false
}

func recommendsOff(c *df.Command) bool {
	for _, a := range c.Args {
		if l := strings.ToLower(a); a == "--no-install-recommends" || strings.Contains(l, "install-recommends=0") || strings.Contains(l, "install-recommends=false") || strings.Contains(l, "install-recommends \"false\"") {
			return true
		}
	}
	return false
}

func yes(c *df.Command) bool {
	for _, a := range c.Args {
		if a == "--yes" || a == "--assume-yes" || a == "--assumeyes" || a == "-qq" || a == "--non-interactive" || a == "--force-yes" || isShort(a, 'y', "oct") || a == "-n" || a == "-q=2" || a == "--quiet=2" || strings.Contains(a, "Assume-Yes") {
			return true
		}
	}
	for _, a := range c.Args {
		if strings.HasPrefix(a, "$") {
			return true // flags in a variable
		}
	}
	return false
}

// later tells whether one of the programs is run with a word behind command k.
func (s *script) later(k int, word string, programs ...string) bool {
	for n := k + 1; n < len(s.Commands); n++ {
		for _, p := range programs {
			if s.Commands[n].Name == p && s.Commands[n].Has(word) {
				return true
			}
		}
	}
	return false
}

// cleans tells whether a command removes what is below a folder.
func (s *script) cleans(folder string) bool {
	for k := range s.Commands {
		c := &s.Commands[k]
		if c.Name != "rm" && c.Name != "find" {
			continue
		}
		for _, a := range c.Args {
			if strings.HasPrefix(a, folder) || strings.Contains(a, "{") && strings.HasPrefix(a, "/var/") && strings.Contains(a, "apt") || a == "/var/lib/"+"*" {
				return true
			}
		}
	}
	return false
}

// mounts tells whether the instruction has a cache or tmpfs mounted at or above a folder.
func (s *script) mounts(folder string) bool {
	for _, f := range s.i.Flags {
		if f.Name != "mount" {
			continue
		}
		for part := range strings.SplitSeq(f.Value, ",") {
			k, v, _ := strings.Cut(part, "=")
			if (k == "target" || k == "dst" || k == "destination") && strings.HasPrefix(strings.TrimSuffix(v, "/"), folder) {
				return true
			}
		}
	}
	return false
}

// versions judges packages of the distribution that come without a version.
func (s *script) versions(c *df.Command, mark string) {
	skip := true
	for _, a := range c.Operands("-o", "-t", "--target-release", "-c", "-X", "--repository", "--virtual", "-t", "--root", "-p") {
		if skip {
			skip = a != "install" && a != "add" && a != "in"
			continue
		}
		if !strings.ContainsAny(a, mark+"$/.~<>@") {
			s.about(unpinnedOS, c, manager(c))
			return
		}
	}
}

func (s *script) apk(c *df.Command) {
	if c.Has("upgrade") && len(c.Operands("-X", "--repository", "-p", "--root")) == 1 {
		s.about(aptUpgrade, c, c.Name)
	}
	if !c.Has("add") {
		return
	}
	if !c.Has("--no-cache") && !s.cleans("/var/cache/apk") && !s.mounts("/var/cache/apk") && !s.mounts("/etc/apk/cache") {
		s.edit(s.about(aptLists, c, c.Name), c.Line, "add", "add --no-cache")
	}
	s.versions(c, "=")
}

func (s *script) rpm(k int, c *df.Command) {
	switch {
	case (c.Has("upgrade") || c.Has("update", "up", "dist-upgrade", "dup")) && len(c.Operands()) < 2:
		s.about(aptUpgrade, c, c.Name)
	}
	if !c.Has("install", "in", "groupinstall", "localinstall", "reinstall") {
		return
	}
	if !yes(c) {
		s.edit(s.about(aptAsks, c, c.Name), c.Line, "install", "install -y")
	}
	cleaned := s.cleans("/var/cache") || s.mounts("/var/cache")
	for n := k; n < len(s.Commands); n++ {
		d := &s.Commands[n]
		cleaned = cleaned || d.Name == c.Name && d.Has("clean", "cc", "--no-cache") || d.Has("clean") && strings.HasSuffix(d.Name, "dnf")
	}
	if !cleaned {
		s.about(aptLists, c, c.Name)
	}
	s.versions(c, "-=")
}
