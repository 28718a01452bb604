package scan

import (
	"fmt"
	"strings"
	"sync"

	"bulwark"
)

// remembered bounds what is kept of all layers of a target while they are read, so that
// neither a million links nor a file that a million links name exhausts memory.
const remembered = 144 << 20

// budget is shared by the layers of a target. No layer gets more than it leaves to the
// others, and each gets its first portion, so that what is made to eat it up does not
// starve the rest.
type budget struct {
	mu    sync.Mutex
	left  int
	alone bool // there is one layer, which may have it all
}

// share is a layer's part of the budget.
type share struct {
	of    *budget
	taken int // from the budget
	free  int // of that, not yet spent
}

// portion is what a share takes at once, to take seldom.
const portion = 64 << 10

// spend wraps ErrLimit when n bytes more are too many.
func (s *share) spend(n int) error {
	if s.free -= n; s.free >= 0 {
		return nil
	}
	want := max(portion, -s.free)
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if !s.may(want) {
		return fmt.Errorf("what its entries and files tell takes more than %d KB: %w", s.taken>>10, bulwark.ErrLimit)
	}
	s.of.left -= want
	s.taken += want
	s.free += want
	return nil
}

// may is called with the budget locked.
func (s *share) may(want int) bool {
	if s.of.alone {
		return want <= s.of.left
	}
	return s.taken+want <= s.of.left-want || s.taken == 0 && want == portion
}

// Bytes that a remembered thing takes beside its words, as measured.
const (
	costOfName       = 16
	costOfFolder     = 32
	costOfPath       = 128 // in a map of paths
	costOfFile       = 288 // with facts, beside them
	costOfPackage    = 640
	costOfFinding    = 1024
	costOfExecutable = 512
	costOfDigest     = 8
	costOfPlain      = 112
)

// cost is what remembering the facts of a file takes, and once more when the layers
// are merged.
func (f *fileFacts) cost() int {
	n := costOfFile + len(f.path) + len(f.Findings)*costOfFinding + len(f.Repositories)*costOfPath
	for i := range f.Packages {
		p := &f.Packages[i]
		n += costOfPackage + len(p.PURL) + len(p.Name) + len(p.Version) + len(p.Path)
		for _, l := range p.Licenses {
			n += len(l)
		}
	}
	for _, o := range f.owned {
		n += len(o.names) * costOfName
	}
	for _, r := range f.recorded {
		n += len(r.names)*costOfName + len(r.digests)*costOfDigest
	}
	for _, x := range f.Executables {
		n += costOfExecutable
		for _, t := range x.Traits {
			n += costOfPath + len(strings.Join(t.Evidence, ""))
		}
	}
	for _, l := range f.Licensed {
		n += costOfPath + len(l.Package)
	}
	for _, d := range f.Documents {
		n += costOfPath + len(d.Path) + len(d.Data)
	}
	return n
}

// cost is what the facts of a layer take.
func (f *facts) cost() int {
	n := len(f.names)*costOfName + len(f.passed)*costOfName
	for i := range f.files {
		n += f.files[i].cost()
	}
	for _, links := range []map[string]string{f.links, f.hard} {
		for p, to := range links {
			n += costOfPath + len(p) + len(to)
		}
	}
	return n + (len(f.gone)+len(f.opaque))*costOfPath
}
