package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
	"bulwark/source/sbom"
)

func read(t *testing.T, doc string) *bulwark.Target {
	t.Helper()
	target, err := sbom.Read(t.Context(), strings.NewReader(doc), "test.json")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func component(purl string, props ...string) string {
	var list []string
	for i := 0; i < len(props); i += 2 {
		list = append(list, fmt.Sprintf(`{"name":%q,"value":%q}`, props[i], props[i+1]))
	}
	return fmt.Sprintf(`{"type":"library","name":"n","version":"v","purl":%q,"properties":[%s]}`, purl, strings.Join(list, ","))
}

func bom(components ...string) string {
	return `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + strings.Join(components, ",") + `]}`
}

const debian = `{"type":"operating-system","name":"debian","version":"12.5"}`

func TestComponents(t *testing.T) {
	src := func(name, version string) *bulwark.SourcePackage {
		return &bulwark.SourcePackage{Name: name, Version: version}
	}
	trivy := func(name, version, epoch, release string) []string {
		p := "aquasecurity:trivy:Src"
		return []string{p + "Name", name, p + "Version", version, p + "Epoch", epoch, p + "Release", release}
	}
	for _, tt := range []struct {
		purl  string
		props []string
		want  bulwark.Package
	}{
		{"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl", nil,
			bulwark.Package{Name: "libssl3", Version: "3.0.11-1~deb12u2", Ecosystem: "Debian:12", Source: src("openssl", "3.0.11-1~deb12u2"), Arch: "amd64"}},
		{"pkg:deb/debian/login@1%3A4.13%2Bdfsg1-1%2Bb1?arch=amd64&distro=debian-12&upstream=shadow%401%3A4.13%2Bdfsg1-1", nil,
			bulwark.Package{Name: "login", Version: "1:4.13+dfsg1-1+b1", Ecosystem: "Debian:12", Source: src("shadow", "1:4.13+dfsg1-1"), Arch: "amd64"}},
		{"pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12", nil,
			bulwark.Package{Name: "adduser", Version: "3.134", Ecosystem: "Debian:12", Arch: "all"}},
		{"pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=bookworm", nil,
			bulwark.Package{Name: "openssl", Version: "3.0.11-1", Ecosystem: "Debian:12", Arch: "source"}},
		{"pkg:deb/debian/login@4.13-1?arch=amd64&distro=debian-12.5&epoch=1", trivy("shadow", "4.13", "1", "1"),
			bulwark.Package{Name: "login", Version: "1:4.13-1", Ecosystem: "Debian:12", Source: src("shadow", "1:4.13-1"), Arch: "amd64"}},
		{"pkg:deb/ubuntu/bash@5.1-6?distro=ubuntu-22.04", nil,
			bulwark.Package{Name: "bash", Version: "5.1-6", Ecosystem: "Ubuntu:22.04:LTS"}},
		{"pkg:rpm/almalinux/openssl-libs@3.0.7-6.el9?arch=x86_64&distro=almalinux-9.4&epoch=1&upstream=openssl-3.0.7-6.el9.src.rpm", nil,
			bulwark.Package{Name: "openssl-libs", Version: "1:3.0.7-6.el9", Ecosystem: "AlmaLinux:9", Source: src("openssl", "1:3.0.7-6.el9"), Arch: "x86_64"}},
		{"pkg:rpm/almalinux/bash@5.1.8-6.el9?distro=almalinux-9&epoch=0", nil,
			bulwark.Package{Name: "bash", Version: "5.1.8-6.el9", Ecosystem: "AlmaLinux:9"}},
		{"pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.19.1&upstream=openssl", nil,
			bulwark.Package{Name: "libcrypto3", Version: "3.1.4-r5", Ecosystem: "Alpine:v3.19", Source: src("openssl", "3.1.4-r5"), Arch: "x86_64"}},
		{"pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=3.19.1", trivy("musl", "1.2.4-r2", "", ""),
			bulwark.Package{Name: "musl", Version: "1.2.4-r2", Ecosystem: "Alpine:v3.19", Source: src("musl", "1.2.4-r2"), Arch: "x86_64"}},
		{"pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12", []string{"syft:metadata:source", "openssl", "syft:metadata:sourceVersion", "3.0.11-0"},
			bulwark.Package{Name: "libssl3", Version: "3.0.11-1", Ecosystem: "Debian:12", Source: src("openssl", "3.0.11-0")}},
		{"pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl", []string{"syft:metadata:source", "other"},
			bulwark.Package{Name: "libssl3", Version: "3.0.11-1", Ecosystem: "Debian:12", Source: src("openssl", "3.0.11-1")}},
		{"pkg:apk/alpine/libcrypto3@3.1.4-r5?distro=alpine-3.19.1", []string{"syft:metadata:originPackage", "openssl"},
			bulwark.Package{Name: "libcrypto3", Version: "3.1.4-r5", Ecosystem: "Alpine:v3.19", Source: src("openssl", "3.1.4-r5")}},
		{"pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1", []string{"syft:metadata:originPackage", "musl"},
			bulwark.Package{Name: "musl", Version: "1.2.4-r2", Ecosystem: "Alpine:v3.19"}},
		{"pkg:rpm/almalinux/openssl-libs@3.0.7-6.el9?distro=almalinux-9.4&epoch=1", []string{"syft:metadata:sourceRpm", "openssl-3.0.7-6.el9.src.rpm"},
			bulwark.Package{Name: "openssl-libs", Version: "1:3.0.7-6.el9", Ecosystem: "AlmaLinux:9", Source: src("openssl", "1:3.0.7-6.el9")}},
		{"pkg:rpm/almalinux/gpg-pubkey@1-1?distro=almalinux-9.4", []string{"syft:metadata:sourceRpm", "(none)"},
			bulwark.Package{Name: "gpg-pubkey", Version: "1-1", Ecosystem: "AlmaLinux:9"}},
		{"pkg:npm/%40babel/core@7.0.0", []string{"syft:location:0:path", "/app/node_modules/@babel/core/package.json", "syft:location:0:layerID", "sha256:aa"},
			bulwark.Package{Name: "@babel/core", Version: "7.0.0", Ecosystem: "npm", Path: "/app/node_modules/@babel/core/package.json", Layer: "sha256:aa"}},
		{"pkg:npm/JSONStream@1.3.5", []string{"aquasecurity:trivy:FilePath", "app/package.json", "aquasecurity:trivy:LayerDiffID", "sha256:bb"},
			bulwark.Package{Name: "JSONStream", Version: "1.3.5", Ecosystem: "npm", Path: "app/package.json", Layer: "sha256:bb"}},
		{"pkg:golang/github.com/Masterminds/goutils@v1.1.0", nil,
			bulwark.Package{Name: "github.com/Masterminds/goutils", Version: "v1.1.0", Ecosystem: "Go"}},
		{"pkg:golang/stdlib@v1.20.1", nil, bulwark.Package{Name: "stdlib", Version: "1.20.1", Ecosystem: "Go"}},
		{"pkg:maven/org.apache.commons/commons-text@1.9?type=jar", nil,
			bulwark.Package{Name: "org.apache.commons:commons-text", Version: "1.9", Ecosystem: "Maven"}},
		{"pkg:generic/node@18.0.0", nil, bulwark.Package{Name: "node", Version: "18.0.0"}},
		{"pkg:npm/noversion", nil, bulwark.Package{Name: "noversion", Version: "v", Ecosystem: "npm"}},
	} {
		got := read(t, bom(component(tt.purl, tt.props...))).Inventory.Packages
		tt.want.PURL = tt.purl
		if diff := cmp.Diff([]bulwark.Package{tt.want}, got, cmpopts.IgnoreFields(bulwark.Package{}, "Format"), cmpopts.IgnoreUnexported(bulwark.Symbols{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.purl, diff)
		}
	}
}

// A distribution's package without the qualifier has the release of the document.
func TestReleaseOfDocument(t *testing.T) {
	target := read(t, bom(component("pkg:deb/debian/a@1"), component("pkg:deb/debian/b@1?distro=debian-11"), component("pkg:deb/ubuntu/c@1"), debian))
	want := &bulwark.Release{ID: "debian", VersionID: "12", Point: "12.5"}
	if diff := cmp.Diff(want, target.Inventory.Release); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
	var got []string
	for _, p := range target.Inventory.Packages {
		got = append(got, p.Name+" "+p.Ecosystem)
	}
	if diff := cmp.Diff([]string{"a Debian:12", "b Debian:11", "c "}, got); diff != "" {
		t.Errorf("ecosystems (-want +got):\n%s", diff)
	}
}

func TestReleaseOfPackages(t *testing.T) {
	agree := read(t, bom(component("pkg:deb/debian/a@1?distro=debian-12"), component("pkg:deb/debian/b@1")))
	if r := agree.Inventory.Release; r == nil || r.ID != "debian" || r.VersionID != "12" || agree.Inventory.Packages[1].Ecosystem != "Debian:12" {
		t.Errorf("release %+v of packages that agree", r)
	}
	differ := read(t, bom(component("pkg:deb/debian/a@1?distro=debian-12"), component("pkg:rpm/almalinux/b@1?distro=almalinux-9")))
	if r := differ.Inventory.Release; r != nil {
		t.Errorf("release %+v of packages that disagree", r)
	}
}

func TestLeftOut(t *testing.T) {
	target := read(t, bom(
		component("pkg:npm/a@1"), component("pkg:npm/a@1"), component("not a purl"),
		`{"type":"library","name":"x"}`, `{"type":"file","name":"/etc/passwd"}`,
		`{"type":"application","name":"package-lock.json","properties":[{"name":"aquasecurity:trivy:Class","value":"lang-pkgs"}],"components":[`+component("pkg:npm/nested@1")+`]}`))
	if n := len(target.Inventory.Packages); n != 2 {
		t.Errorf("%d packages, want 2: a once, and the nested one", n)
	}
	want := []bulwark.Note{
		{Plugin: "source/sbom", Text: "1 component has no package URL, so no advisory can be matched with it", Incomplete: true},
		{Plugin: "source/sbom", Text: "1 component has a package URL that cannot be read, or a field of more than 8 KB, and is left out", Incomplete: true},
	}
	if diff := cmp.Diff(want, target.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestLicences(t *testing.T) {
	target := read(t, bom(`{"name":"a","purl":"pkg:npm/a@1","licenses":[{"license":{"id":"MIT"}},{"license":{"name":"Own words"}}]}`,
		`{"name":"b","purl":"pkg:npm/b@1","licenses":[{"expression":"MIT OR Zlib"}]}`))
	got := [][]string{target.Inventory.Packages[0].Licenses, target.Inventory.Packages[1].Licenses}
	if diff := cmp.Diff([][]string{{"MIT", "Own words"}, {"MIT OR Zlib"}}, got); diff != "" {
		t.Errorf("licences (-want +got):\n%s", diff)
	}
}

func TestXML(t *testing.T) {
	target := read(t, `<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4"><metadata><component type="container"><name>app</name></component></metadata>
