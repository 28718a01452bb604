package rights_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube/kubetest"
)

// find gives the relation between two vertices.
func (g *graph) find(from, to bulwark.VertexID, edge string) []bulwark.Relation {
	var list []bulwark.Relation
	for _, r := range g.Relations {
		if r.From == from && r.To == to && (edge == "" || r.Type == edge) {
			list = append(list, r)
		}
	}
	return list
}

// TestAdmission holds how likely a privileged pod is where what admits it.
func TestAdmission(t *testing.T) {
	const vap = `---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: p}, spec: {validations: [{expression: '!object.spec.containers.exists(c, c.securityContext.privileged)'}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: p}, spec: {policyName: p, validationActions: [ACTION], matchResources: {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [held, out]}]}}}}
`
	const gatekeeper = "---\n{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sPSPPrivilegedContainer, metadata: {name: c}, spec: {enforcementAction: ACTION, match: {excludedNamespaces: ['ou*']}}}\n"
	const defaults = "---\n{apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: {enforce: baseline}, exemptions: {namespaces: [free]}}\n"
	for _, tt := range []struct {
		name, namespace, more string
		want                  float64 // 0: there is no relation
	}{
		{"an open namespace", "shop", "", 1},
		{"one that enforces", "held", "", 0},
		{"one that was not seen", "elsewhere", "", 0.9},
		{"a malformed level is restricted", "odd", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: odd, labels: {pod-security.kubernetes.io/enforce: baselin}}}\n", 0},
		{"Kyverno", "ruled", "", 0.1},
		{"a policy in CEL", "shop", strings.ReplaceAll(vap, "ACTION", "Deny"), 0.1},
		{"one that warns", "shop", strings.ReplaceAll(vap, "ACTION", "Warn"), 1},
		{"one that does not look there", "out", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: out}}\n" + strings.ReplaceAll(vap, "ACTION", "Deny"), 1},
		{"Gatekeeper", "shop", strings.ReplaceAll(gatekeeper, "ACTION", "deny"), 0.1},
		{"Gatekeeper that tells", "shop", strings.ReplaceAll(gatekeeper, "ACTION", "dryrun"), 1},
		{"Gatekeeper looks away", "out", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: out}}\n" + strings.ReplaceAll(gatekeeper, "ACTION", "deny"), 1},
		{"a default", "shop", defaults, 0},
		{"a default of which it is exempt", "free", defaults, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := relate(t, kubetest.Set(t, town+bound("r", tt.namespace, rule("create", "", "pods"))+tt.more))
			list := g.find(bulwark.VertexID("permission:"+tt.namespace+"/Role/r in "+tt.namespace), "group:nodes", "POD_CREATE")
			got := 0.0
			if len(list) > 0 {
				got = list[0].Likelihood
			}
			if got != tt.want {
				t.Errorf("likelihood %v, want %v", got, tt.want)
			}
		})
	}
}

// TestReasons holds which findings and remedies a relation has.
func TestReasons(t *testing.T) {
	exec := bulwark.Finding{Rule: "rbac/pod-exec", Subject: "ClusterRole/r", Asset: "k8s:x", Key: "exec", Fix: &bulwark.Fix{Text: "mend"}}
	wild := bulwark.Finding{Rule: "rbac/wildcard-resources", Subject: "ClusterRole/r", Asset: "k8s:x", Key: "wild", Fix: &bulwark.Fix{Text: "mend"}}
	given := bulwark.Finding{Rule: "rbac/cluster-admin-bound", Subject: "ClusterRoleBinding/r", Asset: "k8s:x", Key: "bound", Fix: &bulwark.Fix{Text: "mend"}}
	admin := strings.ReplaceAll(bound("r", "", rule("get", "", "pods")), "name: r}, subjects", "name: cluster-admin}, subjects")

	// Two rules that allow the same in two ways are two relations, each with its own finding.
	g := relate(t, kubetest.Set(t, town+bound("r", "", rule("create", "", "pods/exec")+","+rule("get", "", "*"))), exec, wild)
	var got [][2]string
	for _, r := range g.find("permission:ClusterRole/r", "group:pods", "POD_EXEC") {
		got = append(got, [2]string{strings.Join(r.Because, " "), strings.Join(r.Remedies, "; ")})
		if r.Place == nil || r.Place.Path != "f.yaml" || r.Place.Line == 0 {
			t.Errorf("no place: %v", r.Place)
		}
	}
	if diff := cmp.Diff([][2]string{{"exec", "k8s:x exec"}, {"wild", "k8s:x wild"}}, got); diff != "" {
		t.Errorf("with findings (-want +got):\n%s", diff)
	}

	// Without a finding, the remedy is our own, and says what to take out of which rule.
	g = relate(t, kubetest.Set(t, town+bound("r", "", rule("create", "", "pods/exec"))))
	r := g.find("permission:ClusterRole/r", "group:pods", "POD_EXEC")[0]
	if diff := cmp.Diff([]string{"ClusterRole/r without create and get pods/exec"}, r.Remedies); diff != "" {
		t.Errorf("own (-want +got):\n%s", diff)
	}
	if text := g.Remedies[r.Remedies[0]].Text; !strings.HasPrefix(text, "take create of pods/exec out of ClusterRole/r (f.yaml:") {
		t.Errorf("own remedy: %q", text)
	}

	// Nobody changes cluster-admin: who is bound to it goes by the binding.
	g = relate(t, kubetest.Set(t, town+admin), given)
	if r := g.find("permission:ClusterRole/cluster-admin", "cluster-admin", "")[0]; len(r.Remedies) > 0 {
		t.Errorf("cluster-admin is mended by %q", r.Remedies)
	}
	r = g.find("account:default/a", "permission:ClusterRole/cluster-admin", "")[0]
	if diff := cmp.Diff([][]string{{"bound"}, {"remove ClusterRoleBinding/r"}}, [][]string{r.Because, r.Remedies}); diff != "" {
		t.Errorf("binding (-want +got):\n%s", diff)
	}

	// What Kubernetes makes again is not to be removed.
	g = relate(t, kubetest.Set(t, town+strings.ReplaceAll(admin, "ClusterRoleBinding, metadata: {name: r", "ClusterRoleBinding, metadata: {labels: {kubernetes.io/bootstrapping: rbac-defaults}, name: r")))
	if r := g.find("account:default/a", "permission:ClusterRole/cluster-admin", "")[0]; len(r.Remedies) > 0 {
		t.Errorf("a binding of Kubernetes' own is mended by %q", r.Remedies)
	}

	// A label of the namespace keeps privileged pods out, and nothing else.
	g = relate(t, kubetest.Set(t, town+bound("r", "shop", rule("create", "", "pods"))))
	for to, want := range map[bulwark.VertexID]bool{"group:nodes": true, "group:accounts of shop": false} {
		r := g.find("permission:shop/Role/r in shop", to, "")[0]
		if got := slices.Contains(r.Remedies, "Namespace/shop enforces baseline"); got != want {
			t.Errorf("%s: the label helps: %v, want %v", to, got, want)
		}
	}
}

