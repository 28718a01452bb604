package network_test

import (
	"fmt"
	"testing"

	"bulwark/kube/kubetest"
	"bulwark/network"
)

// Objects of every kind that exposure reads, whose fields have other shapes than they should,
// are answered for without a panic.
func TestExposuresOfOddShapes(t *testing.T) {
	for _, kind := range []string{"v1/Service", "v1/Endpoints", "v1/Node", "discovery.k8s.io/v1/EndpointSlice", "networking.k8s.io/v1/Ingress", "networking.k8s.io/v1/IngressClass", "route.openshift.io/v1/Route",
		"gateway.networking.k8s.io/v1/Gateway", "gateway.networking.k8s.io/v1/HTTPRoute", "gateway.networking.k8s.io/v1/ReferenceGrant", "networking.istio.io/v1/Gateway", "networking.istio.io/v1/VirtualService", "traefik.io/v1/IngressRoute", "projectcontour.io/v1/HTTPProxy"} {
		i := len(kind) - 1
		for kind[i] != '/' {
			i--
		}
		for _, body := range []string{"spec: text", "spec: [1, [2]]", "spec: {rules: text, ports: {a: 1}, selector: [x], parentRefs: {a: b}, listeners: 3}",
			"spec: {type: LoadBalancer, selector: {app: web}, ports: [1, {port: -1}, {port: 99999999999, targetPort: {}}]}", "spec: {rules: [[], {http: 1}, {http: {paths: [{backend: []}]}}, {backendRefs: [1, {name: []}]}], parentRefs: [{}], to: 5, gateways: [{}, 1]}",
			"subsets: [{addresses: [1], ports: [{port: 0}]}]\nendpoints: [1, {addresses: 3}]\nstatus: {addresses: [{address: '%'}], loadBalancer: []}\nspec: {externalIPs: {}, gateways: ['/', a/b/c], hosts: [1], servers: [{hosts: [1, '/']}], http: [{route: [{destination: 3}], mirror: x}]}"} {
			e := network.New(kubetest.Set(t, web+fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: web, namespace: shop}\n%s\n", kind[:i], kind[i+1:], body)))
			e.Exposures()
			e.Reaches()
		}
	}
}
