package rights_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/relate/internal/relatetest"
	"bulwark/relate/rights"
)

// graph is what the relater says.
type graph struct {
	*relatetest.Told
	rows map[bulwark.VertexID][]bulwark.Relation // by where they begin; see by
}

func relate(tb testing.TB, s *kube.Set, findings ...bulwark.Finding) *graph {
	tb.Helper()
	return &graph{Told: relatetest.Ask(tb, rights.New(), &bulwark.Target{Objects: s}, findings...)}
}

// lines are the relations of a vertex, and of the permissions that it has: "TYPE to".
func (g *graph) lines(from bulwark.VertexID) []string {
	var list []string
	for _, r := range g.Relations {
		switch {
		case r.From != from:
		case r.Type == "PERMISSION_DISCOVER":
			list = append(list, g.lines(r.To)...)
		default:
			list = append(list, r.Type+" "+string(r.To))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// town is what every case has.
const town = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: held, labels: {pod-security.kubernetes.io/enforce: restricted}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ruled}}
---
{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: no-privileged}, spec: {validationFailureAction: Enforce, rules: [{name: a, match: {any: [{resources: {kinds: [Pod], namespaces: [ruled]}}]}, validate: {podSecurity: {level: baseline}}}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, type: Opaque}
---
{apiVersion: v1, kind: Secret, metadata: {name: web-token-x, namespace: shop, annotations: {kubernetes.io/service-account.name: web}}, type: kubernetes.io/service-account-token}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {spec: {serviceAccountName: web, containers: [{name: c, image: x}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {template: {spec: {containers: [{name: c, image: x}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: shop}, spec: {nodeName: n1, containers: [{name: c, image: x, stdin: true}]}}
`

// bound is a role with rules, that the account default/a has in a namespace or everywhere.
func bound(called, namespace, rules string) string {
	if namespace == "" {
		return "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: " + called + "}, rules: [" + rules + "]}\n---\n" +
			"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: " + called + "}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + called + "}, subjects: [{kind: ServiceAccount, name: a, namespace: default}]}\n"
	}
	return "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: " + called + ", namespace: " + namespace + "}, rules: [" + rules + "]}\n---\n" +
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: " + called + ", namespace: " + namespace + "}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: " + called + "}, subjects: [{kind: ServiceAccount, name: a, namespace: default}]}\n"
}

// rule writes one: verbs, group and resources, then names.
func rule(verbs, group, resources string, names ...string) string {
	text := "{verbs: [" + quoted(verbs) + "], apiGroups: ['" + group + "'], resources: [" + quoted(resources) + "]"
	if names != nil {
		text += ", resourceNames: [" + quoted(strings.Join(names, " ")) + "]"
	}
	return text + "}"
}

func quoted(words string) string {
	return "'" + strings.Join(strings.Fields(words), "','") + "'"
}

const group = "rbac.authorization.k8s.io"

func TestEdges(t *testing.T) {
	admin := "IS_CLUSTER_ADMIN cluster-admin"
	for _, tt := range []struct {
		name, namespace, rules string
		want                   []string
	}{
		{"exec by create", "shop", rule("create", "", "pods/exec"), []string{"POD_EXEC group:pods of shop"}},
		{"exec by get", "shop", rule("get", "", "pods/exec"), []string{"POD_EXEC group:pods of shop"}},
		{"exec everywhere", "", rule("create", "", "pods/exec"), []string{"POD_EXEC group:pods"}},
		{"exec in a named pod", "shop", rule("create", "", "pods/exec", "one"), []string{"POD_EXEC workload:shop/Pod/one"}},
		{"exec in a pod of a set", "shop", rule("create", "", "pods/exec", "db-0"), []string{"POD_EXEC workload:shop/StatefulSet/db"}},
		{"exec in a named pod anywhere", "", rule("create", "", "pods/exec", "one", "none"), []string{"POD_EXEC workload:shop/Pod/one"}},
		{"exec in a pod that is not there", "shop", rule("create", "", "pods/exec", "two"), nil},
		{"list of exec is nothing", "shop", rule("list delete", "", "pods/exec"), nil},
		{"pods alone are not exec", "shop", rule("get list watch", "", "pods"), nil},
		{"exec of another group", "shop", rule("create", "apps", "pods/exec"), nil},
		{"every subresource", "shop", rule("create", "", "*/exec"), []string{"POD_EXEC group:pods of shop"}},
		{"attach", "shop", rule("create", "", "pods/attach"), []string{"PROCESS_ATTACH group:pods that read of shop"}},
		{"attach to a pod that reads", "shop", rule("create", "", "pods/attach", "one"), []string{"PROCESS_ATTACH workload:shop/Pod/one"}},
		{"attach to a pod that does not read", "shop", rule("create", "", "pods/attach", "db-0"), nil},
		{"attach where none reads", "held", rule("create", "", "pods/attach"), nil},
		{"forwarding", "shop", rule("create", "", "pods/portforward"), []string{"POD_PORTFORWARD group:pods of shop"}},
		{"debug", "shop", rule("patch", "", "pods/ephemeralcontainers"), []string{"DEBUG_POD group:nodes", "DEBUG_POD group:pods of shop"}},
		{"debug in a held namespace", "held", rule("patch", "", "pods/ephemeralcontainers"), []string{"DEBUG_POD group:pods of held"}},
		{"debug by get is nothing", "shop", rule("get", "", "pods/ephemeralcontainers"), nil},
		{"patch of pods", "shop", rule("patch", "", "pods"), []string{"POD_PATCH group:pods of shop"}},
		{"patch of a pod", "shop", rule("patch", "", "pods", "one"), []string{"POD_PATCH workload:shop/Pod/one"}},

		{"create", "shop", rule("create", "", "pods"), []string{"CREATE_POD_WITH_SA group:accounts of shop", "POD_CREATE group:new pods of shop", "POD_CREATE group:nodes", "POD_CREATE group:secrets of shop"}},
		{"create of apps alone", "shop", rule("create", "apps", "deployments"), []string{"CREATE_POD_WITH_SA group:accounts of shop", "POD_CREATE group:new pods of shop", "POD_CREATE group:nodes", "POD_CREATE group:secrets of shop"}},
		{"create of jobs", "shop", rule("create", "batch", "cronjobs"), []string{"CREATE_POD_WITH_SA group:accounts of shop", "POD_CREATE group:new pods of shop", "POD_CREATE group:nodes", "POD_CREATE group:secrets of shop"}},
		{"create where admission holds", "held", rule("create", "", "pods"), []string{"CREATE_POD_WITH_SA group:accounts of held", "POD_CREATE group:secrets of held"}},
		{"create everywhere", "", rule("create", "", "pods"), []string{"CREATE_POD_WITH_SA group:accounts", "POD_CREATE group:new pods", "POD_CREATE group:nodes", "POD_CREATE group:secrets"}},
		{"create of services", "shop", rule("create", "", "services configmaps"), nil},
		{"create of a named pod is none", "shop", rule("create", "", "pods", "one"), nil},
		{"patch of deployments", "shop", rule("patch", "apps", "deployments"), []string{"CREATE_PRIVILEGED_WORKLOAD group:new pods of shop", "CREATE_PRIVILEGED_WORKLOAD group:nodes", "CREATE_PRIVILEGED_WORKLOAD group:secrets of shop", "REPLACE_IMAGE group:deployments of shop", "UPDATE_WORKLOAD_WITH_SA group:accounts of shop"}},
		{"patch of a named deployment", "shop", rule("update", "apps", "deployments", "web"), []string{"CREATE_PRIVILEGED_WORKLOAD group:new pods of shop", "CREATE_PRIVILEGED_WORKLOAD group:nodes", "CREATE_PRIVILEGED_WORKLOAD group:secrets of shop", "REPLACE_IMAGE workload:shop/Deployment/web", "UPDATE_WORKLOAD_WITH_SA group:accounts of shop"}},
		{"patch of a named deployment anywhere", "", rule("update", "apps", "deployments", "web"), []string{"CREATE_PRIVILEGED_WORKLOAD group:new pods of shop", "CREATE_PRIVILEGED_WORKLOAD group:nodes", "CREATE_PRIVILEGED_WORKLOAD group:secrets of shop", "REPLACE_IMAGE workload:shop/Deployment/web", "UPDATE_WORKLOAD_WITH_SA group:accounts of shop"}},
		{"patch where there is none", "held", rule("patch", "apps", "deployments"), nil},
		{"patch of one that is not there", "shop", rule("patch", "apps", "deployments", "gone"), nil},

		{"services by the API server", "shop", rule("get", "", "services/proxy"), []string{"SERVICE_PROXY group:pods of shop"}},
		{"services where there are no pods", "held", rule("get", "", "services/proxy"), nil},
		{"services alone are not the way to them", "shop", rule("get update", "", "services"), nil},
		{"kubelets", "", rule("get", "", "nodes/proxy"), []string{"CAN_EXEC_THROUGH_KUBELET group:pods"}},
		{"a kubelet", "", rule("get", "", "nodes/proxy", "n1"), []string{"CAN_EXEC_THROUGH_KUBELET workload:shop/Pod/one"}},
		{"kubelets in a namespace are nothing", "shop", rule("get", "", "nodes/proxy"), nil},
		{"metrics of nodes are nothing", "", rule("get", "", "nodes nodes/metrics"), nil},

		{"list of secrets", "shop", rule("list", "", "secrets"), []string{"ACCESS_SECRET group:secrets of shop", "TOKEN_LIST group:accounts of shop", "TOKEN_LIST group:tokens of shop"}},
		{"get of secrets", "shop", rule("get", "", "secrets"), []string{"ACCESS_SECRET group:secrets of shop", "TOKEN_BRUTEFORCE group:accounts of shop", "TOKEN_BRUTEFORCE group:tokens of shop"}},
		{"get of a secret", "shop", rule("get", "", "secrets", "db"), []string{"ACCESS_SECRET secret:shop/db"}},
		{"deleting secrets reads nothing", "shop", rule("delete", "", "secrets"), nil},
		{"create of secrets alone", "shop", rule("create", "", "secrets"), nil},
		{"create and get of secrets", "shop", rule("create get", "", "secrets"), []string{"ACCESS_SECRET group:secrets of shop", "CREATE_SECRET_WITH_TOKEN group:accounts of shop", "TOKEN_BRUTEFORCE group:accounts of shop", "TOKEN_BRUTEFORCE group:tokens of shop"}},
		{"tokens", "shop", rule("create", "", "serviceaccounts/token"), []string{"GENERATE_TOKEN group:accounts of shop"}},
		{"token of one", "shop", rule("create", "", "serviceaccounts/token", "web"), []string{"GENERATE_TOKEN account:shop/web"}},
		{"accounts are not tokens", "shop", rule("create", "", "serviceaccounts"), nil},

		{"acting as accounts", "shop", rule("impersonate", "", "serviceaccounts"), []string{"IDENTITY_IMPERSONATE group:accounts of shop"}},
		{"acting as users", "", rule("impersonate", "", "users"), []string{"IDENTITY_IMPERSONATE cluster-admin"}},
		{"acting as a user", "", rule("impersonate", "", "users", "ann"), []string{"IDENTITY_IMPERSONATE identity:User ann"}},
		{"acting as users in a namespace", "shop", rule("impersonate", "", "users groups"), nil},
		{"acting as groups alone", "", rule("impersonate", "", "groups"), nil},
		{"acting as a group", "", rule("impersonate", "", "groups", "ops") + "," + rule("impersonate", "", "users", "ann"), []string{"IDENTITY_IMPERSONATE identity:Group ops", "IDENTITY_IMPERSONATE identity:User ann"}},

		{"binding", "", rule("create", group, "clusterrolebindings") + "," + rule("bind", group, "clusterroles"), []string{"ROLE_BIND cluster-admin"}},
		{"binding one", "", rule("create", group, "clusterrolebindings") + "," + rule("bind", group, "clusterroles", "view"), []string{"ROLE_BIND permission:ClusterRole/view"}},
		{"writing bindings alone", "", rule("create update", group, "clusterrolebindings rolebindings"), nil},
		{"bind alone", "", rule("bind", group, "clusterroles roles"), nil},
		{"binding in a namespace", "shop", rule("create", group, "rolebindings") + "," + rule("bind", group, "clusterroles"), []string{"ROLE_BIND permission:ClusterRole/cluster-admin in shop"}},
		{"binding roles", "shop", rule("create", group, "rolebindings") + "," + rule("bind", group, "roles"), []string{"ROLE_BIND group:roles of shop"}},
		{"changing a binding", "shop", rule("patch", group, "rolebindings", "r") + "," + rule("bind", group, "roles"), []string{"ROLE_BIND permission:shop/Role/r in shop"}},
		{"changing a binding that is not there", "shop", rule("patch", group, "rolebindings", "q") + "," + rule("bind", group, "roles"), nil},
		{"escalating", "", rule("escalate update", group, "clusterroles"), []string{"RBAC_ESCALATE_TO cluster-admin"}},
		{"escalating its own", "", rule("escalate update", group, "clusterroles", "r"), []string{"RBAC_ESCALATE_TO cluster-admin"}},
		{"escalating another", "", rule("escalate update", group, "clusterroles", "q"), nil},
		{"escalating without writing", "", rule("escalate", group, "clusterroles"), nil},
		{"writing without escalating", "", rule("update", group, "clusterroles"), nil},
		{"escalating in a namespace", "shop", rule("escalate update", group, "roles"), []string{"RBAC_ESCALATE_TO permission:ClusterRole/cluster-admin in shop"}},

		{"certificates", "", rule("create", "certificates.k8s.io", "certificatesigningrequests") + "," + rule("update", "certificates.k8s.io", "certificatesigningrequests/approval") + "," + rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client"), []string{"GENERATE_CLIENT_CERTIFICATE cluster-admin"}},
		{"certificates of nodes", "", rule("create", "certificates.k8s.io", "certificatesigningrequests") + "," + rule("update", "certificates.k8s.io", "certificatesigningrequests/approval") + "," + rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"), []string{"GENERATE_CLIENT_CERTIFICATE group:pods"}},
		{"certificates without the signer", "", rule("create", "certificates.k8s.io", "certificatesigningrequests") + "," + rule("update", "certificates.k8s.io", "certificatesigningrequests/approval"), nil},
		{"taking the level off", "held", rule("patch", "", "namespaces") + "," + rule("create", "", "pods"), []string{"CREATE_POD_WITH_SA group:accounts of held", "PATCH_NAMESPACE_TO_BYPASS_PSA group:nodes", "POD_CREATE group:secrets of held"}},
		{"changing namespaces alone", "held", rule("patch", "", "namespaces"), nil},
		{"volumes", "", rule("create", "", "persistentvolumes pods"), []string{"CREATE_PERSISTENT_VOLUME group:nodes", "CREATE_POD_WITH_SA group:accounts", "POD_CREATE group:new pods", "POD_CREATE group:nodes", "POD_CREATE group:secrets"}},
		{"volumes alone", "", rule("create", "", "persistentvolumes"), nil},
		{"webhooks", "", rule("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"), []string{"MUTATING_WEBHOOK cluster-admin"}},
		{"judging webhooks", "", rule("create", "admissionregistration.k8s.io", "validatingwebhookconfigurations"), []string{"VALIDATING_WEBHOOK group:secrets"}},
		{"reading webhooks", "", rule("get list", "admissionregistration.k8s.io", "mutatingwebhookconfigurations validatingwebhookconfigurations"), nil},
		{"changing policies", "", rule("create", "admissionregistration.k8s.io", "mutatingadmissionpolicies mutatingadmissionpolicybindings"), []string{"MUTATING_POLICY cluster-admin"}},
		{"changing policies without binding", "", rule("create", "admissionregistration.k8s.io", "mutatingadmissionpolicies"), nil},
		{"services of the API", "", rule("create", "apiregistration.k8s.io", "apiservices"), []string{"APISERVICE_REDIRECT cluster-admin"}},
		{"reading services of the API", "", rule("list", "apiregistration.k8s.io", "apiservices"), nil},
		{"taints", "", rule("patch", "", "nodes"), []string{"NODE_PATCH group:pods"}},
		{"nodes are read", "", rule("get list", "", "nodes"), nil},
		{"configuration where no cloud is", "kube-system", rule("update", "", "configmaps"), nil},
		{"everything", "", rule("*", "*", "*"), []string{admin}},
		{"everything but one group", "", rule("*", "apps", "*"), []string{
			"CREATE_POD_WITH_SA group:accounts", "CREATE_PRIVILEGED_WORKLOAD group:new pods", "CREATE_PRIVILEGED_WORKLOAD group:nodes", "CREATE_PRIVILEGED_WORKLOAD group:secrets", "POD_CREATE group:new pods", "POD_CREATE group:nodes", "POD_CREATE group:secrets",
			"REPLACE_IMAGE group:deployments", "REPLACE_IMAGE group:statefulsets", "UPDATE_WORKLOAD_WITH_SA group:accounts"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := relate(t, kubetest.Set(t, town+bound("r", tt.namespace, tt.rules))).lines("account:default/a")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
