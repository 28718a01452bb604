package image

import (
	"path"
	"strings"

	"bulwark"
)

// tools judges sudo, and what an image that starts neither has of shells and package
// managers.
func (s *subject) tools() {
	var useless []*bulwark.Document
	for i := range s.inv.Documents {
		d := &s.inv.Documents[i]
		what := programs[path.Base(d.Path)]
		switch {
		case what == "" || d.Kind != programKind && d.Kind != modeKind || !programFolders[strings.TrimPrefix(path.Dir(d.Path), "/")]:
		case what == "sudo":
			f := sudo.Finding("sudo", "", d.Path)
			f.Path, f.Layer, f.FromBase = d.Path, d.Layer, s.baseLayers()[d.Layer]
			s.emit(f)
		default:
			useless = append(useless, d)
		}
	}
	start, ok := s.start()
	if !ok || len(useless) == 0 || needsShell(start) {
		return
	}
	f := shell.Finding("tools", "", "it starts "+start)
	f.Path, f.Layer = useless[0].Path, useless[0].Layer
	for _, d := range useless[:min(len(useless), most)] {
		f.Places = append(f.Places, bulwark.Place{Path: d.Path, Layer: d.Layer})
		f.Evidence = append(f.Evidence, d.Path+" is a "+programs[path.Base(d.Path)])
	}
	s.emit(f)
}

// start is the program that the container starts; false when it is not told, as in
// images that others are built on.
func (s *subject) start() (string, bool) {
	for _, words := range [][]string{s.Entrypoint, s.Cmd} {
		for _, w := range words {
			if b := path.Base(w); b != "tini" && b != "dumb-init" && w != "--" && w != "-g" {
				return w, true
			}
		}
	}
	return "", false
}

// needsShell tells whether a program is a shell, or by its name a script of one.
func needsShell(start string) bool {
	base := path.Base(start)
	return programs[base] == "shell" || strings.HasSuffix(base, ".sh") || strings.Contains(base, "entrypoint") || strings.Contains(base, "start") ||
		base == "init" || base == "run" || base == "s6-svscan" || base == "supervisord"
}
