package hostile

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// file is an entry of a tar.
type file struct {
	name, link string
	text       string
	zeros      int64  // instead of text
	more       string // so many times behind text
	times      int
	kind       byte
}

// tarOf writes a tar of files.
func tarOf(t testing.TB, out io.Writer, files []file) {
	t.Helper()
	w := tar.NewWriter(out)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Linkname: f.link, Typeflag: cmp.Or(f.kind, tar.TypeReg), Mode: 0o644, Size: f.size()}
		if err := w.WriteHeader(h); err != nil {
			t.Fatalf("%.100q: %v", f.name, err)
		}
		if f.zeros > 0 {
			writeZeros(t, w, f.zeros)
		}
		_, err := io.WriteString(w, f.text)
		check(t, err)
		if f.times > 0 {
			_, err := io.CopyN(w, &again{text: f.more}, int64(len(f.more)*f.times))
			check(t, err)
		}
	}
	check(t, w.Close())
}

func (f *file) size() int64 { return f.zeros + int64(len(f.text)+len(f.more)*f.times) }

func writeZeros(t testing.TB, w io.Writer, n int64) {
	t.Helper()
	_, err := io.CopyN(w, zeros{}, n)
	check(t, err)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// again reads a text over and over.
type again struct {
	text string
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		c := copy(p[n:], a.text[a.at:])
		n += c
		a.at = (a.at + c) % len(a.text)
	}
	return len(p), nil
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tarBytes(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	tarOf(t, &b, files)
	return b.Bytes()
}

func gzipped(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	check(t, err)
	check(t, w.Close())
	return b.Bytes()
}

func zstded(t testing.TB, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	check(t, err)
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// blob is a layer as it is stored; file instead of data for what is large.
type blob struct {
	data   []byte
	file   string
	digest string
	size   int64
	diffID string
}

// layerOf makes a gzip layer that is what it says.
func layerOf(t testing.TB, files ...file) blob {
	t.Helper()
	plain := tarBytes(t, files...)
	return stored(gzipped(t, plain), plain)
}

func stored(data, plain []byte) blob {
	return blob{data: data, digest: digestOf(data), size: int64(len(data)), diffID: digestOf(plain)}
}

// bigLayer makes a layer in a file; write gives it its bytes, as stored. Its diffID is
// a lie unless it is plain.
func bigLayer(t testing.TB, write func(io.Writer)) blob {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "layer"))
	check(t, err)
	defer f.Close()
	h := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<20)
	write(w)
	check(t, w.Flush())
	size, err := f.Seek(0, io.SeekCurrent)
	check(t, err)
	d := "sha256:" + hex.EncodeToString(h.Sum(nil))
	return blob{file: f.Name(), digest: d, size: size, diffID: d}
}

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

// put writes an input into the room.
func (r *room) put(name string, data []byte) string {
	r.t.Helper()
	p := r.path("in", name)
	check(r.t, os.MkdirAll(filepath.Dir(p), 0o755))
	check(r.t, os.WriteFile(p, data, 0o644))
	return p
}

// next is a good second target.
func (r *room) next() string {
	return r.put("next.tar", archive(r.t, tarBytes(r.t, debian(next)...)))
}
