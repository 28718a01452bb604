package network_test

import "testing"

func TestCalico(t *testing.T) {
	object := func(kind, meta, spec string) string {
		return `{"apiVersion":"projectcalico.org/v3","kind":"` + kind + `","metadata":{` + meta + `},"spec":{` + spec + `}}` + "\n"
	}
	policy := func(name, spec string) string {
		return object("NetworkPolicy", `"name":"`+name+`","namespace":"shop"`, spec)
	}
	global := func(name, spec string) string { return object("GlobalNetworkPolicy", `"name":"`+name+`"`, spec) }
	join := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	in := []string{"<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections"}
	out := []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> tool All Connections"}
	testKinds(t, []kindCase{
		{name: "order decides, and the selector of a namespaced policy is of its namespace", pod: "web",
			objects: policy("b", `"order":10,"selector":"app == 'web'","ingress":[{"action":"Allow"}]`) +
				policy("a", `"order":5,"selector":"app == 'web'","ingress":[{"action":"Deny","source":{"selector":"all()"},"protocol":"TCP","destination":{"ports":["http","20:22"]}}]`),
			want: join(out, in[:3], in[4:], []string{"<- db SCTP 1-65535,TCP 1-19,23-8079,8081-65535,UDP 1-65535"})},
		{name: "namespaces, accounts, not", pod: "web",
			objects: policy("a", `"selector":"app == 'web'","types":["Ingress"],"ingress":[{"action":"Allow","source":{"namespaceSelector":"team == 'b'","notSelector":"app == 'x'","serviceAccounts":{"names":["tool"]}},"protocol":"TCP","destination":{"notPorts":[80]}},{"action":"Allow","source":{"notNets":["0.0.0.0/0"]},"notProtocol":"UDP","ipVersion":6}]`),
			want:    join(out, []string{"<- tool TCP 1-79,81-65535", "<- :: SCTP 1-65535,TCP 1-65535"}), problems: []string{"spec.ingress[1].ipVersion: pods are taken to speak to each other by IPv4"}},
		{name: "a tier that passes, then the default one with a NetworkPolicy", pod: "db",
			objects: object("Tier", `"name":"first"`, `"order":10`) +
				global("first.x", `"tier":"first","order":1,"selector":"app in {'db'}","ingress":[{"action":"Log"},{"action":"Pass","source":{"selector":"app == 'web'"}},{"action":"Allow","source":{"namespaceSelector":"projectcalico.org/name == 'ops'"}}]`) +
				`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":5}]}]}}`,
			want: []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> tool All Connections", "-> web All Connections", "<- tool All Connections", "<- web TCP 5"}},
		{name: "a tier whose default is to pass", pod: "web",
			objects: object("Tier", `"name":"first"`, `"order":10,"defaultAction":"Pass"`) + global("first.x", `"tier":"first","selector":"all()","types":["Ingress","Egress"]`),
			want:    join(in, out)},
		{name: "stored before NetworkPolicies, in both groups", pod: "db",
			objects: `{"apiVersion":"crd.projectcalico.org/v1","kind":"GlobalNetworkPolicy","metadata":{"name":"default.x"},"spec":{"order":1,"selector":"app == 'db'","types":["Ingress"],"ingress":[{"action":"Deny","source":{"selector":"app == 'web'"},"protocol":"TCP"}]}}` + "\n" +
				global("x", `"order":1,"selector":"app == 'db'","types":["Ingress"],"ingress":[{"action":"Deny","source":{"selector":"app == 'web'"},"protocol":"TCP"}]`) +
				`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":5},{"port":6,"protocol":"UDP"}]}]}}`,
			want: []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> tool All Connections", "-> web All Connections", "<- web UDP 6"}},
		{name: "sets of addresses", pod: "web",
			objects: object("GlobalNetworkSet", `"name":"bad","labels":{"role":"bad"}`, `"nets":["10.0.0.0/8"]`) + object("NetworkSet", `"name":"ours","namespace":"shop","labels":{"role":"bad"}`, `"nets":["11.0.0.0/8"]`) +
				policy("a", `"selector":"app == 'web'","types":["Egress"],"egress":[{"action":"Allow","destination":{"selector":"role == 'bad'"}},{"action":"Allow","destination":{"selector":"role == 'bad'","namespaceSelector":"global()"},"protocol":"TCP"}]`),
			want: join(in, []string{"-> 10.0.0.0 TCP 1-65535", "-> 11.0.0.0 All Connections"})},
		{name: "conditions", pod: "web",
			objects: global("a", `"selector":"app == 'web'","ingress":[{"action":"Deny","protocol":"UDP","source":{"selector":"app == 'db'","ports":[53]}},{"action":"Allow","source":{"selector":"app == 'db'"},"http":{"methods":["GET","PUT"],"paths":[{"exact":"/x"},{"prefix":"/y"}]}}]`),
			want:    join(out, []string{"<- db All Connections; not from ports 53; only GET|PUT /x|/y"})},
		{name: "services, names among other ports", pod: "web",
			objects: `{"apiVersion":"v1","kind":"Service","metadata":{"name":"db","namespace":"shop"},"spec":{"selector":{"app":"db"},"ports":[{"port":80,"targetPort":5432}]}}` + "\n" +
				`{"apiVersion":"v1","kind":"Service","metadata":{"name":"old","namespace":"shop"},"spec":{"ports":[{"port":80}]}}` + "\n" + `{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"old","namespace":"shop","labels":{"kubernetes.io/service-name":"old"}},"endpoints":[{"addresses":["9.9.9.9"]}],"ports":[{"port":99}]}` + "\n" +
				policy("a", `"selector":"app == 'web'","types":["Ingress","Egress"],"ingress":[{"action":"Allow","source":{"services":{"name":"db"}},"protocol":"TCP","destination":{"notPorts":["http"]}}],`+`"egress":[{"action":"Allow","destination":{"services":{"name":"db"}}},{"action":"Allow","protocol":"TCP","destination":{"services":{"name":"old"}}}]`),
			want: []string{"<- db TCP 1-65535; only to another port than its http", "-> db TCP 5432", "-> 9.9.9.9 TCP 1-65535; only to a port of shop/Service/old"}},
		{name: "private addresses, IPv6", pod: "web",
			objects: policy("a", `"selector":"app == 'web'","types":["Ingress"],"ingress":[{"action":"Allow","source":{"nets":["10.0.0.0/8"]}},{"action":"Allow","ipVersion":6}]`),
			want:    join(out, []string{"<- 10.0.0.0 All Connections", "<- :: All Connections"}),
			problems: []string{"spec.ingress[0].source.nets: private addresses may be those of pods, here and elsewhere: the answer takes them for those of others",
				"spec.ingress[1].ipVersion: pods are taken to speak to each other by IPv4"}},
		{name: "hosts, forwarding", pod: "web",
			objects:  global("a", `"preDNAT":true,"applyOnForward":true,"selector":"all()","ingress":[]`) + global("b", `"applyOnForward":true,"selector":"app == 'web'","types":["Ingress"]`),
			want:     out,
			problems: []string{"spec.preDNAT: preDNAT: it holds for hosts alone, which the answer leaves out"}},
		{name: "types that are not there are those of its rules", pod: "web",
			objects: global("a", `"selector":"app == 'web'","egress":[{"action":"Allow"}]`), want: join(in, out)},
		{name: "accounts by label, and what a rule is for of its own", pod: "web",
			objects: `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web","namespace":"shop","labels":{"role":"front"}}}` + "\n" +
				global("a", `"serviceAccountSelector":"role == 'front'","types":["Ingress"],"ingress":[{"action":"Allow","protocol":6,"destination":{"selector":"app == 'other'"}},{"action":"Allow","protocol":"SCTP","source":{"notSelector":"app == 'db'"}}]`),
			want: join(out, []string{"<- 0.0.0.0 SCTP 1-65535", "<- :: SCTP 1-65535", "<- tool SCTP 1-65535", "<- agent SCTP 1-65535"})},
		{name: "what is not read is said", pod: "web",
			objects: global("a", `"doNotTrack":true,"selector":"all()","ingress":[]`) + global("b", `"tier":"moon","selector":"app == 'web'","ingress":[{"action":"Allow","destination":{"services":{"name":"x"}}},{"action":"Allow","source":{"services":{"name":"x"}}}]`) + global("c", `"selector":"app = 'web'"`),
			want:    out,
			problems: []string{"spec.doNotTrack: doNotTrack: it holds for hosts alone, which the answer leaves out", `spec.tier: its tier "moon" is not there: it is taken to come before all others`,
				"spec.ingress[0].destination.services: services is not read: the answer is without it", "spec.ingress[1].source.services: its service /x is not there", `spec.selector: invalid selector: unknown operator "="`}},
	})
}
