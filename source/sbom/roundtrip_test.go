package sbom_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
	"bulwark/report"
	"bulwark/report/cyclonedx"
	"bulwark/report/spdx"
	"bulwark/source/sbom"
)

// What our own formats write is read back without loss, so that scanning the
// document finds what scanning the image found.
func TestRoundTrip(t *testing.T) {
	want := own()
	for _, f := range []report.Format{cyclonedx.Format(), spdx.Format()} {
		var buf bytes.Buffer
		if err := want.Replay(f.New(&buf, report.Options{Inventory: true})); err != nil {
			t.Fatal(err)
		}
		if !sbom.IsSBOM(buf.Bytes()[:min(buf.Len(), 4096)]) {
			t.Errorf("%s is not taken for an SBOM", f.Name)
		}
		got, err := sbom.Read(t.Context(), &buf, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Packages, got.Inventory.Packages, cmpopts.IgnoreFields(bulwark.Package{}, "Asset"), cmpopts.IgnoreUnexported(bulwark.Symbols{})); diff != "" {
			t.Errorf("%s: packages (-want +got):\n%s", f.Name, diff)
		}
		if diff := cmp.Diff(want.Assets[0].Release, got.Inventory.Release); diff != "" {
			t.Errorf("%s: release (-want +got):\n%s", f.Name, diff)
		}
		if len(got.Notes) > 0 {
			t.Errorf("%s: notes %v", f.Name, got.Notes)
		}
	}
}

// A host without a known system must not become one by its name.
func TestRoundTripHost(t *testing.T) {
	r := &bulwark.Report{Assets: []bulwark.Asset{{ID: "host:x", Kind: "host", Name: "x"}, {ID: "dir:y", Kind: "dir", Name: "y"}},
		Packages: []bulwark.Package{{PURL: "pkg:npm/a@1", Name: "a", Version: "1", Ecosystem: "npm", Asset: "host:x"}, {PURL: "pkg:npm/b@1", Name: "b", Version: "1", Ecosystem: "npm", Asset: "dir:y"}}}
	for _, f := range []report.Format{cyclonedx.Format(), spdx.Format()} {
		var buf bytes.Buffer
		if err := r.Replay(f.New(&buf, report.Options{})); err != nil {
			t.Fatal(err)
		}
		got, err := sbom.Read(t.Context(), &buf, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Inventory.Release != nil || len(got.Inventory.Packages) != 2 || len(got.Notes) > 0 {
			t.Errorf("%s: release %v, %d packages, notes %v", f.Name, got.Inventory.Release, len(got.Inventory.Packages), got.Notes)
		}
	}
}

// own is a run of an image with all that a package can have.
func own() *bulwark.Report {
	const id = bulwark.AssetID("image:sha256:aa")
	p := func(p bulwark.Package) bulwark.Package { p.Asset = id; return p }
	return &bulwark.Report{
		Assets: []bulwark.Asset{{ID: id, Kind: "image", Name: "shop:1.4", Release: &bulwark.Release{ID: "rhel", IDLike: "fedora", VersionID: "9.4", Codename: "Plow",
			Name: "Red Hat Enterprise Linux 9.4 (Plow)", CPE: "cpe:/o:redhat:enterprise_linux:9::baseos"}}},
		Packages: []bulwark.Package{
			p(bulwark.Package{PURL: "pkg:rpm/redhat/openssl-libs@3.0.7-6.el9?arch=x86_64&distro=rhel-9.4&epoch=1&upstream=openssl-3.0.7-6.el9.src.rpm", Name: "openssl-libs", Version: "1:3.0.7-6.el9",
				Ecosystem: "Red Hat:enterprise_linux:9::baseos", Source: &bulwark.SourcePackage{Name: "openssl", Version: "1:3.0.7-6.el9"}, Path: "/var/lib/rpm/rpmdb.sqlite", Layer: "sha256:bb",
				Licenses: []string{"ASL 2.0 and \"own\" words"}, FromBase: true, Format: "rpm", Arch: "x86_64"}),
			p(bulwark.Package{PURL: "pkg:npm/JSONStream@1.3.5", Name: "JSONStream", Version: "1.3.5", Ecosystem: "npm", Path: "/a/node_modules/JSONStream/package.json", Layer: "sha256:cc",
				Licenses: []string{"MIT", "Apache-2.0 OR MIT"}, OwnedBy: "node-jsonstream", Format: "npm"}),
			p(bulwark.Package{PURL: "pkg:npm/JSONStream@1.3.5", Name: "JSONStream", Version: "1.3.5", Ecosystem: "npm", Path: "/b/package-lock.json", Declared: true, Dev: true, Format: "npm", Licenses: []string{"MIT OR Zlib"}}),
			p(bulwark.Package{PURL: "pkg:maven/org.a/B-c@1.0", Name: "org.a:B-c", Version: "1.0", Ecosystem: "Maven", Path: "/x.war!WEB-INF/lib/\x01é.jar", Format: "maven"}),
			p(bulwark.Package{PURL: "pkg:generic/node@18.0.0", Name: "node", Version: "18.0.0", Path: "/usr/bin/node", Format: "generic"}),
			p(bulwark.Package{PURL: "pkg:npm/noversion", Name: "noversion", Ecosystem: "npm", Path: "/c/package.json", Format: "npm"}),
		},
		Summary: bulwark.Summary{Complete: true},
	}
}
