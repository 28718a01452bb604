//go:build linux

package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

const rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: "

// owned makes a ReplicaSet that another one owns.
func owned(name, owner string) string {
	return fmt.Sprintf("---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: %[1]s, namespace: bad, uid: u-%[1]s, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: %[2]s, uid: u-%[2]s, controller: true}]}\n"+
		"spec: {selector: {matchLabels: {a: %[1]s}}, template: {metadata: {labels: {a: %[1]s}}, spec: {containers: [{name: c, image: i}]}}}\n", name, owner)
}

// TestRights: owners, roles and what they name that is not there.
func TestRights(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]town{
		"its own owner":           {files: map[string]string{"a.yaml": owned("a", "a") + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: bad, uid: p, ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: p, controller: true}]}\nspec: {hostPID: true, containers: [{name: c, image: i}]}\n"}, rules: []string{"workload/host-pid a.yaml:10"}},
		"each other's owner":      {files: map[string]string{"a.yaml": owned("a", "b") + owned("b", "a")}},
		"a ring of 3,000":         {most: 2 * maxRSS, large: true, make: func(r *room) { r.put("src/a.yaml", []byte(numberedPairs(3000, owned))) }},
		"a long row of pods":      {large: true, most: 2 * maxRSS, make: counted("a.yaml", "", 3000, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%[1]d, namespace: bad, ownerReferences: [{apiVersion: v1, kind: Pod, name: p%[1]d0, uid: x, controller: true}]}\nspec: {containers: [{name: c, image: i}]}\n")},
		"a role of 100,000 rules": {make: counted("a.yaml", rbac+"ClusterRole\nmetadata: {name: a}\nrules:\n", 100_000, "- {apiGroups: [''], resources: [r%d], verbs: [get]}\n"), notes: []string{"a.yaml:1 limit exceeded"}, rules: []string{"manifest/broken a.yaml:1"}},
		"a role of 35,000 rules": {make: func(r *room) {
			counted("a.yaml", bound("big", "s")+rbac+"ClusterRole\nmetadata: {name: big}\nrules:\n- {apiGroups: ['*'], resources: [secrets], verbs: ['*']}\n", 35_000, "- {apiGroups: [''], resources: [r%d], verbs: [get]}\n")(r)
		}, rules: []string{"rbac/secrets-read a.yaml"}},
		"names of a rule": {make: counted("a.yaml", bound("big", "s")+rbac+"ClusterRole\nmetadata: {name: big}\nrules:\n- apiGroups: ['']\n  resources: [secrets]\n  verbs: [get]\n  resourceNames:\n", 200_000, "  - n%d\n")},
		"100 roles of 1,000 rules": {large: true, most: 2 * maxRSS, make: func(r *room) {
			r.spill("src/a.yaml", func(w io.Writer) {
				for i := range 100 {
					fmt.Fprint(w, bound(fmt.Sprint("big", i), fmt.Sprint("s", i)), rbac, "ClusterRole\nmetadata: {name: big", i, "}\nrules:\n", strings.Repeat("- {apiGroups: ['', apps], resources: [pods, secrets, pods/exec], verbs: [create, get, list]}\n", 1000), "---\n")
				}
			})
		}},
		"roles that aggregate each other": {files: map[string]string{"a.yaml": aggregating("a", "x", "y") + aggregating("b", "y", "x") + aggregating("c", "z", "z") + bound("a", "s")}},
		"a ring of 2,000 aggregations": {large: true, most: 2 * maxRSS, make: func(r *room) {
			r.put("src/a.yaml", []byte(numberedPairs(2000, func(a, b string) string { return aggregating(a, a, b) })))
		}},
		"a subject of 3,000 bindings":      {large: true, most: 2 * maxRSS, make: counted("a.yaml", rbac+"ClusterRole\nmetadata: {name: r}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n", 3_000, "---\n"+rbac+"RoleBinding\nmetadata: {name: b%[1]d, namespace: n%[1]d}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects: [{kind: ServiceAccount, name: s, namespace: bad}]\n")},
		"20,000 subjects of a binding":     {large: true, make: counted("a.yaml", rbac+"ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects:\n", 20_000, "- {kind: ServiceAccount, name: s%d, namespace: bad}\n")},
		"bindings to nothing":              {files: map[string]string{"a.yaml": bound("none", "s") + rbac + "RoleBinding\nmetadata: {name: b, namespace: bad}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: none}\nsubjects: [{kind: ServiceAccount, name: none}]\n---\n" + rbac + "RoleBinding\nmetadata: {name: c, namespace: bad}\nroleRef: {kind: Pod, name: x}\nsubjects: x\n---\n" + rbac + "RoleBinding\nmetadata: {name: d, namespace: bad}\nroleRef: []\n---\n" + rbac + "ClusterRoleBinding\nmetadata: {name: e}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: none}\nsubjects: [{}, null, 7, {kind: Ghost, name: x}]\n"}, rules: []string{"rbac/invalid-binding a.yaml:16", "rbac/invalid-binding a.yaml:27", "rbac/dangling-binding a.yaml:19"}},
		"pods that name what is not there": {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: bad}\nspec:\n  serviceAccountName: none\n  nodeName: none\n  runtimeClassName: none\n  priorityClassName: none\n  imagePullSecrets: [{name: none}]\n  containers: [{name: c, image: i, envFrom: [{secretRef: {name: none}}, {configMapRef: {name: none}}], volumeMounts: [{name: none, mountPath: /x}]}]\n  volumes: [{name: v, persistentVolumeClaim: {claimName: none}}, {name: w, secret: {secretName: none}}]\n"}},
		"services of nobody":               {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: bad}\nspec: {type: LoadBalancer, selector: {a: none}, ports: [{port: 80, targetPort: none}]}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: bad}\nspec: {ingressClassName: none, rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: none, port: {number: 80}}}}]}}]}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: bad}\nspec: {parentRefs: [{name: none}], rules: [{backendRefs: [{name: none, port: 80}]}]}\n"}},
		"claims in a ring":                 {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: bad}\nspec: {volumeName: v}\n---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {claimRef: {name: c, namespace: bad}, hostPath: {path: /}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: bad}\nspec: {containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}\n"}},
		"5,000 volumes of 5,000 mounts":    {large: true, make: counted("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: bad}\nspec:\n  containers: [{name: c, image: i}]\n  volumes:\n", 30_000, "  - {name: v%[1]d, hostPath: {path: /v%[1]d}}\n")},
		"30,000 secrets of a pod":          {large: true, make: counted("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: bad}\nspec:\n  containers:\n  - name: c\n    image: i\n    envFrom:\n", 30_000, "    - {secretRef: {name: s%d}}\n")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.try(t)
		})
	}
}

