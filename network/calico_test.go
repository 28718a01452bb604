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
			want:    join(out, []string{"<- tool TCP 1-79,81-65535", "<- :: SCTP 1-65535,TCP 1-65535"})},
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
		{name: "what is not read is said", pod: "web",
			objects: global("a", `"doNotTrack":true,"selector":"all()","ingress":[]`) + global("b", `"tier":"moon","selector":"app == 'web'","ingress":[{"action":"Allow","destination":{"services":{"name":"x"}}},{"action":"Allow","source":{"services":{"name":"x"}}}]`) + global("c", `"selector":"app = 'web'"`),
			want:    out,
			problems: []string{"spec.doNotTrack: doNotTrack: it holds for hosts alone, which the answer leaves out", `spec.tier: its tier "moon" is not there: it is taken to come before all others`,
				"spec.ingress[0].destination.services: services is not read: the answer is without it", "spec.ingress[1].source.services: services is not read: the answer is without it", `spec.selector: invalid selector: unknown operator "="`}},
	})
}
