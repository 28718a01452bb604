package layout

import (
	"context"
	"os"
	"strings"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/oci"
)

// flat is a folder as skopeo's "dir:" writes it
// (https://github.com/containers/image/blob/main/docs/containers-transports.5.md). All
// manifests but the first, those of an index, have names of their own.
type flat struct {
	store
	first string // digest of manifest.json
}

func openFlat(ctx context.Context, root *os.Root, ref, name string, p oci.Platform) (*bulwark.Target, error) {
	st := flat{store: store{root, hex}}
	b, err := st.read("manifest.json", oci.MaxManifest)
	if err != nil {
		return nil, err
	}
	st.first = digest.Of(b)
	list, err := oci.Select([]oci.Descriptor{{Digest: st.first, Size: int64(len(b))}}, name)
	if err != nil {
		return nil, err
	}
	m, err := oci.Resolve(ctx, st, list, p)
	if err != nil {
		return nil, err
	}
	m.Ref = ref
	return m.Target(p)
}

var _ oci.Partial = flat{}

// Has implements [oci.Partial].
func (s flat) Has(d oci.Descriptor) bool { return s.has(s.manifest(d)) }

func (s flat) Manifest(_ context.Context, d oci.Descriptor) ([]byte, error) {
	return s.read(s.manifest(d), oci.MaxManifest)
}

func (s flat) manifest(d oci.Descriptor) string {
	if d.Digest == s.first {
		return "manifest.json"
	}
	return hex(d.Digest) + ".manifest.json"
}

func hex(d string) string { return d[strings.IndexByte(d, ':')+1:] }
