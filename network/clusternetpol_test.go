package network_test

import (
	"strings"
	"testing"
)

func TestClusterNetworkPolicy(t *testing.T) {
	policy := func(spec string) string {
		return `{"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"p"},"spec":{` + spec + `}}` + "\n"
	}
	web := `"subject":{"pods":{"podSelector":{"matchLabels":{"app":"web"}}}},`
	everywhere := []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> tool All Connections"}
	testKinds(t, []kindCase{
		{name: "ports and a named port", pod: "web",
			objects: policy(`"tier":"Admin","priority":5,` + web + `"ingress":[{"action":"Accept","from":[{"namespaces":{"matchLabels":{"team":"b"}}}],"protocols":[{"tcp":{"destinationPort":{"number":80}}},{"udp":{"destinationPort":{"range":{"start":5,"end":7}}}},{"destinationNamedPort":"http"}]},{"action":"Deny","from":[{"namespaces":{}}]}]`),
			want:    append([]string{"<- tool TCP 80,8080,UDP 5-7", "<- agent All Connections", "<- 0.0.0.0 All Connections", "<- :: All Connections"}, everywhere...)},
		{name: "pass goes on to the next tier, where NetworkPolicies decide", pod: "db",
			objects: policy(`"tier":"Admin","priority":1,"subject":{"namespaces":{"matchLabels":{"team":"a"}}},"ingress":[{"action":"Pass","from":[{"pods":{"podSelector":{"matchLabels":{"app":"web"}}}}]},{"action":"Accept","from":[{"namespaces":{}}]}]`) +
				`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"policyTypes":["Ingress"]}}`,
			want: []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> tool All Connections", "-> web All Connections", "<- tool All Connections"}},
		{name: "baseline is for what nobody else decides; domains and nodes are known by name", pod: "web",
			objects: policy(`"tier":"Baseline","priority":0,`+web+`"egress":[{"action":"Accept","to":[{"domainNames":["*.example.com"]}],"protocols":[{"tcp":{"destinationPort":{"number":443}}}]},{"action":"Accept","to":[{"nodes":{}}],"protocols":[{"tcp":{}}]},{"action":"Accept","to":[{"nodes":{"matchLabels":{"disk":"big"}}}],"protocols":[{"udp":{}}]},{"action":"Deny","to":[{"networks":["0.0.0.0/0"]}]}]`) +
				`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","labels":{"disk":"big"}},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.7"},{"type":"Hostname","address":"n"}]}}`,
			want: []string{"-> *.example.com TCP 443", "-> 10.0.0.7 TCP 1-65535,UDP 1-65535", "-> :: All Connections", "-> agent TCP 1-65535,UDP 1-65535; only on the nodes that are selected",
				"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}},
		{name: "what it does not know is denied where it denies, and told", pod: "web",
			objects:  policy(`"tier":"Admin","priority":5,` + web + `"egress":[{"action":"Accept","to":[{"moons":{}},{"namespaces":{}}]},{"action":"Pass","to":[{"moons":{}}]}],"ingress":[{"action":"Accept","why":"x","from":[{"networks":["10.0.0.0/8"]}]}]`),
			want:     []string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"},
			problems: []string{"spec.ingress[0].why: why is not read: the answer is without it", "spec.ingress[0].from[0]: a peer of no kind that is known", "spec.egress[0].to[0]: a peer of no kind that is known", "spec.egress[1].to[0]: a peer of no kind that is known"}},
		{name: "protocols that it does not know", pod: "web",
			objects:  policy(`"tier":"Admin","priority":5,` + web + `"ingress":[{"action":"Accept","from":[{"namespaces":{}}],"protocols":[{"tcp":{}},{"icmp":{}}]},{"action":"Deny","from":[{"namespaces":{"matchLabels":{"team":"a"}}}],"protocols":[{"quic":{}}]}]`),
			want:     everywhere,
			problems: []string{"spec.ingress[0].protocols[1]: a protocol that is not known", "spec.ingress[1].protocols[0]: a protocol that is not known"}},
		{name: "an API server does not take them", pod: "web",
			objects: policy(`"tier":"Admin","priority":5,`+web+`"egress":[{"action":"Deny","to":[{"networks":["10.0.0.0/8"]}],"protocols":[{"destinationNamedPort":"http"}]}]`) +
				policy(`"tier":"Admin","priority":6,`+web+`"egress":[{"action":"Deny","to":[{"namespaces":{}}],"protocols":[{"tcp":{"destinationPort":{"range":{"start":5,"end":5}}}}]}]`) +
				policy(`"tier":"Admin","priority":7,`+web+`"egress":[{"action":"Deny","to":[{"networks":["10.0.0.0/8"`+strings.Repeat(`,"10.0.0.0/8"`, 25)+`]}]}]`),
			want:     append([]string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}, everywhere...),
			problems: []string{"spec.egress[0].to[0]: it has no ports with names", "spec.egress[0].protocols[0].tcp.destinationPort.range: invalid ports", "spec.egress[0].to[0].networks: 26 items, more than 25"}},
		{name: "two of one priority", pod: "web",
			objects:  policy(`"tier":"Admin","priority":5,`+web+`"ingress":[{"action":"Accept","from":[{"namespaces":{}}]}]`) + strings.Replace(policy(`"tier":"Admin","priority":5,"subject":{"namespaces":{}},"ingress":[{"action":"Deny","from":[{"namespaces":{"matchLabels":{"team":"none"}}}]}]`), `"name":"p"`, `"name":"q"`, 1),
			want:     append([]string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}, everywhere...),
			problems: []string{"spec.priority: ClusterNetworkPolicy/p has the same: which of them comes first is not settled"}},
		{name: "no tier", pod: "web", objects: policy(`"tier":"admin","priority":5`),
			want:     append([]string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}, everywhere...),
			problems: []string{`spec.tier: unknown tier "admin"`}},
	})
}
