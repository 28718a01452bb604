package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
	"bulwark/source/image/internal/oci"
)

// opened opens the image and closes it when the test ends.
func opened(t *testing.T, s *Source) *bulwark.Target {
	t.Helper()
	target, err := s.Open(t.Context(), "app:1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

// about is what a target says of its image, without how it is read.
func about(target *bulwark.Target) any {
	layers := make([]bulwark.Layer, len(target.Layers))
	for i, l := range target.Layers {
		l.Tree = nil
		layers[i] = l
	}
	return []any{target.Asset, target.Image, layers, target.Absolute, target.Stream}
}

func TestRecall(t *testing.T) {
	e := &engine{img: imagetest.Image(t, "app", "amd64")}
	s := listen(t, e)
	s.Recall = filepath.Join(t.TempDir(), "engine")
	first := opened(t, s)
	for _, l := range first.Layers {
		if l.Identity == "" {
			t.Errorf("layer %d has no identity: its results are never kept", l.Index)
		}
	}
	if n := e.exports.Load(); n != 1 {
		t.Errorf("%d exports to list the image", n)
	}
	second := opened(t, s)
	if n := e.exports.Load(); n != 1 {
		t.Errorf("%d exports to list it again", n-1)
	}
	if diff := cmp.Diff(about(first), about(second)); diff != "" {
		t.Errorf("the second time (-first +second):\n%s", diff)
	}
	got, err := imagetest.Contents(t.Context(), second)
	if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
		t.Errorf("contents (-want +got):\n%s%v", diff, err)
	}
}

// TestRecallIsOfOneImage: what is kept says nothing of another image or platform, nor
// does what is damaged.
func TestRecallIsOfOneImage(t *testing.T) {
	e := &engine{img: imagetest.Image(t, "app", "amd64")}
	s := listen(t, e)
	s.Recall = t.TempDir()
	opened(t, s)
	kept, err := filepath.Glob(filepath.Join(s.Recall, "*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	data, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string) {
		t.Helper()
		before := e.exports.Load()
		if target := opened(t, s); e.exports.Load() == before {
			t.Errorf("%s: not listed: %v", what, target.Asset)
		}
	}
	for _, bad := range []string{"", "{}", string(data[:len(data)/2])} {
		if err := os.WriteFile(kept[0], []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		again(bad)
	}
	s.Platform = "linux/amd64"
	again("another platform")
	s.Platform = ""
	e.img = imagetest.Image(t, "other", "amd64")
	again("another image")
	if id, _ := e.img.ConfigName(); os.WriteFile(newRecall(s.Recall).file(id.String(), oci.Platform{}), data, 0o600) != nil {
		t.Fatal("not written")
	}
	again("another image's description")
}

// TestRecallFails: an export that turns out to be of another image is not believed, and
// one that cannot be made fails the walk alone.
func TestRecallFails(t *testing.T) {
	e := &engine{img: imagetest.Image(t, "app", "amd64")}
	s := listen(t, e)
	s.Recall = t.TempDir()
	opened(t, s)
	walk := func(target *bulwark.Target) error {
		return target.Layers[0].Tree.Walk(t.Context(), func(*bulwark.Entry) error { return nil })
	}
	target := opened(t, s)
	e.cut = 700
	if err := walk(target); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Errorf("an export that breaks off: %v", err)
	}
	e.cut = 0
	if err := walk(target); err != nil {
		t.Errorf("when it does not: %v", err)
	}
	target = opened(t, s)
	e.export = imagetest.Image(t, "other", "amd64")
	if err := walk(target); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("an export of another image: %v", err)
	}
}

// exported is the image that exports are of.
func (e *engine) exported() v1.Image {
	if e.export != nil {
		return e.export
	}
	return e.img
}
