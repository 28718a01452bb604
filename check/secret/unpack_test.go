package secret

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"bulwark"
)

// gzipped is a text, compressed.
func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tarred is a tar of one file.
func tarred(t testing.TB, name string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// jarred is a jar whose nested file is stored as it is, as Spring Boot does it, or deflated.
func jarred(t testing.TB, stored bool, text []byte) []byte {
	name := map[bool]string{true: "stored.bin", false: "last.txt"}[stored]
	return zipOf(t, false, map[string]string{"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", name: string(text)})
}

// TestNested: a secret is found however deep, at the path that leads to it, and once.
func TestNested(t *testing.T) {
	i := testInspector(t)
	key, password := fill(t, "x\nt = "+pat+"\n", 1), fill(t, "MODE=1\nDB_PASSWORD={{base62 14}}\n", 2)
	settings := []byte(strings.Repeat("# settings\n", 100) + password)
	inner := zipOf(t, false, map[string]string{"app.properties": password})
	for _, tt := range []struct {
		path string
		data []byte
		want string
	}{
		{"srv/a.jar", jarred(t, true, []byte(key)), "srv/a.jar!stored.bin github:2"},
		{"srv/a.jar", jarred(t, true, inner), "srv/a.jar!stored.bin!app.properties generic-secret:2"},
		{"srv/a.jar", jarred(t, false, inner), "srv/a.jar!last.txt!app.properties generic-secret:2"},
		{"srv/a.war", jarred(t, false, jarred(t, true, inner)), "srv/a.war!last.txt!stored.bin!app.properties generic-secret:2"},
		{"srv/a.tar", tarred(t, "./conf/.env", settings), "srv/a.tar!conf/.env generic-secret:102"},
		{"srv/a.tar", tarred(t, "x", []byte(key)), "srv/a.tar!x github:2"},
		{"srv/a.tgz", gzipped(t, tarred(t, "conf/.env", settings)), "srv/a.tgz!conf/.env generic-secret:102"},
		{"srv/dump.sql.gz", gzipped(t, []byte(key)), "srv/dump.sql.gz!dump.sql github:2"},
		{"srv/app.env.gz", gzipped(t, settings), "srv/app.env.gz!app.env generic-secret:102"},
		{"srv/image.tar", tarred(t, "blobs/0", gzipped(t, tarred(t, "srv/.env", settings))), "srv/image.tar!blobs/0!srv/.env generic-secret:102"},
		{"srv/image.tar", tarred(t, "blobs/0", gzipped(t, tarred(t, "usr/share/x/.env", settings))), ""},
		{"usr/share/x/a.tgz", gzipped(t, tarred(t, "conf/.env", settings)), ""},
		{"usr/share/doc/x/a.env.gz", gzipped(t, settings), ""},
		{"srv/behind.gz", append(gzipped(t, []byte("x")), key...), " github:2"},
		{"srv/broken.tar", append(tarred(t, "x", []byte("x"))[:1024], key...), " github:2"},
	} {
		for _, size := range []int{1, 100, 511, 64 << 10} {
			facts, err := inspect(t, i, tt.path, tt.data, size)
			var got []string
			for _, f := range facts.Findings {
				got = append(got, fmt.Sprintf("%s %s:%d", f.Path, strings.TrimPrefix(f.Rule, "secret/"), f.Line))
			}
			if err != nil || strings.Join(got, ", ") != tt.want {
				t.Errorf("%s, pieces of %d: %q, %v, want %q", tt.path, size, got, err, tt.want)
			}
		}
	}
}

// TestUnseen: one error of one line says what was not looked at.
func TestUnseen(t *testing.T) {
	i := testInspector(t)
	key := []byte(fill(t, pat, 1))
	bomb := gzipped(t, make([]byte, 100<<20))
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"bomb":      {tarred(t, "bomb.gz", bomb), bulwark.ErrLimit},
		"bombs":     {jarred(t, false, gzipped(t, gzipped(t, make([]byte, 200<<20)))), bulwark.ErrLimit},
		"cut":       {jarred(t, true, gzipped(t, key)[:30]), bulwark.ErrMalformed},
		"too deep":  {gzipped(t, gzipped(t, gzipped(t, gzipped(t, gzipped(t, key))))), bulwark.ErrLimit},
		"many keys": {gzipped(t, bytes.Repeat(append(key, '\n'), 3000)), bulwark.ErrLimit},
	} {
		facts, err := inspect(t, i, "srv/a", tt.data, 64<<10)
		if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if len(facts.Findings) > mostOfFile {
			t.Errorf("%s: %d findings", name, len(facts.Findings))
		}
	}
}

// TestForgotten: what is begun and never closed leaves no goroutine that writes wait for.
func TestForgotten(t *testing.T) {
	i := testInspector(t)
	data := gzipped(t, []byte(fill(t, pat, 1)))
	for range 100 {
		s := i.Begin(file("srv/a.gz", int64(len(data))))
		if _, err := s.Write(append(data, make([]byte, 1000)...)); err != nil {
			t.Fatal(err)
		}
	}
	facts, err := inspect(t, i, "srv/a.gz", data, 100)
	if err != nil || len(facts.Findings) != 1 {
		t.Errorf("%d findings, %v", len(facts.Findings), err)
	}
}
