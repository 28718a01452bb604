// Package image names container images, where they may lie: in an archive or a layout on
// this machine, in a registry, or with a container engine. The folders below open them.
package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"bulwark"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/local"
)

// Split divides FILE#NAME: which image of an archive or a layout is meant. NAME is a tag
// ("nginx:1.27"), or the digest of its manifest or configuration. A file that has the
// whole of ref as its name is that file.
func Split(ref string) (file, name string) {
	i := strings.LastIndexByte(ref, '#')
	if i <= 0 {
		return ref, ""
	}
	if _, err := os.Lstat(ref); err == nil {
		return ref, ""
	}
	return ref[:i], ref[i+1:]
}

// IsArchive tells whether a file is a tar, plain or compressed with gzip or zstd. It
// reads no more than its start, so it may be a tar without an image.
func IsArchive(file string) bool {
	if st, err := os.Stat(file); err != nil || !st.Mode().IsRegular() {
		return false // a pipe would lose what was read of it
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	r, _, err := layer.Inflate(f, layer.Budget{})
	if err != nil {
		return false
	}
	defer r.Close()
	_, err = tar.NewReader(io.LimitReader(r, 4<<20)).Next()
	return err == nil
}

// IsLayout tells whether a folder holds an image: an OCI image layout, or the flat
// folder of skopeo's "dir:".
func IsLayout(dir string) bool {
	return isRegular(dir, "oci-layout") && isRegular(dir, "index.json") ||
		isRegular(dir, "manifest.json") && starts(filepath.Join(dir, "version"), "Directory Transport Version: ")
}

func isRegular(dir, name string) bool {
	st, err := os.Stat(filepath.Join(dir, name))
	return err == nil && st.Mode().IsRegular()
}

func starts(file, with string) bool {
	f, _, err := local.Open(nil, file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(with))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == with
}

// Reference names an image in a registry.
type Reference struct {
	Registry   string // host, with its port if any: "index.docker.io"
	Repository string // "library/nginx"
	Tag        string // empty when the digest is given
	Digest     string
}

// ParseReference reads a reference as Docker does: "nginx" is
// index.docker.io/library/nginx:latest. The error wraps ErrMalformed.
func ParseReference(s string) (Reference, error) {
	ref, err := name.ParseReference(s, name.WeakValidation)
	if err != nil || strings.HasPrefix(s, ".") { // ./x is a path, not a registry
		return Reference{}, fmt.Errorf("image reference %.300q: %w", s, bulwark.ErrMalformed)
	}
	r := Reference{Registry: ref.Context().RegistryStr(), Repository: ref.Context().RepositoryStr()}
	if d, ok := ref.(name.Digest); ok {
		r.Digest = d.DigestStr()
	} else {
		r.Tag = ref.Identifier()
	}
	return r, nil
}

// Identifier is the digest, or the tag.
func (r Reference) Identifier() string {
	if r.Digest != "" {
		return r.Digest
	}
	return r.Tag
}

func (r Reference) String() string {
	if r.Digest != "" {
		return r.Registry + "/" + r.Repository + "@" + r.Digest
	}
	return r.Registry + "/" + r.Repository + ":" + r.Tag
}
