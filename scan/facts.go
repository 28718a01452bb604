package scan

import (
	"bytes"
	"crypto/sha256"
	"path"
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
	owned []owned
	index map[packageID]bool // of Packages, made when asked
}

// owned is bulwark.Owned with its paths hashed.
type owned struct {
	pkg   string
	names []name
}

// name is a path as 128 bits of its SHA-256, the lowest bit telling whether it is a
// folder. A shorter hash would let an attacker hide a package behind a collision.
type name [16]byte

func nameOf(p string, dir bool) name {
	sum := sha256.Sum256([]byte(p))
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

func (s nameSet) has(n name) bool {
	i := sort.Search(len(s), func(i int) bool { return bytes.Compare(s[i][:], n[:]) >= 0 })
	return i < len(s) && s[i] == n
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

// hides tells whether this layer, lying above, makes the path p of a lower layer
// invisible: removed or replaced, itself or a folder on its way.
func (f *facts) hides(p string, hashes hashes) bool {
	if f.names.has(hashes.of(p)) || f.names.has(hashes.of(p).folder()) || f.gone[p] {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if f.names.has(hashes.of(dir)) || f.gone[dir] || f.opaque[dir] {
			return true
		}
	}
	return f.opaque["."]
}

// hashes remembers the hashes of paths: most files that are asked about share folders.
type hashes map[string]name

// of is the name of p as no folder.
func (h hashes) of(p string) name {
	n, ok := h[p]
	if !ok {
		n = nameOf(p, false)
		h[p] = n
	}
	return n
}
