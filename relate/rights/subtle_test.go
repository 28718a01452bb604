package rights_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube/kubetest"
)

// TestSubtleties has what rules say in other ways, and what looks like a way and is none.
func TestSubtleties(t *testing.T) {
	const certificates = "certificates.k8s.io"
	request := rule("create", certificates, "certificatesigningrequests")
	node, anybody := "GENERATE_CLIENT_CERTIFICATE group:pods", "GENERATE_CLIENT_CERTIFICATE cluster-admin"
	for _, tt := range []struct {
		name, namespace, rules string
		want                   []string
	}{
		{"every verb", "shop", rule("*", "", "pods/exec"), []string{"POD_EXEC group:pods of shop"}},
		{"every group", "shop", rule("create", "*", "pods/exec"), []string{"POD_EXEC group:pods of shop"}},
		{"an asterisk for subresources is none", "", rule("*", "*", "pods/* */*"), nil},
		{"a subresource of everything", "", rule("get", "*", "*/proxy"), []string{"CAN_EXEC_THROUGH_KUBELET group:pods", "POD_PORTFORWARD group:pods", "SERVICE_PROXY group:pods"}},
		{"URLs alone", "", "{verbs: ['*'], nonResourceURLs: ['*']}", nil},
		{"no verb", "", "{verbs: [], apiGroups: ['*'], resources: ['*']}", nil},
		{"no group", "", "{verbs: ['*'], apiGroups: [], resources: ['*']}", nil},
		{"what nodes say of themselves", "", rule("get", "", "nodes/stats nodes/log nodes/metrics nodes/configz"), nil},
		{"only the scale", "shop", rule("patch update", "apps", "deployments/scale deployments/status"), nil},
		{"evictions and bindings of pods", "shop", rule("create", "", "pods/eviction pods/binding bindings"), nil},

		{"patch tells what a secret is", "shop", rule("patch", "", "secrets"), []string{"ACCESS_SECRET group:secrets of shop", "TOKEN_BRUTEFORCE group:accounts of shop", "TOKEN_BRUTEFORCE group:tokens of shop"}},
		{"update does not", "shop", rule("update", "", "secrets"), nil},
		{"deleting many tells what they were", "shop", rule("deletecollection", "", "secrets"), []string{"ACCESS_SECRET group:secrets of shop", "TOKEN_LIST group:accounts of shop", "TOKEN_LIST group:tokens of shop"}},
		{"many have no name", "shop", rule("deletecollection", "", "secrets", "db"), nil},
		{"a secret that is made and patched", "shop", rule("create patch", "", "secrets", "mine") + "," + rule("create", "", "secrets"), []string{"ACCESS_SECRET secret:shop/mine", "CREATE_SECRET_WITH_TOKEN group:accounts of shop"}},
		{"single objects of several kinds", "shop", rule("patch", "apps", "deployments", "db") + "," + rule("patch", "apps", "statefulsets", "web"), nil},

		{"uids and extras alone", "", rule("impersonate", "authentication.k8s.io", "uids userextras/scopes"), nil},
		{"an account by its user's name", "", rule("impersonate", "", "users", "system:serviceaccount:shop:web"), nil},
		{"the controllers", "", rule("impersonate", "", "users", "system:kube-controller-manager"), []string{"IDENTITY_IMPERSONATE cluster-admin", "IDENTITY_IMPERSONATE identity:User system:kube-controller-manager"}},
		{"masters as an account", "", rule("impersonate", "", "groups", "system:masters") + "," + rule("impersonate", "", "serviceaccounts", "web"), []string{"IDENTITY_IMPERSONATE account:shop/web", "IDENTITY_IMPERSONATE cluster-admin"}},

		{"binding cluster-admin by its name", "", rule("create", group, "clusterrolebindings") + "," + rule("bind", group, "clusterroles", "cluster-admin"), []string{"ROLE_BIND cluster-admin"}},
		{"cluster-admin by its name in a namespace", "shop", rule("create", group, "rolebindings") + "," + rule("bind", group, "clusterroles", "cluster-admin"), []string{"ROLE_BIND permission:ClusterRole/cluster-admin in shop"}},
		{"changing what is bound everywhere", "", rule("update", group, "clusterrolebindings") + "," + rule("bind", group, "clusterroles"), []string{"ROLE_BIND cluster-admin"}},
		{"changing a binding to something else", "", rule("update", group, "clusterrolebindings", "r") + "," + rule("bind", group, "clusterroles", "view"), nil},
		{"changing bindings where none is", "held", rule("update", group, "rolebindings") + "," + rule("bind", group, "clusterroles"), nil},
		{"binding Roles by their name everywhere", "", rule("create", group, "rolebindings") + "," + rule("bind", group, "roles", "r"), nil},
		{"roles that are made and have no way in", "", rule("create", group, "clusterroles") + "," + rule("escalate", group, "clusterroles"), nil},
		{"requests of nodes are approved by themselves", "", rule("create", certificates, "certificatesigningrequests certificatesigningrequests/nodeclient"), []string{node}},
		{"renewals are not", "", rule("create", certificates, "certificatesigningrequests certificatesigningrequests/selfnodeclient"), nil},
		{"every signer of Kubernetes", "", request + "," + rule("patch", certificates, "certificatesigningrequests/approval") + "," + rule("approve", certificates, "signers", "kubernetes.io/*"), []string{anybody, node}},
		{"requests have the name that one likes", "", request + "," + rule("update", certificates, "certificatesigningrequests/approval", "mine") + "," + rule("approve", certificates, "signers"), []string{anybody}},
		{"signing needs the key", "", request + "," + rule("update", certificates, "certificatesigningrequests/status") + "," + rule("sign", certificates, "signers"), nil},
		{"another signer", "", request + "," + rule("update", certificates, "certificatesigningrequests/approval") + "," + rule("approve", certificates, "signers", "example.com/x"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := relate(t, kubetest.Set(t, town+bound("r", tt.namespace, tt.rules))).lines("account:default/a")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestScopes has ClusterRoles that are bound in a namespace, and those that take in others.
func TestScopes(t *testing.T) {
	cluster := "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: c, labels: {join: 'yes'}}, rules: [" + rule("create", "", "pods/exec nodes/proxy persistentvolumes") + "]}\n"
	binding := func(kind, place, role string) string {
		return "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: " + kind + ", metadata: {name: b" + place + "}, roleRef: {kind: ClusterRole, name: " + role + "}, subjects: [{kind: User, name: u}]}\n"
	}
	joined := "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sum}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {join: 'yes'}}]}, rules: []}\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"everywhere", cluster + binding("ClusterRoleBinding", "", "c"), []string{"CAN_EXEC_THROUGH_KUBELET group:pods", "POD_EXEC group:pods"}},
		{"in a namespace", cluster + binding("RoleBinding", ", namespace: shop", "c"), []string{"POD_EXEC group:pods of shop"}},
		{"in a namespace, taken in", cluster + joined + binding("RoleBinding", ", namespace: shop", "sum"), []string{"POD_EXEC group:pods of shop"}},
		{"a Role of that name", strings.ReplaceAll(cluster, "kind: ClusterRole, metadata: {name: c,", "kind: Role, metadata: {name: c, namespace: shop,") + binding("ClusterRoleBinding", "", "c"), nil},
		{"nobody's role", cluster + binding("RoleBinding", ", namespace: shop", "gone"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := relate(t, kubetest.Set(t, town+tt.text))
			if diff := cmp.Diff(tt.want, g.lines("identity:User u")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	// What is taken in is mended where it is written.
	g := relate(t, kubetest.Set(t, town+cluster+joined+binding("RoleBinding", ", namespace: shop", "sum")))
	r := g.find("permission:ClusterRole/sum in shop", "group:pods of shop", "POD_EXEC")[0]
	if diff := cmp.Diff([]string{"ClusterRole/c without create and get pods/exec"}, r.Remedies); diff != "" {
		t.Errorf("taken in (-want +got):\n%s", diff)
	}
}

// TestHeld has rights over roles that somebody has by another binding, harmless as these are.
func TestHeld(t *testing.T) {
	bind := func(role, rules string) string {
		text := ""
		if rules != "" {
			text = "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: " + role + "}, rules: [" + rules + "]}\n"
		}
		return text + "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: " + role + "}, roleRef: {kind: ClusterRole, name: " + role + "}, subjects: [{kind: User, name: u}]}\n"
	}
	harmless := rule("get", "", "pods")
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"one that takes in others", bind("view", "") + bind("maker", rule("create escalate", group, "clusterroles")), []string{"RBAC_ESCALATE_TO cluster-admin"}},
		{"one that does not", bind("plain", harmless) + bind("maker", rule("create escalate", group, "clusterroles")), nil},
		{"one that may be raised", bind("plain", harmless) + bind("maker", rule("update escalate", group, "clusterroles", "plain")), []string{"RBAC_ESCALATE_TO cluster-admin"}},
		{"another", bind("plain", harmless) + bind("maker", rule("update escalate", group, "clusterroles", "other")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, relate(t, kubetest.Set(t, town+tt.text)).lines("identity:User u")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMembers has identities that are in groups without anybody saying so.
func TestMembers(t *testing.T) {
	bind := func(group string) string {
		return town + strings.ReplaceAll(bound("g", "", rule("list", "", "secrets")), "{kind: ServiceAccount, name: a, namespace: default}", "{kind: Group, name: '"+group+"'}") +
			strings.ReplaceAll(strings.ReplaceAll(bound("u", "", rule("list", "", "secrets")), "{kind: ServiceAccount, name: a, namespace: default}", "{kind: User, name: 'system:node:n1'}, {kind: User, name: 'system:bootstrap:abc'}, {kind: User, name: 'system:anonymous'}, {kind: User, name: 'system:serviceaccount:shop:web'}, {kind: User, name: ann}"), "x", "x")
	}
	for group, want := range map[string][]bulwark.VertexID{
		"system:nodes":                {"identity:User system:node:n1"},
		"system:bootstrappers":        {"identity:User system:bootstrap:abc"},
		"system:unauthenticated":      {"identity:User system:anonymous"},
		"system:serviceaccounts:shop": {"account:shop/default", "account:shop/web"},
		"ops":                         nil,
	} {
		g := relate(t, kubetest.Set(t, bind(group)))
		var got []bulwark.VertexID
		for _, r := range g.Relations {
			if r.To == bulwark.VertexID("identity:Group "+group) && r.Type == "MEMBER_OF" {
				got = append(got, r.From)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", group, diff)
		}
	}
}
