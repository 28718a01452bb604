package java

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

// pushed pushes an archive through a sink in pieces of n bytes.
func pushed(path, content string, n int) ([]string, error) {
	var large sync.Mutex
	s := newSink(&large, path)
	for p := []byte(content); len(p) > 0; {
		piece := slices.Clone(p[:min(n, len(p))])
		p = p[len(piece):]
		if _, err := s.Write(piece); errors.Is(err, bulwark.ErrSkip) {
			break
		}
		clear(piece)
	}
	facts, err := s.Close()
	var got []string
	for _, p := range facts.Packages {
		g := p.Name + "@" + p.Version
		if p.Path != "" {
			g = strings.TrimPrefix(p.Path, path) + " " + g
		}
		if !lang.Printable(g) {
			panic(g)
		}
		got = append(got, g)
	}
	slices.Sort(got)
	return got, err
}

// A large archive tells the same as a small one.
func TestStream(t *testing.T) {
	lib := jar(t, properties("org.x", "lib", "1.0")...)
	shaded := jar(t, append(properties("cglib", "cglib", "3.2.12"), manifestOf("Bundle-Name: guice", "Bundle-Version: 4.2.3")...)...)
	deep := lib
	for range 30 {
		deep = jar(t, "=in-1.0.jar", deep)
	}
	sized := lib
	for range 30 {
		sized = jar(t, "#in-1.0.jar", sized)
	}
	for name, content := range map[string]string{
		"own pom":    lib,
		"shaded":     shaded,
		"nested":     jar(t, append(manifestOf("Implementation-Title: shop"), "BOOT-INF/lib/lib-1.0.jar", lib, "=BOOT-INF/lib/guice.jar", shaded, "=a.war", jar(t, "WEB-INF/lib/x.jar", lib))...),
		"deep":       deep,
		"sized":      jar(t, "#META-INF/MANIFEST.MF", "Bundle-Name: x\n", "#lib/y.jar", shaded, "#z.ear", jar(t, "#lib-1.0.jar", lib, "lib-2.0.jar", lib)),
		"sized deep": sized,
		"sized junk": jar(t, "#y-1.0.jar", "junk", "#z.par", "junk"),
		"in a pom":   jar(t, "META-INF/maven/org.x/x/pom.xml", "<project/>", "a", strings.Repeat("PK\x07\x08", 100)),
		"prefixed":   "#!/bin/sh\n" + lib,
		"manifest":   jar(t, "META-INF/MANIFEST.MF", "Bundle-Name: x\n\n"+strings.Repeat("Name: x\n", 1<<20)),
		"no zip":     strings.Repeat("x", 1000),
		"truncated":  lib[:len(lib)/3],
	} {
		want, wantErr := extract(t, "app/shop-2.0.jar", content)
		for _, n := range []int{1, 100, 256 << 10} {
			if len(content) > 100_000 && n == 1 {
				continue
			}
			got, err := pushed("app/shop-2.0.jar", content, n)
			if errors.Is(err, bulwark.ErrMalformed) != errors.Is(wantErr, bulwark.ErrMalformed) || errors.Is(err, bulwark.ErrLimit) != errors.Is(wantErr, bulwark.ErrLimit) {
				t.Errorf("%s in pieces of %d: error %v, want %v", name, n, err, wantErr)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", name, n, diff)
			}
		}
	}
}

func TestBegin(t *testing.T) {
	x := New()
	for _, tt := range []struct {
		path   string
		size   int64
		whole  bool
		stream bool
	}{
		{"app.jar", 1, true, false},
		{"app.jar", maxWhole, true, false},
		{"app.jar", maxWhole + 1, false, true},
		{"app.zip", maxWhole + 1, false, false},
		{"app.jar", 0, false, false},
	} {
		f := bulwark.FileInfo{Size: tt.size}
		f.SetPath(tt.path)
		if whole, stream := x.Wants(&f), x.Begin(&f) != nil; whole != tt.whole || stream != tt.stream {
			t.Errorf("%s of %d bytes: whole %v, streamed %v", tt.path, tt.size, whole, stream)
		}
	}
}

func FuzzStream(f *testing.F) {
	lib := jar(f, properties("org.x", "lib", "1.0")...)
	f.Add(lib, 7)
	f.Add(jar(f, "lib.jar", lib, "=b.war", lib), 1000)
	f.Fuzz(func(t *testing.T, content string, n int) {
		if n > 0 {
			pushed("x-1.0.jar", content, n)
		}
	})
}