<components><component type="operating-system"><name>alpine</name><version>3.19.1</version></component>
<component type="library"><name>musl</name><version>1.2.4-r2</version><licenses><license><id>MIT</id></license></licenses><purl>pkg:apk/alpine/musl@1.2.4-r2</purl>
<components><component type="library"><name>in</name><purl>pkg:npm/in@1</purl></component></components></component></components></bom>`)
	var got []string
	for _, p := range target.Inventory.Packages {
		got = append(got, p.Name+" "+p.Ecosystem+" "+strings.Join(p.Licenses, ""))
	}
	if diff := cmp.Diff([]string{"musl Alpine:v3.19 MIT", "in npm "}, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if target.Asset.Labels["describes"] != "app" {
		t.Errorf("labels %v", target.Asset.Labels)
	}
}

func TestSPDX(t *testing.T) {
	target := read(t, `{"packages":[
{"SPDXID":"SPDXRef-os","name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},
{"SPDXID":"SPDXRef-1","name":"libssl3","versionInfo":"3.0.11-1","sourceInfo":"built package from: openssl 3.0.11-1","licenseDeclared":"Apache-2.0",
 "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.11-1"}],
 "annotations":[{"annotator":"Tool: trivy","comment":"LayerDiffID: sha256:cc"}]},
{"SPDXID":"SPDXRef-2","name":"lodash","versionInfo":"4.17.20","sourceInfo":"acquired package info from installed node module manifest file: /app/node_modules/lodash/package.json, /x","licenseDeclared":"NOASSERTION","licenseConcluded":"MIT",
 "externalRefs":[{"referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:lodash:lodash:4.17.20:*:*:*:*:*:*:*"},{"referenceType":"purl","referenceLocator":"pkg:npm/lodash@4.17.20"}]},
{"SPDXID":"SPDXRef-3","name":"nothing known"}],
"spdxVersion":"SPDX-2.3","name":"shop"}`)
	want := []bulwark.Package{
		{PURL: "pkg:deb/debian/libssl3@3.0.11-1", Name: "libssl3", Version: "3.0.11-1", Ecosystem: "Debian:12", Source: &bulwark.SourcePackage{Name: "openssl", Version: "3.0.11-1"}, Layer: "sha256:cc", Licenses: []string{"Apache-2.0"}, Format: "deb"},
		{PURL: "pkg:npm/lodash@4.17.20", Name: "lodash", Version: "4.17.20", Ecosystem: "npm", Path: "/app/node_modules/lodash/package.json", Licenses: []string{"MIT"}, Format: "npm"},
	}
	if diff := cmp.Diff(want, target.Inventory.Packages, cmpopts.IgnoreUnexported(bulwark.Symbols{})); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if target.Asset.Labels["describes"] != "shop" || len(target.Notes) != 1 {
		t.Errorf("labels %v, notes %v", target.Asset.Labels, target.Notes)
	}
}

func TestSPDX3(t *testing.T) {
	target := read(t, `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"CreationInfo"},
{"type":"software_Package","name":"a","software_packageVersion":"1","software_packageUrl":"pkg:npm/a@1"},
{"type":["software_Package"],"name":"b","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/b@2"}]}]}`)
	if n := len(target.Inventory.Packages); n != 2 || target.Inventory.Packages[1].Version != "2" {
		t.Errorf("packages %+v", target.Inventory.Packages)
	}
}

func TestBad(t *testing.T) {
	deep := strings.Repeat(`{"components":[`, 20_000)
	for _, tt := range []struct {
		name, doc string
		want      error
	}{
		{"empty", "", bulwark.ErrMalformed},
		{"text", "hello", bulwark.ErrMalformed},
		{"other JSON", `{"a":1}`, bulwark.ErrMalformed},
		{"array", `[]`, bulwark.ErrMalformed},
		{"cut", bom(component("pkg:npm/a@1"))[:80], bulwark.ErrMalformed},
		{"more follows", bom() + "{}", bulwark.ErrMalformed},
		{"components no array", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}`, bulwark.ErrMalformed},
		{"name a number", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":1}]}`, bulwark.ErrMalformed},
		{"purl an object", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"purl":{}}]}`, bulwark.ErrMalformed},
		{"component a string", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":["x"]}`, bulwark.ErrMalformed},
		{"packages a number", `{"spdxVersion":"SPDX-2.3","packages":3}`, bulwark.ErrMalformed},
		{"version a number", `{"bomFormat":"CycloneDX","specVersion":1.6}`, bulwark.ErrMalformed},
		{"CycloneDX 2", `{"bomFormat":"CycloneDX","specVersion":"2.0"}`, bulwark.ErrUnsupported},
		{"cut after good ones", bom(component("pkg:npm/a@1"), `{"name":3}`, component("pkg:npm/b@1"))[:200], bulwark.ErrMalformed},
		{"all wrong", bom(`{"name":1}`, `3`, `{"type":[]}`), bulwark.ErrMalformed},
		{"metadata a number", `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":3,"components":[` + component("pkg:npm/a@1") + `]}`, bulwark.ErrMalformed},
		{"package cut", `{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"`, bulwark.ErrMalformed},
		{"package a number", `{"spdxVersion":"SPDX-2.3","packages":[3]}`, bulwark.ErrMalformed},
		{"element cut", `{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[{"type":"software_Package"`, bulwark.ErrMalformed},
		{"SPDX 4", `{"spdxVersion":"SPDX-4.0"}`, bulwark.ErrUnsupported},
		{"SPDX tags", "SPDXVersion: SPDX-2.2\n", bulwark.ErrUnsupported},
		{"other XML", `<html/>`, bulwark.ErrUnsupported},
		{"cut XML", `<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components>`, bulwark.ErrMalformed},
		{"entity", `<!DOCTYPE bom [<!ENTITY x SYSTEM "file:///etc/passwd">]><bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component><name>&x;</name></component></components></bom>`, bulwark.ErrMalformed},
		{"deep", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + deep, bulwark.ErrMalformed},
		{"deep elsewhere", `{"other":` + strings.Repeat("[", 200_000), bulwark.ErrMalformed},
		{"deep XML", `<bom xmlns="http://cyclonedx.org/schema/bom/1.4">` + strings.Repeat("<a>", 200), bulwark.ErrLimit},
	} {
		if _, err := sbom.Read(t.Context(), strings.NewReader(tt.doc), tt.name); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// A document that never ends costs neither time nor memory without bound.
func TestLimits(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"one long word":  io.MultiReader(strings.NewReader(`{"bomFormat":"`), repeat("x")),
		"one component":  io.MultiReader(strings.NewReader(`{"components":[{"name":"x","properties":[`), repeat(`{"name":"a","value":"b"},`)),
		"packages":       io.MultiReader(strings.NewReader(`{"components":[`), &numbered{}),
		"skipped":        io.MultiReader(strings.NewReader(`{"files":[`), repeat(`"x",`)),
		"spaces":         repeat(" "),
		"XML characters": io.MultiReader(strings.NewReader(`<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component><name>`), repeat("x")),
	} {
		_, err := sbom.Read(t.Context(), r, name)
		if name == "spaces" && errors.Is(err, bulwark.ErrMalformed) {
			continue
		}
		if !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %v, want a limit", name, err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 300<<20 {
		t.Errorf("%d MB of memory were asked for", m.Sys>>20)
	}
}

