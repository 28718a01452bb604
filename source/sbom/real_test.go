package sbom_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
	"bulwark/source/sbom"
)

// The documents of several producers, beside the repository.
func TestRealDocuments(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/sbom/[cs]*/*")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		dir := filepath.Base(filepath.Dir(file))
		if dir != "cyclonedx" && dir != "spdx" {
			continue
		}
		read++
		head, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := purls(t, file, head)
		target, err := sbom.New().Open(t.Context(), file)
		if !sbom.IsSBOM(head[:min(len(head), 4096)]) {
			t.Errorf("%s is not taken for an SBOM", file)
		}
		if strings.HasSuffix(file, ".spdx") {
			if !errors.Is(err, bulwark.ErrUnsupported) {
				t.Errorf("%s: %v, want unsupported", file, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := map[string]bool{}
		for _, p := range target.Inventory.Packages {
			got[p.PURL] = true
			if p.Name == "" {
				t.Errorf("%s: %s has no name", file, p.PURL)
			}
		}
		for p := range want {
			if !got[p] {
				t.Errorf("%s: %s is missing", file, p)
			}
		}
		t.Logf("%-70s %4d packages, %d notes, %v", filepath.Base(file), len(target.Inventory.Packages), len(target.Notes), target.Asset.Labels)
	}
	if read == 0 {
		t.Skip("skipped: ../shared/data/sbom is not beside the repository")
	}
}

// purls are the package URLs of a document's components and packages, found in
// another way; nothing is expected of XML.
func purls(t *testing.T, file string, b []byte) map[string]bool {
	t.Helper()
	want := map[string]bool{}
	if !strings.HasSuffix(file, ".json") {
		return want
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if m, ok := doc["metadata"].(map[string]any); ok {
		gather(m["component"], want)
	}
	for _, key := range []string{"components", "packages", "@graph"} {
		gather(doc[key], want)
	}
	return want
}

func gather(v any, want map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			gather(e, want)
		}
	case map[string]any:
		for _, key := range []string{"purl", "software_packageUrl"} {
			if s, ok := v[key].(string); ok {
				want[s] = true
			}
		}
		if v["referenceType"] == "purl" {
			want[v["referenceLocator"].(string)] = true
		}
		for _, e := range v {
			gather(e, want)
		}
	}
}
