package packets

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark/kube"
	"bulwark/network"
)

const (
	rounds = 5
	tenth  = 10 // policies of a round
)

// TestPackets: of fifty random policies of all tiers, ten at a time, the engine says of each
// pair and port what real packets do.
func TestPackets(t *testing.T) {
	needed(t)
	all := pods()
	w := newWires(t, all)
	probes := 0
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 77))
		policies := []*policy{adminPolicy(r, "first", 0, 10), adminPolicy(r, "second", 0, 20), adminPolicy(r, "", 2, 0)}
		for i := len(policies); i < tenth; i++ {
			policies = append(policies, networkPolicy(r, fmt.Sprintf("p%d", i)))
		}
		w.rules(ruleset(all, policies))
		want := engine(t, all, policies)
		open, wrong := 0, 0
		for at, got := range w.probe() {
			probes++
			if got {
				open++
			}
			if got != want[at] {
				if wrong++; wrong <= 5 {
					t.Errorf("round %d: %s -> %s %s %d: packets get through: %v, the engine: %v", round, all[at.from], all[at.to], at.proto, at.number, got, want[at])
				}
			}
		}
		if wrong > 0 {
			for _, p := range policies {
				t.Log(p.text)
			}
		}
		t.Logf("round %d: %d of %d get through", round, open, len(want))
		if open == 0 || open == len(want) {
			t.Errorf("round %d tells nothing: %d of %d get through", round, open, len(want))
		}
	}
	t.Logf("%d probes under %d policies", probes, rounds*tenth)
}

// needed skips the test where it cannot be done; with CI=true that fails.
func needed(t *testing.T) {
	t.Helper()
	missing := func(what string) {
		if os.Getenv("CI") == "true" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	if os.Geteuid() != 0 {
		missing("network namespaces are made by root only")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(tool + " is missing: scripts/setup.sh test installs it")
		}
	}
	name := fmt.Sprintf("bulwark-try-%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		missing("network namespaces cannot be made here: " + string(out))
	}
	defer exec.Command("ip", "netns", "del", name).Run()
	if out, err := command("table ip x {\n chain f {\n type filter hook forward priority 0;\n ct state established accept\n reject\n }\n}\n", "ip", "netns", "exec", name, "nft", "-f", "-"); err != nil {
		missing("nftables cannot be used here: " + out)
	}
}

func command(in, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(in)
	out, err := c.CombinedOutput()
	return string(out), err
}

// at is one probe.
type at struct {
	from, to int
	port
}

// engine gives what the engine says of every probe.
func engine(t *testing.T, all []*pod, policies []*policy) map[at]bool {
	t.Helper()
	s := &kube.Set{}
	add := func(text string) {
		for _, d := range kube.ParseYAML([]byte(text)) {
			o, ok := kube.NewObject(d.Root, kube.Origin{File: "test.yaml"})
			if d.Err != nil || !ok {
				t.Fatalf("%v in\n%s", d.Err, text)
			}
			s.Objects = append(s.Objects, o)
		}
	}
	for name, labels := range spaces {
		add(fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: %s}\n", name, flow(labels)))
	}
	for _, p := range all {
		if !p.outside {
			add(fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: %s}\nspec: {containers: [{name: a, image: a, ports: [{name: web, containerPort: %d}]}]}\n", p.name, p.namespace, flow(p.labels), p.web))
		}
	}
	for _, p := range policies {
		add(p.text)
	}
	e := network.New(s)
	for _, p := range e.Problems {
		t.Errorf("%s: %s", p.Object.ID(), p.Text)
	}
	number := map[string]int{}
	for i, x := range e.Endpoints {
		number[x.Namespace+"/"+x.Name] = i
	}
	answer := map[at]bool{}
	for i, from := range all {
		for j, to := range all {
			if i == j || from.outside && to.outside {
				continue
			}
			var open network.Ports
			switch {
			case from.outside:
				open = e.BlockPorts(network.Ingress, number[to.String()], block(t, e, network.Ingress, from))
			case to.outside:
				open = e.BlockPorts(network.Egress, number[from.String()], block(t, e, network.Egress, to))
			default:
				open = e.Ports(number[from.String()], number[to.String()])
			}
			for _, p := range ports {
				answer[at{i, j, p}] = open.Has(map[string]network.Protocol{"tcp": network.TCP, "udp": network.UDP}[p.proto], uint16(p.number))
			}
		}
	}
	return answer
}

func block(t *testing.T, e *network.Engine, d network.Direction, p *pod) int {
	for i, b := range e.Blocks(d) {
		if b.Contains(p.ip()) {
			return i
		}
	}
	t.Fatalf("no block has %s", p.address)
	return 0
}

func flow(labels map[string]string) string {
	var list []string
	for k, v := range labels {
		list = append(list, k+": "+v)
	}
	return "{" + strings.Join(list, ", ") + "}"
}

// inside runs a function in a network namespace, on a thread that ends with it.
func inside(name string, run func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is not used again
		f, err := os.Open("/run/netns/" + name)
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			f.Close()
		}
		if err == nil {
			err = run()
		}
		done <- err
	}()
	return <-done
}

const patience = 2 * time.Second // for what is neither answered nor refused

// asked sends one probe and tells whether an answer came.
func asked(address string, p port) (bool, error) {
	c, err := net.DialTimeout(p.proto, net.JoinHostPort(address, fmt.Sprint(p.number)), patience)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EHOSTUNREACH) {
			return false, nil
		}
		return false, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("?")); err != nil {
		return false, nil
	}
	n, _ := c.Read(make([]byte, 1))
	return n == 1, nil
}

// each runs a function for every number at once.
func each(n int, run func(i int)) {
	var g sync.WaitGroup
	for i := range n {
		g.Go(func() { run(i) })
	}
	g.Wait()
}
