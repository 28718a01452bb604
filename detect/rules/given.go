package rules

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// links are the values of a comparison that lie behind a magic link of /proc, which the path of no opened file has: the kernel
// has followed it. Such a comparison is about the path that was asked for as well.
func links(left *term, e *lang.Check) (list []lang.Value) {
	if left.field == nil || left.field.Name != "fd.name" && left.field.Name != "fd.directory" {
		return nil
	}
	if e.Modifier != lang.Plain && (e.Modifier != lang.AnyOf || e.Op == lang.NotEq) {
		return nil
	}
	for _, v := range e.Values {
		if behindLink(v.Text) {
			list = append(list, v)
		}
	}
	return list
}

// behindLink tells whether a path is below /proc/self or /proc/thread-self, or at or below a link of a process.
func behindLink(path string) bool {
	rest, ok := strings.CutPrefix(path, "/proc/")
	process, rest, _ := strings.Cut(rest, "/")
	link, _, _ := strings.Cut(rest, "/")
	return ok && (slices.Contains(ownNames, process) || slices.Contains(linkNames, link))
}

var (
	ownNames  = []string{"self", "thread-self"}
	linkNames = []string{"exe", "fd", "root", "cwd"}
)

// seeGiven has the comparison see the path as it was given beside that of the file. Where either is met, it is met; != is where
// neither is the value.
func (k *check) seeGiven() error {
	if k.links = links(k.left, k.Check); len(k.links) == 0 {
		return nil
	}
	m, err := matcher(k.Op, k.Modifier, k.links)
	real, read, not := k.test, k.given(), k.Op == lang.NotEq
	k.test = func(v *event) bool {
		if real(v) != not {
			return !not
		}
		s, ok := read(v)
		return ok && m(s) || !ok && not
	}
	k.cost += medium
	return err
}

// given reads what the path as it was given makes of the comparison's field.
func (k *check) given() func(*event) (string, bool) {
	if k.left.field.Name == "fd.name" {
		return func(v *event) (string, bool) { return v.fd.given(v) }
	}
	return func(v *event) (string, bool) {
		s, ok := v.fd.given(v)
		if v.FD.Kind != bulwark.FDDirectory {
			s = folderOf(s)
		}
		return s, ok
	}
}

// given is the path by which a file was opened, made absolute and otherwise as the caller has it. One that begins at the folder
// of a process is left out where it does not climb: no sensor could be asked for it.
func (t *fdText) given(v *event) (string, bool) {
	if v.FD.Kind == bulwark.FDNone || v.Kind == kindHandle || !slices.Contains(openers, v.Kind) {
		return "", false
	}
	a, ok := argAt(v, nameAt)
	path := str(a.Text)
	if !ok || path == "" {
		return "", false
	}
	if strings.HasPrefix(base(v, path), "/proc/") && !strings.Contains(path, climb) {
		return "", false
	}
	s, _ := t.path.absolute(v, int(nameAt[v.Kind]))
	return s, s[0] == '/'
}

// givenReach is that of opens by paths that a comparison sees as they were given: what their texts begin with, where they do not
// climb. ok is false where that is not known.
func (k *check) givenReach() (list []bulwark.Where, ok bool) {
	starts := []string{"//", "/./", "./", "/proc//", "/proc/./", "proc//", "proc/./"}
	for _, v := range k.links {
		start := v.Text
		switch k.Op {
		case lang.Eq, lang.In, lang.StartsWith:
		case lang.Glob:
			start = globStart(start)
		case lang.PMatch:
			start = prefixOf(start)
		default:
			return nil, false
		}
		for _, name := range processesOf(start) {
			starts = append(starts, "/proc/"+name, "proc/"+name, name)
		}
	}
	var paths []bulwark.PathMatch
	for _, s := range starts {
		paths = append(paths, bulwark.PathMatch{By: bulwark.PathBegins, Text: s})
	}
	return []bulwark.Where{{Failed: bulwark.No, AsGiven: true, Paths: paths}, {Failed: bulwark.No, Climbs: true}}, true
}

// processesOf are what the names of processes begin with that a path may have which begins so.
func processesOf(start string) []string {
	rest := strings.TrimPrefix(strings.TrimPrefix(start, "/proc"), "/")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return []string{rest[:i+1]}
	}
	if rest == "" {
		return anyProcess
	}
	return []string{rest}
}

var anyProcess = []string{"self/", "thread-self/", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
