//go:build linux

package hostile

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// locks are the lockfiles and databases that a plugin reads, by path.
var locks = []string{
	"app/package-lock.json", "app/npm-shrinkwrap.json", "app/yarn.lock", "app/pnpm-lock.yaml", "app/bun.lock", "app/requirements.txt", "app/Pipfile.lock",
	"app/poetry.lock", "app/uv.lock", "app/pdm.lock", "app/go.mod", "app/pom.xml", "app/gradle.lockfile", "app/Gemfile.lock", "app/Cargo.lock",
	"app/composer.lock", "app/packages.lock.json", "app/pubspec.lock", "app/mix.lock", "app/Package.resolved", "app/conan.lock",
	"app/package.json", "app/x.deps.json", "vendor/composer/installed.json", "py/x.dist-info/METADATA", "py/x.egg-info/PKG-INFO",
	"gems/specifications/x-1.gemspec", "conda-meta/x.json", "etc/apt/sources.list", "etc/lsb-release",
	"var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages", "lib/apk/db/installed",
	"var/lib/dpkg/info/x.list", "var/lib/dpkg/info/x.md5sums", "usr/share/doc/x/copyright",
}

// TestHugeFiles: each of them with 1 GB of zeros, on disk as a hole and in a layer.
func TestHugeFiles(t *testing.T) {
	t.Parallel()
	const size = 1 << 30
	r := newRoom(t)
	for _, f := range debian(good) {
		r.put("root/"+f.name, []byte(f.text))
	}
	for _, p := range locks {
		check(t, os.Truncate(r.put("root/"+p, nil), size))
	}
	// What looks at every byte is left out: 40 GB take their time.
	res := r.scan("--only", "vulnerability", "rootfs:"+r.path("in", "root"))
	want{4, "limit exceeded", []string{good}}.check(t, res)
	want{4, "limit exceeded", nil}.check(t, r.scan("--only", "vulnerability", "dir:"+r.path("in", "root", "app")))

	for _, p := range []string{"app/package-lock.json", "var/lib/rpm/rpmdb.sqlite", "app/yarn.lock"} {
		layer := bigLayer(t, func(w io.Writer) {
			z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
			check(t, err)
			tarOf(t, z, append(distroless(next), file{name: p, zeros: size}))
			check(t, z.Close())
		})
		bad := newLayout(layerOf(t, debian(good)...), layer).write(newRoomIn(r, p), "bad")
		res := r.scan(bad)
		if res.code != 4 || !strings.Contains(res.stdout, "limit exceeded") && !strings.Contains(res.stdout, "not trusted") {
			t.Errorf("%s: exit code %d", p, res.code)
		}
	}
}

func newRoomIn(r *room, name string) *room {
	sub := *r
	sub.root = r.path("in", strings.ReplaceAll(name, "/", "-"))
	check(r.t, os.MkdirAll(sub.path("in"), 0o755))
	return &sub
}

