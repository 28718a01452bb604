package network_test

import (
	"strings"
	"testing"

	"bulwark/kube/kubetest"
	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// gatewayed is a Gateway of the namespace edge with a listener, and a route of shop.
func gatewayed(listener, route string) string {
	return service("") + `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: edge}
spec: {gatewayClassName: any, listeners: [{name: l, port: 80, ` + listener + `}]}
---
` + route
}

func routeOf(kind, spec string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: r, namespace: shop}\nspec: {parentRefs: [{name: g, namespace: edge}], " + spec + "}\n---\n"
}

func TestGateways(t *testing.T) {
	const (
		all     = "allowedRoutes: {namespaces: {from: All}}"
		backend = "rules: [{backendRefs: [{name: web, port: 80}]}]"
		way     = "on TCP 8080 from everywhere: Gateway/g, "
	)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"HTTPRoute", gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", backend)), []string{"web by Gateway " + way + "HTTPRoute/r, Service/web"}},
		{"GRPCRoute", gatewayed("protocol: HTTPS, "+all, routeOf("GRPCRoute", backend)), []string{"web by Gateway " + way + "GRPCRoute/r, Service/web"}},
		{"TLSRoute", gatewayed("protocol: TLS, "+all, routeOf("TLSRoute", backend)), []string{"web by Gateway " + way + "TLSRoute/r, Service/web"}},
		{"TCPRoute", gatewayed("protocol: TCP, "+all, routeOf("TCPRoute", backend)), []string{"web by Gateway " + way + "TCPRoute/r, Service/web"}},
		{"a listener of another protocol", gatewayed("protocol: UDP, "+all, routeOf("TCPRoute", backend)), nil},
		{"UDPRoute", strings.Replace(gatewayed("protocol: UDP, "+all, routeOf("UDPRoute", backend)), "targetPort: http", "targetPort: 53, protocol: UDP", 1), []string{"web by Gateway on UDP 53 from everywhere: Gateway/g, UDPRoute/r, Service/web"}},
		{"UDPRoute to a port of TCP", gatewayed("protocol: UDP, "+all, routeOf("UDPRoute", backend)), nil},
		{"section", gatewayed("protocol: HTTP, "+all, strings.Replace(routeOf("HTTPRoute", backend), "namespace: edge}", "namespace: edge, sectionName: l, port: 80}", 1)), []string{"web by Gateway " + way + "HTTPRoute/r, Service/web"}},
		{"another section", gatewayed("protocol: HTTP, "+all, strings.Replace(routeOf("HTTPRoute", backend), "namespace: edge}", "namespace: edge, sectionName: other}", 1)), nil},
		{"another port", gatewayed("protocol: HTTP, "+all, strings.Replace(routeOf("HTTPRoute", backend), "namespace: edge}", "namespace: edge, port: 443}", 1)), nil},
		{"no namespace", gatewayed("protocol: HTTP, allowedRoutes: {namespaces: {from: None}}", routeOf("HTTPRoute", backend)), nil},
		{"a set of listeners", gatewayed("protocol: HTTP, "+all, strings.Replace(routeOf("HTTPRoute", backend), "{name: g, ", "{kind: ListenerSet, name: g, ", 1)), nil},
		{"a backend of another kind", gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", "rules: [{backendRefs: [{group: multicluster.x-k8s.io, kind: ServiceImport, name: web, port: 80}]}]")), nil},
		{"a class that is not there", gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", backend)) + "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: other}\nspec: {controllerName: example.com/x}\n",
			[]string{"web by Gateway " + way + "HTTPRoute/r, Service/web (a controller answers for the class any: no GatewayClass is called so)"}},
		{"kinds", gatewayed("protocol: HTTP, allowedRoutes: {namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}", routeOf("HTTPRoute", backend)), nil},
		{"the same namespace alone", gatewayed("protocol: HTTP", routeOf("HTTPRoute", backend)), nil},
		{"namespaces by label", gatewayed("protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {open: 'yes'}}}}", routeOf("HTTPRoute", backend)+"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {open: 'yes'}}\n"),
			[]string{"web by Gateway " + way + "HTTPRoute/r, Service/web"}},
		{"hosts that do not meet", gatewayed("protocol: HTTP, hostname: '*.example.com', "+all, routeOf("HTTPRoute", "hostnames: [example.org], "+backend)), nil},
		{"hosts that meet", gatewayed("protocol: HTTP, hostname: '*.example.com', "+all, routeOf("HTTPRoute", "hostnames: [a.example.com], "+backend)), []string{"web by Gateway " + way + "HTTPRoute/r, Service/web"}},
		{"weight 0", gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", "rules: [{backendRefs: [{name: web, port: 80, weight: 0}]}]")), nil},
		{"mirror", gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", "rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 81}}}]}]")), []string{"web by Gateway on TCP 9000 from everywhere: Gateway/g, HTTPRoute/r, Service/web"}},
		{"another namespace, without a grant", gatewayed("protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}", edgeRoute), nil},
		{"another namespace, granted", gatewayed("protocol: HTTP", edgeRoute+grant("HTTPRoute", "web")), []string{"web by Gateway " + way + "HTTPRoute/r, Service/web"}},
		{"a grant for another kind", gatewayed("protocol: HTTP", edgeRoute+grant("TCPRoute", "web")), nil},
		{"a grant for another Service", gatewayed("protocol: HTTP", edgeRoute+grant("HTTPRoute", "other")), nil},
		{"a Gateway that is elsewhere", service("") + routeOf("HTTPRoute", backend), []string{"web by Gateway on TCP 8080 from everywhere: HTTPRoute/r, Service/web (the Gateway edge/g is not among the objects)"}},
		{"a mesh's own", service("") + "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec: {parentRefs: [{kind: Service, name: web}], " + backend + "}\n", nil},
		{"private addresses", strings.Replace(gatewayed("protocol: HTTP, "+all, routeOf("HTTPRoute", backend)), "gatewayClassName: any", "gatewayClassName: any, addresses: [{value: 10.0.0.9}]", 1), []string{"private"}},
		{"Istio", service("") + istio("'*'"), []string{"web by Gateway " + way + "VirtualService/v, Service/web"}},
		{"Istio, hosts of another namespace", service("") + istio("edge/*"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := network.New(kubetest.Set(t, tt.text))
			var got []string
			for _, x := range e.Exposures() {
				line := said(e, &x)
				if x.Open() && !x.Internet() {
					line = "private"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff, e.Problems)
			}
		})
	}
}

const edgeRoute = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: edge}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}\n---\n"

func grant(kind, name string) string {
	return "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: x, namespace: shop}\nspec: {from: [{group: gateway.networking.k8s.io, kind: " + kind + ", namespace: edge}], to: [{group: '', kind: Service, name: " + name + "}]}\n"
}

func istio(hosts string) string {
	return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: edge}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, protocol: HTTP}, hosts: [" + hosts + "]}]}\n---\n" +
		"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: shop}\nspec: {hosts: [a.example.com], gateways: [edge/g], http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}\n"
}
