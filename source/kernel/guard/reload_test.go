//go:build linux && (amd64 || arm64)

package guard

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
)

// entries counts what a table holds.
func entries(t *testing.T, g *Guard, table string) (n int) {
	t.Helper()
	m := g.hooks.maps[table]
	key, value := make([]byte, m.KeySize()), make([]byte, m.ValueSize())
	it := m.Iterate()
	for it.Next(&key, &value) {
		n++
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return n
}

// Each list of blocks takes the place of the one before, and leaves nothing of it.
func TestReload(t *testing.T) {
	needNode(t)
	port := echo(t)
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	one, two := cgroup(t, "one"), cgroup(t, "two")
	deny := func(cgroup string, nets ...string) bulwark.Block {
		b := bulwark.Block{Rule: "deny " + strings.Join(nets, " "), Deed: bulwark.DeedConnect, Scope: bulwark.Scope{Path: cgroup}}
		for _, n := range nets {
			b.Nets = append(b.Nets, bulwark.Destination{Net: mustPrefix(n)})
		}
		return b
	}
	mine := bulwark.Block{Rule: "mine", Deed: bulwark.DeedMine, Scope: bulwark.Scope{Path: two}}
	memory := bulwark.Block{Rule: "memory", Deed: bulwark.DeedExecMemory, Scope: bulwark.Scope{Path: one}}
	g := New(nil)
	defer g.Close()
	for i, step := range []struct {
		blocks       []bulwark.Block
		stopped      []string
		scopes, nets int
		links        int
	}{
		{[]bulwark.Block{deny(one, "127.0.0.1/32", "10.0.0.0/8")}, []string{one}, 1, 2, 5},
		{[]bulwark.Block{deny(two, "127.0.0.1/32", "10.0.0.0/8")}, []string{two}, 1, 2, 5},
		{[]bulwark.Block{deny(one, "127.0.0.1/32"), deny(two, "127.0.0.1/32"), memory}, []string{one, two}, 2, 1, 7},
		{[]bulwark.Block{deny(one, "127.0.0.2/32"), mine}, nil, 2, 1, 6},
		{[]bulwark.Block{deny("/gone", "127.0.0.1/32")}, nil, 0, 0, 0},
		{[]bulwark.Block{deny(one, "127.0.0.1/32")}, []string{one}, 1, 1, 5},
		{nil, nil, 0, 0, 0},
	} {
		if err := g.Load(step.blocks); err != nil {
			t.Fatal(i, err)
		}
		for _, group := range []string{one, two} {
			want := slices.Contains(step.stopped, group)
			if out := in(t, group, "connect", "tcp", here); (out == "ok") == want {
				t.Errorf("%d: %s: %s, want stopped %v", i, group, out, want)
			}
		}
		links := len(g.hooks.links)
		if g.hooks.links["check"] != nil {
			links-- // not everywhere
		}
		if s, n := entries(t, g, "scopes"), entries(t, g, "nets4"); s != step.scopes || n != step.nets || links != step.links {
			t.Errorf("%d: %d cgroups, %d networks, %d links: want %d, %d, %d", i, s, n, links, step.scopes, step.nets, step.links)
		}
	}
}

// What cannot be enforced changes nothing of what is in force.
func TestRefusedAsAWhole(t *testing.T) {
	needNode(t)
	port := echo(t)
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	group := cgroup(t, "whole")
	g := New(nil)
	defer g.Close()
	stop := bulwark.Block{Rule: "stop", Deed: bulwark.DeedConnect, Scope: bulwark.Scope{Path: group}, Nets: []bulwark.Destination{{}}}
	if err := g.Load([]bulwark.Block{stop}); err != nil {
		t.Fatal(err)
	}
	if err := g.Load([]bulwark.Block{{Rule: "bad", Deed: "dream", Scope: bulwark.Scope{Path: "/"}}}); err == nil {
		t.Error("a dream was loaded")
	}
	if out := in(t, group, "connect", "tcp", here); !strings.Contains(out, "operation not permitted") {
		t.Errorf("after the refusal: %s", out)
	}
}

// A hundred containers, loaded again: it takes as long as it is printed.
func TestManyScopes(t *testing.T) {
	needNode(t)
	engine := cgroup(t, "many")
	var blocks []bulwark.Block
	for i := range 100 {
		path := fmt.Sprintf("%s/%d", engine, i)
		dir := filepath.Join(look().unified, path)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(dir)
		scope := bulwark.Scope{Path: path}
		blocks = append(blocks, bulwark.Block{Rule: "metadata", Deed: bulwark.DeedConnect, Scope: scope, Nets: []bulwark.Destination{{Net: mustPrefix("169.254.169.254/32")}}},
			bulwark.Block{Rule: "memory", Deed: bulwark.DeedExecMemory, Scope: scope}, bulwark.Block{Rule: "mine", Deed: bulwark.DeedMine, Scope: scope})
	}
	g := New(nil)
	defer g.Close()
	for _, what := range []string{"first", "again"} {
		began := time.Now()
		if err := g.Load(blocks); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", what, time.Since(began))
	}
	if len(g.hooks.ids) != 3 || entries(t, g, "scopes") != 100 {
		t.Errorf("%d blocks of %d cgroups", len(g.hooks.ids), entries(t, g, "scopes"))
	}
}

// How long an answer takes.
func TestJudgeTime(t *testing.T) {
	needNode(t)
	b := newBox(t, cgroup(t, "time"))
	g := New(nil)
	defer g.Close()
	if err := g.Load([]bulwark.Block{{Rule: "drift", Deed: bulwark.DeedExecDrift, Scope: b.scope()}}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/root/bin/program", b.pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for range 2000 {
		began := time.Now()
		if v := g.files.judge(b.pid, int(f.Fd())); v.rule != "" {
			t.Fatalf("%+v", v)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("median %v, p99 %v", took[1000], took[1980])
}
