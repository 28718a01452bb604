package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
)

// memory is a store of blobs by digest.
type memory map[string][]byte

func (m memory) get(d Descriptor) ([]byte, error) {
	b, ok := m[d.Digest]
	if !ok {
		return nil, fmt.Errorf("%s: %w", d.Digest, bulwark.ErrNotFound)
	}
	return b, nil
}

func (m memory) Manifest(_ context.Context, d Descriptor) ([]byte, error) { return m.get(d) }
func (m memory) Config(_ context.Context, d Descriptor) ([]byte, error)   { return m.get(d) }

func (m memory) Layer(d Descriptor) layer.Blob {
	return layer.Blob{Open: func(context.Context) (io.ReadCloser, error) {
		b, err := m.get(d)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	}}
}

// put stores a document and describes it.
func (m memory) put(mediaType string, doc any) Descriptor {
	b, ok := doc.([]byte)
	if !ok {
		b, _ = json.Marshal(doc)
	}
	d := digest.Of(b)
	m[d] = b
	return Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(b))}
}

const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type object = map[string]any

// desc writes a descriptor without the fields that are empty.
func desc(d Descriptor) object {
	o := object{"mediaType": d.MediaType, "digest": d.Digest, "size": d.Size}
	if d.Platform != nil {
		o["platform"] = d.Platform
	}
	if d.Annotations != nil {
		o["annotations"] = d.Annotations
	}
	return o
}

// image stores an image of one layer.
func (m memory) image(arch, variant string) Descriptor {
	l := m.put(ociLayer, []byte("layer of "+arch))
	c := m.put(ociConfig, object{
		"os": "linux", "architecture": arch, "variant": variant, "created": "2026-01-02T03:04:05Z",
		"rootfs":  object{"diff_ids": []string{digest.Of([]byte(arch))}},
		"history": []object{{"created_by": "RUN x"}, {"created_by": "ENV y", "empty_layer": true}},
		"config":  object{"Labels": object{"org.opencontainers.image.version": "1", "maintainer": "me"}},
	})
	return m.put(ociManifest, object{"schemaVersion": 2, "config": desc(c), "layers": []object{desc(l)}, "annotations": object{"org.opencontainers.image.base.name": "debian"}})
}

func (m memory) index(list ...Descriptor) Descriptor {
	var all []object
	for _, d := range list {
		all = append(all, desc(d))
	}
	return m.put(ociIndex, object{"schemaVersion": 2, "manifests": all})
}

func on(d Descriptor, os, arch, variant string) Descriptor {
	d.Platform = &Platform{os, arch, variant}
	return d
}

func TestResolveChoosesPlatform(t *testing.T) {
	m := memory{}
	amd, arm, v6, v7 := m.image("amd64", ""), m.image("arm64", "v8"), m.image("arm", "v6"), m.image("arm", "v7")
	attestation := on(m.put(ociManifest, object{"schemaVersion": 2, "config": object{}}), "unknown", "unknown", "")
	all := m.index(attestation, on(v6, "linux", "arm", "v6"), on(v7, "linux", "arm", "v7"), on(arm, "linux", "arm64", "v8"), on(amd, "linux", "amd64", ""))
	nested := m.index(m.index(on(arm, "linux", "arm64", "")), m.index(amd))
	for _, tt := range []struct {
		name     string
		root     Descriptor
		platform string
		want     Descriptor
		err      error
	}{
		{"only one", amd, "", amd, nil},
		{"only one of an index", m.index(arm), "", arm, nil},
		{"explicit", all, "linux/arm64", arm, nil},
		{"with variant", all, "linux/arm64/v8", arm, nil},
		{"variant decides", all, "linux/arm/v7", v7, nil},
		{"first without variant", all, "linux/arm", v6, nil},
		{"nested", nested, "linux/arm64", arm, nil},
		{"the configuration tells", nested, "linux/amd64", amd, nil},
		{"none", all, "linux/s390x", Descriptor{}, bulwark.ErrNotFound},
		{"attestations are no images", m.index(attestation), "", Descriptor{}, bulwark.ErrNotFound},
		{"missing", Descriptor{Digest: digest.Of(nil), MediaType: ociManifest}, "", Descriptor{}, bulwark.ErrNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePlatform(tt.platform)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Resolve(t.Context(), m, []Descriptor{tt.root}, p)
			if !errors.Is(err, tt.err) {
				t.Fatalf("Resolve = %v, want %v", err, tt.err)
			}
			if err == nil && got.ManifestDigest != tt.want.Digest {
				t.Errorf("chose %s, want %s", got.ManifestDigest, tt.want.Digest)
			}
		})
	}
}

// exported is a store that may lack manifests.
type exported struct{ memory }

func (e exported) Has(d Descriptor) bool { return e.memory[d.Digest] != nil }

