package sarif_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/utils" // its module holds the schema

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
	"bulwark/report/sarif"
)

func write(t *testing.T, r *bulwark.Report, o report.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(sarif.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// official is the schema of the standard, which a library holds as a constant.
func official(t *testing.T) []byte {
	t.Helper()
	file := schema.ModuleFile(t, "github.com/owenrumney/go-sarif/v3", "pkg/report/v210/sarif/schema.go")
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found string
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && len(lit.Value) > len(found) {
			found = lit.Value
		}
		return true
	})
	text, err := strconv.Unquote(found)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}

func valid(t *testing.T, doc []byte) {
	t.Helper()
	schema.Valid(t, official(t), doc, nil)
}

func TestDocument(t *testing.T) {
	lookup := func(id string) (report.Details, bool) {
		return report.Details{Text: "what is known", References: []string{"https://example.com/x"}}, true
	}
	got := write(t, sample.Report(), report.Options{Lookup: lookup})
	valid(t, got)
	golden.Check(t, "report.sarif.json", got)
	var doc struct {
		Runs []struct {
			Results []struct {
				Fingerprints map[string]string `json:"partialFingerprints"`
				Suppressions []any
			}
		}
	}
	if err := json.Unmarshal(got, &doc); err != nil {
		t.Fatal(err)
	}
	suppressed := 0
	for i, r := range doc.Runs[0].Results {
		if r.Fingerprints["bulwark/v1"] != sample.Report().Findings[i].Key {
			t.Errorf("result %d has fingerprints %v", i, r.Fingerprints)
		}
		suppressed += len(r.Suppressions)
	}
	if suppressed != 1 {
		t.Errorf("%d results are suppressed, want the excepted one", suppressed)
	}
}

func TestEmpty(t *testing.T) { valid(t, write(t, &bulwark.Report{}, report.Options{})) }
