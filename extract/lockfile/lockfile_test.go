package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// samples are small files as the tools write them: path, content, and what they declare
// as "PURL", with " dev" or a licence behind it.
var samples = []struct {
	path, content string
	want          []string
}{
	{"app/package-lock.json", `{"name":"app","lockfileVersion":3,"packages":{
		"":{"name":"app","version":"1.0.0","dependencies":{"a":"^1.0.0"}},
		"packages/own":{"name":"own","version":"0.1.0"},
		"node_modules/own":{"resolved":"packages/own","link":true},
		"node_modules/@s/a":{"version":"1.2.3","license":"MIT"},
		"node_modules/b":{"version":"2.0.0","dev":true},
		"node_modules/@s/a/node_modules/b":{"version":"2.0.0"},
		"node_modules/alias":{"name":"real","version":"3.0.0"},
		"node_modules/git":{"version":"git+ssh://git@h.test/x.git#0123"}}}`,
		[]string{"pkg:npm/%40s/a@1.2.3 MIT", "pkg:npm/b@2.0.0", "pkg:npm/real@3.0.0", "pkg:npm/git"}},
	{"app/npm-shrinkwrap.json", `{"lockfileVersion":1,"dependencies":{
		"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0","dev":true}}},
		"c":{"version":"npm:@s/real@4.0.0"}}}`,
		[]string{"pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0 dev", "pkg:npm/%40s/real@4.0.0"}},
	{"app/yarn.lock", "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\":\n  version \"1.2.3\"\n  resolved \"https://r.test/a.tgz#0\"\n\nb@^2.0.0, b@^2.1.0:\n  version \"2.1.0\"\n",
		[]string{"pkg:npm/%40s/a@1.2.3", "pkg:npm/b@2.1.0"}},
	{"berry/yarn.lock", "__metadata:\n  version: 6\n\n\"a@npm:^1.0.0\":\n  version: 1.2.3\n  resolution: \"a@npm:1.2.3\"\n  languageName: node\n\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"own@workspace:.\"\n  languageName: unknown\n",
		[]string{"pkg:npm/a@1.2.3"}},
	{"v9/pnpm-lock.yaml", "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.2.3\n\npackages:\n\n  '@s/a@1.2.3':\n    resolution: {integrity: sha512-x}\n\n  git@https://h.test/x/tar.gz/0123:\n    resolution: {tarball: https://h.test/x}\n    version: 7.0.0\n\nsnapshots:\n\n  '@s/a@1.2.3': {}\n",
		[]string{"pkg:npm/%40s/a@1.2.3", "pkg:npm/git@7.0.0"}},
	{"v6/pnpm-lock.yaml", "lockfileVersion: '6.0'\n\npackages:\n\n  /@s/a@1.2.3(b@2.0.0):\n    resolution: {integrity: sha512-x}\n    dev: true\n",
		[]string{"pkg:npm/%40s/a@1.2.3 dev"}},
	{"v5/pnpm-lock.yaml", "lockfileVersion: 5.4\n\npackages:\n\n  /@s/a/1.2.3_b@2.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n\n  r.test/c/3.0.0:\n    dev: true\n\n  github.com/x/y/0123:\n    name: y\n    version: 4.0.0\n",
		[]string{"pkg:npm/%40s/a@1.2.3", "pkg:npm/c@3.0.0 dev", "pkg:npm/y@4.0.0"}},
	{"app/bun.lock", "{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n    \"@s/a\": [\"@s/a@1.2.3\", \"\", {}, \"sha512-x\"],\n    \"alias\": [\"real@2.0.0\", \"\", {}, \"sha512-y\"],\n    \"own\": [\"own@workspace:packages/own\"],\n    \"@s/git\": [\"@s/git@git+ssh://git@h.test/x#0\", {}, \"0\"],\n  },\n}\n",
		[]string{"pkg:npm/%40s/a@1.2.3", "pkg:npm/%40s/git", "pkg:npm/real@2.0.0"}},
	{"app/requirements-dev.txt", "# comment\nDjango==4.2.1 \\\n    --hash=sha256:00\nurllib3===2.0\na==1.*\nb>=1,==1.2\nc @ https://h.test/c.whl\nhttps://h.test/d.whl\n./local\n-e git+https://h.test/x\nrequests[socks] == 2.31.0 ; python_version > '3'\nflask>=2\n-r base.txt\nnumpy\n",
		[]string{"pkg:pypi/django@4.2.1", "pkg:pypi/urllib3@2.0", "pkg:pypi/a", "pkg:pypi/b", "pkg:pypi/c", "pkg:pypi/requests@2.31.0", "pkg:pypi/flask", "pkg:pypi/numpy"}},
	{"app/Pipfile.lock", `{"_meta":{},"default":{"a":{"version":"==1.0"},"git":{"ref":"0"}},"develop":{"b":{"version":"==2.0"}}}`,
		[]string{"pkg:pypi/a@1.0", "pkg:pypi/git", "pkg:pypi/b@2.0 dev"}},
	{"app/poetry.lock", "# generated\n[[package]]\nname = \"a\"\nversion = \"1.0\"\ncategory = \"dev\"\n\n[package.dependencies]\nname = \">=2\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\ndescription = \"\"\"\nname = \"no\"\n\"\"\"\ngroups = [\"main\", \"dev\"]\n\n[metadata]\nname = \"no\"\n",
		[]string{"pkg:pypi/a@1.0 dev", "pkg:pypi/b@2.0"}},
	{"app/uv.lock", "version = 1\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [\n    { name = \"a\" },\n]\n\n[package.dev-dependencies]\ndev = [\n    { name = \"a\" },\n    { name = \"b\" },\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\n",
		[]string{"pkg:pypi/a@1.0", "pkg:pypi/b@2.0 dev"}},
	{"app/pdm.lock", "[[package]]\nname = \"a\"\nversion = \"1.0\"\ngroups = [\"default\"]\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\ngroups = [\"dev\"]\n",
		[]string{"pkg:pypi/a@1.0", "pkg:pypi/b@2.0 dev"}},
	{"app/go.mod", "module a.test/m\n\ngo 1.21\n\ntoolchain go1.22.3\n\nrequire (\n\tb.test/b v1.0.0\n\tc.test/c/v2 v2.1.0 // indirect\n\td.test/d v0.0.0\n)\n\nreplace b.test/b => e.test/b v1.0.1\n\nreplace d.test/d => ./d\n",
		[]string{"pkg:golang/e.test/b@v1.0.1", "pkg:golang/c.test/c/v2@v2.1.0", "pkg:golang/d.test/d", "pkg:golang/stdlib@1.22.3"}},
	{"app/Cargo.lock", "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://r.test\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n",
		[]string{"pkg:cargo/a@1.0.0", "pkg:cargo/b@2.0.0"}},
	{"app/Gemfile.lock", "GEM\n  remote: https://r.test/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.1)\n\nPLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  nokogiri\n",
		[]string{"pkg:gem/nokogiri@1.15.4", "pkg:gem/racc@1.7.1"}},
	{"app/composer.lock", `{"packages":[{"name":"a/b","version":"v1.2.3","license":["MIT"]}],"packages-dev":[{"name":"c/d","version":"2.0.0"}]}`,
		[]string{"pkg:composer/a/b@v1.2.3 MIT", "pkg:composer/c/d@2.0.0 dev"}},
	{"app/pom.xml", `<?xml version="1.0" encoding="ISO-8859-1"?><project xmlns="http://maven.apache.org/POM/4.0.0"><parent><groupId>p</groupId><artifactId>p</artifactId><version>9</version></parent><artifactId>m</artifactId>
		<properties><a.version>1.2</a.version><deep>${a.version}</deep></properties>
		<dependencyManagement><dependencies><dependency><groupId>c</groupId><artifactId>c</artifactId><version>3.0</version><scope>test</scope></dependency></dependencies></dependencyManagement>
		<dependencies><dependency><groupId>a</groupId><artifactId>a</artifactId><version>${deep}</version></dependency>
		<dependency><groupId>${project.groupId}</groupId><artifactId>own</artifactId><version>${project.version}</version></dependency>
		<dependency><groupId>c</groupId><artifactId>c</artifactId></dependency>
		<dependency><groupId>d</groupId><artifactId>d</artifactId><version>[1,2)</version></dependency>
		<dependency><groupId>e</groupId><artifactId>e</artifactId><version>${unknown}</version></dependency></dependencies></project>`,
		[]string{"pkg:maven/a/a@1.2", "pkg:maven/p/own@9", "pkg:maven/c/c@3.0 dev", "pkg:maven/d/d", "pkg:maven/e/e"}},
	{"app/gradle.lockfile", "# comment\na.b:c:1.0=compileClasspath,runtimeClasspath\nd.e:f:2.0=testCompileClasspath\nempty=annotationProcessor\n",
		[]string{"pkg:maven/a.b/c@1.0", "pkg:maven/d.e/f@2.0"}},
	{"app/gradle/verification-metadata.xml", `<verification-metadata><components><component group="a.b" name="c" version="1.0"><artifact name="c-1.0.jar"/></component></components></verification-metadata>`,
		[]string{"pkg:maven/a.b/c@1.0"}},
	{"app/packages.lock.json", `{"version":1,"dependencies":{"net8.0":{"A.B":{"type":"Direct","resolved":"1.0.0"},"C":{"type":"Transitive","resolved":"2.0.0"}}}}`,
		[]string{"pkg:nuget/A.B@1.0.0", "pkg:nuget/C@2.0.0"}},
	{"app/packages.config", `<?xml version="1.0"?><packages><package id="A.B" version="1.0.0" targetFramework="net46"/></packages>`,
		[]string{"pkg:nuget/A.B@1.0.0"}},
	{"app/pubspec.lock", "packages:\n  a:\n    dependency: \"direct main\"\n    source: hosted\n    version: \"1.0.0\"\n  flutter:\n    dependency: \"direct main\"\n    source: sdk\n    version: \"0.0.0\"\n  b:\n    dependency: \"direct dev\"\n    source: hosted\n    version: \"2.0.0\"\nsdks:\n  dart: \">=3.0.0\"\n",
		[]string{"pkg:pub/a@1.0.0", "pkg:pub/b@2.0.0 dev"}},
	{"app/mix.lock", "%{\n  \"a\": {:hex, :a, \"1.0.0\", \"00\", [:mix], [], \"hexpm\", \"00\"},\n}\n",
		[]string{"pkg:hex/a@1.0.0"}},
	{"app/Package.resolved", `{"pins":[{"identity":"a","kind":"remoteSourceControl","location":"https://github.com/x/a.git","state":{"revision":"00","version":"1.0.0"}}],"version":2}`,
		[]string{"pkg:swift/github.com/x/a@1.0.0"}},
	{"app/Podfile.lock", "PODS:\n  - A/Part (1.0.0):\n    - B (~> 2)\n  - \"B+C (2.0.0)\"\n\nDEPENDENCIES:\n  - A (3)\n",
		[]string{"pkg:cocoapods/A@1.0.0", "pkg:cocoapods/B%2BC@2.0.0"}},
	{"app/conan.lock", `{"version":"0.5","requires":["zlib/1.2.13#00%1"],"build_requires":[],"python_requires":[]}`,
		[]string{"pkg:conan/zlib@1.2.13"}},
	{"app/renv.lock", `{"R":{"Version":"4.2.0"},"Packages":{"mime":{"Package":"mime","Version":"0.12","Source":"Repository","Repository":"CRAN"}}}`,
		[]string{"pkg:cran/mime@0.12"}},
	{"app/stack.yaml.lock", "packages:\n- completed:\n    hackage: a-b-1.0@sha256:00,12\n  original:\n    hackage: a-b-1.0\n",
		[]string{"pkg:hackage/a-b@1.0"}},
	{"app/cabal.project.freeze", "active-repositories: hackage.test:merge\nconstraints: any.a ==1.0,\n             any.b ==2.0,\n             b +flag\n",
		[]string{"pkg:hackage/a@1.0", "pkg:hackage/b@2.0"}},
}

