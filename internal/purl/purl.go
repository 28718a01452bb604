// Package purl reads, writes and compares package URLs
// (https://github.com/package-url/purl-spec).
package purl

import (
	"fmt"
	"strings"

	"github.com/package-url/packageurl-go"

	"bulwark"
)

// PURL is a package URL, its parts decoded.
type PURL struct {
	Type, Namespace, Name, Version string
	Qualifiers                     map[string]string
	Subpath                        string
}

// maxLength bounds foreign package URLs, in bytes.
const maxLength = 8 << 10

// Parse reads a package URL. The error wraps [bulwark.ErrMalformed].
func Parse(s string) (PURL, error) {
	if len(s) > maxLength {
		return PURL{}, fmt.Errorf("package URL of %d bytes: %w", len(s), bulwark.ErrMalformed)
	}
	p, err := packageurl.FromString(s)
	if err != nil {
		return PURL{}, fmt.Errorf("package URL %q: %w: %w", s, bulwark.ErrMalformed, err)
	}
	return PURL{p.Type, p.Namespace, p.Name, p.Version, p.Qualifiers.Map(), p.Subpath}, nil
}

// New is the package URL of a package that has neither namespace nor qualifiers to
// name: the last "/" of name (for maven, its ":") divides namespace and name.
func New(typ, name, version string) string {
	p := PURL{Type: typ, Name: name, Version: version}
	sep := "/"
	if typ == "maven" {
		sep = ":"
	}
	if i := strings.LastIndex(name, sep); i > 0 {
		p.Namespace, p.Name = name[:i], name[i+1:]
	}
	return p.String()
}

// String writes the package URL in its canonical form.
func (p PURL) String() string {
	return packageurl.NewPackageURL(p.Type, p.Namespace, p.Name, p.Version,
		packageurl.QualifiersFromMap(p.Qualifiers), p.Subpath).ToString()
}

// FullName is namespace and name as the package manager joins them: "@babel/core",
// "github.com/a/b", "org.apache:commons"; distributions' namespaces are left out.
func (p PURL) FullName() string {
	switch {
	case p.Namespace == "" || p.Type == "deb" || p.Type == "rpm" || p.Type == "apk" || p.Type == "alpm":
		return p.Name
	case p.Type == "maven":
		return p.Namespace + ":" + p.Name
	}
	return p.Namespace + "/" + p.Name
}

// Identity is the package URL without version and without the qualifiers that hold
// one (epoch, upstream, distro): what stays the same when the package is upgraded.
// What cannot be parsed is its own identity.
func Identity(s string) string {
	if plain(s) {
		s, _, _ = strings.Cut(s, "@")
		return s
	}
	p, err := Parse(s)
	if err != nil {
		return s
	}
	p.Version = ""
	for _, q := range []string{"epoch", "upstream", "distro"} {
		delete(p.Qualifiers, q)
	}
	return p.String()
}

// plain tells whether a package URL is canonical as it stands and has neither
// qualifiers nor a subpath: most are, and parsing them all shows in a warm scan.
func plain(s string) bool {
	if !strings.HasPrefix(s, "pkg:") {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '/', c == '@' && i > 4, c == ':' && i == 3:
		default:
			return false
		}
	}
	name, version, _ := strings.Cut(s, "@")
	return strings.Count(name, "/") > 0 && s[4] != '/' && !strings.Contains(name, "//") && !strings.Contains(name, "/.") && !strings.HasSuffix(name, "/") &&
		!strings.ContainsAny(version, "@/")
}

// Matches tells whether a package URL in a VEX statement or an exception means
// the package have: type, namespace and name are equal; a version, qualifier or
// subpath counts only where both have it. The epoch may stand in the version or in its
// qualifier; both count as the same.
func Matches(want, have string) bool {
	w, err := Parse(want)
	if err != nil {
		return want == have
	}
	h, err := Parse(have)
	if err != nil {
		return false
	}
	w.joinEpoch()
	h.joinEpoch()
	if w.Type != h.Type || w.Namespace != h.Namespace || w.Name != h.Name ||
		w.Version != "" && h.Version != "" && w.Version != h.Version ||
		w.Subpath != "" && h.Subpath != "" && w.Subpath != h.Subpath {
		return false
	}
	for k, v := range w.Qualifiers {
		if o, ok := h.Qualifiers[k]; ok && o != v {
			return false
		}
	}
	return true
}

// joinEpoch moves an epoch from its qualifier into the version and drops a zero epoch.
func (p *PURL) joinEpoch() {
	if e := p.Qualifiers["epoch"]; e != "" && p.Version != "" && !strings.Contains(p.Version, ":") {
		p.Version = e + ":" + p.Version
	}
	delete(p.Qualifiers, "epoch")
	p.Version = strings.TrimPrefix(p.Version, "0:")
}
