package distro

import (
	"path"
	"strings"
)

// Clean makes a path of a package's file list relative to the root and clean; "" when
// it names the root itself or leads out of it.
func Clean(p string) string {
	p = strings.TrimLeft(strings.TrimPrefix(p, "./"), "/")
	if p == "" || strings.ContainsRune(p, 0) {
		return ""
	}
	if !tidy(p) {
		p = path.Clean("/" + p)[1:]
	}
	return p
}

// tidy tells cheaply that a path is clean already: most are.
func tidy(p string) bool {
	return !strings.Contains(p, "//") && !strings.Contains(p, "/.") && p[0] != '.' && p[len(p)-1] != '/'
}

// Files gives the paths of a list that names folders before what is in them, without
// those folders: nobody owns a folder alone.
func Files(list []string) []string {
	files := list[:0]
	for i, p := range list {
		if i+1 < len(list) && len(list[i+1]) > len(p) && list[i+1][len(p)] == '/' && list[i+1][:len(p)] == p {
			continue
		}
		files = append(files, p)
	}
	return files
}
