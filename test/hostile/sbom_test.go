//go:build linux

package hostile

import (
	"fmt"
	"strings"
	"testing"
)

// TestBadDocuments scans SBOMs that are damaged, lying, deep or large.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	component := `{"type":"library","name":"lodash","version":"4.17.20","purl":"pkg:npm/lodash@4.17.20"}`
	whole := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + component + `]}`
	var distinct strings.Builder
	for i := range 150_000 {
		fmt.Fprintf(&distinct, `{"name":"p%d","version":"1","purl":"pkg:npm/p%[1]d@1"},`, i)
	}
	for _, tt := range []struct {
		name, text, more string
		times            int
		words            string
	}{
		{"truncated", whole[:len(whole)-20], "", 0, "malformed"},
		{"truncated SPDX", `{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"`, "", 0, "malformed"},
		{"components of the wrong type", `{"bomFormat":"CycloneDX","components":7}`, "", 0, "malformed"},
		{"component of the wrong type", `{"bomFormat":"CycloneDX","components":["x"]}`, "", 0, "malformed"},
		{"name of the wrong type", `{"bomFormat":"CycloneDX","components":[{"name":{}}]}`, "", 0, "malformed"},
		{"packages of the wrong type", `{"spdxVersion":"SPDX-2.3","packages":{}}`, "", 0, "malformed"},
		{"deep", `{"bomFormat":"CycloneDX","components":[`, `{"components":[`, 1_000_000, ""},
		{"one component over and over", `{"bomFormat":"CycloneDX","components":[` + component, "," + component, 150_000, "malformed"},
		{"very many", `{"bomFormat":"CycloneDX","components":[` + distinct.String() + component + "]}", "", 0, "limit exceeded"},
		{"a long word", `{"bomFormat":"CycloneDX","components":[{"name":"`, "x", 100 << 20, "limit exceeded"},
		{"garbage behind", whole + "}}}", "", 0, "malformed"},
		{"text", "hello", "", 0, "unsupported"},
		{"nothing", "", "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			bad := r.put("bad.json", []byte(tt.text+strings.Repeat(tt.more, tt.times)))
			want{1, tt.words, nil}.check(t, r.scan(bad))
			want{4, tt.words, []string{next}}.check(t, r.scan(bad, r.next()))
		})
	}
}

// TestWrongTypesInDocuments puts values of every type where the formats expect another.
func TestWrongTypesInDocuments(t *testing.T) {
	t.Parallel()
	values := []string{`7`, `"x"`, `null`, `true`, `[1,"a",null]`, `{"a":{}}`, `"pkg:npm/%zz@\u001b[31m"`}
	r := newRoom(t)
	n := 0
	for _, shape := range []string{
		`{"bomFormat":"CycloneDX","specVersion":%s,"components":[]}`, `{"bomFormat":"CycloneDX","metadata":%s,"components":[]}`,
		`{"bomFormat":"CycloneDX","components":[{"type":"library","name":"a","version":%s,"purl":%[1]s,"properties":%[1]s,"licenses":%[1]s}]}`,
		`{"bomFormat":"CycloneDX","components":[{"name":"a","purl":%s,"components":%[1]s}],"dependencies":%[1]s}`,
		`{"spdxVersion":%s,"packages":[]}`, `{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","versionInfo":%s}],"relationships":%[1]s}`,
		`{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":%s}],"licenseConcluded":%[1]s}]}`,
		`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":%s}`,
	} {
		for _, v := range values {
			n++
			res := r.scan("sbom:" + r.put(fmt.Sprint(n), fmt.Appendf(nil, shape, v)))
			if res.code != 0 && res.code != 1 && res.code != 4 {
				t.Errorf("%s %s: exit code %d\n%s", shape, v, res.code, res.stderr)
			}
		}
	}
}
