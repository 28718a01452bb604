//go:build linux

package hostile

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// vap is a policy about pods; more is the rest of its spec.
func vap(name, more string) string {
	return "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: " + name + "}\nspec:\n" +
		"  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n" + more + "\n"
}

// rules is a policy of one expression.
func rules(name, expression string) string {
	return vap(name, fmt.Sprintf("  validations: [{expression: %q}]", expression))
}

// TestBadPolicies: each bad policy lies beside one that is violated. What cannot be taken is
// told by file; what costs too much is a finding, as the cluster would refuse the object; the
// good policy and all checks are asked all the same.
func TestBadPolicies(t *testing.T) {
	t.Parallel()
	const lists = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30]"
	nested := func(n int) string {
		s := "true"
		for i := range n {
			s = fmt.Sprintf("%s.all(x%d, %s)", lists, i, s)
		}
		return s
	}
	doubled := func(n int, s, op string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "  variables:\n  - {name: v0, expression: %q}\n", s)
		for i := range n {
			fmt.Fprintf(&b, "  - {name: v%d, expression: %q}\n", i+1, fmt.Sprintf(op, i, i))
		}
		fmt.Fprintf(&b, "  validations: [{expression: 'size(variables.v%d)  == 1'}]", n)
		return b.String()
	}
	const note, finding = true, false
	for name, p := range map[string]struct {
		text string
		told bool // by a note: it cannot be taken; else it is, and is violated or fails
		more string
	}{
		"loops in loops":       {rules("bad", nested(8)+" && false"), finding, ""},
		"loops over objects":   {rules("bad", "object.metadata.annotations.all(a, object.metadata.annotations.all(b, object.metadata.annotations.all(c, object.metadata.annotations.all(d, a+b+c+d != ''))))"), finding, ""},
		"maps in maps":         {rules("bad", "size("+lists+".map(a, "+lists+".map(b, "+lists+".map(c, "+lists+".map(d, "+lists+".map(e, "+lists+".map(f, [a,b,c,d,e,f]))))))) == 0"), finding, ""},
		"texts doubled":        {vap("bad", doubled(60, "'xxxxxxxxxxxxxxxx'", "variables.v%d + variables.v%d")), finding, ""},
		"lists in lists":       {vap("bad", doubled(60, "[[1]]", "[variables.v%d, variables.v%d]")), finding, ""},
		"wide formats":         {rules("bad", "size('%.999999999f %.999999999e'.format([1.0, 1.0])) == 0"), finding, ""},
		"regex of the object":  {rules("bad", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches(object.metadata.annotations.regex)"), finding, ""},
		"broken regex":         {rules("bad", "object.metadata.name.matches('(')"), note, ""},
		"deep parentheses":     {rules("bad", strings.Repeat("(", 20_000)+"true"+strings.Repeat(")", 20_000)), note, ""},
		"deep lists":           {rules("bad", "size("+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+") == 0"), note, ""},
		"deep calls":           {rules("bad", "object"+strings.Repeat(".a", 30_000)+" == 1"), note, ""},
		"a long expression":    {rules("bad", "true"+strings.Repeat(" && true", 8000)+" && false"), finding, ""},
		"an endless one":       {rules("bad", strings.Repeat("true || ", 100_000)+"true"), note, ""},
		"ternaries":            {rules("bad", strings.Repeat("true ? true : ", 4500)+"true"), note, ""},
		"many errors":          {rules("bad", strings.Repeat("nothing + ", 6000)+"1 == 1"), note, ""},
		"unknown":              {rules("bad", "nothing.at.all(object)"), note, ""},
		"wrong type":           {rules("bad", "'text'"), note, ""},
		"divided by nothing":   {rules("bad", "1 / (size(object.metadata.name) - size(object.metadata.name)) == 1"), finding, ""},
		"no field":             {rules("bad", "object.spec.none.of.these == 1"), finding, ""},
		"no parameters":        {vap("bad", "  paramKind: {apiVersion: a.b/v1, kind: None}\n  validations: [{expression: 'params.x == 1'}]"), finding, ""},
		"lost parameters":      {vap("bad", "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: 'params.data.x == 1'}]") + "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: {policyName: bad, validationActions: [Deny], paramRef: {name: none, namespace: none, parameterNotFoundAction: Deny}}\n", finding, ""},
		"a binding of nothing": {rules("bad", "false") + "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: {policyName: none}\n", note, ""},
		"wrong types":          {"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: [x], annotations: 7}\nspec: {matchConstraints: 7, validations: {a: b}, variables: x, paramKind: [x], failurePolicy: {}, matchConditions: true}\n", note, ""},
		"nulls":                {"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: bad}\nspec: {matchConstraints: {resourceRules: [null]}, validations: [null, {expression: null}], variables: [null], matchConditions: [null]}\n", note, ""},
		"no spec":              {"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: bad}\n", note, ""},
		"broken YAML":          {"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n x: {\n", note, ""},
		"a bomb":               {bomb(12, vap("bad", "  variables: *x%d\n  validations: [{expression: 'false'}]")), note, ""},
		"a ring":               {vap("bad", "  validations: &a [{expression: 'false', message: *a}]"), note, ""},
		"control characters":   {vap("bad", `  validations: [{expression: "object.metadata.name == '\e[31m'", message: "\e[2Jowned", messageExpression: "'\\u001b[31m' + object.metadata.name"}]`), finding, ""},
		"long messages":        {vap("bad", fmt.Sprintf("  validations: [{expression: 'false', message: %q}]\n  auditAnnotations: [{key: a, valueExpression: %q}]", strings.Repeat("m", 100_000), "'"+strings.Repeat("x", 60_000)+"'")), finding, ""},
		"600 validations":      {vap("bad", "  validations:\n"+strings.Repeat("  - {expression: 'false'}\n", 600)), note, ""},
		"1,000 policies":       {thousand(1000), finding, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.patience = patience / 2
			r.put("policies/bad.yaml", []byte(p.text))
			r.put("policies/good.yaml", []byte(rules("no-privileged", "!object.spec.containers.exists(c, c.?securityContext.?privileged.orValue(false))")))
			r.put("src/zz/good.yaml", []byte(goodPod))
			r.put("src/many.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata:\n  name: many\n  annotations:\n    regex: '"+strings.Repeat("(a*)*", 500)+"'\n"+annotated(300)+"spec: {containers: [{name: c, image: i}]}\n"))
			res := r.posture("dir:"+r.path("in", "src"), "--policy", r.path("in", "policies"))
			deploy{rule: "policy/no-privileged"}.judge(t, res)
			if p.told {
				told(t, res, r.path("in", "policies", "bad.yaml"), "")
				return
			}
			for i := range res.report.Findings {
				if f := &res.report.Findings[i]; strings.HasPrefix(f.Rule, "policy/bad") {
					if text := fmt.Sprintf("%+v", *f); !strings.Contains(text, p.more) {
						t.Errorf("no word of %q: %.2000s", p.more, text)
					}
					return
				}
			}
			t.Errorf("the policy finds nothing: exit code %d, %.2000v %.500s", res.code, res.report.Notes, res.stderr)
		})
	}
}

