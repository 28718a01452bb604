package java

import (
	"path"
	"slices"
	"strings"
)

// stem is a file's name without its folder and extension.
func stem(file string) string {
	base := path.Base(file[strings.LastIndexByte(file, '!')+1:])
	return strings.TrimSuffix(base, path.Ext(base))
}

// splitName divides "log4j-1.2-api-2.17.1-tests" into artifact and version: at the
// first "-" followed by a digit behind which everything looks like a version, a
// qualifier of it, or a classifier, which is dropped. Without one the whole is the
// artifact.
func splitName(stem string) (artifact, version string) {
	if i := strings.LastIndexByte(stem, '_'); i > 0 && bundle(stem[:i], stem[i+1:]) {
		return stem[:i], stem[i+1:]
	}
	for i := 1; i+1 < len(stem); i++ {
		if stem[i] != '-' || !digit(stem[i+1]) {
			continue
		}
		if v, ok := versionOf(stem[i+1:]); ok {
			return stem[:i], v
		}
	}
	return stem, ""
}

// bundle tells the file names of Eclipse's bundles: org.eclipse.osgi_3.18.0.v2022-2155.
func bundle(name, version string) bool {
	numbers, _, _ := strings.Cut(version, "-")
	return strings.Contains(name, ".") && numeric(numbers) && strings.Count(numbers, ".") >= 2
}

// versionOf gives the version at the start of "1.2.0-rc-1-sources"; false when a part
// that belongs to no version is followed by one that does: "1.2-api-2.17.1".
func versionOf(s string) (string, bool) {
	parts := strings.Split(s, "-")
	if !numeric(parts[0]) {
		return "", len(parts) == 1 // "3.x" ends a name and is no version
	}
	end := 1
	for end < len(parts) && qualifies(parts[end]) {
		end++
	}
	for _, p := range parts[end:] {
		if p == "" || digit(p[0]) && strings.ContainsRune(p, '.') {
			return "", false
		}
	}
	return strings.Join(parts[:end], "-"), true
}

// numeric tells whether the numbers of a version stand at the start: "3.x" is none.
func numeric(s string) bool {
	if s == "" || !digit(s[0]) {
		return false
	}
	for field := range strings.SplitSeq(s, ".") {
		if strings.EqualFold(field, "x") {
			return false
		}
	}
	return true
}

// qualifiers are the words that Maven projects append to the numbers.
var qualifiers = []string{
	"alpha", "a", "beta", "b", "milestone", "m", "rc", "cr", "snapshot", "final", "ga", "release", "sp", "sec", "pre", "preview", "ea", "dev", "build",
	"jre", "android", "incubating", "redhat", "jbossorg", "cdh", "hadoop", "r", "v", "rev", "pr", "p", "patch", "hotfix", "jdk", "java", "graal", "lts", "stable", "public", "atlassian", "nightly",
}

// qualifies tells whether a part behind "-" belongs to the version.
func qualifies(p string) bool {
	if p == "" {
		return false
	}
	if digit(p[0]) {
		return true
	}
	word := strings.ToLower(p)
	if i := strings.IndexFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }); i > 0 {
		word = word[:i]
	}
	return slices.Contains(qualifiers, word)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// repository reads group, artifact and version from the layout of a Maven repository
// ("repository/org/x/y/1.0/y-1.0.jar", also Debian's maven-repo) or Gradle's cache
// ("files-2.1/org.x/y/1.0/<hash>/y-1.0.jar").
func repository(file string) (id identity, ok bool) {
	file = file[strings.LastIndexByte(file, '!')+1:]
	dir, name := path.Dir(file), stem(file)
	if i := strings.LastIndex(dir, "/files-2.1/"); i >= 0 {
		f := strings.Split(dir[i+len("/files-2.1/"):], "/")
		if len(f) == 4 && strings.HasPrefix(name, f[1]+"-"+f[2]) {
			return identity{group: f[0], artifact: f[1], version: f[2]}, true
		}
	}
	for _, root := range []string{"/maven-repo/", "/repository/"} {
		i := strings.LastIndex("/"+dir, root)
		if i < 0 {
			continue
		}
		f := strings.Split(dir[i+len(root)-1:], "/")
		n := len(f)
		if n >= 3 && strings.HasPrefix(name, f[n-2]+"-"+f[n-1]) {
			return identity{group: strings.Join(f[:n-2], "."), artifact: f[n-2], version: f[n-1]}, true
		}
	}
	return identity{}, false
}
