//go:build linux

package hostile

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// policy makes a NetworkPolicy of the namespace bad; spec begins in line 5.
func policy(name, spec string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name + ", namespace: bad}\nspec:\n  " + spec + "\n"
}

// client is a pod of the namespace bad.
const client = "apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: bad, labels: {a: b}}\nspec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}\n---\n"

// TestPolicies: policies of the cluster's own kind.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]town{
		"selectors that contradict themselves": {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: NotIn, values: [b]}]}\n---\n") + client}, rules: []string{"network/policy-selects-nothing a.yaml:5"}},
		"labels that contradict expressions":   {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: DoesNotExist}]}\n  ingress:\n  - from: [{podSelector: {matchExpressions: [{key: x, operator: Exists}, {key: x, operator: DoesNotExist}]}}]")}},
		"operators":                            {files: map[string]string{"a.yaml": policy("a", "podSelector:\n    matchExpressions:\n    - {key: b, operator: Exists}\n    - key: a\n      operator: Like\n      values: [b]")}, notes: []string{`a.yaml:9 unknown operator "Like"`}},
		"no operator":                          {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchExpressions: [{key: a}]}")}, notes: []string{`a.yaml:5 unknown operator ""`}},
		"empty lists of values":                {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchExpressions: [{key: a, operator: In, values: []}]}\n---\n") + policy("b", "podSelector: {}\n  ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: a, operator: NotIn}]}}]}]")}, notes: []string{"a.yaml:5 without values", "a.yaml:13 without values"}},
		"values that are not wanted":           {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}")}, notes: []string{"a.yaml:5 with values"}},
		"labels that cannot be":                {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchLabels: {'a b': c, '': d, a: '"+strings.Repeat("x", 10_000)+"'}}")}, notes: []string{"a.yaml:5 no label can have"}},
		"labels of many lines":                 {files: map[string]string{"a.yaml": policy("a", "podSelector:\n    matchExpressions:\n    - key: a\n      operator: In\n      values:\n      - b\n      - 'b c'\n---\n") + policy("b", "podSelector:\n    matchLabels:\n      a: b\n      b: 7")}, notes: []string{`a.yaml:11 no label can have the value "b c"`, `a.yaml:21 the value of "b" is no text`}},
		"labels that are numbers":              {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchLabels: {a: 1, b: true, c: [d]}}")}, notes: []string{"a.yaml:5 is no text"}},
		"CIDRs": {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {}\n  ingress:\n  - from:\n"+list("    - ipBlock: {cidr: %s}\n", `10.0.0.0/33`, `"::1/200"`, `"::ffff:10.0.0.0/96"`, `"::ffff:10.0.0.0/104"`, `10.0.0.0`, `""`, `x`, `7`, `null`, `[]`, `{}`, `10.0.0/8`, `0x0a.0.0.0/8`, `010.0.0.0/8`, `"fe80::1%eth0/64"`, `10.0.0.0/-1`, `"10.0.0.0/ 8"`, `10.0.0.0/08`))},
			notes: []string{`a.yaml:13 "10.0.0.0/33"`, `a.yaml:14 "::1/200"`, `a.yaml:17 "10.0.0.0"`, `a.yaml:18 invalid CIDR ""`, `a.yaml:28`, `a.yaml:29 "10.0.0.0/ 8"`}},
		"exceptions":                  {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {}\n  egress:\n  - to:\n"+list("    - ipBlock: {cidr: 10.0.0.0/8, except: [%s]}\n", `11.0.0.0/8`, `10.0.0.0/8`, `0.0.0.0/0`, `"::/0"`, `x`, `10.0.0.1`, `null`, `{}`))}, notes: []string{"a.yaml:13 11.0.0.0/8 is no part of 10.0.0.0/8", "a.yaml:14 no part", "a.yaml:15 no part", "a.yaml:16 no part", "a.yaml:17 invalid CIDR"}},
		"ports":                       {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {}\n  ingress:\n  - ports:\n"+list("    - %s\n", `{port: 0}`, `{port: 70000}`, `{port: 90, endPort: 80}`, `{port: http, endPort: 90}`, `{port: -1}`, `{port: 1.5}`, `{port: "80"}`, `{port: 99999999999999999999}`, `{endPort: 5}`, `{port: 80, protocol: ICMP}`, `{port: 80, protocol: tcp}`, `{port: [80]}`, `{port: {}}`, `80`, `null`, `{port: "`+strings.Repeat("x", 16)+`"}`, `{port: 80, endPort: x}`, `{port: 80, endPort: 99999999999999999999}`, `{port: 1e2}`))}, notes: []string{"a.yaml:13 invalid ports 0-0", "a.yaml:14 invalid ports 70000-70000", "a.yaml:15 invalid ports 90-80", "a.yaml:16 endPort", "a.yaml:17 invalid ports -1--1", "a.yaml:18 invalid port \"1.5\"", "a.yaml:19 invalid port \"80\"", "a.yaml:20 invalid port", "a.yaml:21 endPort", "a.yaml:22 unknown protocol \"ICMP\"", "a.yaml:23 unknown protocol", "a.yaml:24 invalid port"}},
		"ports of many lines":         {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {}\n  ingress:\n  - ports:\n    - port: 90\n      endPort: 80\n    - endPort: 80\n      port: 0\n    - port: 80\n      protocol: X")}, notes: []string{"a.yaml:14 invalid ports 90-80", "a.yaml:16 invalid ports 0-80", `a.yaml:18 unknown protocol "X"`}},
		"everything a thousand times": {files: map[string]string{"a.yaml": client + policy("a", "podSelector: {}\n  ingress:\n  - from:\n"+strings.Repeat("    - ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}\n    - ipBlock: {cidr: '::/0'}\n", 5000))}},
		"a million values":            {make: counted("a.yaml", policy("a", "podSelector:\n    matchExpressions:\n    - key: a\n      operator: In\n      values:"), 1_000_000, "      - v%d\n"), notes: []string{"a.yaml:1 limit exceeded"}},
		"300,000 values":              {make: counted("a.yaml", client+policy("a", "podSelector:\n    matchExpressions:\n    - key: a\n      operator: NotIn\n      values:"), 300_000, "      - v%d\n")},
		"100,000 policies":            {large: true, most: 2 * maxRSS, make: counted("a.yaml", "", 100_000, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%[1]d, namespace: bad}\nspec: {podSelector: {matchLabels: {a: v%[1]d}}, ingress: [{from: [{podSelector: {matchLabels: {b: v%[1]d}}}]}]}\n")},
		"30 policies of 10,000 blocks": {large: true, most: 2 * maxRSS, make: func(r *room) {
			r.spill("src/a.yaml", func(out io.Writer) {
				fmt.Fprint(out, client)
				for p := range 30 {
					fmt.Fprintf(out, "---\n%s", policy(fmt.Sprint("p", p), "podSelector: {}\n  ingress:\n  - from:"))
					for i := range 10_000 {
						n := p*10_000 + i
						fmt.Fprintf(out, "    - ipBlock: {cidr: %d.%d.%d.%d/31}\n", 10+n>>22, n>>14&255, n>>6&255, n<<2&255)
					}
				}
			})
		}},
		"12,000 policies of 5 mistakes": {large: true, most: 2 * maxRSS, make: counted("a.yaml", "", 12_000, "---\n"+policy("p%d", "podSelector: {}\n  ingress: [{from: ["+strings.Repeat("{ipBlock: {cidr: x}},", 5)+"]}]")), notes: []string{"a.yaml:7 invalid CIDR"}},
		"ports of all numbers":          {make: counted("a.yaml", client+policy("a", "podSelector: {}\n  ingress:\n  - ports:"), 30_000, "    - {port: %[1]d1, protocol: TCP}\n"), notes: []string{"a.yaml:6568 invalid ports"}},
		"20,000 rules":                  {make: counted("a.yaml", client+policy("a", "podSelector: {}\n  ingress:"), 20_000, "  - {from: [{podSelector: {matchLabels: {a: v%[1]d}}}], ports: [{port: %[1]d}]}\n"), notes: []string{"a.yaml:12 invalid ports 0-0"}},
		"20,000 namespaces":             {large: true, most: 2 * maxRSS, make: counted("a.yaml", "", 20_000, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n%[1]d, labels: {a: v%[1]d}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: n%[1]d}\nspec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {a: v%[1]d}}}]}]}\n")},
		"namespaces that are not":       {files: map[string]string{"a.yaml": strings.ReplaceAll(policy("a", "podSelector: {}\n  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: nowhere}}}]}]"), "bad", "none")}},
		"deep labels":                   {files: map[string]string{"a.yaml": policy("a", "podSelector: {matchLabels: "+strings.Repeat("{a: ", 200)+"b"+strings.Repeat("}", 200)+"}")}, notes: []string{"a.yaml:1 nested deeper than 200: limit exceeded"}},
		"very deep labels":              {files: map[string]string{"a.json": `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"bad"},"spec":{"podSelector":{"matchLabels":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) + "}}}"}, notes: []string{"a.json:1 exceeded max depth"}},
		"types":                         {files: map[string]string{"a.yaml": policy("a", "podSelector: {}\n  policyTypes: [Both, 7, null, [Ingress], {}]\n  ingress: x\n  egress: {a: b}")}, notes: []string{`a.yaml:6 unknown policy type "Both"`}},
		"no spec":                       {files: map[string]string{"a.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: bad}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: 7\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: [a]\nspec: [7]\n---\napiVersion: networking.k8s.io/v99\nkind: NetworkPolicy\nmetadata: {name: x, namespace: bad}\nspec: {}\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.try(t)
		})
	}
}

// list writes lines, one for each value.
func list(format string, values ...string) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, format, v)
	}
	return b.String()
}
