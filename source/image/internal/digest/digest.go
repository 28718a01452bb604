// Package digest checks bytes against the digests that manifests claim.
package digest

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"bulwark"
)

// Check tells whether d is written as a digest must be: "sha256:" or "sha512:" and
// lower-case hexadecimal. A digest that passes is safe as a file name after [Path].
// The error wraps ErrUnsupported for another algorithm, else ErrMalformed.
func Check(d string) error {
	_, err := New(d)
	return err
}

// New returns the hash that a digest names.
func New(d string) (hash.Hash, error) {
	algorithm, sum, ok := strings.Cut(d, ":")
	if !ok {
		return nil, fmt.Errorf("digest %.80q: %w", d, bulwark.ErrMalformed)
	}
	var h hash.Hash
	switch algorithm {
	case "sha256":
		h = sha256.New()
	case "sha512":
		h = sha512.New()
	default:
		return nil, fmt.Errorf("digest algorithm %.20q: %w", algorithm, bulwark.ErrUnsupported)
	}
	if len(sum) != 2*h.Size() || strings.Trim(sum, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("digest %.150q: %w", d, bulwark.ErrMalformed)
	}
	return h, nil
}

// Of is the SHA-256 digest of b.
func Of(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Verify compares what h has seen with the digest that was claimed for what. The error
// wraps ErrUntrusted.
func Verify(h hash.Hash, claimed, what string) error {
	algorithm, sum, _ := strings.Cut(claimed, ":")
	if have := hex.EncodeToString(h.Sum(nil)); have != sum {
		return fmt.Errorf("%s has digest %s:%s, not %s: %w", what, algorithm, have, claimed, bulwark.ErrUntrusted)
	}
	return nil
}

// Bytes checks that b has the digest that was claimed for what.
func Bytes(b []byte, claimed, what string) error {
	h, err := New(claimed)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	h.Write(b)
	return Verify(h, claimed, what)
}

// Path is the place of a blob below a layout's root: "blobs/sha256/...".
func Path(d string) string { return "blobs/" + strings.Replace(d, ":", "/", 1) }
