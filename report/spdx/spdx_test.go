package spdx_test

import (
	"bytes"
	"strings"
	"testing"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/spdx"
)

func write(t *testing.T, r *bulwark.Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(spdx.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// readBack reads a document with the format's own library and checks the references
// in it.
func readBack(t *testing.T, b []byte) *v2_3.Document {
	t.Helper()
	var doc v2_3.Document
	if err := spdxjson.ReadInto(bytes.NewReader(b), &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{"DOCUMENT": true}
	for _, p := range doc.Packages {
		id := string(p.PackageSPDXIdentifier)
		if ids[id] {
			t.Errorf("%s stands twice", id)
		}
		ids[id] = true
		if p.PackageName == "" || p.PackageDownloadLocation == "" || p.PackageLicenseDeclared == "" {
			t.Errorf("%s lacks a field that must be there", id)
		}
	}
	for _, r := range doc.Relationships {
		if !ids[string(r.RefA.ElementRefID)] || !ids[string(r.RefB.ElementRefID)] {
			t.Errorf("relationship %v names what is not there", r)
		}
	}
	licences := map[string]bool{}
	for _, l := range doc.OtherLicenses {
		licences[l.LicenseIdentifier] = true
	}
	for _, p := range doc.Packages {
		for word := range strings.FieldsSeq(p.PackageLicenseDeclared) {
			if strings.HasPrefix(word, "LicenseRef-") && !licences[word] {
				t.Errorf("%s is not explained", word)
			}
		}
	}
	return &doc
}

func TestDocument(t *testing.T) {
	b := write(t, sample.Report())
	golden.Check(t, "bom.json", b)
	doc := readBack(t, b)
	if n := len(doc.Packages); n != 2+len(sample.Report().Packages) {
		t.Errorf("%d packages, want the image, its system and what is in it", n)
	}
	declared := map[string]string{}
	for _, p := range doc.Packages {
		declared[p.PackageName] = p.PackageLicenseDeclared
	}
	if got := declared["org.apache.commons:commons-text"]; !strings.HasPrefix(got, "(Apache-2.0 OR MIT) AND LicenseRef-bulwark-") {
		t.Errorf("licence %q", got)
	}
	if declared["lodash"] != "MIT" || declared["node"] != "NOASSERTION" {
		t.Errorf("licences %v", declared)
	}
}

func TestEmpty(t *testing.T) { readBack(t, write(t, &bulwark.Report{})) }
