// Package lang holds what the extractors of language packages share: reading a small
// file whole within a budget, judging foreign words, and making a package of them.
package lang

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

// The longest name and version that any registry takes are far below.
const (
	maxName    = 512
	maxVersion = 256
)

// ReadAll reads a whole file of at most max bytes.
func ReadAll(f *bulwark.File, max int64) ([]byte, error) {
	if f.Size > max {
		return nil, fmt.Errorf("%d bytes, more than the %d that such a file may have: %w", f.Size, max, bulwark.ErrLimit)
	}
	b := make([]byte, f.Size)
	if n, err := f.ReadAt(b, 0); int64(n) < f.Size {
		return nil, fmt.Errorf("reading: %w", unexpected(err))
	}
	return b, nil
}

// Head reads the first max bytes of a file, or all of it.
func Head(f *bulwark.File, max int64) ([]byte, error) {
	b := make([]byte, min(f.Size, max))
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("reading: %w", unexpected(err))
	}
	return b, nil
}

func unexpected(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Printable tells whether s may reach a terminal or report as it is: valid UTF-8
// without control, format and private characters, and no blank but the space.
func Printable(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return false
		}
		i += n
	}
	return true
}

// Name gives a name without the blanks around it; false when it cannot be one.
func Name(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, s != "" && len(s) <= maxName && Printable(s)
}

// Version gives a version without the blanks around it; false when it cannot be one:
// unlike a name it has no blank inside, and it may be empty.
func Version(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, len(s) <= maxVersion && !strings.Contains(s, " ") && Printable(s)
}

// Package makes the package of one PURL type; path stays empty where it is the file.
func Package(typ, name, version, path string, licenses []string) bulwark.Package {
	return bulwark.Package{
		PURL: purl.New(typ, name, version), Name: name, Version: version,
		Ecosystem: ecosystem.OfType(typ), Format: typ, Path: path, Licenses: licenses,
	}
}

// Malformed is an error about a file's content that wraps [bulwark.ErrMalformed].
func Malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, bulwark.ErrMalformed)...)
}
