package buildfile

import (
	"strings"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/internal/purl"
)

const mostActions = 1000 // of one file

// actions are the actions and workflows of others that a file uses, as packages. A
// version is told by a tag with three parts, or by one in the comment behind a commit; a
// tag that moves, such as v4, tells none. A file that cannot be read is for its check to
// note.
func actions(p string, data []byte) []bulwark.Package {
	w, err := workflow.Parse(data)
	if err != nil {
		return nil
	}
	var out []bulwark.Package
	seen := map[string]bool{}
	add := func(n workflow.Node) {
		u := workflow.ParseUse(n)
		if u.Owner == "" || len(out) >= mostActions {
			return
		}
		name, version := u.Owner+"/"+u.Repository, u.Version()
		id := purl.New("githubactions", strings.ToLower(name), version)
		if seen[id] {
			return
		}
		seen[id] = true
		out = append(out, bulwark.Package{PURL: id, Name: name, Version: version, Ecosystem: "GitHub Actions", Path: p, Format: "githubactions", Declared: true, Dev: true})
	}
	for _, j := range w.Jobs {
		add(j.Get("uses"))
		for _, s := range j.Steps {
			add(s.Uses())
		}
	}
	return out
}
