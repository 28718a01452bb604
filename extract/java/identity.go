package java

import (
	"cmp"
	"slices"
	"strings"
)

// How well a pom fits the archive that it lies in.
const (
	foreign       = iota // says nothing about this archive
	alone                // the only one, and nothing else names the archive
	part                 // its artifact begins or ends the file's name
	titled               // the manifest names it
	versionedPart        // as part, and the file's name has its version
	loose                // its artifact is the file's name but for digits and signs
	named                // its artifact is the file's name
	exact                // artifact and version are the file's name
)

// identify gives the archive's own identity and the poms of what is shaded into it.
//
// The archive's own pom is the one that fits its file name best, else the one that the
// manifest names, else the only one when the manifest does not name something else
// (Guice holds cglib's pom and has none). Without such a pom, the place in a Maven
// repository tells; else the file name gives artifact and version, unless the manifest
// has the artifact's true name ("tomcat9-api" is "tomcat-api"), the manifest the version
// where the file has none, and the table of groups or the manifest the group. When
// nobody tells the group, the artifact stands for it, as it did in early Maven
// (junit:junit).
func identify(file string, m manifest, poms []pom) (identity, []pom) {
	name := stem(file)
	artifact, version := splitName(name)
	best, at := foreign, -1
	for i, p := range poms {
		fit := p.fit(name, artifact, version, m)
		if fit > best || fit == best && at >= 0 && len(p.artifact) > len(poms[at].artifact) {
			best, at = fit, i
		}
	}
	if best == foreign && len(poms) == 1 && !m.names(artifact) {
		best, at = alone, 0
	}
	if best == foreign {
		return guess(file, artifact, version, m), poms
	}
	own := poms[at].identity
	own.version = cmp.Or(own.version, version, m.version())
	return own, slices.Concat(poms[:at], poms[at+1:])
}

// fit says how well the pom fits the archive.
func (p *pom) fit(name, artifact, version string, m manifest) int {
	switch have, want := plain(artifact), plain(p.artifact); {
	case p.version != "" && within(name, p.artifact+"-"+p.version):
		return exact
	case artifact == p.artifact || name == p.artifact:
		return named
	case have == want || plain(name) == want:
		return loose
	case within(have, want) || strings.HasSuffix(want, "-"+have):
		if version != "" && version == p.version {
			return versionedPart
		}
		if strings.HasSuffix(want, "-"+have) {
			return part
		}
	}
	if plain(m["implementation-title"]) == plain(p.artifact) || plain(m["bundle-name"]) == plain(p.artifact) ||
		m.symbolicName() == p.group+"."+p.artifact || m.symbolicName() == p.artifact {
		return titled
	}
	return foreign
}

// within tells whether s is prefix, or begins with it and a "-".
func within(s, prefix string) bool {
	return strings.HasPrefix(s, prefix) && (len(s) == len(prefix) || s[len(prefix)] == '-')
}

// plain is a name without what packagers change in it: case, signs, and digits behind
// letters ("maven3-core", "Maven Core").
func plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case c == '_' || c == '.' || c == ' ':
			b.WriteByte('-')
		case digit(c) && i > 0 && (letter(s[i-1]) || digit(s[i-1])):
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// names tells whether the manifest calls the archive by its file's name.
func (m manifest) names(artifact string) bool {
	for _, key := range []string{"implementation-title", "bundle-name", "extension-name", "short-name"} {
		if v := plain(m[key]); v != "" && v == plain(artifact) {
			return true
		}
	}
	s := plain(m.symbolicName())
	return s != "" && (s == plain(artifact) || strings.HasSuffix(s, "-"+plain(artifact)))
}

// guess names an archive without a pom of its own.
func guess(file, artifact, version string, m manifest) identity {
	if id, ok := repository(file); ok && word(id.group) != "" && word(id.artifact) != "" && word(id.version) != "" {
		return id
	}
	for _, key := range []string{"implementation-title", "bundle-name", "short-name"} {
		if t := m[key]; t != artifact && isArtifact(t) && plain(t) == plain(artifact) {
			artifact = t
			break
		}
	}
	if s := m.symbolicName(); strings.HasPrefix(s, "org.eclipse.") && strings.HasSuffix(plain(s), "-"+plain(artifact)) {
		artifact = s // Eclipse names its artifacts as its bundles
	}
	artifact = cmp.Or(word(debianName(artifact)), word(strings.ReplaceAll(artifact, " ", "-")), "unknown")
	id := identity{artifact: artifact, version: cmp.Or(word(version), m.version())}
	id.group = cmp.Or(groupOf(artifact, m), artifact)
	return id
}

// isArtifact tells an artifact's id from a title for people.
func isArtifact(s string) bool {
	return s != "" && s == strings.ToLower(s) && word(s) != ""
}

// debianName takes the major version out of a name that Debian put it into.
func debianName(artifact string) string {
	rest, ok := strings.CutPrefix(artifact, "tomcat")
	if !ok {
		return artifact
	}
	rest = strings.TrimLeft(rest, "0123456789")
	if !strings.HasPrefix(rest, "-") {
		return artifact
	}
	return "tomcat" + rest
}
