//go:build linux

package hostile

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// spaced are objects of the namespace bad that have many fields; clusterwide are of no namespace.
var spaced = map[string]string{
	"NetworkPolicy": `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"bad"},"spec":{"podSelector":{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},"policyTypes":["Ingress","Egress"],"ingress":[{"from":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}},{"namespaceSelector":{},"podSelector":{}}],"ports":[{"port":80,"endPort":90,"protocol":"TCP"},{"port":"http"}]}],"egress":[{"to":[{"podSelector":{}}]}]}}`,
	"CiliumNetworkPolicy": `{"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"a","namespace":"bad"},"spec":{"endpointSelector":{"matchLabels":{"k8s:a":"b"},"matchExpressions":[{"key":"any:a","operator":"In","values":["b"]}]},"enableDefaultDeny":{"ingress":true,"egress":false},"ingress":[{"fromEndpoints":[{"matchLabels":{"k8s:io.kubernetes.pod.namespace":"bad"}}],"fromEntities":["cluster"],"fromCIDR":["10.0.0.0/8"],"fromCIDRSet":[{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"],"cidrGroupRef":"g"}],"fromRequires":[{"matchLabels":{"a":"b"}}],"toPorts":[{"ports":[{"port":"80","endPort":90,"protocol":"TCP"}],"rules":{"http":[{"method":"GET","path":"/"}]},"listener":{"name":"l"}}],"icmps":[{"fields":[{"type":8,"family":"IPv4"}]}],"authentication":{"mode":"required"}}],
	"ingressDeny":[{"fromEndpoints":[{}]}],"egress":[{"toEndpoints":[{}],"toFQDNs":[{"matchName":"example.com"},{"matchPattern":"*.example.com"}],"toServices":[{"k8sService":{"serviceName":"s","namespace":"bad"},"k8sServiceSelector":{"selector":{"matchLabels":{"a":"b"}},"namespace":"bad"}}],"toGroups":[{"aws":{"securityGroupsIds":["x"]}}],"toNodes":[{"matchLabels":{"a":"b"}}],"toPorts":[{"ports":[{"port":"53","protocol":"ANY"}],"rules":{"dns":[{"matchPattern":"*"}]}}]}],"egressDeny":[{"toCIDR":["1.1.1.1/32"]}]},"specs":[{"endpointSelector":{},"ingress":[{}]}]}`,
	"Calico NetworkPolicy": `{"apiVersion":"projectcalico.org/v3","kind":"NetworkPolicy","metadata":{"name":"default.a","namespace":"bad"},"spec":{"tier":"default","order":10,"selector":"a == 'b' && has(x)","serviceAccountSelector":"all()","types":["Ingress","Egress"],"ingress":[{"action":"Allow","protocol":"TCP","notProtocol":"UDP","ipVersion":4,"icmp":{"type":8,"code":0},"source":{"selector":"a in {'b','c'}","notSelector":"x","namespaceSelector":"global()","nets":["10.0.0.0/8"],"notNets":["10.1.0.0/16"],"ports":[80,"90:100","http"],"notPorts":[1],"serviceAccounts":{"names":["s"],"selector":"all()"},"services":{"name":"s","namespace":"bad"}},"destination":{"ports":[80],"domains":["example.com"]},"http":{"methods":["GET"],"paths":[{"exact":"/"}]}}],"egress":[{"action":"Deny","destination":{"nets":["0.0.0.0/0"]}}]}}`,
	"AuthorizationPolicy":  `{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"a","namespace":"bad"},"spec":{"action":"ALLOW","selector":{"matchLabels":{"a":"b"}},"targetRefs":[{"group":"","kind":"Service","name":"s"}],"provider":{"name":"p"},"rules":[{"from":[{"source":{"principals":["cluster.local/ns/bad/sa/s"],"notPrincipals":["*"],"namespaces":["bad"],"notNamespaces":["x"],"ipBlocks":["10.0.0.0/8"],"notIpBlocks":["10.1.0.0/16"],"remoteIpBlocks":["1.1.1.1"],"requestPrincipals":["*"],"serviceAccounts":["bad/s"]}}],"to":[{"operation":{"ports":["80"],"notPorts":["81"],"hosts":["*"],"methods":["GET"],"paths":["/"]}}],"when":[{"key":"source.namespace","values":["bad"],"notValues":["x"]}]}]}}`,
	"PeerAuthentication":   `{"apiVersion":"security.istio.io/v1","kind":"PeerAuthentication","metadata":{"name":"a","namespace":"bad"},"spec":{"selector":{"matchLabels":{"a":"b"}},"mtls":{"mode":"STRICT"},"portLevelMtls":{"80":{"mode":"PERMISSIVE"}}}}`,
	"Sidecar":              `{"apiVersion":"networking.istio.io/v1","kind":"Sidecar","metadata":{"name":"a","namespace":"bad"},"spec":{"workloadSelector":{"labels":{"a":"b"}},"egress":[{"hosts":["./*"],"port":{"number":80}}],"outboundTrafficPolicy":{"mode":"REGISTRY_ONLY"}}}`,
	"Istio Gateway":        `{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"a","namespace":"bad"},"spec":{"selector":{"a":"b"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"n","targetPort":8080},"hosts":["bad/*"],"tls":{"mode":"SIMPLE"}}]}}`,
	"VirtualService":       `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a","namespace":"bad"},"spec":{"hosts":["h"],"gateways":["a","mesh"],"exportTo":["."],"http":[{"match":[{"uri":{"prefix":"/"}}],"route":[{"destination":{"host":"s.bad.svc.cluster.local","port":{"number":80}},"weight":1}]}],"tcp":[{"route":[{"destination":{"host":"s"}}]}],"tls":[{"match":[{"sniHosts":["h"]}],"route":[{"destination":{"host":"s"}}]}]}}`,
	"Gateway":              `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"a","namespace":"bad"},"spec":{"gatewayClassName":"g","addresses":[{"type":"IPAddress","value":"1.2.3.4"}],"listeners":[{"name":"l","port":80,"protocol":"HTTP","hostname":"h","tls":{"mode":"Terminate","certificateRefs":[{"name":"n","namespace":"x"}]},"allowedRoutes":{"kinds":[{"kind":"HTTPRoute"}],"namespaces":{"from":"Selector","selector":{"matchLabels":{"a":"b"}}}}}]}}`,
	"HTTPRoute":            `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"a","namespace":"bad"},"spec":{"parentRefs":[{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"a","namespace":"bad","sectionName":"l","port":80}],"hostnames":["h"],"rules":[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}],"filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"name":"s","port":1}}}],"backendRefs":[{"group":"","kind":"Service","name":"s","namespace":"bad","port":80,"weight":1}]}]}}`,
	"TCPRoute":             `{"apiVersion":"gateway.networking.k8s.io/v1alpha2","kind":"TCPRoute","metadata":{"name":"a","namespace":"bad"},"spec":{"parentRefs":[{"name":"a"}],"rules":[{"backendRefs":[{"name":"s","port":80}]}]}}`,
	"TLSRoute":             `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"TLSRoute","metadata":{"name":"a","namespace":"bad"},"spec":{"parentRefs":[{"name":"a"}],"hostnames":["h"],"rules":[{"backendRefs":[{"name":"s","port":80}]}]}}`,
	"GRPCRoute":            `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GRPCRoute","metadata":{"name":"a","namespace":"bad"},"spec":{"parentRefs":[{"name":"a"}],"rules":[{"matches":[{"method":{"service":"x"}}],"backendRefs":[{"name":"s","port":80}]}]}}`,
	"ReferenceGrant":       `{"apiVersion":"gateway.networking.k8s.io/v1beta1","kind":"ReferenceGrant","metadata":{"name":"a","namespace":"bad"},"spec":{"from":[{"group":"gateway.networking.k8s.io","kind":"HTTPRoute","namespace":"x"}],"to":[{"group":"","kind":"Service","name":"s"}]}}`,
	"Route":                `{"apiVersion":"route.openshift.io/v1","kind":"Route","metadata":{"name":"a","namespace":"bad","annotations":{"haproxy.router.openshift.io/ip_whitelist":"10.0.0.0/8"}},"spec":{"host":"h","path":"/","to":{"kind":"Service","name":"s","weight":1},"alternateBackends":[{"kind":"Service","name":"t"}],"port":{"targetPort":"http"},"tls":{"termination":"edge","insecureEdgeTerminationPolicy":"Allow"}}}`,
	"Ingress":              `{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"a","namespace":"bad","annotations":{"nginx.ingress.kubernetes.io/whitelist-source-range":"10.0.0.0/8"}},"spec":{"ingressClassName":"n","defaultBackend":{"service":{"name":"s","port":{"number":80}},"resource":{"kind":"Service","name":"s"}},"tls":[{"hosts":["h"],"secretName":"s"}],"rules":[{"host":"h","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"s","port":{"name":"p"}}}}]}}]}}`,
	"old Ingress":          `{"apiVersion":"extensions/v1beta1","kind":"Ingress","metadata":{"name":"b","namespace":"bad"},"spec":{"backend":{"serviceName":"s","servicePort":80},"rules":[{"http":{"paths":[{"backend":{"serviceName":"s","servicePort":"http"}}]}}]}}`,
	"Service":              `{"apiVersion":"v1","kind":"Service","metadata":{"name":"s","namespace":"bad","labels":{"a":"b"},"annotations":{"service.beta.kubernetes.io/aws-load-balancer-internal":"true"}},"spec":{"type":"LoadBalancer","clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1"],"selector":{"a":"b"},"externalIPs":["1.2.3.4"],"loadBalancerIP":"1.2.3.4","loadBalancerSourceRanges":["10.0.0.0/8"],"externalTrafficPolicy":"Local","ports":[{"port":80,"targetPort":"http","nodePort":30022,"protocol":"TCP","name":"p"}]},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4","hostname":"h"}]}}}`,
	"Endpoints":            `{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"s","namespace":"bad"},"subsets":[{"addresses":[{"ip":"10.1.2.3","targetRef":{"kind":"Pod","name":"client","namespace":"bad"}}],"ports":[{"port":80,"name":"p","protocol":"TCP"}]}]}`,
	"EndpointSlice":        `{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"s-1","namespace":"bad","labels":{"kubernetes.io/service-name":"s"}},"addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"],"conditions":{"ready":true},"targetRef":{"kind":"Pod","name":"client","namespace":"bad"}}],"ports":[{"port":80,"name":"p","protocol":"TCP"}]}`,
	"NetworkSet":           `{"apiVersion":"projectcalico.org/v3","kind":"NetworkSet","metadata":{"name":"a","namespace":"bad","labels":{"a":"b"}},"spec":{"nets":["10.0.0.0/8"],"allowedEgressDomains":["example.com"]}}`,
	"IngressRoute":         `{"apiVersion":"traefik.io/v1alpha1","kind":"IngressRoute","metadata":{"name":"a","namespace":"bad"},"spec":{"entryPoints":["web"],"routes":[{"kind":"Rule","match":"Host(` + "`h`" + `)","middlewares":[{"name":"m"}],"services":[{"kind":"Service","name":"s","namespace":"bad","port":80}]}],"tls":{"secretName":"s"}}}`,
	"HTTPProxy":            `{"apiVersion":"projectcontour.io/v1","kind":"HTTPProxy","metadata":{"name":"a","namespace":"bad"},"spec":{"virtualhost":{"fqdn":"h","tls":{"passthrough":true}},"includes":[{"name":"a","namespace":"bad"}],"routes":[{"conditions":[{"prefix":"/"}],"services":[{"name":"s","port":80}]}],"tcpproxy":{"services":[{"name":"s","port":80}],"include":{"name":"a"}}}}`,
	"ReplicaSet":           `{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"r","namespace":"bad","uid":"u","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"d","uid":"v","controller":true,"blockOwnerDeletion":true}]},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i","ports":[{"name":"http","containerPort":80,"hostPort":80,"hostIP":"0.0.0.0","protocol":"TCP"}],"env":[{"name":"DB","value":"s:80"}],"livenessProbe":{"httpGet":{"port":"http"}}}]}}}}`,
}

