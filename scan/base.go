package scan

import (
	"cmp"
	"context"
	"slices"

	"bulwark"
)

// markBase sets Base on the layers of t that belong to its base image and gives
// the base's name, or "" when it is not known. The longest chain of layers wins: of a
// base that the scanner was given or that the annotations name, or of an image that was
// scanned before.
func (s *Scanner) markBase(ctx context.Context, t *bulwark.Target, o *output) string {
	if t.Image == nil {
		return ""
	}
	ids := make([]string, len(t.Layers))
	for i, l := range t.Layers {
		ids[i] = l.DiffID
	}
	name, count := s.Cache.base(ids)
	bases := s.Bases
	if s.FindBase != nil {
		b, err := s.FindBase(ctx, t)
		if err != nil {
			o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/base", Text: err.Error()})
		}
		if b != nil {
			bases = append(slices.Clone(bases), *b)
		}
	}
	for _, b := range bases {
		n := len(b.DiffIDs)
		if n == 0 || n > len(ids) || !slices.Equal(ids[:n], b.DiffIDs) {
			o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/base", Text: "the image is not built on " + b.Name + ": its lowest layers are others"})
			continue
		}
		if n >= count {
			name, count = b.Name, n
		}
	}
	for i := range t.Layers[:count] {
		t.Layers[i].Base = true
	}
	named := cmp.Or(t.Image.Annotations[baseName], t.Image.Labels[baseName])
	if count == 0 && named != "" {
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/base", Text: "the image says that it is built on " + named +
			", whose layers are not known here: scan that image first, name it with --base, or allow --online"})
	}
	if count == 0 {
		return ""
	}
	return cmp.Or(named, name)
}

// baseName is where images say what they are built on
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
const baseName = "org.opencontainers.image.base.name"
