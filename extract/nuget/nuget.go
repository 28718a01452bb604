// Package nuget finds the NuGet packages of .NET programs: those that a program's
// *.deps.json says it was published with, its runtime among them, and those unpacked in a
// package folder with their *.nuspec.
package nuget

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
)

const (
	maxDeps     = 32 << 20
	maxSpec     = 4 << 20
	maxPackages = 20_000
)

// Extractor finds NuGet packages.
type Extractor struct{}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of NuGet packages.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/nuget", Summary: "NuGet packages of .NET programs, by *.deps.json and *.nuspec.", Version: 1}
}

// Wants takes *.deps.json anywhere, and a *.nuspec that stands where NuGet unpacks
// packages: <id>/<version>/<id>.nuspec.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	if f.Size == 0 {
		return false
	}
	if strings.HasSuffix(f.Base, ".deps.json") {
		return true
	}
	id, ok := strings.CutSuffix(f.Base, ".nuspec")
	return ok && strings.EqualFold(path.Base(path.Dir(path.Dir(f.Path))), id)
}

// Extract gives the packages of a program, or the one package of a *.nuspec.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	if strings.HasSuffix(f.Base, ".nuspec") {
		return extractSpec(f)
	}
	data, err := lang.ReadAll(f, maxDeps)
	if err != nil {
		return bulwark.Facts{}, err
	}
	packages, err := parse(data)
	return bulwark.Facts{Packages: packages}, err
}

// parse reads the libraries of a *.deps.json. It gives what it has read along with an
// error.
func parse(data []byte) (packages []bulwark.Package, err error) {
	var odd error
	s := jsonscan.New(data)
	ok, err := s.Object(func(member string) error {
		if member != "libraries" {
			return nil
		}
		_, err := s.Object(func(key string) error {
			if len(packages) == maxPackages {
				return fmt.Errorf("more than %d libraries: %w", maxPackages, bulwark.ErrLimit)
			}
			kind, err := libraryType(s)
			if err != nil || kind != "package" && kind != "runtimepack" {
				return err
			}
			p, fine := library(strings.TrimPrefix(key, "runtimepack."))
			if !fine {
				odd = lang.Malformed("a library with an odd name or version")
				return nil
			}
			packages = append(packages, p)
			return nil
		})
		return err
	})
	if err == nil && !ok {
		err = lang.Malformed("deps.json is no JSON object")
	}
	return packages, errors.Join(err, odd)
}

// libraryType is "package" for a NuGet package, "runtimepack" for the runtime of a
// self-contained program, "project" for the program's own parts.
func libraryType(s *jsonscan.Scanner) (kind string, err error) {
	_, err = s.Object(func(member string) (err error) {
		if member == "type" {
			kind, _, err = s.Text()
		}
		return err
	})
	return kind, err
}

// library reads "Newtonsoft.Json/13.0.1".
func library(key string) (bulwark.Package, bool) {
	name, version, _ := strings.Cut(key, "/")
	name, ok := lang.Name(name)
	version, fine := lang.Version(version)
	if !ok || !fine {
		return bulwark.Package{}, false
	}
	return lang.Package("nuget", name, version, "", nil), true
}
