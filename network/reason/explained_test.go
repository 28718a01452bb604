package reason_test

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/network/reason"
	"bulwark/source/manifest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is explained as what is wanted")

// What people read: of a mesh, of policies of other kinds, of the Internet's two families, of
// an ingress controller.
func TestExplained(t *testing.T) {
	for name, questions := range map[string][]string{
		"mesh":  {"shop/cart => shop/web", "old/stranger => shop/web", "internet => shop/web", "{ingress-controller} => shop/web", "{ingress-controller} => shop/cart", "shop/web => shop/cart"},
		"kinds": {"ops/tool => shop/web", "internet => shop/web", "2001:db8::1/128 => shop/web", "shop/web => internet", "shop/web => 2001:db8::1/128", "ops/tool => data/db", "192.0.2.7/32 => data/db", "2001:db8::/32 => data/db"},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := (&manifest.Source{}).Open(context.Background(), "testdata/"+name+".yaml")
			if err != nil {
				t.Fatal(err)
			}
			e := network.New(kube.Of(target))
			var b strings.Builder
			for _, q := range questions {
				from, to, _ := strings.Cut(q, " => ")
				b.WriteString("== " + q + "\n" + reason.Text((&reason.Question{Engine: e, From: peerOf(t, e, from), To: peerOf(t, e, to)}).Answers()) + "\n")
			}
			file := "testdata/" + name + ".txt"
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Ports that no container names are called the others only when they are most of them: a rule
// of few has these named.
func TestPortsNamed(t *testing.T) {
	set := &kube.Set{}
	for line := range strings.Lines(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x","labels":{"app":"a"}}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"x"}}
{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"x"},"spec":{"podSelector":{"matchLabels":{"app":"a"}},"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":80,"endPort":90},{"port":93}]},{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"port":1,"endPort":60000}]}]}}`) {
		root, err := kube.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		o, _ := kube.NewObject(root, kube.Origin{})
		set.Objects = append(set.Objects, o)
	}
	e := network.New(set)
	for from, want := range map[string][]string{
		"x/b":        {"TCP 80-90,93: open", "any other port: closed"},
		"10.0.0.0/8": {"any other port of TCP: open", "SCTP 1-65535,TCP 60001-65535,UDP 1-65535: closed"},
	} {
		var got []string
		for line := range strings.Lines(reason.Text((&reason.Question{Engine: e, From: peerOf(t, e, from), To: peerOf(t, e, "x/a")}).Answers())) {
			if _, ports, ok := strings.Cut(strings.TrimSpace(line), "[Pod] on "); ok {
				got = append(got, ports)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", from, diff)
		}
	}
}

// Of a mesh and of policies of other kinds, too, what is explained is what the engine says.
func TestExplainedAgree(t *testing.T) {
	for _, name := range []string{"mesh", "kinds"} {
		target, err := (&manifest.Source{}).Open(context.Background(), "testdata/"+name+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		e := network.New(kube.Of(target))
		for i, p := range e.Endpoints {
			one := reason.Peer{Name: p.String(), Endpoints: []int{i}}
			for j, to := range e.Endpoints[:len(e.Endpoints)-1] {
				agree(t, name, reason.Question{Engine: e, From: one, To: reason.Peer{Name: to.String(), Endpoints: []int{j}}}, e.Ports(i, j))
			}
			for b, block := range e.Blocks(network.Egress) {
				if !p.Outside {
					agree(t, name, reason.Question{Engine: e, From: one, To: reason.Peer{Name: "x", Blocks: []network.Block{block}}}, e.BlockPorts(network.Egress, i, b))
				}
			}
			for b, block := range e.Blocks(network.Ingress) {
				if !p.Outside {
					agree(t, name, reason.Question{Engine: e, From: reason.Peer{Name: "x", Blocks: []network.Block{block}}, To: one}, e.BlockPorts(network.Ingress, i, b))
				}
			}
		}
	}
}

// peerOf reads an end: the Internet, a prefix, or a workload.
func peerOf(t *testing.T, e *network.Engine, word string) reason.Peer {
	t.Helper()
	if word == "internet" {
		return reason.Internet()
	}
	if p, err := netip.ParsePrefix(word); err == nil {
		return reason.Addresses(p)
	}
	for i, p := range e.Endpoints {
		if name, _, _ := strings.Cut(p.String(), "["); name == word {
			return reason.Peer{Name: p.String(), Endpoints: []int{i}}
		}
	}
	t.Fatalf("nobody is %q", word)
	return reason.Peer{}
}
