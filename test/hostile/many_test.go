//go:build linux

package hostile

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// many makes a gzip layer of n entries, and a package behind them.
func many(t testing.TB, n int, entry func(i int) file) blob {
	t.Helper()
	plain := sha256.New()
	l := bigLayer(t, func(w io.Writer) {
		gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		check(t, err)
		z := io.MultiWriter(gz, plain)
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
		check(t, gz.Close())
	})
	l.diffID = fmt.Sprintf("sha256:%x", plain.Sum(nil))
	return l
}

// TestManyEntries: layers of very many entries, and of entries with very long names.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	sym, hard := byte(tar.TypeSymlink), byte(tar.TypeLink)
	long := strings.Repeat("long", 1000)
	deep := [2]string{strings.Repeat("a/", 1900), strings.Repeat("b/", 1900)}
	for _, tt := range []struct {
		name  string
		n     int
		code  int
		entry func(i int) file
	}{
		{"folders", 1e6, 0, func(i int) file { return file{name: fmt.Sprintf("srv/%d/f", i)} }},
		{"symbolic links", 3e5, 0, func(i int) file { return file{name: fmt.Sprintf("srv/%d", i), kind: sym, link: fmt.Sprintf("%d", i+1)} }},
		{"long symbolic links", 3e4, 4, func(i int) file { return file{name: fmt.Sprint(long, i), kind: sym, link: long} }},
		{"long hard links", 3e4, 4, func(i int) file {
			return file{name: fmt.Sprint(i, long, "/package.json"), kind: hard, link: long + "/package.json"}
		}},
		{"long whiteouts", 3e4, 4, func(i int) file { return file{name: fmt.Sprint(long, "/.wh.", i)} }},
		{"long names of interest", 3e4, 4, func(i int) file { return file{name: fmt.Sprint(i, long, "/package.json"), text: "{}"} }},
		{"deep names in turn", 5e3, 0, func(i int) file { return file{name: fmt.Sprint(deep[i%2], i)} }},
		{"deep names", 5e3, 4, func(i int) file { return file{name: fmt.Sprint(i, "/", deep[0])} }},
		{"packages", 2e5, 4, func(i int) file {
			return file{name: fmt.Sprintf("node_modules/p%d/package.json", i), text: fmt.Sprintf(`{"name":"p%d","version":"1.0.0"}`, i)}
		}},
		{"unreadable entries", 3e5, 4, func(i int) file { return file{name: fmt.Sprint("srv/", i), kind: 'Q'} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			res := r.scan(newLayout(layerOf(t, debian(good)...), many(t, tt.n, tt.entry)).write(r, "bad"))
			want{tt.code, "", []string{good}}.check(t, res)
		})
	}
}

