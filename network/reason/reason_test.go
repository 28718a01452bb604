package reason_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/network/reason"
	"bulwark/source/manifest"
)

const cases = "../../../shared/data/netpol"

// What is explained as open is what the engine says is open, for every pair and block, and
// every side that drops says why.
func TestAnswersAgree(t *testing.T) {
	folders, _ := filepath.Glob(cases + "/*/manifests")
	if len(folders) == 0 {
		t.Skip("the cases of ../shared are not there")
	}
	for _, folder := range folders {
		target, err := (&manifest.Source{}).Open(context.Background(), folder)
		if err != nil {
			t.Fatal(err)
		}
		e := network.New(kube.Of(target))
		peer := func(i int) reason.Peer { return reason.Peer{Name: e.Endpoints[i].String(), Endpoints: []int{i}} }
		for j := range min(len(e.Endpoints)-1, 25) {
			for i := range min(len(e.Endpoints)-1, 25) {
				agree(t, folder, reason.Question{Engine: e, From: peer(i), To: peer(j)}, e.Ports(i, j))
			}
			for d := range 2 {
				for b, block := range e.Blocks(network.Direction(d)) {
					q := reason.Question{Engine: e, From: reason.Peer{Name: "x", Blocks: []network.Block{block}}, To: peer(j)}
					if network.Direction(d) == network.Egress {
						q.From, q.To = q.To, q.From
					}
					agree(t, folder, q, e.BlockPorts(network.Direction(d), j, b))
				}
			}
		}
	}
}

func agree(t *testing.T, folder string, q reason.Question, want network.Ports) {
	t.Helper()
	var open network.Ports
	for _, a := range q.Answers() {
		if a.Allowed {
			open = open.Union(a.Ports)
		}
		dropped := false
		for _, s := range a.Sides {
			dropped = dropped || !s.Allowed
			if s.Why == "" || !s.Allowed && len(s.Reasons) == 0 {
				t.Errorf("%s: %s => %s: %s gives no reason", folder, a.From, a.To, s.Direction)
			}
		}
		if dropped == a.Allowed {
			t.Errorf("%s: %s => %s on %v: open %v, dropped %v", folder, a.From, a.To, a.Ports, a.Allowed, dropped)
		}
	}
	if !open.Equal(want) {
		t.Errorf("%s: %s => %s: explained %v, is %v", folder, q.From.Name, q.To.Name, open, want)
	}
}

// Names cannot write lines of their own, and what is to be added stays YAML.
func TestHostile(t *testing.T) {
	text := reason.Text([]reason.Answer{{From: "a\nb\x1b[31m", To: "c\u202e", Sides: []reason.Side{{Direction: "egress", Of: "x\ny", Why: "w\r", Reasons: []reason.Reason{{Policy: "p\np", File: "f\nf", Line: 1}}, Change: "c\nc", Add: []string{"l\nl"}}}}})
	if strings.Count(text, "\n") != 5 || strings.ContainsAny(text, "\x1b\r\u202e") {
		t.Errorf("%q", text)
	}
}