// annotated are so many annotations of a pod.
func annotated(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    annotation-%d: value\n", i)
	}
	return b.String()
}

// thousand are policies that are violated.
func thousand(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("---\n" + rules(fmt.Sprintf("bad-%d", i), "object.metadata.name == 'x'"))
	}
	return b.String()
}

// TestPolicyFiles: what is no file of policies ends the run before it begins, and says which.
func TestPolicyFiles(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.put("src/zz/good.yaml", []byte(goodPod))
	r.put("empty/x.yaml", []byte("a: b\n"))
	r.put("large/x.yaml", []byte(strings.Repeat("# comment\n", 1<<19)))
	r.put("deep/x.yaml", []byte("a: "+strings.Repeat("[", 300_000)))
	check(t, os.MkdirAll(r.path("in", "pipe"), 0o755))
	check(t, mkfifo(r.path("in", "pipe", "x.yaml")))
	check(t, os.MkdirAll(r.path("in", "ring"), 0o755))
	check(t, os.Symlink(".", r.path("in", "ring", "ring.yaml")))
	for file, code := range map[string]int{"empty": 2, "large": 2, "none": 2, "pipe": 2, "ring": 2, "deep": 4} {
		res := r.posture("dir:"+r.path("in", "src"), "--policy", r.path("in", file))
		if res.code != code || code == 2 && !strings.Contains(res.stderr, r.path("in", file)) {
			t.Errorf("%s: exit code %d, want %d: %.500s", file, res.code, code, res.stderr)
		}
	}
}

// TestKubeconfigAmongManifests: a kubeconfig that lies in a folder is no reason to run what it
// names, nor to ask the cluster.
func TestKubeconfigAmongManifests(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	program := r.canary()
	r.bin = r.path("in", "bin")
	for _, name := range []string{"config", ".kube/config", "kubeconfig.yaml", "kubeconfig", "admin.conf", "x.json"} {
		r.put("src/"+name, []byte(kubeconfig(program)))
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	for _, args := range [][]string{{"dir:" + r.path("in", "src")}, {"k8s:" + r.path("in", "src", "kubeconfig.yaml"), "dir:" + r.path("in", "src")}, {"--images", "dir:" + r.path("in", "src")}} {
		res := r.posture(args...)
		if res.code == 2 { // --images is for clusters
			continue
		}
		deploy{}.judge(t, res)
	}
	cmd := *r
	res := cmd.run("scan", "rootfs:"+r.path("in", "src"), "--offline", "--only", "misconfig,exposure", "--db", database, "--cache-dir", r.path("cache"))
	if res.code != 0 {
		t.Errorf("exit code %d: %s", res.code, res.stderr)
	}
	r.unharmed()
}
