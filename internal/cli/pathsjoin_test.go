package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/cli"
	"bulwark/test/registrytest"
)

// facts makes a database that knows one flaw, of flask 1.0.
func facts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "osv/PYSEC-1.json", `{"id":"PYSEC-1","aliases":["CVE-2030-0001"],"modified":"2030-01-01T00:00:00Z","summary":"runs what is sent",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"PyPI","name":"flask"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1"}]}]}]}`)
	write(t, dir, "kev.json", `{"catalogVersion":"2030.01.01","dateReleased":"2030-01-01T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2030-0001","dateAdded":"2030-01-01"}]}`)
	db := filepath.Join(dir, "facts.db")
	if code := cli.Main([]string{"db", "build", "--quiet", "--osv", filepath.Join(dir, "osv"), "--kev", filepath.Join(dir, "kev.json"), "-o", db}, strings.NewReader(""), io.Discard, os.Stderr); code != 0 {
		t.Fatalf("db build exits with %d", code)
	}
	return db
}

// shop are two workloads that the Internet reaches, of which one is privileged.
const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: app, image: "CART", ports: [{containerPort: 8080}], securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {type: LoadBalancer, selector: {app: cart}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gone, namespace: shop}
spec:
  automountServiceAccountToken: false
  containers: [{name: app, image: "GONE"}]
