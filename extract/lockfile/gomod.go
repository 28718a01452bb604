package lockfile

import (
	"context"
	"strings"

	"golang.org/x/mod/modfile"
)

// goMod reads the requirements of a go.mod, with what replaces them. The standard library
// is declared by a toolchain line alone: the go line is the least version that will do.
// Of a file with a line that is none, the requirements are told all the same.
func goMod(_ context.Context, _ string, content []byte) ([]declared, error) {
	const where = "line" // what errors name in the place of the file: "line:3: ..."
	f, err := modfile.Parse(where, content, nil)
	if err != nil {
		if f, _ = modfile.ParseLax(where, content, nil); f == nil {
			return nil, err
		}
	}
	replaced := map[string]*modfile.Replace{} // by path, or path and version
	for _, r := range f.Replace {
		replaced[strings.TrimSuffix(r.Old.Path+"@"+r.Old.Version, "@")] = r
	}
	var list []declared
	for _, r := range f.Require {
		m := r.Mod
		by := replaced[m.Path+"@"+m.Version]
		if by == nil {
			by = replaced[m.Path]
		}
		switch {
		case by == nil:
		case by.New.Version == "": // a folder: the module's own code, of no known version
			m.Version = ""
		default:
			m = by.New
		}
		list = append(list, declared{typ: "golang", name: m.Path, version: m.Version})
	}
	if f.Toolchain != nil {
		if v, ok := strings.CutPrefix(f.Toolchain.Name, "go"); ok {
			v, _, _ = strings.Cut(v, "-") // a vendor's mark
			if !strings.ContainsAny(v, "rb") {
				list = append(list, declared{typ: "golang", name: "stdlib", version: v})
			}
		}
	}
	return list, err
}
