// Package gem finds installed Ruby gems by their specifications: the files that
// RubyGems writes to specifications/NAME-VERSION.gemspec, those of default gems in
// specifications/default among them.
package gem

import (
	"context"
	"errors"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
	"bulwark/internal/purl"
)

// maxSize bounds a specification; it lists the gem's files.
const maxSize = 8 << 20

// Extractor finds installed gems.
type Extractor struct{}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of installed gems.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/gem", Summary: "Installed Ruby gems, by their specifications.", Version: 1}
}

// Wants takes the specifications of installed gems, not those in a gem's source.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	if f.Size == 0 || !strings.HasSuffix(f.Base, ".gemspec") {
		return false
	}
	dir := "/" + strings.TrimSuffix(f.Path, f.Base)
	return strings.HasSuffix(dir, "/specifications/") || strings.HasSuffix(dir, "/specifications/default/")
}

// Extract gives the gem. What the specification does not tell in plain words, the
// comment that RubyGems writes at its head and the file's name do.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	data, err := lang.ReadAll(f, maxSize)
	s, odd := parse(data)
	if s.name == "" || s.version == "" {
		s.fromFile(strings.TrimSuffix(f.Base, ".gemspec"))
	}
	if err = errors.Join(err, odd); s.name == "" {
		return bulwark.Facts{}, errors.Join(err, lang.Malformed("a gem without a name"))
	}
	p := lang.Package("gem", s.name, s.version, "", license.List(s.licenses...))
	if s.platform != "" && s.platform != "ruby" {
		p.Arch = s.platform
		p.PURL = purl.PURL{Type: "gem", Name: s.name, Version: s.version, Qualifiers: map[string]string{"platform": s.platform}}.String()
	}
	return bulwark.Facts{Packages: []bulwark.Package{p}}, err
}

// spec is what a specification says.
type spec struct {
	name, version, platform string
	licenses                []string
}

// fromFile reads "nokogiri-1.16.0-x86_64-linux", where name and version are missing.
func (s *spec) fromFile(stem string) {
	for i := 1; i+1 < len(stem); i++ {
		if stem[i] != '-' || stem[i+1] < '0' || stem[i+1] > '9' {
			continue
		}
		version, _, _ := strings.Cut(stem[i+1:], "-")
		if name, ok := lang.Name(stem[:i]); ok && (s.name == "" || s.name == name) {
			s.name = name
			s.version, _ = lang.Version(version)
		}
		return
	}
}
