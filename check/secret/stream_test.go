package secret

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"bulwark"
)

// hay is text in which nothing is found.
func hay(r *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "line %d of no meaning at all %c\n", r.IntN(1000), 'a'+r.IntN(26))
	}
	return b.Bytes()[:n]
}

// TestPieces: what is found does not depend on how the bytes are cut, wherever in the
// buffer it lies.
func TestPieces(t *testing.T) {
	i, r := testInspector(t), rand.New(rand.NewPCG(1, 1))
	key := fill(t, "{{pem rsa}}", 1)
	for round := range 60 {
		at := []int{r.IntN(3000), bufferSize - r.IntN(3000), 2*bufferSize - r.IntN(40_000), 64<<10 - r.IntN(60)}[round%4]
		text := hay(r, at)
		text = append(text, fmt.Sprintf("\nx %s\n%s\nurl: mysql://u:%s@h\n", fill(t, pat, uint64(round)), key, fill(t, "{{base62 12}}", uint64(round)))...)
		line := bytes.Count(text[:at], []byte("\n")) + 2
		text = append(text, hay(r, r.IntN(100_000))...)
		want := []string{fmt.Sprint("secret/github:", line), fmt.Sprint("secret/key:", line+1), fmt.Sprint("secret/url:", line+3+strings.Count(key, "\n")-1)}
		facts, err := inspect(t, i, "srv/file.txt", text, 1+r.IntN([]int{5000, 64 << 10, 256 << 10}[round%3]))
		var got []string
		for _, f := range facts.Findings {
			got = append(got, fmt.Sprint(f.Rule, ":", f.Line))
		}
		want[2] = fmt.Sprint("secret/url:", line+1+strings.Count(key, "\n")+1)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("at %d: %v, %v, want %v", at, got, err, want)
		}
	}
}

func encoded16(s string, big bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
			continue
		}
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func TestWide(t *testing.T) {
	i := testInspector(t)
	text := "first\r\nkey = " + fill(t, pat, 1) + "\r\nmysql://user:" + fill(t, "{{base62 12}}", 2) + "@host/\r\n"
	for _, big := range []bool{false, true} {
		for _, before := range []string{"", "\x00", "odd"} {
			content := append([]byte(before), encoded16(text, big)...)
			if got := found(t, i, "srv/a.txt", string(content)); len(got) != 2 {
				t.Errorf("big %v after %q: %v", big, before, got)
			}
		}
	}
}

// zipOf is a ZIP file of the members given; streamed ones have their sizes after them.
func zipOf(t testing.TB, streamed bool, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"META-INF/MANIFEST.MF", "stored.bin", "app.properties", "last.txt"} {
		if streamed {
			f, err := w.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(f, members[name])
			continue
		}
		var z bytes.Buffer
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: uint64(len(members[name]))}
		if name == "stored.bin" {
			h.Method = zip.Store
			z.WriteString(members[name])
		} else {
			z.Write(deflated(t, members[name]))
		}
		h.CompressedSize64 = uint64(z.Len())
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(z.Bytes())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchive(t *testing.T) {
	i := testInspector(t)
	members := map[string]string{
		"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n" + strings.Repeat("x: y\n", 50_000),
		"app.properties":       "a=b\ndb.password=" + fill(t, "{{base62 14}}", 1) + "\n",
		"last.txt":             "token " + fill(t, pat, 2),
	}
	for _, streamed := range []bool{false, true} {
		content := zipOf(t, streamed, members)
		for _, size := range []int{7, 4096, 1 << 20} {
			facts, err := inspect(t, i, "srv/app.jar", content, size)
			var got []string
			for _, f := range facts.Findings {
				got = append(got, fmt.Sprint(f.Path, " ", f.Rule, ":", f.Line))
			}
			want := []string{"srv/app.jar!app.properties secret/generic-secret:2", "srv/app.jar!last.txt secret/github:1"}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("streamed %v, pieces of %d: %v, %v, want %v", streamed, size, got, err, want)
			}
		}
	}
}

// TestNoLeak: no part of a finding holds a value, or more of it than six characters.
func TestNoLeak(t *testing.T) {
	i := testInspector(t)
	var values []string
	var text strings.Builder
	for n := range uint64(20) {
		weak, strong, name := fill(t, "{{base62 10}}", n), fill(t, pat, n), fill(t, "{{lower 6}}", n)
		values = append(values, weak, strong)
		fmt.Fprintf(&text, "%s_PASSWORD=%s\nA=%s\nurl=mysql://u:%s@h/\n", name, weak, strong, weak)
	}
	facts, err := inspect(t, i, "srv/app.env", []byte(text.String()), 1000)
	if err != nil || len(facts.Findings) < 60 {
		t.Fatalf("%d findings, %v", len(facts.Findings), err)
	}
	b, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		for at := 0; at+7 <= len(v); at++ {
			if bytes.Contains(b, []byte(v[at:at+7])) {
				t.Fatalf("%q of %q is in the facts", v[at:at+7], v)
			}
		}
	}
}