func TestExtract(t *testing.T) {
	for _, tt := range samples {
		facts, err := extract(t, tt.path, tt.content)
		if err != nil {
			t.Errorf("Extract(%s): %v", tt.path, err)
		}
		var got []string
		for _, p := range facts.Packages {
			line := strings.Join(append([]string{p.PURL}, p.Licenses...), " ")
			if p.Dev {
				line += " dev"
			}
			got = append(got, line)
			if !p.Declared || p.Format == "" || p.Path != "" {
				t.Errorf("Extract(%s): %+v, want a declared package with its format and no path", tt.path, p)
			}
		}
		if diff := cmp.Diff(sorted(tt.want), sorted(got)); diff != "" {
			t.Errorf("Extract(%s) (-want +got):\n%s", tt.path, diff)
		}
	}
}

// TestEveryFormatHasASample holds the table: a new row comes with a file.
func TestEveryFormatHasASample(t *testing.T) {
	seen := map[*format]bool{}
	for _, s := range samples {
		info := bulwark.FileInfo{}
		info.SetPath(s.path)
		seen[find(&info)] = true
	}
	for i, f := range formats() {
		if !seen[&formats()[i]] {
			t.Errorf("no sample for %v", f.files)
		}
	}
}

// TestWrongTypes gives every format what it does not expect.
func TestWrongTypes(t *testing.T) {
	for _, s := range samples {
		for _, content := range []string{
			"", "null", "[]", `"text"`, "12", "\x00\xff\xfe", "<", "{", "---\n- a: [b\n",
			`{"packages":12,"dependencies":[],"default":"x","pins":{}}`,
			`{"packages":{"node_modules/a":{"version":{}}},"dependencies":{"a":{"version":[]}}}`,
			`{"packages":[{"name":"a/b","version":["1"]}]}`,
			s.content[:len(s.content)/2],
		} {
			facts, err := extract(t, s.path, content)
			if err != nil && !errors.Is(err, bulwark.ErrMalformed) {
				t.Errorf("Extract(%s, %q): %v, want ErrMalformed or nothing", s.path, content, err)
			}
			if err != nil && strings.Contains(err.Error(), path.Base(s.path)) {
				t.Errorf("Extract(%s, %q): %v names the file", s.path, content, err)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\n") {
				t.Errorf("Extract(%s, %q): error with control characters: %q", s.path, content, err)
			}
			for _, p := range facts.Packages {
				if p.Name == "" {
					t.Errorf("Extract(%s, %q): %+v", s.path, content, p)
				}
			}
		}
	}
}

