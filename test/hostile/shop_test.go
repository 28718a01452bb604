//go:build linux

package hostile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// shop lies beside everything that is bad: web may call db on port 5432 and nobody else may,
// a load balancer leads to web, and web is privileged.
const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: example.com/web:1
        env: [{name: DB, value: "db:5432"}]
        ports: [{containerPort: 8080, name: http}]
        securityContext: {privileged: true}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: example.com/db:1, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
`

// contract is what is meant to be in the shop.
const contract = `flows:
- {from: shop/web, to: shop/db, ports: 5432}
- {from: any, to: shop/web, optional: true}
- {from: [shop/web, "bad/*", "*/*"], to: any, optional: true}
`

const web, db = "shop/web[Deployment]", "shop/db[Deployment]"

// town is the shop and what is bad beside it.
type town struct {
	files map[string]string
	make  func(*room)
	// notes are what every command that reads policies says: "file:line words" of a line, each.
	notes []string
	rules []string // findings of a scan: "rule file:line words"
	most  int64    // KB of memory; 0: maxRSS
	large bool     // not every command is asked
	open  bool     // policies of the cluster change the shop, too
}

// try asks every command about the town. Each has an answer for the shop.
func (w town) try(t *testing.T) {
	t.Helper()
	r := newRoom(t)
	r.most = cmp.Or(w.most, maxRSS)
	for name, text := range w.files {
		r.put("src/"+name, []byte(text))
	}
	if w.make != nil {
		w.make(r)
	}
	r.put("src/zz/shop.yaml", []byte(shop))
	allow := r.put("contract.yaml", []byte(contract))
	src := r.path("in", "src")
	asks := map[string]func() *result{
		"list":     func() *result { return r.listed(w.open, src) },
		"explain":  func() *result { return r.explained(w.open, src) },
		"exposed":  func() *result { return r.exposed(w.open, src) },
		"generate": func() *result { return r.generated(w.open, src) },
		"diff":     func() *result { return r.compared(src) },
		"check":    func() *result { return r.allowed(w.open, src, allow) },
		"paths":    func() *result { return r.trodden(src) },
	}
	if w.large {
		maps.DeleteFunc(asks, func(name string, _ func() *result) bool { return name != "exposed" && name != "paths" })
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			r.t = t
			res := ask()
			for _, note := range w.notes {
				if !res.says(note) {
					t.Errorf("%s: no note %q:\n%.3000s", name, note, res.stderr)
				}
			}
			if len(res.stderr) > 1<<20 {
				t.Errorf("%s: %d bytes of notes:\n%.3000s", name, len(res.stderr), res.stderr)
			}
		})
	}
	t.Run("scan", func(t *testing.T) {
		r.t = t
		res := r.only("misconfig,exposure", "--paths", "--hygiene", "dir:"+src)
		if !about(res, "workload/privileged", "shop/Deployment/web") {
			t.Errorf("the shop is not looked at: %d findings, notes %.1000v", len(res.report.Findings), res.report.Notes)
		}
		for _, rule := range w.rules {
			if !tells(res, rule) {
				t.Errorf("no finding %q among%s", rule, res.findings())
			}
		}
	})
}

// findings are those that are about what is bad.
func (res *result) findings() string {
	var b strings.Builder
	for _, f := range res.report.Findings {
		if b.Len() < 4000 && !strings.HasPrefix(f.Path, "zz/") {
			fmt.Fprintf(&b, "\n%s %s:%d %s", f.Rule, f.Path, f.Line, strings.Join(f.Evidence[:min(3, len(f.Evidence))], "; "))
		}
	}
	return b.String()
}

// says tells whether a line, of what it notes or of the notes of its answer, names a place and has
// words: "file:line words".
func (res *result) says(what string) bool {
	place, words, _ := strings.Cut(what, " ")
	for line := range strings.Lines(res.stderr + "\n" + res.stdout) {
		if strings.Contains(line, place+":") && strings.Contains(strings.ReplaceAll(line, `\"`, `"`), words) {
			return true
		}
	}
	return false
}

// answer runs a command that has to succeed, and reads its json.
func (r *room) answer(to any, args ...string) *result {
	r.t.Helper()
	res := r.run(append(args, "-f", "json", "--offline")...)
	if res.code != 0 {
		r.t.Fatalf("%q: exit code %d\n%.2000s", args[:2], res.code, res.stderr)
	}
	if err := json.Unmarshal([]byte(res.stdout), to); err != nil {
		r.t.Fatalf("%q: %v\n%.500s", args[:2], err, res.stdout)
	}
	return res
}

type connection struct{ Src, Dst, Conn string }

// listed asks for all connections: db is reached by web alone.
func (r *room) listed(open bool, src string) *result {
	r.t.Helper()
	var list []connection
	res := r.answer(&list, "network", "list", src)
	want := connection{web, db, "TCP 5432"}
	if !slices.Contains(list, want) && !open {
		r.t.Errorf("list: no %v among %d", want, len(list))
	}
	for _, c := range list {
		if !open && c != want && (c.Dst == db || c.Src == db) {
			r.t.Errorf("list: %v", c)
		}
	}
	return res
}

func (r *room) explained(open bool, src string) *result {
	r.t.Helper()
	var list []struct {
		Conn    string
		Allowed bool
	}
	res := r.answer(&list, "network", "explain", src, "--from", "shop/web", "--to", "shop/db", "--port", "5432")
	if !open && (len(list) != 1 || !list[0].Allowed) {
		r.t.Errorf("explain: %.1000s", res.stdout)
	}
	return res
}

func (r *room) exposed(open bool, src string) *result {
	r.t.Helper()
	var list []struct{ Dst, By, Conn string }
	res := r.answer(&list, "network", "exposed", src)
	if !open && !slices.Contains(list, struct{ Dst, By, Conn string }{web, "load balancer", "TCP 8080"}) {
		r.t.Errorf("exposed: %d ways: %.1000s", len(list), res.stdout)
	}
	return res
}

// generated asks for policies: db takes 5432 of web.
func (r *room) generated(open bool, src string) *result {
	r.t.Helper()
	res := r.run("network", "generate", src, "--offline")
	shut := strings.Contains(res.stderr, "note: not open: ") // by policies that are there
	if open && shut {
		return res
	}
	if res.code != 0 && !shut || !strings.Contains(res.stdout, "port: 5432") || strings.Contains(res.stderr, "not open: ingress of shop/") || strings.Contains(res.stderr, "not open: egress of shop/") {
		r.t.Errorf("generate: exit code %d\n%s", res.code, res.stderr[max(0, len(res.stderr)-1500):])
	}
	return res
}

func (r *room) compared(src string) *result {
	r.t.Helper()
	var d struct{ Added, Removed, Changed []connection }
	res := r.answer(&d, "network", "diff", src, src)
	if len(d.Added)+len(d.Removed)+len(d.Changed) > 0 {
		r.t.Errorf("diff of the same: %.1000s", res.stdout)
	}
	return res
}

// allowed holds the town against the contract, which the shop keeps.
func (r *room) allowed(open bool, src, contract string) *result {
	r.t.Helper()
	res := r.answer(&bulwark.Report{}, "network", "check", src, "--allow", contract)
	check(r.t, json.Unmarshal([]byte(res.stdout), &res.report))
	for _, f := range res.report.Findings {
		if strings.Contains(f.Subject, "shop/") && !open {
			r.t.Errorf("check: %s: %s %q", f.Rule, f.Subject, f.Evidence)
		}
	}
	return res
}

// trodden asks for attack paths: web is a way to the node.
func (r *room) trodden(src string) *result {
	r.t.Helper()
	var p struct{ Paths []struct{ From, To string } }
	res := r.answer(&p, "paths", src, "--cache-dir", r.path("cache"))
	if !slices.ContainsFunc(p.Paths, func(p struct{ From, To string }) bool {
		return p.To == "node:*" && (p.From == "workload:shop/Deployment/web" || p.From == "internet")
	}) {
		r.t.Errorf("paths: no way from web to the node, %d paths", len(p.Paths))
	}
	return res
}