func TestResolveAmongThePlatformsThatAreThere(t *testing.T) {
	m := memory{}
	here, gone := m.image("s390x", ""), m.image(local[0].Architecture, "")
	here.Platform, gone.Platform = &Platform{OS: "linux", Architecture: "s390x"}, &local[0]
	root := m.index(gone, here)
	delete(m, gone.Digest)
	if img, err := Resolve(t.Context(), exported{m}, []Descriptor{root}, Platform{}); err != nil || img.ManifestDigest != here.Digest {
		t.Errorf("Resolve = %+v, %v", img, err)
	}
	_, err := Resolve(t.Context(), exported{m}, []Descriptor{root}, local[0])
	if !errors.Is(err, bulwark.ErrNotFound) || !strings.Contains(err.Error(), "s390x") {
		t.Errorf("the platform that is missing: %v", err)
	}
	// A registry that lacks a manifest is broken: nothing is taken in its stead.
	if _, err := Resolve(t.Context(), m, []Descriptor{root}, Platform{}); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("a store that must be whole: %v", err)
	}
	delete(m, here.Digest)
	if _, err := Resolve(t.Context(), exported{m}, []Descriptor{root}, Platform{}); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("nothing is there: %v", err)
	}
}

func TestTarget(t *testing.T) {
	m := memory{}
	root := m.index(on(m.image("arm", "v7"), "linux", "arm", "v7"))
	im, err := Resolve(t.Context(), m, []Descriptor{root}, Platform{})
	if err != nil {
		t.Fatal(err)
	}
	im.Ref = "app:1"
	target, err := im.Target(Platform{})
	if err != nil {
		t.Fatal(err)
	}
	id := digest.Of(im.Config)
	want := bulwark.Asset{ID: bulwark.AssetID("image:" + id), Kind: "image", Name: "app:1", Labels: map[string]string{
		"reference": "app:1", "manifest": im.ManifestDigest, "index": root.Digest, "os": "linux", "arch": "arm/v7",
		"org.opencontainers.image.version": "1", "org.opencontainers.image.base.name": "debian",
	}}
	if diff := cmp.Diff(want, target.Asset); diff != "" {
		t.Errorf("asset (-want +got):\n%s", diff)
	}
	l := target.Layers[0]
	l.Tree = nil
	blob := digest.Of([]byte("layer of arm"))
	if diff := cmp.Diff(bulwark.Layer{DiffID: digest.Of([]byte("arm")), Digest: blob, Identity: blob, Size: 12, CreatedBy: "RUN x"}, l); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
	if got := target.Image; got.ConfigDigest != id || got.Arch != "arm/v7" || len(got.History) != 2 || got.Created.IsZero() || !target.Absolute {
		t.Errorf("image %+v", got)
	}
	if _, err := im.Target(Platform{"linux", "amd64", ""}); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("another platform: %v", err)
	}
}

