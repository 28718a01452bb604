//go:build linux && (amd64 || arm64)

package guard

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"bulwark"
)

// What holds for containers that will begin is there when their cgroup is, and goes with it.
func TestNewcomers(t *testing.T) {
	needNode(t)
	port := echo(t)
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	engine := cgroup(t, "engine")
	made := 0
	begin := func(prefix, suffix string) string {
		made++
		path := fmt.Sprintf("%s/%s%064x%s", engine, prefix, os.Getpid()<<8+made, suffix)
		dir := filepath.Join(look().unified, path)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(dir) })
		return path
	}
	g := New(nil)
	defer g.Close()
	load := func(blocks ...bulwark.Block) {
		t.Helper()
		if err := g.Load(blocks); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, path string, stopped bool) {
		t.Helper()
		if out := in(t, path, "connect", "tcp", here); (out != "ok") != stopped {
			t.Errorf("%s: %s, want stopped %v", what, out, stopped)
		}
	}
	before := begin("", "")
	// Other tests have containers as well: only what this one listens on is blocked.
	all := bulwark.Block{Rule: "all", Deed: bulwark.DeedConnect, Scope: bulwark.Scope{New: true},
		Nets: []bulwark.Destination{{Net: mustPrefix("127.0.0.1/32"), Ports: [2]uint16{port, port}}}}
	load(all)
	check("one that was there before", before, false)
	for _, name := range [][2]string{{"", ""}, {"docker-", ".scope"}, {"cri-containerd-", ".scope"}, {"crio-", ""}} {
		check("container "+name[0], begin(name[0], name[1]), true)
	}
	check("what looks after a container", begin("crio-conmon-", ".scope"), false)
	check("no container", engine, false)

	known, spared := begin("", ""), begin("", "")
	own := all
	own.Scope = bulwark.Scope{Path: known}
	load(all, own, bulwark.Block{Deed: bulwark.DeedNone, Scope: bulwark.Scope{Path: spared}})
	check("one that is known by now", known, true)
	check("one that is let be", spared, false)
	check("one that began since", begin("", ""), true)

	last := begin("", "")
	count := entries(t, g, "scopes")
	if err := os.Remove(filepath.Join(look().unified, last)); err != nil {
		t.Fatal(err)
	}
	if n := entries(t, g, "scopes"); n >= count {
		t.Errorf("%d cgroups after one has gone, %d before", n, count)
	}
	fresh := begin("", "")
	load(own)
	check("one that is known, where nothing holds for others", known, true)
	check("one that nothing is said about any more", fresh, false)
	load()
	check("all, after the end", known, false)

	err := g.Load([]bulwark.Block{{Rule: "below", Deed: bulwark.DeedExecBelow, Scope: bulwark.Scope{New: true}, Below: []string{"/tmp"}}})
	if err == nil {
		t.Error("a folder of containers that are not there was taken")
	}
}
