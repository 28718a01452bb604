package network_test

import (
	"os"
	"path/filepath"
	"testing"

	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// What real manifests expose, read by hand.
func TestExposedCorpora(t *testing.T) {
	const root = "../../shared/data/manifests/"
	if _, err := os.Stat(root); err != nil {
		t.Skip("the manifests of ../shared are not there")
	}
	const byNode = " (" + nodes + ")"
	for folder, want := range map[string][]string{
		"kubernetes-goat/scenarios": {"internal-proxy-deployment by node port on TCP 5000 from everywhere: Service/internal-proxy-info-app-service" + byNode},
		"microservices-demo/release": {
			"frontend by Gateway on TCP 8080 from everywhere: Gateway/istio-gateway, HTTPRoute/frontend-route, Service/frontend",
			"frontend by load balancer on TCP 8080 from everywhere: Service/frontend-external"},
		"kube-prometheus/manifests":    {"node-exporter by host network on TCP 9100 from everywhere: DaemonSet/node-exporter" + byNode},
		"k8s-examples/_archived/storm": {"storm-worker-controller by host port on TCP 6700-6703 from everywhere: Deployment/storm-worker-controller" + byNode},
		"k8s-examples/_archived/nodesjs-mongodb": {
			"mongo-controller by host port on TCP 27017 from everywhere: ReplicationController/mongo-controller" + byNode,
			"web-controller by load balancer on TCP 3000 from everywhere: Service/web"},
		"badpods/manifests/nothing-allowed": nil,
	} {
		t.Run(folder, func(t *testing.T) {
			e := network.New(objects(t, filepath.FromSlash(root+folder)))
			var got []string
			for _, x := range e.Exposures() {
				got = append(got, said(e, &x))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
