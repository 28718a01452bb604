package dpkg

import (
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
	"bulwark/internal/limit"
)

// maxList bounds a list of files; the largest in Debian are 3 MB.
const maxList = 8 << 20

// owned reads a list of a package's files, whose name is the package's, with its
// architecture where several may be installed together.
func owned(f *bulwark.File, suffix string, pathOf func(string) string) (bulwark.Facts, error) {
	data, err := limit.ReadAll(f.Reader(), maxList, "list of files")
	name, _, _ := strings.Cut(strings.TrimSuffix(f.Base, suffix), ":")
	if !distro.Token(name) {
		return bulwark.Facts{}, err
	}
	text := string(data) // once: the paths are parts of it
	paths := make([]string, 0, strings.Count(text, "\n")+1)
	for line := range strings.Lines(text) {
		if p := distro.Clean(pathOf(strings.TrimRight(line, "\r\n"))); p != "" {
			paths = append(paths, p)
		}
	}
	return bulwark.Facts{Owned: []bulwark.Owned{{Package: name, Paths: distro.Files(paths)}}}, err
}

// pathOfSum takes the path of "d41d8cd98f00b204e9800998ecf8427e  usr/bin/x".
func pathOfSum(line string) string {
	_, p, _ := strings.Cut(line, "  ")
	return p
}

// licences reads usr/share/doc/PACKAGE/copyright.
func licences(f *bulwark.File) (bulwark.Facts, error) {
	name := strings.Split(f.Path, "/")[3]
	found, err := parseCopyright(f)
	if len(found) == 0 || !distro.Token(name) {
		return bulwark.Facts{}, err
	}
	return bulwark.Facts{Licensed: []bulwark.Licensed{{Package: name, Licenses: found}}}, err
}
