package hostile

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
)

// many makes a gzip layer of n entries, and a package behind them.
func many(t testing.TB, n int, entry func(i int) file) blob {
	t.Helper()
	return bigLayer(t, func(w io.Writer) {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		check(t, err)
		tw := tar.NewWriter(z)
		for i := range n {
			f := entry(i)
			h := &tar.Header{Name: f.name, Linkname: f.link, Typeflag: f.kind, Size: int64(len(f.text)), Mode: 0o644}
			check(t, tw.WriteHeader(h))
			_, err := io.WriteString(tw, f.text)
			check(t, err)
		}
		check(t, tw.Flush())
		tarOf(t, z, distroless(next))
		check(t, z.Close())
	})
}

// TestManyEntries: layers of very many entries, and of entries with very long names.
// Their diffIDs are lies, so nothing of the layer is believed when it was read whole.
func TestManyEntries(t *testing.T) {
	sym, hard := byte(tar.TypeSymlink), byte(tar.TypeLink)
	long := strings.Repeat("long", 1000)
	deep := [2]string{strings.Repeat("a/", 1900), strings.Repeat("b/", 1900)}
	for _, tt := range []struct {
		name  string
		n     int
		entry func(i int) file
	}{
		{"files", 1e6, func(i int) file { return file{name: fmt.Sprintf("srv/%d/%d", i/1000, i)} }},
		{"folders", 1e6, func(i int) file { return file{name: fmt.Sprintf("srv/%d/f", i)} }},
		{"symbolic links", 3e5, func(i int) file { return file{name: fmt.Sprintf("srv/%d", i), kind: sym, link: fmt.Sprintf("%d", i+1)} }},
		{"long symbolic links", 3e4, func(i int) file { return file{name: fmt.Sprint(long, i), kind: sym, link: long} }},
		{"long hard links", 3e4, func(i int) file {
			return file{name: fmt.Sprint(i, long, "/package.json"), kind: hard, link: long + "/package.json"}
		}},
		{"long whiteouts", 3e4, func(i int) file { return file{name: fmt.Sprint(long, "/.wh.", i)} }},
		{"long names of interest", 3e4, func(i int) file { return file{name: fmt.Sprint(i, long, "/package.json"), text: "{}"} }},
		{"deep names in turn", 5e3, func(i int) file { return file{name: fmt.Sprint(deep[i%2], i)} }},
		{"deep names", 5e3, func(i int) file { return file{name: fmt.Sprint(i, "/", deep[0])} }},
		{"packages", 2e5, func(i int) file {
			return file{name: fmt.Sprintf("node_modules/p%d/package.json", i), text: fmt.Sprintf(`{"name":"p%d","version":"1.0.0"}`, i)}
		}},
		{"unreadable entries", 3e5, func(i int) file { return file{name: fmt.Sprint("srv/", i), kind: 'Q'} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			res := r.scan(newLayout(layerOf(t, debian(good)...), many(t, tt.n, tt.entry)).write(r, "bad"))
			want{4, "", []string{good}}.check(t, res)
		})
	}
}

// TestMillionWhole: a million entries are no reason to give up.
func TestMillionWhole(t *testing.T) {
	r := newRoom(t)
	l := bigLayer(t, func(w io.Writer) {
		for i := range 1_000_000 {
			_, err := w.Write(block(fmt.Sprintf("srv/%d/file%d", i/100, i), '0', 0, 0))
			check(t, err)
		}
		tarOf(t, w, distroless(next))
	})
	bad := newLayout(layerOf(t, debian(good)...), l).write(r, "bad")
	want{0, "", []string{good, next}}.check(t, r.scan(bad))
	want{0, "", []string{good, next}}.check(t, r.scan(bad)) // from the cache
}
