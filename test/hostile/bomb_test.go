//go:build linux

package hostile

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// zerosTail is a tar of a package that is followed by the header of a file of n zeros.
func zerosTail(t testing.TB, name string, n int64, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		check(t, w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text))}))
		_, err := io.WriteString(w, f.text)
		check(t, err)
	}
	check(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: n}))
	return b.Bytes() // the zeros are still to come
}

// repeat writes packed n times: members of gzip and frames of zstd may follow each other.
func repeat(t testing.TB, w io.Writer, packed []byte, n int) {
	t.Helper()
	for range n {
		_, err := w.Write(packed)
		check(t, err)
	}
}

// TestInflationBombs: small layers that become 20 GB of zeros.
func TestInflationBombs(t *testing.T) {
	t.Parallel()
	const piece, pieces = 4 << 20, 5120
	nothing := make([]byte, piece)
	for _, tt := range []struct {
		name string
		pack func(testing.TB, []byte) []byte
	}{{"gzip", gzipped}, {"zstd", zstded}} {
		packed := tt.pack(t, nothing)
		for _, path := range []string{"opt/nothing", "usr/bin/node", "app/lib.jar", "app/package-lock.json", "var/lib/rpm/rpmdb.sqlite"} {
			t.Run(tt.name+" "+path, func(t *testing.T) {
				t.Parallel()
				r := newRoom(t)
				bomb := bigLayer(t, func(w io.Writer) {
					_, err := w.Write(tt.pack(t, zerosTail(t, path, piece*pieces, distroless(next)...)))
					check(t, err)
					repeat(t, w, packed, pieces)
				})
				bad := newLayout(layerOf(t, debian(good)...), bomb).write(r, "bad")
				want{4, "limit exceeded", []string{good, next}}.check(t, r.scan(bad))
			})
		}
		t.Run(tt.name+" archive", func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			var b bytes.Buffer
			b.Write(tt.pack(t, zerosTail(t, "x", piece*pieces)))
			repeat(t, &b, packed, pieces)
			bad := r.put("bad.tar", b.Bytes())
			want{1, "limit exceeded", nil}.check(t, r.scan(bad))
			want{4, "limit exceeded", []string{next}}.check(t, r.scan(bad, r.next()))
		})
	}
}

// TestWindowBomb: a zstd frame that asks for a window of 2 GB.
func TestWindowBomb(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	// Magic, a descriptor without a size, an exponent of 21: 2^31 bytes; one raw block.
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x21, 0x03, 0}
	frame = append(frame, make([]byte, 100)...)
	bad := newLayout(layerOf(t, debian(good)...), stored(frame, nil)).write(r, "bad")
	want{4, "limit exceeded", []string{good}}.check(t, r.scan(bad))
}

// block is a tar header of old GNU kind, made by hand.
func block(name string, kind byte, size, real int64) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	putNumber(b[124:136], size)
	copy(b[136:], "00000000000\x00")
	b[156] = kind
	copy(b[257:], "ustar  \x00")
	if kind == tar.TypeGNUSparse {
		putNumber(b[386:398], real-size)
		putNumber(b[398:410], size)
		putNumber(b[483:495], real)
	}
	copy(b[148:], "        ")
	sum := int64(0)
	for _, c := range b {
		sum += int64(c)
	}
	for i := range 6 {
		b[153-i] = '0' + byte(sum>>(3*i)&7)
	}
	b[154] = 0
	return b
}

// putNumber writes a number as GNU tar writes large ones.
func putNumber(b []byte, n int64) {
	binary.BigEndian.PutUint64(b[len(b)-8:], uint64(n))
	b[0] = 0x80
}

// TestSparse: files that hold 512 bytes and claim 50 GB.
func TestSparse(t *testing.T) {
	t.Parallel()
	const claim = 50 << 30
	data := make([]byte, 512)
	for _, path := range []string{"opt/x", "usr/bin/node", "app/lib.jar", "app/package-lock.json", "var/lib/dpkg/status.d/big"} {
		gnu := append(block(path, tar.TypeGNUSparse, 512, claim), data...)
		text := func(kind byte, s string) []byte {
			b := append(block("pax", kind, int64(len(s)), 0), s...)
			return append(b, make([]byte, 512-len(s)%512)...)
		}
		pax10 := append(text('x', record("GNU.sparse.major", "1")+record("GNU.sparse.minor", "0")+record("GNU.sparse.name", path)+
			record("GNU.sparse.realsize", "53687091200")), block("p", '0', 1024, 0)...)
		pax10 = append(pax10, "1\n53687090688\n512\n"...)
		pax10 = append(pax10, make([]byte, 1024-18)...)
		pax01 := append(text('x', record("GNU.sparse.size", "53687091200")+record("GNU.sparse.numblocks", "1")+
			record("GNU.sparse.map", "53687090688,512")), block(path, '0', 512, 0)...)
		pax01 = append(pax01, data...)
		for kind, sparse := range map[string][]byte{"gnu": gnu, "pax 1.0": pax10, "pax 0.1": pax01} {
			t.Run(kind+" "+path, func(t *testing.T) {
				r := newRoom(t)
				plain := append(sparse, tarBytes(t, distroless(next)...)...)
				bad := newLayout(layerOf(t, debian(good)...), stored(gzipped(t, plain), plain)).write(r, "bad")
				want{4, "limit exceeded", []string{good, next}}.check(t, r.scan(bad))
				saved := r.put("saved.tar", archive(t, tarBytes(t, debian(good)...), plain))
				want{4, "limit exceeded", []string{good, next}}.check(t, r.scan(saved))
			})
		}
	}
}

// record is one of a pax header.
func record(k, v string) string {
	n := len(k) + len(v) + 3
	for size := n; ; size++ {
		if s := strings.Join([]string{itoa(size), " ", k, "=", v, "\n"}, ""); len(s) == size {
			return s
		}
	}
}

// TestHeaderBombs: headers that claim more than there is, or are themselves too large.
func TestHeaderBombs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a/", 500_000)
	for _, tt := range []struct {
		name string
		tail []byte
	}{
		{"file of 8 EB", block("app/package.json", '0', 1<<62, 0)},
		{"negative size", block("app/package.json", '0', -1, 0)},
		{"long name of 900 MB", block("././@LongLink", 'L', 900<<20, 0)},
		{"pax header of 900 MB", block("pax", 'x', 900<<20, 0)},
		{"name of 1 MB", append(append(block("././@LongLink", 'L', int64(len(long)), 0), long...), block("x", '0', 0, 0)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			plain := tarBytes(t, distroless(next)...)
			plain = append(plain[:len(plain)-1024], tt.tail...)
			bad := newLayout(layerOf(t, debian(good)...), stored(gzipped(t, plain), plain)).write(r, "bad")
			want{4, "", []string{good, next}}.check(t, r.scan(bad))
		})
	}
}
