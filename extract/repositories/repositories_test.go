package repositories

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func file(p string, content []byte) *bulwark.File {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Size: int64(len(content))}, ReaderAt: bytes.NewReader(content)}
	f.SetPath(p)
	return f
}

func TestExtract(t *testing.T) {
	tests := map[string]struct {
		path, text string
		want       []bulwark.Repository
	}{
		"one line": {"etc/apt/sources.list", `# deb http://old.example.com/debian x main
deb http://deb.example.com/debian/ bookworm main contrib # comment
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://user:pass@apt.example.com/x?key=1 stable main
deb [ arch=amd64 ] https://apt.example.com ./
deb-src http://deb.example.com/debian bookworm main
deb cdrom:[Debian] bookworm main
deb file:/srv/repo ./
deb http://
deb [ http://deb.example.com x
`, []bulwark.Repository{
			{Kind: "apt", URL: "http://deb.example.com/debian", Suite: "bookworm", Components: []string{"main", "contrib"}},
			{Kind: "apt", URL: "https://apt.example.com/x", Suite: "stable", Components: []string{"main"}},
			{Kind: "apt", URL: "https://apt.example.com", Suite: "./"},
		}},
		"deb822": {"etc/apt/sources.list.d/debian.sources", `Types: deb deb-src
# comment
URIs: http://deb.example.com/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .

Types: deb
URIs: https://token@sec.example.com/debian-security https://mirror.example.com/s
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example.com
Suites: x

Types: deb-src
URIs: http://src.example.com
Suites: x`, []bulwark.Repository{
			{Kind: "apt", URL: "http://deb.example.com/debian", Suite: "bookworm", Components: []string{"main"}},
			{Kind: "apt", URL: "http://deb.example.com/debian", Suite: "bookworm-updates", Components: []string{"main"}},
			{Kind: "apt", URL: "https://sec.example.com/debian-security", Suite: "bookworm-security", Components: []string{"main"}},
			{Kind: "apt", URL: "https://mirror.example.com/s", Suite: "bookworm-security", Components: []string{"main"}},
		}},
		"apk": {"etc/apk/repositories", "https://dl.example.com/alpine/v3.19/main\n#https://x.example.com/y\n@edge http://u:p@dl.example.com/alpine/edge/testing\n/media/cdrom/apks\n\n", []bulwark.Repository{
			{Kind: "apk", URL: "https://dl.example.com/alpine/v3.19/main"},
			{Kind: "apk", URL: "http://dl.example.com/alpine/edge/testing"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := file(tt.path, []byte(tt.text))
			if !New().Wants(&f.FileInfo) {
				t.Error("Wants refuses it")
			}
			facts, err := New().Extract(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, facts.Repositories); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTooMuch(t *testing.T) {
	_, err := New().Extract(t.Context(), file("etc/apt/sources.list", bytes.Repeat([]byte("#\n"), maxFile)))
	if !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
	text := "Types: deb\nURIs:" + strings.Repeat(" http://a.example.com", 300) + "\nSuites:" + strings.Repeat(" x", 300) + "\n"
	facts, err := New().Extract(t.Context(), file("etc/apt/sources.list.d/x.sources", []byte(text)))
	if err != nil || len(facts.Repositories) != maxRepositories {
		t.Errorf("%d repositories and %v, want %d", len(facts.Repositories), err, maxRepositories)
	}
}

func FuzzExtract(f *testing.F) {
	paths := []string{"etc/apt/sources.list", "etc/apt/sources.list.d/x.sources", "etc/apk/repositories"}
	f.Add([]byte("deb [a=b] http://u:p@h/x s main\n"), uint8(0))
	f.Add([]byte("Types: deb\nURIs: http://u:p@h/x\nSuites: a\n b\n"), uint8(1))
	f.Add([]byte("@x http://h/y\n"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		facts, _ := New().Extract(t.Context(), file(paths[int(kind)%len(paths)], data))
		for _, r := range facts.Repositories {
			rest, _ := strings.CutPrefix(r.URL, "https://")
			rest, _ = strings.CutPrefix(rest, "http://")
			host, _, _ := strings.Cut(rest, "/")
			if strings.Contains(host, "@") || strings.Contains(r.URL, "?") {
				t.Errorf("%s may hold credentials", r.URL)
			}
		}
	})
}
