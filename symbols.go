package bulwark

import (
	"hash/fnv"
	"slices"
)

// Symbols is a compact set of linked function names, held as 32-bit hashes: a
// name that is absent is never reported absent wrongly the other way round, and
// about one absent name in 2^32/len is reported present.
type Symbols struct{ hashes []uint32 }

// NewSymbols takes the hashes of the names (see [SymbolHash]), in any order.
func NewSymbols(hashes []uint32) *Symbols {
	slices.Sort(hashes)
	return &Symbols{hashes: slices.Compact(hashes)}
}

// SymbolHash is the hash of a linked function's full name
// ("net/http.(*Transport).RoundTrip") or of an import path ("net/http").
func SymbolHash(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails
	return h.Sum32()
}

// Has tells whether a function, or a package by its import path, is linked.
func (s *Symbols) Has(name string) bool {
	_, ok := slices.BinarySearch(s.hashes, SymbolHash(name))
	return ok
}

// Hashes gives the sorted hashes; the caller does not change them.
func (s *Symbols) Hashes() []uint32 { return s.hashes }
