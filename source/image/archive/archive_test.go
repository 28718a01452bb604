package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/imagetest"
)

// write puts bytes into a file.
func write(t testing.TB, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// docker writes images as go-containerregistry does.
func docker(t testing.TB, images map[string]v1.Image) []byte {
	t.Helper()
	tags := map[name.Tag]v1.Image{}
	for n, img := range images {
		tag, err := name.NewTag(n)
		if err != nil {
			t.Fatal(err)
		}
		tags[tag] = img
	}
	var buf bytes.Buffer
	if err := tarball.MultiWrite(tags, &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// ociTar writes images as an OCI layout, and the layout as a tar.
func ociTar(t testing.TB, images ...v1.Image) []byte {
	t.Helper()
	dir := t.TempDir()
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for i, img := range images {
		if err := l.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": fmt.Sprint("v", i)})); err != nil {
			t.Fatal(err)
		}
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return buf.Bytes()
}

// saved writes an archive as docker save did before version 25: a folder for each layer,
// with links between layers that are the same.
func saved(t testing.TB) []byte {
	base := imagetest.Base(t)
	cfg, _ := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"diff_ids": []string{digest.Of(base), digest.Of(base), digest.Of(base)}}})
	manifest := `[{"Config":"cfg.json","RepoTags":["old:1"],"Layers":["aa/layer.tar","bb/layer.tar","cc/layer.tar"]}]`
	return imagetest.Tar(t,
		imagetest.File{Name: "bb/layer.tar", Link: "../aa/layer.tar", Type: tar.TypeSymlink},
		imagetest.File{Name: "aa/layer.tar", Body: string(base)},
		imagetest.File{Name: "cc/layer.tar", Link: "aa/layer.tar", Type: tar.TypeLink},
		imagetest.File{Name: "cfg.json", Body: string(cfg)},
		imagetest.File{Name: "manifest.json", Body: manifest},
	)
}

func open(t testing.TB, s *Source, ref string) *bulwark.Target {
	t.Helper()
	target, err := s.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return target
}

func TestOpen(t *testing.T) {
	img := imagetest.Image(t, "app", "amd64")
	cfg, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	for format, b := range map[string][]byte{
		"docker": docker(t, map[string]v1.Image{"app:1": img}),
		"oci":    ociTar(t, img),
	} {
		for encoding, encode := range map[string]func([]byte) []byte{
			"plain": func(b []byte) []byte { return b }, "gzip": imagetest.Gzip, "zstd": imagetest.Zstd,
		} {
			t.Run(format+" "+encoding, func(t *testing.T) {
				target := open(t, &Source{}, write(t, encode(b)))
				if id := "image:" + cfg.String(); string(target.Asset.ID) != id {
					t.Errorf("asset %s, want %s", target.Asset.ID, id)
				}
				if target.Stream != (encoding != "plain") {
					t.Errorf("stream %v", target.Stream)
				}
				if got := target.Layers[1].CreatedBy; got != "COPY app" {
					t.Errorf("layer 1 created by %q", got)
				}
				for _, l := range target.Layers {
					if byDigest := strings.HasPrefix(l.Identity, "sha256:"); byDigest != (format == "oci") {
						t.Errorf("identity %q", l.Identity)
					}
				}
				got, err := imagetest.Contents(t.Context(), target)
				if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
					t.Errorf("contents (-want +got):\n%s%v", diff, err)
				}
			})
		}
	}
}

