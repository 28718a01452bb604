// Package archive opens images that were saved into one file: docker-archive (docker
// save, podman save, skopeo) and OCI tar, plain or compressed with gzip or zstd.
//
// A plain file is listed by its headers and its layers are read in place. A compressed
// one is inflated once to list it, and once more for all layers that are walked at the
// same time ([bulwark.Target].Stream). Nothing is written to disk but an archive that comes
// through a pipe and is too large for memory.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"bulwark"
	"bulwark/source/image"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/local"
	"bulwark/source/image/internal/oci"
	"bulwark/source/image/internal/tarball"
)

// DefaultMemory is how much of an archive that comes through a pipe is held in memory.
const DefaultMemory = 128 << 20

// Source opens FILE or FILE#NAME (see [image.Split]); "-" is Stdin.
type Source struct {
	Platform string    // OS/ARCH[/VARIANT]; empty: the only one, or Linux on this architecture
	Stdin    io.Reader // nil: standard input
	// Memory bounds an archive that is no regular file and so cannot be read twice: it
	// is held as it comes, compressed or not. 0 means DefaultMemory.
	Memory int64
	// Spool is a folder for piped archives that outgrow Memory: each is kept there in a
	// file without a name until the target is closed. It is made when it is missing.
	// Empty: such archives are refused with ErrLimit.
	Spool string
}

var _ bulwark.Source = (*Source)(nil)

// Open lists the archive. See [bulwark.Source].
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	p, err := oci.ParsePlatform(s.Platform)
	if err != nil {
		return nil, err
	}
	file, name := image.Split(ref)
	m, err := s.medium(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("image archive %s: %w", file, err)
	}
	t, err := tarball.Open(ctx, *m.Medium, ref, tarball.Options{Name: name, Platform: p})
	if err != nil {
		m.close()
		return nil, fmt.Errorf("image archive %w", err)
	}
	t.Notes = append(t.Notes, m.notes()...)
	if stop := t.Close; stop != nil {
		t.Close = func() error { return errors.Join(stop(), m.close()) }
	} else {
		t.Close = m.close
	}
	return t, nil
}

func (s *Source) medium(ctx context.Context, file string) (*held, error) {
	if file == "-" {
		return s.piped(ctx)
	}
	// A pipe is opened once: whoever writes would lose a reader that only wanted to look.
	if st, err := os.Stat(file); err == nil && !st.Mode().IsRegular() {
		return s.pipe(ctx, file, st.Mode())
	}
	f, size, err := local.Open(nil, file)
	if err != nil {
		return nil, err
	}
	m, err := regular(f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &held{Medium: m, close: f.Close}, nil
}

// piped reads standard input, in place if it is a file.
func (s *Source) piped(ctx context.Context) (*held, error) {
	in := s.Stdin
	if in == nil {
		in = os.Stdin
	}
	if f, ok := in.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			m, err := regular(local.New(f), st.Size())
			return &held{Medium: m, close: nothing}, err
		}
	}
	return s.hold(ctx, in, "-")
}

// pipe reads a named pipe, or what a shell makes of <(...).
func (s *Source) pipe(ctx context.Context, file string, mode os.FileMode) (*held, error) {
	if mode&os.ModeNamedPipe == 0 {
		return nil, fmt.Errorf("neither a file nor a pipe: %w", bulwark.ErrUnsupported)
	}
	f, err := openPipe(ctx, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Whoever writes may keep silent for ever.
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })()
	h, err := s.hold(ctx, f, file)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return h, err
}

// openPipe waits until somebody opens the other end, as long as the context lasts. The
// goroutine stays behind then: nothing ends a blocked open.
func openPipe(ctx context.Context, file string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened)
	go func() {
		f, err := os.Open(file)
		select {
		case done <- opened{f, err}:
		case <-ctx.Done():
			if err == nil {
				f.Close()
			}
		}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, local.Named(o.err)
		}
		return o.f, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func regular(f *local.File, size int64) (*tarball.Medium, error) {
	m, err := medium(f, size, f.Name())
	if err != nil {
		return nil, err
	}
	m.Identity, m.Unchanged = f.Identity(), f.Unchanged
	return m, nil
}

// medium looks whether the archive is compressed.
func medium(at io.ReaderAt, size int64, name string) (*tarball.Medium, error) {
	head := make([]byte, 6)
	n, err := at.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	m := &tarball.Medium{Name: name}
	if layer.IsPlain(head[:n]) {
		m.At, m.Size = at, size
		return m, nil
	}
	m.Open = func(context.Context) (io.ReadCloser, error) {
		r, _, err := layer.Inflate(io.NewSectionReader(at, 0, size), layer.Budget{})
		return r, err
	}
	return m, nil
}