// TestTogether has the halves of a way come by two bindings: either remedy must remove it.
func TestTogether(t *testing.T) {
	write, bind := rule("create", group, "clusterrolebindings"), rule("bind", group, "clusterroles")
	g := relate(t, kubetest.Set(t, town+bound("w", "", write)+bound("b", "", bind)))
	list := g.find("account:default/a", "cluster-admin", "ROLE_BIND")
	if len(list) != 1 {
		t.Fatalf("%d relations", len(list))
	}
	want := []string{"ClusterRole/b without bind clusterroles", "ClusterRole/w without write clusterrolebindings", "remove ClusterRoleBinding/b", "remove ClusterRoleBinding/w"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(list[0].Remedies))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A second binding that gives one half is a second relation.
	g = relate(t, kubetest.Set(t, town+bound("w", "", write)+bound("b", "", bind)+bound("c", "", bind)))
	if n := len(g.find("account:default/a", "cluster-admin", "ROLE_BIND")); n != 2 {
		t.Errorf("%d relations by three bindings, want 2", n)
	}
	// Halves in two namespaces are nothing; in one, and everywhere, they are.
	create, read := rule("create", "", "secrets"), rule("get", "", "secrets", "db")
	for _, tt := range []struct {
		one, other string
		want       int
	}{{"shop", "held", 0}, {"shop", "shop", 1}, {"shop", "", 1}} {
		g = relate(t, kubetest.Set(t, town+bound("w", tt.one, create)+bound("b", tt.other, read)))
		if n := len(g.find("account:default/a", "group:accounts of shop", "CREATE_SECRET_WITH_TOKEN")); n != tt.want {
			t.Errorf("in %q and %q: %d relations, want %d", tt.one, tt.other, n, tt.want)
		}
	}
	// One half by a group that every account is in.
	text := strings.ReplaceAll(bound("b", "", bind), "{kind: ServiceAccount, name: a, namespace: default}", "{kind: Group, name: 'system:serviceaccounts', apiGroup: rbac.authorization.k8s.io}")
	g = relate(t, kubetest.Set(t, town+bound("w", "", write)+text))
	ways := g.through("account:default/a", "cluster-admin")
	if len(ways) != 1 {
		t.Fatalf("by a group: %d ways, want 1", len(ways))
	}
	if diff := cmp.Diff(want, ways[0]); diff != "" {
		t.Errorf("by a group (-want +got):\n%s", diff)
	}
}

// through are the remedies of each way from somebody to something through one group vertex.
func (g *graph) through(from, to bulwark.VertexID) (ways [][]string) {
	for _, one := range g.Relations {
		for _, other := range g.Relations {
			if one.From == from && one.To == other.From && other.To == to && strings.HasPrefix(string(one.To), "group:those of ") {
				ways = append(ways, slices.Sorted(slices.Values(slices.Concat(one.Remedies, other.Remedies))))
			}
		}
	}
	return ways
}

