//go:build linux

package hostile

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// tricks are words that mean something to what shows an answer.
var tricks = append([]string{
	`"]; evil [label="x`, "\"];\nevil -> n0;\n", `\`, `\"`, "\"\n  evil-->n0\n", "end", "]] evil", "`evil`", "$(evil)", "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!--", `" onmouseover="alert(1)`, "javascript:alert(1)",
	"@SUM(1)", "+1+1", "-1-1", "\t=1", "a,b\"c", "a => b : All Connections", "\n---\nkind: Evil\n", "x: evil", "# evil", "a|b", "#quot;", "%%{init: {}}%%", "</text>", "\u2028", "\u202e",
}, wicked...)

// townOfTricks has workloads, namespaces, ports, policies and services of such names.
func townOfTricks(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	put := func(v any) { b.Write(toJSON(t, v)); b.WriteString("\n---\n") }
	for i, w := range tricks {
		name, space := fmt.Sprint(w, i), fmt.Sprint("bad", w)
		pod := object{"containers": []object{{"name": w, "image": w, "ports": []object{{"containerPort": 80, "name": w}}, "env": []object{{"name": w, "value": "http://s" + w + ":80"}}, "securityContext": object{"privileged": true}}}, "serviceAccountName": w, "nodeName": w}
		meta := object{"name": name, "namespace": space, "labels": object{"app": w}}
		put(object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": object{"selector": object{"matchLabels": object{"app": w}}, "template": object{"metadata": object{"labels": object{"app": w}}, "spec": pod}}})
		put(object{"apiVersion": "x.y/v1", "kind": w, "metadata": meta, "spec": object{"template": object{"spec": pod}}})
		put(object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": space, "labels": object{"l": w}}})
		put(object{"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "s" + w, "namespace": space}, "spec": object{"type": "LoadBalancer", "selector": object{"app": w}, "ports": []object{{"port": 80, "name": w, "targetPort": w}}, "loadBalancerSourceRanges": []string{w}}})
		put(object{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": object{"ingressClassName": w, "rules": []object{{"host": w, "http": object{"paths": []object{{"path": w, "backend": object{"service": object{"name": "s" + w, "port": object{"name": w}}}}}}}}}})
		put(object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"name": w, "namespace": space}, "spec": object{"podSelector": object{"matchLabels": object{w: w}}, "policyTypes": []string{w}, "ingress": []object{{"from": []object{{"ipBlock": object{"cidr": w}}}, "ports": []object{{"port": w, "protocol": w}}}}}})
		put(object{"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": object{"endpointSelector": object{}, "egress": []object{{"toFQDNs": []object{{"matchName": w}}, "toPorts": []object{{"ports": []object{{"port": "80"}}, "rules": object{"http": []object{{"path": w, "method": w}}}}}}, {"toEntities": []string{w}}}, "ingress": []object{{"fromEndpoints": []object{{}}, "toPorts": []object{{"ports": []object{{"port": "80"}}, "rules": object{"http": []object{{"path": w}}}}}}}}})
		put(object{"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": meta, "spec": object{"selector": w, "tier": w}})
		put(object{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": object{"action": w, "rules": []object{{"to": []object{{"operation": object{"paths": []string{w}, "hosts": []string{w}}}}}}}})
		put(object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": object{"name": w}, "rules": []object{{"apiGroups": []string{"*"}, "resources": []string{"*", w}, "verbs": []string{"*", w}, "resourceNames": []string{w}}, {"apiGroups": []string{""}, "resources": []string{"secrets"}, "verbs": []string{"list"}}}})
		put(object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": object{"name": w}, "roleRef": object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": w}, "subjects": []object{{"kind": "ServiceAccount", "name": w, "namespace": space}, {"kind": "User", "name": w}, {"kind": w, "name": w}}})
		put(object{"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": object{w: "x"}})
	}
	return b.String()
}

// TestDrawnNames: no format passes words on that do something to what reads it.
func TestDrawnNames(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.put("src/a.yaml", []byte(townOfTricks(t)))
	r.put("src/zz/shop.yaml", []byte(shop))
	src, allow := r.path("in", "src"), r.put("contract.yaml", []byte(contract))
	sarif := r.put("x.sarif", toJSON(t, object{"runs": []object{{"tool": object{"driver": object{"name": strings.Join(tricks, " "), "rules": []object{}}}, "results": tricky()}}}))
	paths := []string{"paths", src, "--cache-dir", r.path("cache"), "--offline", "--most", "500", "--sarif", sarif + "=*"}
	for _, c := range []struct {
		args    []string
		formats map[string]func(*testing.T, string)
	}{
		{[]string{"network", "list", src, "--all"}, map[string]func(*testing.T, string){"text": plain, "json": jsonText, "csv": cells, "dot": dot, "mermaid": mermaid, "html": page}},
		{[]string{"network", "list", src}, map[string]func(*testing.T, string){"text": plain, "dot": dot, "mermaid": mermaid, "html": page}},
		{[]string{"network", "exposed", src, "--all"}, map[string]func(*testing.T, string){"text": plain, "json": jsonText, "csv": cells}},
		{[]string{"network", "explain", src, "--from", "internet", "--to", "shop/web"}, map[string]func(*testing.T, string){"text": plain, "json": jsonText}},
		{[]string{"network", "diff", r.path("in", "src", "zz"), src}, map[string]func(*testing.T, string){"text": plain, "json": jsonText, "csv": cells, "markdown": plain}},
		{[]string{"network", "generate", src}, map[string]func(*testing.T, string){"yaml": policies}},
		{[]string{"network", "generate", src, "--cilium"}, map[string]func(*testing.T, string){"yaml": policies}},
		{[]string{"network", "generate", src, "--admin"}, map[string]func(*testing.T, string){"yaml": policies}},
		{[]string{"network", "check", src, "--allow", allow}, map[string]func(*testing.T, string){"table": plain, "json": jsonText, "html": page, "sarif": jsonText, "markdown": plain}},
		{paths, map[string]func(*testing.T, string){"text": plain, "json": jsonText, "dot": dot, "mermaid": mermaid, "html": page}},
		{append(paths, "--from", "internet"), map[string]func(*testing.T, string){"text": plain, "html": page, "dot": dot, "mermaid": mermaid}},
	} {
		for format, judge := range c.formats {
			t.Run(strings.Join(c.args[:2], " ")+" "+format, func(t *testing.T) {
				r.t = t
				res := r.run(append(c.args, "-f", format)...)
				if res.code != 0 && !(format == "yaml" && res.code == 1) || len(res.stdout) < 100 {
					t.Errorf("exit code %d: %.1000s", res.code, res.stderr)
				}
				plain(t, res.stderr)
				judge(t, res.stdout)
			})
		}
	}
	r.t = t
}

func tricky() (results []object) {
	for _, w := range tricks {
		results = append(results, object{"ruleId": w, "level": "error", "message": object{"text": w}, "locations": []object{{"physicalLocation": object{"artifactLocation": object{"uri": w}}}}})
	}
	return results
}

// plain: nothing turns the direction of text. What no text may have, every run is
// held to.
func plain(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexAny(text, "\u202e\u2066"); i >= 0 {
		t.Errorf("a mark in the text: %q", text[max(0, i-40):min(len(text), i+40)])
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "::error") {
			t.Errorf("a line that a build takes as its own: %q", line)
		}
	}
}

func jsonText(t *testing.T, text string) {
	t.Helper()
	if !json.Valid([]byte(text)) {
		t.Errorf("no json: %.500q", text)
	}
}

// cells: no cell is a formula.
func cells(t *testing.T, text string) {
	t.Helper()
	read := csv.NewReader(strings.NewReader(text))
	for {
		row, err := read.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("a cell begins as a formula does: %q", cell)
			}
		}
	}
}

var (
	quotedDot     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	plainDot      = regexp.MustCompile(`^[\sa-z_0-9A-Z=\[\]{};,>.-]*$`)
	quotedMermaid = regexp.MustCompile(`"[^"\n]*"`)
	plainMermaid  = regexp.MustCompile(`^[\sa-z_0-9A-Z=\[\]{}();:,>.#|&-]*$`)
	scripts       = regexp.MustCompile(`(?i)<script[^>]*>`)
	handlers      = regexp.MustCompile(`(?i)<[a-z][^<>"]*(?:"[^"]*"[^<>"]*)*\son[a-z]+\s*=`)
)

// dot: outside of quotes is nothing that somebody else has named.
func dot(t *testing.T, text string) {
	t.Helper()
	bare := quotedDot.ReplaceAllString(text, "")
	if !plainDot.MatchString(bare) || strings.Contains(bare, "evil") {
		t.Errorf("what stands outside of quotes: %.2000q", bare)
	}
}

func mermaid(t *testing.T, text string) {
	t.Helper()
	bare := quotedMermaid.ReplaceAllString(text, "")
	if !plainMermaid.MatchString(bare) || strings.Contains(bare, "evil") {
		t.Errorf("what stands outside of quotes: %.2000q", bare)
	}
	for _, word := range quotedMermaid.FindAllString(text, -1) {
		if strings.ContainsAny(word, "<>`") {
			t.Errorf("markup in a label: %.200q", word)
		}
	}
}

// page: nothing of it runs but its own script.
func page(t *testing.T, text string) {
	t.Helper()
	plain(t, text)
	if begun, ended := len(scripts.FindAllString(text, -1)), strings.Count(strings.ToLower(text), "</script"); begun != ended || begun > 3 {
		t.Errorf("%d scripts begin and %d end", begun, ended)
	}
	for _, word := range []string{"<script>alert", "<img", "<!--"} {
		if strings.Contains(text, word) {
			t.Errorf("%q stands in the page", word)
		}
	}
	if h := handlers.FindString(text); h != "" {
		t.Errorf("an element with a handler: %.200q", h)
	}
}

// policies: documents are policies, whatever they are called.
func policies(t *testing.T, text string) {
	t.Helper()
	plain(t, text)
	d, n := yaml.NewDecoder(strings.NewReader(text)), 0
	for {
		var one struct{ Kind string }
		err := d.Decode(&one)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("no YAML: %v", err)
			return
		}
		if n++; one.Kind != "" && !strings.HasSuffix(one.Kind, "NetworkPolicy") {
			t.Errorf("a document of kind %q", one.Kind)
		}
	}
	if n == 0 {
		t.Error("no policies")
	}
}
