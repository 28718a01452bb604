package network_test

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/kube/kubetest"
	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// said is an exposure as a line: "web by Ingress on TCP 8080 from everywhere: Ingress, Service".
func said(e *network.Engine, x *network.Exposure) string {
	var through, by []string
	for _, h := range x.Through {
		through = append(through, h.Object.Kind+"/"+h.Object.Name)
	}
	for _, p := range x.ClosedBy {
		by = append(by, p.Name)
	}
	line := e.Endpoints[x.Endpoint].Name + " by " + x.By
	if x.Open() {
		line += fmt.Sprintf(" on %v from %s: %s", x.Ports, x.Sources(), strings.Join(through, ", "))
	} else {
		line += fmt.Sprintf(" closed on %v by %s", x.Closed, strings.Join(by, ", "))
	}
	if len(x.Conditions) > 0 {
		line += " (" + strings.Join(x.Conditions, "; ") + ")"
	}
	return line
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}]}}}
---
`

func service(spec string) string {
	return web + `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: main, port: 80, targetPort: http}, {name: admin, port: 81, targetPort: 9000}]` + spec + `}
---
`
}

func policy(ingress string) string {
	return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: ` + ingress + `}
---
`
}

const nodes = "nodes can be reached from outside"

func TestExposures(t *testing.T) {
	ingress := func(notes, more string) string {
		return service("") + `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, namespace: shop, annotations: {` + notes + `}}
spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: web, port: {name: main}}}}]}}]` + more + `}
---
`
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a Service for the cluster", service(""), nil},
		{"headless", service(", clusterIP: None"), nil},
		{"load balancer", service(", type: LoadBalancer"), []string{"web by load balancer on TCP 8080,9000 from everywhere: Service/web"}},
		{"load balancer with ranges", service(", type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], allocateLoadBalancerNodePorts: false"),
			[]string{"web by load balancer on TCP 8080,9000 from 203.0.113.0/24: Service/web"}},
		{"ranges say nothing of nodes", service(", type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24]"),
			[]string{"web by load balancer on TCP 8080,9000 from 203.0.113.0/24: Service/web (its ports of nodes know nothing of the source ranges)"}},
		{"class for the inside", service(", type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb"),
			[]string{"web by load balancer on TCP 8080,9000 from 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::/127, fc00::/7, and 1 more: Service/web (the load balancer is for private networks; its ports of nodes are not for private networks alone)"}},
		{"load balancer, ranges in notes", strings.Replace(service(", type: LoadBalancer"), "{name: web, namespace: shop}\nspec: {selector", "{name: web, namespace: shop, annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: '203.0.113.0/24,2001:db8::/32'}}\nspec: {selector", 1),
			[]string{"web by load balancer on TCP 8080,9000 from 203.0.113.0/24, 2001:db8::/32: Service/web (its ports of nodes know nothing of the source ranges)"}},
		{"node port, and a policy for other clients", service(", type: NodePort, externalTrafficPolicy: Local") + policy("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
			[]string{"web by node port on TCP 8080,9000 from 10.0.0.0/8: Service/web (" + nodes + ")"}},
		{"node port of nodes with private addresses alone", service(", type: NodePort") + "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n",
			[]string{"web by node port on TCP 8080,9000 from 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::/127, fc00::/7, and 1 more: Service/web (nodes have private addresses only)"}},
		{"external address of a private network", service(", externalIPs: [10.0.0.9]"), []string{"web by external address on TCP 8080,9000 from 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::/127, fc00::/7, and 1 more: Service/web (what is sent to the address comes to a node)"}},
		{"a Service without a selector whose endpoints are elsewhere", listed + "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, namespace: shop, labels: {kubernetes.io/service-name: s}}\nports: [{port: 8080}]\nendpoints: [{addresses: [192.0.2.1]}]\n", nil},
		{"default backend", strings.Replace(ingress("", ""), "{rules: [{http: {paths: [{path: /, backend: {service: {name: web, port: {name: main}}}}]}}]", "{defaultBackend: {service: {name: web, port: {number: 81}}}", 1),
			[]string{"web by Ingress on TCP 9000 from everywhere: Ingress/in, Service/web"}},
		{"an ingress to a name of another Service", strings.Replace(ingress("", ""), "service: {name: web", "service: {name: alias", 1) + "apiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: shop}\nspec: {type: ExternalName, externalName: web.shop.svc.cluster.local}\n",
			[]string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web"}},
		{"a class that is not there", ingress("", ", ingressClassName: moon") + classed("sun", ""), []string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web (a controller answers for the class moon: no IngressClass is called so)"}},
		{"no class, and none is the default", ingress("", "") + classed("sun", ""), []string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web (a controller answers for Ingresses without a class: no IngressClass is the default)"}},
		{"the default class", ingress("", "") + classed("sun", "ingressclass.kubernetes.io/is-default-class: 'true'"), []string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web"}},
		{"a route's other backends", service("") + "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: shop}\nspec: {to: {kind: Service, name: none, weight: 0}, alternateBackends: [{kind: Service, name: web}], port: {targetPort: main}}\n",
			[]string{"web by Route on TCP 8080 from everywhere: Route/r, Service/web"}},
		{"node port", service(", type: NodePort"), []string{"web by node port on TCP 8080,9000 from everywhere: Service/web (" + nodes + ")"}},
		{"node port of public nodes", service(", type: NodePort") + "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nstatus: {addresses: [{type: ExternalIP, address: 8.8.8.8}]}\n",
			[]string{"web by node port on TCP 8080,9000 from everywhere: Service/web"}},
		{"external address", service(", externalIPs: [8.8.4.4]"), []string{"web by external address on TCP 8080,9000 from everywhere: Service/web (what is sent to the address comes to a node)"}},
		{"external name", web + "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: ExternalName, externalName: example.com}\n", nil},
		{"policy that closes", service(", type: LoadBalancer") + policy("[]"), []string{"web by load balancer closed on TCP 8080,9000 by guard"}},
		{"policy that closes a port", service(", type: LoadBalancer, externalTrafficPolicy: Local") + policy("[{ports: [{port: 8080}]}]"),
			[]string{"web by load balancer closed on TCP 9000 by guard", "web by load balancer on TCP 8080 from everywhere: Service/web"}},
		{"policy that lets a range in", service(", type: LoadBalancer, externalTrafficPolicy: Local") + policy("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"),
			[]string{"web by load balancer on TCP 8080,9000 from 203.0.113.0/24: Service/web"}},
		{"policy that lets nodes in", service(", type: LoadBalancer") + policy("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
			[]string{"web by load balancer on TCP 8080,9000 from 10.0.0.0/8: Service/web",
				"web by load balancer on TCP 8080,9000 from everywhere: Service/web (policies see the address of a node for that of the client (externalTrafficPolicy: Cluster), and let it in)"}},
		{"ingress", ingress("", ""), []string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web"}},
		{"ingress with a list of sources", ingress(`"nginx.ingress.kubernetes.io/whitelist-source-range": "198.51.100.7"`, ""), []string{"web by Ingress on TCP 8080 from 198.51.100.7/32: Ingress/in, Service/web"}},
		{"ingress that asks who comes", ingress(`"nginx.ingress.kubernetes.io/auth-url": "https://x"`, ""),
			[]string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web (the controller asks who comes (nginx.ingress.kubernetes.io/auth-url))"}},
		{"ingress and a policy that closes", ingress("", "") + policy("[]"), []string{"web by Ingress closed on TCP 8080 by guard"}},
		{"ingress and a policy for a controller that is elsewhere", ingress("", "") + policy("[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]"),
			[]string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web (the controller is whom shop/NetworkPolicy/guard lets in: pods that are not among the objects)"}},
		{"ingress of a controller that is there", ingress("", ", ingressClassName: nginx") + controller + policy("[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]"),
			[]string{"controller by load balancer on TCP 443 from everywhere: Service/edge", "web by Ingress on TCP 8080 from everywhere: Service/edge, Deployment/controller, Ingress/in, Service/web"}},
		{"what a rule asks of requests", service(", type: LoadBalancer") + asking, []string{"web by load balancer closed on TCP 9000 by ask", "web by load balancer on TCP 8080 from everywhere: Service/web (only GET)"}},
		{"what a rule asks of what a controller hands on", ingress("", "") + asking, []string{"web by Ingress on TCP 8080 from everywhere: Ingress/in, Service/web (only GET)"}},
		{"route", service("") + "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: shop, annotations: {haproxy.router.openshift.io/ip_whitelist: 192.0.2.0/24 198.51.100.0/24}}\nspec: {to: {kind: Service, name: web}, port: {targetPort: admin}}\n",
			[]string{"web by Route on TCP 9000 from 192.0.2.0/24, 198.51.100.0/24: Route/r, Service/web"}},
		{"host port", strings.Replace(web, "containerPort: 8080", "containerPort: 8080, hostPort: 80", 1), []string{"web by host port on TCP 8080 from everywhere: Deployment/web (" + nodes + ")"}},
		{"host port of the node alone", strings.Replace(web, "containerPort: 8080", "containerPort: 8080, hostPort: 80, hostIP: 127.0.0.1", 1), nil},
		{"host network, past policies", strings.Replace(web, "containers:", "hostNetwork: true, containers:", 1) + policy("[]"), []string{"web by host network on TCP 8080 from everywhere: Deployment/web (" + nodes + ")"}},
		{"public address", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}\nstatus: {podIP: 8.8.8.8}\n",
			[]string{"p by public address on TCP 80 from everywhere: Pod/p"}},
		{"listed endpoints", listed + "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, namespace: shop, labels: {kubernetes.io/service-name: s}}\nports: [{name: '', port: 8080}]\nendpoints: [{addresses: [10.1.2.3]}]\n",
			[]string{"p by load balancer on TCP 8080 from everywhere: Service/s"}},
		{"listed pods", listed + "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: shop}\nsubsets: [{addresses: [{ip: 1.2.3.4, targetRef: {kind: Pod, name: p}}], ports: [{port: 8080}]}]\n",
			[]string{"p by load balancer on TCP 8080 from everywhere: Service/s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := network.New(kubetest.Set(t, tt.text))
			var got []string
			for _, x := range e.Exposures() {
				got = append(got, said(e, &x))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const controller = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: ingress-nginx}
spec: {template: {metadata: {labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 443}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: ingress-nginx}
spec: {type: LoadBalancer, selector: {app.kubernetes.io/name: ingress-nginx}, ports: [{port: 443}]}
---
`

const asking = `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: ask, namespace: shop}
spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]}]}
---
`

func classed(name, notes string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + ", annotations: {" + notes + "}}\nspec: {controller: example.com/" + name + "}\n---\n"
}

const listed = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {containers: [{name: c, image: x}]}
status: {podIP: 10.1.2.3}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
`

// Each cloud's way to say that a load balancer is for the inside leaves nothing to the Internet.
func TestInternalBalancers(t *testing.T) {
	for name, value := range map[string]string{
		"service.beta.kubernetes.io/aws-load-balancer-internal": "true", "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
		"service.beta.kubernetes.io/azure-load-balancer-internal": "true", "networking.gke.io/load-balancer-type": "Internal", "cloud.google.com/load-balancer-type": "Internal",
		"service.beta.kubernetes.io/openstack-internal-load-balancer": "true", "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
		"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": "private", "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
		"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": "subnet-1",
	} {
		text := strings.Replace(service(", type: LoadBalancer"), "{name: web, namespace: shop}\nspec: {selector", "{name: web, namespace: shop, annotations: {'"+name+"': '"+value+"'}}\nspec: {selector", 1)
		e := network.New(kubetest.Set(t, text))
		list := e.Exposed()
		if len(list) != 1 || list[0].Internet() || !list[0].ByTypeAlone() {
			t.Errorf("%s: %s makes %v", name, value, list)
		}
	}
}

func TestBadRanges(t *testing.T) {
	e := network.New(kubetest.Set(t, service(", type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24, nonsense]")))
	if len(e.Problems) != 1 || !strings.Contains(e.Problems[0].Text, "nonsense") {
		t.Errorf("problems: %v", e.Problems)
	}
	if list := e.Exposed(); len(list) != 1 || list[0].Sources() != "203.0.113.0/24" {
		t.Errorf("exposed: %v", list)
	}
}
