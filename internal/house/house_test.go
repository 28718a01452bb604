// Package house holds the layers of the house: who may import whom.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "bulwark"

// layers says what each room may import of ours; "" is the root. A room is the first
// element of the path; leaves are the packages below internal that anyone may import.
// A package may always import what lies below its own folder's internal.
var layers = map[string][]string{
	"":        {},
	"build":   {""},
	"kube":    {""},
	"source":  {"", "build", "kube"},
	"extract": {"", "build"},
	"report":  {"", "graph"},
	"graph":   {""},

	"advisory": {""},
	"check":    {"", "build", "kube", "advisory", "network", "rbac", "trust", "policy"},
	"policy":   {"", "kube"},
	"rbac":     {"", "kube"},
	"network":  {"", "kube"},
	"relate":   {"", "kube", "network", "rbac"},

	"framework": {"", "kube"},

	"detect":  {""},
	"enforce": {""},
	"watch":   {""},

	"trust": {""},
	"scan":  {""},
	"all":   {"", "kube", "source", "extract", "check", "relate", "detect", "enforce", "report", "advisory", "graph", "policy", "trust"},
	"cmd":   {"internal/cli", "internal/memory"},
	"test":  {"", "kube", "network", "source", "all", "graph", "internal/cli", "internal/memory", "advisory", "check", "policy", "detect", "enforce", "watch", "internal/need", "internal/mxcsr"},

	"internal/limit":      {""},
	"internal/glob":       {},
	"internal/lazyregexp": {},
	"internal/match":      {},
	"internal/purl":       {""},
	"internal/ecosystem":  {"", "internal/purl"},
	"internal/telling":    {},
	"internal/near":       {},
	"internal/yamlerr":    {},
	"internal/mountinfo":  {"", "internal/limit"},
	"internal/patch":      {""},
	"internal/cli":        {"", "framework", "kube", "rbac", "network", "relate", "source", "extract", "check", "report", "advisory", "graph", "policy", "trust", "scan", "watch", "detect", "enforce", "all", "internal/patch", "internal/memory"},
	"internal/house":      {},
	"internal/memory":     {},
	"internal/need":       {}, // of tests
	"internal/mxcsr":      {}, // of tests
}

// leaves may be imported by everyone but the root.
var leaves = []string{"internal/limit", "internal/lazyregexp", "internal/glob", "internal/match", "internal/purl", "internal/ecosystem", "internal/telling", "internal/near", "internal/yamlerr", "internal/mountinfo"}

// doors gives each heavy module the only rooms that may import it.
var doors = map[string][]string{
	"github.com/google/go-containerregistry": {"source/image", "trust", "test"},
	"github.com/google/osv-scalibr":          {"extract", "advisory"},
	"github.com/cilium/ebpf":                 {"source/kernel"},
	"k8s.io/client-go":                       {"source/cluster"},
	"github.com/spf13/cobra":                 {"internal/cli"},
	"github.com/moby/buildkit":               {"build/dockerfile"},
	"mvdan.cc/sh/v3":                         {"build"},
	"github.com/bluekeyes/go-gitdiff":        {"internal/patch"},
}

func TestLayers(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		if dir == "." {
			dir = ""
		}
		seen[room(dir)] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := refuse(dir, imported, strings.HasSuffix(file, "_test.go")); why != "" {
				t.Errorf("%s imports %s: %s", rel, imported, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for r := range seen {
		if _, ok := layers[r]; !ok {
			t.Errorf("folder %s has no line in the table of layers", r)
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		dir, imported string
		ok            bool
	}{
		{"extract/dpkg", "bulwark", true},
		{"extract/dpkg", "bulwark/extract/apk", false},
		{"extract/dpkg", "bulwark/extract/internal/deb", true},
		{"extract/dpkg", "bulwark/internal/limit", true},
		{"extract/dpkg", "bulwark/scan", false},
		{"check/vuln", "bulwark/advisory", true},
		{"", "bulwark/internal/limit", false},
		{"", "golang.org/x/sync/errgroup", false},
		{"report/json", "github.com/google/go-containerregistry/pkg/v1", false},
		{"internal/limit", "bulwark/internal/purl", true},
	} {
		if why := refuse(tt.dir, tt.imported, false); (why == "") != tt.ok {
			t.Errorf("refuse(%q, %q) = %q, want allowed %v", tt.dir, tt.imported, why, tt.ok)
		}
	}
}

// refuse says why dir may not import path, or nothing. Tests may import more of the
// house, but keep to the doors.
func refuse(dir, imported string, test bool) string {
	for heavy, rooms := range doors {
		if within(imported, heavy) && !withinAny(dir, rooms) {
			return heavy + " has its doors in " + strings.Join(rooms, ", ")
		}
	}
	if !within(imported, module) {
		if dir == "" && !test && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
			return "the root imports the standard library alone"
		}
		return ""
	}
	target := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
	if test || target == dir || dir != "" && withinAny(target, leaves) {
		return ""
	}
	if i := strings.Index(target, "/internal/"); i >= 0 {
		return "" // the compiler holds this
	}
	if within(target, dir) && dir != "" {
		return "" // a package and what lies below it
	}
	if room(dir) == room(target) {
		if path.Dir(dir) == path.Dir(target) && dir != room(dir) {
			return "siblings do not import each other"
		}
		return ""
	}
	for _, ok := range layers[room(dir)] {
		if room(target) == ok {
			return ""
		}
	}
	return "the table of layers does not allow it"
}

// room is the first element of a folder, two of them below internal.
func room(dir string) string {
	parts := strings.Split(dir, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return "internal/" + parts[1]
	}
	return parts[0]
}

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func withinAny(p string, dirs []string) bool {
	for _, d := range dirs {
		if within(p, d) {
			return true
		}
	}
	return false
}
