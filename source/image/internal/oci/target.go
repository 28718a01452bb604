package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
)

// Target makes a target of the image; the caller sets Close and Stream.
func (m *Image) Target(wanted Platform) (*bulwark.Target, error) {
	var c config
	if err := decode(m.Config, &c, "image configuration"); err != nil {
		return nil, err
	}
	if wanted != (Platform{}) && !c.Platform.runs(wanted) {
		return nil, fmt.Errorf("the image is for %.60q, not for %s: %w", c.Platform.String(), wanted, bulwark.ErrNotFound)
	}
	if have, want := len(m.Layers), len(c.RootFS.DiffIDs); have != want {
		return nil, fmt.Errorf("%d layers, and the configuration lists %d: %w", have, want, bulwark.ErrMalformed)
	}
	id := digest.Of(m.Config)
	t := &bulwark.Target{
		Asset:    bulwark.Asset{ID: bulwark.AssetID("image:" + id), Kind: "image", Name: m.Ref, Labels: m.labels(&c)},
		Absolute: true,
		Image:    m.image(&c, id),
	}
	lines := created(&c)
	grace := &layer.Pool{}
	for i := range m.Layers {
		m.Layers[i].Blob.Budget.Shared = grace
		l, err := m.layer(i, c.RootFS.DiffIDs[i])
		if err != nil {
			return nil, err
		}
		if i < len(lines) {
			l.CreatedBy = lines[i]
		}
		t.Layers = append(t.Layers, l)
	}
	return t, nil
}

func (m *Image) layer(i int, diffID string) (bulwark.Layer, error) {
	if err := digest.Check(diffID); err != nil {
		return bulwark.Layer{}, fmt.Errorf("diffID of layer %d: %w", i, err)
	}
	s := &m.Layers[i]
	s.Blob.DiffID, s.Blob.Read = diffID, new(atomic.Int64)
	if s.Blob.Name == "" {
		s.Blob.Name = fmt.Sprintf("layer %d (%s)", i, first(s.Blob.Digest, diffID))
	}
	return bulwark.Layer{
		Index: i, DiffID: diffID, Digest: s.Blob.Digest, Size: s.Blob.Size,
		Identity: s.Identity, Tree: &s.Blob,
	}, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (m *Image) image(c *config, id string) *bulwark.Image {
	im := &bulwark.Image{
		ConfigDigest: id, ManifestDigest: m.ManifestDigest, IndexDigest: m.IndexDigest,
		OS: c.OS, Arch: c.arch(), Labels: c.Config.Labels, Annotations: m.Annotations, Config: m.Config,
	}
	// A date that cannot be read is as good as none.
	im.Created, _ = time.Parse(time.RFC3339Nano, c.Created)
	for _, h := range c.History {
		im.History = append(im.History, bulwark.History{CreatedBy: h.CreatedBy, Comment: h.Comment, Empty: h.Empty})
	}
	return im
}

// created gives each layer its line of the history; none when the two do not fit.
func created(c *config) []string {
	var lines []string
	for _, h := range c.History {
		if !h.Empty {
			lines = append(lines, h.CreatedBy)
		}
	}
	if len(lines) != len(c.RootFS.DiffIDs) {
		return nil
	}
	return lines
}

const (
	maxLabel  = 1000 // bytes of a value
	ociPrefix = "org.opencontainers.image."
)

// labels of the asset: how it was found, and what it says of itself in OCI's words. The
// configuration is covered by the asset's id, so it wins over annotations.
func (m *Image) labels(c *config) map[string]string {
	labels := map[string]string{"reference": m.Ref}
	for k, v := range map[string]string{"manifest": m.ManifestDigest, "index": m.IndexDigest, "os": c.OS, "arch": c.arch(), "repoTag": m.Tag} {
		if v != "" && len(v) <= maxLabel {
			labels[k] = v
		}
	}
	for _, from := range []map[string]string{m.Annotations, c.Config.Labels} {
		for _, name := range ociNames {
			if v := from[ociPrefix+name]; v != "" && len(v) <= maxLabel {
				labels[ociPrefix+name] = v
			}
		}
	}
	return labels
}

// ociNames are the annotations that OCI defines
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
var ociNames = strings.Fields("created authors url documentation source version revision vendor licenses ref.name title description base.digest base.name")

// foreign explains why a layer is missing that need not lie beside its manifest.
func foreign(open func(context.Context) (io.ReadCloser, error)) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		rc, err := open(ctx)
		if errors.Is(err, bulwark.ErrNotFound) {
			return nil, fmt.Errorf("a foreign layer that is not stored with the image: %w", bulwark.ErrUnsupported)
		}
		return rc, err
	}
}
