// Package npm finds installed npm packages by their package.json.
//
// A package.json is a package when it lies below a node_modules folder and has a name,
// or lies anywhere else and has name and version: an application's own, Debian's in
// usr/share/nodejs, what a vendor put elsewhere. Below node_modules the version may be
// missing, as it is in the copies that bundlers keep inside a package
// (next/dist/compiled/glob): they are in the image, and nobody else names them. The
// flag "private" changes nothing: it says where a package may be published, not
// whether it is here.
package npm

import (
	"context"
	"errors"
	"strings"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
)

// maxSize bounds a package.json; the largest known ones are below 1 MB.
const maxSize = 8 << 20

// Extractor finds installed npm packages.
type Extractor struct{}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of installed npm packages.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/npm", Summary: "Installed npm packages, by their package.json.", Version: 1}
}

// Wants takes every package.json.
func (*Extractor) Wants(f *bulwark.FileInfo) bool { return f.Base == "package.json" && f.Size > 0 }

// Extract gives at most one package. A name or version of the wrong type or with
// characters that no name has is an error, and for an installed package the name of
// its folder stands in.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	at := locate(f.Path)
	data, err := lang.ReadAll(f, maxSize)
	if err != nil {
		return at.facts(manifest{}, err)
	}
	m, err := parse(data)
	return at.facts(m, err)
}

// manifest is what a package.json says.
type manifest struct {
	name, version string
	licenses      []string
}

// parse reads what is there even when it also returns an error.
func parse(data []byte) (manifest, error) {
	var m manifest
	var oddName, oddVersion error
	s := jsonscan.New(data)
	ok, err := s.Object(func(member string) (err error) {
		switch member {
		case "name":
			m.name, err = word(s, member, lang.Name, &oddName)
		case "version":
			m.version, err = word(s, member, lang.Version, &oddVersion)
		case "license", "licenses":
			m.licenses, err = licenses(s, m.licenses, 2)
		}
		return err
	})
	if err == nil && !ok {
		err = lang.Malformed("package.json is no JSON object")
	}
	m.licenses = license.List(m.licenses...)
	return m, errors.Join(err, oddName, oddVersion)
}

// word reads a string that clean accepts; null and "" are no word. What is wrong with
// it goes to odd: the rest of the document still counts.
func word(s *jsonscan.Scanner, member string, clean func(string) (string, bool), odd *error) (string, error) {
	*odd = nil // the last of two members of the same name counts, as in JavaScript
	kind := s.Kind()
	text, ok, err := s.Text()
	if err != nil || kind == 'n' || ok && strings.TrimSpace(text) == "" {
		return "", err
	}
	text, fine := clean(text)
	if !ok || !fine {
		*odd = lang.Malformed("package.json: odd %s", member)
		return "", nil
	}
	return text, nil
}

// licenses reads a string, an object with a type (or name), or a list of either.
func licenses(s *jsonscan.Scanner, to []string, depth int) ([]string, error) {
	switch s.Kind() {
	case '"':
		text, _, err := s.Text()
		return append(to, text), err
	case '{':
		_, err := s.Object(func(member string) error {
			if member != "type" && member != "name" {
				return nil
			}
			text, _, err := s.Text()
			to = append(to, text)
			return err
		})
		return to, err
	case '[':
		if depth == 0 {
			break
		}
		_, err := s.Array(func() (err error) {
			if len(to) < 64 {
				to, err = licenses(s, to, depth-1)
			}
			return err
		})
		return to, err
	}
	return to, s.Skip()
}

// location says what the path of a package.json tells.
type location struct {
	below  bool   // some node_modules folder
	folder string // the package's name by its folder: only where a package manager puts packages
}

func locate(path string) location {
	dir := strings.TrimSuffix(strings.TrimSuffix(path, "package.json"), "/")
	for _, root := range []string{"node_modules/", "share/nodejs/", "lib/nodejs/"} {
		i := strings.LastIndex("/"+dir, "/"+root)
		if i < 0 {
			continue
		}
		rest := dir[i+len(root):]
		at := location{below: root == "node_modules/"}
		if name, ok := lang.Name(rest); ok && isName(name) {
			at.folder = name
		}
		return at
	}
	return location{}
}

// isName tells a package's folder from one inside it.
func isName(s string) bool {
	slashes := 0
	if s[0] == '@' {
		slashes = 1
	}
	return s[0] != '.' && strings.Count(s, "/") == slashes
}

// facts decides whether the manifest is a package's.
func (at location) facts(m manifest, err error) (bulwark.Facts, error) {
	if m.name == "" {
		m.name = at.folder
	}
	if err != nil && at.below && at.folder == "" {
		err = nil // test data and templates inside a package, which npm never reads
	}
	if m.name == "" || m.version == "" && !at.below {
		return bulwark.Facts{}, err
	}
	p := lang.Package("npm", m.name, m.version, "", m.licenses)
	return bulwark.Facts{Packages: []bulwark.Package{p}}, err
}
