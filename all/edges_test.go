package all

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	edgeName = regexp.MustCompile(`^[A-Z][A-Z0-9]{4,}$|^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
	edgeRow  = regexp.MustCompile(`(?m)^\| ([A-Z][A-Z0-9_]+) \| [^|]*\d`)
	noEdge   = regexp.MustCompile(`^(SYS|NET|DAC|CAP)_`) // capabilities
)

// TestEdgesAreDocumented holds docs/attack-paths.md to the relaters: it has a row with a
// likelihood for every type of relation, and for nothing else.
func TestEdgesAreDocumented(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "docs", "attack-paths.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, m := range edgeRow.FindAllSubmatch(docs, -1) {
		rows[string(m[1])] = true
	}
	types := edgeTypes(t, filepath.Join("..", "relate"))
	if len(types) < 60 {
		t.Fatalf("%d types of relations are found: %v", len(types), types)
	}
	for _, one := range types {
		if !rows[one] {
			t.Errorf("docs/attack-paths.md has no row with the likelihood of %s", one)
		}
		delete(rows, one)
	}
	for one := range rows {
		t.Errorf("docs/attack-paths.md has %s, which no relater tells", one)
	}
}

// edgeTypes are the names of types in the source of relaters.
func edgeTypes(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if m, ok := n.(*ast.CompositeLit); ok && len(m.Elts) > 0 {
				if pair, ok := m.Elts[0].(*ast.KeyValueExpr); ok {
					if _, ok := pair.Key.(*ast.BasicLit); ok {
						return false // a map by names of variables
					}
				}
			}
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && edgeName.MatchString(s) && !noEdge.MatchString(s) {
					list = append(list, s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
