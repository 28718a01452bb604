package archive

import (
	"bytes"
	"strconv"
)

// Kind is how the bytes of a file are packed.
type Kind int

// What [Sniff] tells.
const (
	None Kind = iota
	Zip
	Tar
	Pack  // of Git
	Loose // an object of Git
	Gzip
	Zstd
	Bzip2
	Xz
)

// Head is how many bytes of a file tell its kind.
const Head = 512

func (k Kind) compressed() bool { return k >= Gzip }

// Sniff tells what a file is by its first bytes, of which there are [Head] unless it is shorter.
func Sniff(b []byte) Kind {
	switch {
	case len(b) < 4:
		return None
	case isMember(b):
		return Zip
	case isGzip(b):
		return Gzip
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		return Zstd
	case bytes.HasPrefix(b, []byte("BZh")) && len(b) >= 10 && b[3] >= '1' && b[3] <= '9' && string(b[4:10]) == "1AY&SY":
		return Bzip2
	case bytes.HasPrefix(b, []byte("\xfd7zXZ\x00")):
		return Xz
	case isTar(b):
		return Tar
	case isPack(b):
		return Pack
	case isLoose(b):
		return Loose
	}
	return None
}

func isMember(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// isGzip: deflate is the only method, and three of the flags are not used.
func isGzip(b []byte) bool {
	return len(b) >= 4 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 && b[3]&0xe0 == 0
}

// isTar tells a header of any tar by its checksum: the sum of its bytes, those of the
// checksum taken for spaces.
func isTar(b []byte) bool {
	const from, to = 148, 156
	if len(b) < Head || b[0] == 0 {
		return false
	}
	want, err := strconv.ParseUint(string(bytes.Trim(b[from:to], " \x00")), 8, 32)
	if err != nil {
		return false
	}
	sum := uint64((to - from) * ' ')
	for i, c := range b[:Head] {
		if i < from || i >= to {
			sum += uint64(c)
		}
	}
	return sum == want
}
