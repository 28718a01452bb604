package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// shop is a small cluster: two namespaces, a pod on the network of its node, and one that
// uses names for its ports.
const shop = `
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"team":"a"}}}
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ops","labels":{"team":"b"}}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","labels":{"app":"web"}},"spec":{"serviceAccountName":"web","containers":[{"name":"c","image":"x","ports":[{"name":"http","containerPort":8080}]}]}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"db","namespace":"shop","labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"x"}]}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"tool","namespace":"ops","labels":{"app":"tool"}},"spec":{"serviceAccountName":"tool","containers":[{"name":"c","image":"x"}]}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"agent","namespace":"ops","labels":{"app":"agent"}},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"x"}]}}
`

// setOf reads objects, one a line.
func setOf(tb testing.TB, text string) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		s.Objects = append(s.Objects, kubetest.Object(tb, "%s", line))
	}
	return s
}

// kindCase is a cluster and what is said of it.
type kindCase struct {
	name    string
	objects string
	// want are the connections of one pod, its short name first: "web <- tool TCP 80" for what
	// it receives, "web -> db All Connections" for what it reaches. Those that are not there
	// are not listed; what is not said is open.
	pod      string
	want     []string
	problems []string // in order
}

// told gives what an engine says of one pod: peers by their names, addresses by their first.
func told(e *network.Engine, pod string) []string {
	var list []string
	short := func(i int) string {
		if e.Endpoints[i].Outside {
			return ""
		}
		return e.Endpoints[i].Name
	}
	i := slices.IndexFunc(e.Endpoints, func(p *network.Endpoint) bool { return p.Name == pod })
	line := func(arrow, other string, p network.Ports, when []network.Condition) {
		if p.Empty() || other == pod || other == "" {
			return
		}
		text := fmt.Sprintf("%s %s %v", arrow, other, p)
		for _, c := range when {
			text += "; " + c.String()
		}
		list = append(list, text)
	}
	for j := range e.Endpoints {
		line("->", short(j), e.Ports(i, j), e.Conditions(i, j))
		line("<-", short(j), e.Ports(j, i), e.Conditions(j, i))
	}
	for j, b := range e.Blocks(network.Ingress) {
		line("<-", b.First.String(), e.BlockPorts(network.Ingress, i, j), e.BlockConditions(network.Ingress, i, j))
	}
	for j, b := range e.Blocks(network.Egress) {
		line("->", b.First.String(), e.BlockPorts(network.Egress, i, j), e.BlockConditions(network.Egress, i, j))
	}
	for j, name := range e.Domains() {
		line("->", name, e.DomainPorts(i, j), e.DomainConditions(i, j))
	}
	slices.Sort(list)
	return list
}

func testKinds(t *testing.T, cases []kindCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := network.New(setOf(t, shop+c.objects))
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, told(e, c.pod)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var problems []string
			for _, p := range e.Problems {
				problems = append(problems, kube.PathText(p.Path...)+": "+p.Text)
			}
			if diff := cmp.Diff(c.problems, problems); diff != "" {
				t.Errorf("problems (-want +got)\n%s", diff)
			}
		})
	}
}
