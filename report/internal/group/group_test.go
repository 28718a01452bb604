package group_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/report/internal/group"
	"bulwark/report/internal/sample"
)

func TestByAsset(t *testing.T) {
	assets := group.ByAsset(sample.Report())
	if len(assets) != 1 {
		t.Fatalf("%d assets, want the image alone: layers are part of it", len(assets))
	}
	a := assets[0]
	var got []string
	for _, s := range a.Sections {
		for _, r := range s.Rows {
			got = append(got, s.Name+" "+r.Name+" "+r.Fixed)
		}
	}
	want := []string{
		"Maven org.apache.commons:commons-text 1.10.0",
		"Debian:12 openssl 3.0.11-1~deb12u2",
		"Debian:12 linux 6.1.94-1",
		"npm lodash 4.17.21",
		"npm " + sample.Evil + " ",
		"Go stdlib 1.20.5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	openssl := a.Sections[1].Rows[0]
	if diff := cmp.Diff([]string{"CVE-2023-5363", "CVE-2025-0001"}, openssl.IDs); diff != "" {
		t.Errorf("ids of openssl: the excepted one is left out (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"libssl3", "openssl"}, openssl.Binaries); diff != "" {
		t.Errorf("binaries of openssl (-want +got):\n%s", diff)
	}
	if a.Vulnerabilities != 10 || a.Kernel != 3 || len(a.Excepted) != 1 || len(a.Others) != 3 {
		t.Errorf("vulnerabilities %d, kernel %d, excepted %d, others %d", a.Vulnerabilities, a.Kernel, len(a.Excepted), len(a.Others))
	}
	if l := a.Layers[1]; l.DiffID != sample.App || l.Base || l.Packages != 8 || l.Total() != 6 {
		t.Errorf("upper layer: %+v", l)
	}
}

func TestLater(t *testing.T) {
	for _, tt := range []struct{ later, earlier string }{
		{"1.10", "1.9"},
		{"1:1.0", "9.0"},
		{"1.0", "1.0~rc1"},
		{"3.0.13-1~deb12u1", "3.0.11-1~deb12u2"},
		{"1.0.1", "1.0"},
		{"1.0+b", "1.0b"},
		{"1", ""},
	} {
		if !group.Later(tt.later, tt.earlier) || group.Later(tt.earlier, tt.later) {
			t.Errorf("%q is not after %q", tt.later, tt.earlier)
		}
	}
	if group.Later("1.0", "1.00") {
		t.Error("leading zeros count")
	}
}

func TestEffect(t *testing.T) {
	a := group.ByAsset(sample.Report())[0]
	for _, tt := range []struct {
		ad   bulwark.Advice
		want string
	}{
		{bulwark.Advice{Text: "a 1 -> 2 clears 5 of 9", Clears: 5, Risk: a.Risk / 2}, "a 1 -> 2 clears 5 of 9 (50% of the risk)"},
		{bulwark.Advice{Text: "b 1 -> 2 clears 9 of 9", Clears: 9, Risk: a.Risk}, "b 1 -> 2 clears 9 of 9 (100% of the risk)"},
		{bulwark.Advice{Text: "c 1 -> 2 clears 1 of 9", Clears: 1, Risk: 1}, "c 1 -> 2 clears 1 of 9 (less than 1% of the risk)"},
		{bulwark.Advice{Text: "d 1 -> 2 clears 8 of 9", Clears: 8, Risk: a.Risk - 1}, "d 1 -> 2 clears 8 of 9 (99% of the risk)"},
		{bulwark.Advice{Text: "move on"}, "move on"},
	} {
		if got := group.Effect(&tt.ad, a); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// Advisories about Go leave the "v" out that its versions have.
func TestFixed(t *testing.T) {
	f := &bulwark.Finding{Subject: "pkg:golang/golang.org/x/text@v0.3.7", Vulnerability: &bulwark.Vulnerability{Installed: "v0.3.7", Fixed: []string{"0.3.8", "v1.0.0"}}}
	if diff := cmp.Diff([]string{"v0.3.8", "v1.0.0"}, group.Fixed(f)); diff != "" {
		t.Error(diff)
	}
	f.Subject, f.Vulnerability.Installed = "pkg:golang/stdlib@1.20.1", "1.20.1"
	if diff := cmp.Diff([]string{"0.3.8", "v1.0.0"}, group.Fixed(f)); diff != "" {
		t.Error(diff)
	}
}

// A release of which nothing but its point is known names nothing.
func TestDistribution(t *testing.T) {
	a := &group.Asset{Asset: &bulwark.Asset{Release: &bulwark.Release{Point: "12.11"}}}
	if got := group.Distribution(a); got != "" {
		t.Errorf("%q", got)
	}
	a.Packages = []*bulwark.Package{{PURL: "pkg:deb/debian/a@1", Ecosystem: "Debian:12"}}
	if got := group.Distribution(a); got != "Debian 12" {
		t.Errorf("%q", got)
	}
}

// The objects of a cluster that have findings are its part; the images that run in it are not.
func TestByAssetOfCluster(t *testing.T) {
	r := &bulwark.Report{
		Assets:   []bulwark.Asset{{ID: "k8s:c", Kind: "cluster"}, {ID: "k8s:c/a/Deployment/web", Kind: "Deployment", Parent: "k8s:c"}, {ID: "image:x", Kind: "image", Parent: "k8s:c"}},
		Findings: []bulwark.Finding{{Asset: "k8s:c/a/Deployment/web"}, {Asset: "k8s:c"}, {Asset: "image:x"}},
	}
	got := map[bulwark.AssetID]int{}
	for _, a := range group.ByAsset(r) {
		got[a.ID] = len(a.Others)
	}
	if diff := cmp.Diff(map[bulwark.AssetID]int{"k8s:c": 2, "image:x": 1}, got); diff != "" {
		t.Errorf("findings by asset (-want +got):\n%s", diff)
	}
}
