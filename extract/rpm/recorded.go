package rpm

import (
	"encoding/hex"

	"bulwark"
	"bulwark/extract/internal/distro"
	"bulwark/extract/rpm/header"
)

const (
	flagConfig   = 1 << 0 // of a file: its users change it
	flagGhost    = 1 << 6 // it is not in the package
	verifyDigest = 1 << 0 // its content is to be what was packed
)

// recorded gives the digests of a package's files that may run. Files that the package
// itself does not want verified are left out, as "rpm --verify" leaves them.
func recorded(h *header.Header, name string) bulwark.Recorded {
	r := bulwark.Recorded{Package: name, Format: "rpm"}
	sums, bases, dirs, of := h.Strings(header.FileDigests), h.Strings(header.BaseNames), h.Strings(header.DirNames), h.Ints(header.DirIndexes)
	flags, verify := h.Ints(header.FileFlags), h.Ints(header.FileVerifyFlags)
	if len(sums) != len(bases) || len(of) != len(bases) {
		return r
	}
	algorithm := bulwark.MD5
	if a := h.Ints(header.FileDigestAlgo); len(a) > 0 { // numbers of OpenPGP
		algorithm = map[uint32]bulwark.Algorithm{1: bulwark.MD5, 2: bulwark.SHA1, 8: bulwark.SHA256}[a[0]]
	}
	for i, sum := range sums {
		if algorithm == 0 || of[i] >= uint32(len(dirs)) || len(sum) < 32 ||
			len(flags) == len(bases) && flags[i]&(flagConfig|flagGhost) != 0 || len(verify) == len(bases) && verify[i]&verifyDigest == 0 {
			continue
		}
		raw, err := hex.DecodeString(sum[:32])
		if p := distro.Clean(dirs[of[i]] + "/" + bases[i]); err == nil && bulwark.MayRun(p) {
			r.Paths, r.Digests = append(r.Paths, p), append(r.Digests, bulwark.NewDigest(algorithm, raw))
		}
	}
	return r
}
