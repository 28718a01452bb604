package build

import (
	"strings"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/check/internal/misconfig"
)

// names are the versions that the comments of a project give to commits of actions.
type names map[string]named

// named is the version that a commit was given first, and where.
type named struct {
	version, path string
	line          int
}

// note compares what a line says about the version of an action: with its own tag, and
// with what other lines say about the same commit.
func (b *base) note(n workflow.Node) {
	u := workflow.ParseUse(n)
	says := workflow.Numbers(u.Comment)
	if u.Owner == "" || says == "" {
		return
	}
	action := u.Owner + "/" + u.Repository
	if !u.IsCommit() {
		if tag := workflow.Numbers(u.Ref); tag != "" && !agree(tag, says) {
			b.emit(b.finding(&refMismatch, action, "", n.Line(), "%s, and the comment says %s", n.Text(), u.Comment))
		}
		return
	}
	id := strings.ToLower(action + "@" + u.Ref)
	first, ok := b.known[id]
	if !ok {
		b.known[id] = named{says, b.doc.Path, n.Line()}
		return
	}
	if !agree(first.version, says) {
		f := b.finding(&refMismatch, action, "", n.Line(), "the comment says %s", u.Comment)
		f.Evidence = append(f.Evidence, misconfig.Clean(first.path+" calls the same commit "+first.version))
		f.Places = []bulwark.Place{{Path: b.doc.Path, Line: n.Line()}, {Path: first.path, Line: first.line}}
		b.emit(f)
	}
}

// agree tells whether two versions may be of one commit: 4 and 4.2.2 may.
func agree(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}
