package manifest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/source/manifest/internal/overlay"
)

// maxUp is how many folders above the one that was named bases are read, where no
// repository says what belongs together.
const maxUp = 4

// bases plans the kustomizations of a folder. Those that name bases outside it are built as
// "kustomize build" does: the folders of kustomizations that they lead to by relative paths
// are read too, and files in them alone. It ends at the repository that the folder is in,
// or, in none, a few folders up, and never reads all of a home or of the machine. Links
// do not lead out of the folder to them.
func (r *reader) bases(root *os.Root, dir string, files []string) *overlays {
	v := r.plan(&overlay.Tree{Root: root, At: "."}, files)
	if v.up() == 0 {
		return v
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return v
	}
	for up, most := v.up(), above(dir); ; {
		wide := r.wider(root, dir, min(up, most), files)
		if wide == nil {
			return v
		}
		v.close()
		v = wide
		more := v.up()
		if up >= most || more == 0 {
			break
		}
		up += more
	}
	v.tellBases()
	return v
}

// wider plans the kustomizations with the folder around theirs, so many above it.
func (r *reader) wider(root *os.Root, dir string, up int, files []string) *overlays {
	if up == 0 {
		return nil
	}
	around := filepath.Clean(filepath.Join(dir, strings.Repeat("../", up)))
	at, err := filepath.Rel(around, dir)
	if err != nil {
		return nil
	}
	wide, err := os.OpenRoot(around)
	if err != nil {
		return nil
	}
	return r.plan(&overlay.Tree{Root: root, Around: wide, At: filepath.ToSlash(at)}, files)
}

// above is how many folders above one may be read.
func above(dir string) int {
	repository := func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, ".git"))
		return err == nil
	}
	home, _ := os.UserHomeDir()
	near := 0
	for up, at := 0, dir; ; up++ {
		if at == home || filepath.Dir(at) == at {
			return near
		}
		if repository(at) {
			return up
		}
		if at = filepath.Dir(at); at != home && filepath.Dir(at) != at && up < maxUp {
			near = up + 1
		}
	}
}

// up is how many folders above the tree what the kustomizations name lies.
func (v *overlays) up() int {
	most := 0
	for _, k := range v.all {
		for _, full := range k.Outside {
			n := 0
			for rest := full; rest == ".." || strings.HasPrefix(rest, "../"); n++ {
				rest = strings.TrimPrefix(strings.TrimPrefix(rest, ".."), "/")
			}
			most = max(most, n)
		}
	}
	return most
}

// tellBases says what was read outside the folder.
func (v *overlays) tellBases() {
	var dirs []string
	for _, dir := range slices.Sorted(maps.Keys(v.all)) {
		if v.tree.Outer(dir) {
			dirs = append(dirs, v.name(dir))
		}
	}
	if len(dirs) > 0 {
		v.r.tell(bulwark.Note{Text: "read outside the folder too, because kustomizations in it use it: " + strings.Join(dirs, ", ")})
	}
}

// close closes the folder around the one that is looked at.
func (v *overlays) close() {
	if v.tree.Around != nil {
		v.tree.Around.Close()
	}
}
