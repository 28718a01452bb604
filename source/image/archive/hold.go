package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image/internal/tarball"
)

// maxSpooled bounds the file that a piped archive may become.
const maxSpooled = 64 << 30

// held is an archive that came through a pipe, or a file that needs no holding.
type held struct {
	*tarball.Medium
	close   func() error
	spooled int64 // bytes in an unnamed file
}

// notes say what holding it took.
func (h *held) notes() []bulwark.Note {
	if h.spooled == 0 {
		return nil
	}
	return []bulwark.Note{{Plugin: "source/image/archive", Text: fmt.Sprintf(
		"the archive came through a pipe and was kept in an unnamed file while it was read: %d MB", (h.spooled+1<<20-1)>>20)}}
}

func nothing() error { return nil }

// hold keeps all of r: in memory, or in an unnamed file when it is too much for that.
func (s *Source) hold(ctx context.Context, r io.Reader, name string) (*held, error) {
	most := s.Memory
	if most == 0 {
		most = DefaultMemory
	}
	r = &reader{ctx, r}
	b, size, err := readBlocks(r, most)
	switch {
	case err != nil:
		return nil, err
	case size <= most:
		m, err := medium(b, size, name)
		return &held{Medium: m, close: nothing}, err
	case s.Spool == "":
		return nil, fmt.Errorf("an archive that cannot be read twice is larger than %d bytes: %w; save it to a file and scan that", most, bulwark.ErrLimit)
	}
	return s.spool(io.MultiReader(b.reader(), r), name)
}

// spool writes r to a file without a name, which is gone once it is closed, however
// this program ends.
func (s *Source) spool(r io.Reader, name string) (*held, error) {
	f, err := unnamed(s.Spool)
	if err != nil {
		return nil, advise(s.Spool, err)
	}
	n, err := fill(f, r, s.Spool)
	if err != nil {
		f.Close()
		return nil, err
	}
	// It has no identity: nobody sees the same file a second time.
	m, err := medium(f, n, name)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &held{m, f.Close, n}, nil
}

// unnamed makes a file in a folder that only its descriptor leads to.
func unnamed(folder string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(folder, "piped-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// fill copies r into w, which lies in a folder.
func fill(w io.Writer, r io.Reader, folder string) (int64, error) {
	to := &writer{w: w}
	n, err := io.Copy(to, limit.Reader(r, maxSpooled, "an archive that came through a pipe"))
	if to.err != nil {
		return n, advise(folder, to.err)
	}
	return n, err
}

// advise says what to do when a folder cannot take the archive.
func advise(folder string, err error) error {
	what := "cannot be written to"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		what = "is full"
	}
	return fmt.Errorf("the archive is too large for memory, and the folder %s that should hold it while it is read %s: %w; choose another with --cache-dir, or save the archive to a file and scan that", folder, what, err)
}

// reader ends when the context does.
type reader struct {
	ctx context.Context // of the one call that made it
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// writer keeps the error that ended it, to tell it from the reader's.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}
