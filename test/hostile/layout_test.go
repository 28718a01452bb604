//go:build linux

package hostile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// object is a JSON object.
type object = map[string]any

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	return b
}

// layout is an OCI layout that is about to be written; tests damage it first.
type layout struct {
	layers                  []blob
	config, manifest, index object
	// After the documents are made: what is written instead of a document's bytes.
	raw map[string][]byte // by "config", "manifest", "index", "oci-layout"
}

func newLayout(layers ...blob) *layout {
	var diffIDs []string
	for _, l := range layers {
		diffIDs = append(diffIDs, l.diffID)
	}
	return &layout{
		layers: layers, raw: map[string][]byte{},
		config: object{"architecture": "amd64", "os": "linux", "created": "2026-09-01T00:00:00Z",
			"rootfs": object{"type": "layers", "diff_ids": diffIDs}, "config": object{}},
		manifest: object{"schemaVersion": 2, "mediaType": manifestType},
		index:    object{"schemaVersion": 2},
	}
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func describe(kind, digest string, size int64) object {
	return object{"mediaType": kind, "digest": digest, "size": size}
}

// documents gives the bytes of configuration, manifest and index.
func (l *layout) documents(t testing.TB) (config, manifest, index []byte) {
	t.Helper()
	config = toJSON(t, l.config)
	if l.manifest["config"] == nil {
		l.manifest["config"] = describe(configType, digestOf(config), int64(len(config)))
	}
	if l.manifest["layers"] == nil {
		list := []object{}
		for _, b := range l.layers {
			list = append(list, describe(layerType, b.digest, b.size))
		}
		l.manifest["layers"] = list
	}
	manifest = toJSON(t, l.manifest)
	if l.index["manifests"] == nil {
		l.index["manifests"] = []object{describe(manifestType, digestOf(manifest), int64(len(manifest)))}
	}
	return config, manifest, toJSON(t, l.index)
}

// write makes the layout's folder in the room.
func (l *layout) write(r *room, name string) string {
	t := r.t
	t.Helper()
	dir := r.path("in", name)
	check(t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755))
	config, manifest, index := l.documents(t)
	put := func(name, what string, data []byte) {
		if raw, ok := l.raw[what]; ok {
			data = raw
		}
		check(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	put("oci-layout", "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	put("index.json", "index", index)
	put(blobPath(digestOf(manifest)), "manifest", manifest)
	put(blobPath(digestOf(config)), "config", config)
	for _, b := range l.layers {
		if _, err := os.Stat(filepath.Join(dir, blobPath(b.digest))); err == nil {
			continue // the same layer again
		}
		if b.file != "" {
			check(t, os.Rename(b.file, filepath.Join(dir, blobPath(b.digest))))
		} else if b.data != nil {
			put(blobPath(b.digest), "", b.data)
		}
	}
	return dir
}

func blobPath(digest string) string {
	return filepath.Join("blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// archive makes a docker-archive of plain layers.
func archive(t testing.TB, layers ...[]byte) []byte {
	t.Helper()
	var files []file
	var diffIDs, names []string
	for _, l := range layers {
		d := digestOf(l)
		diffIDs, names = append(diffIDs, d), append(names, d[7:]+"/layer.tar")
		files = append(files, file{name: d[7:] + "/layer.tar", text: string(l)})
	}
	config := toJSON(t, newLayoutConfig(diffIDs))
	manifest := toJSON(t, []object{{"Config": "config.json", "RepoTags": []string{"test:1"}, "Layers": names}})
	return tarBytes(t, append(files, file{name: "config.json", text: string(config)}, file{name: "manifest.json", text: string(manifest)})...)
}

func newLayoutConfig(diffIDs []string) object {
	return object{"architecture": "amd64", "os": "linux", "rootfs": object{"type": "layers", "diff_ids": diffIDs}}
}