func TestIdentities(t *testing.T) {
	subject := func(kind, called string) string {
		return town + strings.ReplaceAll(bound("r", "", rule("create", "apps", "deployments")), "{kind: ServiceAccount, name: a, namespace: default}", "{kind: "+kind+", name: '"+called+"', namespace: shop}")
	}
	refuses := "---\n{apiVersion: v1, kind: Pod, metadata: {name: kube-apiserver-m, namespace: kube-system}, spec: {containers: [{name: c, image: x, command: [kube-apiserver, --anonymous-auth=false]}]}}\n"
	for _, tt := range []struct {
		name, text string
		from, to   bulwark.VertexID
		want       bool
	}{
		{"strangers", subject("User", "system:anonymous"), "internet", "identity:User system:anonymous", true},
		{"strangers as a group", subject("Group", "system:unauthenticated"), "internet", "identity:Group system:unauthenticated", true},
		{"strangers in pods", subject("Group", "system:unauthenticated"), "group:network of shop/Pod/one", "identity:Group system:unauthenticated", true},
		{"strangers are refused", subject("User", "system:anonymous") + refuses, "internet", "identity:User system:anonymous", false},
		{"users are none", subject("User", "ann"), "internet", "identity:User ann", false},
		{"every account", subject("Group", "system:serviceaccounts"), "account:shop/web", "identity:Group system:serviceaccounts", true},
		{"every account of a namespace", subject("Group", "system:serviceaccounts:shop"), "account:shop/web", "identity:Group system:serviceaccounts:shop", true},
		{"none of another", subject("Group", "system:serviceaccounts:held"), "account:shop/web", "identity:Group system:serviceaccounts:held", false},
		{"everybody known", subject("Group", "system:authenticated"), "account:shop/web", "identity:Group system:authenticated", true},
		{"masters", subject("Group", "system:masters"), "identity:Group system:masters", "cluster-admin", true},
		{"a pipeline", subject("ServiceAccount", "gitlab-deployer"), "identity:CI runner", "account:shop/gitlab-deployer", true},
		{"a person", subject("User", "ann"), "identity:CI runner", "identity:User ann", false},
		{"a pipeline that may look", strings.ReplaceAll(subject("ServiceAccount", "gitlab-deployer"), "'create'", "'get'"), "identity:CI runner", "account:shop/gitlab-deployer", false},
		{"the controllers of every cluster", town + bound("r", "kube-system", rule("create", "", "serviceaccounts/token")), "account:kube-system/clusterrole-aggregation-controller", "cluster-admin", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(relate(t, kubetest.Set(t, tt.text)).find(tt.from, tt.to, "")) > 0; got != tt.want {
				t.Errorf("%s -> %s: %v, want %v", tt.from, tt.to, got, tt.want)
			}
		})
	}
}

// TestClouds has rights that lead into a cloud.
func TestClouds(t *testing.T) {
	auth := "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: aws-auth, namespace: kube-system}}\n"
	operator := "---\n{apiVersion: s3.aws.upbound.io/v1, kind: Bucket, metadata: {name: b}}\n"
	argo := "---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {group: argoproj.io, names: {kind: Workflow, plural: workflows}}}\n"
	for _, tt := range []struct {
		name, namespace, rules, more, want string
	}{
		{"aws-auth", "kube-system", rule("update", "", "configmaps", "aws-auth"), auth, "UPDATE_AWS_AUTH cluster-admin"},
		{"another map", "kube-system", rule("update", "", "configmaps", "coredns"), auth, ""},
		{"the map's name elsewhere", "shop", rule("update", "", "configmaps", "aws-auth"), auth, ""},
		{"an operator of a cloud", "", rule("create", "s3.aws.upbound.io", "buckets"), operator, "CLOUD_BY_OPERATOR group:operator of s3.aws.upbound.io"},
		{"which is looked at", "", rule("get", "s3.aws.upbound.io", "buckets"), operator, ""},
		{"an operator of pods", "shop", rule("create", "argoproj.io", "workflows"), argo, "CREATE_POD_WITH_SA group:accounts of shop"},
		{"which is not there", "shop", rule("create", "argoproj.io", "workflows"), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := relate(t, kubetest.Set(t, town+bound("r", tt.namespace, tt.rules)+tt.more)).lines("account:default/a")
			if tt.want == "" && lines != nil || tt.want != "" && !slices.Contains(lines, tt.want) {
				t.Errorf("got %q, want %q", lines, tt.want)
			}
		})
	}
}

// TestChain has roles that may bind the next ones, in a long row and in a circle.
func TestChain(t *testing.T) {
	var b strings.Builder
	const n = 3000
	for i := range n {
		rules := rule("create", group, "clusterrolebindings") + "," + rule("bind", group, "clusterroles", fmt.Sprint("r", (i+1)%n))
		if i == 0 {
			b.WriteString(bound("r0", "", rules))
			continue
		}
		fmt.Fprintf(&b, "---\n{apiVersion: %s/v1, kind: ClusterRole, metadata: {name: r%d}, rules: [%s]}\n", group, i, rules)
	}
	g := relate(t, kubetest.Set(t, b.String()))
	if got := len(g.find(bulwark.VertexID(fmt.Sprintf("permission:ClusterRole/r%d", n-1)), "permission:ClusterRole/r0", "ROLE_BIND")); got != 1 {
		t.Errorf("the row ends before its end: %d", got)
	}
}
