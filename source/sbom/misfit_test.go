package sbom_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// names are the packages of a target in words.
func names(t *bulwark.Target) string {
	var list []string
	for _, p := range t.Inventory.Packages {
		list = append(list, p.Name+"@"+p.Version)
	}
	return strings.Join(list, " ")
}

// A component with a wrong type in it does not cost the others.
func TestMisfits(t *testing.T) {
	const left = " is left out: "
	spdx := func(name string) string {
		return `{"name":"` + name + `","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/` + name + `@1"}]}`
	}
	for _, tt := range []struct{ name, doc, packages, note string }{
		{"name", bom(component("pkg:npm/a@1"), `{"name":3,"purl":"pkg:npm/x@1"}`, component("pkg:npm/b@1")),
			"a@1 b@1", "components[1]" + left + "name is of type number where string should be"},
		{"component", bom(`"x"`, component("pkg:npm/a@1")), "a@1", "components[0]" + left + "it is of type string where object should be"},
		{"licence", bom(`{"purl":"pkg:npm/x@1","licenses":[{"license":{"id":{}}}]}`, component("pkg:npm/a@1")),
			"a@1", "components[0]" + left + "licenses.license.id is of type object where string should be"},
		{"properties", bom(component("pkg:npm/a@1"), `{"purl":"pkg:npm/x@1","properties":true}`),
			"a@1", "components[1]" + left + "properties is of type bool where array should be"},
		{"around others", bom(component("pkg:npm/a@1"), `{"name":3,"components":[`+component("pkg:npm/b@1")+`]}`),
			"a@1 b@1", "components[1]" + left + "name is of type number where string should be"},
		{"nested", bom(`{"name":"a","purl":"pkg:npm/a@1","components":[{"purl":3,"type":"file"},` + component("pkg:npm/b@1") + `]}`),
			"a@1 b@1", "components[0] cannot be read whole: components.purl is of type number where string should be"},
		{"metadata", `{"metadata":{"component":{"name":3}},` + bom(component("pkg:npm/a@1"))[1:],
			"a@1", "metadata cannot be read whole: component.name is of type number where string should be"},
		{"SPDX 2", `{"spdxVersion":"SPDX-2.3","packages":[` + spdx("a") + `,{"name":[]},` + spdx("b") + `]}`,
			"a@1 b@1", "packages[1]" + left + "name is of type array where string should be"},
		{"SPDX 3", `{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[{"type":"Other","name":3},{"type":3},{"type":"software_Package","software_packageUrl":"pkg:npm/a@1"}]}`,
			"a@1", "@graph[1]" + left + "type is of type number where string should be"},
	} {
		target := read(t, tt.doc)
		if got := names(target); got != tt.packages {
			t.Errorf("%s: packages %q, want %q", tt.name, got, tt.packages)
		}
		want := []bulwark.Note{{Plugin: "source/sbom", Text: tt.note, Incomplete: true}}
		if diff := cmp.Diff(want, target.Notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestManyMisfits(t *testing.T) {
	target := read(t, bom(component("pkg:npm/a@1"), strings.Repeat("3,", 50)+"3"))
	if n := len(target.Notes); n != 21 || target.Notes[20].Text != "31 more components have wrong types in them" {
		t.Errorf("%d notes: %v", n, target.Notes)
	}
}

// What a document describes is a package too, when its package URL says so.
func TestSubject(t *testing.T) {
	about := func(typ, purl string, components ...string) string {
		return `{"metadata":{"component":{"type":"` + typ + `","name":"app","purl":"` + purl + `"}},` + bom(components...)[1:]
	}
	for _, tt := range []struct{ doc, want string }{
		{about("application", "pkg:npm/app@1", component("pkg:npm/a@1")), "a@1 app@1"},
		{about("library", "pkg:maven/org.x/app@1"), "org.x:app@1"},
		{about("framework", "pkg:npm/app@1", component("pkg:npm/app@1", "bulwark:path", "x")), "app@1"},
		{about("container", "pkg:npm/app@1"), "app@1"},
		{about("container", "pkg:oci/app@sha256:aa", component("pkg:npm/a@1")), "a@1"},
		{about("application", "pkg:docker/app@1"), ""},
		{about("application", "pkg:generic/app@1"), ""},
		{about("application", "pkg:npm/app"), ""},
		{about("application", "no package URL"), ""},
		{about("file", "pkg:npm/app@1"), ""},
		{`{"spdxVersion":"SPDX-2.3","documentDescribes":["SPDXRef-a"],"packages":[{"SPDXID":"SPDXRef-a","name":"app","primaryPackagePurpose":"APPLICATION",
"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/app@1"}]}]}`, "app@1"},
	} {
		target := read(t, tt.doc)
		if got := names(target); got != tt.want || len(target.Notes) > 0 {
			t.Errorf("%s: packages %q, want %q; notes %v", tt.doc, got, tt.want, target.Notes)
		}
	}
}
