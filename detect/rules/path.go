package rules

import (
	"strings"

	"bulwark"
)

// resolver makes paths absolute that calls are given.
type resolver struct{ buf []byte }

// absolute is argument i, a path, from the root of the process. A path that begins at a folder which only a
// descriptor names stays as it was given, unless the event knows the file.
func (r *resolver) absolute(v *event, i int) (string, bool) {
	given := str(v.Args[i].Text)
	if given == "" {
		return "", true
	}
	if given[0] != '/' && !fromCWD(v, i) {
		return given, true
	}
	r.buf = appendClean(r.buf[:0], base(v, given), given)
	return str(r.buf), true
}

func base(v *event, given string) string {
	if given[0] == '/' || v.p == nil {
		return ""
	}
	return v.p.CWD
}

// fromCWD tells whether a path argument begins at the working directory: no descriptor of a folder stands before it, or
// that is the working directory's.
func fromCWD(v *event, i int) bool {
	params := v.Kind.Params()
	if i == 0 || params[i-1].Type != bulwark.ParamFD || !strings.Contains(params[i-1].Name, "dir") {
		return true
	}
	return i-1 < len(v.Args) && v.Args[i-1].Num == cwdFD
}

// appendClean appends folder and path joined, without doubled strokes, "." and "..".
func appendClean(b []byte, folder, path string) []byte {
	start := len(b)
	for _, part := range [2]string{folder, path} {
		for part != "" {
			var name string
			name, part, _ = strings.Cut(part, "/")
			switch name {
			case "", ".":
			case "..":
				b = b[:start+max(strings.LastIndexByte(str(b[start:]), '/'), 0)]
			default:
				b = append(append(b, '/'), name...)
			}
		}
	}
	if len(b) == start {
		b = append(b, '/')
	}
	return b
}

// pathFields are those of paths that calls are given.
func pathFields() []Field {
	of := bulwark.SourceSyscall
	return []Field{
		{Name: "fs.path.name", Type: Text, Source: of, Doc: "the path that a call is about, made absolute; of calls that succeeded", bind: callPath(pathNames, false)},
		{Name: "fs.path.nameraw", Type: Text, Source: of, Doc: "the same as it was given", bind: callPath(pathNames, true)},
		{Name: "fs.path.source", Type: Text, Source: of, Doc: "where a rename, link or mount takes from, made absolute", bind: callPath(sourceNames, false)},
		{Name: "fs.path.sourceraw", Type: Text, Source: of, Doc: "the same as it was given", bind: callPath(sourceNames, true)},
		{Name: "fs.path.target", Type: Text, Source: of, Doc: "where a rename, link or mount puts to, made absolute", bind: callPath(targetNames, false)},
		{Name: "fs.path.targetraw", Type: Text, Source: of, Doc: "the same as it was given", bind: callPath(targetNames, true)},
	}
}

// Which argument of a call is which path. Links and symbolic links have the new name as their source, as Falco has it.
var (
	pathNames = map[string]string{
		"mkdir": "path", "mkdirat": "path", "rmdir": "path", "unlink": "path", "unlinkat": "name", "open": "name", "openat": "name",
		"openat2": "name", "creat": "name", "fchmodat": "filename", "fchmodat2": "filename", "chmod": "filename", "fchmod": "", "chown": "path",
		"lchown": "path", "fchown": "", "fchownat": "pathname", "umount": "name", "umount2": "name", "open_by_handle_at": "path",
		"truncate": "path", "mknod": "path", "mknodat": "path", "chdir": "path", "chroot": "path",
	}
	sourceNames = map[string]string{
		"rename": "oldpath", "renameat": "oldpath", "renameat2": "oldpath", "link": "newpath", "linkat": "newpath",
		"symlink": "linkpath", "symlinkat": "linkpath", "mount": "dev",
	}
	targetNames = map[string]string{
		"rename": "newpath", "renameat": "newpath", "renameat2": "newpath", "link": "oldpath", "linkat": "oldpath",
		"symlink": "target", "symlinkat": "target", "mount": "dir",
	}
)

func callPath(of map[string]string, raw bool) func(string) (getter, error) {
	const theFD = -2
	at := make([]int16, len(bulwark.Kinds())+1)
	for k := range at {
		at[k] = -1
		name, ok := of[bulwark.Kind(k).String()]
		if ok && name == "" {
			at[k] = theFD
		} else if ok {
			at[k] = paramAt(name)[k]
		}
	}
	return func(string) (getter, error) {
		var r resolver
		g := getter{cost: medium, has: func(k bulwark.Kind) bool { return int(k) < len(at) && at[k] != -1 }}
		g.text = func(v *event) (string, bool) {
			if int(v.Kind) >= len(at) || at[v.Kind] == -1 || v.Result < 0 {
				return "", false
			}
			i := int(at[v.Kind])
			if i == theFD {
				return str(v.FD.Name), v.FD.Kind != bulwark.FDNone
			}
			if i >= len(v.Args) {
				return "", false
			}
			if raw {
				return str(v.Args[i].Text), true
			}
			return r.absolute(v, i)
		}
		return g, nil
	}
}

// absolutePath is the path that a call is given; "src" and "dst" choose one of two.
func absolutePath(which string) (getter, error) {
	switch which {
	case "src":
		return callPath(map[string]string{"rename": "oldpath", "renameat": "oldpath", "renameat2": "oldpath", "link": "oldpath", "linkat": "oldpath", "symlink": "target", "symlinkat": "target"}, false)("")
	case "dst":
		return callPath(map[string]string{"rename": "newpath", "renameat": "newpath", "renameat2": "newpath", "link": "newpath", "linkat": "newpath", "symlink": "linkpath", "symlinkat": "linkpath"}, false)("")
	}
	return callPath(pathNames, false)("")
}
