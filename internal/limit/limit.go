// Package limit puts budgets on foreign input.
package limit

import (
	"fmt"
	"io"

	"bulwark"
)

// Reader reads from r until n bytes have been read; the read after that returns an
// error wrapping [bulwark.ErrLimit] that says what is too large, unless r is at its end.
func Reader(r io.Reader, n int64, what string) io.Reader {
	return &reader{r: r, left: n, max: n, what: what}
}

type reader struct {
	r         io.Reader
	left, max int64
	what      string
}

func (l *reader) Read(p []byte) (int, error) {
	if l.left > 0 {
		n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
		l.left -= int64(n)
		return n, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := l.r.Read(p[:1])
	if n == 0 {
		return 0, err
	}
	return 0, fmt.Errorf("%s is larger than %d bytes: %w", l.what, l.max, bulwark.ErrLimit)
}

// ReadAll reads all of r, at most n bytes; more is an error wrapping [bulwark.ErrLimit].
func ReadAll(r io.Reader, n int64, what string) ([]byte, error) {
	return io.ReadAll(Reader(r, n, what))
}
