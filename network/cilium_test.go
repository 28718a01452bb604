package network_test

import "testing"

func TestCilium(t *testing.T) {
	policy := func(spec string) string {
		return `{"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"p","namespace":"shop"},"spec":{` + spec + `}}` + "\n"
	}
	wide := func(spec string) string {
		return `{"apiVersion":"cilium.io/v2","kind":"CiliumClusterwideNetworkPolicy","metadata":{"name":"w"},"spec":{` + spec + `}}` + "\n"
	}
	web, db := `"endpointSelector":{"matchLabels":{"app":"web"}},`, `"endpointSelector":{"matchLabels":{"k8s:app":"db"}},`
	in := []string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}
	out := []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> tool All Connections"}
	outOfDB := []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> web All Connections", "-> tool All Connections"}
	join := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	testKinds(t, []kindCase{
		{name: "an empty rule denies by default, one of ports is for everybody", pod: "web",
			objects: policy(web + `"ingress":[{}]`), want: out},
		{name: "ports alone", pod: "web",
			objects: policy(web + `"ingress":[{"toPorts":[{"ports":[{"port":"80","protocol":"TCP"},{"port":"http"},{"port":"0","protocol":"SCTP"},{"port":"10","endPort":12,"protocol":"ANY"}]}]}]`),
			want: join(out, []string{"<- 0.0.0.0 SCTP 1-65535,TCP 10-12,80,8080,UDP 10-12", "<- :: SCTP 1-65535,TCP 10-12,80,8080,UDP 10-12", "<- agent SCTP 1-65535,TCP 10-12,80,8080,UDP 10-12",
				"<- db SCTP 1-65535,TCP 10-12,80,8080,UDP 10-12", "<- tool SCTP 1-65535,TCP 10-12,80,8080,UDP 10-12"})},
		{name: "selectors without a namespace are of the policy's, pods on their node's network are its", pod: "web",
			objects: policy(web + `"ingress":[{"fromEndpoints":[{}]},{"fromEndpoints":[{"matchLabels":{"k8s:io.kubernetes.pod.namespace":"ops"}}],"toPorts":[{"ports":[{"port":"1","protocol":"TCP"}]}]}]`),
			want:    join(out, []string{"<- db All Connections", "<- tool TCP 1"})},
		{name: "of the whole cluster, by labels of namespaces and accounts", pod: "db",
			objects: wide(`"endpointSelector":{"matchLabels":{"k8s:io.cilium.k8s.namespace.labels.team":"a","app":"db"}},"ingress":[{"fromEndpoints":[{"matchLabels":{"io.cilium.k8s.policy.serviceaccount":"tool"}}]},{"fromEntities":["host","world"]}]`),
			want:    join(outOfDB, []string{"<- tool All Connections", "<- agent All Connections", "<- 0.0.0.0 All Connections", "<- :: All Connections"})},
		{name: "what any denies is denied, also what NetworkPolicies allow", pod: "db",
			objects: policy(db+`"ingressDeny":[{"fromEndpoints":[{"matchLabels":{"app":"web"}}],"toPorts":[{"ports":[{"port":"22","protocol":"TCP"}]}]}]`) +
				`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"shop"},"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":22},{"port":23}]}]}}`,
			want: []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> tool All Connections", "-> web TCP 22-23", "<- web TCP 23"}},
		{name: "no default deny", pod: "web",
			objects: policy(web + `"enableDefaultDeny":{"ingress":false},"ingress":[{"fromEntities":["cluster"]}],"ingressDeny":[{"fromEntities":["world"]}]`),
			want:    join(out, in[2:])},
		{name: "addresses less some, services, domains, requests", pod: "web",
			objects: policy(web+`"egress":[{"toCIDRSet":[{"cidr":"10.0.0.0/8","except":["10.0.0.0/9"]}]},{"toServices":[{"k8sService":{"serviceName":"db"}}]},{"toFQDNs":[{"matchPattern":"*.example.com"}],"toPorts":[{"ports":[{"port":"443","protocol":"TCP"}]}]},{"toEndpoints":[{"matchLabels":{"io.kubernetes.pod.namespace":"ops"}}],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}],"rules":{"http":[{"method":"GET","path":"/public"},{"method":"HEAD"}]}},{"ports":[{"port":"53","protocol":"UDP"}],"rules":{"dns":[{"matchPattern":"*"}]}}]}]`) +
				`{"apiVersion":"v1","kind":"Service","metadata":{"name":"db","namespace":"shop"},"spec":{"selector":{"app":"db"},"ports":[{"port":1}]}}`,
			want: join(in, []string{"-> 10.128.0.0 All Connections", "-> db All Connections", "-> *.example.com TCP 443", "-> tool TCP 80,UDP 53; only GET /public or HEAD"})},
		{name: "a rule without requests makes those of another idle", pod: "web",
			objects: policy(web + `"ingress":[{"fromEntities":["host"],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}],"rules":{"http":[{"path":"/x"}]}}]},{"fromEntities":["host"],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}]}]}]`),
			want:    join(out, []string{"<- agent TCP 80"})},
		{name: "ICMP is no port", pod: "web",
			objects: policy(web + `"ingress":[{"icmps":[{"fields":[{"type":8}]}],"fromEntities":["all"]}]`), want: out},
		{name: "what is not known is said", pod: "web",
			objects: policy(web+`"ingress":[{"fromMoons":[{}]},{"fromEntities":["moon"]},{"fromRequires":[{}]}],"tide":1`) + wide(`"nodeSelector":{},"ingress":[{}]`),
			want:    out,
			problems: []string{"spec.tide: tide is not read: the answer is without it", "spec.ingress[0].fromMoons: fromMoons is not read: the answer is without it", `spec.ingress[1].fromEntities[0]: unknown entity "moon": the answer is without it`,
				"spec.ingress[2].fromRequires: it holds for the other rules of the same pods too, where the answer leaves it out",
				"spec.nodeSelector: it is for nodes, which the answer leaves out"}},
		{name: "what is required besides", pod: "web",
			objects:  policy(web + `"ingress":[{"fromEndpoints":[{"matchLabels":{"app":"db"}},{"matchLabels":{"k8s:io.kubernetes.pod.namespace":"ops"}}],"fromRequires":[{"matchLabels":{"k8s:io.kubernetes.pod.namespace":"ops"}}]}]`),
			want:     join(out, []string{"<- tool All Connections"}),
			problems: []string{"spec.ingress[0].fromRequires: it holds for the other rules of the same pods too, where the answer leaves it out"}},
		{name: "nodes, on some ports", pod: "web",
			objects:  policy(web + `"egress":[{"toNodes":[{}],"toPorts":[{"ports":[{"port":"6443","protocol":"TCP"}]}]}]`),
			want:     join(in, []string{"-> agent TCP 6443"}),
			problems: []string{"spec.egress[0].toNodes: the addresses of the nodes are not known: the answer is without them"}},
		{name: "reserved labels, and what has none", pod: "web",
			objects: policy(web+`"ingress":[{"fromEndpoints":[{"matchExpressions":[{"key":"reserved:host","operator":"DoesNotExist"}]}]},{"fromEndpoints":[{"matchLabels":{"reserved:host":""}}],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}]}]}]`) + wide(`"endpointSelector":{"matchLabels":{"reserved:ingress":""}},"ingress":[{}]`),
			want:    join(out, []string{"<- db All Connections", "<- agent TCP 80"}), problems: []string{"spec.endpointSelector: it is for what Cilium calls ingress, which the answer leaves out"}},
		{name: "groups of addresses by name and by labels", pod: "web",
			objects: `{"apiVersion":"cilium.io/v2","kind":"CiliumCIDRGroup","metadata":{"name":"a","labels":{"from":"office"}},"spec":{"externalCIDRs":["10.0.0.0/8"]}}` + "\n" +
				policy(web+`"ingress":[{"fromCIDRSet":[{"cidrGroupSelector":{"matchLabels":{"from":"office"}},"except":["10.128.0.0/9"]}]},{"fromCIDRSet":[{"cidrGroupRef":"b"}]}]`),
			want: join(out, []string{"<- 10.0.0.0 All Connections"}), problems: []string{`spec.ingress[1].fromCIDRSet[0]: the CiliumCIDRGroup "b" is not there: the answer is without it`}},
		{name: "nothing among peers is nobody", pod: "web",
			objects: policy(web + `"ingress":[{"fromEndpoints":[],"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}]}]},{"fromCIDR":[],"toPorts":[{"ports":[{"port":"81","protocol":"TCP"}]}]}],"egress":[]`), want: out},
		{name: "an API server does not take it", pod: "web",
			objects:  policy(web + `"ingress":[{"toPorts":[{"ports":[{"port":"99999","protocol":"TCP"}]}]}]`),
			want:     join(in, out),
			problems: []string{`spec.ingress[0].toPorts[0].ports[0].port: invalid port "99999"`}},
	})
}