`

// TestImagesAreJoined scans the images that run: a flaw in one makes a path likelier, one that
// cannot be had is a note, and the answer is not complete.
func TestImagesAreJoined(t *testing.T) {
	host := registrytest.Memory(t)
	registrytest.Push(t, host+"/shop/cart:1", map[string]string{"usr/lib/python3/site-packages/flask-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: flask\nVersion: 1.0\n"})
	dir := t.TempDir()
	write(t, dir, "shop.yaml", strings.NewReplacer("CART", host+"/shop/cart:1", "GONE", host+"/shop/gone:2").Replace(shop))
	ask := []string{filepath.Join(dir, "shop.yaml"), "--from", "internet", "--to", "node"}
	joined := append(slices.Clone(ask), "--images", "--plain-http", host, "--db", facts(t))

	before, after := tellPaths(t, ask...), tellPaths(t, joined...)
	if len(before.Paths) == 0 || len(after.Paths) == 0 {
		t.Fatalf("%d paths without images, %d with", len(before.Paths), len(after.Paths))
	}
	if before.Paths[0].Risk >= after.Paths[0].Risk || !slices.ContainsFunc(after.Paths[0].Steps, func(s stepOf) bool { return s.Edge == "EXPLOIT_CVE" }) {
		t.Errorf("risk %d without images, %d with, by %v", before.Paths[0].Risk, after.Paths[0].Risk, after.Paths[0].Steps)
	}
	var told []string
	for _, n := range after.Notes {
		if n.Incomplete && !strings.Contains(n.Text, "end-of-life") {
			told = append(told, n.Path+" "+n.Text)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "shop/gone:2") {
		t.Errorf("what could not be looked at: %q, want the image that is gone alone", told)
	}
	var out, errs bytes.Buffer
	code := cli.Main(append([]string{"paths", "--require-complete", "--cache-dir", t.TempDir()}, joined...), strings.NewReader(""), &out, &errs)
	if code != 4 || !strings.Contains(errs.String(), "shop/gone:2") {
		t.Errorf("exit %d, %s", code, errs.String())
	}

	saved := filepath.Join(dir, "images.json")
	report, _ := run(t, "scan", host+"/shop/cart:1", "--plain-http", host, "--db", joined[len(joined)-1], "-f", "json")
	if err := os.WriteFile(saved, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	byReport := tellPaths(t, append(slices.Clone(ask), "--image-report", saved)...)
	if len(byReport.Paths) == 0 || byReport.Paths[0].Risk != after.Paths[0].Risk {
		t.Errorf("by a report of the image: %+v", byReport.Paths)
	}
}

// TestEntryPoints begins where an incident, a test namespace or a build does.
func TestEntryPoints(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", strings.NewReplacer("CART", "ghcr.io/shop/cart:1", "GONE", "busybox").Replace(shop)+`
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: gitlab-deployer, namespace: ci}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deploys}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [create, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deploys}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deploys}
subjects: [{kind: ServiceAccount, name: gitlab-deployer, namespace: ci}]
---
apiVersion: v1
kind: Pod
metadata: {name: trial, namespace: test}
spec: {containers: [{name: app, image: busybox, securityContext: {privileged: true}}]}
`)
	for _, tt := range []struct {
		name string
		args []string
		from string // of the likeliest path
		edge string // that it takes
	}{
		{"a build that deploys, by default", nil, "identity:CI runner", "POD_CREATE"},
		{"a build that deploys", []string{"--from", "CI runner", "--to", "node"}, "identity:CI runner", "POD_CREATE"},
		{"a build that pushes an image", []string{"--from", "image:ghcr.io/shop/*", "--to", "node"}, "image:ghcr.io/shop/cart:1", "IMAGE_RUN"},
		{"a build that pushes to a registry", []string{"--from", "registry:ghcr.io", "--to", "node"}, "registry:ghcr.io", "IMAGE_PUSH"},
		{"a test namespace", []string{"-n", "test"}, "workload:test/Pod/trial", "CE_PRIV_MOUNT"},
		{"a test namespace by name", []string{"--from", "namespace:test", "--to", "node"}, "workload:test/Pod/trial", "CE_PRIV_MOUNT"},
		{"an account", []string{"--from", "account:ci/gitlab-deployer", "--to", "node"}, "account:ci/gitlab-deployer", "POD_CREATE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tellPaths(t, append([]string{dir}, tt.args...)...)
			if !slices.ContainsFunc(append(p.Paths, p.Cut.Open...), func(p pathOf) bool {
				return p.From == tt.from && slices.ContainsFunc(p.Steps, func(s stepOf) bool { return s.Edge == tt.edge })
			}) {
				t.Errorf("no path from %s by %s: %+v", tt.from, tt.edge, p.Paths)
			}
			if tt.args == nil {
				return
			}
			for _, one := range p.Paths {
				if !strings.Contains(one.From, "test/") && one.From != tt.from {
					t.Errorf("a path begins at %s", one.From)
				}
			}
		})
	}
}

// TestBlastRadius asks what an incident in a container may cost: everything that it leads to,
// and nothing that it does not.
func TestBlastRadius(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "objects.yaml", `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  containers:
  - {name: cart, image: x, envFrom: [{secretRef: {name: db}}]}
  - {name: side, image: x, envFrom: [{secretRef: {name: other}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: far, namespace: bank}}
`)
	p := tellPaths(t, dir, "--from", "container:cart")
	reached := map[string]bool{}
	for _, one := range p.Paths {
		reached[one.To] = true
	}
	if !reached["secret:shop/db"] || reached["secret:shop/other"] || reached["secret:bank/far"] || reached["cluster-admin"] {
		t.Errorf("reached %v", reached)
	}
	text, _ := run(t, "paths", dir, "--from", "container:cart")
	if !strings.Contains(text, "can be reached from container cart of Pod shop/web.") || !strings.Contains(text, "Secret shop/db") {
		t.Errorf("text is\n%s", text)
	}
}

// TestRiskFollowsPaths: findings on likely paths are worth more than they were, those on none
// less, and they say so; twice asked they do not change again.
func TestRiskFollowsPaths(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", strings.NewReplacer("CART", "cart:1", "GONE", "busybox").Replace(shop))
	out, _ := run(t, "scan", dir, "-f", "json", "--hygiene")
	var plain bulwark.Report
	if err := json.Unmarshal([]byte(out), &plain); err != nil {
		t.Fatal(err)
	}
	was := map[string]int{}
	for _, f := range plain.Findings {
		was[f.Key] = f.Risk
	}
	weighed := tellPaths(t, dir).Findings
	raised := 0
	for _, f := range weighed {
		said := strings.Join(f.Evidence, "\n")
		switch {
		case f.Risk > was[f.Key]:
			raised++
			if !strings.Contains(said, "on the attack path ") || !strings.Contains(said, fmt.Sprintf("risk %d instead of %d", f.Risk, was[f.Key])) {
				t.Errorf("%s %s: risk %d, was %d, says %q", f.Rule, f.Subject, f.Risk, was[f.Key], said)
			}
		case f.Risk < was[f.Key] && !strings.Contains(said, "no attack path"):
			t.Errorf("%s %s: risk %d, was %d, says %q", f.Rule, f.Subject, f.Risk, was[f.Key], said)
		}
		if f.Rule == "workload/privileged" && f.Risk <= was[f.Key] {
			t.Errorf("%s: risk %d, was %d", f.Rule, f.Risk, was[f.Key])
		}
	}
	if raised == 0 {
		t.Error("no risk is raised")
	}
	saved, _ := run(t, "paths", dir, "-f", "json")
	file := filepath.Join(dir, "saved.json")
	if err := os.WriteFile(file, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, f := range tellPaths(t, file).Findings {
		if f.Risk != weighed[i].Risk || len(f.Evidence) != len(weighed[i].Evidence) {
			t.Errorf("%s: risk %d when asked anew, %d before", f.Rule, f.Risk, weighed[i].Risk)
		}
	}
}