func TestChoose(t *testing.T) {
	one, two := imagetest.Image(t, "one", "amd64"), imagetest.Image(t, "two", "amd64")
	d := write(t, docker(t, map[string]v1.Image{"one:1": one, "example.com/two:2": two}))
	o := write(t, ociTar(t, one, two))
	id, _ := two.ConfigName()
	manifest, _ := two.Digest()
	for _, tt := range []struct{ ref, want string }{
		{d + "#one:1", "one"}, {d + "#docker.io/library/one:1", "one"}, {d + "#example.com/two:2", "two"}, {d + "#" + id.String(), "two"},
		{o + "#v0", "one"}, {o + "#v1", "two"}, {o + "#" + manifest.String(), "two"},
		{d, ""}, {d + "#three", ""}, {o, ""}, {o + "#v2", ""},
	} {
		target, err := (&Source{}).Open(t.Context(), tt.ref)
		if tt.want == "" {
			if !errors.Is(err, bulwark.ErrNotFound) || !strings.Contains(err.Error(), `"`) {
				t.Errorf("Open(%s) = %v, want the names that there are", tt.ref, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("Open(%s) = %v", tt.ref, err)
			continue
		}
		if got := target.Asset.Labels["org.opencontainers.image.title"]; got != tt.want || target.Asset.Name != tt.ref {
			t.Errorf("Open(%s) = %s called %s, want %s", tt.ref, got, target.Asset.Name, tt.want)
		}
		target.Close()
	}
	if _, err := (&Source{Platform: "linux/arm64"}).Open(t.Context(), d+"#one:1"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("another platform: %v", err)
	}
}

// TestRepoTag: an archive of one image says what it is called, unless it has several names.
func TestRepoTag(t *testing.T) {
	one, two := imagetest.Image(t, "one", "amd64"), imagetest.Image(t, "two", "amd64")
	of := func(ref string) string { return open(t, &Source{}, ref).Asset.Labels["repoTag"] }
	for _, tt := range []struct {
		what, ref, want string
	}{
		{"one tag", write(t, docker(t, map[string]v1.Image{"shop:latest": one})), "shop:latest"},
		{"two tags", write(t, docker(t, map[string]v1.Image{"shop:latest": one, "shop:1": one})), ""},
		{"two images", write(t, docker(t, map[string]v1.Image{"shop:latest": one, "two:1": two})) + "#two:1", ""},
		{"old docker save", write(t, saved(t)), "old:1"},
		{"a layout", write(t, ociTar(t, one)), "v0"},
		{"a layout of two", write(t, ociTar(t, one, two)) + "#v1", ""},
	} {
		if got := of(tt.ref); got != tt.want {
			t.Errorf("%s: repoTag %q, want %q", tt.what, got, tt.want)
		}
	}
}

func TestOldDockerSave(t *testing.T) {
	var want []string
	for i := range 3 {
		for _, l := range imagetest.WantOf("")[:4] {
			want = append(want, fmt.Sprint(i)+l[1:])
		}
	}
	for _, encode := range []func([]byte) []byte{slices.Clone[[]byte], imagetest.Gzip} {
		got, err := imagetest.Contents(t.Context(), open(t, &Source{}, write(t, encode(saved(t)))))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("contents (-want +got):\n%s%v", diff, err)
		}
	}
}

func TestStdin(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	file, err := os.Open(write(t, b))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, in := range map[string]io.Reader{"pipe": bytes.NewReader(b), "file": file, "compressed": bytes.NewReader(imagetest.Gzip(b))} {
		got, err := imagetest.Contents(t.Context(), open(t, &Source{Stdin: in}, "-"))
		if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
			t.Errorf("%s: contents (-want +got):\n%s%v", name, diff, err)
		}
	}
	if _, err := (&Source{Stdin: bytes.NewReader(b), Memory: 1000}).Open(t.Context(), "-"); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("too large: %v", err)
	}
}

