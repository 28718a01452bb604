package dpkg

import (
	"encoding/hex"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
	"bulwark/internal/limit"
)

// maxList bounds a list of files; the largest in Debian are 3 MB.
const maxList = 8 << 20

// owned reads the list of a package's files.
func owned(f *bulwark.File) (bulwark.Facts, error) {
	name, text, err := read(f, ".list")
	if name == "" {
		return bulwark.Facts{}, err
	}
	paths := make([]string, 0, strings.Count(text, "\n")+1)
	for line := range strings.Lines(text) {
		if p := distro.Clean(strings.TrimRight(line, "\r\n")); p != "" {
			paths = append(paths, p)
		}
	}
	return bulwark.Facts{Owned: []bulwark.Owned{{Package: name, Paths: distro.Files(paths)}}}, err
}

// read gives a text that lists a package's files. Its name is the package's, with its
// architecture where several may be installed together.
func read(f *bulwark.File, suffix string) (name, text string, err error) {
	data, err := limit.ReadAll(f.Reader(), maxList, "list of files")
	name, _, _ = strings.Cut(strings.TrimSuffix(f.Base, suffix), ":")
	if !distro.Token(name) {
		return "", "", err
	}
	return name, string(data), err // once: the paths are parts of it
}

// recorded reads the digests of a package's files: "d41d8cd98f00b204e9800998ecf8427e
// usr/bin/x", two blanks between. Configuration files are not among them. Distroless
// images have no other list of a package's files.
func recorded(f *bulwark.File) (bulwark.Facts, error) {
	name, text, err := read(f, ".md5sums")
	if name == "" {
		return bulwark.Facts{}, err
	}
	r := bulwark.Recorded{Package: name, Format: "deb"}
	var paths []string
	for line := range strings.Lines(text) {
		sum, p, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "  ")
		if p = distro.Clean(p); p == "" {
			continue
		}
		paths = append(paths, p)
		if d := digest(sum); bulwark.MayRun(p) && d != (bulwark.Digest{}) {
			r.Paths, r.Digests = append(r.Paths, p), append(r.Digests, d)
		}
	}
	var facts bulwark.Facts
	if path.Dir(f.Path) == statusDir {
		facts.Owned = []bulwark.Owned{{Package: name, Paths: paths}}
	}
	if len(r.Paths) > 0 {
		facts.Recorded = []bulwark.Recorded{r}
	}
	return facts, err
}

// digest reads an MD5 digest in hexadecimal digits.
func digest(s string) bulwark.Digest {
	var sum [16]byte
	if n, err := hex.Decode(sum[:], []byte(s[:min(len(s), 2*len(sum))])); err != nil || n < len(sum) {
		return bulwark.Digest{}
	}
	return bulwark.NewDigest(bulwark.MD5, sum[:])
}

// diverted reads the files that a package or an administrator has put another file in
// the place of: three lines each, the path, where the package's own goes, and who did it
// (dpkg-divert). What lies at either is not compared.
func diverted(f *bulwark.File) (bulwark.Facts, error) {
	data, err := limit.ReadAll(f.Reader(), maxList, "list of diversions")
	r := bulwark.Recorded{Format: "deb"}
	n := 0
	for line := range strings.Lines(string(data)) {
		if p := distro.Clean(strings.TrimRight(line, "\r\n")); n%3 < 2 && p != "" {
			r.Paths = append(r.Paths, p)
		}
		n++
	}
	if len(r.Paths) == 0 {
		return bulwark.Facts{}, err
	}
	return bulwark.Facts{Recorded: []bulwark.Recorded{r}}, err
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
