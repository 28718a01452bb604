package all_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bulwark"
	"bulwark/all"
)

func rules() map[string]bulwark.Rule {
	known := map[string]bulwark.Rule{}
	for _, p := range all.Plugins() {
		if r, ok := p.(bulwark.Ruler); ok {
			for _, rule := range r.Rules() {
				known[rule.ID] = rule
			}
		}
	}
	return known
}

// TestEveryRuleIsArgued holds that people can read why each rule is there, how bad it is
// and when it is wrong.
func TestEveryRuleIsArgued(t *testing.T) {
	known := rules()
	families := map[string]int{}
	for id, r := range known {
		family, name, _ := strings.Cut(id, "/")
		families[family]++
		hygiene := strings.Contains(" "+strings.Join(r.Tags, " ")+" ", " hygiene ")
		switch {
		case name == "" || r.Title == "" || r.Reason == "" || r.FalsePositives == "":
			t.Errorf("%s lacks a title, a reason or a note on false positives: %+v", id, r)
		case r.Severity == bulwark.SeverityUnknown || hygiene && r.Severity != bulwark.SeverityLow:
			t.Errorf("%s is %s", id, r.Severity)
		}
	}
	for _, f := range []string{"ci", "compose", "dockerfile", "eol", "image", "malware", "outdated", "secret", "vuln", "yara"} {
		if families[f] == 0 {
			t.Errorf("no rules of %s", f)
		}
	}
	t.Log(len(known), "rules:", families)
}

var ruleID = regexp.MustCompile(`^(ci|compose|dockerfile|eol|image|malware|outdated|secret)/[a-z0-9][a-z0-9-]*$`)

// others look like rules of images and secrets.
var others = regexp.MustCompile(`^(image/(png|jpeg|gif|svg|webp|x-icon)|secret/(key|certificate)$)`)

// TestEveryIDIsListed goes through the code of the checks for the ids of rules that it
// writes out, and for the traits that malware's check makes findings of.
func TestEveryIDIsListed(t *testing.T) {
	known, seen := rules(), map[string]bool{}
	err := filepath.WalkDir("../check", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, id := range idsIn(tree) {
			seen[id] = true
			if _, ok := known[id]; !ok {
				t.Errorf("%s makes findings of %s, which bulwark rule list does not have", file, id)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range known {
		if family, _, _ := strings.Cut(id, "/"); (family == "ci" || family == "image" || family == "compose") && !seen[id] {
			t.Errorf("no check writes the id %s", id)
		}
	}
}

// idsIn are the ids of rules in a file.
func idsIn(tree *ast.File) []string {
	var ids []string
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && ruleID.MatchString(text) && !others.MatchString(text) {
				ids = append(ids, text)
			}
		case *ast.KeyValueExpr: // bulwark.Trait{Rule: "packed"}
			key, isName := n.Key.(*ast.Ident)
			value, isText := n.Value.(*ast.BasicLit)
			if isName && isText && key.Name == "Rule" && tree.Name.Name == "malware" {
				text, _ := strconv.Unquote(value.Value)
				ids = append(ids, "malware/"+text)
			}
		}
		return true
	})
	return ids
}
