package layout

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ggcr "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/imagetest"
)

// write makes a layout with an index of one image for each architecture, as another
// library writes it.
func write(t testing.TB, arch ...string) (dir string, images []v1.Image) {
	t.Helper()
	dir = t.TempDir()
	index := v1.ImageIndex(empty.Index)
	for _, a := range arch {
		img := imagetest.Image(t, a, a)
		images = append(images, img)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: a}}})
	}
	l, err := ggcr.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendIndex(index, ggcr.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "all"})); err != nil {
		t.Fatal(err)
	}
	return dir, images
}

func TestOpen(t *testing.T) {
	dir, images := write(t, "amd64", "arm64", "s390x")
	for i, p := range []string{"linux/amd64", "linux/arm64", "linux/s390x"} {
		target, err := (&Source{Platform: p}).Open(t.Context(), dir+"#all")
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		manifest, _ := images[i].Digest()
		if target.Image.ManifestDigest != manifest.String() || target.Image.IndexDigest == "" || target.Layers[0].Identity != target.Layers[0].Digest {
			t.Errorf("image %+v, layer %+v", target.Image, target.Layers[0])
		}
		got, err := imagetest.Contents(t.Context(), target)
		if diff := cmp.Diff(imagetest.WantOf(target.Image.Arch), got); diff != "" || err != nil {
			t.Errorf("%s: contents (-want +got):\n%s%v", p, diff, err)
		}
	}
	if _, err := (&Source{Platform: "windows/amd64"}).Open(t.Context(), dir); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("another platform: %v", err)
	}
}

func TestDamagedLayouts(t *testing.T) {
	layerOf := func(img v1.Image, dir string) string {
		layers, _ := img.Layers()
		d, _ := layers[0].Digest()
		return filepath.Join(dir, digest.Path(d.String()))
	}
	change := func(t *testing.T, file string, f func([]byte) []byte) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, dir string, img v1.Image)
		want   error
	}{
		{"no folder", func(t *testing.T, dir string, _ v1.Image) { os.RemoveAll(dir) }, bulwark.ErrNotFound},
		{"no index", func(t *testing.T, dir string, _ v1.Image) { os.Remove(filepath.Join(dir, "index.json")) }, bulwark.ErrNotFound},
		{"half an index", func(t *testing.T, dir string, _ v1.Image) {
			change(t, filepath.Join(dir, "index.json"), func(b []byte) []byte { return b[:len(b)/2] })
		}, bulwark.ErrMalformed},
		{"manifest", func(t *testing.T, dir string, img v1.Image) {
			d, _ := img.Digest()
			change(t, filepath.Join(dir, digest.Path(d.String())), func(b []byte) []byte { b[10] ^= 1; return b })
		}, bulwark.ErrUntrusted},
		{"longer configuration", func(t *testing.T, dir string, img v1.Image) {
			d, _ := img.ConfigName()
			change(t, filepath.Join(dir, digest.Path(d.String())), func(b []byte) []byte { return append(b, ' ') })
		}, bulwark.ErrUntrusted},
		{"layer", func(t *testing.T, dir string, img v1.Image) {
			change(t, layerOf(img, dir), func(b []byte) []byte { b[4] ^= 1; return b }) // the time in the gzip header
		}, bulwark.ErrUntrusted},
		{"truncated layer", func(t *testing.T, dir string, img v1.Image) {
			change(t, layerOf(img, dir), func(b []byte) []byte { return b[:len(b)-9] })
		}, bulwark.ErrUntrusted},
		{"missing layer", func(t *testing.T, dir string, img v1.Image) { os.Remove(layerOf(img, dir)) }, bulwark.ErrNotFound},
		{"a pipe instead of a layer", func(t *testing.T, dir string, img v1.Image) {
			os.Remove(layerOf(img, dir))
			if err := syscall.Mkfifo(layerOf(img, dir), 0o600); err != nil {
				t.Fatal(err)
			}
		}, bulwark.ErrUnsupported},
		{"a link out of the layout", func(t *testing.T, dir string, img v1.Image) {
			other := filepath.Join(t.TempDir(), "x")
			if err := errors.Join(os.Rename(layerOf(img, dir), other), os.Symlink(other, layerOf(img, dir))); err != nil {
				t.Fatal(err)
			}
		}, bulwark.ErrUntrusted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, images := write(t, "amd64")
			tt.damage(t, dir, images[0])
			target, err := (&Source{}).Open(t.Context(), dir)
			if err == nil {
				_, err = imagetest.Contents(t.Context(), target)
				target.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}