// bound binds a service account of the namespace bad to a ClusterRole.
func bound(role, account string) string {
	return rbac + "ClusterRoleBinding\nmetadata: {name: " + role + "}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + role + "}\nsubjects: [{kind: ServiceAccount, name: " + account + ", namespace: bad}]\n---\n"
}

// aggregating is a ClusterRole with a label that takes what roles of another label have.
func aggregating(name, label, others string) string {
	return rbac + "ClusterRole\nmetadata: {name: " + name + ", labels: {l: " + label + "}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {l: " + others + "}}]}\nrules: []\n---\n"
}

// numberedPairs makes a ring: each has the next, and the last the first.
func numberedPairs(n int, one func(a, b string) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(one(fmt.Sprint("n", i), fmt.Sprint("n", (i+1)%n)))
	}
	return b.String()
}

// saved is a report of paths that a run wrote.
func saved(t *testing.T, r *room) map[string]any {
	t.Helper()
	var report map[string]any
	r.answer(&report, "paths", r.put("shop.yaml", []byte(shop)), "--cache-dir", r.path("cache"))
	return report
}

// TestSavedPaths: reports that were saved and have become something else.
func TestSavedPaths(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(report map[string]any) any
		code  int
		words string // on stderr
	}{
		"as it was":                {spoil: func(r map[string]any) any { return r }},
		"relations of wrong types": {code: 1, words: "malformed", spoil: func(r map[string]any) any { r["relations"] = []any{7, "x", nil}; return r }},
		"relations as an object":   {code: 1, words: "malformed", spoil: func(r map[string]any) any { r["relations"] = map[string]any{"a": "b"}; return r }},
		"relations of nobody": {spoil: func(r map[string]any) any {
			r["relations"] = append(listIn(r, "relations"), map[string]any{}, map[string]any{"from": "", "to": "node:x", "type": ""})
			return r
		}},
		"loops": {spoil: func(r map[string]any) any {
			r["relations"] = append(listIn(r, "relations"), related("workload:shop/Deployment/web", "workload:shop/Deployment/web", 1), related("node:*", "workload:shop/Deployment/web", 1), related("a", "b", 1), related("b", "a", 1))
			return r
		}},
		"likelihoods": {spoil: func(r map[string]any) any {
			for _, l := range []float64{-1, 2, 1e308, -1e308, 0, 5e-324} {
				r["relations"] = append(listIn(r, "relations"), related("internet", fmt.Sprint("node:", l), l), related("workload:shop/Deployment/web", fmt.Sprint("node:", l), l))
			}
			return r
		}},
		"likelihoods of no size": {code: 1, words: "malformed", spoil: func(r map[string]any) any {
			r["relations"] = append(listIn(r, "relations"), map[string]any{"from": "internet", "to": "node:x", "type": "X", "likelihood": wrong("1e999")})
			return r
		}},
		"remedies that are not there": {spoil: func(r map[string]any) any {
			r["relations"] = append(listIn(r, "relations"), map[string]any{"from": "internet", "to": "node:x", "type": "X", "likelihood": 1, "because": []string{"none"}, "remedies": []string{"none", "none", ""}})
			return r
		}},
		"remedies twice": {spoil: func(r map[string]any) any {
			r["remedies"] = append(listIn(r, "remedies"), listIn(r, "remedies")...)
			return r
		}},
		"10,000 vertices all in one row": {spoil: func(r map[string]any) any {
			all := listIn(r, "relations")
			for i := range 10_000 {
				all = append(all, related(fmt.Sprint("container:x/", i), fmt.Sprint("container:x/", i+1), 0.99))
			}
			r["relations"] = append(all, related("internet", "container:x/0", 1), related("container:x/10000", "node:*", 1))
			return r
		}},
		"600 that reach each other": {spoil: func(r map[string]any) any {
			all := listIn(r, "relations")
			for i := range 600 {
				for j := range 600 {
					all = append(all, related(fmt.Sprint("workload:x/Pod/", i), fmt.Sprint("workload:x/Pod/", j), 0.5))
				}
			}
			r["relations"] = append(all, related("workload:x/Pod/9", "node:*", 1))
			return r
		}},
		"a hard set": {spoil: func(r map[string]any) any {
			all, dice := listIn(r, "relations"), uint32(7)
			var remedies []any
			for i := range 120 {
				remedies = append(remedies, map[string]any{"id": fmt.Sprint("r", i), "text": fmt.Sprint("change ", i)})
			}
			for i := range 900 {
				one := related("internet", fmt.Sprint("node:", i), 1)
				var ids []string
				for range 5 {
					dice = dice*1664525 + 1013904223
					ids = append(ids, fmt.Sprint("r", dice>>16%120))
				}
				one["remedies"] = ids
				all = append(all, one)
			}
			r["relations"], r["remedies"] = all, remedies
			return r
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			report := saved(t, r)
			delete(report, "schema") // goes first
			b, err := json.Marshal(c.spoil(report))
			check(t, err)
			file := r.put("saved.json", append([]byte(`{"schema":"bulwark/report/v1",`), b[1:]...))
			for _, more := range [][]string{{"-f", "json"}, {"-f", "text"}, {"-f", "html"}, {"--from", "internet", "--to", "node", "--most", "20"}, {"--from", "internet"}} {
				res := r.run(append([]string{"paths", file, "--cache-dir", r.path("cache"), "--offline"}, more...)...)
				if res.code != c.code || !strings.Contains(res.stderr, c.words) {
					t.Errorf("%q: exit code %d, want %d: %.1000s", more, res.code, c.code, res.stderr)
				}
				if c.code == 0 && !slices.Contains(more, "--from") && !strings.Contains(res.stdout, "shop/Deployment/web") && !strings.Contains(res.stdout, "Deployment shop/web") {
					t.Errorf("%q: the shop is not in the answer: %.1000s", more, res.stdout)
				}
			}
		})
	}
}

