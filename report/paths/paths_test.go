package paths_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"

	"bulwark"
	"bulwark/graph"
	"bulwark/report/internal/golden"
	"bulwark/report/paths"
)

// answer is about a small cluster: the internet reaches a shop, whose pod takes its node; an
// account reads all secrets; names have what would break out of a format.
func answer(t *testing.T, hostile string) *paths.Answer {
	t.Helper()
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "internet", To: "workload:shop/Deployment/cart", Type: "ENDPOINT_EXPLOIT", Likelihood: 0.2, Text: "reaches it by Service cart", Remedies: []string{"k8s:1 expose"}},
		{From: "workload:shop/Deployment/cart", To: "container:shop/Deployment/cart/app" + bulwark.VertexID(hostile), Type: "CONTAINER_ATTACH", Text: "is in the pod"},
		{From: "container:shop/Deployment/cart/app" + bulwark.VertexID(hostile), To: "node:*", Type: "CE_PRIV_MOUNT", Text: "mounts the node's disk" + hostile, Place: &bulwark.Place{Path: "cart.yaml" + hostile, Line: 12}, Because: []string{"key1"}, Remedies: []string{"k8s:1 key1"}},
		{From: "container:shop/Deployment/cart/app" + bulwark.VertexID(hostile), To: "group:secrets", Type: "ACCESS_SECRET", Likelihood: 0.9, Text: "reads it", Remedies: []string{"role"}},
		{From: "group:secrets", To: "secret:bank/key", Type: "MEMBER_OF", Text: "is one of them"},
	} {
		g.Relation(r)
	}
	f := bulwark.Finding{
		Key: "key1", Kind: bulwark.KindMisconfig, Rule: "workload/privileged", Asset: "k8s:1", Subject: "shop/Deployment/cart" + hostile, Title: "A container is privileged",
		Severity: bulwark.SeverityHigh, Risk: 50, Path: "cart.yaml", Line: 12, Evidence: []string{"privileged: true"}, Fix: &bulwark.Fix{Text: "take privileged out"},
	}
	g.Remedy(bulwark.Remedy{ID: bulwark.RemedyOf(&f), Text: f.Title, Fix: f.Fix})
	g.Remedy(bulwark.Remedy{ID: "role", Text: "name the secrets that are read"})
	q := graph.Between([]bulwark.VertexID{"internet"}, []bulwark.VertexID{"node:*", "secret:bank/key"})
	a := &paths.Answer{Graph: g, Findings: []bulwark.Finding{f}, Most: 10, Starts: 1, Goals: 2, Cut: g.Smallest(q), Chokes: g.Chokes(q)}
	a.Paths = a.Cut.Paths
	return a
}

func written(t *testing.T, format string, a *paths.Answer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paths.Write(&b, format, a); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

func TestFormats(t *testing.T) {
	for _, format := range paths.Formats() {
		golden.Check(t, "paths."+format, written(t, format, answer(t, "")))
	}
}

func TestHostileNames(t *testing.T) {
	hostile := "\x1b[31m\"]; <script>alert(1)</script> \u202e|`${x}` -->\n  v9 --> v8 \\"
	for _, format := range paths.Formats() {
		got := string(written(t, format, answer(t, hostile)))
		for _, bad := range []string{"\x1b", "<script>alert", "\n  v9"} {
			if format == "json" && bad != "\x1b" || format == "text" && bad == "<script>alert" || format == "dot" && bad == "<script>alert" {
				continue
			}
			if strings.Contains(got, bad) {
				t.Errorf("%s has %q as it was", format, bad)
			}
		}
	}
	if !json.Valid(written(t, "json", answer(t, hostile))) {
		t.Error("json is not valid")
	}
}

func TestGroupsAreNotShown(t *testing.T) {
	for _, format := range []string{"text", "mermaid", "dot", "html"} {
		if got := string(written(t, format, answer(t, ""))); strings.Contains(got, "group") && format != "html" || strings.Contains(got, "group secrets") {
			t.Errorf("%s shows a group:\n%s", format, got)
		}
	}
}

func TestPageLoadsNothing(t *testing.T) {
	page := string(written(t, "html", answer(t, "")))
	for _, bad := range []string{"src=", "http:", "https:", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(html.UnescapeString(page), "default-src 'none'") {
		t.Error("the page has no policy")
	}
}

func TestReachLeavesOutWhatGoesWithoutSaying(t *testing.T) {
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "container:shop/Pod/web/app", To: "workload:shop/Pod/web", Type: "MEMBER_OF", Text: "is all of it"},
		{From: "container:shop/Pod/web/app", To: "node:1", Type: "CE_PRIV_MOUNT", Text: "mounts the disk"},
		{From: "node:1", To: "workload:shop/Pod/other", Type: "POD_ATTACH", Text: "runs on it"},
		{From: "workload:shop/Pod/other", To: "container:shop/Pod/other/app", Type: "CONTAINER_ATTACH", Text: "is in the pod"},
		{From: "container:shop/Pod/other/app", To: "secret:shop/s", Type: "VOLUME_DISCOVER", Text: "is given it"},
	} {
		g.Relation(r)
	}
	q := graph.Between([]bulwark.VertexID{"container:shop/Pod/web/app"}, nil)
	got := string(written(t, "text", &paths.Answer{Graph: g, Reach: true, Starts: 1, Most: 10, Paths: g.Reach(q)}))
	want := `3 things can be reached from container app of Pod shop/web.

node: 1
  100%  node 1
        by CE_PRIV_MOUNT

secret: 1
  100%  Secret shop/s
        by CE_PRIV_MOUNT to node 1, by POD_ATTACH to Pod shop/other, by VOLUME_DISCOVER

workload: 1
  100%  Pod shop/other
        by CE_PRIV_MOUNT to node 1, by POD_ATTACH
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// largest is the largest piece that is written.
type largest int

func (l *largest) Write(p []byte) (int, error) {
	*l = max(*l, largest(len(p)))
	return len(p), nil
}

// TestRelationsAreWrittenOneByOne holds that the json format is not made in memory before it is
// written, and is what it would be.
func TestRelationsAreWrittenOneByOne(t *testing.T) {
	g := graph.New()
	for n := range 20_000 {
		g.Relation(bulwark.Relation{From: "internet", To: bulwark.VertexID(fmt.Sprint("node:", n)), Type: "X", Text: "\n  \"relations\": []"})
	}
	a := &paths.Answer{Graph: g, Reach: true}
	var most largest
	if err := paths.Write(&most, "json", a); err != nil || most > 64<<10 {
		t.Errorf("%d bytes at once: %v", most, err)
	}
	var read struct{ Relations []bulwark.Relation }
	if err := json.Unmarshal(written(t, "json", a), &read); err != nil || len(read.Relations) != 20_000 {
		t.Errorf("%d relations: %v", len(read.Relations), err)
	}
}