// TestManyLayers: what is cheap once is asked for many times.
func TestManyLayers(t *testing.T) {
	t.Parallel()
	// A gigabyte less a little: what a layer may be at any ratio.
	zeros := func(i int) blob {
		return bigLayer(t, func(w io.Writer) {
			z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
			check(t, err)
			_, err = z.Write(zerosTail(t, fmt.Sprint("opt/zeros", i), 1000<<20))
			check(t, err)
			check(t, z.Close())
			repeat(t, w, packedZeros(t), 250)
			repeat(t, w, gzipped(t, make([]byte, 1024)), 1)
		})
	}
	links := func(i int) blob {
		var files []file
		for j := range 1000 {
			files = append(files, file{name: fmt.Sprintf("l%d/%d", i, j), kind: tar.TypeSymlink, link: fmt.Sprintf("../l%d/%d", i-1, j)})
		}
		return layerOf(t, append(files, file{name: fmt.Sprintf("l%d/0/package.json", i), text: `{"name":"a","version":"1.0.0"}`})...)
	}
	// Every layer has entries behind all the links of the lowest.
	through := func(i int) blob {
		var files []file
		for j := range 500 {
			if i == 0 {
				files = append(files, file{name: fmt.Sprint("k", j), kind: tar.TypeSymlink, link: fmt.Sprint("k", j+1)})
			} else {
				files = append(files, file{name: fmt.Sprintf("k%d/%d/package.json", j, i), text: `{"name":"a","version":"1.0.0"}`})
			}
		}
		return layerOf(t, files...)
	}
	tiny := func(i int) blob { return layerOf(t, file{name: fmt.Sprint("srv/tiny", i), text: "x"}) }
	packages := func() blob {
		return many(t, 40_000, func(i int) file {
			return file{name: fmt.Sprintf("opt/%d/a/b/c/package.json", i), text: fmt.Sprintf(`{"name":"p%d","version":"1.0.0"}`, i)}
		})
	}
	sym, deep, long := byte(tar.TypeSymlink), strings.Repeat("d/", 1900), strings.Repeat("long", 1000)
	behind := func(n int, name string) blob { // so many packages by a name that begins with a number
		return many(t, n, func(i int) file {
			return file{name: fmt.Sprintf(name, i), text: `{"name":"a","version":"1.0.0"}`}
		})
	}
	linksTo := func(n int, target string, more ...file) blob {
		return many(t, n+len(more), func(i int) file {
			if i >= n {
				return more[i-n]
			}
			return file{name: fmt.Sprint(i), kind: sym, link: target}
		})
	}
	for _, tt := range []struct {
		name   string
		layers func() []blob
		code   int
	}{
		{"one bomb 300 times", func() []blob { return slices.Repeat([]blob{zeros(0)}, 300) }, 4},
		{"40 bombs", func() []blob { return times(40, zeros) }, 4},
		{"one good layer 900 times", func() []blob { return slices.Repeat([]blob{layerOf(t, distroless(next)...)}, 900) }, 0},
		{"400 layers of links", func() []blob { return times(400, links) }, 0},
		{"400 layers through links", func() []blob { return times(400, through) }, 4},
		{"a layer of packages 400 times", func() []blob { return slices.Repeat([]blob{packages()}, 400) }, 4},
		{"400 layers over packages", func() []blob { return append([]blob{packages()}, times(400, tiny)...) }, 0},
		{"links into the depth", func() []blob { return []blob{linksTo(20_000, deep), behind(20_000, "%d/package.json")} }, 4},
		{"links to one long place", func() []blob {
			return []blob{linksTo(100_000, "q/x", file{name: "q", kind: sym, link: long}), behind(50_000, "%d/package.json")}
		}, 4},
		{"packages in the depth behind a link", func() []blob {
			return []blob{linksTo(1, "elsewhere"), behind(5000, deep+"%d/package.json"), behind(5000, deep+"%d/a/package.json")}
		}, 0},
		{"layers of hard links over packages", func() []blob {
			return append([]blob{packages()}, times(300, func(i int) blob {
				var files []file
				for j := range 100 {
					files = append(files, file{name: fmt.Sprintf("opt/%d/x%d/package.json", j, i), kind: tar.TypeLink, link: fmt.Sprintf("opt/%d/a/b/c/package.json", 100*i+j)})
				}
				return layerOf(t, files...)
			})...)
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			want{tt.code, "", []string{good}}.check(t, r.scan(newLayout(append(tt.layers(), layerOf(t, debian(good)...))...).write(r, "bad")))
		})
	}
}

func times(n int, make func(int) blob) []blob {
	var list []blob
	for i := range n {
		list = append(list, make(i))
	}
	return list
}

var packedZeros = func() func(testing.TB) []byte {
	var once sync.Once
	var packed []byte
	return func(t testing.TB) []byte {
		once.Do(func() { packed = gzipped(t, make([]byte, 4<<20)) })
		return packed
	}
}()

// TestHardLinksMultiply: one lockfile of many packages under many names.
func TestHardLinksMultiply(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, `,"node_modules/p%d":{"version":"1.0.0"}`, i)
	}
	files := []file{{name: "srv/package-lock.json", text: `{"lockfileVersion":3,"packages":{"":{}` + text.String() + "}}"}}
	for i := range 2000 {
		files = append(files, file{name: fmt.Sprintf("srv/%d/package-lock.json", i), kind: tar.TypeLink, link: "srv/package-lock.json"})
	}
	lower, upper := layerOf(t, files[0]), layerOf(t, files[1:]...)
	r := newRoom(t)
	want{4, "limit exceeded", []string{good, "p7 1.0.0"}}.check(t, r.scan(newLayout(layerOf(t, debian(good)...), lower, upper).write(r, "two")))
	want{4, "limit exceeded", []string{good, "p7 1.0.0"}}.check(t, r.scan(newLayout(layerOf(t, debian(good)...), layerOf(t, files...)).write(r, "bad")))
}

// TestMillionWhole: a million entries are no reason to give up.
func TestMillionWhole(t *testing.T) {
	t.Parallel()
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
