package java

import (
	"strings"

	"bulwark/extract/internal/lang"
)

// identity names a Maven artifact. A part that is not known is empty.
type identity struct {
	group, artifact, version string
}

// pom is what META-INF/maven/<group>/<artifact>/ of a jar says: the jar's own identity,
// or that of a jar whose classes were put (shaded) into it.
type pom struct {
	identity
	dir string // the folder's path in the archive
}

// maxPOM bounds a pom.properties: three lines and a comment.
const maxPOM = 64 << 10

// pomDir gives the identity that the path of a pom.properties or pom.xml tells.
func pomDir(name string) (p pom, file string, ok bool) {
	rest, ok := strings.CutPrefix(name, "META-INF/maven/")
	if !ok {
		return pom{}, "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || parts[2] != "pom.properties" && parts[2] != "pom.xml" {
		return pom{}, "", false
	}
	p = pom{identity{group: word(parts[0]), artifact: word(parts[1])}, "META-INF/maven/" + parts[0] + "/" + parts[1]}
	return p, parts[2], p.group != "" && p.artifact != ""
}

// readProperties lets a pom.properties speak; what it does not say, or says in words
// that nothing was filled into (${project.version}), stays as the path says.
func (p *pom) readProperties(data []byte) {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		i := strings.IndexAny(line, "=:")
		if i < 0 || line[0] == '#' || line[0] == '!' {
			continue
		}
		value := word(line[i+1:])
		if value == "" {
			continue
		}
		switch strings.TrimSpace(line[:i]) {
		case "groupId":
			p.group = value
		case "artifactId":
			p.artifact = value
		case "version":
			p.version = value
		}
	}
}

// word is a group, artifact or version: "" when it cannot be one.
func word(s string) string {
	s, ok := lang.Name(s)
	if !ok || strings.ContainsAny(s, " :/\\${}<>\"'") {
		return ""
	}
	return s
}
