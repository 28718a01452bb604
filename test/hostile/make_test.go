//go:build linux

package hostile

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
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
