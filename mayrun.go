package bulwark

import "strings"

// MayRun tells by a clean, relative path whether a package manager would have put a
// program, library or script there: these are the files whose contents are compared with
// its records. It is asked about every file, by those who read records and by those who
// read contents, and so looks at the path alone.
func MayRun(path string) bool {
	i := strings.LastIndexByte(path, '/')
	dir, base := path[:i+1], path[i+1:]
	top, rest, _ := strings.Cut(dir, "/")
	if top == "usr" {
		top, rest, _ = strings.Cut(rest, "/")
		if top == "local" {
			return pythonModule(dir, base)
		}
	}
	switch top {
	case "bin", "sbin", "libexec", "games":
		return !compiled(base)
	case "lib", "lib32", "lib64", "libx32", "opt":
		return code(base) || !strings.Contains(base, ".") && !strings.HasPrefix(rest, "firmware/")
	case "share":
		return code(base) && !strings.HasPrefix(rest, "doc/")
	}
	return pythonModule(dir, base)
}

// pythonModule tells whether a file is code that Python's package manager recorded.
func pythonModule(dir, base string) bool {
	return (strings.Contains(dir, "/site-packages/") || strings.Contains(dir, "/dist-packages/")) && code(base)
}

// compiled is what interpreters write beside what they run: nobody records it.
func compiled(base string) bool {
	return strings.HasSuffix(base, ".pyc") || strings.HasSuffix(base, ".pyo")
}

// code tells by its name whether a file is a library or a script.
func code(base string) bool {
	i := strings.LastIndexByte(base, '.')
	if i < 0 {
		return false
	}
	switch base[i:] {
	case ".so", ".py", ".pyd", ".pl", ".pm", ".sh", ".rb", ".js", ".mjs", ".cjs", ".php", ".lua", ".ko", ".jar", ".pth":
		return true
	}
	return strings.Contains(base, ".so.")
}
