package gobinary

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/object"
)

func TestStandardLibrary(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"go1.22.3", "1.22.3"},
		{"go1.20", "1.20"},
		{"go1.21.0", "1.21.0"},
		{"go1.21rc2", "1.21.0-rc.2"},
		{"go1.10beta1", "1.10.0-beta.1"},
		{"go1.22.3 X:boringcrypto", "1.22.3"},
		{"go1.21.13-bigcorp", "1.21.13"},
		{"go1.18.3b7", "1.18.3"},
		{"go1.19.4+auto", "1.19.4"},
		{"devel go1.23-4f2cb3a Mon Jan 1 00:00:00 2024 +0000", ""},
		{"devel +abcdef", ""},
		{"go1", ""},
		{"go1.2.3.4", ""},
		{"", ""},
	} {
		if got := standardLibrary(tt.in); got != tt.want {
			t.Errorf("standardLibrary(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFacts(t *testing.T) {
	for _, tt := range []struct {
		name, modules string
		want          []string
	}{
		{"released", "path\ta.test/m\nmod\ta.test/m\tv1.2.3\th1:\ndep\tgithub.com/Azure/x\tv2.0.0+incompatible\th1:\n",
			[]string{"pkg:golang/a.test/m@v1.2.3", "pkg:golang/github.com/Azure/x@v2.0.0%2Bincompatible"}},
		{"checkout", "path\ta.test/m\nmod\ta.test/m\t(devel)\t\nbuild\tvcs=git\nbuild\tvcs.revision=0123abcd\n",
			[]string{"pkg:golang/a.test/m?vcs_revision=0123abcd"}},
		{"stamped without a tag", "path\ta.test/m\nmod\ta.test/m\tv0.0.0-20240102030405-0123456789ab+dirty\t\n",
			[]string{"pkg:golang/a.test/m?vcs_revision=0123456789ab"}},
		{"stamped after a tag", "path\ta.test/m\nmod\ta.test/m\tv1.2.4-0.20240102030405-0123456789ab\t\n",
			[]string{"pkg:golang/a.test/m@v1.2.4-0.20240102030405-0123456789ab"}},
		{"replaced by a folder", "path\ta.test/m\ndep\tk8s.io/api\tv0.0.0\n=>\t./staging/api\t(devel)\t\n",
			[]string{"pkg:golang/k8s.io/api"}},
		{"replaced by a fork", "path\ta.test/m\ndep\ta.test/b\tv1.0.0\n=>\tb.test/b\tv1.0.1\th1:\n",
			[]string{"pkg:golang/b.test/b@v1.0.1"}},
		{"toolchain", "path\tcmd/go\nmod\tcmd\t(devel)\t\ndep\tgolang.org/x/mod\tv0.6.0\th1:\n",
			[]string{"pkg:golang/golang.org/x/mod@v0.6.0"}},
		{"one file", "path\tcommand-line-arguments\n", nil},
	} {
		s := newScanner(object.File{Word: 8})
		s.info.found, s.info.version, s.info.modules = true, "go1.22.3", tt.modules
		facts, err := s.facts()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(append([]string{"pkg:golang/stdlib@1.22.3"}, tt.want...), purls(facts)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestFactsRefuseControlCharacters(t *testing.T) {
	s := newScanner(object.File{Word: 8})
	s.info.found, s.info.version, s.info.modules = true, "go1.22.3", "dep\ta.test/\x1b[31m\tv1.0.0\th1:\ndep\ta.test/b\tv1.0.0\th1:\n"
	facts, err := s.facts()
	if err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff([]string{"pkg:golang/stdlib@1.22.3", "pkg:golang/a.test/b@v1.0.0"}, purls(facts)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequired(t *testing.T) {
	name, version := required(&debug.Module{Path: "a", Version: "(devel)"})
	if name != "a" || version != "" {
		t.Errorf("a module of a workspace is %q %q, want a without version", name, version)
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ in, path, fn string }{
		{"net/http.(*Transport).RoundTrip", "net/http", "(*Transport).RoundTrip"},
		{"main.main", "main", "main"},
		{"main.main.func1", "main", "main"},
		{"main.run.func2.1", "main", "run"},
		{"a.test/b.(*T).Do.gowrap1", "a.test/b", "(*T).Do"},
		{"a.test/b.(*T).Do-fm", "a.test/b", "(*T).Do"},
		{"a.test/b.Walk-range1", "a.test/b", "Walk"},
		{"a.test/b.(*Buffer).func", "a.test/b", "(*Buffer).func"},
		{"a.test/b.funcs", "a.test/b", "funcs"},
		{"a.test/b.glob..func1", "a.test/b", ""},
		{"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3", "Unmarshal"},
		{"slices.SortFunc[...]", "slices", "SortFunc"},
		{"a.test/b.(*Map[...]).Load", "a.test/b", "(*Map).Load"},
		{"a.test/b.Of[go.shape.map[string]c.test/d%2ev1.T]", "a.test/b", "Of"},
		{"type:.eq.net/http.x", "", ""},
		{"go:buildid", "", ""},
		{"_cgo_init", "", ""},
		{".x", "", ""},
		{"a]b.c", "a]b", "c"},
	} {
		path, fn, _ := split([]byte(tt.in))
		if string(path) != tt.path || string(fn) != tt.fn {
			t.Errorf("split(%q) = %q, %q, want %q, %q", tt.in, path, fn, tt.path, tt.fn)
		}
	}
}

func TestHash(t *testing.T) {
	var n names
	n.add([]byte("net/http.Get"))
	if diff := cmp.Diff([]uint32{bulwark.SymbolHash("net/http"), bulwark.SymbolHash("net/http.Get")}, n.hashes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"a/b%2ec.(*T[...]).F.func1", "[[]", "%", ".", "a.b-range"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path, fn, _ := split([]byte(s))
		if len(path)+len(fn) > len(s) || strings.Contains(string(fn), "[") {
			t.Errorf("split(%q) = %q, %q", s, path, fn)
		}
	})
}
