// Package layout opens images in an OCI image layout, a folder with an index.json and
// blobs (https://github.com/opencontainers/image-spec/blob/main/image-layout.md), and
// in the flat folder that skopeo's "dir:" and podman's docker-dir write: a manifest.json
// and blobs that are called by their digests.
package layout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/local"
	"bulwark/source/image/internal/oci"
)

// Source opens DIR or DIR#NAME (see [image.Split]). The size and the digest of every blob
// are checked whenever it is read.
type Source struct {
	Platform string // OS/ARCH[/VARIANT]; empty: the only one, or Linux on this architecture
}

var _ bulwark.Source = (*Source)(nil)

// Open reads index, manifest and configuration. See [bulwark.Source].
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	p, err := oci.ParsePlatform(s.Platform)
	if err != nil {
		return nil, err
	}
	dir, name := image.Split(ref)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("image layout %s: %w", dir, local.Named(err))
	}
	t, err := open(ctx, root, ref, name, p)
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("image layout %s: %w", dir, err)
	}
	t.Close = root.Close
	return t, nil
}

func open(ctx context.Context, root *os.Root, ref, name string, p oci.Platform) (*bulwark.Target, error) {
	st := store{root, digest.Path}
	index, err := st.read("index.json", oci.MaxManifest)
	if errors.Is(err, bulwark.ErrNotFound) && image.IsLayout(root.Name()) {
		return openFlat(ctx, root, ref, name, p)
	}
	if err != nil {
		return nil, err
	}
	return oci.FromLayout(ctx, index, st, ref, name, p)
}

// store reads blobs below root, which links in it do not leave.
type store struct {
	root *os.Root
	path func(digest string) string
}

var _ oci.Partial = store{}

// Has implements [oci.Partial].
func (s store) Has(d oci.Descriptor) bool { return s.has(s.path(d.Digest)) }

func (s store) has(name string) bool {
	_, err := s.root.Lstat(filepath.FromSlash(name))
	return err == nil
}

func (s store) read(name string, most int64) ([]byte, error) {
	f, _, err := local.Open(s.root, filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, most, name)
}

func (s store) Manifest(_ context.Context, d oci.Descriptor) ([]byte, error) {
	return s.read(s.path(d.Digest), oci.MaxManifest)
}

func (s store) Config(_ context.Context, d oci.Descriptor) ([]byte, error) {
	return s.read(s.path(d.Digest), oci.MaxConfig)
}

func (s store) Layer(d oci.Descriptor) layer.Blob {
	file := filepath.FromSlash(s.path(d.Digest))
	return layer.Blob{Open: func(context.Context) (io.ReadCloser, error) {
		f, _, err := local.Open(s.root, file)
		if err != nil {
			return nil, err
		}
		return f, nil
	}}
}
