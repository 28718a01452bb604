package cyclonedx_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"bulwark"
	"bulwark/report"
	"bulwark/report/cyclonedx"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
)

func write(t *testing.T, r *bulwark.Report, o report.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(cyclonedx.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// valid holds doc against the official schema, which the library's module carries.
func valid(t *testing.T, doc []byte) {
	t.Helper()
	const module = "github.com/CycloneDX/cyclonedx-go"
	read := func(name string) []byte {
		b, err := os.ReadFile(schema.ModuleFile(t, module, "schema/"+name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	schema.Valid(t, read("bom-1.6.schema.json"), doc, map[string][]byte{
		"http://cyclonedx.org/schema/spdx.schema.json":     read("spdx.schema.json"),
		"http://cyclonedx.org/schema/jsf-0.82.schema.json": read("jsf-0.82.schemax.json"),
	})
}

func TestDocument(t *testing.T) {
	lookup := func(id string) (report.Details, bool) {
		return report.Details{Text: "what is known of " + id, References: []string{"https://example.com/a b", "https://example.com/x"}, Modified: sample.Now}, id == "GHSA-599f-7c49-w659"
	}
	got := write(t, sample.Report(), report.Options{Lookup: lookup})
	valid(t, got)
	golden.Check(t, "bom.json", got)
}

func TestInventory(t *testing.T) {
	got := write(t, sample.Report(), report.Options{Inventory: true})
	valid(t, got)
	if bytes.Contains(got, []byte(`"vulnerabilities"`)) {
		t.Error("an inventory has vulnerabilities")
	}
}

func TestSeveralAssets(t *testing.T) {
	r := sample.Report()
	r.Assets = append(r.Assets, bulwark.Asset{ID: "dir:src", Kind: "dir", Name: "src"})
	got := write(t, r, report.Options{})
	valid(t, got)
	var bom cdx.BOM
	if err := json.Unmarshal(got, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Component != nil || len(*bom.Components) != 2+1+len(r.Packages) {
		t.Errorf("%d components, want two assets, one system and the packages", len(*bom.Components))
	}
}

func TestEmpty(t *testing.T) { valid(t, write(t, &bulwark.Report{}, report.Options{})) }

func TestStable(t *testing.T) {
	a, b := write(t, sample.Report(), report.Options{}), write(t, sample.Report(), report.Options{})
	if !bytes.Equal(a, b) {
		t.Error("the same run gives two documents")
	}
	r := sample.Report()
	r.Packages[0].PURL += "x"
	if id := []byte("urn:uuid:"); bytes.Equal(a[bytes.Index(a, id):][:45], write(t, r, report.Options{})[bytes.Index(a, id):][:45]) {
		t.Error("two runs have the same serial number")
	}
}
