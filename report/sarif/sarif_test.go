package sarif_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
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

// GitHub refuses more than 25,000 results and 10 MB of gzip.
func TestLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	r := sample.Report()
	for i := range 30000 {
		f := r.Findings[i%11]
		v := *f.Vulnerability
		v.ID = fmt.Sprintf("GHSA-%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
		f.Vulnerability, f.Rule, f.Key = &v, "vuln/"+v.ID, bulwark.Key(f.Kind, v.ID, f.Subject, "")
		for j := range 1500 * (i / 29999) {
			f.Places = append(f.Places, bulwark.Place{Path: fmt.Sprint("/srv/", j)})
		}
		r.Findings = append(r.Findings, f)
	}
	r.Findings = slices.Insert(r.Findings, 0, r.Findings[len(r.Findings)-1])
	details := func(string) (report.Details, bool) {
		return report.Details{Text: strings.Repeat("What an advisory says. ", 60), References: []string{"https://example.com/x"}}, true
	}
	doc := write(t, r, report.Options{Lookup: details})
	var got struct {
		Runs []struct {
			Results     []struct{ Locations []any }
			Invocations []struct {
				Notifications []struct{ Message struct{ Text string } } `json:"toolExecutionNotifications"`
			}
		}
	}
	if err := json.Unmarshal(doc, &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got.Runs[0].Results); n != 25000 || len(got.Runs[0].Results[0].Locations) != 1000 {
		t.Errorf("%d results, %d locations of the first", n, len(got.Runs[0].Results[0].Locations))
	}
	notes := got.Runs[0].Invocations[0].Notifications
	if last := notes[len(notes)-1].Message.Text; !strings.HasPrefix(last, "5,015 findings of the lowest risk left out") {
		t.Errorf("it says %q", last)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(doc); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if packed.Len() > 10<<20 {
		t.Errorf("%d bytes of gzip", packed.Len())
	}
	t.Logf("%d bytes, %d as gzip", len(doc), packed.Len())
}

func TestEmpty(t *testing.T) { valid(t, write(t, &bulwark.Report{}, report.Options{})) }