// TestImplausibleNames: what has not the form of a name is told as malformed, and what
// else the file declares is kept.
func TestImplausibleNames(t *testing.T) {
	for _, tt := range []struct{ path, content, want string }{
		{"a/yarn.lock", "{bad", ""},
		{"a/yarn.lock", "null", ""},
		{"a/yarn.lock", "a@1:\n  version \"1.0.0\"\n{b@1:\n  version \"1.0.0\"\n", "a"},
		{"a/package-lock.json", `{"packages":{"node_modules/a":{"version":"1"},"node_modules/b c":{"version":"1"}}}`, "a"},
		{"a/pnpm-lock.yaml", "packages:\n  a@1.0.0:\n  b{}@1.0.0:\n", "a"},
		{"a/bun.lock", `{"packages":{"a":["a@1"],"b":["<b>@1"]}}`, "a"},
		{"a/requirements.txt", "a==1\n{bad\n\"b\"==1\n", "a"},
		{"a/Pipfile.lock", `{"default":{"a":{"version":"==1"},"b/c":{"version":"==1"}}}`, "a"},
		{"a/poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n[[package]]\nname = \"b c\"\nversion = \"1\"\n", "a"},
		{"a/Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n[[package]]\nname = \"$b\"\nversion = \"1\"\n", "a"},
		{"a/composer.lock", `{"packages":[{"name":"a/b","version":"1"},{"name":"c|d","version":"1"}]}`, "a/b"},
		{"a/pom.xml", "<project><dependencies><dependency><groupId>a</groupId><artifactId>b{c</artifactId><version>1</version></dependency></dependencies></project>", ""},
		{"a/packages.config", `<packages><package id="a" version="1"/><package id="b, c" version="1"/></packages>`, "a"},
		{"a/pubspec.lock", "packages:\n  a:\n    version: \"1\"\n  b [c]:\n    version: \"1\"\n", "a"},
		{"a/Podfile.lock", "PODS:\n  - A (1)\n  - B{} (1)\n", "A"},
		{"a/conan.lock", `{"version":"0.5","requires":["a/1","b;c/1"]}`, "a"},
		{"a/renv.lock", `{"Packages":{"a":{"Package":"a","Version":"1","Source":"Repository","Repository":"CRAN"},"b":{"Package":"b'c","Version":"1","Source":"Repository","Repository":"CRAN"}}}`, "a"},
	} {
		facts, err := extract(t, tt.path, tt.content)
		var names []string
		for _, p := range facts.Packages {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); !errors.Is(err, bulwark.ErrMalformed) || got != tt.want {
			t.Errorf("Extract(%s, %q): packages %q, %v; want %q and ErrMalformed", tt.path, tt.content, got, err, tt.want)
		}
	}
}

