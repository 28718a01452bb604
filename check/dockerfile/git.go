package dockerfile

import (
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
)

// clone judges git clone: a commit must be checked out behind it.
func (s *script) clone(k int, c *df.Command) {
	for n := k + 1; n < len(s.Commands); n++ {
		d := &s.Commands[n]
		if d.Name != "git" || !d.Has("checkout", "reset", "switch", "fetch") {
			continue
		}
		for _, a := range d.Args {
			if isCommit(a) || strings.HasPrefix(a, "$") || strings.Contains(a, "${") {
				return
			}
		}
	}
	ops := c.Operands("-b", "--branch", "--depth", "-c", "--config", "-o", "--origin", "-j", "--jobs", "-C", "--filter", "--reference", "--shallow-since")
	subject := "git clone"
	for _, o := range ops {
		if o != "clone" {
			subject = o
			break
		}
	}
	if strings.HasPrefix(subject, "/") || strings.HasPrefix(subject, "./") || strings.HasPrefix(subject, "file:") {
		return
	}
	if v, ok := c.Value("--revision"); ok && isCommit(v) {
		return
	}
	if isHTTP(subject) || strings.HasPrefix(subject, "git://") {
		s.about(plainHTTP, c, subject)
	}
	r := s.about(cloneNotPinned, c, subject)
	if v, ok := c.Value("-b", "--branch"); ok && !isBranch(v) {
		r.hygiene()
	}
}

// isBranch tells whether a name is surely a branch that moves with every change.
func isBranch(s string) bool {
	switch s {
	case "main", "master", "develop", "dev", "trunk", "HEAD", "stable", "latest", "edge", "next":
		return true
	}
	return false
}

func isCommit(s string) bool {
	return len(s) >= 7 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// added judges ADD of addresses.
func (j *judge) added(i *df.Instruction) {
	if len(i.Args) < 2 {
		return
	}
	sum, _ := i.Flag("checksum")
	for _, src := range i.Args[:len(i.Args)-1] {
		src = i.Expand(src)
		switch {
		case isGit(src):
			_, fragment, _ := strings.Cut(src, "#")
			commit, _, _ := strings.Cut(fragment, ":")
			if !isCommit(commit) && !strings.Contains(commit, "$") && sum == "" {
				j.found(addGit, i, i.First, src)
			}
		case strings.HasPrefix(src, "https://") || isHTTP(src):
			if sum == "" {
				r := j.found(addNotVerified, i, i.First, src)
				if !isHTTP(src) {
					r.rate(bulwark.SeverityLow)
				}
			}
		}
	}
}

func isGit(src string) bool {
	base, _, _ := strings.Cut(src, "#")
	return strings.HasPrefix(src, "git@") || strings.HasPrefix(src, "git://") || strings.HasPrefix(src, "ssh://") || strings.Contains(base, "://") && strings.HasSuffix(base, ".git")
}
