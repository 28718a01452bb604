package gobinary

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/module"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

const format = "golang"

// maxPackages bounds the modules of one binary.
const maxPackages = 20_000

// facts makes packages of what the scanner found.
func (s *scanner) facts() (bulwark.Facts, error) {
	if !s.info.found {
		return bulwark.Facts{}, s.info.err
	}
	info, err := debug.ParseBuildInfo(s.info.modules)
	if err != nil {
		info, err = &debug.BuildInfo{}, fmt.Errorf("build information: %w: %w", bulwark.ErrMalformed, err)
	}
	symbols := s.names.symbols(info.Path)
	var facts bulwark.Facts
	add := func(name, version string, qualifiers map[string]string) {
		if !printable(name) || !printable(version) || len(facts.Packages) >= maxPackages {
			err = cmp.Or(err, fmt.Errorf("module %.100q: %w", name, bulwark.ErrMalformed))
			return
		}
		facts.Packages = append(facts.Packages, newPackage(name, version, qualifiers, symbols))
	}
	add("stdlib", standardLibrary(s.info.version), nil)
	if name := info.Main.Path; name != "" && name != "command-line-arguments" && !toolchain(name) {
		version, revision := mainVersion(info)
		add(name, version, revision)
	}
	for _, dep := range info.Deps {
		name, version := required(dep)
		add(name, version, nil)
	}
	return facts, err
}

func newPackage(name, version string, qualifiers map[string]string, symbols *bulwark.Symbols) bulwark.Package {
	p := purl.PURL{Type: format, Name: name, Version: version, Qualifiers: qualifiers}
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		p.Namespace, p.Name = name[:i], name[i+1:]
	}
	return bulwark.Package{
		PURL: p.String(), Name: name, Version: version,
		Ecosystem: ecosystem.OfType(format), Format: format, Symbols: symbols,
	}
}

// toolchain tells whether a module is part of Go's own distribution, which the
// standard library stands for.
func toolchain(path string) bool {
	return path == "cmd" || path == "std" || strings.HasPrefix(path, "cmd/")
}

// required is what a requirement of the build was satisfied with. A folder that took a
// module's place has no version of its own: it keeps the module's name, without version.
func required(m *debug.Module) (name, version string) {
	r := m.Replace
	switch {
	case r == nil:
		return m.Path, released(m.Version)
	case r.Version == "" || r.Version == "(devel)":
		return m.Path, ""
	}
	return r.Path, r.Version
}

func released(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}

// mainVersion is the version of the main module. A build from a checkout without a
// release behind it ("(devel)", "v0.0.0-...") has none, or every advisory with a fixed
// version would seem to affect it; its revision stands in a qualifier.
func mainVersion(info *debug.BuildInfo) (string, map[string]string) {
	v := released(info.Main.Version)
	if v != "" && !(module.IsPseudoVersion(strings.TrimSuffix(v, "+dirty")) && strings.HasPrefix(v, "v0.0.0-")) {
		return v, nil
	}
	revision, _ := module.PseudoVersionRev(strings.TrimSuffix(v, "+dirty"))
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	if revision == "" || !printable(revision) {
		return "", nil
	}
	return "", map[string]string{"vcs_revision": revision}
}

// printable refuses names that no module can have.
func printable(s string) bool {
	return len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
}
