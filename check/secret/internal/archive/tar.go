package archive

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"bulwark"
)

// tar gives out the files of a tar archive.
func (w *walker) tar(r *bufio.Reader, at string, d depth) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		var body io.Reader = t
		if sparse(h) {
			body = &budgeted{w, t} // its holes are not stored
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			body = strings.NewReader("")
		}
		if err := w.member(body, at, h.Name, h.Size, d); err != nil {
			return err
		}
	}
}

func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// budgeted is what comes out of a decoder.
type budgeted struct {
	w *walker
	r io.Reader
}

func (b *budgeted) Read(p []byte) (int, error) {
	if b.w.left <= 0 && b.w.ended == nil {
		b.w.end(fmt.Errorf("it inflates to too much: %w", bulwark.ErrLimit))
	}
	if b.w.ended != nil {
		return 0, b.w.ended
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.w.left)])
	b.w.left -= int64(n)
	return n, err
}
