package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
)

func put(t *testing.T, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSplit(t *testing.T) {
	strange := put(t, "a#b.tar", nil)
	for _, tt := range []struct{ ref, file, name string }{
		{"x.tar", "x.tar", ""}, {"x.tar#nginx:1.27", "x.tar", "nginx:1.27"}, {"-#a", "-", "a"}, {"#x", "#x", ""},
		{strange, strange, ""}, {strange + "#c", strange, "c"},
	} {
		if file, name := Split(tt.ref); file != tt.file || name != tt.name {
			t.Errorf("Split(%q) = %q, %q", tt.ref, file, name)
		}
	}
}

func TestIsArchive(t *testing.T) {
	b := imagetest.Base(t)
	for name, want := range map[string]bool{
		put(t, "plain", b): true, put(t, "gzip", imagetest.Gzip(b)): true, put(t, "zstd", imagetest.Zstd(b)): true,
		put(t, "json", []byte(`{"bomFormat":"CycloneDX"}`)): false, put(t, "json.gz", imagetest.Gzip([]byte(strings.Repeat("{}", 1000)))): false,
		put(t, "empty", nil): false, put(t, "short.gz", imagetest.Gzip(b)[:12]): false, t.TempDir(): false, "/dev/null": false, "nowhere": false,
	} {
		if got := IsArchive(name); got != want {
			t.Errorf("IsArchive(%s) = %v", name, got)
		}
	}
}

func TestIsLayout(t *testing.T) {
	dir := t.TempDir()
	if IsLayout(dir) {
		t.Error("an empty folder is a layout")
	}
	for _, f := range []string{"oci-layout", "index.json"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !IsLayout(dir) {
		t.Error("a layout is none")
	}
}

func TestIsFlatLayout(t *testing.T) {
	for version, want := range map[string]bool{"Directory Transport Version: 1.1\n": true, "1.0.3\n": false, "": false} {
		dir := t.TempDir()
		for name, text := range map[string]string{"manifest.json": "{}", "version": version} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := IsLayout(dir); got != want {
			t.Errorf("version %q: IsLayout = %v", version, got)
		}
	}
}

func TestParseReference(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for s, want := range map[string]string{
		"nginx": "index.docker.io/library/nginx:latest", "team/app:1": "index.docker.io/team/app:1",
		"localhost:5000/x": "localhost:5000/x:latest", "example.com/x:1@" + digest: "example.com/x@" + digest,
	} {
		if got, err := ParseReference(s); err != nil || got.String() != want {
			t.Errorf("ParseReference(%q) = %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "UPPER", "a b", "x@sha256:1", "../x", "http://x/y"} {
		if _, err := ParseReference(s); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("ParseReference(%q) = %v", s, err)
		}
	}
}
