package lockfile

import (
	"cmp"
	"context"
	"encoding/xml"
	"strings"

	"bulwark/extract/internal/lang"
)

// pom is the part of a Maven project that names dependencies.
type pom struct {
	Group      string        `xml:"groupId"`
	Version    string        `xml:"version"`
	Parent     pomDependency `xml:"parent"`
	Properties struct {
		All []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"properties"`
	Managed      []pomDependency `xml:"dependencyManagement>dependencies>dependency"`
	Dependencies []pomDependency `xml:"dependencies>dependency"`
}

type pomDependency struct {
	Group    string `xml:"groupId"`
	Artifact string `xml:"artifactId"`
	Version  string `xml:"version"`
	Scope    string `xml:"scope"`
}

// pomXML reads the dependencies of a Maven project, as far as the file itself tells: a
// version that a parent or an imported list of versions sets is left empty.
func pomXML(_ context.Context, _ string, content []byte) ([]declared, error) {
	var p pom
	err := newXML(content).Decode(&p)
	managed := map[string]pomDependency{}
	expand := p.expander()
	for _, m := range p.Managed {
		managed[expand(m.Group)+":"+expand(m.Artifact)] = m
	}
	var list []declared
	for _, dep := range p.Dependencies {
		name := expand(dep.Group) + ":" + expand(dep.Artifact)
		m := managed[name]
		version, scope := expand(first(dep.Version, m.Version)), expand(first(dep.Scope, m.Scope))
		switch {
		case first(dep.Group, "") == "" || first(dep.Artifact, "") == "":
			err = cmp.Or(err, lang.Malformed("a dependency without a name"))
			continue
		case strings.Contains(name, "${") || scope == "system":
			continue
		}
		list = append(list, declared{typ: "maven", name: name, version: exact(version), dev: scope == "test"})
	}
	return list, err
}

func first(a, b string) string {
	if a = strings.TrimSpace(a); a != "" {
		return a
	}
	return strings.TrimSpace(b)
}

// exact is the version when it is a single one: "[1.2]" is, a range or an unknown
// property is not.
func exact(v string) string {
	if in, ok := strings.CutPrefix(v, "["); ok && strings.HasSuffix(in, "]") {
		v = strings.TrimSuffix(in, "]")
	}
	if strings.ContainsAny(v, "[](),${}") || v == "LATEST" || v == "RELEASE" {
		return ""
	}
	return v
}

// maxExpansions bounds how often properties name each other.
const maxExpansions = 10

// expander gives the function that puts the project's properties into a text.
func (p *pom) expander() func(string) string {
	version, group := first(p.Version, p.Parent.Version), first(p.Group, p.Parent.Group)
	values := map[string]string{
		"project.version": version, "pom.version": version, "version": version,
		"project.groupId": group, "pom.groupId": group,
		"project.parent.version": p.Parent.Version, "project.parent.groupId": p.Parent.Group,
	}
	for _, v := range p.Properties.All {
		values[v.XMLName.Local] = strings.TrimSpace(v.Value)
	}
	return func(s string) string {
		s = strings.TrimSpace(s)
		for range maxExpansions {
			before, rest, ok := strings.Cut(s, "${")
			key, after, closed := strings.Cut(rest, "}")
			value, known := values[key]
			if !ok || !closed || !known || len(value)+len(s) > 512 {
				break
			}
			s = before + value + after
		}
		return s
	}
}