func TestPlausible(t *testing.T) {
	for name, want := range map[string]bool{
		"npm @types/node": true, "npm -": true, "npm lodash.merge": true, "npm JSONStream": true, "npm {bad": false, "npm a b": false, "npm ...": false,
		"pypi zope.interface": true, "pypi a/b": false, "golang gopkg.in/yaml.v3": true, "golang git.sr.ht/~a/b": true,
		"maven org.scala-lang:scala-library_2.13": true, "maven a:'b'": false, "cocoapods Google-Mobile-Ads-SDK": true,
		"nuget Naïve.Bayes": true, "conan libstdc++": true, "swift github.com/x/y": true, "composer a/": false,
	} {
		typ, name, _ := strings.Cut(name, " ")
		if got := plausible(typ, name); got != want {
			t.Errorf("plausible(%s, %s) = %v, want %v", typ, name, got, want)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, s := range samples {
		info := bulwark.FileInfo{Size: 1 << 30}
		info.SetPath(s.path)
		_, err := New().Extract(t.Context(), &bulwark.File{FileInfo: info, ReaderAt: noReader{t}})
		if !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("Extract of 1 GB of %s: %v, want ErrLimit", s.path, err)
		}
	}
}

// noReader fails the test when it is read.
type noReader struct{ t *testing.T }

func (r noReader) ReadAt([]byte, int64) (int, error) {
	r.t.Error("a file that is too large was read")
	return 0, io.EOF
}

func TestParserThatPanics(t *testing.T) {
	f := &format{read: func(context.Context, string, []byte) ([]declared, error) { panic("index out of range") }}
	if _, err := f.parse(t.Context(), "x", nil); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("parse: %v, want ErrMalformed", err)
	}
}

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		path string
		want bool
	}{
		{"srv/app/package-lock.json", true},
		{"srv/app/node_modules/a/package-lock.json", false},
		{"srv/app/node_modules/.package-lock.json", false},
		{"usr/lib/python3/dist-packages/a/requirements.txt", false},
		{"opt/venv/lib/python3.11/site-packages/a/requirements.txt", false},
		{"usr/share/doc/python3-pip/requirements.txt", false},
		{"usr/share/go-1.19/src/go.mod", false},
		{"usr/local/go/src/go.mod", false},
		{"root/go/pkg/mod/a.test/b@v1.0.0/go.mod", false},
		{"src/app/testdata/go.mod", false},
		{"src/app/go.mod", true},
		{"go.mod", true},
		{"var/www/vendor/a/b/composer.lock", false},
		{"usr/lib/ruby/gems/3.1.0/gems/rbs-2.7.0/Gemfile.lock", false},
		{"app/requirements.txt", true},
		{"app/requirements-prod.txt", true},
		{"app/dev-requirements.txt", true},
		{"app/notes.txt", false},
		{"app/gradle/verification-metadata.xml", true},
		{"app/verification-metadata.xml", false},
		{"app/go.sum", false},
	} {
		info := bulwark.FileInfo{}
		info.SetPath(tt.path)
		if got := New().Wants(&info); got != tt.want {
			t.Errorf("Wants(%s) = %v, want %v", tt.path, got, tt.want)
		}
	}
}

