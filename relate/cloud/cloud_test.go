package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube/kubetest"
	"bulwark/relate/cloud"
	"bulwark/relate/internal/relatetest"
)

func relate(tb testing.TB, text string, findings ...bulwark.Finding) *relatetest.Told {
	tb.Helper()
	s := kubetest.Set(tb, text)
	s.Read = func(string) ([]byte, error) { return []byte(text), nil }
	return relatetest.Ask(tb, cloud.New(), &bulwark.Target{Objects: s}, findings...)
}

const (
	node = "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {eks.amazonaws.com/nodegroup: blue}}, spec: {providerID: 'aws:///eu-central-1a/i-0'}}\n---\n"
	host = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {hostNetwork: %, nodeName: n1, containers: [{name: c, image: x}]}}\n"
	auth = "{apiVersion: v1, kind: ConfigMap, metadata: {name: aws-auth, namespace: kube-system}, data: {mapRoles: '[{rolearn: \"arn:aws:iam::1:role/ops\", username: ops, groups: [\"%\"]}]'}}\n"
	// running has an account, and its token for the API server not.
	running = "{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: shop}, spec: {serviceAccountName: a, automountServiceAccountToken: false, containers: [{name: c, image: x}]}}\n---\n"
	pod     = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop, labels: {aadpodidbinding: %}}, spec: {containers: [{name: c, image: x}]}}\n---\n"
)

