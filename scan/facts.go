package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strings"

	"bulwark"
)

// facts is what one layer tells on its own: nothing in it depends on the layers
// around it, so that it can be kept by diffID.
type facts struct {
	diffID string // as verified; empty for folders
	files  []fileFacts
	names  nameSet           // every entry but whiteouts
	passed nameSet           // folders that entries lie in and that have no entry of their own
	links  map[string]string // symbolic links by path, targets as stored
	hard   map[string]string // hard links by path, to files that only a lower layer can have
	gone   map[string]bool   // paths that the layer removes from those below
	opaque map[string]bool   // folders whose lower content the layer hides
	notes  []bulwark.Note    // paths relative
}

// fileFacts is what the plugins learned from one file.
type fileFacts struct {
	path string
	bulwark.Facts
	owned    []owned
	recorded []recorded
	index    map[packageID]bool // of Packages, made when asked
}

// owned is bulwark.Owned with its paths hashed.
type owned struct {
	pkg   string
	names []name
}

// recorded is bulwark.Recorded with its paths hashed.
type recorded struct {
	pkg, format string
	names       []name
	digests     []bulwark.Digest // none: diverted
}

// name is a path as 128 bits of its SHA-256, the lowest bit telling whether it is a
// folder. A shorter hash would let an attacker hide a package behind a collision.
type name [16]byte

func nameOf(p string, dir bool) name {
	var short [256]byte // most paths fit, and then nothing is allocated
	sum := sha256.Sum256(append(short[:0], p...))
	n := name(sum[:16])
	n[15] &^= 1
	if dir {
		n[15] |= 1
	}
	return n
}

// folder is the name of the same path as a folder.
func (n name) folder() name {
	n[15] |= 1
	return n
}

// nameSet is a sorted set of names; add, then seal, then look up.
type nameSet []name

func (s *nameSet) add(p string, dir bool) { *s = append(*s, nameOf(p, dir)) }

func (s *nameSet) seal() {
	slices.SortFunc(*s, func(a, b name) int { return bytes.Compare(a[:], b[:]) })
	*s = slices.Compact(*s)
}

// has looks n up. The names are hashes and so spread evenly: where one lies is guessed,
// the guess corrected once, and the rest is a few steps; that is three times as fast as
// a binary search, and merging asks a hundred thousand times. Names that are not spread
// evenly (nobody makes such hashes on purpose) end in the binary search.
func (s nameSet) has(n name) bool {
	if len(s) == 0 {
		return false
	}
	guess := s.share(n.head())
	at := min(max(guess+guess-s.share(s[guess].head()), 0), len(s)-1)
	const steps = 64
	low, high := max(at-steps, 0), min(at+steps, len(s)-1)
	if bytes.Compare(s[low][:], n[:]) > 0 || bytes.Compare(s[high][:], n[:]) < 0 {
		low, high = 0, len(s)-1
	}
	part := s[low : high+1]
	i := sort.Search(len(part), func(i int) bool { return bytes.Compare(part[i][:], n[:]) >= 0 })
	return i < len(part) && part[i] == n
}

// short is the first 16 bits.
func (n *name) short() uint16 { return binary.BigEndian.Uint16(n[:2]) }

// head is the first 64 bits.
func (n *name) head() uint64 { return binary.BigEndian.Uint64(n[:8]) }

// share is where a name with that head would lie if all were spread evenly.
func (s nameSet) share(head uint64) int {
	high, _ := bits.Mul64(head, uint64(len(s)))
	return int(high)
}

func newFacts(diffID string) *facts {
	return &facts{diffID: diffID, links: map[string]string{}, hard: map[string]string{}, gone: map[string]bool{}, opaque: map[string]bool{}}
}

// seal makes the facts ready for look-ups.
func (f *facts) seal() {
	f.names.seal()
	f.passed.seal()
	f.passed = slices.DeleteFunc(f.passed, f.names.has)
	f.files = slices.DeleteFunc(f.files, func(x fileFacts) bool { return x.empty() })
	slices.SortStableFunc(f.files, func(a, b fileFacts) int { return strings.Compare(a.path, b.path) })
}