// TestCost gives the readers that are ours many packages: a reader that looked at every
// pair of them would run for minutes.
func TestCost(t *testing.T) {
	const n = 40_000
	for _, tt := range []struct{ path, before, each, after string }{
		{"a/package-lock.json", `{"packages":{"":{}`, `,"node_modules/p%d":{"version":"1"}`, "}}"},
		{"a/pnpm-lock.yaml", "packages:\n", "  p%d@1.0.0:\n", ""},
		{"a/Cargo.lock", "", "[[package]]\nname = \"p%d\"\nversion = \"1\"\n", ""},
		{"a/pubspec.lock", "packages:\n", "  p%d:\n    version: \"1\"\n", ""},
		{"a/Pipfile.lock", `{"default":{"a":{}`, `,"p%d":{"version":"==1"}`, "}}"},
		{"a/requirements.txt", "", "p%d==1\n", ""},
	} {
		var b strings.Builder
		b.WriteString(tt.before)
		for i := range n {
			fmt.Fprintf(&b, tt.each, i)
		}
		b.WriteString(tt.after)
		facts, err := extract(t, tt.path, b.String())
		if err != nil || len(facts.Packages) < n {
			t.Errorf("Extract(%s): %d packages, %v", tt.path, len(facts.Packages), err)
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range samples {
		f.Add(s.path, []byte(s.content))
	}
	f.Fuzz(func(t *testing.T, path string, content []byte) {
		info := bulwark.FileInfo{}
		info.SetPath(path)
		if find(&info) == nil {
			return
		}
		facts, err := extract(t, path, string(content))
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%v wraps no sentinel", err)
		}
		for _, p := range facts.Packages {
			if p.Name == "" || strings.ContainsAny(p.Name+p.Version, "\x00\x1b\n") {
				t.Errorf("package %q %q", p.Name, p.Version)
			}
		}
	})
}
