package packets

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
)

func (p *pod) ip() netip.Addr { return netip.MustParseAddr(p.address) }

// wires are the namespaces: a router with a wire to each pod. The machine's own network is not
// touched.
type wires struct {
	t    *testing.T
	pods []*pod
	name string
}

func newWires(t *testing.T, all []*pod) *wires {
	w := &wires{t, all, fmt.Sprintf("bulwark-%d", os.Getpid())}
	t.Cleanup(func() {
		for i := range all {
			command("", "ip", "netns", "del", w.of(i))
		}
		command("", "ip", "netns", "del", w.name)
	})
	var names, wire strings.Builder
	fmt.Fprintf(&names, "netns add %s\n", w.name)
	for i, p := range all {
		fmt.Fprintf(&names, "netns add %s\n", w.of(i))
		fmt.Fprintf(&wire, "link add v%d type veth peer name eth0 netns %s\nlink set v%d up\naddr add 169.254.1.1/32 dev v%d\nroute add %s/32 dev v%d\n", i, w.of(i), i, i, p.address, i)
	}
	w.must(names.String(), "ip", "-batch", "-")
	w.must(wire.String(), "ip", "-n", w.name, "-batch", "-")
	w.must("", "ip", "netns", "exec", w.name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit")
	for i, p := range all {
		w.must(fmt.Sprintf("link set lo up\nlink set eth0 up\naddr add %s/32 dev eth0\nroute add 169.254.1.1 dev eth0\nroute add default via 169.254.1.1\n", p.address), "ip", "-n", w.of(i), "-batch", "-")
		w.listen(i)
	}
	return w
}

func (w *wires) of(i int) string { return fmt.Sprintf("%s-%d", w.name, i) }

func (w *wires) must(in, name string, args ...string) {
	w.t.Helper()
	if out, err := command(in, name, args...); err != nil {
		w.t.Fatalf("%s %s: %v: %s\n%s", name, strings.Join(args, " "), err, out, in)
	}
}

// rules puts a ruleset into the router, and nothing else is there.
func (w *wires) rules(text string) {
	w.must("flush ruleset\n"+text, "ip", "netns", "exec", w.name, "nft", "-f", "-")
}

// listen answers on every port of a pod until the test ends.
func (w *wires) listen(i int) {
	err := inside(w.of(i), func() error {
		for _, p := range ports {
			address := net.JoinHostPort("0.0.0.0", fmt.Sprint(p.number))
			if p.proto == "udp" {
				c, err := net.ListenPacket("udp4", address)
				if err != nil {
					return err
				}
				w.t.Cleanup(func() { c.Close() })
				go answer(c)
				continue
			}
			l, err := net.Listen("tcp4", address)
			if err != nil {
				return err
			}
			w.t.Cleanup(func() { l.Close() })
			go accept(l)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func answer(c net.PacketConn) {
	b := make([]byte, 1)
	for {
		_, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		c.WriteTo([]byte("!"), from)
	}
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			io.ReadFull(c, make([]byte, 1))
			c.Write([]byte("!"))
			c.Close()
		}()
	}
}

// probe sends a probe from every pod to every other, on every port.
func (w *wires) probe() map[at]bool {
	found := map[at]bool{}
	var mu sync.Mutex
	each(len(w.pods), func(i int) {
		err := inside(w.of(i), func() error {
			for j, to := range w.pods {
				if i == j || w.pods[i].outside && to.outside {
					continue
				}
				for _, p := range ports {
					open, err := asked(to.address, p)
					if err != nil {
						return fmt.Errorf("%s -> %s %v: %w", w.pods[i], to, p, err)
					}
					mu.Lock()
					found[at{i, j, p}] = open
					mu.Unlock()
				}
			}
			return nil
		})
		if err != nil {
			w.t.Error(err)
		}
	})
	return found
}
