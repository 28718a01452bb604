package git

import (
	"encoding/hex"
	"strings"
)

// id is the SHA-1 of an object.
type id [20]byte

func (i id) String() string { return hex.EncodeToString(i[:]) }

// parseID reads 40 hex digits.
func parseID(s string) (i id, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) != 2*len(i) {
		return i, false
	}
	_, err := hex.Decode(i[:], []byte(s))
	return i, err == nil
}

// kind is what an object is, as packs number it.
type kind byte

const (
	commitKind kind = 1
	treeKind   kind = 2
	blobKind   kind = 3
	tagKind    kind = 4
	offsetKind kind = 6 // a delta to what lies so many bytes before
	refKind    kind = 7 // a delta to the object of that id
)

var kindNames = map[kind]string{commitKind: "commit", treeKind: "tree", blobKind: "blob", tagKind: "tag"}

func (k kind) String() string { return kindNames[k] }

func kindOf(name string) (kind, bool) {
	for k, n := range kindNames {
		if n == name {
			return k, true
		}
	}
	return 0, false
}