func listIn(r map[string]any, name string) []any {
	l, _ := r[name].([]any)
	return slices.Clip(l)
}

func related(from, to string, likelihood float64) map[string]any {
	return map[string]any{"from": from, "to": to, "type": "X", "likelihood": likelihood, "because": []string{}}
}

// TestJoined: files that paths and check take beside their target, and cannot use.
func TestJoined(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 200_000)
	for name, c := range map[string]struct {
		flag, text string
		code       int
		words      string
	}{
		"a report of images of no json":  {"--image-report", "{", 2, "malformed"},
		"a report of images of an array": {"--image-report", "[]", 2, "malformed"},
		"deep reports":                   {"--image-report", deep, 2, "malformed"},
		"another schema":                 {"--image-report", `{"schema":"bulwark/report/v99"}`, 2, "schema"},
		"SARIF of no json":               {"--sarif", "x", 2, "malformed"},
		"SARIF of nothing":               {"--sarif", "{}", 2, "no runs"},
		"deep SARIF":                     {"--sarif", `{"runs":` + deep, 2, "malformed"},
		"SARIF of wrong types":           {"--sarif", `{"runs":[{"results":[{"ruleId":7}]}]}`, 2, "malformed"},
		"SARIF of nulls":                 {"--sarif", `{"runs":[null,{"results":[null,{"locations":[null],"ruleIndex":-7},{"ruleIndex":99999999,"level":"x","message":{"text":"\u001b[31m\u0000</script><script>alert(1)"}}],"tool":{"driver":{"rules":[null,{"properties":{"security-severity":"NaN"}}]}}}]}`, 0, ""},
		"too many results":               {"--sarif", `{"runs":[{"results":[` + strings.Repeat("{},", 150_000) + `{}]}]}`, 2, "limit exceeded"},
		"a contract of no YAML":          {"--allow", "flows: [", 2, "line"},
		"a contract of other keys":       {"--allow", "flow: []\n", 2, "bad:1: unknown field"},
		"a contract of wrong types":      {"--allow", "flows:\n- {from: 7, to: [], ports: {}}\n", 2, "bad:2: "},
		"a contract of bad ends":         {"--allow", "flows:\n- from: shop/web\n  to: 10.0.0.0/33\n", 2, "bad:3: "},
		"a contract of bad ports":        {"--allow", "flows:\n- from: shop/web\n  to: shop/db\n  ports: [70000]\n", 2, "bad:4: "},
		"a contract that is a bomb":      {"--allow", bomb(12, "flows: *x%d\n"), 2, ""},
		"a contract of itself":           {"--allow", "flows: &a\n- *a\n", 2, ""},
		"100,000 flows":                  {"--allow", "flows:\n" + strings.Repeat("- {from: '*/*', to: '*/*', ports: 80}\n", 100_000), 2, "limit exceeded"},
		"5,000 flows of globs":           {"--allow", "flows:\n" + strings.Repeat("- {from: '*a*a*a*a*/*b*b*b*', to: '"+strings.Repeat("*", 200)+"/x', optional: true}\n", 5000), 0, ""},
		"flows of nobody":                {"--allow", "flows:\n- {from: no/body, to: shop/db, ports: 80}\n", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			src, file := r.put("shop.yaml", []byte(shop)), r.put("bad", []byte(c.text))
			args := []string{"paths", src, "--cache-dir", r.path("cache"), "--offline", c.flag, file, "-f", "html"}
			if c.flag == "--allow" {
				args = []string{"network", "check", src, "--offline", c.flag, file}
			}
			res := r.run(args...)
			if res.code != c.code || !strings.Contains(res.stderr, c.words) {
				t.Errorf("exit code %d, want %d and %q: %.1000s", res.code, c.code, c.words, res.stderr)
			}
			if c.code == 0 && !strings.Contains(res.stdout, "web") {
				t.Errorf("the rest is not answered: %.1000s", res.stdout)
			}
		})
	}
}

