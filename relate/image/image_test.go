package image

import (
	"testing"

	"bulwark"
	"bulwark/graph"
)

func vulnerable(pkg, purl, vector string, epss float64, kev bool) bulwark.Finding {
	return bulwark.Finding{
		Key: "key of " + pkg, Kind: bulwark.KindVulnerability, Rule: "vuln/CVE-1", Asset: "image:sha256:1", Subject: purl,
		Vulnerability: &bulwark.Vulnerability{
			ID: "CVE-1", CVEs: []string{"CVE-1"}, Package: pkg, Installed: "1.0", Fixed: []string{"1.1"},
			CVSS: &bulwark.CVSS{Vector: vector, Score: 9}, EPSS: &bulwark.EPSS{Score: epss}, KEV: kev,
		},
	}
}

const remote = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

func TestLikelihood(t *testing.T) {
	no := false
	unused := vulnerable("flask", "pkg:pypi/flask@1", remote, 0.9, true)
	unused.InUse = &no
	for _, tt := range []struct {
		name     string
		f        bulwark.Finding
		min, max float64
	}{
		{"exploited", vulnerable("flask", "pkg:pypi/flask@1", remote, 0.1, true), 0.9, 0.9},
		{"likely", vulnerable("flask", "pkg:pypi/flask@1", remote, 0.9, false), 0.7, 0.8},
		{"unlikely", vulnerable("flask", "pkg:pypi/flask@1", remote, 0.0001, false), 0.05, 0.1},
		{"local", vulnerable("flask", "pkg:pypi/flask@1", "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 0.9, true), 0, 0},
		{"with rights", vulnerable("flask", "pkg:pypi/flask@1", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 0.9, true), 0.18, 0.18},
		{"stops it alone", vulnerable("flask", "pkg:pypi/flask@1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 0.9, true), 0.27, 0.27},
		{"a server", vulnerable("nginx", "pkg:deb/debian/nginx@1", remote, 0.1, true), 0.9, 0.9},
		{"none that listens", vulnerable("tar", "pkg:deb/debian/tar@1", remote, 0.1, true), 0.18, 0.18},
		{"not in use", unused, 0, 0},
		{"a weakness", bulwark.Finding{Rule: "sarif/sql-injection", Severity: bulwark.SeverityCritical}, 0.4, 0.4},
	} {
		if got := Likelihood(&tt.f); got < tt.min || got > tt.max {
			t.Errorf("%s: likelihood %v, want %v to %v", tt.name, got, tt.min, tt.max)
		}
	}
}

func TestJoin(t *testing.T) {
	r := New()
	r.Containers = []Container{
		{Workload: "workload:shop/Deployment/cart", Vertex: "container:shop/Deployment/cart/app", Image: "cart:1", ID: "shop/Deployment/cart"},
		{Workload: "workload:shop/Deployment/mail", Vertex: "container:shop/Deployment/mail/app", Image: "mail:1", ID: "shop/Deployment/mail"},
	}
	r.secrets["sha256:ab"] = "secret:bank/key"
	g := graph.New()
	g.Relation(bulwark.Relation{From: "internet", To: "endpoint:cart", Type: "EXPOSED", Remedies: []string{"policy"}})
	g.Relation(bulwark.Relation{From: "endpoint:cart", To: "workload:shop/Deployment/cart", Type: "ENDPOINT_EXPLOIT", Likelihood: 0.1, Remedies: []string{"password"}})
	leak := bulwark.Finding{Key: "leak", Kind: bulwark.KindSecret, Rule: "secret/aws-access-key", Asset: "image:sha256:1", Path: "/app/.env", Tags: []string{"sha256:ab"}, Fix: &bulwark.Fix{Text: "take it out"}}
	r.Join(g, func(c Container) []bulwark.Finding {
		if c.Image != "cart:1" {
			return nil
		}
		return []bulwark.Finding{vulnerable("flask", "pkg:pypi/flask@1", remote, 0.5, true), leak}
	})
	paths := g.Cheapest([]bulwark.VertexID{"internet"}, []bulwark.VertexID{"secret:bank/key", "cloud:aws/key in app/.env"})
	if len(paths) != 2 {
		t.Fatalf("%d paths, want one to the Secret of the same value and one to the cloud", len(paths))
	}
	s := paths[0].Steps
	if len(s) != 3 || s[1].Type != "EXPLOIT_CVE" || s[1].Likelihood != 0.9 || s[2].Type != "LEAKED_SECRET" {
		t.Errorf("steps %+v", s)
	}
	c := g.Cut([]bulwark.VertexID{"internet"}, []bulwark.VertexID{"secret:bank/key"})
	if len(c.Remedies) != 1 || !c.Minimal() {
		t.Errorf("cut %+v", c.Remedies)
	}
	after, unknown := g.Without("image:sha256:1 upgrade flask")
	if len(unknown) > 0 || len(after.Cheapest([]bulwark.VertexID{"internet"}, []bulwark.VertexID{"container:shop/Deployment/cart/app"})) != 0 {
		t.Error("the upgrade does not shut this way")
	}
}