func TestBadArchives(t *testing.T) {
	good := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	manifest := func(s string) []byte { return imagetest.Tar(t, imagetest.File{Name: "manifest.json", Body: s}) }
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file string
		want       error
	}{
		{"not there", filepath.Join(dir, "x"), bulwark.ErrNotFound},
		{"folder", dir, bulwark.ErrUnsupported},
		{"truncated", write(t, good[:1000]), bulwark.ErrMalformed},
		{"truncated gzip", write(t, imagetest.Gzip(good)[:900]), bulwark.ErrMalformed},
		{"xz", write(t, []byte("\xfd7zXZ\x00")), bulwark.ErrUnsupported},
		{"no image", write(t, imagetest.Base(t)), bulwark.ErrUnsupported},
		{"empty", write(t, nil), bulwark.ErrUnsupported},
		{"text", write(t, []byte(strings.Repeat("hello ", 1000))), bulwark.ErrMalformed},
		{"no list", write(t, manifest(`{}`)), bulwark.ErrMalformed},
		{"empty list", write(t, manifest(`[]`)), bulwark.ErrNotFound},
		{"wrong types", write(t, manifest(`[{"Layers": 1}]`)), bulwark.ErrMalformed},
		{"configuration missing", write(t, manifest(`[{"Config": "../../etc/passwd"}]`)), bulwark.ErrNotFound},
		{"configuration is itself", write(t, manifest(`[{"Config": "manifest.json"}]`)), bulwark.ErrMalformed},
		{"links in a circle", write(t, imagetest.Tar(t, imagetest.File{Name: "manifest.json", Link: "manifest.json", Type: tar.TypeSymlink})), bulwark.ErrUnsupported},
		{"huge manifest", write(t, manifest(strings.Repeat(" ", 5<<20))), bulwark.ErrLimit},
		{"no OCI index", write(t, imagetest.Tar(t, imagetest.File{Name: "index.json", Body: "[]"})), bulwark.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := (&Source{}).Open(t.Context(), tt.file); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLayerThatIsNotWhatItClaims(t *testing.T) {
	b := saved(t)
	for _, encode := range []func([]byte) []byte{slices.Clone[[]byte], imagetest.Gzip} {
		file := write(t, encode(bytes.Replace(b, []byte("ID=debian"), []byte("ID=alpine"), 1)))
		if _, err := imagetest.Contents(t.Context(), open(t, &Source{}, file)); !errors.Is(err, bulwark.ErrUntrusted) {
			t.Errorf("Walk = %v", err)
		}
	}
}

func TestFileThatChanges(t *testing.T) {
	file := write(t, saved(t))
	target := open(t, &Source{}, file)
	err := target.Layers[0].Tree.Walk(t.Context(), func(*bulwark.Entry) error {
		return os.Chmod(file, 0o644) // its change time moves as if it were written to
	})
	if !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("Walk = %v", err)
	}
}

// manyLayers has layers of several chunks.
func manyLayers(t testing.TB, n int) v1.Image {
	img := empty.Image
	for i := range n {
		b := imagetest.Tar(t, imagetest.File{Name: fmt.Sprint("f", i), Body: strings.Repeat(fmt.Sprintf("%d;", i), 400_000)})
		var err error
		if img, err = mutate.AppendLayers(img, imagetest.Layer(t, b, "none")); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func TestStreamServesAllAtOnce(t *testing.T) {
	target := open(t, &Source{}, write(t, imagetest.Gzip(docker(t, map[string]v1.Image{"x:1": manyLayers(t, 6)}))))
	var wg sync.WaitGroup
	for _, l := range target.Layers {
		wg.Go(func() {
			n := 0
			err := l.Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
				n++
				_, err := io.Copy(io.Discard, e.Body)
				return err
			})
			if n != 1 || err != nil {
				t.Errorf("layer %d: %d entries, %v", l.Index, n, err)
			}
		})
	}
	wg.Wait()
}

func TestStreamGoesOnWhenOneReaderStops(t *testing.T) {
	target := open(t, &Source{}, write(t, imagetest.Gzip(docker(t, map[string]v1.Image{"x:1": manyLayers(t, 3)}))))
	stop := errors.New("stop")
	for range 3 {
		if err := target.Layers[1].Tree.Walk(t.Context(), func(*bulwark.Entry) error { return stop }); err != stop {
			t.Errorf("Walk = %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := target.Layers[2].Tree.Walk(ctx, func(*bulwark.Entry) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Walk = %v", err)
		}
		if got, err := imagetest.Contents(t.Context(), target); len(got) != 3 || err != nil {
			t.Errorf("%d entries, %v", len(got), err)
		}
	}
	if err := target.Close(); err != nil {
		t.Error(err)
	}
	if _, err := imagetest.Contents(t.Context(), target); err == nil {
		t.Error("a closed image was read")
	}
}
