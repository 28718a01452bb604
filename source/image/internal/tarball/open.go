package tarball

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/oci"
)

const (
	maxImages = 1000
	maxLayers = 1000
)

// Options choose among the images of an archive.
type Options struct {
	Name     string // tag, digest of manifest or configuration; empty for the only one
	Platform oci.Platform
}

// Open lists the archive and makes a target of one image in it. The caller adds to
// Close what the medium needs.
func Open(ctx context.Context, m Medium, ref string, o Options) (*bulwark.Target, error) {
	x, err := newIndex(ctx, &m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	t, err := x.open(ctx, ref, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	if t.Stream = x.turns != nil; t.Stream {
		t.Close = x.turns.close
	}
	return t, nil
}

func (x *index) open(ctx context.Context, ref string, o Options) (*bulwark.Target, error) {
	switch {
	case x.find("index.json") != nil:
		b, err := x.read("index.json", oci.MaxManifest)
		if err != nil {
			return nil, err
		}
		return oci.FromLayout(ctx, b, store{x}, ref, o.Name, o.Platform)
	case x.find("manifest.json") != nil:
		m, err := x.docker(o.Name)
		if err != nil {
			return nil, err
		}
		m.Ref = ref
		return m.Target(o.Platform)
	}
	return nil, fmt.Errorf("no image archive: it has neither manifest.json nor index.json: %w", bulwark.ErrUnsupported)
}

// store is an OCI layout inside the archive.
type store struct{ *index }

var _ oci.Partial = store{}

// Has implements [oci.Partial].
func (s store) Has(d oci.Descriptor) bool { return s.find(digest.Path(d.Digest)) != nil }

func (s store) Manifest(_ context.Context, d oci.Descriptor) ([]byte, error) {
	return s.read(digest.Path(d.Digest), oci.MaxManifest)
}

func (s store) Config(_ context.Context, d oci.Descriptor) ([]byte, error) {
	return s.read(digest.Path(d.Digest), oci.MaxConfig)
}

func (s store) Layer(d oci.Descriptor) layer.Blob { return s.blob(digest.Path(d.Digest)) }

// saved is an image in the manifest.json of docker save.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func parseSaved(b []byte) ([]saved, error) {
	var list []saved
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("manifest.json: %w: %w", bulwark.ErrMalformed, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("manifest.json lists no image: %w", bulwark.ErrNotFound)
	}
	if len(list) > maxImages {
		return nil, fmt.Errorf("manifest.json lists %d images: %w", len(list), bulwark.ErrLimit)
	}
	return list, nil
}

// docker finds an image in Docker's own layout.
func (x *index) docker(name string) (*oci.Image, error) {
	b, err := x.read("manifest.json", oci.MaxManifest)
	if err != nil {
		return nil, err
	}
	list, err := parseSaved(b)
	if err != nil {
		return nil, err
	}
	s, err := x.choose(list, name)
	if err != nil {
		return nil, err
	}
	if len(s.Layers) > maxLayers {
		return nil, fmt.Errorf("%d layers: %w", len(s.Layers), bulwark.ErrLimit)
	}
	m := &oci.Image{}
	if len(list) == 1 && len(s.RepoTags) == 1 {
		m.Tag = s.RepoTags[0]
	}
	if m.Config, err = x.read(s.Config, oci.MaxConfig); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	for i, l := range s.Layers {
		b := x.blob(l)
		b.Name = fmt.Sprintf("layer %d (%.200q)", i, l)
		m.Layers = append(m.Layers, oci.Stored{Blob: b, Identity: x.identity(l)})
	}
	return m, nil
}

// identity names a member by the archive it lies in. What the configuration claims of
// a layer does not name its bytes.
func (x *index) identity(name string) string {
	m := x.find(name)
	if m == nil || x.medium.Identity == "" {
		return ""
	}
	return x.medium.Identity + ":" + strconv.Itoa(m.order)
}

func (x *index) choose(list []saved, name string) (*saved, error) {
	if name == "" && len(list) == 1 {
		return &list[0], nil
	}
	var names []string
	for i := range list {
		s := &list[i]
		for _, t := range s.RepoTags {
			if name != "" && oci.SameName(t, name) {
				return s, nil
			}
		}
		names = append(names, s.RepoTags...)
		if len(s.RepoTags) > 0 && name == "" {
			continue
		}
		// Without a tag it goes by the digest of its configuration.
		b, err := x.read(s.Config, oci.MaxConfig)
		if err != nil {
			continue
		}
		id := digest.Of(b)
		if id == name {
			return s, nil
		}
		if len(s.RepoTags) == 0 {
			names = append(names, id)
		}
	}
	if name == "" {
		return nil, oci.Several(names)
	}
	return nil, oci.NotHere(name, names)
}
