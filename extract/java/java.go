// Package java finds Maven artifacts in Java archives: jars, wars and their like, and
// the archives nested in them, without a database of checksums and without the network.
//
// Each archive is reported exactly once under its own identity (see identify), and
// besides it what was shaded into it, at "x.jar!META-INF/maven/<group>/<artifact>". An
// archive that tells nothing is reported under its file's name.
package java

import (
	"context"
	"path"
	"sync"

	"bulwark"
)

const (
	maxDepth   = 12        // archives in archives
	maxEntries = 200_000   // of a file and all archives in it
	maxBytes   = 256 << 20 // inflated, of a file and all archives in it
	maxHeld    = 64 << 20  // inflated archives in memory at once
	maxPOMs    = 2000      // of one archive
	maxFound   = 20_000    // archives and poms of a file
	largeHeld  = 8 << 20   // from here on one file at a time holds nested archives
)

// Extractor finds Maven artifacts in Java archives. It is also a [bulwark.Inspector], of
// those that are too large to be held in memory.
type Extractor struct {
	large sync.Mutex // held while large nested archives are in memory
}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of Java archives.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/java", Summary: "Maven artifacts in Java archives, nested and shaded ones too.", Version: 1}
}

// Wants takes Java archives by their extension, up to the size that Begin takes over.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Size > 0 && f.Size <= maxWhole && isArchive(f.Base)
}

// Extract reads the archive's directory, manifest and pom.properties, and the archives
// in it.
func (x *Extractor) Extract(ctx context.Context, f *bulwark.File) (bulwark.Facts, error) {
	w := newWalker(&x.large, f.Path)
	defer w.release()
	w.archive(ctx, f, f.Size, f.Path, 0)
	return bulwark.Facts{Packages: w.packages}, w.err()
}

// isArchive tells by the name whether Java reads the file as an archive.
func isArchive(name string) bool {
	switch path.Ext(name) {
	case ".jar", ".war", ".ear", ".JAR", ".WAR", ".EAR", ".hpi", ".jpi", ".par", ".sar", ".kar", ".nar":
		return true
	}
	return false
}

// certain tells whether only Java uses the name's extension: .par and .nar files may be
// anything.
func certain(name string) bool {
	switch path.Ext(name) {
	case ".jar", ".war", ".JAR", ".WAR", ".hpi", ".jpi":
		return true
	}
	return false
}
