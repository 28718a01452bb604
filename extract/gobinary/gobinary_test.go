package gobinary

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/inspecttest"
)

// program has a generic function, a method, a closure, a dependency, and a package
// whose last element has a dot.
var program = map[string]string{
	"go.mod":       "module example.test/app\n\ngo 1.21\n\nrequire (\n\texample.test/dep v1.2.3\n\texample.test/my.yaml v0.3.1\n)\n\nreplace example.test/dep => ./dep\n\nreplace example.test/my.yaml => ./yaml\n",
	"dep/go.mod":   "module example.test/dep\n\ngo 1.21\n",
	"dep/dep.go":   "package dep\n\ntype T struct{ n int }\n\n//go:noinline\nfunc (t *T) Used() func() int { return func() int { t.n++; return t.n } }\n\n//go:noinline\nfunc Map[E any](in []E) int { return cap(in) }\n\nfunc Unused() string { return \"no\" }\n",
	"yaml/go.mod":  "module example.test/my.yaml\n\ngo 1.21\n",
	"yaml/yaml.go": "package yaml\n\n//go:noinline\nfunc Parse(s string) int { return len(s) }\n",
	"main.go":      "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.test/dep\"\n\t\"example.test/my.yaml\"\n)\n\nfunc main() {\n\tfmt.Println((&dep.T{}).Used()(), dep.Map([]string{\"a\"}), yaml.Parse(\"x\"))\n}\n",
}

// build compiles the program and gives the file's path.
func build(t *testing.T, env []string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no go tool on PATH")
		}
		t.Skip("no go tool on PATH: nothing to build with")
	}
	dir := t.TempDir()
	for name, text := range program {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "app.out")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", out}, args...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	cmd.Env = append(cmd.Env, env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %v %v: %v\n%s", env, args, err, text)
	}
	return out
}

func TestRealBinaries(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		args []string
	}{
		{"plain", nil, nil},
		{"stripped", nil, []string{"-ldflags=-s -w"}},
		{"no build id", nil, []string{"-ldflags=-s -w -buildid=", "-trimpath"}},
		{"pie", nil, []string{"-buildmode=pie"}},
		{"386", []string{"GOARCH=386"}, nil},
		{"s390x", []string{"GOARCH=s390x"}, nil},
		{"windows", []string{"GOOS=windows"}, nil},
		{"darwin", []string{"GOOS=darwin"}, []string{"-ldflags=-s -w"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := append([]string{"GOOS=linux", "GOARCH=amd64"}, tt.env...)
			facts, err := inspecttest.File(t, New(), "app/app", build(t, env, tt.args...))
			if err != nil {
				t.Fatal(err)
			}
			std := strings.TrimPrefix(runtime.Version(), "go")
			want := []string{
				"pkg:golang/stdlib@" + standardLibrary("go"+std), "pkg:golang/example.test/app",
				"pkg:golang/example.test/dep", "pkg:golang/example.test/my.yaml",
			}
			if diff := cmp.Diff(want, purls(facts)); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			checkSymbols(t, facts.Packages[0].Symbols)
		})
	}
}

func purls(f bulwark.Facts) []string {
	var l []string
	for _, p := range f.Packages {
		l = append(l, p.PURL)
	}
	return l
}

func checkSymbols(t *testing.T, s *bulwark.Symbols) {
	t.Helper()
	if s == nil {
		t.Fatal("no linked functions")
	}
	for name, want := range map[string]bool{
		"main.main":                       true,
		"example.test/app":                true,
		"example.test/app.main":           true,
		"fmt":                             true,
		"fmt.Println":                     true,
		"fmt.(*pp).doPrintln":             true,
		"example.test/dep":                true,
		"example.test/dep.(*T).Used":      true,
		"example.test/dep.Map":            true,
		"example.test/dep.Unused":         false,
		"example.test/my.yaml":            true,
		"example.test/my.yaml.Parse":      true,
		"example.test/my%2eyaml":          false,
		"net/http":                        false,
		"net/http.(*Transport).RoundTrip": false,
	} {
		if s.Has(name) != want {
			t.Errorf("Has(%q) = %v, want %v", name, !want, want)
		}
	}
}

// TestPieces gives the same file in pieces of odd sizes.
func TestPieces(t *testing.T) {
	content, err := os.ReadFile(build(t, nil, "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := inspecttest.Feed(t, New(), "app", content, 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 7, 15, 16, 17, 1000, 16 << 10, 16<<10 + 1, len(content)} {
		got, err := inspecttest.Feed(t, New(), "app", content, n)
		if err != nil {
			t.Fatalf("pieces of %d: %v", n, err)
		}
		if diff := cmp.Diff(purls(want), purls(got)); diff != "" {
			t.Errorf("pieces of %d (-want +got):\n%s", n, diff)
		}
		if diff := cmp.Diff(want.Packages[0].Symbols.Hashes(), got.Packages[0].Symbols.Hashes()); diff != "" {
			t.Errorf("pieces of %d: other linked functions", n)
		}
	}
}

// TestTruncated cuts a real file: no panic, and nothing invented.
func TestTruncated(t *testing.T) {
	content, err := os.ReadFile(build(t, nil, "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{100, 16 << 10, len(content) / 3, len(content) / 2} {
		facts, err := inspecttest.Feed(t, New(), "app", append(content[:n:n], make([]byte, 64<<10)...), 64<<10)
		if len(facts.Packages) > 0 || err != nil {
			t.Errorf("cut at %d: %v, %v", n, purls(facts), err)
		}
	}
}

func TestBegin(t *testing.T) {
	for _, tt := range []struct {
		path string
		size int64
		want bool
	}{
		{"usr/bin/tool", 1 << 20, true},
		{"usr/lib/libx.so.1", 1 << 20, true},
		{"usr/bin/small", 100, false},
		{"srv/bundle.js", 1 << 20, false},
	} {
		info := bulwark.FileInfo{Size: tt.size}
		info.SetPath(tt.path)
		if got := New().Begin(&info) != nil; got != tt.want {
			t.Errorf("Begin(%s, %d) wants it: %v, want %v", tt.path, tt.size, got, tt.want)
		}
	}
	info := bulwark.FileInfo{Size: 1 << 20}
	info.SetPath("usr/share/data")
	if _, err := New().Begin(&info).Write([]byte("#!/bin/sh\n")); err != bulwark.ErrSkip {
		t.Errorf("Write of a script: %v, want ErrSkip", err)
	}
}

// TestLeavesThePieceAlone: other inspectors see the same bytes.
func TestLeavesThePieceAlone(t *testing.T) {
	s := &scanner{mode: (*scanner).readNames}
	piece := []byte("gopkg.in/yaml%2ev3.Marshal\x00slices.Sort[go.shape.int]\x00main.main\x00")
	s.names.end = int64(len(piece))
	before := string(piece)
	s.readNames(piece)
	if string(piece) != before {
		t.Errorf("the piece is now %q", piece)
	}
	if want := bulwark.SymbolHash("gopkg.in/yaml.v3.Marshal"); !slices.Contains(s.names.hashes, want) {
		t.Error("the escaped name is not remembered")
	}
}
