package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
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
	plain  []plain           // while the layer is read
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

// has looks n up.
func (s nameSet) has(n name) bool {
	i := s.place(&n)
	return i < len(s) && s[i] == n
}

// both tells whether n is there as a file and as a folder: they are neighbours.
func (s nameSet) both(n name) (file, folder bool) {
	i := s.place(&n)
	if file = i < len(s) && s[i] == n; file {
		i++
	}
	return file, i < len(s) && s[i] == n.folder()
}

// place is the number of names below n. The names are hashes and so spread evenly: where
// one lies is guessed, the guess corrected once, and from there it is a few steps, each twice as long as
// the one before; that is several times as fast as a binary search, and merging asks a hundred thousand
// times. Names that are not spread evenly (nobody makes such hashes on purpose) take more steps.
func (s nameSet) place(n *name) int {
	if len(s) == 0 {
		return 0
	}
	guess := s.share(n.head())
	at := min(max(guess+guess-s.share(s[guess].head()), 0), len(s)-1)
	low, high := at, at // below low all are below n, from high on none is
	if s[at].below(n) {
		for step := 1; high < len(s) && s[high].below(n); step *= 2 {
			low, high = high+1, high+step
		}
	} else {
		for step := 1; low > 0 && !s[low-1].below(n); step *= 2 {
			low, high = max(low-step, 0), low
		}
	}
	high = min(high, len(s))
	for low < high {
		if mid := (low + high) / 2; s[mid].below(n) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// below tells whether a sorts before b.
func (a *name) below(b *name) bool {
	if x, y := a.head(), b.head(); x != y {
		return x < y
	}
	return binary.BigEndian.Uint64(a[8:]) < binary.BigEndian.Uint64(b[8:])
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
