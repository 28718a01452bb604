package network_test

import "testing"

func TestIstio(t *testing.T) {
	object := func(kind, space, name, spec string) string {
		return `{"apiVersion":"security.istio.io/v1","kind":"` + kind + `","metadata":{"name":"` + name + `","namespace":"` + space + `"},"spec":{` + spec + `}}` + "\n"
	}
	allow := func(spec string) string { return object("AuthorizationPolicy", "shop", "a", spec) }
	peers := func(space, spec string) string { return object("PeerAuthentication", space, "p", spec) }
	// Both namespaces are in the mesh; a stranger is not.
	const mesh = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"istio-injection":"enabled"}}}
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ops","labels":{"istio.io/dataplane-mode":"ambient"}}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"stranger","namespace":"ops","labels":{"istio.io/dataplane-mode":"none"}},"spec":{"containers":[{"name":"c","image":"x"}]}}
`
	web := `"selector":{"matchLabels":{"app":"web"}},`
	others := "SCTP 1-65535,UDP 1-65535"
	all := []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> stranger All Connections", "-> tool All Connections"}
	in := func(outside, agent, db, stranger, tool string) []string {
		list := append([]string{}, all...)
		for who, p := range map[string]string{"0.0.0.0": outside, "::": outside, "agent": agent, "db": db, "stranger": stranger, "tool": tool} {
			if p != "" {
				list = append(list, "<- "+who+" "+p)
			}
		}
		return list
	}
	const everything = "All Connections"
	testKinds(t, []kindCase{
		{name: "nothing is allowed", pod: "web", objects: mesh + allow(web[:len(web)-1]), want: in(others, others, others, others, others)},
		{name: "everything is", pod: "web", objects: mesh + allow(`"rules":[{}]`), want: in(everything, everything, everything, everything, everything)},
		{name: "by namespace and account, on a port", pod: "web",
			objects: mesh + allow(web+`"rules":[{"from":[{"source":{"namespaces":["sh*"]}},{"source":{"principals":["cluster.local/ns/ops/sa/tool"]}}],"to":[{"operation":{"ports":["80"]}}]}]`),
			want:    in(others, others, "SCTP 1-65535,TCP 80,UDP 1-65535", others, "SCTP 1-65535,TCP 80,UDP 1-65535")},
		{name: "denied before it is allowed; who has no identity is nobody that is named", pod: "web",
			objects: mesh + object("AuthorizationPolicy", "istio-system", "root", `"action":"DENY","rules":[{"from":[{"source":{"notNamespaces":["shop"]}}],"to":[{"operation":{"notPorts":["80"]}}]}]`) + allow(`"rules":[{}]`),
			want:    in("SCTP 1-65535,TCP 80,UDP 1-65535", "SCTP 1-65535,TCP 80,UDP 1-65535", everything, "SCTP 1-65535,TCP 80,UDP 1-65535", "SCTP 1-65535,TCP 80,UDP 1-65535")},
		{name: "requests are conditions", pod: "web",
			objects: mesh + allow(web+`"rules":[{"from":[{"source":{"namespaces":["shop"]}}],"to":[{"operation":{"methods":["GET"],"paths":["/a","/b"],"ports":["80"]}}],"when":[{"key":"request.headers[x]","values":["1"]}]}]`) +
				object("AuthorizationPolicy", "shop", "d", web+`"action":"DENY","rules":[{"from":[{"source":{"serviceAccounts":["ops/tool"]}}],"to":[{"operation":{"paths":["/a"]}}]}]`) + object("AuthorizationPolicy", "shop", "c", web+`"action":"CUSTOM","provider":{"name":"oauth"},"rules":[{}]`),
			want: in(others, others, "SCTP 1-65535,TCP 80,UDP 1-65535; not what the authorizer oauth refuses; only GET /a|/b and request.headers[x] is 1", others, others)},
		{name: "strict, but for a port", pod: "web",
			objects: mesh + peers("istio-system", `"mtls":{"mode":"STRICT"}`) + peers("shop", web+`"portLevelMtls":{"80":{"mode":"PERMISSIVE"}}`),
			want:    in("SCTP 1-65535,TCP 80,UDP 1-65535", "SCTP 1-65535,TCP 80,UDP 1-65535", everything, "SCTP 1-65535,TCP 80,UDP 1-65535", everything)},
		{name: "in the clear nobody is known", pod: "web",
			objects: mesh + peers("shop", web+`"mtls":{"mode":"STRICT"},"portLevelMtls":{"80":{"mode":"DISABLE"}}`) + allow(`"rules":[{"from":[{"source":{"namespaces":["*"]}}]}]`),
			want:    in(others, others, "SCTP 1-65535,TCP 1-79,81-65535,UDP 1-65535", others, "SCTP 1-65535,TCP 1-79,81-65535,UDP 1-65535")},
		{name: "addresses", pod: "web",
			objects:  mesh + allow(web+`"rules":[{"from":[{"source":{"ipBlocks":["10.0.0.0/8"],"notIpBlocks":["10.128.0.0/9"]}}]}]`),
			want:     append(append([]string{}, all...), "<- 0.0.0.0 "+others, "<- 10.0.0.0 All Connections", "<- 10.128.0.0 "+others, "<- :: "+others, "<- agent "+others, "<- db "+others, "<- stranger "+others, "<- tool "+others),
			problems: []string{"spec.rules[0]: private addresses may be those of pods, here and elsewhere: the answer takes them for those of others"}},
		{name: "of another domain that is trusted, and who is not named", pod: "web",
			objects: mesh + allow(web+`"rules":[{"from":[{"source":{"principals":["td/ns/ops/sa/*"],"notPrincipals":["td/ns/ops/sa/agent"]}}]},{"from":[{"source":{"notNamespaces":["ops"]}}],"to":[{"operation":{"ports":["1"]}}]}]`),
			want:    in("SCTP 1-65535,TCP 1,UDP 1-65535", "SCTP 1-65535,TCP 1,UDP 1-65535", "SCTP 1-65535,TCP 1,UDP 1-65535", "SCTP 1-65535,TCP 1,UDP 1-65535", everything)},
		{name: "audit changes nothing, what is tried neither", pod: "web",
			objects: mesh + object("AuthorizationPolicy", "shop", "a", `"action":"AUDIT","rules":[{}]`), want: in(everything, everything, everything, everything, everything)},
		{name: "the root may be another namespace", pod: "web",
			objects: mesh + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"istio","namespace":"istio-system"},"data":{"mesh":"trustDomain: x\nrootNamespace: 'mesh-root'\n"}}` + "\n" +
				peers("mesh-root", `"mtls":{"mode":"STRICT"}`) + object("AuthorizationPolicy", "istio-system", "a", `"rules":[]`),
			want: in(others, others, everything, others, everything)},
		{name: "without a sidecar it has no effect", pod: "stranger",
			objects:  mesh + object("AuthorizationPolicy", "ops", "a", `"selector":{"matchLabels":{"istio.io/dataplane-mode":"none"}}`),
			want:     []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> tool All Connections", "-> web All Connections", "<- 0.0.0.0 All Connections", "<- :: All Connections", "<- agent All Connections", "<- db All Connections", "<- tool All Connections", "<- web All Connections"},
			problems: []string{": it holds for pods without a sidecar or ambient mesh alone: it has no effect"}},
		{name: "an ambient mesh reads no requests, and always knows its members", pod: "tool",
			objects: mesh + object("PeerAuthentication", "ops", "p", `"mtls":{"mode":"DISABLE"}`) +
				object("AuthorizationPolicy", "ops", "a", `"rules":[{"to":[{"operation":{"methods":["GET"]}}]},{"from":[{"source":{"namespaces":["shop"]}}]}]`) + object("AuthorizationPolicy", "ops", "d", `"action":"DENY","rules":[{"from":[{"source":{"principals":["*/sa/web"]}}],"to":[{"operation":{"paths":["/a"]}}]}]`),
			want: []string{"-> 0.0.0.0 All Connections", "-> :: All Connections", "-> agent All Connections", "-> db All Connections", "-> stranger All Connections", "-> web All Connections",
				"<- 0.0.0.0 " + others, "<- :: " + others, "<- agent " + others, "<- db All Connections", "<- stranger " + others, "<- web " + others},
			problems: []string{"spec.rules[0]: an ambient mesh reads no requests where policies select pods: there the rule allows nothing, or denies whatever is asked for",
				"spec.rules[0]: an ambient mesh reads no requests where policies select pods: there the rule allows nothing, or denies whatever is asked for"}},
		{name: "what is not read is said", pod: "web",
			objects: mesh + object("AuthorizationPolicy", "shop", "t", `"targetRefs":[{"kind":"Gateway","name":"g"}]`) + allow(web+`"moon":1,"rules":[{"from":[{"source":{"moons":["x"]}}]}]`) + object("AuthorizationPolicy", "shop", "x", `"action":"MAYBE"`),
			want:    in(everything, everything, everything, everything, everything),
			problems: []string{"spec.moon: moon is not read: the answer is without it", "spec.rules[0].from[0].source.moons: moons is not read: the answer is without it",
				"spec.targetRefs: it holds at a gateway or waypoint, which the answer leaves out", `spec.action: unknown action "MAYBE"`}},
	})
}