var clusterwide = map[string]string{
	"AdminNetworkPolicy":             `{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"AdminNetworkPolicy","metadata":{"name":"a"},"spec":{"priority":10,"subject":{"pods":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"bad"}},"podSelector":{"matchLabels":{"a":"b"}}}},"ingress":[{"name":"r","action":"Deny","from":[{"namespaces":{"matchLabels":{"a":"b"}}},{"pods":{"namespaceSelector":{},"podSelector":{}}}],"ports":[{"portNumber":{"port":80,"protocol":"TCP"}},{"portRange":{"start":1,"end":2,"protocol":"UDP"}},{"namedPort":"http"}]}],"egress":[{"name":"e","action":"Pass","to":[{"networks":["10.0.0.0/8"]},{"nodes":{"matchLabels":{"a":"b"}}},{"domainNames":["example.com"]}]}]}}`,
	"BaselineAdminNetworkPolicy":     `{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"BaselineAdminNetworkPolicy","metadata":{"name":"default"},"spec":{"subject":{"namespaces":{"matchLabels":{"kubernetes.io/metadata.name":"bad"}}},"ingress":[{"name":"r","action":"Deny","from":[{"namespaces":{}}]}],"egress":[{"action":"Allow","to":[{"networks":["0.0.0.0/0"]}],"ports":[{"portNumber":{"port":80,"protocol":"TCP"}}]}]}}`,
	"ClusterNetworkPolicy":           `{"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"a"},"spec":{"tier":"Admin","priority":10,"subject":{"namespaces":{"matchLabels":{"kubernetes.io/metadata.name":"bad"}}},"ingress":[{"name":"r","action":"Accept","from":[{"pods":{"namespaceSelector":{},"podSelector":{}}}],"protocols":[{"tcp":{"destinationPort":{"number":80,"range":{"start":1,"end":2}}}}]}],"egress":[{"action":"Deny","to":[{"networks":["10.0.0.0/8"]},{"domainNames":["example.com"]}]}]}}`,
	"CiliumClusterwideNetworkPolicy": `{"apiVersion":"cilium.io/v2","kind":"CiliumClusterwideNetworkPolicy","metadata":{"name":"a"},"spec":{"endpointSelector":{"matchLabels":{"k8s:io.kubernetes.pod.namespace":"bad"}},"nodeSelector":{"matchLabels":{"a":"b"}},"ingress":[{"fromEntities":["world"],"toPorts":[{"ports":[{"port":"80"}]}]}],"egress":[{"toCIDRSet":[{"cidrGroupSelector":{"matchLabels":{"a":"b"}}}]}]}}`,
	"CiliumCIDRGroup":                `{"apiVersion":"cilium.io/v2","kind":"CiliumCIDRGroup","metadata":{"name":"g","labels":{"a":"b"}},"spec":{"externalCIDRs":["10.0.0.0/8","x"]}}`,
	"GlobalNetworkPolicy":            `{"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkPolicy","metadata":{"name":"a"},"spec":{"order":1,"tier":"t","selector":"projectcalico.org/namespace == 'bad'","namespaceSelector":"all()","doNotTrack":false,"preDNAT":false,"applyOnForward":true,"types":["Ingress"],"ingress":[{"action":"Pass","source":{"nets":["0.0.0.0/0"]}}],"egress":[{"action":"Log"}]}}`,
	"GlobalNetworkSet":               `{"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkSet","metadata":{"name":"a","labels":{"a":"b"}},"spec":{"nets":["10.0.0.0/8"]}}`,
	"Tier":                           `{"apiVersion":"projectcalico.org/v3","kind":"Tier","metadata":{"name":"t"},"spec":{"order":5,"defaultAction":"Pass"}}`,
	"Namespace":                      `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"bad","labels":{"istio-injection":"enabled","a":"b"},"annotations":{"net.beta.kubernetes.io/network-policy":"x"}}}`,
	"Node":                           `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","labels":{"a":"b"}},"spec":{"podCIDR":"10.0.0.0/24","podCIDRs":["10.0.0.0/24"],"providerID":"aws:///x"},"status":{"addresses":[{"type":"ExternalIP","address":"1.2.3.4"}]}}`,
	"GatewayClass":                   `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":"g"},"spec":{"controllerName":"x/y","parametersRef":{"name":"p"}}}`,
	"IngressClass":                   `{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"n","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"x/y","parameters":{"kind":"k"}}}`,
}

