package advisory

import (
	"time"

	"bulwark"
)

// Query asks which advisories affect a package.
type Query struct {
	Ecosystem string // OSV's name with its release: "Debian:12", "PyPI"
	Name      string // the source package for distributions; as its manager writes it
	Version   string
}

// Hit is a live record that affects the version that was asked for. Slices are
// shared between hits; the caller does not change them.
type Hit struct {
	ID, Ecosystem              string
	Aliases, Upstream, Related []string
	// Fixed are the versions that fix it for this package, the one that closes the
	// interval which holds the queried version first, then the others upwards.
	Fixed     []string
	Severity  bulwark.Severity // the distribution's or the record's own rating; unknown when it gives none
	CVSS      []string         // vectors of the record and of the affected package, the best version last
	Summary   string
	Published time.Time // may be absurd
	Modified  time.Time
	Imports   []Import // Go: the packages and symbols that are vulnerable; empty: all of the module
	Withdrawn bool     // never true in what Match gives
}

// Import is a Go package that holds the vulnerability.
type Import struct {
	Path         string
	Symbols      []string // empty: the whole package
	GOOS, GOARCH []string // empty: all
}

// Record is all that the database has of an advisory.
type Record struct {
	ID, Summary, Details       string
	Aliases, Upstream, Related []string
	Severity                   bulwark.Severity
	CVSS                       []string
	Published, Modified        time.Time
	Withdrawn                  time.Time // zero: it is live
	References                 []string
	CWEs                       []string
	Affected                   []Affected
}

// Affected is one package of a record, its ranges told in words a person reads.
type Affected struct {
	Ecosystem, Name string
	Ranges          []string // ">= 1.2, < 1.4.1"
	Versions        int      // how many versions are enumerated beside the ranges
	Fixed           []string
}

// KEV is an entry of the catalogue of known exploited vulnerabilities.
type KEV struct {
	Added, Due time.Time
	Ransomware bool // known to be used by ransomware campaigns
}

// Product is what endoflife.date knows of a product.
type Product struct {
	Name, Title, Category string
	Releases              []ProductRelease // newest first, as in the data
}

// ProductRelease is one release cycle. A time is zero where the data has none.
type ProductRelease struct {
	Cycle, Codename, Latest                 string
	Released, LatestReleased, EOL, Extended time.Time
	Ended                                   bool // the end is told without a date: it is over
	LTS                                     bool
}
