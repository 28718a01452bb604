// Package tarball reads images out of one tar: what docker save, podman save and skopeo
// write, in the layout of Docker or of OCI. The tar is listed once; nothing is unpacked.
package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/oci"
)

const (
	maxMembers = 200_000
	maxName    = 4096
	maxKept    = 32 << 20 // of documents that are kept of a stream
	maxHops    = 8        // of links
)

// Medium is where the bytes of an archive come from.
type Medium struct {
	Name string // for errors
	// At and Size give a plain tar that can be read anywhere.
	At   io.ReaderAt
	Size int64
	// Open gives a plain tar from its start, for a medium without At. It may be called
	// several times and must give the same bytes.
	Open func(context.Context) (io.ReadCloser, error)
	// Identity names the bytes as [bulwark.Layer] says; empty when nothing does.
	Identity string
	// Unchanged fails when the bytes behind At have changed since; may be nil.
	Unchanged func() error
}

// index says where the members of an archive are.
type index struct {
	medium  *Medium
	members map[string]*member
	turns   *turns // how layers of a stream are read
}

type member struct {
	order        int // its place among the members
	offset, size int64
	link         string // the member that has the bytes
	kept         []byte // the bytes, if they look like a document in a stream
}

func newIndex(ctx context.Context, m *Medium) (*index, error) {
	x := &index{medium: m, members: map[string]*member{}}
	if m.At != nil {
		return x, x.list(ctx, io.NewSectionReader(m.At, 0, m.Size))
	}
	rc, err := m.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	x.turns = newTurns(m.Open)
	return x, x.list(ctx, &ender{ctx, rc})
}

// list reads the headers of the tar. From a stream it keeps the documents.
func (x *index) list(ctx context.Context, r io.Reader) error {
	tr, kept := tar.NewReader(r), int64(0)
	seeker, _ := r.(io.Seeker)
	for order := 0; ; order++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if err == io.EOF {
			return end(r, seeker)
		}
		if err != nil && !(errors.Is(err, tar.ErrInsecurePath) && h != nil) {
			return named(err)
		}
		if order >= maxMembers || len(h.Name) > maxName {
			return fmt.Errorf("more than %d members, or a name of more than %d bytes: %w", maxMembers, maxName, bulwark.ErrLimit)
		}
		m := newMember(h, order)
		if m == nil {
			continue
		}
		if seeker != nil {
			m.offset, _ = seeker.Seek(0, io.SeekCurrent)
		} else if kept < maxKept && isDocument(h) {
			if m.kept, err = keep(tr); err != nil {
				return named(err)
			}
			kept += int64(len(m.kept))
		}
		x.members[clean(h.Name)] = m
	}
}

// end reads what follows the end of the tar in a stream: the sum of a compressed one
// comes last.
func end(r io.Reader, seeker io.Seeker) error {
	if seeker != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return named(err)
	}
	return nil
}

func newMember(h *tar.Header, order int) *member {
	switch h.Typeflag {
	case tar.TypeReg:
		for k := range h.PAXRecords {
			if strings.HasPrefix(k, "GNU.sparse.") {
				return nil
			}
		}
		return &member{order: order, size: h.Size}
	case tar.TypeSymlink:
		return &member{order: order, link: clean(path.Join(path.Dir(clean(h.Name)), h.Linkname))}
	case tar.TypeLink:
		return &member{order: order, link: clean(h.Linkname)}
	}
	return nil
}

func isDocument(h *tar.Header) bool { return h.Typeflag == tar.TypeReg && h.Size <= oci.MaxConfig }

// keep reads a member that starts as a JSON document does; others give nothing.
func keep(r io.Reader) ([]byte, error) {
	head := make([]byte, 1)
	if n, err := io.ReadFull(r, head); n == 0 {
		if err == io.EOF {
			return nil, nil
		}
		return nil, err
	}
	if head[0] != '{' && head[0] != '[' && head[0] != ' ' && head[0] != '\n' {
		return nil, nil
	}
	return limit.ReadAll(io.MultiReader(bytes.NewReader(head), r), oci.MaxConfig, "a document")
}

func clean(name string) string { return path.Clean("/" + name)[1:] }

// find follows links. It returns nil for what is not there.
func (x *index) find(name string) *member {
	name = clean(name)
	for range maxHops {
		m := x.members[name]
		if m == nil || m.link == "" {
			return m
		}
		name = m.link
	}
	return nil
}

// read gives a small member whole.
func (x *index) read(name string, most int64) ([]byte, error) {
	m := x.find(name)
	if m == nil {
		return nil, fmt.Errorf("%.200q is not in the archive: %w", name, bulwark.ErrNotFound)
	}
	if m.size > most {
		return nil, fmt.Errorf("%.200q is larger than %d bytes: %w", name, most, bulwark.ErrLimit)
	}
	if x.medium.At == nil {
		if m.kept == nil {
			return nil, fmt.Errorf("%.200q is no JSON document: %w", name, bulwark.ErrMalformed)
		}
		return m.kept, nil
	}
	b := make([]byte, m.size)
	if _, err := io.ReadFull(io.NewSectionReader(x.medium.At, m.offset, m.size), b); err != nil {
		return nil, fmt.Errorf("%.200q: %w", name, named(err))
	}
	return b, nil
}

// blob says how to read a member as a layer.
func (x *index) blob(name string) layer.Blob {
	m := x.find(name)
	if m == nil {
		err := fmt.Errorf("%.200q is not in the archive: %w", name, bulwark.ErrNotFound)
		return layer.Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) { return nil, err }}
	}
	if x.medium.At == nil {
		return layer.Blob{Size: m.size, Open: func(ctx context.Context) (io.ReadCloser, error) { return x.turns.open(ctx, m.order) }}
	}
	return layer.Blob{Size: m.size, Open: func(context.Context) (io.ReadCloser, error) {
		return &section{io.NewSectionReader(x.medium.At, m.offset, m.size), x.medium.Unchanged}, nil
	}}
}

// section is a member of a plain archive on this machine.
type section struct {
	*io.SectionReader
	unchanged func() error
}

var _ layer.Local = (*section)(nil)

func (s *section) Close() error { return nil }

func (s *section) Unchanged() error {
	if s.unchanged == nil {
		return nil
	}
	return s.unchanged()
}

// named makes an error that nobody has named yet ErrMalformed.
func named(err error) error {
	if layer.IsNamed(err) {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("tar archive: %w: %w", bulwark.ErrMalformed, err)
}
