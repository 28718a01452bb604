package advisory

import (
	"context"
	"time"

	"bulwark"
)

// DB is an open database. It is safe for parallel use.
type DB struct{}

// Open maps the database at path. Its error wraps [bulwark.ErrNotFound] when there
// is none, [bulwark.ErrUntrusted] when it is corrupt or half written, and
// [bulwark.ErrUnsupported] when another version of bulwark wrote it.
func Open(path string) (*DB, error) { return nil, bulwark.ErrNotFound }

// Close unmaps the file. Nothing that the database gave may be used afterwards.
func (db *DB) Close() error { return nil }

// Info says what the database was built from.
func (db *DB) Info() bulwark.Advisories { return bulwark.Advisories{} }

// Has tells whether there is a live record for exactly this ecosystem.
func (db *DB) Has(ecosystem string) bool { return false }

// Match appends to dst the live records that affect what q asks for.
func (db *DB) Match(dst []Hit, q Query) ([]Hit, error) { return dst, nil }

// Record gives a whole record; the error wraps [bulwark.ErrNotFound] when there is none.
func (db *DB) Record(id string) (Record, error) { return Record{}, bulwark.ErrNotFound }

// References gives a record's references.
func (db *DB) References(id string) []string { return nil }

// ByCVE gives the best rating that any record of the same CVE carries.
func (db *DB) ByCVE(cve string) (bulwark.Severity, *bulwark.CVSS) { return 0, nil }

// KEV tells whether a CVE is known to be exploited.
func (db *DB) KEV(cve string) (KEV, bool) { return KEV{}, false }

// EPSS gives the probability that a CVE is exploited within 30 days.
func (db *DB) EPSS(cve string) (bulwark.EPSS, bool) { return bulwark.EPSS{}, false }

// Product gives a product by the name that endoflife.date uses for it: "debian".
func (db *DB) Product(name string) (Product, bool) { return Product{}, false }

// ProductOfPURL gives a product by a package URL without version.
func (db *DB) ProductOfPURL(purl string) (Product, bool) { return Product{}, false }

// Compare orders two versions of an ecosystem: -1, 0, 1.
func Compare(ecosystem, a, b string) (int, error) { return 0, bulwark.ErrUnsupported }

// Score is the base score of a CVSS v2, v3 or v4 vector.
func Score(vector string) (float64, error) { return 0, bulwark.ErrUnsupported }

// BuildOptions says what to build from. Each source is a folder, a file or a URL; empty: none.
type BuildOptions struct {
	OSV, KEV, EPSS, EOL string
	Now                 time.Time
	Progress            func(string) // may be nil
}

// Build compiles a database and puts it at out.
func Build(ctx context.Context, o BuildOptions, out string) error { return bulwark.ErrUnsupported }

// UpdateOptions says where to update from.
type UpdateOptions struct {
	From     string // mirror's address or folder; empty: the public sources
	Now      time.Time
	Progress func(string)
}

// Update brings the database at path up to date.
func Update(ctx context.Context, o UpdateOptions, path string) error { return bulwark.ErrUnsupported }
