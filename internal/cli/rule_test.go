package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark"
)

// othersRules are families whose rules are other people's: a file of theirs has them.
var othersRules = []string{"falco", "sarif", "yara"}

// TestEveryRuleThatIsToldIsListed goes through the code for findings whose rule is written out, wholly or from its beginning on, and
// for rules that are: each has to be in bulwark rule list, with what people want to read of it.
func TestEveryRuleThatIsToldIsListed(t *testing.T) {
	known, families := map[string]bulwark.Rule{}, map[string]bool{}
	for _, r := range rulesOf(nil) {
		known[r.ID], families[family(r.ID)] = r, true
		if r.Title == "" || r.Reason == "" || r.FalsePositives == "" || r.Severity == bulwark.SeverityUnknown {
			t.Errorf("%s is not argued: %+v", r.ID, r)
		}
	}
	seen := 0
	for id, file := range writtenOut(t) {
		seen++
		whole := !strings.HasSuffix(id, "/")
		if _, ok := known[id]; !slices.Contains(othersRules, family(id)) && (whole && !ok || !families[family(id)]) {
			t.Errorf("%s tells findings of %s, which bulwark rule list does not have", file, id)
		}
	}
	if seen < 10 {
		t.Errorf("only %d rules are written out in the code", seen)
	}
	for _, id := range []string{"watch/killed", "deny/undecided", "deny/*", "abuse/sensor-signal", "profile/executable"} {
		if _, ok := known[id]; !ok {
			t.Errorf("%s is not listed", id)
		}
	}
}

// writtenOut are the ids that the code writes out, each with a file; one that ends with a stroke is the beginning of several.
func writtenOut(t *testing.T) map[string]string {
	ids := map[string]string{}
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 || d.Name() == "test" || d.Name() == "testdata" || d.Name() == "sample") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			for _, e := range lit.Elts {
				if id := ruleIn(lit.Type, e); id != "" {
					ids[id] = file
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// ruleIn is the id in a bulwark.Finding{Rule: "a/b"} or bulwark.Rule{ID: "a/b"}; of "a/" + name the beginning.
func ruleIn(of, element ast.Expr) string {
	kind, ok := of.(*ast.SelectorExpr)
	pair, paired := element.(*ast.KeyValueExpr)
	if !ok || !paired || kind.Sel.Name != "Finding" && kind.Sel.Name != "Rule" {
		return ""
	}
	if name, ok := pair.Key.(*ast.Ident); !ok || name.Name != map[string]string{"Finding": "Rule", "Rule": "ID"}[kind.Sel.Name] {
		return ""
	}
	value, begins := pair.Value, false
	for {
		sum, ok := value.(*ast.BinaryExpr)
		if !ok {
			break
		}
		value, begins = sum.X, true
	}
	text, ok := value.(*ast.BasicLit)
	if !ok {
		return ""
	}
	id, err := strconv.Unquote(text.Value)
	if err != nil || !strings.Contains(id, "/") {
		return ""
	}
	if begins {
		return family(id) + "/"
	}
	return id
}
