package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark/network"
	"bulwark/network/render"
)

func (a *app) networkExposedCommand() *cobra.Command {
	r := &reach{app: a}
	c := &cobra.Command{
		Use: "exposed TARGET", Short: "List what is reached from outside the cluster, and through what",
		Long: "Exposed names each workload that something outside the cluster can connect to, on which ports of its pods, from where, and\n" +
			"through which objects: load balancers, node ports, Ingresses, Routes, Gateways, host ports. --all also names the ways that\n" +
			"policies close, and those policies." + networkTargets,
		Example: "  bulwark network exposed deploy/\n  bulwark network exposed cluster --all -f csv",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error { return r.exposed(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringArrayVarP(&r.namespaces, "namespace", "n", nil, "only workloads of the namespace `NAME` (repeatable)")
	f.BoolVar(&r.all, "all", false, "also ways that policies close")
	r.flags(c, "text", "json", "csv")
	return c
}

// exposedWay is a way from outside to a workload, as answers write it.
type exposedWay struct {
	To         string   `json:"dst"`
	By         string   `json:"by"`
	From       string   `json:"from"` // empty: nobody, policies close it
	Conn       string   `json:"conn"`
	Through    []string `json:"through"`
	Conditions []string `json:"conditions,omitempty"`
	Closed     string   `json:"closed,omitempty"`
	ClosedBy   []string `json:"closedBy,omitempty"`
}

func (r *reach) exposed(ctx context.Context, target string) error {
	e, _, err := r.engine(ctx, target)
	if err != nil {
		return err
	}
	list := e.Exposed()
	if r.all {
		list = e.Exposures()
	}
	ways := make([]exposedWay, 0, len(list))
	for i := range list {
		if p := e.Endpoints[list[i].Endpoint]; len(r.namespaces) == 0 || slices.Contains(r.namespaces, p.Namespace) {
			ways = append(ways, wayOf(p, &list[i]))
		}
	}
	ways = slices.CompactFunc(ways, func(a, b exposedWay) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	if len(ways) == 0 {
		r.note("nothing of %s is reached from outside the cluster", target)
	}
	return r.write(func(w io.Writer) error {
		switch r.format {
		case "json":
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(ways)
		case "csv":
			return exposedCSV(w, ways)
		}
		return exposedText(w, ways)
	})
}

func wayOf(p *network.Endpoint, x *network.Exposure) exposedWay {
	w := exposedWay{To: p.String(), By: x.By, Conn: x.Ports.String(), Conditions: x.Conditions, Through: []string{}}
	if x.Open() {
		w.From = x.Sources()
	}
	for _, h := range x.Through {
		text := h.String()
		if h.Object != nil {
			if l := h.Object.Place(h.Path...); l.File != "" {
				text += " (" + place(l) + ")"
			}
		}
		w.Through = append(w.Through, text)
	}
	if !x.Closed.Empty() {
		w.Closed = x.Closed.String()
		for _, c := range x.ClosedBy {
			w.ClosedBy = append(w.ClosedBy, c.ID()+" ("+place(c.Place())+")")
		}
	}
	return w
}

func exposedText(w io.Writer, ways []exposedWay) error {
	var b strings.Builder
	line := func(format string, words ...any) {
		for i := range words {
			words[i] = render.Harmless(fmt.Sprint(words[i]))
		}
		fmt.Fprintf(&b, format+"\n", words...)
	}
	last := ""
	for _, x := range ways {
		if x.To != last {
			line("%s", x.To)
			last = x.To
		}
		if x.From != "" {
			line("  %s from %s, by %s", x.Conn, x.From, x.By)
		} else {
			line("  closed: %s, by %s", x.Closed, x.By)
		}
		for _, t := range x.Through {
			line("    through %s", t)
		}
		for _, c := range x.Conditions {
			line("    if %s", c)
		}
		if x.From != "" && x.Closed != "" {
			line("    closed: %s", x.Closed)
		}
		for _, p := range x.ClosedBy {
			line("    closed by %s", p)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func exposedCSV(w io.Writer, ways []exposedWay) error {
	var b strings.Builder
	b.WriteString("dst,conn,from,by,through,conditions,closed\n")
	for _, x := range ways {
		cells := []string{x.To, x.Conn, x.From, x.By, strings.Join(x.Through, "; "), strings.Join(x.Conditions, "; "), x.Closed}
		for i, c := range cells {
			cells[i] = render.Cell(c)
		}
		b.WriteString(strings.Join(cells, ",") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
