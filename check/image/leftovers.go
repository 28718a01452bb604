package image

import (
	"path"
	"strings"

	"bulwark"
)

// The kinds of document about files that a build left behind.
const (
	cacheKind    = "image-cache"    // of a package manager
	leftoverKind = "image-leftover" // of the build itself
)

// leftBehind is the kind of what a build left behind, by its path; "" for anything else.
func leftBehind(f *bulwark.FileInfo) string {
	switch {
	case strings.HasPrefix(f.Path, "var/lib/apt/lists/"):
		if strings.Contains(f.Base, "_Packages") || strings.HasSuffix(f.Base, "_InRelease") {
			return cacheKind
		}
	case strings.HasPrefix(f.Path, "var/cache/"):
		if ext := path.Ext(f.Base); ext == ".deb" || ext == ".rpm" || ext == ".solv" || strings.HasPrefix(f.Base, "APKINDEX.") {
			return cacheKind
		}
	case buildFiles[f.Base] && !packaged(f.Path), f.Base == "HEAD" && path.Base(path.Dir(f.Path)) == ".git" && !packaged(f.Path):
		return leftoverKind
	}
	return ""
}

// buildFiles are of use to a build, or to nobody.
var buildFiles = map[string]bool{"Dockerfile": true, "Containerfile": true, "docker-compose.yml": true, "docker-compose.yaml": true, "compose.yaml": true, "compose.yml": true, ".DS_Store": true, "Vagrantfile": true}

// packaged tells whether a file lies where packages bring theirs.
func packaged(p string) bool {
	for _, dir := range []string{"node_modules/", "site-packages/", "dist-packages/", "/gems/", "pkg/mod/", "/vendor/"} {
		if strings.Contains(p, dir) {
			return true
		}
	}
	return strings.HasPrefix(p, "usr/") || strings.HasPrefix(p, "opt/") || strings.HasPrefix(p, "var/lib/")
}

// leftovers judges what the build left behind.
func (s *subject) leftovers() {
	caches, files := packageCache.Finding("package lists", ""), leftover.Finding("files of the build", "")
	for i := range s.inv.Documents {
		switch d := &s.inv.Documents[i]; d.Kind {
		case cacheKind:
			s.add(caches, d)
		case leftoverKind:
			s.add(files, d)
		}
	}
	for _, f := range []*bulwark.Finding{caches, files} {
		if len(f.Places) > 0 {
			s.emit(f)
		}
	}
}

// add gives a finding another place.
func (s *subject) add(f *bulwark.Finding, d *bulwark.Document) {
	base := s.baseLayers()[d.Layer]
	if len(f.Places) == 0 {
		f.Path, f.Layer, f.FromBase = d.Path, d.Layer, base
	}
	f.FromBase = f.FromBase && base
	if len(f.Places) >= most {
		f.Count = max(f.Count, most) + 1
		return
	}
	f.Places = append(f.Places, bulwark.Place{Path: d.Path, Layer: d.Layer})
	if len(f.Evidence) < mostSteps {
		f.Evidence = append(f.Evidence, d.Path)
	}
}