func repeat(s string) io.Reader { return &repeated{s: []byte(strings.Repeat(s, 64<<10/len(s)))} }

type repeated struct {
	s  []byte
	at int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.s[r.at:])
	r.at = (r.at + n) % len(r.s)
	return n, nil
}

// numbered gives components that all differ.
type numbered struct {
	n    int
	rest string
}

func (r *numbered) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.n++
		r.rest = fmt.Sprintf(`{"name":"n","purl":"pkg:npm/n%d@1"},`, r.n)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sbom.Read(ctx, strings.NewReader(bom()), "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.json")
	if err := os.WriteFile(file, []byte("\xef\xbb\xbf"+bom(component("pkg:npm/a@1"))), 0o644); err != nil {
		t.Fatal(err)
	}
	target, err := sbom.New().Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if target.Asset.Kind != "sbom" || target.Asset.ID != bulwark.AssetID("file:"+file) || len(target.Inventory.Packages) != 1 {
		t.Errorf("asset %+v", target.Asset)
	}
	in := &sbom.Source{Stdin: strings.NewReader(bom(component("pkg:npm/a@1")))}
	if target, err := in.Open(t.Context(), "-"); err != nil || len(target.Inventory.Packages) != 1 {
		t.Errorf("standard input: %v", err)
	}
	if _, err := sbom.New().Open(t.Context(), file+"x"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if _, err := sbom.New().Open(t.Context(), dir); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("folder: %v", err)
	}
	if err := os.Truncate(file, 1<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := sbom.New().Open(t.Context(), file); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("1 GB: %v", err)
	}
}

