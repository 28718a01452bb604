package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"bulwark"
)

// entry is a file in an archive.
type entry struct {
	name string
	data string
}

func zipped(t testing.TB, method uint16, list ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range list {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		check(t, err)
		_, err = io.WriteString(f, e.data)
		check(t, err)
	}
	check(t, w.Close())
	return b.String()
}

func tarred(t testing.TB, format tar.Format, list ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range list {
		check(t, w.WriteHeader(&tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.data)), Format: format}))
		_, err := io.WriteString(w, e.data)
		check(t, err)
	}
	check(t, w.Close())
	return b.String()
}

func packed(t testing.TB, kind Kind, s string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case Gzip:
		w = gzip.NewWriter(&b)
	case Zstd:
		w, err = zstd.NewWriter(&b, zstd.WithWindowSize(1<<20), zstd.WithEncoderConcurrency(1))
	case Xz:
		w, err = xz.WriterConfig{DictCap: 1 << 16, BlockSize: 10_000}.NewWriter(&b)
	}
	check(t, err)
	_, err = io.WriteString(w, s)
	check(t, err)
	check(t, w.Close())
	return b.String()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// texts walks, and gives what was found by its path; what is left of an archive has "+" behind it.
func texts(t testing.TB, name, data string) (map[string]string, error) {
	t.Helper()
	got := map[string]string{}
	err := Walk(iotest.HalfReader(strings.NewReader(data)), name, int64(len(data)), func(x *Text) error {
		b, _ := io.ReadAll(x.Reader)
		key := x.Path
		if x.Rest {
			key += "+"
		}
		got[key] += string(b)
		return nil
	})
	return got, err
}

const deep = "the deepest text"

// bzip2ed says "hello from bzip2".
const bzip2ed = "425a683931415926535955e9afe5000003d9800010400010001366d0102000229a3269e91fa840000d2af426e0bf2c0162ee48a70a120abd35fca0"

