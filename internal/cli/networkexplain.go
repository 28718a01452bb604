package cli

import (
	"context"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bulwark/network"
	"bulwark/network/reason"
)

func (a *app) networkExplainCommand() *cobra.Command {
	r := &reach{app: a}
	var from, to, port string
	c := &cobra.Command{
		Use: "explain TARGET --from A --to B [--port P]", Short: "Say which rule of which policy allows or drops a connection, and what to change",
		Long: "Explain goes through the policies as the cluster does: first what A may send (egress), then what B may receive (ingress).\n" +
			"A and B are workloads (shop/web, shop/web[Deployment]), addresses (10.1.2.3), blocks of them (10.0.0.0/8), or internet;\n" +
			"{ingress-controller} is one whose place is not known. P is 80, tcp/8080-8090, udp/53 or the name of one of B's ports;\n" +
			"without it the ports of B's containers are explained, and what holds for others. Whether it is open or not, the exit code is 0." + networkTargets,
		Example: "  bulwark network explain deploy/ --from shop/web --to db/pg --port 5432\n  bulwark network explain cluster --from internet --to shop/web\n  bulwark network explain deploy/ --from shop/web --to 169.254.169.254 --port 80",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error {
			if from == "" || to == "" {
				return usage("say --from and --to: shop/web, 10.0.0.0/8 or internet")
			}
			return r.explain(c.Context(), args[0], from, to, port)
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "`A`, who connects")
	f.StringVar(&to, "to", "", "`B`, who is to be reached")
	f.StringVar(&port, "port", "", "`P`, the port")
	r.flags(c, "text", "json")
	return c
}

func (r *reach) explain(ctx context.Context, target, from, to, port string) error {
	e, _, err := r.engine(ctx, target)
	if err != nil {
		return err
	}
	q := reason.Question{Engine: e}
	if q.From, err = peer(e, from); err != nil {
		return err
	}
	if q.To, err = peer(e, to); err != nil {
		return err
	}
	if len(q.From.Endpoints) == 0 && len(q.To.Endpoints) == 0 {
		return usage("%s and %s are both outside the cluster: policies say nothing about that", from, to)
	}
	if port != "" {
		if q.Ports, err = portOf(e, q.To, port); err != nil {
			return err
		}
	}
	answers := q.Answers()
	return r.write(func(w io.Writer) error {
		if r.format == "json" {
			return reason.JSON(w, answers)
		}
		_, err := io.WriteString(w, clean(reason.Text(answers)))
		return err
	})
}

// peer reads one end of a connection.
func peer(e *network.Engine, word string) (reason.Peer, error) {
	if strings.EqualFold(word, "internet") {
		return reason.Internet(), nil
	}
	if p, err := netip.ParsePrefix(word); err == nil {
		return reason.Addresses(p), nil
	}
	if a, err := netip.ParseAddr(word); err == nil {
		return reason.Addresses(netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())), nil
	}
	word = strings.TrimSuffix(word, "[External]")
	if first, last, ok := strings.Cut(word, "-"); ok {
		a, err := netip.ParseAddr(first)
		b, err2 := netip.ParseAddr(last)
		if err == nil && err2 == nil && a.BitLen() == b.BitLen() && !b.Less(a) {
			return reason.Peer{Name: word, Blocks: []network.Block{{First: a, Last: b}}}, nil
		}
	}
	list := workloadsNamed(e, word)
	if len(list) == 0 {
		return reason.Peer{}, unknownWorkload(e, word)
	}
	return reason.Peer{Name: e.Endpoints[list[0]].String(), Endpoints: list}, nil
}

// portOf reads a port: a number, or the name that a container of B gives one.
func portOf(e *network.Engine, to reason.Peer, word string) (network.Ports, error) {
	var named network.Ports
	for _, i := range to.Endpoints {
		if proto, port, ok := e.Endpoints[i].Named(word); ok {
			named = named.Union(network.PortRange(proto, port, port))
		}
	}
	if !named.Empty() {
		return named, nil
	}
	if number, proto, ok := strings.Cut(word, "/"); ok { // 80/tcp, as elsewhere
		if _, err := strconv.Atoi(number); err == nil {
			word = proto + "/" + number
		}
	}
	p, err := network.ParsePorts(word)
	if err != nil {
		return p, usage("--port %w; no container of %s names a port so either", err, to.Name)
	}
	return p, nil
}
