package network_test

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/network"
)

const anyPolicy = `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"a"},"spec":{"podSelector":{}}}`

// daemons is a DaemonSet of some images; of the last with an argument.
func daemons(arg string, images ...string) string {
	var list []string
	for i, image := range images {
		list = append(list, fmt.Sprintf(`{"name":"c%d","image":%q,"args":[%q]}`, i, image, arg))
	}
	return `{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"net` + fmt.Sprint(len(images)) + `","namespace":"kube-system"},"spec":{"template":{"metadata":{"labels":{"k8s-app":"net"}},"spec":{"hostNetwork":true,"containers":[` + strings.Join(list, ",") + `]}}}}`
}

// What an answer depends on besides the policies that are read is said.
func TestNotes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		objects []string
		want    string // in the only problem; "": there is none
	}{
		{"flannel", []string{daemons("", "docker.io/flannel/flannel:v0.26")}, "Flannel alone"},
		{"canal", []string{daemons("", "docker.io/calico/node:v3.29", "docker.io/flannel/flannel:v0.26")}, ""},
		{"old kindnet", []string{daemons("", "docker.io/kindest/kindnetd:v20240202-8f1494ea")}, "kindnet"},
		{"kindnet", []string{daemons("", "docker.io/kindest/kindnetd:v20250512-df8de77b")}, ""},
		{"Amazon's without agent", []string{daemons("", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20")}, "without its network policy agent"},
		{"Amazon's with the agent off", []string{daemons("--enable-network-policy=false", "x/amazon-k8s-cni:v1.20", "x/amazon/aws-network-policy-agent:v1.2")}, "agent is off"},
		{"Amazon's", []string{daemons("--enable-network-policy=true", "x/amazon-k8s-cni:v1.20", "x/amazon/aws-network-policy-agent:v1.2")}, ""},
		{"Cilium that is told not to", []string{daemons("", "quay.io/cilium/cilium:v1.18"), `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cilium-config","namespace":"kube-system"},"data":{"enable-policy":"never"}}`}, "never to enforce"},
		{"host network", []string{`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"h","namespace":"a"},"spec":{"template":{"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"x"}]}}}}`}, "network of its node"},
		{"another kind", []string{`{"apiVersion":"crd.antrea.io/v1beta1","kind":"ClusterNetworkPolicy","metadata":{"name":"x"},"spec":{}}`}, "without the 1 of kind ClusterNetworkPolicy (crd.antrea.io)"},
	} {
		problems := network.New(textsOf(t, append(tt.objects, anyPolicy)...)).Problems
		if tt.want == "" && len(problems) > 0 || tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Text, tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, problems, tt.want)
		}
	}
}