func TestEdges(t *testing.T) {
	in := func(text, what string) string { return strings.ReplaceAll(text, "%", what) }
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"role of AWS", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/x'}}}", []string{"CLOUD_ROLE account:shop/a cloud:aws/arn:aws:iam::1:role/x"}},
		{"workload identity of GKE", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {iam.gke.io/gcp-service-account: x@p.iam.gserviceaccount.com}}}", []string{"CLOUD_ROLE account:shop/a cloud:gcp/x@p.iam.gserviceaccount.com"}},
		{"workload identity of Azure", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {azure.workload.identity/client-id: 0-1}}}", []string{"CLOUD_ROLE account:shop/a cloud:azure/0-1"}},
		{"pods of a role of AWS", running + "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {eks.amazonaws.com/role-arn: r}}}", []string{"CLOUD_ROLE account:shop/a cloud:aws/r", "CLOUD_ROLE container:shop/Pod/q/c cloud:aws/r"}},
		{"pods that the webhook of Azure leaves alone", running + "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {azure.workload.identity/client-id: i}}}", []string{"CLOUD_ROLE account:shop/a cloud:azure/i"}},
		{"a role by kube2iam", "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop, annotations: {iam.amazonaws.com/role: r}}, spec: {containers: [{name: c, image: x}]}}", []string{"CLOUD_ROLE workload:shop/Pod/p cloud:aws/r"}},
		{"an account of no cloud", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {team: shop}}}", nil},
		{"an association", "{apiVersion: eks.services.k8s.aws/v1alpha1, kind: PodIdentityAssociation, metadata: {name: x, namespace: ack}, spec: {namespace: shop, serviceAccount: a, roleARN: r}}", []string{
			"CLOUD_BY_OPERATOR group:operator of eks.services.k8s.aws cloud:aws/identity of the operators", "CLOUD_ROLE account:shop/a cloud:aws/r"}},
		{"a node", node, []string{"CLOUD_METADATA node:n1 cloud:aws/identity of the nodes of blue"}},
		{"a node of no cloud", "{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {providerID: 'kind://docker/kind/n1'}}", nil},
		{"a pod on the node's network", node + in(host, "true"), []string{"CLOUD_METADATA group:network of shop/Pod/p cloud:aws/identity of the nodes of blue", "CLOUD_METADATA node:n1 cloud:aws/identity of the nodes of blue"}},
		{"a pod on its own", node + in(host, "false"), []string{"CLOUD_METADATA node:n1 cloud:aws/identity of the nodes of blue"}},
		{"mapped to masters", in(auth, "system:masters"), []string{"CLOUD_MAPPED cloud:aws/arn:aws:iam::1:role/ops identity:Group system:masters", "CLOUD_MAPPED cloud:aws/arn:aws:iam::1:role/ops identity:User ops"}},
		{"nodes are mapped", strings.ReplaceAll(in(auth, "system:nodes"), "username: ops, ", ""), nil},
		{"a map of another name", strings.ReplaceAll(in(auth, "system:masters"), "aws-auth", "other"), nil},
		{"an access entry", "{apiVersion: eks.services.k8s.aws/v1alpha1, kind: AccessEntry, metadata: {name: x, namespace: ack}, spec: {principalARN: ann, kubernetesGroups: [ops], accessPolicies: [{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy', accessScope: {type: cluster}}]}}", []string{
			"CLOUD_BY_OPERATOR group:operator of eks.services.k8s.aws cloud:aws/identity of the operators", "CLOUD_MAPPED cloud:aws/ann cluster-admin", "CLOUD_MAPPED cloud:aws/ann identity:Group ops"}},
		{"an identity of aad-pod-identity", in(pod, "web") + "{apiVersion: aadpodidentity.k8s.io/v1, kind: AzureIdentity, metadata: {name: i, namespace: shop}, spec: {clientID: id}}\n---\n{apiVersion: aadpodidentity.k8s.io/v1, kind: AzureIdentityBinding, metadata: {name: b, namespace: shop}, spec: {azureIdentity: i, selector: web}}", []string{"CLOUD_ROLE workload:shop/Pod/p cloud:azure/id"}},
		{"a pod that is not selected", in(pod, "other") + "{apiVersion: aadpodidentity.k8s.io/v1, kind: AzureIdentity, metadata: {name: i, namespace: shop}, spec: {clientID: id}}\n---\n{apiVersion: aadpodidentity.k8s.io/v1, kind: AzureIdentityBinding, metadata: {name: b, namespace: shop}, spec: {azureIdentity: i, selector: web}}", nil},
		{"an exception", in(pod, "web") + "{apiVersion: aadpodidentity.k8s.io/v1, kind: AzurePodIdentityException, metadata: {name: e, namespace: shop}, spec: {podLabels: {aadpodidbinding: web}}}", []string{
			"AZURE_POD_IDENTITY_EXCEPTION group:new pods of shop cloud:azure/identity of the nodes", "AZURE_POD_IDENTITY_EXCEPTION workload:shop/Pod/p cloud:azure/identity of the nodes", "MEMBER_OF group:new pods group:new pods of shop"}},
		{"a provider's secret", "{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: default}, spec: {credentials: {source: Secret, secretRef: {namespace: crossplane-system, name: creds}}}}", []string{
			"CLOUD_BY_OPERATOR group:operator of aws.upbound.io cloud:aws/identity of the operators", "CLOUD_KEYS secret:crossplane-system/creds cloud:aws/identity of the operators"}},
		{"a provider without one", "{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: default}, spec: {credentials: {source: IRSA}}}", []string{"CLOUD_BY_OPERATOR group:operator of aws.upbound.io cloud:aws/identity of the operators"}},
		{"a provider of another cloud", "{apiVersion: hcloud.crossplane.io/v1alpha1, kind: ProviderConfig, metadata: {name: default}, spec: {credentials: {source: Secret, secretRef: {namespace: crossplane-system, name: creds}}}}", []string{
			"CLOUD_BY_OPERATOR group:operator of hcloud.crossplane.io cloud:hetzner/identity of the operators", "CLOUD_KEYS secret:crossplane-system/creds cloud:hetzner/identity of the operators"}},
		{"Crossplane itself", "{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: x}}", nil},
		{"a node of another cloud", "{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {providerID: 'ibm:///x'}}", []string{"CLOUD_METADATA node:n1 cloud:ibm/identity of the nodes"}},
		{"Config Connector", "{apiVersion: core.cnrm.cloud.google.com/v1beta1, kind: ConfigConnectorContext, metadata: {name: c, namespace: shop}, spec: {googleServiceAccount: x@p}}", []string{
			"CLOUD_BY_OPERATOR group:operator of core.cnrm.cloud.google.com cloud:gcp/identity of the operators", "CLOUD_ROLE account:cnrm-system/cnrm-controller-manager-shop cloud:gcp/x@p", "CLOUD_ROLE cloud:gcp/identity of the operators cloud:gcp/x@p"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range relate(t, tt.text).Relations {
				got = append(got, r.Type+" "+string(r.From)+" "+string(r.To))
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPatches holds what the patches of remedies take out.
func TestPatches(t *testing.T) {
	for _, tt := range []struct{ text, gone string }{
		{"{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: shop, annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/x', team: shop}}}", "role-arn"},
		{"{apiVersion: eks.services.k8s.aws/v1alpha1, kind: AccessEntry, metadata: {name: x, namespace: ack}, spec: {principalARN: ann, kubernetesGroups: [dev, ops]}}", "dev"},
		{node + strings.ReplaceAll(host, "%", "true"), "hostNetwork"},
	} {
		found := false
		for _, r := range relate(t, tt.text).Remedies {
			if r.Fix != nil && r.Fix.Patch != nil {
				found = found || strings.Contains(r.Fix.Patch.Text, tt.gone)
			}
		}
		if !found {
			t.Errorf("no patch takes %s out", tt.gone)
		}
	}
}

func TestRemedies(t *testing.T) {
	g := relate(t, strings.ReplaceAll(auth, "%", "system:masters"), bulwark.Finding{Rule: "rbac/cloud-identity-admin", Subject: "kube-system/ConfigMap/aws-auth", Asset: "k8s:x", Key: "k", Fix: &bulwark.Fix{Text: "mend"}})
	for _, r := range g.Relations {
		masters := strings.HasSuffix(string(r.To), "system:masters")
		if got := slices.Equal(r.Because, []string{"k"}); got != masters {
			t.Errorf("%s is because of %q", r.To, r.Because)
		}
		if r.Place == nil || r.Place.Path != "f.yaml" || len(r.Remedies) == 0 {
			t.Errorf("%s: place %v, remedies %q", r.To, r.Place, r.Remedies)
		}
	}
}
