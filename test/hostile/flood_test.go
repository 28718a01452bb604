//go:build linux

package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestFloods: files of nothing but what secrets begin with. Beside each lies a file with
// a key, which is found; the key at the flood's end is found or the report says that not
// all of it was looked at.
func TestFloods(t *testing.T) {
	t.Parallel()
	spread := func(s, between string) string { return strings.Join(strings.Split(s, ""), between) + between }
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`))
	for name, text := range map[string]string{
		"key ids":            "AK" + "IA",
		"almost keys":        token(9)[:39] + " ",
		"keys in a row":      token(9),
		"PEM heads":          "-----BEGIN RSA PRIVATE KEY-----",
		"PEM lines":          "-----BEGIN PRIVATE KEY-----\n",
		"PGP heads":          "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
		"certificates":       "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("A", 200) + "\n",
		"JSON in base 64":    "eyJ",
		"tokens":             head + "." + head + ".",
		"names":              "password=",
		"names in JSON":      `{"password": "`,
		"assignments":        "db_password = \"x\"; ",
		"addresses":          "://",
		"addresses of users": "https://a:b@",
		"GitHub":             "gh" + "p_",
		"quotes":             `"`,
		"equal signs":        "=",
		"wide":               spread("AK"+"IA", "\x00"),
		"in base 64":         base64.StdEncoding.EncodeToString([]byte(strings.Repeat("AK"+"IA", 3))),
		"escapes of URLs":    "%41%4b",
		"escapes of JSON":    `\u0041`,
		"backslashes":        `\`,
		"zeros":              "\x00",
		"no UTF-8":           "\xff\xfe\xc0\x80\xed\xa0\x80",
		"line feeds":         "\n",
		"comments":           "<!--",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, file := range []string{"flood.env", "flood.bin"} {
				r := newRoom(t)
				r.spill("src/"+file, func(w io.Writer) {
					fillWith(t, w, text, 6<<20)
					_, err := io.WriteString(w, "\n"+planted(1))
					check(t, err)
				})
				r.put("src/small.env", []byte(planted(2)))
				r.put("src/small.yml", []byte(text+" "+planted(3)))
				res := r.inside("dir:" + r.path("in", "src"))
				res.mustFind(t, "small.env", 2)
				res.mustFind(t, "small.yml", 3)
				if !res.finds(file, 1) && !res.noted(file+": ") {
					t.Errorf("the key in %s is not found, and no note says why: %+v", file, res.report.Notes)
				}
				if n := len(res.report.Findings); n > 3000 {
					t.Errorf("%d findings", n)
				}
			}
		})
	}
}

// TestManySecrets: a hundred thousand keys in a file, and one in a thousand files.
func TestManySecrets(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.spill("src/keys.env", func(w io.Writer) {
		for i := range 100_000 {
			_, err := io.WriteString(w, planted(uint64(1000+i)))
			check(t, err)
		}
	})
	for i := range 2000 {
		r.put(fmt.Sprintf("src/%d/app.env", i), []byte(planted(1)))
	}
	res := r.inside("dir:" + r.path("in", "src"))
	res.mustFind(t, "0/app.env", 1)
	if res.code != 4 || !res.noted("keys.env: ") || len(res.report.Findings) < 100 || len(res.report.Findings) > 2002 {
		t.Errorf("exit code %d, %d findings, notes %+v", res.code, len(res.report.Findings), res.report.Notes)
	}
	for i := range res.report.Findings {
		if f := &res.report.Findings[i]; len(f.Places) > 1000 || len(f.Places) == 1000 && f.Count < 2000 {
			t.Errorf("%d places, %d counted", len(f.Places), f.Count)
		}
	}
}

// TestEncodings: keys in texts that pretend to be something else.
func TestEncodings(t *testing.T) {
	t.Parallel()
	wide := func(s string, big bool) []byte {
		var b []byte
		for _, c := range []byte(s) {
			if big {
				b = append(b, 0, c)
			} else {
				b = append(b, c, 0)
			}
		}
		return b
	}
	line := "x = 1\n" + planted(1)
	for name, data := range map[string][]byte{
		"little":               append([]byte("\xff\xfe"), wide(line, false)...),
		"big":                  append([]byte("\xfe\xff"), wide(line, true)...),
		"wrong mark":           append([]byte("\xfe\xff"), wide(line, false)...),
		"odd place":            append([]byte("\xff\xfex"), wide(line, false)...),
		"mark, then bytes":     append([]byte("\xff\xfe"), line...),
		"half":                 append(wide("x = 1\n", false), line...),
		"zeros around":         append(append(make([]byte, 1000), line...), make([]byte, 1000)...),
		"behind no UTF-8":      append([]byte("\xff\xc3\x28 \xed\xa0\x80 "), line...),
		"behind a bell":        append([]byte("\a\x1b[31m"), line...),
		"far in a line":        append(bytes.Repeat([]byte("x"), 3<<20), (" " + line)...),
		"UTF-8 mark":           append([]byte("\xef\xbb\xbf"), planted(1)...),
		"zip that is none":     append([]byte("PK\x03\x04"), line...),
		"program that is none": append([]byte("\x7fELF"), line...),
		"gzip that is none":    append([]byte("\x1f\x8b\x08"), line...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.put("src/app.env", data)
			r.inside("dir:"+r.path("in", "src")).mustFind(t, "app.env", 1)
		})
	}
}

// TestLargeBlob: random base 64, in one line, with a key in the middle.
func TestLargeBlob(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.spill("src/blob.txt", func(w io.Writer) {
		source := rand.New(rand.NewPCG(1, 2))
		raw := make([]byte, 3<<20)
		for i := range raw {
			raw[i] = byte(source.Uint32())
		}
		text := base64.StdEncoding.EncodeToString(raw)
		fillWith(t, w, text, 60<<20)
		_, err := io.WriteString(w, " "+planted(1)[:53]+" ")
		check(t, err)
		fillWith(t, w, base64.StdEncoding.EncodeToString([]byte(text)), 60<<20)
	})
	res := r.inside("dir:" + r.path("in", "src"))
	res.mustFind(t, "blob.txt", 1)
	if len(res.report.Findings) > 3 {
		t.Errorf("%d findings in random bytes", len(res.report.Findings))
	}
}

// TestArchivesForSecrets: archives that are bombs, nests and wrecks, in each of which a key
// lies before what is bad, and one beside them.
func TestArchivesForSecrets(t *testing.T) {
	t.Parallel()
	good := file{name: "app.env", text: planted(1)}
	sealed := jar(t, good, file{name: "more.env", text: planted(2)})
	seal := bytes.LastIndex(sealed, []byte("PK\x03\x04")) // the second member
	sealed[seal+6] |= 1
	plainSealed := bytes.Clone(sealed)
	plainSealed[seal+6] &^= 8
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintln(&text, i*i, i*7919)
	}
	whole := jar(t, good, file{name: "data", text: text.String()}, file{name: "more.env", text: planted(2)})
	zeros := gzipped(t, make([]byte, 300<<20))
	inGzip := func(list ...file) []byte {
		var b bytes.Buffer
		tarOf(t, &b, list)
		return gzipped(t, b.Bytes())
	}
	torn := bytes.Clone(whole)
	third := bytes.LastIndex(torn, []byte("PK\x03\x04"))
	copy(torn[third-16:], bytes.Repeat([]byte{0xff}, 40))
	for _, tt := range []struct {
		name string
		data func(io.Writer)
		note string // "": the report is complete
	}{
		{"good", func(w io.Writer) { write(t, w, jar(t, good)) }, ""},
		{"2 GB of zeros", func(w io.Writer) { write(t, w, jar(t, good, file{name: "zeros", zeros: 2 << 30})) }, "limit exceeded"},
		{"encrypted", func(w io.Writer) { write(t, w, sealed) }, "encrypted"},
		{"encrypted, with sizes", func(w io.Writer) { write(t, w, plainSealed) }, "encrypted"},
		{"damaged", func(w io.Writer) { write(t, w, torn) }, "malformed"},
		{"cut", func(w io.Writer) { write(t, w, whole[:len(whole)/2]) }, "malformed"},
		{"300,000 files", func(w io.Writer) { manyMembers(t, w, 300_000) }, "limit exceeded"},
		{"in archives", func(w io.Writer) {
			inner := jar(t, file{name: "deep.env", text: planted(2)})
			for range 30 {
				inner = jar(t, good, file{name: "inner.zip", text: string(inner)})
			}
			var b bytes.Buffer
			tarOf(t, &b, []file{good, {name: "inner.zip", text: string(inner)}})
			write(t, w, jar(t, good, file{name: "inner.tar.gz", text: string(gzipped(t, b.Bytes()))}, file{name: "inner.zip", text: string(inner)}))
		}, "limit exceeded"},
		{"sixteen in each of sixteen", func(w io.Writer) {
			inner := jar(t, file{name: "zeros", zeros: 100 << 20})
			for range 5 {
				list := []file{good}
				for i := range 16 {
					list = append(list, file{name: fmt.Sprint(i, ".zip"), text: string(inner)})
				}
				inner = jar(t, list...)
			}
			write(t, w, inner)
		}, "limit exceeded"},
		{"gzip of gzip of zeros", func(w io.Writer) {
			write(t, w, jar(t, good, file{name: "zeros.gz.gz", text: string(gzipped(t, zeros))}))
		}, "limit exceeded"},
		{"gzip of gzip of gzip", func(w io.Writer) {
			inner := []byte(planted(2))
			for range 100 {
				inner = gzipped(t, inner)
			}
			write(t, w, inGzip(good, file{name: "many.gz", text: string(inner)}))
		}, "limit exceeded"},
		{"a million files in a tar", func(w io.Writer) {
			gz := gzip.NewWriter(w)
			many := tar.NewWriter(gz)
			check(t, many.WriteHeader(&tar.Header{Name: good.name, Mode: 0o600, Size: int64(len(good.text))}))
			write(t, many, []byte(good.text))
			for i := range 1_000_000 {
				check(t, many.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Mode: 0o600}))
			}
			check(t, many.Close())
			check(t, gz.Close())
		}, "limit exceeded"},
		{"archives that are cut", func(w io.Writer) {
			cut := string(whole[:len(whole)/2])
			write(t, w, inGzip(good, file{name: "a.jar", text: cut}, file{name: "b.gz", text: string(zeros[:1000])}, file{name: "c.war", text: string(jar(t, file{name: "d.jar", text: cut}))}))
		}, "malformed"},
		{"encrypted, in a jar", func(w io.Writer) { write(t, w, jar(t, good, file{name: "sealed.zip", text: string(sealed)})) }, "encrypted"},
		{"cut tar of a layer", func(w io.Writer) {
			layer := inGzip(good, file{name: "data", text: text.String()})
			write(t, w, layer[:len(layer)*3/4])
		}, "malformed"},
		{"xz that looks back far", func(w io.Writer) {
			head := "\xfd7zXZ\x00\x00\x01\x00\x00\x00\x00" + "\x02\x00\x21\x01\x28\x00\x00\x00" + "\x00\x00\x00\x00"
			write(t, w, inGzip(good, file{name: "a.xz", text: head + strings.Repeat("x", 1000)}))
		}, "limit exceeded"},
		{"names", func(w io.Writer) {
			write(t, w, jar(t, good, file{name: "../../\x1b[31m\x00evil.env", text: planted(2)}, file{name: strings.Repeat("long/", 10_000) + "x", text: planted(3)}))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.spill("src/a.zip", tt.data)
			r.put("src/small.env", []byte(planted(7)))
			res := r.only("secret", "dir:"+r.path("in", "src"))
			res.mustFind(t, "a.zip!app.env", 1)
			res.mustFind(t, "small.env", 7)
			if tt.note == "" && res.code != 0 || tt.note != "" && (res.code != 4 || !res.noted(tt.note)) {
				t.Errorf("exit code %d, want a note that says %q: %+v", res.code, tt.note, res.report.Notes)
			}
		})
	}
}

// TestManyBombs: what archives inflate to is bounded for each in proportion to its size.
func TestManyBombs(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	bomb := jar(t, file{name: "app.env", text: planted(1)}, file{name: "zeros", zeros: 500 << 20})
	for i := range 25 {
		r.put(fmt.Sprintf("src/%d.zip", i), bomb)
	}
	res := r.only("secret", "dir:"+r.path("in", "src"))
	res.mustFind(t, "", 1)
	if res.code != 4 || !res.noted("limit exceeded") {
		t.Errorf("exit code %d, %+v", res.code, res.report.Notes)
	}
}

func write(t testing.TB, w io.Writer, b []byte) {
	t.Helper()
	_, err := w.Write(b)
	check(t, err)
}

// manyMembers writes a zip of so many tiny files behind one with a key.
func manyMembers(t testing.TB, out io.Writer, n int) {
	t.Helper()
	w := zip.NewWriter(out)
	for i := range n {
		e, err := w.Create(map[bool]string{true: "app.env", false: fmt.Sprint("f", i)}[i == 0])
		check(t, err)
		if i == 0 {
			_, err = io.WriteString(e, planted(1))
			check(t, err)
		}
	}
	check(t, w.Close())
}

// oneLine is a layer of one file of one line, with keys at its middle and its end. The
// text repeats after 32 KB only, so that the layer is no bomb.
func oneLine(t testing.TB, size int64) blob {
	t.Helper()
	source := rand.New(rand.NewPCG(3, 4))
	var text strings.Builder
	for text.Len() < 4<<20 {
		fmt.Fprintf(&text, `{"id":%d,"name":"item %x","tags":["a","b"],"price":%d.5},`, source.Uint32(), source.Uint64(), source.IntN(1000))
	}
	sum := sha256.New()
	l := bigLayer(t, func(w io.Writer) {
		gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		check(t, err)
		z := io.MultiWriter(gz, sum)
		half := size / 2
		key := func(seed uint64) string { return " " + strings.TrimSpace(planted(seed)) + " " }
		head := tarBytes(t, distroless(next)...)
		write(t, z, head[:len(head)-1024])
		total := 2*half + int64(len(key(1))+len(key(2)))
		write(t, z, block("srv/data.json", '0', total, 0))
		for i := range uint64(2) {
			fillWith(t, z, text.String(), half)
			_, err := io.WriteString(z, key(i+1))
			check(t, err)
		}
		write(t, z, make([]byte, (512-total%512)%512+1024))
		check(t, gz.Close())
	})
	l.diffID = fmt.Sprintf("sha256:%x", sum.Sum(nil))
	return l
}