func TestResolveRefuses(t *testing.T) {
	m := memory{}
	good := m.image("amd64", "")
	cfg := m.put(ociConfig, object{"rootfs": object{"diff_ids": []string{}}})
	manifest := func(config Descriptor, layers ...Descriptor) Descriptor {
		list := []object{}
		for _, l := range layers {
			list = append(list, desc(l))
		}
		return m.put(ociManifest, object{"schemaVersion": 2, "config": desc(config), "layers": list})
	}
	of := func(mediaType string) Descriptor {
		return Descriptor{MediaType: mediaType, Digest: digest.Of(nil), Size: 1}
	}
	deep := good
	for range 6 {
		deep = m.index(deep)
	}
	wrongSize, wrongBytes := good, m.image("ppc64le", "")
	wrongSize.Size++
	m[wrongBytes.Digest] = bytes.Replace(m[wrongBytes.Digest], []byte("debian"), []byte("alpine"), 1)
	many := make([]Descriptor, 2001)
	for i := range many {
		many[i] = good
	}
	for _, tt := range []struct {
		name string
		root Descriptor
		want error
	}{
		{"size", wrongSize, bulwark.ErrUntrusted},
		{"digest", wrongBytes, bulwark.ErrUntrusted},
		{"too deep", deep, bulwark.ErrLimit},
		{"too many", m.index(many...), bulwark.ErrLimit},
		{"too large", Descriptor{MediaType: ociManifest, Digest: digest.Of(nil), Size: 1 << 30}, bulwark.ErrLimit},
		{"helm chart", manifest(m.put("application/vnd.cncf.helm.config.v1+json", object{})), bulwark.ErrUnsupported},
		{"artifact", manifest(m.put("application/vnd.oci.empty.v1+json", object{})), bulwark.ErrUnsupported},
		{"encrypted", manifest(cfg, of(ociLayer+"+encrypted")), bulwark.ErrUnsupported},
		{"no layer", manifest(cfg, of("application/vnd.in-toto+json")), bulwark.ErrUnsupported},
		{"layers and diffIDs differ", manifest(cfg, of(ociLayer)), bulwark.ErrMalformed},
		{"digest that leaves the layout", manifest(cfg, Descriptor{MediaType: ociLayer, Digest: "sha256:../../../etc/passwd", Size: 1}), bulwark.ErrMalformed},
		{"negative size", manifest(cfg, Descriptor{MediaType: ociLayer, Digest: digest.Of(nil), Size: -1}), bulwark.ErrMalformed},
		{"schema 1", m.put(ociManifest, object{"schemaVersion": 1, "fsLayers": []string{}}), bulwark.ErrUnsupported},
		{"index and manifest at once", m.put(ociManifest, object{"manifests": []object{}, "layers": []object{}}), bulwark.ErrMalformed},
		{"neither", m.put(ociManifest, object{}), bulwark.ErrMalformed},
		{"wrong types", m.put(ociManifest, []byte(`{"config": [], "layers": "x"}`)), bulwark.ErrMalformed},
		{"no JSON", m.put(ociManifest, []byte("<html>")), bulwark.ErrMalformed},
		{"configuration of wrong type", manifest(m.put(ociConfig, []byte(`{"rootfs": {"diff_ids": "x"}}`))), bulwark.ErrMalformed},
		{"no digest", Descriptor{MediaType: ociManifest}, bulwark.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			im, err := Resolve(t.Context(), m, []Descriptor{tt.root}, Platform{})
			if err == nil {
				_, err = im.Target(Platform{})
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestForeignLayerIsNotFetched(t *testing.T) {
	m := memory{}
	l := Descriptor{MediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest: digest.Of([]byte("x")), Size: 1}
	cfg := m.put(ociConfig, object{"rootfs": object{"diff_ids": []string{digest.Of(nil)}}})
	im, err := Resolve(t.Context(), m, []Descriptor{m.put(ociManifest, object{"config": desc(cfg), "layers": []object{desc(l)}})}, Platform{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := im.Target(Platform{})
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Layers[0].Tree.Walk(t.Context(), nil); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("Walk = %v", err)
	}
}

func TestSelect(t *testing.T) {
	named := func(digest string, names ...string) Descriptor {
		d := Descriptor{Digest: digest, MediaType: ociManifest, Annotations: map[string]string{}}
		for i, n := range names {
			d.Annotations[[]string{"org.opencontainers.image.ref.name", "io.containerd.image.name"}[i]] = n
		}
		return d
	}
	nginx, redis := named("a", "latest", "docker.io/library/nginx:latest"), named("b", "7", "docker.io/library/redis:7")
	for _, tt := range []struct {
		name string
		list []Descriptor
		sel  string
		want string
	}{
		{"only one", []Descriptor{nginx}, "", "a"},
		{"short name", []Descriptor{nginx, redis}, "nginx", "a"},
		{"tag", []Descriptor{nginx, redis}, "redis:7", "b"},
		{"bare tag", []Descriptor{nginx, redis}, "7", "b"},
		{"digest", []Descriptor{nginx, redis}, "b", "b"},
		{"two names of one", []Descriptor{nginx, named("a", "1.27")}, "", "a"},
		{"not there", []Descriptor{nginx}, "mysql", ""},
		{"have to choose", []Descriptor{nginx, redis}, "", ""},
		{"one for each platform", []Descriptor{on(named("a"), "linux", "amd64", ""), on(named("b"), "linux", "arm64", "")}, "", "a b"},
		{"unnamed", []Descriptor{named("a"), named("b")}, "", ""},
	} {
		got, err := Select(tt.list, tt.sel)
		if tt.want == "" {
			if !errors.Is(err, bulwark.ErrNotFound) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		var all []string
		for _, d := range got {
			all = append(all, d.Digest)
		}
		if s := strings.Join(all, " "); s != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, s, err, tt.want)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	for _, s := range []string{"linux", "linux/", "/amd64", "a/b/c/d"} {
		if _, err := ParsePlatform(s); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("ParsePlatform(%q) = %v", s, err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"os":"linux","rootfs":{"diff_ids":["sha256:` + strings.Repeat("0", 64) + `"]},"history":[{"created_by":"x"}]}`))
	f.Add([]byte(`{"rootfs":null,"config":{"Labels":{"a":null}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := (&Image{Config: b, Layers: make([]Stored, 1)}).Target(Platform{})
		if err != nil && !layer.IsNamed(err) {
			t.Errorf("unnamed error %v", err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	m := memory{}
	good := m.image("amd64", "")
	f.Add(m[m.index(good).Digest])
	f.Add(m[good.Digest])
	f.Add([]byte(`{"manifests":[{"digest":"sha256:..","platform":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		root := memory{}
		for k, v := range m {
			root[k] = v
		}
		if _, err := FromLayout(t.Context(), b, root, "x", "", Platform{}); err != nil && !layer.IsNamed(err) {
			t.Errorf("unnamed error %v", err)
		}
		if _, err := Resolve(t.Context(), root, []Descriptor{root.put("", b)}, Platform{}); err != nil && !layer.IsNamed(err) {
			t.Errorf("unnamed error %v", err)
		}
	})
}
