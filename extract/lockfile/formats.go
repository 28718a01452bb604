package lockfile

import (
	"path"
	"strings"
	"sync"

	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/elixir/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/cabal"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/stacklock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradleverificationmetadataxml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/podfilelock"

	"bulwark"
)

// format is one kind of lockfile.
type format struct {
	files  []string // names; one "*" stands for any text
	parent string   // name of the folder that holds it; empty: any
	read   reader
}

// formats is the table: adding a lockfile touches it and, at most, one reader.
//
// Those that osv-scalibr has and that are read here all the same: package-lock.json,
// bun.lock and composer.lock, because it looks each package up from the start of the
// file to tell its line; go.mod, because it wants go.sum beside it; pom.xml, because it
// links a gRPC client.
var formats = sync.OnceValue(func() []format {
	return []format{
		{files: []string{"package-lock.json", "npm-shrinkwrap.json"}, read: packageLock},
		{files: []string{"yarn.lock"}, read: scalibr("npm", yarnlock.New)},
		{files: []string{"pnpm-lock.yaml"}, read: scalibr("npm", pnpmlock.New)},
		{files: []string{"bun.lock"}, read: bunLock},

		{files: []string{"requirements*.txt", "*requirements.txt"}, read: scalibr("pypi", requirements.New)},
		{files: []string{"Pipfile.lock"}, read: scalibr("pypi", pipfilelock.New)},
		{files: []string{"poetry.lock"}, read: scalibr("pypi", poetrylock.New)},
		{files: []string{"uv.lock"}, read: scalibr("pypi", uvlock.New)},
		{files: []string{"pdm.lock"}, read: scalibr("pypi", pdmlock.New)},

		{files: []string{"go.mod"}, read: goMod},
		{files: []string{"Cargo.lock"}, read: scalibr("cargo", cargolock.New)},
		{files: []string{"Gemfile.lock", "gems.locked"}, read: scalibr("gem", gemfilelock.New)},
		{files: []string{"composer.lock"}, read: composerLock},

		{files: []string{"pom.xml"}, read: pomXML},
		{files: []string{"gradle.lockfile", "buildscript-gradle.lockfile"}, read: scalibr("maven", gradlelockfile.New)},
		{files: []string{"verification-metadata.xml"}, parent: "gradle", read: scalibr("maven", gradleverificationmetadataxml.New)},

		{files: []string{"packages.lock.json"}, read: scalibr("nuget", packageslockjson.New)},
		{files: []string{"packages.config"}, read: scalibr("nuget", packagesconfig.New)},

		{files: []string{"pubspec.lock"}, read: scalibr("pub", pubspec.New)},
		{files: []string{"mix.lock"}, read: scalibr("hex", mixlock.New)},
		{files: []string{"Package.resolved"}, read: scalibr("swift", packageresolved.New)},
		{files: []string{"Podfile.lock"}, read: scalibr("cocoapods", podfilelock.New)},
		{files: []string{"conan.lock"}, read: scalibr("conan", conanlock.New)},
		{files: []string{"renv.lock"}, read: scalibr("cran", renvlock.New)},
		{files: []string{"stack.yaml.lock"}, read: scalibr("hackage", stacklock.New)},
		{files: []string{"cabal.project.freeze"}, read: scalibr("hackage", cabal.New)},
	}
})

// byName maps the names without "*" to their formats.
var byName = sync.OnceValue(func() map[string]*format {
	m := map[string]*format{}
	for i, f := range formats() {
		for _, name := range f.files {
			m[name] = &formats()[i]
		}
	}
	return m
})

// find is the format of a file, nil for what is no lockfile.
func find(f *bulwark.FileInfo) *format {
	format := byName()[f.Base]
	if format == nil && strings.HasSuffix(f.Base, ".txt") {
		format = findGlob(f.Base)
	}
	if format == nil || format.parent != "" && path.Base(path.Dir(f.Path)) != format.parent {
		return nil
	}
	return format
}

func findGlob(base string) *format {
	for i, f := range formats() {
		for _, name := range f.files {
			before, after, glob := strings.Cut(name, "*")
			if glob && len(base) >= len(before)+len(after) && strings.HasPrefix(base, before) && strings.HasSuffix(base, after) {
				return &formats()[i]
			}
		}
	}
	return nil
}