// misfit stands where another type belongs, beside wrongValues.
var misfit = []string{`"10.0.0.0/33"`, `"all() ||| ("`, `99999999999999999999`, `-0.5`, `[[[]]]`, `""`, `{}`}

// TestKindsOfWrongTypes puts values of every type into every field of what the network is made of. What
// is of another namespace changes nothing in the shop.
func TestKindsOfWrongTypes(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		objects map[string]string
		open    bool
	}{{spaced, false}, {clusterwide, true}} {
		for name, text := range group.objects {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := 0
				town{open: group.open, most: maxRSS * 3 / 2, files: map[string]string{"b.yaml": client}, make: func(r *room) {
					r.spill("src/a.json", func(w io.Writer) {
						fmt.Fprintln(w, strings.ReplaceAll(text, "\n", ""))
						for put := range fieldsOf(t, text) {
							for _, value := range slices.Concat(wrongValues, misfit) {
								n++
								fmt.Fprintf(w, "---\n%s\n", put(n, value))
							}
						}
					})
				}}.try(t)
				t.Logf("%d objects", n)
			})
		}
	}
}

// TestHugeKinds: policies and fronts of other kinds, each as large as a document may be.
func TestHugeKinds(t *testing.T) {
	t.Parallel()
	head := func(kind, spec string) string {
		text := slices.Collect(maps.Values(map[string]string{"": spaced[kind] + clusterwide[kind]}))[0]
		api, _, _ := strings.Cut(strings.TrimPrefix(text, `{"apiVersion":"`), `"`)
		_, kind, _ = strings.Cut(text, `"kind":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		return client + "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: huge, namespace: bad}\nspec:\n  " + spec + "\n"
	}
	for name, w := range map[string]town{
		"rules of a mesh":             {make: counted("a.yaml", head("AuthorizationPolicy", "rules:"), 15_000, "  - {from: [{source: {namespaces: [n%[1]d], principals: [p%[1]d]}}], to: [{operation: {ports: ['%[1]d']}}]}\n")},
		"principals of a mesh":        {make: counted("a.yaml", head("AuthorizationPolicy", "rules:\n  - from:\n    - source:\n        principals:"), 200_000, "        - cluster.local/ns/x/sa/s%d\n")},
		"paths of a mesh":             {make: counted("a.yaml", head("AuthorizationPolicy", "action: DENY\n  rules:\n  - to:\n    - operation:\n        paths:"), 200_000, "        - /a/%d/*\n")},
		"names of hosts of Cilium":    {make: counted("a.yaml", head("CiliumNetworkPolicy", "endpointSelector: {}\n  egress:\n  - toFQDNs:"), 60_000, "    - {matchName: h%d.example.com}\n")},
		"blocks of Cilium":            {make: counted("a.yaml", head("CiliumNetworkPolicy", "endpointSelector: {}\n  egress:\n  - toCIDR:"), 60_000, "    - 10.%[1]d.1.1/32\n"), notes: []string{`a.yaml:269 "10.256.1.1/32"`}},
		"a selector of Calico":        {files: map[string]string{"a.yaml": head("Calico NetworkPolicy", "selector: \"a in {"+strings.TrimSuffix(strings.Repeat("'v',", 500_000), ",")+"}\"")}},
		"a deep selector of Calico":   {files: map[string]string{"a.yaml": head("Calico NetworkPolicy", "selector: \""+strings.Repeat("(", 300_000)+"\"")}, notes: []string{"a.yaml:10 "}},
		"nots of Calico":              {files: map[string]string{"a.yaml": head("Calico NetworkPolicy", "selector: \""+strings.Repeat("!", 300_000)+"all()\"")}, notes: []string{"a.yaml:10 "}},
		"ands of Calico":              {files: map[string]string{"a.yaml": head("Calico NetworkPolicy", "selector: \""+strings.Repeat("has(a) && ", 100_000)+"all()\"")}},
		"ports of Calico":             {make: counted("a.yaml", head("Calico NetworkPolicy", "selector: all()\n  types: [Ingress]\n  ingress:\n  - action: Allow\n    protocol: TCP\n    destination:\n      ports:"), 60_000, "      - '%[1]d:%[1]d9'\n")},
		"rules of Calico":             {make: counted("a.yaml", head("Calico NetworkPolicy", "selector: all()\n  types: [Ingress]\n  ingress:"), 30_000, "  - {action: Deny, source: {selector: \"a == 'v%[1]d'\"}}\n")},
		"a gateway of many listeners": {make: counted("a.yaml", head("Gateway", "gatewayClassName: g\n  listeners:"), 100_000, "  - {name: l%[1]d, port: %[1]d, protocol: HTTP}\n"), notes: []string{"a.yaml:5 limit exceeded"}},
		"20,000 listeners and routes": {make: counted("a.yaml", head("HTTPRoute", "parentRefs: [{name: g}]\n  rules: [{backendRefs: [{name: s, port: 80}]}]")+"---\n"+strings.TrimPrefix(head("Gateway", "gatewayClassName: g\n  listeners:"), client), 20_000, "  - {name: l%[1]d, port: %[1]d, protocol: HTTP}\n")},
		"backends of a route":         {make: counted("a.yaml", head("HTTPRoute", "parentRefs: [{name: g}]\n  rules:\n  - backendRefs:"), 50_000, "    - {name: s%[1]d, port: 80}\n")},
		"routes that lead to routes":  {files: map[string]string{"a.yaml": head("HTTPRoute", "parentRefs: [{kind: HTTPRoute, group: gateway.networking.k8s.io, name: huge}]\n  rules: [{backendRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: huge}]}]")}},
		"proxies in a ring":           {files: map[string]string{"a.yaml": head("HTTPProxy", "includes: [{name: huge}, {name: huge, namespace: bad}]\n  virtualhost: {fqdn: h}")}},
		"proxies that include all": {make: counted("a.yaml", "", 300, "---\napiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {name: p%[1]d, namespace: bad}\nspec: {virtualhost: {fqdn: h%[1]d}, includes: ["+func() string {
			var b strings.Builder
			for i := range 300 {
				fmt.Fprintf(&b, "{name: p%d},", i)
			}
			return b.String()
		}()+"], routes: [{services: [{name: s, port: 80}]}]}\n")},
		"services by names of each other": {files: map[string]string{"a.yaml": client + "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: bad}\nspec: {type: ExternalName, externalName: t.bad.svc.cluster.local}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: t, namespace: bad}\nspec: {type: ExternalName, externalName: s.bad.svc.cluster.local}\n---\n" + strings.TrimPrefix(head("Ingress", "defaultBackend: {service: {name: s, port: {number: 80}}}"), client)}},
		"ports of a service":              {make: counted("a.yaml", head("Service", "type: NodePort\n  selector: {a: b}\n  ports:"), 40_000, "  - {port: %[1]d, name: p%[1]d, nodePort: %[1]d}\n")},
		"10,000 services of one pod":      {most: maxRSS * 3 / 2, make: counted("a.yaml", client, 10_000, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%[1]d, namespace: bad}\nspec: {type: NodePort, selector: {a: b}, ports: [{port: 80, targetPort: http}]}\n")},
		"addresses of a slice":            {make: counted("a.yaml", strings.Replace(head("EndpointSlice", "x: y"), "spec:\n  x: y", "addressType: IPv4\nendpoints:", 1), 60_000, "- {addresses: [10.0.0.%d]}\n")},
		"ranges of a load balancer":       {make: counted("a.yaml", head("Service", "type: LoadBalancer\n  selector: {a: b}\n  ports: [{port: 80}]\n  loadBalancerSourceRanges:"), 60_000, "  - 10.0.%d.0/24\n")},
		"rules of an admin's policy":      {make: counted("a.yaml", strings.Replace(head("AdminNetworkPolicy", "priority: 1\n  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: bad}}}\n  egress:"), ", namespace: bad", "", 1), 25_000, "  - {action: Allow, to: [{networks: [10.0.0.0/8]}]}\n")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.try(t)
		})
	}
}