// TestNetworkOfNothing: targets that are none, and answers that were saved and are none.
func TestNetworkOfNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	src := r.put("shop.yaml", []byte(shop))
	empty := r.path("in", "empty")
	check(t, os.MkdirAll(empty, 0o755))
	check(t, mkfifo(r.path("in", "pipe.json")))
	answer := r.put("answer.json", []byte(`[{"src":"a","dst":"b","conn":"TCP 99999-1"},{"src":7}]`))
	big := r.put("big.json", []byte(`[{"src":"`+strings.Repeat("x", 20<<20)+`","dst":"b","conn":"`+strings.Repeat("TCP 80,", 100_000)+`"}]`))
	snapshot := r.put("bad.snap", append([]byte{0x28, 0xb5, 0x2f, 0xfd}, 1, 2, 3))
	for _, c := range []struct {
		code  int
		words string
		args  []string
	}{
		{1, "no such file", []string{"list", "/none"}},
		{0, "there are no workloads", []string{"list", empty}},
		{1, "snapshot", []string{"list", "snapshot:" + snapshot}},
		{1, "no workload is called", []string{"explain", src, "--from", "\x1b[31m", "--to", "shop/db"}},
		{2, "--port", []string{"explain", src, "--from", "shop/web", "--to", "shop/db", "--port", "99999"}},
		{1, "no workload is called", []string{"explain", src, "--from", "10.0.0.0/33", "--to", "shop/db"}},
		{1, "answer.json", []string{"diff", answer, src}},
		{1, "big.json", []string{"diff", src, big}},
		{1, "no workload is called", []string{"list", src, "--focus", "none"}},
		{0, "no workload is in", []string{"list", src, "-n", "none"}},
	} {
		res := r.run(append([]string{"network"}, c.args...)...)
		if res.code != c.code || !strings.Contains(res.stderr, c.words) {
			t.Errorf("%.200q: exit code %d, want %d and %q: %.1000s", c.args, res.code, c.code, c.words, res.stderr)
		}
	}
}
