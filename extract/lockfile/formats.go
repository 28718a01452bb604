package lockfile

import (
	"path"
	"strings"
	"sync"

	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/elixir/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/cabal"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradleverificationmetadataxml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"

	"bulwark"
)

// format is one kind of lockfile.
type format struct {
	files  []string // names; one "*" stands for any text
	parent string   // name of the folder that holds it; empty: any
	max    int64    // size of the largest file that is read; 0: maxSize
	read   reader
}

// foreignSize is for what osv-scalibr reads: it keeps over a kilobyte for each package.
const foreignSize = 2 << 20

// formats is the table: adding a lockfile touches it and, at most, one reader.
//
// Some that osv-scalibr reads are read here all the same. Its readers of JSON look every
// package up from the start of the file to tell its line, its YAML parser compares all
// keys with each other: minutes for a few megabytes. Its TOML parser takes 30 times the
// file's size in memory, its requirements take a regular expression a line, its go.mod wants go.sum beside it, its pom.xml links gRPC.
var formats = sync.OnceValue(func() []format {
	return []format{
		{files: []string{"package-lock.json", "npm-shrinkwrap.json"}, max: 32 << 20, read: checked(isJSON, packageLock)},
		{files: []string{"yarn.lock"}, max: 2 * foreignSize, read: checked(eachLine("#", yarnLine), pinning(scalibr("npm", yarnlock.New)))},
		{files: []string{"pnpm-lock.yaml"}, read: pnpmLock},
		{files: []string{"bun.lock"}, read: checked(isJSONC, bunLock)},

		{files: []string{"requirements*.txt", "*requirements.txt"}, read: requirementsTxt},
		{files: []string{"Pipfile.lock"}, read: checked(isJSON, pipfileLock)},
		{files: []string{"poetry.lock"}, read: pinning(tomlLocks("pypi"))},
		{files: []string{"uv.lock"}, read: tomlLocks("pypi")},
		{files: []string{"pdm.lock"}, read: pinning(tomlLocks("pypi"))},

		{files: []string{"go.mod"}, max: 1 << 20, read: goMod},
		{files: []string{"Cargo.lock"}, read: pinning(tomlLocks("cargo"))},
		{files: []string{"Gemfile.lock", "gems.locked"}, max: foreignSize, read: checked(eachLine("#", gemLine), scalibr("gem", gemfilelock.New))},
		{files: []string{"composer.lock"}, read: checked(isJSON, composerLock)},

		{files: []string{"pom.xml"}, max: 4 << 20, read: checked(isXML("project", "dependencies"), pomXML)},
		{files: []string{"gradle.lockfile", "buildscript-gradle.lockfile"}, max: foreignSize, read: checked(eachLine("#", gradleLine), scalibr("maven", gradlelockfile.New))},
		{files: []string{"verification-metadata.xml"}, parent: "gradle", max: foreignSize, read: checked(isXML("verification-metadata", "components"), scalibr("maven", gradleverificationmetadataxml.New))},

		{files: []string{"packages.lock.json"}, max: foreignSize, read: checked(isJSON, scalibr("nuget", packageslockjson.New))},
		{files: []string{"packages.config"}, max: foreignSize, read: checked(isXML("packages", "packages"), scalibr("nuget", packagesconfig.New))},

		{files: []string{"pubspec.lock"}, read: pinning(pubspecLock)},
		{files: []string{"mix.lock"}, max: foreignSize, read: checked(isMix, scalibr("hex", mixlock.New))},
		{files: []string{"Package.resolved"}, max: foreignSize, read: checked(isJSON, scalibr("swift", packageresolved.New))},
		{files: []string{"Podfile.lock"}, read: podfileLock},
		{files: []string{"conan.lock"}, max: foreignSize, read: checked(isJSON, scalibr("conan", conanlock.New))},
		{files: []string{"renv.lock"}, max: foreignSize, read: checked(isJSON, scalibr("cran", renvlock.New))},
		{files: []string{"stack.yaml.lock"}, read: stackLock},
		{files: []string{"cabal.project.freeze"}, max: foreignSize, read: checked(eachLine("--", cabalLine), scalibr("hackage", cabal.New))},
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
