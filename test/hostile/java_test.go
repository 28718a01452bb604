//go:build linux

package hostile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"testing"
)

// jar makes a zip of files.
func jar(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		check(t, err)
		if f.zeros > 0 {
			writeZeros(t, e, f.zeros)
		} else if _, err := io.WriteString(e, f.text); err != nil {
			t.Fatal(err)
		}
	}
	check(t, w.Close())
	return b.Bytes()
}

// nested is a jar in a jar, in all so many, each with a package of its own.
func nested(t testing.TB, levels int) []byte {
	t.Helper()
	inner := jar(t, properties("deepest"))
	for i := range levels {
		inner = jar(t, file{name: fmt.Sprintf("lib/l%d.jar", i), text: string(inner)}, properties(fmt.Sprint("level", i)))
	}
	return inner
}

func properties(name string) file {
	return file{name: "META-INF/maven/org.example/" + name + "/pom.properties", text: "groupId=org.example\nartifactId=" + name + "\nversion=1.0\n"}
}

// overlapping makes a zip whose entries all are the same bytes: n entries that inflate
// to size zeros each.
func overlapping(t testing.TB, n, size int, name string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, flate.BestCompression)
	check(t, err)
	writeZeros(t, z, int64(size))
	check(t, z.Close())
	sum := crc32.NewIEEE()
	writeZeros(t, sum, int64(size))

	head := func(sig uint32, name string, extra ...byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, sig)
		if sig == 0x02014b50 {
			b = append(b, 20, 0)
		}
		b = append(b, 20, 0, 0, 0, 8, 0, 0, 0, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, sum.Sum32())
		b = binary.LittleEndian.AppendUint32(b, uint32(packed.Len()))
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
		return append(append(append(b, 0, 0), extra...), name...)
	}
	local := head(0x04034b50, "x")
	out := append(local, packed.Bytes()...)
	dir := len(out)
	for i := range n {
		out = append(out, head(0x02014b50, fmt.Sprintf(name, i), make([]byte, 14)...)...)
	}
	end := binary.LittleEndian.AppendUint32(nil, 0x06054b50)
	end = append(end, 0, 0, 0, 0)
	for range 2 {
		end = binary.LittleEndian.AppendUint16(end, uint16(n))
	}
	end = binary.LittleEndian.AppendUint32(end, uint32(len(out)-dir))
	end = binary.LittleEndian.AppendUint32(end, uint32(dir))
	return append(append(out, end...), 0, 0)
}

// TestJars: archives of Java that are bombs, nests or wrecks, beside a good one.
func TestJars(t *testing.T) {
	t.Parallel()
	whole := jar(t, properties("cut"), noise("data", 20_000), properties("last"))
	wide := []file{properties("wide")}
	for i := range 200 {
		wide = append(wide, file{name: fmt.Sprintf("lib/w%d.jar", i), text: string(jar(t, properties(fmt.Sprint("wide", i))))})
	}
	bomb := string(jar(t, file{name: "META-INF/MANIFEST.MF", zeros: 30 << 20}))
	var bombs []file
	for i := range 200 {
		bombs = append(bombs, file{name: fmt.Sprintf("b%d.jar", i), text: bomb})
	}
	for _, tt := range []struct {
		name string
		data []byte
		want want
	}{
		{"manifest of 440 MB", jar(t, file{name: "META-INF/MANIFEST.MF", zeros: 440 << 20}, properties("beside")), want{4, "limit exceeded", []string{"org.example:beside 1.0"}}},
		{"properties of 440 MB", jar(t, file{name: "META-INF/maven/a/b/pom.properties", zeros: 440 << 20}, properties("beside")), want{4, "limit exceeded", []string{"org.example:beside 1.0"}}},
		{"jar of 440 MB of zeros in it", jar(t, file{name: "a.jar", zeros: 440 << 20}, properties("beside")), want{4, "", []string{"org.example:beside 1.0"}}},
		{"200 jars nested", nested(t, 200), want{4, "limit exceeded", []string{"org.example:level199 1.0"}}},
		{"200 jars in one", jar(t, wide...), want{0, "", []string{"org.example:wide 1.0", "org.example:wide199 1.0"}}},
		{"200 bombs in one", jar(t, bombs...), want{4, "limit exceeded", nil}},
		{"overlapping jars", overlapping(t, 60_000, 20<<20, "lib/%d.jar"), want{4, "", nil}},
		{"overlapping manifests", overlapping(t, 60_000, 20<<20, "META-INF/maven/g/a%d/pom.properties"), want{4, "limit exceeded", nil}},
		{"truncated", whole[:len(whole)/2], want{4, "malformed", nil}},
		{"without its directory", whole[:len(whole)-30], want{4, "malformed", nil}},
		{"corrupt", flip(whole, 90), want{4, "malformed", nil}},
		{"directory alone", whole[len(whole)-22:], want{4, "malformed", nil}},
		{"no zip", []byte("hello, I am no zip"), want{4, "malformed", nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			layer := layerOf(t, file{name: "app/good.jar", text: string(jar(t, properties("good")))}, file{name: "app/bad.jar", text: string(tt.data)})
			tt.want.packages = append(tt.want.packages, good, "org.example:good 1.0")
			tt.want.check(t, r.scan(newLayout(layerOf(t, debian(good)...), layer).write(r, "bad")))
		})
	}
}

// TestLargeJar streams a jar over 100 MB, and one that claims to be such.
func TestLargeJar(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	large := jar(t, properties("first"), file{name: "zero", zeros: 1 << 20}, properties("second"))
	filled := bigLayer(t, func(w io.Writer) {
		tarOf(t, w, []file{{name: "app/good.jar", text: string(jar(t, properties("good")))}, {name: "app/zeros.jar", zeros: 300 << 20},
			{name: "app/first.jar", text: string(large[:len(large)/2]) + string(make([]byte, 120<<20))}})
	})
	want{4, "malformed", []string{good, "org.example:good 1.0"}}.check(t, r.scan(newLayout(layerOf(t, debian(good)...), filled).write(r, "bad")))
}