func TestNests(t *testing.T) {
	long := strings.Repeat("folder/", 30) + "x.txt"
	z := func(list ...entry) string { return zipped(t, zip.Deflate, list...) }
	for _, tt := range []struct {
		name, data string
		want       string // the path of the deepest text
	}{
		{"a.jar", z(entry{"x.txt", deep}), "a.jar!x.txt"},
		{"a.jar", zipped(t, zip.Store, entry{"x.txt", deep}), "a.jar!x.txt"},
		{"a.jar", z(entry{"BOOT-INF/lib/b.jar", z(entry{"x.txt", deep})}), "a.jar!BOOT-INF/lib/b.jar!x.txt"},
		{"a.jar", zipped(t, zip.Store, entry{"lib/b.jar", z(entry{"x.txt", deep})}), "a.jar!lib/b.jar!x.txt"},
		{"a.ear", z(entry{"b.war", z(entry{"WEB-INF/lib/c.jar", z(entry{"x.txt", deep})})}), "a.ear!b.war!WEB-INF/lib/c.jar!x.txt"},
		{"a.tar", tarred(t, tar.FormatUSTAR, entry{"./d/x.txt", deep}), "a.tar!d/x.txt"},
		{"a.tar", tarred(t, tar.FormatGNU, entry{long, deep}), "a.tar!" + long},
		{"a.tar", tarred(t, tar.FormatPAX, entry{long, deep}), "a.tar!" + long},
		{"a.tar", tarred(t, tar.FormatUSTAR, entry{"1", "one"}) + tarred(t, tar.FormatUSTAR, entry{"x.txt", deep}), "a.tar!x.txt"},
		{"a.tgz", packed(t, Gzip, tarred(t, tar.FormatGNU, entry{"x.txt", deep})), "a.tgz!x.txt"},
		{"a.tar.zst", packed(t, Zstd, tarred(t, tar.FormatGNU, entry{"x.txt", deep})), "a.tar.zst!x.txt"},
		{"a.tar.xz", packed(t, Xz, tarred(t, tar.FormatGNU, entry{"x.txt", deep})), "a.tar.xz!x.txt"},
		{"d/a.sql.gz", packed(t, Gzip, deep), "d/a.sql.gz!a.sql"},
		{"a.log", packed(t, Gzip, deep[:5]) + packed(t, Gzip, deep[5:]), "a.log!a.log"},
		{"a.xz", packed(t, Xz, deep[:5]) + "\x00\x00\x00\x00" + packed(t, Xz, deep[5:]), "a.xz!a"},
		{".gz", packed(t, Gzip, deep), ".gz!.gz"},
		{"a.gz", packed(t, Gzip, packed(t, Zstd, deep)), "a.gz!a!a"},
		{"image.tar", tarred(t, tar.FormatPAX, entry{"blobs/sha256/0", packed(t, Gzip, tarred(t, tar.FormatPAX, entry{"srv/x.txt", deep}))}), "image.tar!blobs/sha256/0!srv/x.txt"},
		{"a.tgz", packed(t, Gzip, tarred(t, tar.FormatPAX, entry{"b.tgz", packed(t, Gzip, tarred(t, tar.FormatPAX, entry{"c.jar", z(entry{"x.txt", deep})}))})), "a.tgz!b.tgz!c.jar!x.txt"},
	} {
		got, err := texts(t, tt.name, tt.data)
		if err != nil || got[tt.want] != deep {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	data, _ := hex.DecodeString(bzip2ed)
	if got, err := texts(t, "a.bz2", string(data)); err != nil || got["a.bz2!a"] != "hello from bzip2\n" {
		t.Errorf("bzip2: %q, %v", got, err)
	}
}

// TestFarBack: xz that wants to look back further than is allowed is read as long as it does not.
func TestFarBack(t *testing.T) {
	for _, tt := range []struct {
		name  string
		apart int // how far apart the same bytes are
		want  error
	}{{"near", 1 << 20, nil}, {"far", mostWindow + 1<<20, bulwark.ErrLimit}} {
		r := rand.New(rand.NewPCG(1, 1))
		once := make([]byte, 1000)
		for i := range once {
			once[i] = byte(r.Uint32())
		}
		var b bytes.Buffer
		w, err := xz.WriterConfig{DictCap: 64 << 20}.NewWriter(&b)
		check(t, err)
		for _, part := range [][]byte{once, make([]byte, tt.apart), once} {
			_, err := w.Write(part)
			check(t, err)
		}
		check(t, w.Close())
		total := int64(0)
		err = Walk(&b, "a.xz", 1<<20, func(x *Text) error {
			n, _ := io.Copy(io.Discard, x.Reader)
			total += n
			return nil
		})
		if !errors.Is(err, tt.want) || tt.want == nil && total != int64(tt.apart)+2000 {
			t.Errorf("%s: %d bytes, %v, want %v", tt.name, total, err, tt.want)
		}
	}
}

// TestStored: a file that is stored as it is and whose sizes follow it, which holds what looks like sizes.
func TestStored(t *testing.T) {
	text := strings.Repeat("abcPK\x07\x08 of a zip", 10_000)
	data := []byte(zipped(t, zip.Store, entry{"x.txt", text}, entry{"y.txt", deep}))
	if data[6]&8 == 0 || bytes.Contains(data[14:26], []byte{1}) {
		t.Fatal("the sizes do not follow")
	}
	got, err := texts(t, "a.zip", string(data))
	if err != nil || got["a.zip!x.txt"] != text || got["a.zip!y.txt"] != deep {
		t.Errorf("%d and %d bytes, %v", len(got["a.zip!x.txt"]), len(got["a.zip!y.txt"]), err)
	}
}

// TestTrees: of archives made at random every file is given out, with its bytes.
func TestTrees(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := map[string]string{}
		data := tree(t, r, "a", 3, want)
		got, err := texts(t, "a", data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for p, text := range want {
			if got[p] != text {
				t.Fatalf("seed %d: %s holds %q, want %q", seed, p, got[p], text)
			}
			delete(got, p)
		}
		for p := range got {
			if !strings.HasSuffix(p, "+") {
				t.Errorf("seed %d: %s is in no archive", seed, p)
			}
		}
	}
}

// tree makes an archive of files and archives, at the path given.
func tree(t testing.TB, r *rand.Rand, at string, depth int, want map[string]string) string {
	var list []entry
	for i := range 1 + r.IntN(4) {
		e := entry{name: fmt.Sprintf("d%d/f%d", r.IntN(3), i)}
		p := at + "!" + e.name
		switch {
		case depth > 0 && r.IntN(2) == 0:
			e.data = tree(t, r, p, depth-1, want)
		default:
			e.data = strings.Repeat(fmt.Sprint("text ", r.Uint32(), "\n"), 1+r.IntN(5000))
			want[p] = e.data
		}
		list = append(list, e)
	}
	var data string
	switch r.IntN(4) {
	case 0:
		data = zipped(t, zip.Deflate, list...)
	case 1:
		data = zipped(t, zip.Store, list...)
	case 2:
		return tarred(t, tar.FormatPAX, list...)
	default:
		return packed(t, []Kind{Gzip, Zstd, Xz}[r.IntN(3)], tarred(t, tar.FormatGNU, list...))
	}
	return data
}

// TestBad: what is not looked at is told, once, and what is before it is given out.
func TestBad(t *testing.T) {
	nest := func(n int, pack func(string) string) string {
		s := pack(deep)
		for range n {
			s = pack(s)
		}
		return s
	}
	asZip := func(s string) string {
		return zipped(t, zip.Deflate, entry{"first", "one"}, entry{"inner", s}, entry{"last", "two"})
	}
	asTar := func(s string) string { return tarred(t, tar.FormatGNU, entry{"first", "one"}, entry{"inner", s}) }
	asGzip := func(s string) string { return packed(t, Gzip, s) }
	noise := make([]byte, 100_000)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	sealed := []byte(zipped(t, zip.Deflate, entry{"secret", deep}))
	sealed[6] |= 1
	odd := []byte(zipped(t, zip.Deflate, entry{"odd", deep}))
	odd[6], odd[8], odd[18] = 0, 93, 5
	cut := func(s string) string { return s[:len(s)*3/4] }
	for name, tt := range map[string]struct {
		data string
		want []error
		path string // of a text that is given out nevertheless
	}{
		"zips, too deep":     {nest(mostDepth, asZip), []error{bulwark.ErrLimit}, "a!inner!inner!inner!last"},
		"tars, too deep":     {nest(mostDepth, asTar), []error{bulwark.ErrLimit}, "a!first"},
		"gzip, too deep":     {nest(mostDepth, asGzip), []error{bulwark.ErrLimit}, ""},
		"cut gzip":           {cut(asGzip(string(noise))), []error{bulwark.ErrMalformed}, "a!a"},
		"cut gzip in a zip":  {asZip(cut(asGzip(string(noise)))), []error{bulwark.ErrMalformed}, "a!last"},
		"cut zip in a zip":   {asZip(cut(asZip(string(noise)))), []error{bulwark.ErrMalformed}, "a!last"},
		"cut zstd":           {cut(packed(t, Zstd, string(noise))), []error{bulwark.ErrMalformed}, ""},
		"cut xz":             {cut(packed(t, Xz, string(noise))), []error{bulwark.ErrMalformed}, ""},
		"cut tar":            {cut(asTar(string(noise))), nil, "a!inner"},
		"encrypted":          {asZip(string(sealed)), []error{bulwark.ErrUnsupported}, "a!last"},
		"encrypted and cut":  {asZip(tarred(t, tar.FormatGNU, entry{"1", string(sealed)}, entry{"2", cut(asGzip(string(noise)))})), []error{bulwark.ErrUnsupported, bulwark.ErrMalformed}, "a!last"},
		"another method":     {asZip(string(odd)), []error{bulwark.ErrUnsupported}, "a!last"},
		"gzip that is none":  {asZip("\x1f\x8b\x08\x00 this is a text"), nil, "a!inner+"},
		"zip that is none":   {asTar("PK\x03\x04 this is a text"), []error{bulwark.ErrMalformed}, "a!first"},
		"text behind a gzip": {asGzip("one") + "this is a text", nil, "a+"},
		"zeros":              {asGzip(strings.Repeat("\x00", 200<<20)), []error{bulwark.ErrLimit}, ""},
		"zeros, in levels":   {asZip(asGzip(asGzip(strings.Repeat("\x00", 200<<20)))), []error{bulwark.ErrLimit}, "a!first"},
	} {
		got, err := texts(t, "a", tt.data)
		if tt.path != "" && got[tt.path] == "" {
			t.Errorf("%s: nothing of %s in %q", name, tt.path, keys(got))
		}
		if (err == nil) != (tt.want == nil) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		for _, want := range tt.want {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
}

func keys(m map[string]string) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// TestMany: files are counted at all depths, and an error of visit ends everything.
func TestMany(t *testing.T) {
	var list []entry
	for i := range 70_000 {
		list = append(list, entry{name: fmt.Sprint(i)})
	}
	half := packed(t, Gzip, tarred(t, tar.FormatUSTAR, list...))
	_, err := texts(t, "a", tarred(t, tar.FormatUSTAR, entry{"1", half}, entry{"2", half}))
	if !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("140,000 files: %v", err)
	}
	n := 0
	stop := fmt.Errorf("enough: %w", bulwark.ErrLimit)
	data := zipped(t, zip.Deflate, entry{"1", zipped(t, zip.Deflate, entry{"2", deep}, entry{"3", deep})}, entry{"4", deep})
	err = Walk(strings.NewReader(data), "a", int64(len(data)), func(*Text) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%d texts, %v", n, err)
	}
}

func TestClean(t *testing.T) {
	for name, want := range map[string]string{
		"a/b": "a/b", "./a": "a", "../../etc/x": "etc/x", "/abs": "abs", "a\x1b[31m\x00": "a?[31m?", "": "",
		strings.Repeat("x/", 1000) + "é.env": strings.Repeat("x/", 1000)[2000-mostName+6:] + "é.env",
	} {
		if got := Clean(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzWalk(f *testing.F) {
	inner := zipped(f, zip.Deflate, entry{"x", deep})
	f.Add([]byte(inner))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02\x33\x78\x9cKLJ\x06\x00\x02\x4d\x01\x27\x65\x81\x01\x78\x9c\x63\x66\x9d\x90\x0c\x00\x01\x8f\x00\xf9"))
	f.Add([]byte(zipped(f, zip.Store, entry{"x", inner}, entry{"y", deep})))
	f.Add([]byte(tarred(f, tar.FormatPAX, entry{strings.Repeat("n/", 100) + "x", inner})))
	f.Add([]byte(tarred(f, tar.FormatGNU, entry{strings.Repeat("n/", 100) + "x", inner})))
	for _, kind := range []Kind{Gzip, Zstd, Xz} {
		f.Add([]byte(packed(f, kind, inner)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		total := 0
		err := Walk(bytes.NewReader(data), "a", int64(len(data)), func(x *Text) error {
			n, _ := io.Copy(io.Discard, x.Reader)
			total += int(n)
			return nil
		})
		if most := leastInflated + (smallRatio+mostDepth+1)*len(data); total > most {
			t.Fatalf("%d bytes give %d, at most %d", len(data), total, most)
		}
		if err != nil && !errors.Is(err, bulwark.ErrLimit) && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrUnsupported) {
			t.Fatal(err)
		}
	})
}