// TestKeys: a strong value has one key wherever it is; a weak one has that of its place.
func TestKeys(t *testing.T) {
	i := testInspector(t)
	key := func(path, content string) (string, string) {
		facts, err := inspect(t, i, path, []byte(content), 1000)
		if err != nil || len(facts.Findings) != 1 {
			t.Fatalf("%s: %d findings, %v", path, len(facts.Findings), err)
		}
		return facts.Findings[0].Key, strings.Join(facts.Findings[0].Tags, " ")
	}
	strong := fill(t, pat, 1)
	a, tags := key("srv/a.txt", strong)
	b, _ := key("etc/b.env", "\n\nX="+strong)
	if a != b || !strings.HasPrefix(tags, "sha256:") {
		t.Errorf("keys of one value: %s, %s; tags %q", a, b, tags)
	}
	c, tags := key("srv/a.env", "PASSWORD=hunter2hunter2")
	d, _ := key("srv/b.env", "PASSWORD=hunter2hunter2")
	e, _ := key("srv/a.env", "\nPASSWORD=hunter3hunter3")
	if c == d || c != e || tags != "" {
		t.Errorf("keys of weak values: %s, %s, %s; tags %q", c, d, e, tags)
	}
}

// TestHostile: content made to be slow is bounded, in time by what expressions may be
// tried on, and in memory.
func TestHostile(t *testing.T) {
	i := testInspector(t)
	for _, tt := range []struct{ name, unit string }{
		{"srv/one-line.env", "password="},
		{"srv/keys.pem", "-----BEGIN PRIVATE KEY-----"},
		{"srv/many.txt", "AKIA"},
		{"srv/tokens.txt", "eyJeyJeyJ.eyJ"},
		{"srv/escapes.json", `\u0070acmekey%`},
	} {
		s := i.Begin(file(tt.name, 1<<40))
		piece := []byte(strings.Repeat(tt.unit, 256<<10/len(tt.unit)))
		before := memory()
		for range 64 {
			if _, err := s.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if now := memory(); now > before+8<<20 {
			t.Errorf("%s: %d bytes of memory more", tt.name, now-before)
		}
		facts, err := s.Close()
		if len(facts.Findings) > mostOfFile || err != nil && !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %d findings, %v", tt.name, len(facts.Findings), err)
		}
	}
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func file(path string, size int64) *bulwark.FileInfo {
	info := &bulwark.FileInfo{Size: size}
	info.SetPath(filepath.ToSlash(path))
	return info
}

func FuzzInspect(f *testing.F) {
	f.Add("srv/app.env", []byte("DB_PASSWORD=${X}\nurl=mysql://u:p@h"), 3)
	f.Add("srv/a.jar", zipOf(f, true, map[string]string{"app.properties": "password=x"}), 100)
	f.Add("srv/a.war", jarred(f, true, zipOf(f, false, map[string]string{"app.properties": "password=x"})), 9)
	f.Add("srv/a.tgz", gzipped(f, tarred(f, ".env", []byte("DB_PASSWORD=a8sdf7g6h5jk"))), 5)
	f.Add("srv/a.tar", tarred(f, "a.sql.gz", gzipped(f, []byte("mysql://u:a8sdf7g6h5jk@h"))), 500)
	f.Add("srv/k.pem", []byte("-----BEGIN PRIVATE KEY-----\n\\n%41\\u0041"), 7)
	f.Add("srv/w.txt", encoded16("AKIA mysql://u:p@h eyJhbGciOiJub25lIn0.eyJ", false), 9)
	i := testInspector(f)
	f.Fuzz(func(t *testing.T, path string, content []byte, size int) {
		if size <= 0 || len(content) > 1<<16 || path == "" {
			return
		}
		a, err := inspect(t, i, path, content, size)
		if err != nil && !errors.Is(err, bulwark.ErrLimit) && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrUnsupported) {
			t.Fatal(err)
		}
		b, _ := inspect(t, i, path, content, 1<<20)
		one, _ := json.Marshal(a.Findings)
		two, _ := json.Marshal(b.Findings)
		if !bytes.Equal(one, two) {
			t.Fatalf("pieces of %d: %s, whole: %s", size, one, two)
		}
	})
}

func deflated(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, s)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
