package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/imagetest"
)

// flatten writes a layout of [write] as skopeo does with "--all" into "dir:".
func flatten(t *testing.T, arch ...string) string {
	t.Helper()
	from, images := write(t, arch...)
	dir := t.TempDir()
	put := func(name string, b []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(from, "blobs/sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range blobs {
		b, err := os.ReadFile(filepath.Join(from, "blobs/sha256", e.Name()))
		put(e.Name(), b, err)
	}
	entries := ""
	for i, img := range images {
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		b, err := img.RawManifest()
		put(hex(d.String())+".manifest.json", b, err)
		if i > 0 {
			entries += ","
		}
		entries += fmt.Sprintf(`{"digest": %q, "size": %d, "platform": {"os": "linux", "architecture": %q}}`, d, len(b), arch[i])
	}
	put("manifest.json", []byte(`{"schemaVersion": 2, "manifests": [`+entries+`]}`), nil)
	put("version", []byte("Directory Transport Version: 1.1\n"), nil)
	return dir
}

func TestFlat(t *testing.T) {
	dir := flatten(t, "amd64", "arm64")
	for _, arch := range []string{"amd64", "arm64"} {
		target, err := (&Source{Platform: "linux/" + arch}).Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		b, _ := os.ReadFile(filepath.Join(dir, "manifest.json"))
		if target.Image.IndexDigest != digest.Of(b) || target.Layers[0].Identity != target.Layers[0].Digest {
			t.Errorf("image %+v, layer %+v", target.Image, target.Layers[0])
		}
		got, err := imagetest.Contents(t.Context(), target)
		if diff := cmp.Diff(imagetest.WantOf(arch), got); diff != "" || err != nil {
			t.Errorf("%s: contents (-want +got):\n%s%v", arch, diff, err)
		}
	}
	if _, err := (&Source{}).Open(t.Context(), dir+"#other"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("another name: %v", err)
	}
}

func TestDamagedFlat(t *testing.T) {
	dir := flatten(t, "amd64")
	list, err := filepath.Glob(filepath.Join(dir, "*.manifest.json"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for name, change := range map[string]func() error{
		"changed": func() error { return os.WriteFile(list[0], []byte("{}"), 0o600) },
		"leads away": func() error {
			return errors.Join(os.Remove(list[0]), os.Symlink("/etc/passwd", list[0]))
		},
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, err := (&Source{}).Open(t.Context(), dir); !errors.Is(err, bulwark.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
