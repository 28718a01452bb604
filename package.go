package bulwark

// Package is one installed or declared package. Two places that hold the same
// package are two Packages with the same PURL.
type Package struct {
	PURL      string         `json:"purl"`
	Name      string         `json:"name"`      // as the package manager shows it: "@babel/core", "org.apache.commons:commons-text"
	Version   string         `json:"version"`   // as the package manager shows it, epoch included; may be empty
	Ecosystem string         `json:"ecosystem"` // OSV's name with its release: "Debian:12", "PyPI"; empty where OSV has none
	Source    *SourcePackage `json:"source,omitempty"`
	Path      string         `json:"path"`
	Layer     string         `json:"layer,omitempty"` // diffID of the layer that holds Path
	Asset     AssetID        `json:"asset"`
	Licenses  []string       `json:"licenses,omitempty"` // SPDX ids or expressions where the metadata has them, else its own words
	OwnedBy   string         `json:"ownedBy,omitempty"`  // name of the distribution package whose files these are
	FromBase  bool           `json:"fromBase,omitempty"` // its layer belongs to the base image
	// Declared is true for a package that a lockfile or manifest names: what will be
	// installed from it, not what is.
	Declared bool `json:"declared,omitempty"`
	// Dev is true for a package that is needed for development or tests only.
	Dev bool `json:"dev,omitempty"`
	// InUse tells whether the package was used where the target runs; nil: that is not known.
	InUse *bool `json:"inUse,omitempty"`

	// Format is the PURL type: deb, apk, rpm, npm, pypi, maven, golang, gem, cargo, ...
	Format string `json:"-"`
	// Arch is the package's architecture in its manager's words.
	Arch string `json:"-"`
	// Symbols are the functions linked into the binary that the package was read
	// from; nil when that is not known. Packages of one binary share it.
	Symbols *Symbols `json:"-"`
	// Use says why InUse is what it is.
	Use string `json:"-"`
}

// SourcePackage is the package that a distribution built a binary package from,
// the one its advisories speak of.
type SourcePackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Release is the distribution and its release, as os-release tells.
type Release struct {
	ID        string `json:"id"`                  // debian, ubuntu, alpine, almalinux, ...
	IDLike    string `json:"idLike,omitempty"`    // ID_LIKE, space separated
	VersionID string `json:"versionId,omitempty"` // 12, 22.04, 3.19.1
	Codename  string `json:"codename,omitempty"`  // bookworm
	Name      string `json:"name,omitempty"`      // PRETTY_NAME
	// Point is the point release where the distribution keeps it elsewhere
	// (etc/debian_version: "12.5"); empty when unknown.
	Point string `json:"point,omitempty"`
	// CPE is CPE_NAME, which tells rebuilds and products apart.
	CPE string `json:"cpe,omitempty"`
}

// Repository is a package index that the target's package manager is set up to ask.
type Repository struct {
	Kind       string   // apt, apk
	URL        string   // base address, credentials removed
	Suite      string   // apt: "bookworm-security"; apk: empty
	Components []string // apt: "main"
}

// Owned says that a distribution package owns files.
type Owned struct {
	Package string   // name of the package
	Paths   []string // clean, relative to the root: "usr/lib/python3/dist-packages/yaml/__init__.py"
}

// Licensed gives licences of a distribution package that are kept in a file of their
// own; the package manager's Resolve joins them.
type Licensed struct {
	Package  string   `json:"package"` // name of the package
	Licenses []string `json:"licenses"`
}

// Document is a configuration file that checks judge as a whole, with others beside it: a
// Dockerfile, what it leaves out of its context, a compose file, a CI workflow.
type Document struct {
	Kind  string // dockerfile, dockerignore, compose, github-workflow, gitlab-ci, ...
	Path  string
	Layer string
	Data  []byte // as it is stored; whoever reads it in bounds it
}

// Inventory is what is in a target after its layers are merged.
type Inventory struct {
	Release      *Release // nil when there is no distribution
	Packages     []Package
	Repositories []Repository
	Licensed     []Licensed
	Documents    []Document   // by path
	Executables  []Executable // by path
}