// TestDenseFiles: files that are large or deep and hold to their format.
func TestDenseFiles(t *testing.T) {
	t.Parallel()
	const any = -1 // whether it is too much is the format's own business
	for _, tt := range []struct {
		path, text, more string
		times, code      int
	}{
		{"var/lib/dpkg/status.d/huge", "Package: huge\nStatus: install ok installed\nVersion: 1\nDescription: ", "long words ", 94 << 20 / 11, any},
		{"var/lib/dpkg/status.d/lines", "Package: huge\nStatus: install ok installed\nVersion: 1\nDescription: x\n", " more\n", 94 << 20 / 6, any},
		{"var/lib/dpkg/status.d/name", "Package: ", "x", 94 << 20, any},
		{"var/lib/dpkg/status.d/many", "", status("many", "1.0"), 200_000, any},
		{"var/lib/dpkg/status.d/provides", "Package: huge\nVersion: 1\nLicense: ", "a, b, ", 10_000_000, any},
		{"lib/apk/db/installed", "P:a\nV:1\n", "p:x\n", 10_000_000, any},
		{"lib/apk/db/installed", "", "P:a\nV:1\n\n", 1_000_000, any},
		{"app/package-lock.json", `{"packages":`, "[", 5_000_000, 4},
		{"app/package-lock.json", `{"packages":{"":{}`, `,"node_modules/a":{"version":"1.0.0"}`, 1_000_000, any},
		{"app/package.json", `{"name":"x","version":"1","x":`, "[", 900_000, 4},
		{"app/composer.lock", `{"packages":`, "[", 5_000_000, 4},
		{"app/pnpm-lock.yaml", "a: &a [x,x]\n", "b: &b [*a,*a,*a,*a]\n", 1000, any},
		{"app/pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  ", "[", 100_000, 4},
		{"app/pom.xml", `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><project>`, "<a>", 1_000_000, 4},
		{"app/Cargo.lock", "", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n", 100_000, any},
		{"app/poetry.lock", "a = ", "[", 1_000_000, 4},
		{"app/yarn.lock", "", "a@", 3_000_000, any},
		{"app/yarn.lock", "", "\"a@1\", ", 3_000_000, any},
		{"app/Gemfile.lock", "GEM\n  specs:\n", "    a (1.0)\n", 1_000_000, any},
		{"app/requirements.txt", "", "a==1.0\\\n", 1_000_000, any},
		{"app/go.mod", "module x\nrequire (\n", "\ta.b/c v1.0.0\n", 500_000, any},
		{"app/gradle.lockfile", "", "a:b:1.0=compile\n", 1_000_000, any},
		{"py/x.dist-info/METADATA", "Name: x\nVersion: 1\n", "Classifier: License :: OSI Approved :: yyyyyyyyyyyyyyyy\n", 500_000, any},
		{"gems/specifications/x-1.gemspec", "", "(", 1_000_000, any},
		{"etc/apt/sources.list", "", "deb http://example.com/ x main\n", 500_000, any},
		{"usr/share/doc/x/copyright", "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n", "\nFiles: *\nLicense: x\n", 500_000, any},
		{"var/lib/dpkg/info/good.list", "", "/usr/lib/x\n", 2_000_000, any},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			layer := bigLayer(t, func(w io.Writer) {
				tarOf(t, w, append(distroless(next), file{name: tt.path, text: tt.text, more: tt.more, times: tt.times}))
			})
			res := r.scan(newLayout(layerOf(t, debian(good)...), layer).write(r, "bad"))
			if tt.code == any && res.code == 0 {
				tt.code = 0
			} else if tt.code == any {
				tt.code = 4
			}
			want{tt.code, "", []string{good, next}}.check(t, res)
		})
	}
}

// TestWrongJSON puts values of every type where a format expects another.
func TestWrongJSON(t *testing.T) {
	t.Parallel()
	values := []string{`7`, `"x"`, `null`, `true`, `[1,"a",null,[]]`, `{"a":{"b":[]}}`, `-1e999`, `"\ud800"`, `[[[[{}]]]]`, ``}
	shapes := []string{
		`%s`, `[%s]`, `{"name":%s,"version":"1.0.0"}`, `{"name":"a","version":%s}`, `{"name":"a","version":"1.0.0","license":%s,"licenses":%[1]s}`,
		`{"packages":%s}`, `{"packages":{"node_modules/a":%s}}`, `{"packages":{"node_modules/a":{"version":%s}}}`, `{"packages":[%s]}`,
		`{"packages":[{"name":%s,"version":%[1]s}]}`, `{"dependencies":%s}`, `{"dependencies":{"a":%s}}`, `{"dependencies":{"a":{"version":%s,"requires":%[1]s}}}`,
		`{"lockfileVersion":%s,"packages":{}}`, `{"default":%s,"develop":{"a":%[1]s}}`, `{"libraries":{"a/1.0":%s},"targets":%[1]s}`, `{"pins":%s,"object":%[1]s}`,
		`{"name":"a","version":"1.0.0"`, `{"name":"a","version":"1.0.0"} trailing`, "\ufeff" + `{"name":"a"}`,
	}
	var files []file
	n := 0
	for _, p := range locks {
		if !strings.HasSuffix(p, ".json") && !strings.HasSuffix(p, ".lock") && !strings.HasSuffix(p, ".resolved") {
			continue
		}
		for _, s := range shapes {
			for _, v := range values {
				text := s
				if strings.Contains(s, "%") {
					text = fmt.Sprintf(s, v)
				}
				files = append(files, file{name: fmt.Sprintf("opt/%d/%s", n, p), text: text})
				n++
			}
		}
	}
	r := newRoom(t)
	want{4, "malformed", []string{good, next}}.check(t, r.scan(newLayout(layerOf(t, debian(good)...), layerOf(t, append(files, distroless(next)...)...)).write(r, "bad")))
}

// TestUnreadable: files that this user may not read are told, the others are read.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.nobody = true
	for d := r.root; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
		check(t, os.Chmod(d, 0o755))
	}
	check(t, os.Chmod(r.path("cache"), 0o777))
	for _, f := range debian(good) {
		r.put("root/"+f.name, []byte(f.text))
	}
	check(t, os.Chmod(r.put("root/app/package.json", []byte("{}")), 0))
	check(t, os.Chmod(r.put("closed.tar", []byte("x")), 0))
	want{4, "permission denied", []string{good}}.check(t, r.scan("rootfs:"+r.path("in", "root")))
	want{1, "permission denied", nil}.check(t, r.scan(r.path("in", "closed.tar")))
}
