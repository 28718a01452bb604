package access

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// Sensitive is something that users declare to be sensitive, and who may do what with it. What nobody is
// named for nobody but the engine may do; see Nobody and Anybody.
type Sensitive struct {
	Name     string           // in findings
	Severity bulwark.Severity // 0: high
	// Paths are those of containers or nodes: a file, a folder with all below it where it ends with "/", or with "*".
	Paths []string
	// Volumes are mounts by where they come from: a path of the node ("/srv/keys"), a part of it that volumes of
	// Kubernetes have, such as "kubernetes.io~secret", "kubernetes.io~csi", "kubernetes.io~projected", or a volume's name.
	Volumes []string
	// Images narrows it to containers of these images (path.Match); none: containers of all, and the node.
	Images                     []string
	Read, Change, Copy, Delete []Who
}

// Who may do something. All that is set must be met.
type Who struct {
	Anybody  bool
	Programs []string // full paths, as the image or the node had them
	Users    []uint32
	Images   []string // path.Match
	Pods     []string // "namespace/name", path.Match
}

// does is what is done with something sensitive.
type does int

const (
	reads does = iota
	changes
	copies
	deletes
)

var words = [...]string{"read", "changed", "copied", "deleted"}

func declared(list []Sensitive) family.Rule {
	r := family.Rule{
		Name: "declared", Title: "Something that was declared sensitive is touched by who may not", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1005", "attack:T1552"}, References: []string{"https://attack.mitre.org/techniques/T1005/"},
		Why:   "The path, volume or mount was declared sensitive with a list of who may read, change, copy or delete it, and this one is not on it. As severe as was declared: high where nothing was said.",
		Noise: "Lists that leave somebody out.",
		Fix:   "Stop who it was, or add him to the list.", Every: 60e9,
	}
	for i := range list {
		s := &list[i]
		if len(s.Paths)+len(s.Volumes) == 0 {
			continue
		}
		where := bulwark.Where{Failed: bulwark.No, Paths: s.matches()}
		if len(s.Volumes) != 0 {
			where.Paths = nil // where a container has them is not known before
			where.Container = bulwark.Yes
		}
		r.Looks = append(r.Looks,
			family.Look{Kinds: family.Opens, Where: where, If: s.about, Do: func(h *family.Hit) { s.judge(h, opening(h)) }},
			family.Look{Kinds: "rename renameat renameat2 unlink unlinkat rmdir", Where: where, If: s.about, Do: func(h *family.Hit) { s.judge(h, deletes) }},
			family.Look{Kinds: "truncate chmod fchmodat fchmodat2 chown fchownat lchown setxattr link linkat", Where: where, If: s.about, Do: func(h *family.Hit) {
				if strings.HasPrefix(h.Kind.String(), "link") {
					s.judge(h, copies)
				} else {
					s.judge(h, changes)
				}
			}},
		)
	}
	return r
}

// matches are the paths as events are compared with them; a path with a star begins as it does before the star.
func (s *Sensitive) matches() []bulwark.PathMatch {
	var list []bulwark.PathMatch
	for _, p := range s.Paths {
		before, _, star := strings.Cut(p, "*")
		if star || strings.HasSuffix(p, "/") {
			list = append(list, family.Begins(before)...)
		} else {
			list = append(list, family.Are(p)...)
		}
	}
	return list
}

// about tells whether the event is about this.
func (s *Sensitive) about(h *family.Hit) bool {
	if who.Runtime(h.P) || len(s.Images) != 0 && (h.C == nil || !matchesAny(s.Images, h.C.Image)) {
		return false
	}
	name := h.Path()
	return slices.ContainsFunc(s.Paths, func(p string) bool { return within(p, name) }) || h.C != nil && s.inVolume(h.C, name)
}

// within tells whether a path is meant by a pattern.
func within(pattern, name string) bool {
	switch {
	case strings.HasSuffix(pattern, "/"):
		return strings.HasPrefix(name, pattern)
	case strings.Contains(pattern, "*"):
		ok, _ := path.Match(pattern, name)
		return ok
	}
	return name == pattern
}

func (s *Sensitive) inVolume(c *bulwark.Container, name string) bool {
	for _, m := range c.Mounts {
		if m.Dest == "" || name != m.Dest && !strings.HasPrefix(name, strings.TrimSuffix(m.Dest, "/")+"/") {
			continue
		}
		for _, v := range s.Volumes {
			if m.Source == v || strings.HasPrefix(m.Source, v+"/") || slices.Contains(strings.Split(m.Source, "/"), v) {
				return true
			}
		}
	}
	return false
}

// opening is what an open is for: programs that copy are known.
func opening(h *family.Hit) does {
	switch {
	case h.Writes():
		return changes
	case who.Is(h.P, copiers):
		return copies
	}
	return reads
}

var copiers = who.Names("cp tar rsync scp sftp-server dd install mv zip gzip rclone restic borg kubectl docker curl wget ftp base64 cpio")

func (s *Sensitive) judge(h *family.Hit, d does) {
	lists := [...][]Who{s.Read, s.Change, s.Copy, s.Delete}
	if slices.ContainsFunc(lists[d], func(w Who) bool { return w.may(h) }) {
		return
	}
	severity := s.Severity
	if severity == bulwark.SeverityUnknown {
		severity = bulwark.SeverityHigh
	}
	h.TellAs(severity, fmt.Sprint(s.Name, d, who.Program(h.P), h.Path()), fmt.Sprintf("%s was %s", s.Name, words[d]))
}

func (w *Who) may(h *family.Hit) bool {
	if w.Anybody {
		return true
	}
	if len(w.Programs)+len(w.Users)+len(w.Images)+len(w.Pods) == 0 {
		return false
	}
	p := h.P
	switch {
	case len(w.Programs) != 0 && (!who.Original(p) || !slices.Contains(w.Programs, p.Path)),
		len(w.Users) != 0 && !slices.Contains(w.Users, p.UID),
		len(w.Images) != 0 && (h.C == nil || !matchesAny(w.Images, h.C.Image)),
		len(w.Pods) != 0 && (h.C == nil || h.C.Pod == nil || !matchesAny(w.Pods, h.C.Pod.Namespace+"/"+h.C.Pod.Name)):
		return false
	}
	return true
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

func itoa(n int) string { return strconv.Itoa(n) }
