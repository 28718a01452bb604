package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/oci"
)

// recall is a folder that keeps how images were described, so that an image of which
// every layer is known need not be exported again. An image's id is a digest: what it names
// never changes. A nil recall keeps nothing.
type recall struct{ dir string }

// description is what an export says of an image beside its layers' bytes.
type description struct {
	Config                      []byte
	ManifestDigest, IndexDigest string
	Annotations                 map[string]string
	Layers                      []part
}

type part struct {
	Digest   string // of the stored blob; empty where the layer goes by its diffID
	Size     int64
	Identity string
}

const maxDescription = 2*oci.MaxConfig + 2*oci.MaxManifest

func newRecall(dir string) *recall {
	if dir == "" {
		return nil
	}
	return &recall{dir}
}

func (r *recall) file(id string, p oci.Platform) string {
	sum := sha256.Sum256([]byte(id + " " + p.String()))
	return filepath.Join(r.dir, fmt.Sprintf("%x", sum[:20]))
}

// keep remembers an image that was listed. That it cannot is no failure: the image is listed
// again next time.
func (r *recall) keep(id string, p oci.Platform, t *bulwark.Target) {
	d := description{Config: t.Image.Config, ManifestDigest: t.Image.ManifestDigest, IndexDigest: t.Image.IndexDigest, Annotations: t.Image.Annotations}
	for _, l := range t.Layers {
		d.Layers = append(d.Layers, part{l.Digest, l.Size, l.Identity})
	}
	if r == nil || !d.is(id) {
		return
	}
	data, err := json.Marshal(d)
	if err != nil || os.MkdirAll(r.dir, 0o700) != nil {
		return
	}
	tmp, err := os.CreateTemp(r.dir, ".new-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(data)
	if closed := tmp.Close(); err != nil || closed != nil || os.Rename(tmp.Name(), r.file(id, p)) != nil {
		os.Remove(tmp.Name())
	}
}

// known gives the description of an image; nil when there is none that can be believed.
func (r *recall) known(id string, p oci.Platform) *description {
	if r == nil {
		return nil
	}
	f, err := os.Open(r.file(id, p))
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxDescription, "a description")
	var d description
	if err != nil || json.Unmarshal(data, &d) != nil || !d.is(id) {
		return nil
	}
	return &d
}

// is tells whether the id names what is described: Docker and Podman name an image by its
// configuration, and Docker with containerd's store by its manifest or index.
func (d *description) is(id string) bool {
	return slices.Contains([]string{digest.Of(d.Config), d.ManifestDigest, d.IndexDigest}, id)
}

// target makes a target whose layers are read out of an export that open makes when the
// first of them is needed.
func (d *description) target(ref string, p oci.Platform, open func(context.Context) (*bulwark.Target, error)) (*bulwark.Target, error) {
	m := oci.Image{Ref: ref, ManifestDigest: d.ManifestDigest, IndexDigest: d.IndexDigest, Annotations: d.Annotations, Config: d.Config}
	for _, l := range d.Layers {
		m.Layers = append(m.Layers, oci.Stored{Blob: layer.Blob{Digest: l.Digest, Size: l.Size}, Identity: l.Identity})
	}
	t, err := m.Target(p)
	if err != nil {
		return nil, err
	}
	e := &export{open: open, id: t.Asset.ID}
	for i := range t.Layers {
		t.Layers[i].Tree = &late{e, i}
	}
	t.Stream, t.Close = true, e.close
	return t, nil
}

// export is an image's export, made when it is needed.
type export struct {
	open func(context.Context) (*bulwark.Target, error)
	id   bulwark.AssetID

	mu sync.Mutex
	t  *bulwark.Target
}

// get makes the export unless that was done. Others wait for it.
func (e *export) get(ctx context.Context) (*bulwark.Target, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.t != nil {
		return e.t, nil
	}
	t, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	if t.Asset.ID != e.id {
		t.Close()
		return nil, fmt.Errorf("the engine exports %s instead of %s: %w", t.Asset.ID, e.id, bulwark.ErrUntrusted)
	}
	e.t = t
	return t, nil
}

// now is the export as far as it was made; nil before.
func (e *export) now() *bulwark.Target {
	if !e.mu.TryLock() {
		return nil
	}
	defer e.mu.Unlock()
	return e.t
}

func (e *export) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.t == nil {
		return nil
	}
	return e.t.Close()
}

// late is a layer of an export that need not be made yet.
type late struct {
	of    *export
	index int
}

var (
	_ bulwark.Tree  = (*late)(nil)
	_ bulwark.Meter = (*late)(nil)
)

// Walk implements [bulwark.Tree].
func (l *late) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	t, err := l.of.get(ctx)
	if err != nil {
		return err
	}
	return t.Layers[l.index].Tree.Walk(ctx, visit)
}

// BytesRead implements [bulwark.Meter].
func (l *late) BytesRead() int64 {
	if t := l.of.now(); t != nil {
		if m, ok := t.Layers[l.index].Tree.(bulwark.Meter); ok {
			return m.BytesRead()
		}
	}
	return 0
}
