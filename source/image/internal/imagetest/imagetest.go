// Package imagetest builds images for tests.
package imagetest

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"bulwark"
)

// File is an entry of a layer. The type is a regular file when it is 0.
type File struct {
	Name, Body, Link string
	Type             byte
	Mode             int64
}

// Tar writes files into a tar.
func Tar(t testing.TB, files ...File) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if f.Type == 0 {
			f.Type = tar.TypeReg
		}
		if f.Mode == 0 {
			f.Mode = 0o644
		}
		h := &tar.Header{Name: f.Name, Size: int64(len(f.Body)), Linkname: f.Link, Typeflag: f.Type, Mode: f.Mode}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.Body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// Gzip compresses b.
func Gzip(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

// Zstd compresses b.
func Zstd(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

// Layer makes a layer of a tar, "gzip", "zstd" or "none".
func Layer(t testing.TB, b []byte, how compression.Compression) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, tarball.WithCompression(how))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Image makes an image for linux/arch with three layers, a gzip one, one that came about
// without files and one whose name tells images apart.
func Image(t testing.TB, name, arch string) v1.Image {
	t.Helper()
	img, err := mutate.Append(empty.Image,
		mutate.Addendum{Layer: Layer(t, Base(t), compression.GZip), History: v1.History{CreatedBy: "ADD base"}},
		mutate.Addendum{History: v1.History{CreatedBy: "ENV x=y", EmptyLayer: true}},
		mutate.Addendum{Layer: Layer(t, Tar(t, File{Name: "app/" + name, Body: name}), compression.GZip), History: v1.History{CreatedBy: "COPY app"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", arch
	cfg.Config.Labels = map[string]string{"org.opencontainers.image.title": name, "secret": "x"}
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatal(err)
	}
	return img
}

// Base is the lowest layer of every [Image].
func Base(t testing.TB) []byte {
	return Tar(t,
		File{Name: "etc/", Type: tar.TypeDir, Mode: 0o755},
		File{Name: "./etc/os-release", Body: "ID=debian\n"},
		File{Name: "bin", Link: "usr/bin", Type: tar.TypeSymlink},
		File{Name: "etc/release", Link: "./etc/os-release", Type: tar.TypeLink},
	)
}

// WantOf is what [Contents] must give for [Image].
func WantOf(name string) []string {
	return []string{
		"0 d etc", "0 - etc/os-release ID=debian\n", "0 L bin usr/bin", "0 h etc/release etc/os-release",
		"1 - app/" + name + " " + name,
	}
}

// Contents walks all layers of a target and lists what is in them.
func Contents(ctx context.Context, target *bulwark.Target) ([]string, error) {
	var list []string
	for _, l := range target.Layers {
		err := l.Tree.Walk(ctx, func(e *bulwark.Entry) error {
			s, err := Line(e)
			list = append(list, fmt.Sprint(l.Index, " ", s))
			return err
		})
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// Line describes an entry.
func Line(e *bulwark.Entry) (string, error) {
	switch {
	case e.Err != nil:
		return "! " + e.Path, nil
	case e.Hard:
		return "h " + e.Path + " " + e.Link, nil
	case e.Body == nil:
		s := e.Mode.String()[:1] + " " + e.Path
		if e.Link != "" {
			s += " " + e.Link
		}
		return s, nil
	}
	b, err := io.ReadAll(e.Body)
	return "- " + e.Path + " " + string(b), err
}