func TestIsSBOM(t *testing.T) {
	for head, want := range map[string]bool{
		bom(): true, "\xef\xbb\xbf \n{\"spdxVersion\":": true, `{"@context":"https://spdx.org/rdf/3.0.1/x"`: true,
		`<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4">`: true, "SPDXVersion: SPDX-2.2": true,
		`{"name":"package"}`: false, "apiVersion: v1": false, "": false, "<html>": false,
	} {
		if got := sbom.IsSBOM([]byte(head)); got != want {
			t.Errorf("IsSBOM(%.40q) = %v", head, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(bom(component("pkg:deb/debian/a@1?upstream=b%40c&epoch=1", "bulwark:path", "x"), debian)))
	f.Add([]byte(`{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:rpm/rhel/a@1?upstream=a-1-2.src.rpm"}],"annotations":[{"comment":"bulwark: {\"path\":\"x\"}"}]}]}`))
	f.Add([]byte(`{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[{"type":"software_Package","software_packageUrl":"pkg:golang/x/y@v1#z"}]}`))
	f.Add([]byte(`<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component type="x"><purl>pkg:npm/a@1</purl></component></components></bom>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		target, err := sbom.Read(context.Background(), strings.NewReader(string(b)), "fuzz")
		if err != nil {
			return
		}
		sbom.IsSBOM(b)
		for _, p := range target.Inventory.Packages {
			if p.PURL == "" && p.Name == "" && p.Ecosystem == "" && p.Version == "" {
				continue // ours may be empty
			}
		}
	})
}
